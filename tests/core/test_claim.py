"""A verdict says what the evidence can bear: no more, and never without it."""

from dataclasses import replace
from pathlib import Path

import pytest

from toy.claims import apples_err_little, error_falls, ten_pips
from toy.study import STUDY, Config, full, smoke
from workings.core.claim import Kind, Verdict, claim, decide, refuted, supported
from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.core.runs import RunStore
from workings.execute.local import carry_out

NOTHING = Evidence("toy", ())


def run_on(*data: str) -> Run:
    return Run(
        Path("nowhere"),
        False,
        {"id": "0", "study": "toy", "version": 1, "config": {}, "datasets": {d: {"id": d} for d in data}},
    )


def about(*datasets: str) -> object:
    return claim("x", statement="", source="own", rule="", basis="measured", about=datasets)(
        lambda _: supported("Yes.")
    )


@pytest.mark.parametrize("kind", [Kind.SUPPORTED, Kind.INCONCLUSIVE, Kind.NOT_RUN])
def test_only_a_refutation_has_a_witness(kind: Kind) -> None:
    with pytest.raises(ValueError, match="carries a witness"):
        Verdict(kind, "It is so.", witness={"x": 1})


def test_a_refutation_without_a_witness_is_impossible() -> None:
    with pytest.raises(ValueError, match="carries a witness"):
        Verdict(Kind.REFUTED, "It is not so.")
    with pytest.raises(TypeError, match="witness"):
        refuted("It is not so.")  # type: ignore[call-arg]
    assert refuted("It is not so.", witness={"x": 1}, effect=2).numbers == {"effect": 2}


def test_without_runs_it_is_not_run_and_says_how() -> None:
    verdict = decide(ten_pips, NOTHING)
    assert verdict.kind is Kind.NOT_RUN
    assert "workings run toy" in verdict.sentence


def test_what_the_runs_do_not_hold_is_not_run() -> None:
    @claim("x", statement="", source="own", rule="", basis="measured")
    def lacking(evidence: Evidence) -> Verdict:
        raise MissingEvidence("run 0 has no metric 'speed'")

    verdict = decide(lacking, Evidence("toy", (run_on("apples"),)))
    assert verdict.kind is Kind.NOT_RUN
    assert verdict.sentence.startswith("Run 0 has no metric 'speed'")


@pytest.mark.parametrize(
    ("spoken_of", "seen", "kind"),
    [
        (("apples",), ("apples",), "supported"),
        (("apples",), ("pears",), "inconclusive"),
        (("apples",), ("apples", "pears"), "inconclusive"),
        (("apples", "pears"), ("pears",), "supported"),
        (("any",), ("pears",), "supported"),
        (("none",), (), "supported"),
    ],
)
def test_other_data_than_the_claim_speaks_about_leave_it_open(
    spoken_of: tuple[str, ...], seen: tuple[str, ...], kind: str
) -> None:
    assert decide(about(*spoken_of), Evidence("toy", (run_on(*seen),))).kind == kind  # type: ignore[arg-type]


def test_both_datasets_are_named(store: RunStore) -> None:
    carry_out(STUDY, full(), store)
    verdict = decide(apples_err_little, store.archive(STUDY).evidence(("apples",)))
    assert verdict.kind is Kind.INCONCLUSIVE
    assert "apples" in verdict.sentence
    assert "pears" in verdict.sentence


def test_the_right_data_decide_beside_a_longer_preset_on_others(store: RunStore) -> None:
    carry_out(STUDY, [*full(), Config()], store)
    verdict = decide(apples_err_little, store.archive(STUDY).evidence(("apples",)))
    assert (verdict.kind, verdict.numbers["mean"]) == (Kind.SUPPORTED, 6.0)


def test_altered_evidence_turns_the_verdict(store: RunStore) -> None:
    """The toy claims keep the promise that is made of every claim."""
    carry_out(STUDY, [Config(task="count"), *smoke()], store)
    archive = store.archive(STUDY)
    counted = archive.evidence(("none",))
    assert decide(ten_pips, counted).kind is Kind.SUPPORTED
    verdict = decide(ten_pips, replace(counted, published={"ten-pips": {"value": 11}}))
    assert (verdict.kind, verdict.witness) == (Kind.REFUTED, {"counted": 10.0})
    assert decide(apples_err_little, archive.evidence(("apples",))).kind is Kind.REFUTED
    assert decide(error_falls, archive.evidence()).kind is Kind.INCONCLUSIVE
