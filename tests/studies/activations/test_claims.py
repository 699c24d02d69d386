"""Every claim of activations turns when its evidence, or the transcription it is held against, is altered."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from workings.core.claim import decide
from workings.core.evidence import Evidence, Run
from workings.core.runs import RunStore
from workings.core.study import Trial
from workings.execute.local import carry_out
from workings.studies.activations.study import SIGMOID, STUDY, TWIN, Config

CLAIMS = {claim.id: claim for claim in STUDY.claims}
Alteration = Callable[[Path], None]
RATES = (0.5, 1.0, 2.0, 4.0)
LOOKS = np.arange(0, 105, 5)


def losses(steps: Sequence[Sequence[int]]) -> np.ndarray:
    """Losses that fall below the target after so many steps, by seed and rate; the course of a training, made up."""
    reach = np.array(steps)
    return np.where(LOOKS[:, None, None] >= reach, 0.05, 1.0).astype(np.float32)


FAST = losses([[100, 50, 20, 60], [100, 45, 25, 65], [95, 50, 20, 60]])
SLOW = losses([[100, 60, 50, 90], [100, 65, 55, 95], [95, 70, 50, 90]])
UNSURE = losses([[100, 50, 20, 60], [100, 45, 60, 80], [95, 50, 20, 60]])
TIED = losses([[100, 50, 25, 60], [100, 45, 20, 65], [95, 50, 20, 60]])
FASTEST = losses([[50, 30, 10, 60]] * 3)
AT_END = losses([[100, 60, 50, 10], [100, 65, 55, 10], [95, 70, 50, 10]])


def trained(store: RunStore, f: str, start: str, loss: np.ndarray, ratio: float) -> None:
    """A training that was never carried out, as its evidence would look."""
    config = Config(task="train", f=(f,), start=start, rates=RATES, seeds=3)  # type: ignore[arg-type]
    with store.write(Trial.of(STUDY, config), {}) as recorder:
        recorder.array("looks", LOOKS)
        recorder.array("loss", loss)
        recorder.array("ratio", np.full(loss.shape, ratio, np.float32))


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What the instant trials really find, and made-up trainings of the twins."""
    store = RunStore(tmp_path_factory.mktemp("activations"))
    carry_out(STUDY, STUDY.instant(), store)  # type: ignore[misc]
    trained(store, TWIN, "weights", FAST, 0.05)
    trained(store, SIGMOID, "weights", SLOW, 0.04)
    trained(store, SIGMOID, "function", SLOW, 0.05)
    return Evidence(STUDY.id, store.archive(STUDY, fresh_only=True).runs, STUDY.published)


def rows(names: str, **fields: Any) -> Alteration:
    """Alter the rows of some functions (or of all, "*")."""

    def change(folder: Path) -> None:
        path = folder / "tables" / "examined.json"
        table = json.loads(path.read_text())
        for row in table:
            if names in ("*", row["name"]):
                for key, value in fields.items():
                    row[key] = row[key] | value if isinstance(value, dict) else value
        path.write_text(json.dumps(table))

    return change


def array(name: str, values: Callable[[np.ndarray], np.ndarray]) -> Alteration:
    """Alter an array."""

    def change(folder: Path) -> None:
        old = Run.read(folder, recorded=False).array(name)
        new = np.ascontiguousarray(values(old.copy())).astype(old.dtype)
        save_file({"value": new}, folder / "arrays" / f"{name}.safetensors")

    return change


def general(**fields: Any) -> Alteration:
    """Alter what oddness is said to force."""

    def change(folder: Path) -> None:
        path = folder / "tables" / "general.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | fields))

    return change


def named(*names: str) -> Alteration:
    """Give the functions of a deep network other names."""

    def change(folder: Path) -> None:
        (folder / "tables" / "functions.json").write_text(json.dumps(names))

    return change


def both(*changes: Alteration) -> Alteration:
    """One alteration after another."""

    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

    return change


