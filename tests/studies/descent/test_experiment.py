"""What a person can type wrong, what a run records, and what it says."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.descent import experiment
from workings.studies.descent.experiment import read, validate
from workings.studies.descent.study import STUDY, Config
from workings.studies.descent.tool import draw, tune

BIG = "; ".join(" ".join("1" if i == j else "0" for j in range(41)) for i in range(41))
BAD: list[tuple[dict[str, Any], str]] = [
    ({"b": -1.0}, "falls without bound there and has no minimum"),
    ({"b": 0.0}, "its minimisers form a valley"),
    ({"a": 0.0, "b": 0.0}, "valley"),
    ({"a": float("nan")}, "a is nan"),
    ({"a": float("inf")}, "a is inf"),
    ({"a": 1e300}, "a is 1e"),
    ({"a": 1e-300}, "a is 1e"),
    ({"eta": 1e90}, "eta is 1e+90"),
    ({"a": 1e40}, "their ratio may be"),
    ({"eta": 0.0}, "a step size is a positive number"),
    ({"eta": -0.1}, "eta is -0.1"),
    ({"eta": float("nan")}, "eta is nan"),
    ({"eta": float("inf")}, "eta is inf"),
    ({"beta": 0.5}, "gd has no momentum"),
    ({"method": "heavy-ball", "beta": 1.0}, "momentum lies from 0"),
    ({"method": "heavy-ball", "beta": -0.1}, "momentum lies from 0"),
    ({"method": "nesterov", "beta": float("nan")}, "momentum lies from 0"),
    ({"start": (1.0,)}, "needs 2 finite numbers, as in --start 1,1"),
    ({"start": (1.0, float("nan"))}, "needs 2 finite numbers"),
    ({"start": (0.0, 0.0)}, "the minimiser itself"),
    ({"start": (1e200, 0.0)}, "largest lies between"),
    ({"steps": 0}, "steps is 0"),
    ({"steps": 10**9}, "steps is 1000000000"),
    ({"matrix": "2 1; 1"}, "rows of numbers of equal length"),
    ({"matrix": "2 x; x 3"}, "give finite numbers"),
    ({"matrix": ";"}, "rows of numbers"),
    ({"matrix": "2 1 0; 1 3 0"}, "must be square"),
    ({"matrix": "2 1; 0 3"}, "not symmetric"),
    ({"matrix": "1 2; 2 1"}, "the curvature is -1 along (0.707, -0.707)"),
    ({"matrix": "1 1; 1 1"}, "valley"),
    ({"matrix": "1 1; 1 1.0000000000000002"}, "more than float64 resolves"),
    ({"matrix": "1e200"}, "rescale the loss"),
    ({"matrix": BIG}, "the matrix has 41 rows"),
    ({"matrix": "2 1; 1 3", "a": 5.0}, "give either"),
]


@pytest.mark.parametrize(("fields", "words"), BAD, ids=[str(fields)[:50] for fields, _ in BAD])
def test_bad_input_is_one_clear_line(store: RunStore, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError) as error:
        validate(replace(Config(), **fields))
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(UserError):
        carry_out(STUDY, [replace(Config(), **fields)], store)
    assert not [path for path in store.root.rglob("*") if path.is_file()]


def run(store: RunStore, **fields: Any) -> Run:
    (outcome,) = carry_out(STUDY, [Config(**fields)], store)
    return outcome.run


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes are checked in tests, and slowly: a hundred thousand steps would take seconds."""
    monkeypatch.setattr(experiment, "PATIENCE", 2_000)
    monkeypatch.setattr(experiment, "STANDING", 500)


def said(store: RunStore, **fields: Any) -> dict[str, str]:
    return dict(run(store, **fields).table("result"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"eta": 0.1}, "converges, slowly: w keeps 0.9 of its distance"),
        ({}, "converges: w keeps 0.818182"),
        ({"a": 100.0, "eta": 0.019}, "with κ = 100 no fixed step of gd is much faster, momentum helps"),
        ({"a": 100.0, "eta": 1e-5}, "the method's best parameters take 691 steps"),
        ({"a": 100.0, "eta": 0.02}, "does not converge: η is the threshold itself"),
        ({"a": 100.0, "eta": 0.021}, "diverges: η is beyond the threshold, and w grows by 1.1"),
        ({"a": 1e16}, "float64 rounds the best step to the threshold"),
        ({"a": 1.0}, "keeps 0 of its distance at each step, about 1 step"),
        ({"a": 1e10, "method": "heavy-ball"}, "a change of variables"),
        ({"method": "nesterov", "eta": 1.0}, "diverges"),
        ({"a": 1e70, "b": 1e70, "eta": 1e70}, "w grows by 1e+140 at each step"),
    ],
)
def test_the_verdict_on_a_step(store: RunStore, fields: dict[str, Any], words: str) -> None:
    assert words in said(store, **fields)["verdict"]


