"""Every claim of autodiff turns when its evidence, or the transcription it is held against, is altered."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workings.core.claim import Kind, decide
from workings.core.evidence import Evidence, Run
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.autodiff.study import SHEET_FUNCTIONS, WORKED_EXAMPLE

STUDY = find("autodiff")
CLAIMS = {claim.id: claim for claim in STUDY.claims}
Alteration = Callable[[Path], None]
SHEET = {"part": "formulas", "f": [*SHEET_FUNCTIONS]}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What the full preset really finds."""
    store = RunStore(tmp_path_factory.mktemp("autodiff"))
    carry_out(STUDY, STUDY.preset("full"), store)
    return store.archive(STUDY, fresh_only=True).evidence()


def entry(table: str, *path: Any, value: Any) -> Alteration:
    """Write another value at a place of a table."""

    def change(folder: Path) -> None:
        file = folder / "tables" / f"{table}.json"
        content = json.loads(file.read_text())
        place = content
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        file.write_text(json.dumps(content))

    return change


def metric(name: str, value: float) -> Alteration:
    """Record another value at the last epoch."""

    def change(folder: Path) -> None:
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"name": name, "step": 10_000, "value": value}) + "\n")

    return change


def with_altered(evidence: Evidence, folder: Path, change: Alteration, **fields: Any) -> Evidence:
    """The evidence with the runs of these fields altered, in copies."""
    runs = []
    for run in evidence.runs:
        if all(run.config[name] == value for name, value in fields.items()):
            copy = folder / run.id
            shutil.copytree(run.folder, copy)
            change(copy)
            run = Run.read(copy, recorded=False)
        runs.append(run)
    return replace(evidence, runs=tuple(runs))


ALTERED: list[tuple[str, dict[str, Any], Alteration]] = [
    ("value", SHEET, entry("derivatives", "value", 0, value=0.66)),
    ("value", SHEET, entry("trace", "nodes", 6, "value", value=0.66)),
    ("value", {"part": "symbols"}, entry("exact", "value", 1, value="3.1")),
    ("forward-equals-reverse", SHEET, entry("derivatives", "forward", 0, 0, value=0.3502)),
    ("forward-equals-reverse", SHEET, entry("derivatives", "reverse", 1, 1, value=1.3334)),
    ("forward-equals-reverse", SHEET, entry("derivatives", "dual", 0, 1, value=0.3863)),
    ("forward-equals-reverse", SHEET, entry("trace", "nodes", 0, "adjoints", 1, value=4.3)),
    ("forward-equals-reverse", SHEET, entry("trace", "nodes", 6, "tangents", 1, value=-0.4)),
    ("forward-equals-reverse", {"part": "symbols"}, entry("exact", "jacobian", 0, 0, value="0.3501")),
    ("numerical-close", SHEET, entry("derivatives", "differences", "forward", 1, 0, value=4.36)),
    ("numerical-close", SHEET, entry("derivatives", "differences", "central", 0, 0, value=0.35)),
    ("numerical-close", SHEET, entry("derivatives", "bounds", "central", 0, 0, value=1e-7)),
    ("numerical-close", SHEET, entry("derivatives", "bounds", "forward", 0, 0, value=None)),
    ("worked-example", {"f": [*WORKED_EXAMPLE]}, entry("derivatives", "reverse", 0, 1, value=5.0)),
    ("rules-agree", {"part": "rules"}, entry("rules", 3, "forward", value=0.5)),
    ("rules-agree", {"part": "rules"}, entry("rules", 3, "transpose", value=1e-9)),
    ("rules-agree", {"part": "rules"}, entry("rules", 3, "second", value=float("nan"))),
    ("second-order", {"part": "symbols"}, entry("engine", "hessian", 0, 0, 1, value=0.76)),
    ("second-order", {"part": "symbols"}, entry("engine", "hessian, reverse over reverse", 1, 1, 1, value=0.1)),
    ("second-order", {"part": "symbols"}, entry("exact", "hessian", 1, 0, 0, value="4")),
    ("cheaper-mode", {"part": "cost"}, entry("cost", 7, "reverse", "multiplications", value=1)),
    ("cheaper-mode", {"part": "cost"}, entry("cost", 1, "forward", "multiplications", value=10**9)),
    ("network-learns", {"part": "network"}, metric("loss", 2.3)),
    ("network-learns", {"part": "network"}, metric("accuracy", 0.5)),
]


@pytest.mark.parametrize("name", CLAIMS)
def test_the_evidence_decides_as_expected(evidence: Evidence, name: str) -> None:
    assert decide(CLAIMS[name], evidence).kind == CLAIMS[name].expect


@pytest.mark.parametrize(("name", "fields", "change"), ALTERED)
def test_altered_evidence_turns_the_verdict(
    evidence: Evidence, tmp_path: Path, name: str, fields: dict[str, Any], change: Alteration
) -> None:
    verdict = decide(CLAIMS[name], with_altered(evidence, tmp_path, change, **fields))
    assert verdict.kind is Kind.REFUTED
    assert verdict.witness


@pytest.mark.parametrize("name", ["value", "forward-equals-reverse", "numerical-close", "second-order"])
def test_a_run_on_anything_but_what_the_sheet_states_decides_nothing(evidence: Evidence, name: str) -> None:
    other = {**evidence.published, "functions": {**evidence.published["functions"], "at": [2.0, 1.0]}}
    assert decide(CLAIMS[name], replace(evidence, published=other)).kind is Kind.NOT_RUN


def test_another_worked_example_decides_nothing(evidence: Evidence) -> None:
    other = {**evidence.published, "worked-example": {"f": ["x*y"]}}
    assert decide(CLAIMS["worked-example"], replace(evidence, published=other)).kind is Kind.NOT_RUN


def test_another_step_decides_nothing(evidence: Evidence) -> None:
    other = {**evidence.published, "functions": {**evidence.published["functions"], "delta": 0.1}}
    assert decide(CLAIMS["numerical-close"], replace(evidence, published=other)).kind is Kind.NOT_RUN


def test_every_claim_is_shown_to_turn() -> None:
    assert {row[0] for row in ALTERED} == set(CLAIMS)


def test_the_figures_draw(evidence: Evidence) -> None:
    from workings.report.figures import render, without_windows

    without_windows()
    for spec in STUDY.figures:
        assert render(spec, evidence, "dark").startswith(b"<?xml")
