"""Choosing claims by name, and the lines of the ledger."""

import json

import pytest

from toy.study import STUDY, full, instant
from workings.core.claim import supported
from workings.core.errors import UserError
from workings.core.ledger import Finding, judge, select
from workings.core.runs import RunStore
from workings.execute.local import carry_out

STUDIES = {"toy": STUDY}
ALL = ["ten-pips", "pips-are-odd", "error-falls", "apples-err-little"]


@pytest.mark.parametrize(
    ("selectors", "claims"),
    [
        ([], ALL),
        (["toy"], ALL),
        (["toy-2025"], ALL),
        (["toy.error-falls"], ["error-falls"]),
        (["toy-2025/1"], ["ten-pips", "pips-are-odd"]),  # 1a and 1b, not 10
        (["toy-2025/1a"], ["ten-pips"]),
        (["toy-2025/10"], ["error-falls"]),
        (["toy-2025/2", "toy.ten-pips"], ["ten-pips", "apples-err-little"]),
        (["toy", "toy.ten-pips"], ALL),
    ],
)
def test_a_selector_is_a_study_a_claim_a_sheet_or_a_question(selectors: list[str], claims: list[str]) -> None:
    assert [claim.id for claim in select(STUDIES, selectors).get("toy", [])] == claims


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("toi", "toy"), ("toy.ten-pip", "toy.ten-pips"), ("toy-2052", "toy-2025"), ("toy-2025/1c", "toy-2025/1")],
)
def test_a_typo_gets_a_suggestion(typo: str, meant: str) -> None:
    with pytest.raises(UserError, match=rf"nothing is called '{typo}' \(did you mean '{meant}"):
        select(STUDIES, [typo])


@pytest.mark.parametrize("nothing", ["", "zzzz", "toy-", "toy-2025/", "toy-2025/3", "oy", "toy."])
def test_what_names_nothing_is_the_users_mistake(nothing: str) -> None:
    with pytest.raises(UserError, match="name a study, a claim"):
        select(STUDIES, ["toy", nothing])


def findings(store: RunStore) -> dict[str, Finding]:
    return {finding.claim.id: finding for finding in judge(store.archive(STUDY), STUDY.claims)}


def test_the_line_a_machine_reads(store: RunStore) -> None:
    """The keys that `studies.md` promises, as JSON."""
    carry_out(STUDY, [*instant(), *full()], store)
    lines = {i: json.loads(json.dumps(f.to_json(), allow_nan=False)) for i, f in findings(store).items()}
    odd = lines["pips-are-odd"]
    assert {
        "id": "toy.pips-are-odd",
        "study": "toy",
        "source": "toy-2025/1b",
        "verdict": "refuted",
        "summary": "It is even.",
        "numbers": {},
        "basis": "exhaustive",
        "about": ["none"],
        "datasets": [],
        "recorded": False,
        "witness": {"counted": 10.0, "half": 5.0},
    }.items() <= odd.items()
    assert len(odd["runs"]) == 1
    apples = lines["apples-err-little"]
    assert (apples["verdict"], apples["about"], apples["datasets"]) == ("inconclusive", ["apples"], ["pears"])
    assert apples["witness"] is None
    assert (lines["error-falls"]["preset"], len(lines["error-falls"]["runs"])) == ("full", 3)
    assert all(line.keys() == odd.keys() for line in lines.values())


def test_a_verdict_against_expectation_is_told_apart_from_an_open_one(store: RunStore) -> None:
    before = findings(store)
    assert all(finding.open and not finding.contradicts for finding in before.values())
    carry_out(STUDY, instant(), store)
    after = findings(store)
    assert not after["pips-are-odd"].open
    assert not after["pips-are-odd"].contradicts  # refuted, as expected
    odd = after["pips-are-odd"]
    assert Finding(STUDY, odd.claim, supported("It is odd."), odd.evidence, 0).contradicts


def test_what_was_measured_contradicts_nothing_where_nothing_is_expected(store: RunStore) -> None:
    carry_out(STUDY, [*instant(), *full()], store)
    finding = findings(store)["error-falls"]
    assert finding.verdict.kind == "supported"
    assert not finding.contradicts
