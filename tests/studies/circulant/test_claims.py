"""Every claim of circulant turns when its evidence, or the transcription it is held against, is altered."""

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
from workings.studies.circulant.study import EVERY_N, FILTER, NETWORKS, OTHER, Config

STUDY = find("circulant")
CLAIMS = {claim.id: claim for claim in STUDY.claims}
Alteration = Callable[[Path], None]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What is really found, with layers and networks on smaller pictures than the presets', and a made-up clock."""
    store = RunStore(tmp_path_factory.mktemp("circulant"))
    smaller = [replace(config, size=8) if config.layer else config for config in STUDY.preset("quick")]
    networks = [Config(network=network, size=128, shifts=8) for network in NETWORKS]
    made = [outcome.run for outcome in carry_out(STUDY, [*smaller, *networks, Config(every_n=1)], store)]
    clock = made.pop()
    lengths = (8, 64, 512, 4096, 8192)
    rows = [{"n": n, "matrix": n**2 / 1e9, "sum": n**2 / 1e9, "fft": n / 1e7, "apply": n / 1e7} for n in lengths]
    rows[-1]["matrix"] = None
    (clock.folder / "tables" / "times.json").write_text(json.dumps(rows))
    info = {**clock.info, "config": {**clock.config, "every_n": 0, "timing": True}}
    return Evidence(STUDY.id, (*made, replace(clock, info=info)), STUDY.published)


def table(name: str, where: Callable[[Any], Any] = lambda found: found, **fields: Any) -> Alteration:
    """Alter fields of a table, or of the part of it that `where` picks."""

    def change(folder: Path) -> None:
        path = folder / "tables" / f"{name}.json"
        found = json.loads(path.read_text())
        where(found).update(fields)
        path.write_text(json.dumps(found))

    return change


def array(name: str, change: Callable[[np.ndarray], None]) -> Alteration:
    """Alter an array in place."""

    def changed(folder: Path) -> None:
        values = Run.read(folder, recorded=False).array(name).copy()
        change(values)
        save_file({"value": values}, folder / "arrays" / f"{name}.safetensors")

    return changed


def put(value: float, layer: int = -1, shift: int | slice = 0) -> Callable[[np.ndarray], None]:
    """Set one error, or all of a layer's."""

    def change(values: np.ndarray) -> None:
        values[layer, shift] = value

    return change


def where_finite(value: float) -> Callable[[np.ndarray], None]:
    """Set every interior error that there is."""

    def change(values: np.ndarray) -> None:
        values[np.isfinite(values)] = value

    return change


def nowhere(values: np.ndarray) -> None:
    """No interior at all."""
    values[:] = np.nan


def with_altered(evidence: Evidence, folder: Path, change: Alteration, **fields: Any) -> Evidence:
    """The evidence with the runs of these fields altered, in copies."""
    runs = []
    for run in evidence.runs:
        if all(run.config[name] == value for name, value in fields.items()):
            copy = folder / run.id
            shutil.copytree(run.folder, copy)
            change(copy)
            run = replace(Run.read(copy, recorded=False), info=run.info)
        runs.append(run)
    return replace(evidence, runs=tuple(runs))


EVERY, FILTERS = {"every_n": EVERY_N}, {"w": FILTER, "every_n": 0, "permutation": "", "layer": None, "network": None}
FILTERS |= {"timing": False}
EVERY_SHIFT = slice(None)