def test_a_person_sees_formula_and_exact_range(store: RunStore) -> None:
    result = said(store, a=100.0, b=1.0, eta=0.019)
    assert result["gradient"] == "∇L(w) = (100 w₁, w₂)"
    assert result["minimiser"] == "w* = (0, 0), where L = 0"
    assert result["converges for"] == "0 < η < 1/50"
    assert (result["ρ₁ = 1 − 100η"], result["ρ₂ = 1 − η"]) == ("-0.9", "0.981")
    assert said(store, matrix="2 -1; -1 3")["gradient"] == "∇L(w) = (2 w₁ − w₂, −w₁ + 3 w₂)"
    assert read(Config(method="heavy-ball", beta=0.5)).high == Fraction(3, 10)


@pytest.mark.parametrize("fields", [{"matrix": "4"}, {"matrix": "2 1 0; 1 3 0; 0 0 1", "method": "nesterov"}])
def test_other_dimensions(store: RunStore, fields: dict[str, Any]) -> None:
    found = run(store, **fields)
    assert np.isfinite(found.array("path")).all()
    assert found.array("factors").max() == pytest.approx(found.metric("rate/predicted"))


@pytest.mark.parametrize("matrix", ["3 1 0; 1 2 1; 0 1 4", "10 3; 3 1"])
@pytest.mark.parametrize(
    ("method", "eta", "beta"), [("heavy-ball", 0.1, 0.8), ("nesterov", 0.05, 0.9), ("gd", 0.15, None)]
)
def test_measured_and_predicted_rates_meet_off_the_optimum(
    store: RunStore, matrix: str, method: Any, eta: float, beta: Any
) -> None:
    found = run(store, matrix=matrix, method=method, eta=eta, beta=beta)
    assert 1 - found.metric("rate/measured") == pytest.approx(1 - found.metric("rate/predicted"), rel=0.1)


def test_full_evidence_is_small(store: RunStore) -> None:
    found = run(store, a=4096.0)
    assert sum(path.stat().st_size for path in found.folder.rglob("*") if path.is_file()) < 200_000


def test_tune_agrees_with_the_table_worked_by_hand() -> None:
    """κ = 9, √κ = 3. gd: 1/5, rate 4/5. Heavy-ball: 4/16, (2/4)². Nesterov: β = 2/4, rate ⅔; tuned: 4/28."""
    settings = {s.method: s for s in tune(a=9.0).settings}
    assert (settings["gd"].eta, settings["gd"].rate) == (0.2, "0.8")
    assert (settings["heavy-ball"].eta, settings["heavy-ball"].beta) == (0.25, 0.25)
    assert (settings["nesterov"].beta, settings["nesterov"].rate) == (0.5, "0.666667")
    assert settings["nesterov-tuned"].eta == pytest.approx(1 / 7)
    assert settings["heavy-ball"].threshold == pytest.approx(2.5 / 9)
    assert "κ = 9" in str(tune(a=9.0))


@pytest.mark.parametrize(("name", "fields"), [("d.png", {"a": 100.0}), ("d.svg", {"matrix": "2 1 0; 1 3 0; 0 0 1"})])
def test_draw_writes_a_picture(tmp_path: Path, name: str, fields: dict[str, Any]) -> None:
    drawing = draw(output=tmp_path / name, **fields)
    assert (tmp_path / name).stat().st_size > 10_000
    assert "heavy-ball" in str(drawing)


@pytest.mark.parametrize(
    "fields", [{"output": Path("x.txt")}, {"a": -1.0}, {"start": (1.0, 2.0, 3.0)}, {"matrix": "a"}]
)
def test_draw_refuses_and_writes_nothing(tmp_path: Path, fields: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        draw(**{"output": tmp_path / "d.png", **fields})
    assert not list(tmp_path.glob("d.png"))
