from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workings.studies.minimax.model import ExpressionGame, QuadraticGame, simulate
from workings.studies.minimax.spectrum import (
    bounded_steps,
    contraction_steps,
    converging_steps,
    restrict,
    spectral_radius,
    spectrum,
    update_matrix,
)
from workings.studies.minimax.stationary import stationary_points
from workings.studies.minimax.steps import Interval, StepSet
from workings.studies.minimax.study import METHODS, Method

SHEET = np.array([[8, 0], [0, 8]])
BILINEAR = np.array([[0, 1], [-1, 0]])
ROTATING = np.array([[-1, 10], [-10, -1]])  # f = −x²/2 + 10xy + y²/2: each player at the worst place, but they turn
THIRD = sympy.sqrt(3) / 3
KNOWN: list[tuple[np.ndarray, Method, list[tuple[object, object]]]] = [
    (SHEET, "gda", [(0, sympy.Rational(1, 4))]),
    (SHEET, "alternating", [(0, sympy.Rational(1, 4))]),
    (SHEET, "descent", []),
    (SHEET, "extragradient", [(0, sympy.Rational(1, 8))]),
    (SHEET, "optimistic", [(0, sympy.Rational(1, 12))]),
    (BILINEAR, "gda", []),
    (BILINEAR, "alternating", []),
    (BILINEAR, "descent", []),
    (BILINEAR, "extragradient", [(0, 1)]),
    (BILINEAR, "optimistic", [(0, THIRD)]),
    (ROTATING, "gda", []),
]


@pytest.mark.parametrize(("jacobian", "method", "expected"), KNOWN)
def test_known_step_sizes_exactly_and_bracketed(
    jacobian: np.ndarray, method: Method, expected: list[tuple[object, object]]
) -> None:
    exact = converging_steps(jacobian, 1, method)
    assert exact.exact
    assert [(interval.low, interval.high) for interval in exact.intervals] == expected
    bracketed = converging_steps(jacobian.astype(float), 1, method)
    assert not bracketed.exact
    assert len(bracketed.intervals) == len(expected)
    np.testing.assert_allclose(bracketed.floats, exact.floats, atol=bracketed.tolerance)


def test_a_set_that_begins_above_zero() -> None:
    """With η = h, λ = −1 ± 10i: |1 − hλ + h²λ²|² = (1 + h − 99h²)² + (10h + 20h²)² < 1 on a band."""
    band = converging_steps(ROTATING, 1, "extragradient")
    ((low, high),) = band.floats
    h = np.polynomial.Polynomial([0, 1])
    excess = (1 + h - 99 * h**2) ** 2 + (10 * h + 20 * h**2) ** 2 - 1
    roots = sorted(root.real for root in excess.roots() if abs(root.imag) < 1e-9 and root.real > 1e-9)
    np.testing.assert_allclose([low, high], roots, rtol=1e-9)
    assert 0.02 < low < high < 0.1
    np.testing.assert_allclose(
        converging_steps(ROTATING.astype(float), 1, "extragradient").floats, [(low, high)], rtol=1e-7
    )

    game = QuadraticGame([[-1]], [[10]], [[-1]])
    below, inside, above = (
        np.abs(simulate(game, "extragradient", eta, np.ones(2), 4_000)[-1]).max()
        for eta in (low / 2, 0.05, high * 1.05)
    )
    assert inside < 1e-9
    assert below > 100
    assert not above < 1e9


def test_bounded_but_not_converging() -> None:
    assert str(bounded_steps(BILINEAR, 1, "alternating")) == "0 < η < 2"
    assert str(bounded_steps(SHEET, 1, "gda")) == "0 < η ≤ 1/4"  # at 1/4 both coordinates flip for ever
    assert bounded_steps(BILINEAR, 1, "gda").empty
    flat = np.array([[2, 0], [0, 0]])  # f = x²: y stays
    assert str(bounded_steps(flat, 1, "gda")) == "0 < η ≤ 1"
    assert converging_steps(flat, 1, "gda").empty
    assert str(bounded_steps(np.zeros((2, 2), dtype=int), 1, "gda")) == "0 < η"
    with pytest.raises(ValueError, match="integers or fractions"):
        bounded_steps(BILINEAR * 1.0, 1, "gda")
    game = QuadraticGame([[0]], [[1]], [[0]])
    largest = {
        eta: np.nanmax(np.abs(simulate(game, "alternating", eta, np.array([1.0, 2.0]), 2_000)))
        for eta in (0.5, 1.9, 2.0, 2.1)
    }
    assert largest[0.5] < 4
    assert largest[1.9] < 20
    assert largest[2.0] > 1_000  # a Jordan block: linear growth
    assert largest[2.1] > 1e100


def test_descent_on_both_converges_on_the_x_axis_alone() -> None:
    assert str(converging_steps(*restrict(SHEET, 1, [0]), "descent")) == "0 < η < 1/4"
    assert converging_steps(*restrict(SHEET, 1, [1]), "descent").empty
    with pytest.raises(ValueError, match="variable 0 moves variable 1"):
        restrict(BILINEAR, 1, [0])


