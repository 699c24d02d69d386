"""Every claim of sgd turns when its evidence is altered."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workings.core.claim import decide
from workings.core.evidence import Evidence, Run
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.execute.local import carry_out

STUDY = find("sgd")
CLAIMS = {claim.id: claim for claim in STUDY.claims}
Alteration = Callable[[Path], None]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What the full preset really finds."""
    store = RunStore(tmp_path_factory.mktemp("sgd"))
    carry_out(STUDY, STUDY.preset("full"), store)
    return store.archive(STUDY, fresh_only=True).evidence()


def table(name: str, change: Callable[[Any], None]) -> Alteration:
    def alter(folder: Path) -> None:
        path = folder / "tables" / f"{name}.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return alter


def metric(name: str, value: float) -> Alteration:
    def alter(folder: Path) -> None:
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"name": name, "step": 0, "value": value}) + "\n")

    return alter


def altered(evidence: Evidence, folder: Path, change: Alteration) -> Evidence:
    runs = []
    for run in evidence.runs:
        shutil.copytree(run.folder, folder / run.id)
        change(folder / run.id)
        runs.append(Run.read(folder / run.id, recorded=False))
    return replace(evidence, runs=tuple(runs))


def no_rise(rows: Any) -> None:
    for row in rows:
        row["at_minimiser"]["rise"] = "-1/100"


def two_intervals(rows: Any) -> None:
    rows[0]["intervals"] = [[None, 0.0], [1.0, None]]


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_evidence_reaches_the_expected_verdict(claim_id: str, evidence: Evidence) -> None:
    claim = CLAIMS[claim_id]
    assert decide(claim, evidence).kind == claim.expect


def test_the_witness_can_be_evaluated_by_hand(evidence: Evidence) -> None:
    witness = decide(CLAIMS["every-step-descends"], evidence).witness
    assert witness is not None
    w, eta = witness["w"], witness["eta"]
    after = w - eta * (w - 2)
    assert witness["w_after"] == pytest.approx(after)
    for key, at in (("before", w), ("after", after)):
        assert witness[f"f_{key}"] == pytest.approx(0.5 * (at - 2) ** 2 + 0.5 * (at + 1) ** 2)
        assert witness[f"term_{key}"] == pytest.approx(0.5 * (at - 2) ** 2)
    assert witness["f_after"] > witness["f_before"]


TURNS: list[tuple[str, Alteration, str]] = [
    ("every-step-descends", table("raises", no_rise), "supported"),
    ("rises-in-closed-form", table("checked", lambda t: t.update(disagreements=1)), "refuted"),
    ("rises-in-closed-form", table("raises", two_intervals), "refuted"),
    ("noise-ball", metric("noise/measured", 99.0), "refuted"),
    ("noise-ball", metric("noise/error", 9.0), "inconclusive"),
    ("full-batch-descends", metric("full_batch/factor", 1.5), "refuted"),
]


@pytest.mark.parametrize(("claim_id", "change", "verdict"), TURNS)
def test_altered_evidence_turns_it(
    claim_id: str, change: Alteration, verdict: str, evidence: Evidence, tmp_path: Path
) -> None:
    assert decide(CLAIMS[claim_id], altered(evidence, tmp_path, change)).kind == verdict


def test_every_claim_is_turned() -> None:
    assert {claim_id for claim_id, *_ in TURNS} == set(CLAIMS)
