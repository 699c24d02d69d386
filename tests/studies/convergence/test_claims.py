"""Every claim of convergence turns when its evidence, or the transcription it is held against, is altered."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workings.core.claim import Kind, decide
from workings.core.evidence import Evidence, Run
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.execute.local import carry_out

STUDY = find("convergence")
CLAIMS = {claim.id: claim for claim in STUDY.claims}
Alteration = Callable[[Path], None]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    pytest.importorskip("PEPit")
    store = RunStore(tmp_path_factory.mktemp("convergence"))
    carry_out(STUDY, STUDY.preset("full"), store)
    return store


@pytest.fixture(scope="module")
def evidence(store: RunStore) -> Evidence:
    """What the full preset really finds."""
    return store.archive(STUDY, fresh_only=True).evidence()


def table(name: str, row: int | str, **fields: Any) -> Alteration:
    """Alter one row of a table, or one entry of a table without rows; a function is given the old value."""

    def change(folder: Path) -> None:
        path = folder / "tables" / f"{name}.json"
        rows = json.loads(path.read_text())
        entry = rows[row] if isinstance(row, int) else rows
        entry |= {field: new(entry[field]) if callable(new) else new for field, new in fields.items()}
        path.write_text(json.dumps(rows))

    return change


def metric(name: str, value: float) -> Alteration:
    """Record another value under a name."""

    def change(folder: Path) -> None:
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"name": name, "step": 0, "value": value}) + "\n")

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


WORST = {"part": "method", "function": "worst", "ties": "first", "c": 1.0}
ABSOLUTE = {"part": "method", "function": "absolute", "c": 1.0}
LEMMA, PROX, SEARCH = {"part": "lemma"}, {"part": "prox"}, {"part": "worst-case"}

ALTERED_EVIDENCE: list[tuple[str, dict[str, Any], Alteration]] = [
    ("prox-is-gradient-step", PROX, table("symbolic", "", gradient_at_step="g")),
    ("prox-is-gradient-step", PROX, table("symbolic", "", curvature_along_h="-lambda*h")),
    ("prox-is-gradient-step", PROX, table("searches", 0, found=lambda w: [x + 1 for x in w])),
    ("telescoping-lemma", LEMMA, table("sequences", 0, left=lambda x: str(Fraction(x) + 1000))),
    ("telescoping-lemma", LEMMA, table("sequences", 0, last=lambda x: str(Fraction(x) + Fraction(1, 10**9)))),
    ("affine-lower-bound", {"part": "method", "function": "hinge"}, metric("slack", -0.01)),
    ("averaged-iterate", {"part": "method", "function": "affine"}, table("horizons", 0, mean_gap=0.0)),
    ("averaged-iterate", {"part": "method", "function": "affine"}, table("horizons", 1, linear=0.0)),
    ("average-iterate-bound", WORST, table("horizons", 2, gap=lambda gap: 1.01 * gap)),
    ("rate-exponent", WORST, table("horizons", 2, gap=lambda gap: 0.99 * gap)),
    ("rate-exponent", WORST, metric("exponent", -0.51)),
    ("rate-exponent", {"function": "hinge", "part": "method"}, table("horizons", 0, gap=9.0)),
    ("one-dimension-suffices", ABSOLUTE | {"ties": "first"}, table("horizons", 3, gap=lambda gap: 0.99 * gap)),
    ("faster-on-one-function", ABSOLUTE | {"ties": "last"}, table("horizons", 3, gap=lambda gap: 1.01 * gap)),
    ("best-step-size", LEMMA, table("step", "", step="B/rho")),
    ("best-step-size", LEMMA, table("step", "", dearer="c")),
    ("best-step-size", {"part": "method", "function": "norm", "c": 4.0}, table("horizons", 0, gap=9.0)),
    ("no-function-is-worse", SEARCH | {"c": 1.0}, table("worst", 2, worst=lambda gap: 1.01 * gap)),
    ("no-function-is-worse", SEARCH | {"c": 1.0}, table("worst", 2, worst=lambda gap: 0.99 * gap)),
    ("no-function-is-worse", SEARCH | {"c": 2.0}, table("worst", 2, worst=lambda gap: 1.01 * gap)),
]

ALTERED_TRANSCRIPTION: list[tuple[str, dict[str, Any]]] = [
    ("prox-is-gradient-step", {"step_times_lambda": 0.5}),
    ("telescoping-lemma", {"of_distance": 0.25}),
    ("telescoping-lemma", {"of_squares": 0.25}),
    ("average-iterate-bound", {"constant": 0.9}),
    ("rate-exponent", {"exponent": -1.0}),
]


@pytest.mark.parametrize("name", CLAIMS)
def test_the_evidence_decides_as_expected(evidence: Evidence, name: str) -> None:
    assert decide(CLAIMS[name], evidence).kind == CLAIMS[name].expect == "supported"


@pytest.mark.parametrize(("name", "fields", "change"), ALTERED_EVIDENCE)
def test_altered_evidence_turns_the_verdict(
    evidence: Evidence, tmp_path: Path, name: str, fields: dict[str, Any], change: Alteration
) -> None:
    assert decide(CLAIMS[name], with_altered(evidence, tmp_path, change, **fields)).kind == "refuted"


@pytest.mark.parametrize(("name", "fields"), ALTERED_TRANSCRIPTION)
def test_an_altered_transcription_turns_the_verdict(evidence: Evidence, name: str, fields: dict[str, Any]) -> None:
    published = {**evidence.published, name: {**evidence.published[name], **fields}}
    assert decide(CLAIMS[name], replace(evidence, published=published)).kind == "refuted"


def test_every_claim_is_shown_to_turn() -> None:
    assert {row[0] for row in ALTERED_EVIDENCE} == set(CLAIMS)


def test_without_pepit_only_its_own_claim_is_left_open(store: RunStore) -> None:
    archive = store.archive(STUDY, fresh_only=True)
    instant = replace(archive, runs=tuple(run for run in archive.runs if run.config["part"] != "worst-case"))
    verdicts = {claim.id: decide(claim, instant.evidence(claim.about)).kind for claim in STUDY.claims}
    assert {name for name, kind in verdicts.items() if kind is Kind.NOT_RUN} == {"no-function-is-worse"}


def test_the_witness_against_a_smaller_lemma_can_be_checked_by_hand(evidence: Evidence) -> None:
    published = {**evidence.published, "telescoping-lemma": {"of_distance": 0.25, "of_squares": 0.5}}
    witness = decide(CLAIMS["telescoping-lemma"], replace(evidence, published=published)).witness
    assert witness is not None
    eta, target = float(Fraction(witness["eta"])), np.array([float(Fraction(x)) for x in witness["comparator"]])
    left, squares, w = 0.0, 0.0, np.zeros(len(target))
    for v in ([float(Fraction(x)) for x in row] for row in witness["v"]):
        left, squares, w = left + (w - target) @ v, squares + np.dot(v, v), w - eta * np.array(v)
    assert left == pytest.approx(float(Fraction(witness["left"])))
    smaller = target @ target / (4 * eta) + eta * squares / 2
    assert left > smaller or left != pytest.approx(smaller - (w - target) @ (w - target) / (2 * eta))
