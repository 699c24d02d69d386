"""Bad input is refused in one line before anything is written; good input of a person's own gives what it should."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workings.core.errors import UserError
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.autodiff.counting import HIDDEN, Count, jacobian_cost
from workings.studies.autodiff.experiment import validate
from workings.studies.autodiff.formulas import Formulas
from workings.studies.autodiff.model import grad
from workings.studies.autodiff.numerical import SCHEMES, difference_jacobian, remainder_bound
from workings.studies.autodiff.study import Config

STUDY = find("autodiff")

BAD: list[tuple[dict[str, Any], str]] = [
    ({"f": ()}, "0 formulas: give 1 to 10"),
    ({"f": ("x",) * 21}, "21 formulas"),
    ({"f": ("",)}, "nothing to read"),
    ({"f": ("2",), "at": ()}, "0 variables"),
    ({"f": ("x^2",), "at": (1.0,)}, "write ** for powers"),
    ({"f": ("foo(x)",), "at": (1.0,)}, "unknown function 'foo'"),
    ({"f": ("x*y", "z")}, "at holds 2 numbers: the formulas need 3, for x, y, z"),
    ({"at": (1.0,)}, "at holds 1 number:"),
    ({"at": (math.nan, 1.0)}, "give finite numbers"),
    ({"at": (math.inf, 1.0)}, "give finite numbers"),
    ({"at": (-3.0, 1.0)}, "log gives nan where w1 = -3, w2 = 1"),
    ({"at": (-1.0, 1.0)}, "log gives -inf"),
    ({"f": ("1/x",), "at": (0.0,)}, "div gives inf where x = 0"),
    ({"f": ("exp(x)",), "at": (1000.0,)}, "exp gives inf"),
    ({"f": ("sqrt(x)",), "at": (0.0,)}, "the derivative of sqrt(x) by x is inf at (0)"),
    ({"f": ("sqrt(x)",), "at": (0.001,)}, "delta is 0.01, and a step away sqrt gives nan where x = -0.009"),
    ({"delta": 0.0}, "delta is 0.0: a step is a positive number"),
    ({"delta": -0.1}, "delta is -0.1"),
    ({"delta": math.nan}, "delta is nan"),
    ({"delta": math.inf}, "delta is inf"),
    ({"delta": 1e-20}, "lost to rounding beside 2"),
    ({"f": ("+".join(["sin(x)"] * 40),), "at": (1.0,), "part": "symbols"}, "sympy is asked for 80 at most"),
    ({"f": ("+".join(f"x{i}" for i in range(31)),), "at": (1.0,) * 31}, "31 variables: there must be 1 to 30"),
    ({"f": ("+".join(["x"] * 200),) * 3, "at": (1.0,)}, "1,197 steps: 1,000 at most"),
]


@pytest.mark.parametrize(("fields", "told"), BAD, ids=[told for _, told in BAD])
def test_bad_input_is_one_line(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as caught:
        validate(Config(**fields))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_written_for_bad_input(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        carry_out(STUDY, [Config(at=(-3.0, 1.0))], RunStore(tmp_path / "home"))
    assert not list(tmp_path.rglob("*.json"))


def test_symbols_at_a_kink_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="off kinks"):
        carry_out(STUDY, [Config(f=("abs(x)",), at=(0.0,), part="symbols")], RunStore(tmp_path / "home"))
    assert not list(tmp_path.rglob("*.json"))


def test_a_persons_own_formulas(tmp_path: Path) -> None:
    """Variables in natural order: x2 before x10; ∂(x10·x2²) = (2·x10·x2, x2²) at (3, 5) = (30, 9)."""
    (outcome,) = carry_out(STUDY, [Config(f=("x10*x2**2", "x2"), at=(3.0, 5.0))], RunStore(tmp_path))
    found = outcome.run.table("derivatives")
    assert found["variables"] == ["x2", "x10"]
    assert found["value"] == [45, 3]
    assert found["reverse"] == found["forward"] == found["dual"] == [[30, 9], [1, 0]]
    assert "Taylor's remainder allows" in outcome.run.table("result")["Jacobian, central differences"]


def test_a_pole_within_the_step_is_told(tmp_path: Path) -> None:
    (outcome,) = carry_out(STUDY, [Config(f=("1/x",), at=(0.25,), delta=0.5)], RunStore(tmp_path))
    assert "leaves no bound" in outcome.run.table("result")["Jacobian, central differences"]


def test_remainder_bounds_by_hand() -> None:
    """x³ at 1, step 0.1: f″ = 6x is 6.6 at most, so 0.33 and true error 0.31; f‴ = 6, so 0.01, which is the error."""
    cube, w = Formulas.parse(["x**3"]), np.array([1.0])
    errors = [difference_jacobian(cube, w, 0.1, scheme)[0, 0] - 3 for scheme in SCHEMES]
    bounds = [remainder_bound(cube, w, 0.1, scheme)[0, 0] for scheme in SCHEMES]
    np.testing.assert_allclose(errors, [0.31, 0.01], rtol=1e-9)
    np.testing.assert_allclose(bounds, [0.33, 0.01], rtol=1e-9)


def test_multiplications_counted_by_hand() -> None:
    """x·x·y: two forwards; back two for each product."""
    counter = Count()
    x, y = counter.watch(3.0), counter.watch(5.0)
    assert grad(lambda x: x * x * y)(x).value == 30
    # forwards 2; back z̄·y and, as y is fixed, no more; then twice z̄·x
    assert counter.multiplications == 5


def test_the_cost_of_a_jacobian_follows_its_formula() -> None:
    """Value h(n + m); a sweep, either way: h(n + m) for the matrices and 2h for tanh′ and its product."""
    for n, m in ((1, 1), (3, 5), (7, 2)):
        cost, h = jacobian_cost(n, m), HIDDEN
        value, sweep = h * (n + m), h * (n + m) + 2 * h
        assert cost["forward"]["multiplications"] == value + n * sweep
        assert cost["reverse"]["multiplications"] == value + m * sweep
