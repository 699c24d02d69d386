"""Every claim of iou turns when its evidence, or the transcription it is held against, is altered."""

import json
import math
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
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.iou.study import STUDY

CLAIMS = {claim.id: claim for claim in STUDY.claims}
Alteration = Callable[[Path], None]
PLAIN = {"loss": "iou", "schedule": "diminishing"}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What the full preset really finds."""
    store = RunStore(tmp_path_factory.mktemp("iou"))
    carry_out(STUDY, STUDY.preset("full"), store)
    return store.archive(STUDY, fresh_only=True).evidence()


def table(name: str, *keys: str, **fields: Any) -> Alteration:
    """Alter fields of a table, or of the part of it that the keys lead to."""

    def change(folder: Path) -> None:
        path = folder / "tables" / f"{name}.json"
        whole = part = json.loads(path.read_text())
        for key in keys:
            part = part[key]
        part |= fields
        path.write_text(json.dumps(whole))

    return change


def starts(name: str, alter: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Alteration:
    """Alter an array, given itself and which starts lie apart."""

    def change(folder: Path) -> None:
        run = Run.read(folder, recorded=False)
        values = alter(run.array(f"starts/{name}").copy(), run.array("starts/apart"))
        save_file({"value": values}, folder / "arrays" / "starts" / f"{name}.safetensors")

    return change


def one_lost(final: np.ndarray, apart: np.ndarray) -> np.ndarray:
    final[np.flatnonzero(apart)[0]] = 0.5
    return final


def one_overlapping_lost(final: np.ndarray, apart: np.ndarray) -> np.ndarray:
    final[np.flatnonzero(~apart)[0]] = 0.5
    return final


def all_lost(final: np.ndarray, apart: np.ndarray) -> np.ndarray:
    return np.zeros_like(final)


def both(*changes: Alteration) -> Alteration:
    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

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
    ("between-zero-and-one", "refuted", PLAIN, table("enumerated", above=1)),
    ("between-zero-and-one", "refuted", PLAIN, table("enumerated", miscounted=1)),
    ("between-zero-and-one", "refuted", PLAIN, table("enumerated", ones=400)),
    ("between-zero-and-one", "refuted", PLAIN, table("drawn", high=1.25)),
    ("not-differentiable", "refuted", PLAIN, table("slide", "equal", before=0.0, after=0.0)),
    ("not-differentiable", "refuted", PLAIN, table("slide", "touching", after=0.0)),
    ("not-differentiable", "refuted", PLAIN, table("smoothness", flat=3)),
    ("unusable-as-loss", "supported", PLAIN, both(starts("final", all_lost), table("path", final=0.2))),
    ("unusable-as-loss", "inconclusive", PLAIN, starts("final", one_overlapping_lost)),
    ("unusable-as-loss", "inconclusive", PLAIN, table("path", final=0.2)),
    ("unusable-as-loss", "inconclusive", PLAIN, table("path", crossed=0)),
    ("smooth-almost-everywhere", "refuted", PLAIN, table("smoothness", differing=1, largest=0.1)),
    ("smooth-almost-everywhere", "refuted", {"loss": "diou"}, table("smoothness", differing=1, largest=0.1)),
    ("ciou-gradient-is-partial", "refuted", {"loss": "ciou"}, table("smoothness", differing=0, largest=1e-9)),
    ("fixed-step-may-not-settle", "refuted", {"schedule": "fixed"}, starts("final", lambda f, _: np.ones_like(f))),
    ("fixed-step-may-not-settle", "refuted", {"schedule": "fixed"}, starts("swing", all_lost)),
    ("fixed-step-may-not-settle", "refuted", PLAIN, starts("final", all_lost)),
    ("flat-when-apart", "refuted", PLAIN, starts("moved", lambda moved, _: ~moved)),
    ("others-close-the-gap", "refuted", {"loss": "giou"}, starts("final", one_lost)),
    ("others-close-the-gap", "refuted", {"loss": "ciou"}, starts("final", one_lost)),
]

ALTERED_TRANSCRIPTION: list[tuple[str, str, dict[str, Any]]] = [
    ("between-zero-and-one", "refuted", {"high": 2}),
    ("between-zero-and-one", "refuted", {"low": -1}),
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


def test_the_witness_can_be_followed_with_plain_arithmetic(evidence: Evidence) -> None:
    """The whole descent anew: IoU written down once more, its gradient by differences, no torch."""
    witness = decide(CLAIMS["unusable-as-loss"], evidence).witness
    assert witness is not None
    a, b = ([float(side) for side in witness[name].split()] for name in "ab")

    def iou(p: list[float]) -> float:
        width = min(p[2], b[2]) - max(p[0], b[0])
        height = min(p[3], b[3]) - max(p[1], b[1])
        shared = max(width, 0) * max(height, 0)
        return shared / ((p[2] - p[0]) * (p[3] - p[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)

    side, h = math.sqrt((b[2] - b[0]) * (b[3] - b[1])), 1e-7
    assert iou(a) == pytest.approx(witness["iou_before"])
    for t in range(witness["steps"]):
        slope = [
            -(iou([*a[:i], a[i] + h, *a[i + 1 :]]) - iou([*a[:i], a[i] - h, *a[i + 1 :]])) / (2 * h) for i in range(4)
        ]
        if t == 0:
            assert slope == pytest.approx(witness["gradient_at_a"], abs=1e-6)
        length = witness["eta"] * side / math.sqrt(t + 1) / math.hypot(*slope)
        a = [s - length * g for s, g in zip(a, slope, strict=True)]
    assert iou(a) == pytest.approx(witness["iou_after"], abs=0.02)  # a rounding error may take another side of a kink
    assert iou(a) >= 0.95