ALTERED_EVIDENCE: list[tuple[str, str, dict[str, Any], Alteration]] = [
    ("commutes-with-shift", "refuted", EVERY, table("commutants", lambda rows: rows[6], commutator=1)),
    ("commutes-with-shift", "refuted", FILTERS, table("filter", commutator=1e-300)),
    ("only-equivariant-linear-map", "refuted", EVERY, table("commutants", lambda rows: rows[63], dimension=65)),
    ("only-equivariant-linear-map", "refuted", EVERY, table("commutants", lambda rows: rows[20], powers=False)),
    ("only-equivariant-linear-map", "refuted", EVERY, table("commutants", lambda rows: rows[3], by_singular_values=5)),
    ("fft-diagonalises", "refuted", EVERY, table("commutants", lambda rows: rows[9], off_diagonal=1e-9)),
    ("fft-diagonalises", "refuted", FILTERS, table("filter", apply_error=1e-9)),
    ("circulant-of-the-filter", "supported", FILTERS, table("filter", unit_response=[3.0, 1.0, 4.0, 1.0])),
    ("any-permutation", "refuted", {"permutation": OTHER}, table("permutation", dimension=9)),
    ("any-permutation", "refuted", {"permutation": OTHER}, table("permutation", by_singular_values=11)),
    ("circular-padding-is-equivariant", "refuted", {"layer": "circular"}, array("errors", put(1e-17))),
    ("other-padding-breaks-the-border", "refuted", {"layer": "zero"}, array("errors", put(0.0, shift=9))),
    ("other-padding-breaks-the-border", "refuted", {"layer": "reflect"}, array("interior", where_finite(1e-17))),
    ("strides-keep-their-multiples", "refuted", {"layer": "strided"}, array("errors", put(0.0, shift=EVERY_SHIFT))),
    ("strides-keep-their-multiples", "refuted", {"layer": "max-pool"}, array("errors", put(0.1, shift=EVERY_SHIFT))),
    ("antialiasing-helps", "refuted", {"layer": "max-pool", "seed": 3}, array("errors", put(0.01, shift=EVERY_SHIFT))),
    ("global-pooling-is-invariant", "refuted", {"layer": "global-pool"}, array("errors", put(1e-17))),
    ("global-pooling-is-invariant", "refuted", {"layer": "flatten-dense"}, array("errors", put(0.0))),
    ("networks-are-not-equivariant", "refuted", {"network": "alexnet"}, array("errors", put(0.0, 3, EVERY_SHIFT))),
    ("stride-and-border-are-to-blame", "refuted", {"network": "alexnet"}, array("interior", where_finite(0.1))),
    ("stride-and-border-are-to-blame", "refuted", {"network": "resnet18"}, array("interior", where_finite(0.0))),
    ("stride-and-border-are-to-blame", "inconclusive", {"network": "resnet18"}, array("interior", nowhere)),
    ("fft-wins", "refuted", {"timing": True}, table("times", lambda rows: rows[3], fft=1.0)),
]

ALTERED_TRANSCRIPTION = [("circulant-of-the-filter", "supported", {"circulant_of": "w"})]


@pytest.mark.parametrize("name", CLAIMS)
def test_the_evidence_decides_as_expected(evidence: Evidence, name: str) -> None:
    verdict = decide(CLAIMS[name], evidence)
    assert verdict.kind == CLAIMS[name].expect, verdict


@pytest.mark.parametrize(("name", "turned", "fields", "change"), ALTERED_EVIDENCE)
def test_altered_evidence_turns_the_verdict(
    evidence: Evidence, tmp_path: Path, name: str, turned: str, fields: dict[str, Any], change: Alteration
) -> None:
    verdict = decide(CLAIMS[name], with_altered(evidence, tmp_path, change, **fields))
    assert verdict.kind == turned != CLAIMS[name].expect, verdict


@pytest.mark.parametrize(("name", "turned", "fields"), ALTERED_TRANSCRIPTION)
def test_an_altered_transcription_turns_the_verdict(
    evidence: Evidence, name: str, turned: str, fields: dict[str, Any]
) -> None:
    published = {**evidence.published, name: {**evidence.published[name], **fields}}
    verdict = decide(CLAIMS[name], replace(evidence, published=published))
    assert verdict.kind == turned != CLAIMS[name].expect


def test_every_claim_is_shown_to_turn() -> None:
    assert {row[0] for row in ALTERED_EVIDENCE} == set(CLAIMS)


@pytest.mark.parametrize("name", ["networks-are-not-equivariant", "stride-and-border-are-to-blame", "fft-wins"])
def test_what_is_measured_waits_for_its_runs(evidence: Evidence, name: str) -> None:
    kept = tuple(run for run in evidence.runs if not (run.config["network"] or run.config["timing"]))
    assert decide(CLAIMS[name], replace(evidence, runs=kept)).kind == "not-run"


def test_the_witness_of_the_slip_can_be_checked_by_hand(evidence: Evidence) -> None:
    witness = decide(CLAIMS["circulant-of-the-filter"], evidence).witness
    assert witness is not None
    w, x = witness["w"], witness["x"]
    direct = [sum(x[k] * w[(i - k) % len(w)] for k in range(len(w))) for i in range(len(w))]
    assert direct == witness["x_convolved_with_w"] == witness["so_the_first_column_is"] == w


def test_the_crossover_is_read_off_the_times(evidence: Evidence) -> None:
    """n²/10⁹ against n/10⁷: the FFT is faster above n = 100."""
    verdict = decide(CLAIMS["fft-wins"], evidence)
    assert verdict.numbers["first"] == 512
    assert verdict.numbers["ratio_at_largest"] == pytest.approx(40.96)


def test_figures_can_be_drawn_from_the_evidence(evidence: Evidence) -> None:
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    with mpl.rc_context({"backend": "agg"}):
        for figure in STUDY.figures:
            drawing = figure.draw(evidence)
            drawing.canvas.draw()
            plt.close(drawing)
