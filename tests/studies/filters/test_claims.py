"""Every claim of filters turns when its evidence is altered; measured ones can also be left undecided."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from safetensors.numpy import save_file

from workings.core.claim import decide
from workings.core.evidence import NONE, Archive, Evidence, Run
from workings.core.figure import FigureSpec
from workings.core.registry import find

STUDY = find("filters")
CLAIMS = {claim.id: claim for claim in STUDY.claims}
Alteration = Callable[[Path], None]


def table(name: str, change: Callable[[Any], None]) -> Alteration:
    """Change a recorded table in place."""

    def alter(folder: Path) -> None:
        path = folder / "tables" / f"{name}.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return alter


def kernel(**fields: Any) -> Alteration:
    """State other facts of a kernel."""
    return table("kernel", lambda facts: facts.update(fields))


def profile(axis: str, **fields: Any) -> Alteration:
    """State other facts of its response along an axis."""
    return table("kernel", lambda facts: facts["profiles"][axis].update(fields))


def array(name: str, place: tuple[int, ...] | slice, value: float) -> Alteration:
    """Set entries of a recorded array."""

    def alter(folder: Path) -> None:
        values = Run.read(folder, recorded=False).array(name).copy()
        values[place] = value
        save_file({"value": values}, folder / "arrays" / f"{name}.safetensors")

    return alter


def metric(name: str, value: float) -> Alteration:
    """Record another value under a name."""

    def alter(folder: Path) -> None:
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"name": name, "step": 0, "value": value}) + "\n")

    return alter


def crossings(**factors: float | None) -> Alteration:
    """Set levels from which averaging pays, as multiples of the one by PSNR."""

    def change(content: dict[str, dict[str, Any]]) -> None:
        for found in content.values():
            at = found["psnr"]
            found.update({name: None if factor is None else factor * at for name, factor in factors.items()})

    return table("crossings", change)


def scores(kind: str, which: str, measure: str, value: float) -> Alteration:
    """Give a filter another score at every level."""

    def change(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["scores"][which][measure] = value

    return table(kind, change)


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


NOISE = {"task": "noise"}


def inspecting(name: str) -> dict[str, str]:
    """The run that takes a kernel apart."""
    return {"task": "inspect", "kernel": name}


ALTERED: list[tuple[str, str, dict[str, Any], Alteration]] = [
    ("edge-ignores-flat", "refuted", inspecting("sobel-x"), kernel(sum="1")),
    ("edge-ignores-flat", "refuted", inspecting("laplacian"), array("flat/reflect", (0, 0), 1e-12)),
    ("edge-ignores-flat", "refuted", inspecting("laplacian"), array("flat/zeros", (3, 3), 1.0)),
    ("edge-ignores-flat", "refuted", inspecting("laplacian-8"), array("flat/zeros", slice(None), 0.0)),
    ("blur-is-low-pass", "refuted", inspecting("box"), kernel(sum="9/10")),
    ("blur-is-low-pass", "refuted", inspecting("box"), kernel(profiles=None)),
    ("blur-is-low-pass", "refuted", inspecting("binomial"), profile("y", below_one=False)),
    ("blur-is-low-pass", "refuted", inspecting("binomial"), profile("x", course="turns")),
    ("blur-is-low-pass", "refuted", inspecting("binomial-5"), profile("x", reversed_lobes=[[1.0, 2.0]])),
    ("blur-is-low-pass", "refuted", inspecting("binomial"), array("response", (0, 3, 5), -0.1)),
    ("blur-is-low-pass", "refuted", inspecting("box"), array("response", (0, 3, 5), 1.0)),
    ("blur-is-low-pass", "refuted", inspecting("box"), profile("x", reversed_lobes=[])),
    ("sharpen-is-horizontal", "refuted", inspecting("sharpen-x"), kernel(sum="2")),
    ("sharpen-is-horizontal", "refuted", inspecting("sharpen-x"), kernel(profiles=None)),
    ("sharpen-is-horizontal", "refuted", inspecting("sharpen-x"), profile("y", course="rises")),
    ("sharpen-is-horizontal", "refuted", inspecting("sharpen-x"), profile("x", course="falls")),
    ("sharpen-is-horizontal", "refuted", inspecting("sharpen-x"), array("response", (0, 3, 32), 1.1)),
    ("sharpen-is-horizontal", "refuted", inspecting("sharpen-x"), array("response", (0, 32, 40), 0.9)),
    ("denoise-variance", "refuted", inspecting("box"), kernel(variance_gain="1/8")),
    ("denoise-variance", "refuted", inspecting("binomial"), metric("variance/low", 0.15)),
    ("denoiser-harms-below", "refuted", {**NOISE, "image": "flower"}, crossings(predicted=1.1)),
    ("denoiser-harms-below", "refuted", {**NOISE, "image": "coffee"}, scores("gaussian", "box", "psnr", 99.0)),
    ("ssim-forgives-blur", "supported", NOISE, crossings(ssim=0.5)),
    ("ssim-forgives-blur", "inconclusive", NOISE, crossings(ssim=None)),
    ("median-beats-average-on-impulses", "supported", NOISE, scores("impulses", "median", "mse", 1.0)),
]


@pytest.fixture(scope="module")
def evidence(archive: Archive) -> Evidence:
    return archive.evidence()


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.expect])
def test_the_evidence_decides_as_expected(archive: Archive, name: str) -> None:
    verdict = decide(CLAIMS[name], archive.evidence(CLAIMS[name].about))
    assert verdict.kind == CLAIMS[name].expect


def test_exact_claims_read_runs_without_data(archive: Archive) -> None:
    assert not any(run.datasets for run in archive.evidence((NONE,)))


@pytest.mark.parametrize(("name", "turned", "fields", "change"), ALTERED)
def test_altered_evidence_turns_the_verdict(
    evidence: Evidence, tmp_path: Path, name: str, turned: str, fields: dict[str, Any], change: Alteration
) -> None:
    verdict = decide(CLAIMS[name], with_altered(evidence, tmp_path, change, **fields))
    assert verdict.kind == turned != decide(CLAIMS[name], evidence).kind


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.basis == "measured"])
def test_one_seed_decides_nothing(evidence: Evidence, name: str) -> None:
    single = replace(evidence, runs=tuple(run for run in evidence.runs if run.config["seed"] == 0))
    assert decide(CLAIMS[name], single).kind == "inconclusive"


def test_every_claim_is_shown_to_turn() -> None:
    assert {row[0] for row in ALTERED} == set(CLAIMS)


def test_the_witness_against_the_median_can_be_looked_up(evidence: Evidence) -> None:
    witness = decide(CLAIMS["median-beats-average-on-impulses"], evidence).witness
    assert witness is not None
    assert min(witness["mse_of_median"]) > max(witness["mse_of_average"])


def test_measured_levels_are_those_at_which_the_scores_cross(evidence: Evidence) -> None:
    """By the table of PSNR, which knows nothing of the quadratic that gave the level."""
    for run in evidence.where(**NOISE):
        rows = run.table("gaussian")
        for name, found in run.table("crossings").items():
            gains = [row["scores"][name]["psnr"] - row["scores"]["noisy"]["psnr"] for row in rows]
            level = np.exp(np.interp(0, gains, np.log([row["level"] for row in rows])))
            assert level == pytest.approx(found["psnr"], rel=0.05)  # straight lines between levels


@pytest.mark.parametrize("figure", STUDY.figures, ids=lambda figure: figure.id)
def test_figures_are_drawn(evidence: Evidence, tmp_path: Path, figure: FigureSpec) -> None:
    drawing = figure.draw(evidence)
    drawing.savefig(tmp_path / "figure.png", dpi=40)
    plt.close(drawing)