def bend(values: np.ndarray) -> np.ndarray:
    values[0, -1] += 0.5
    return values


def swapped(gradient: np.ndarray) -> np.ndarray:
    gradient[[0, 1]] = gradient[[1, 0]]
    return gradient


def alike(gradient: np.ndarray) -> np.ndarray:
    gradient[1] = gradient[0][::-1]
    return gradient


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


EXAMINED: dict[str, Any] = {"task": "examine"}
TORCHS: dict[str, Any] = {"task": "examine", "f": []}
DEEP: dict[str, Any] = {"task": "depth"}
NOT_ODD = {"odd": {"holds": None}}
TRAINED = {name: {"task": "train", "f": [f], "start": start} for name, f, start in (
    ("twin", TWIN, "weights"), ("usual", SIGMOID, "weights"), ("shifted", SIGMOID, "function"))}  # fmt: skip
FLAT = {"left": {"slope": 0.0}, "right": {"slope": 0.0}}
MULTIPLES = {"value": 2, "slope": 0, "curvature": 2}

ALTERED_EVIDENCE: list[tuple[str, str, dict[str, Any], Alteration]] = [
    ("odd-has-zero-slope", "supported", EXAMINED, rows("*", **FLAT)),
    ("odd-has-zero-slope", "supported", EXAMINED, rows("*", differentiable=False)),
    ("odd-has-zero-slope", "not-run", EXAMINED, rows("*", **NOT_ODD)),
    ("odd-symmetric-about-y-axis", "supported", EXAMINED, array("values", np.abs)),
    ("odd-vanishes-at-zero", "refuted", TORCHS, rows("Tanh", value=0.5)),
    ("odd-vanishes-at-zero", "inconclusive", EXAMINED, general(multiples=MULTIPLES | {"value": 0})),
    ("odd-has-even-slope", "refuted", TORCHS, array("slopes", bend)),
    ("odd-has-even-slope", "inconclusive", EXAMINED, general(slope_is_even=False)),
    ("odd-has-even-slope", "inconclusive", EXAMINED, general(multiples=MULTIPLES | {"slope": 2})),
    ("odd-has-zero-curvature", "refuted", TORCHS, rows("Tanh", left={"curvature": 2.0}, right={"curvature": 2.0})),
    ("odd-has-zero-curvature", "inconclusive", EXAMINED, general(multiples=MULTIPLES | {"curvature": 0})),
    ("positive-means-odd", "supported", EXAMINED, rows("*", **NOT_ODD)),
    ("odd-where-positive", "supported", EXAMINED, rows("*", **NOT_ODD)),
    ("odd-where-positive", "supported", EXAMINED, array("values", lambda v: v + 20)),
    ("centring-eases-vanishing", "refuted", DEEP, array("gradient", swapped)),
    ("centring-eases-vanishing", "inconclusive", DEEP, array("gradient", alike)),
    ("centring-eases-vanishing", "inconclusive", DEEP, array("gradient", lambda g: g[:, :2])),
    ("centring-speeds-convergence", "refuted", TRAINED["usual"], array("loss", lambda _: FASTEST)),
    ("centring-speeds-convergence", "inconclusive", TRAINED["usual"], array("loss", lambda _: TIED)),
    ("centring-speeds-convergence", "inconclusive", TRAINED["twin"], array("loss", lambda _: AT_END)),
    ("centring-speeds-convergence", "inconclusive", TRAINED["twin"], array("loss", lambda _: UNSURE)),
    ("centring-speeds-convergence", "inconclusive", TRAINED["usual"], array("loss", lambda loss: loss + 1)),
    ("centring-speeds-from-one-function", "refuted", TRAINED["shifted"], array("loss", lambda _: FASTEST)),
    ("centring-speeds-from-one-function", "inconclusive", TRAINED["shifted"], array("loss", lambda _: TIED)),
    ("same-function-same-signal", "refuted", TRAINED["shifted"], array("ratio", lambda ratio: 0.9 * ratio)),
    ("same-function-same-signal", "refuted", TRAINED["shifted"], array("loss", lambda loss: 2 * loss)),
    ("wide-limit-predicts", "supported", DEEP | {"init": "he"}, both(
        array("gradient", lambda g: np.delete(g, 4, 0)), array("predicted", lambda p: np.delete(p, 4, 0)),
        named("a", "b", "c", "d", "e"))),
]  # fmt: skip

