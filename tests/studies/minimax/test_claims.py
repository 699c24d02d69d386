"""Every claim of minimax turns when its evidence, or the transcription it is held against, is altered."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from workings.core.claim import decide
from workings.core.evidence import Evidence, Run
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.minimax.study import BILINEAR_GAME, SHEET_GAME

STUDY = find("minimax")
CLAIMS = {claim.id: claim for claim in STUDY.claims}
Alteration = Callable[[Path], None]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What the full preset really finds."""
    store = RunStore(tmp_path_factory.mktemp("minimax"))
    carry_out(STUDY, STUDY.preset("full"), store)
    return store.archive(STUDY, fresh_only=True).evidence()


def steps(interval: list[float] | None, key: str = "converging") -> Alteration:
    """Make a run say that these step sizes converge (or stay bounded)."""

    def change(folder: Path) -> None:
        path = folder / "tables" / "steps.json"
        table = json.loads(path.read_text())
        table[key] = {"text": "altered", "intervals": [] if interval is None else [interval], "exact": True}
        path.write_text(json.dumps(table))

    return change


def path(row: int, point: list[float]) -> Alteration:
    """Move one point of the play."""

    def change(folder: Path) -> None:
        run = Run.read(folder, recorded=False)
        points = run.array("path").copy()
        points[row] = point
        save_file({"value": points}, folder / "arrays" / "path.safetensors")

    return change


def stationary(**fields: Any) -> Alteration:
    """Alter the first stationary point."""

    def change(folder: Path) -> None:
        table_path = folder / "tables" / "stationary.json"
        table = json.loads(table_path.read_text())
        table["points"][0] |= fields
        table_path.write_text(json.dumps(table))

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


ALTERED_EVIDENCE: list[tuple[str, str, dict[str, Any], Alteration]] = [
    ("saddle-point", "refuted", {"f": SHEET_GAME, "method": "gda"}, stationary(point=[1.0, 0.0])),
    ("saddle-point", "refuted", {"f": SHEET_GAME, "method": "gda"}, stationary(hessian=[[8, 0], [0, 8]])),
    ("step-range", "refuted", {"f": SHEET_GAME, "method": "gda"}, steps([0.0, 0.5])),
    ("step-range", "refuted", {"f": SHEET_GAME, "method": "gda"}, steps(None)),
    ("step-range", "refuted", {"f": SHEET_GAME, "eta": 0.1, "method": "gda"}, metric("distance/end", 9.0)),
    ("descent-both", "refuted", {"method": "descent"}, path(1, [0.2, 0.9])),
    ("descent-both", "refuted", {"method": "descent"}, steps([0.0, 0.1], "bounded")),
    ("special-cases-named", "supported", {"start": [1.0, 0.0]}, steps(None, "from_start")),
    ("one-step", "refuted", {"eta": 0.125, "method": "alternating"}, path(1, [0.0, 0.25])),
    ("extragradient-range", "refuted", {"f": SHEET_GAME, "method": "extragradient"}, steps([0.0, 0.25])),
    ("optimistic-range", "refuted", {"f": SHEET_GAME, "method": "optimistic"}, steps([0.01, 1 / 12])),
    ("bilinear-gda", "refuted", {"f": BILINEAR_GAME, "method": "gda"}, metric("spectral_radius", 1.0)),
    ("bilinear-gda", "refuted", {"f": BILINEAR_GAME, "method": "gda"}, steps([0.0, 0.1])),
    ("bilinear-alternating", "refuted", {"f": BILINEAR_GAME, "method": "alternating"}, steps([0.0, 1.0], "bounded")),
    ("bilinear-alternating", "refuted", {"f": BILINEAR_GAME, "method": "alternating"}, metric("spectral_radius", 0.9)),
    ("bilinear-extragradient", "refuted", {"f": BILINEAR_GAME, "method": "extragradient"}, steps([0.0, 0.9])),
    ("bilinear-optimistic", "refuted", {"f": BILINEAR_GAME, "method": "optimistic"}, steps([0.0, 0.5])),
    ("bilinear-optimistic", "refuted", {"f": BILINEAR_GAME, "eta": 0.6}, metric("distance/end", 0.0)),
]

ALTERED_TRANSCRIPTION: list[tuple[str, str, dict[str, Any]]] = [
    ("saddle-point", "refuted", {"point": [1.0, 0.0]}),
    ("ascent-rule", "supported", {"y_rate": -8.0}),
    ("step-range", "refuted", {"high": 0.5}),
    ("step-range-derivation", "supported", {"y_rate": -8.0}),
    ("descent-both", "refuted", {"y_rate": -8.0}),
    ("special-cases-named", "supported", {"cases": ["y0 = 0"]}),
]


@pytest.mark.parametrize("name", CLAIMS)
def test_the_evidence_decides_as_expected(evidence: Evidence, name: str) -> None:
    assert decide(CLAIMS[name], evidence).kind == CLAIMS[name].expect


@pytest.mark.parametrize(("name", "turned", "fields", "change"), ALTERED_EVIDENCE)
def test_altered_evidence_turns_the_verdict(
    evidence: Evidence, tmp_path: Path, name: str, turned: str, fields: dict[str, Any], change: Alteration
) -> None:
    verdict = decide(CLAIMS[name], with_altered(evidence, tmp_path, change, **fields))
    assert verdict.kind == turned != CLAIMS[name].expect


@pytest.mark.parametrize(("name", "turned", "fields"), ALTERED_TRANSCRIPTION)
def test_an_altered_transcription_turns_the_verdict(
    evidence: Evidence, name: str, turned: str, fields: dict[str, Any]
) -> None:
    published = {**evidence.published, name: {**evidence.published[name], **fields}}
    verdict = decide(CLAIMS[name], replace(evidence, published=published))
    assert verdict.kind == turned != CLAIMS[name].expect


def test_every_claim_is_shown_to_turn() -> None:
    assert {row[0] for row in ALTERED_EVIDENCE} | {row[0] for row in ALTERED_TRANSCRIPTION} == set(CLAIMS)


def test_the_witness_of_the_ascent_rule_can_be_checked_by_hand(evidence: Evidence) -> None:
    witness = decide(CLAIMS["ascent-rule"], evidence).witness
    assert witness is not None
    eta, y = witness["eta"], witness["y"]
    gradient = (-4 * (y + 1e-6) ** 2 + 4 * (y - 1e-6) ** 2) / 2e-6  # of f along y, at x fixed
    assert witness["true_step"] == pytest.approx(y + eta * gradient)
    assert witness["published_step"] == pytest.approx((1 + 8 * eta) * y)
    assert not np.isclose(witness["true_step"], witness["published_step"])


def test_the_witness_against_the_derivation_lies_in_the_published_range(evidence: Evidence) -> None:
    witness = decide(CLAIMS["step-range-derivation"], evidence).witness
    assert witness is not None
    assert 0 < witness["eta"] < 0.25
    assert abs(1 + 8 * witness["eta"]) == pytest.approx(witness["modulus"])
    assert witness["modulus"] >= 1
