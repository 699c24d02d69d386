"""Every claim of descent turns when its evidence, or the transcription it is held against, is altered."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sympy
from safetensors.numpy import save_file

from workings.core.claim import decide
from workings.core.evidence import Evidence, Run
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.descent import algebra
from workings.studies.descent.study import STUDY

CLAIMS = {claim.id: claim for claim in STUDY.claims}
Alteration = Callable[[Path], None]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What the full preset really finds."""
    store = RunStore(tmp_path_factory.mktemp("descent"))
    carry_out(STUDY, STUDY.preset("full"), store)
    return store.archive(STUDY, fresh_only=True).evidence()


def table(name: str, key: str, value: Any) -> Alteration:
    """Put another value into a table; a dot leads into a table within."""

    def change(folder: Path) -> None:
        path = folder / "tables" / f"{name}.json"
        if not path.is_file():
            return
        whole = json.loads(path.read_text())
        *outer, last = key.split(".")
        inner = whole
        for part in outer:
            inner = inner[part]
        inner[last] = value
        path.write_text(json.dumps(whole))

    return change


def path(row: int, point: list[float]) -> Alteration:
    """Move one point of the play."""

    def change(folder: Path) -> None:
        points = Run.read(folder, recorded=False).array("path").copy()
        points[row] = point
        save_file({"value": points}, folder / "arrays" / "path.safetensors")

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


GD, HEAVY = {"method": "gd"}, {"method": "heavy-ball"}
LIMIT = "factor_at_threshold_when_ill_conditioned"
ALTERED_EVIDENCE: list[tuple[str, str, dict[str, Any], Alteration]] = [
    ("minimiser", "refuted", GD, table("algebra", "minimisers", [["1", "0"]])),
    ("minimiser", "refuted", GD, table("algebra", "minimum", ["1"])),
    ("minimiser", "refuted", GD, table("algebra", "positive_definite", False)),
    ("minimiser", "refuted", GD, table("algebra", "gradient", ["a*w1", "-b*w2"])),
    ("minimiser", "not-run", GD, table("algebra", "loss", "a*w1")),
    ("updates", "refuted", GD, table("algebra", "factors", ["a*eta + 1", "-b*eta + 1"])),
    ("updates", "refuted", GD | {"a": 100.0, "eta": 0.019}, path(3, [0.5, 0.5])),
    ("updates", "not-run", GD, table("algebra", "loss", "a*w1")),
    ("step-range", "refuted", GD, table("algebra", "range", ["0", "1/a"])),
    ("step-range", "refuted", GD | {"a": 100.0, "eta": 0.021}, metric("rate/measured", 0.9)),
    ("step-range", "refuted", GD | {"a": 100.0, "eta": 0.019}, metric("rate/measured", 1.1)),
    ("step-range", "refuted", GD | {"a": 100.0, "eta": 0.02}, path(-1, [0.5, 0.0])),
    ("step-range", "refuted", GD | {"a": 1.0, "eta": 0.5}, path(-1, [0.0, 0.5])),
    ("step-range", "refuted", GD | {"a": 1.0, "eta": 0.5}, table("range", "ends", [0.0, 2.0])),
    ("slow-when-ill-conditioned", "refuted", GD, table("algebra", LIMIT, "0")),
    ("slow-when-ill-conditioned", "refuted", GD | {"a": 4096.0}, metric("steps/measured", 5000)),
    ("best-fixed-step", "refuted", GD | {"a": 64.0}, table("best", "searched_eta", 0.02)),
    ("best-fixed-step", "refuted", GD | {"a": 64.0}, table("best", "searched_rate", 0.9)),
    ("predicted-rates", "refuted", {"method": "nesterov", "a": 64.0}, metric("rate/measured", 0.87)),
    ("predicted-rates", "refuted", HEAVY | {"matrix": "2 1; 1 3"}, metric("rate/measured", float("nan"))),
    ("momentum", "refuted", HEAVY | {"a": 4096.0}, metric("steps/measured", 2000)),
    ("momentum", "refuted", {"method": "nesterov-tuned", "a": 256.0}, metric("steps/measured", 100)),
    ("heavy-ball-defective", "refuted", HEAVY, table("double-root", "mu.discriminant", "1")),
    ("heavy-ball-defective", "refuted", HEAVY, table("double-root", "L.rank", 0)),
    ("heavy-ball-defective", "refuted", HEAVY | {"a": 1024.0}, metric("rate/power", 0.0)),
    ("heavy-ball-defective", "refuted", GD | {"a": 1024.0}, metric("rate/power", 1.0)),
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


@pytest.mark.parametrize("name", ["minimiser", "updates", "step-range", "slow-when-ill-conditioned"])
def test_evidence_about_another_loss_than_the_sheets_is_none(evidence: Evidence, name: str) -> None:
    published = {"loss": {**evidence.published["loss"], "formula": "a*w1**4 + b*w2**2"}}
    assert decide(CLAIMS[name], replace(evidence, published=published)).kind == "not-run"


def test_every_claim_is_shown_to_turn() -> None:
    assert {row[0] for row in ALTERED_EVIDENCE} == set(CLAIMS)


def test_without_the_play_that_it_reads_a_claim_is_not_run(evidence: Evidence) -> None:
    without = replace(evidence, runs=tuple(run for run in evidence if run.config["method"] != "heavy-ball"))
    assert decide(CLAIMS["momentum"], without).kind == "not-run"
    assert decide(CLAIMS["heavy-ball-defective"], without).kind == "not-run"


@pytest.mark.parametrize(("a", "b"), [(10, 1), (1, 4), (3, 3), (7, 2)])
def test_the_algebra_holds_with_numbers(a: int, b: int) -> None:
    """The symbolic range against the definition: |1 − ηa| and |1 − ηb| on a grid of fractions."""
    low, high = (
        sympy.sympify(end, locals={"Min": sympy.Min}).subs({"a": a, "b": b}) for end in algebra.sheet()["range"]
    )
    for k in range(-5, 45):
        eta = sympy.Rational(k, 20)
        assert bool(low < eta < high) == (abs(1 - eta * a) < 1 and abs(1 - eta * b) < 1)


def test_the_double_root_holds_with_numbers() -> None:
    """L = 9, μ = 1: η = 4/16, β = 1/4; at μ the matrix [[1, −1/4], [1, 0]] has the double root 1/2."""
    p, q = 3, 1
    for end, expected in (("mu", sympy.Rational(1, 2)), ("L", -sympy.Rational(1, 2))):
        root = sympy.sympify(algebra.heavy_ball()[end]["double_root"]).subs({"p": p, "q": q})
        assert root == expected
    assert sympy.Matrix([[1, sympy.Rational(-1, 4)], [1, 0]]).jordan_form()[1][0, 1] == 1