ALTERED_TRANSCRIPTION: list[tuple[str, str, dict[str, Any]]] = [
    ("odd-symmetric-about-y-axis", "supported", {"mirrored": -1.0}),
    ("odd-where-positive", "supported", {"only_where_positive": False}),
]


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.expect])
def test_the_evidence_decides_as_expected(evidence: Evidence, name: str) -> None:
    assert decide(CLAIMS[name], evidence).kind == CLAIMS[name].expect


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if not claim.expect])
def test_what_is_measured_is_decided_on_this_evidence(evidence: Evidence, name: str) -> None:
    assert decide(CLAIMS[name], evidence).kind == ("refuted" if name == "wide-limit-predicts" else "supported")


@pytest.mark.parametrize(("name", "turned", "fields", "change"), ALTERED_EVIDENCE)
def test_altered_evidence_turns_the_verdict(
    evidence: Evidence, tmp_path: Path, name: str, turned: str, fields: dict[str, Any], change: Alteration
) -> None:
    before = decide(CLAIMS[name], evidence).kind
    verdict = decide(CLAIMS[name], with_altered(evidence, tmp_path, change, **fields))
    assert verdict.kind == turned != before


@pytest.mark.parametrize(("name", "turned", "fields"), ALTERED_TRANSCRIPTION)
def test_an_altered_transcription_turns_the_verdict(
    evidence: Evidence, name: str, turned: str, fields: dict[str, Any]
) -> None:
    published = {**evidence.published, name: {**evidence.published[name], **fields}}
    verdict = decide(CLAIMS[name], replace(evidence, published=published))
    assert verdict.kind == turned != CLAIMS[name].expect


def test_a_stated_slope_of_one_names_another_witness(evidence: Evidence) -> None:
    published = {**evidence.published, "odd-has-zero-slope": {"slope": 1.0}}
    witness = decide(CLAIMS["odd-has-zero-slope"], replace(evidence, published=published)).witness
    assert witness is not None
    assert witness["slope"] != 1.0


def test_every_claim_is_shown_to_turn() -> None:
    assert {row[0] for row in ALTERED_EVIDENCE} | {row[0] for row in ALTERED_TRANSCRIPTION} == set(CLAIMS)


def test_every_transcribed_statement_has_its_claim() -> None:
    assert STUDY.published.keys() <= CLAIMS.keys()


def test_the_witnesses_can_be_checked_with_a_calculator(evidence: Evidence) -> None:
    slope, mirror, sign, vacuous = (
        decide(CLAIMS[name], evidence).witness or {}
        for name in ("odd-has-zero-slope", "odd-symmetric-about-y-axis", "positive-means-odd", "odd-where-positive")
    )
    assert slope["g"] == mirror["g"] == "tanh(x)"
    assert slope["(g(0.1) − g(−0.1))/0.2"] == pytest.approx(np.tanh(0.1) / 0.1, rel=1e-12)
    assert mirror["g(−x)"] == pytest.approx(-np.tanh(1), rel=1e-12)
    assert (sign["g"], sign["g(x)"]) == ("-x", -1.0)
    assert (vacuous["g"], vacuous["g(x)"], vacuous["g(−x)"]) == ("-1", -1.0, -1.0)


def test_without_training_the_measured_claims_say_how_to_get_it(evidence: Evidence) -> None:
    facts = replace(evidence, runs=tuple(run for run in evidence.runs if not run.datasets))
    verdict = decide(CLAIMS["centring-speeds-convergence"], facts)
    assert verdict.kind == "not-run"
    assert "--preset full" in verdict.sentence
