"""Every claim of hopfield turns when its evidence, or the transcription it is held against, is altered."""

import importlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workings.core.claim import decide
from workings.core.evidence import Archive, Evidence, Run
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.execute.local import carry_out

STUDY = find("hopfield")
CLAIMS = {claim.id: claim for claim in STUDY.claims}
Alteration = Callable[[Path], None]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """What the instant trials really find."""
    store = RunStore(tmp_path_factory.mktemp("hopfield"))
    carry_out(STUDY, importlib.import_module(f"{STUDY.package}.study").instant(), store)
    return store.archive(STUDY, fresh_only=True)


def table(name: str, change: Callable[[Any], None]) -> Alteration:
    """Alter a table in place."""

    def alter(folder: Path) -> None:
        path = folder / "tables" / f"{name}.json"
        rows = json.loads(path.read_text())
        change(rows)
        path.write_text(json.dumps(rows))

    return alter


def row(name: str, index: int, **fields: Any) -> Alteration:
    """Alter fields of one row."""
    return table(name, lambda rows: rows[index].update(fields))


def rows(name: str, **fields: Any) -> Alteration:
    """Alter fields of every row."""
    return table(name, lambda rows: [one.update(fields) for one in rows] and None)


def left(name: str) -> Alteration:
    """Make the algebra leave something over."""
    return table("symbolic", lambda rows: rows[1]["left"].update({name: "q0"}))


def metric(name: str, value: float) -> Alteration:
    """Record another value under a name."""

    def alter(folder: Path) -> None:
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"name": name, "step": 0, "value": value}) + "\n")

    return alter


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


THEORY, WIDE, HIDDEN = {"task": "theory"}, {"task": "capacity", "dim": 14}, {"task": "recall", "mask": "left"}
ALTERED_EVIDENCE: list[tuple[str, str, dict[str, Any], Alteration]] = [
    ("convex-part", "refuted", THEORY, left("convex Hessian")),
    ("convex-part", "refuted", THEORY, left("convex gradient")),
    ("convex-part", "refuted", THEORY, row("hessians", 3, convex_off_identity=1e-9)),
    ("concave-part", "refuted", THEORY, left("concave gradient")),
    ("concave-part", "refuted", THEORY, left("concave Hessian")),
    ("concave-part", "refuted", THEORY, left("variance")),
    ("concave-part", "refuted", THEORY, row("hessians", 5, concave_off_formula=1e-9)),
    ("concave-part", "refuted", THEORY, row("hessians", 5, concave_largest_eigenvalue=1e-9)),
    ("hessian-keeps-beta", "supported", THEORY, table("lost_beta", lambda found: found.update(curvature=1.0))),
    ("energy-never-rises", "refuted", THEORY, row("descents", 0, rise=1e-9)),
    ("energy-never-rises", "refuted", THEORY, row("search", 0, rise=1e-9)),
    ("energy-never-rises", "inconclusive", THEORY, row("search", -1, rise=0.0)),
    ("descends-by-half-the-step", "refuted", THEORY, row("descents", 7, excess=1e-9)),
    ("update-is-attention", "refuted", THEORY, row("attention", 0, off=1e-5)),
    ("update-is-attention", "refuted", THEORY, row("attention", 2, off=1e-9)),
    ("single-fixed-point", "refuted", THEORY, row("fixed_points", 0, apart=0.5)),
    ("single-fixed-point", "refuted", THEORY, row("fixed_points", -1, apart=0.0)),
    ("three-regimes", "refuted", THEORY, table("regimes", lambda found: found.update(members=20))),
    ("three-regimes", "refuted", THEORY, table("regimes", lambda found: found["beta"].reverse())),
    ("capacity-grows-exponentially", "refuted", WIDE, metric("capacity", 400.0)),
    ("capacity-grows-exponentially", "refuted", {"task": "capacity", "dim": 8}, metric("capacity", 1.0)),
    ("half-a-picture-recalls", "refuted", HIDDEN, metric("came_back", 0.3)),
    ("half-a-picture-recalls", "inconclusive", HIDDEN, metric("came_back", 0.5)),
]
ALTERED_TRANSCRIPTION: list[tuple[str, str, dict[str, Any]]] = [
    ("convex-part", "refuted", {"hessian_scale": 2.0}),
    ("hessian-keeps-beta", "supported", {"beta_power": 1}),
    ("quantifier-binds-its-index", "supported", {"quantified": "i"}),
    ("update-is-attention", "refuted", {"beta_power_of_dim": -1.0}),
]


@pytest.mark.parametrize("name", CLAIMS)
def test_the_evidence_decides_as_expected(archive: Archive, name: str) -> None:
    verdict = decide(CLAIMS[name], archive.evidence(CLAIMS[name].about))
    assert verdict.kind == (CLAIMS[name].expect or "supported")


@pytest.mark.parametrize(("name", "turned", "fields", "change"), ALTERED_EVIDENCE)
def test_altered_evidence_turns_the_verdict(
    archive: Archive, tmp_path: Path, name: str, turned: str, fields: dict[str, Any], change: Alteration
) -> None:
    evidence = with_altered(archive.evidence(CLAIMS[name].about), tmp_path, change, **fields)
    assert decide(CLAIMS[name], evidence).kind == turned != CLAIMS[name].expect


@pytest.mark.parametrize(("name", "turned", "fields"), ALTERED_TRANSCRIPTION)
def test_an_altered_transcription_turns_the_verdict(
    archive: Archive, name: str, turned: str, fields: dict[str, Any]
) -> None:
    evidence = archive.evidence(CLAIMS[name].about)
    published = {**evidence.published, name: {**evidence.published[name], **fields}}
    assert decide(CLAIMS[name], replace(evidence, published=published)).kind == turned != CLAIMS[name].expect


def test_every_claim_is_shown_to_turn() -> None:
    assert {one[0] for one in ALTERED_EVIDENCE} | {one[0] for one in ALTERED_TRANSCRIPTION} == set(CLAIMS)


def test_exact_claims_see_no_data(archive: Archive) -> None:
    for claim in CLAIMS.values():
        seen = archive.evidence(claim.about).datasets
        assert "digits" in seen if "digits" in claim.about else seen == ()


def test_a_foreign_dataset_decides_nothing_about_pictures(archive: Archive, tmp_path: Path) -> None:
    def rename(folder: Path) -> None:
        info = json.loads((folder / "run.json").read_text())
        info["datasets"]["pictures"]["id"] = "own:holidays"
        (folder / "run.json").write_text(json.dumps(info))

    claim = CLAIMS["half-a-picture-recalls"]
    evidence = with_altered(archive.evidence(claim.about), tmp_path, rename, task="recall")
    assert decide(claim, evidence).kind == "inconclusive"


def test_the_witness_of_the_lost_beta_can_be_checked_by_hand(archive: Archive) -> None:
    """−E₂ is log(e^{2q} + e^{−2q})/2 for patterns ±1 and β = 2: a second difference at q = 0."""
    import math

    def lse(q: float) -> float:
        return math.log(math.exp(2 * q) + math.exp(-2 * q)) / 2

    witness = decide(CLAIMS["hessian-keeps-beta"], archive.evidence(CLAIMS["hessian-keeps-beta"].about)).witness
    assert witness is not None
    h = 1e-4
    assert witness["curvature"] == pytest.approx((lse(h) - 2 * lse(0) + lse(-h)) / h**2, rel=1e-6)
    assert witness["published_line"] == pytest.approx(1.0)  # half of (±1)² each, less the square of a mean of 0