def test_the_published_derivation_intersects_disjoint_intervals() -> None:
    x_contracts, y_contracts = contraction_steps(-8), contraction_steps(8)
    assert (str(x_contracts), str(y_contracts)) == ("0 < η < 1/4", "-1/4 < η < 0")
    assert (x_contracts & y_contracts).empty
    assert str(contraction_steps(-8) & contraction_steps(Fraction(-20))) == "0 < η < 1/10"
    assert contraction_steps(0).empty


def test_exact_points_give_exact_step_sizes() -> None:
    (point,) = stationary_points(ExpressionGame.parse("0.1*x**2 + x*y")).points
    found = converging_steps(point.jacobian, 1, "gda")
    # λ² − λ/5 + 1: a pair with 2 Re λ/|λ|² = 1/5
    assert (found.exact, str(found)) == (True, "0 < η < 1/5")
    irrational = stationary_points(ExpressionGame.parse("x**3 - 6*x - y**2")).points[1]
    found = converging_steps(irrational.jacobian, 1, "gda")
    assert not found.exact
    np.testing.assert_allclose(found.floats, [(0, 2 / (6 * 2**0.5))], rtol=1e-8)


def test_the_update_matrix_is_the_step() -> None:
    """M(η) against the simulated method, on a game without linear terms."""
    game = QuadraticGame([[1, 0.5], [0.5, -2]], [[1], [0.3]], [[0.7]])
    jacobian, start = game.jacobian(np.zeros(3)), np.array([1.0, -2.0, 0.5])
    for method in METHODS:
        path = simulate(game, method, 0.1, start, 3)
        z = np.concatenate([start, start]) if method == "optimistic" else start
        for t in range(4):
            np.testing.assert_allclose(z[:3], path[t], rtol=1e-12)
            z = update_matrix(jacobian, 2, method, 0.1) @ z


def test_spectral_radius_takes_many_step_sizes() -> None:
    etas = np.array([[0.1, 0.2], [0.3, 0.4]])
    np.testing.assert_allclose(spectral_radius(BILINEAR, 1, "gda", etas), np.sqrt(1 + etas**2))
    np.testing.assert_allclose(np.abs(spectrum(BILINEAR, 1, "alternating", 0.7)), [1, 1])
    assert spectrum(SHEET, 1, "optimistic", 0.05).shape == (4,)


def test_exact_and_bracketed_agree_on_larger_games() -> None:
    rng = np.random.default_rng(3)
    for method in METHODS:
        S = rng.integers(-3, 4, (3, 3))
        game = QuadraticGame((S @ S.T)[:2, :2] + np.eye(2), rng.integers(-2, 3, (2, 1)), [[4]])
        exact = converging_steps(game.exact_jacobian(), 2, method)
        bracketed = converging_steps(game.jacobian(np.zeros(3)), 2, method)
        assert (exact.exact, bracketed.exact) == (True, False)
        np.testing.assert_allclose(bracketed.floats, exact.floats, atol=2 * bracketed.tolerance)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 2), st.integers(1, 3), st.sampled_from(METHODS), st.floats(0.02, 0.98))
def test_random_games_converge_inside_the_set_and_not_outside(
    seed: int, n: int, m: int, method: Method, share: float
) -> None:
    rng = np.random.default_rng(seed)
    A, C = rng.normal(size=(n, n)), rng.normal(size=(m, m))
    game = QuadraticGame(A @ A.T + 0.1 * np.eye(n), 2 * rng.normal(size=(n, m)), C + C.T + 2 * np.eye(m))
    jacobian = game.exact_jacobian() if n + m == 2 else game.jacobian(np.zeros(n + m))
    steps = converging_steps(jacobian, n, method)
    top = steps.floats[-1][1] if not steps.empty else 1.0
    eta = 1.5 * share * top
    margin = min((abs(eta - end) for pair in steps.floats for end in pair), default=1.0) / top
    assume(margin > 0.02)
    path = simulate(game, method, eta, rng.normal(size=n + m), 2_000)
    reached = np.abs(path[-1]).max()
    early = np.abs(path[1_000]).max()
    if eta in steps:
        assert reached < 1e-6 or reached < 0.9 * early
    else:
        assert not reached < 0.9 * early


def test_step_sets_meet_and_speak() -> None:
    one = StepSet((Interval(0.0, 1.0, closed_high=True), Interval(2.0, 3.0)), exact=False, tolerance=1e-9)
    two = StepSet((Interval(1.0, 2.5, closed_low=True),), exact=True)
    both = one & two
    assert str(both) == "η = 1.0 or 2 < η < 2.5" or str(both) == "η = 1 or 2 < η < 2.5"
    assert (both.exact, both.tolerance) == (False, 1e-9)
    assert 1.0 in both
    assert 2.0 not in both
    assert 2.4 in both
    assert str(StepSet((), exact=True)) == "no step size"
