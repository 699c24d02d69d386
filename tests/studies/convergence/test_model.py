from fractions import Fraction

import cvxpy
import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from workings.core.errors import UserError
from workings.expressions import parse
from workings.studies.convergence import algebra, search
from workings.studies.convergence.family import Hinge, Logistic, MaxAffine, Worst, build
from workings.studies.convergence.model import (
    Objective,
    affine_slack,
    best_step,
    chain,
    descend,
    exponent,
    follow,
    guarantee,
    ledger,
    steps_needed,
)
from workings.studies.convergence.own import prepare, slope
from workings.studies.convergence.sequences import KINDS, exact
from workings.studies.convergence.study import FUNCTIONS, TIES, Function, Ties

numbers = st.fractions(-100, 100, max_denominator=50)


def built(function: Function, ties: Ties = "first", steps: int = 9, seed: int = 0, B: float = 2.0) -> Objective:
    dimension = None if function in ("absolute", "worst") else 4
    return build(function, steps, dimension, B, ties, seed)


def test_the_lemma_worked_by_hand() -> None:
    """η = ½, w* = (3, 1), v = (1, 0), (0, 2), (−1, 1): w = (0,0), (−½,0), (−½,−1), (0,−3/2)."""
    v = exact(np.array([[1, 0], [0, 2], [-1, 1]]))
    sides = ledger(follow(v, Fraction(1, 2)), exact(np.array([3, 1])), Fraction(1, 2))
    # −3; 2·(0 − 1) = −2; −(−½ − 3) + (−1 − 1) = 3/2
    assert sides.inner.tolist() == [-3, -2, Fraction(3, 2)]
    assert (sides.left, sides.right, sides.remainder) == (Fraction(-7, 2), 10 + Fraction(7, 4), 9 + Fraction(25, 4))


@given(st.data(), st.integers(1, 4), st.integers(1, 6), st.fractions(Fraction(1, 100), 100))
@settings(max_examples=60, deadline=None)
def test_the_lemma_is_an_identity_on_any_fractions(data: st.DataObject, d: int, steps: int, eta: Fraction) -> None:
    rows = data.draw(st.lists(st.lists(numbers, min_size=d, max_size=d), min_size=steps, max_size=steps))
    target = data.draw(st.lists(numbers, min_size=d, max_size=d))
    w, left, squares = [Fraction(0)] * d, Fraction(0), Fraction(0)
    for v in rows:  # by plain loops
        left += sum((a - b) * c for a, b, c in zip(w, target, v, strict=True))
        squares += sum(c * c for c in v)
        w = [a - eta * c for a, c in zip(w, v, strict=True)]
    sides = ledger(follow(exact(np.array(rows, dtype=object)), eta), exact(np.array(target, dtype=object)), eta)
    assert sides.left == left <= sides.right == sum(x * x for x in target) / (2 * eta) + eta / 2 * squares
    assert sides.remainder == sum((a - b) ** 2 for a, b in zip(w, target, strict=True)) / (2 * eta)
    assert sides.left == sides.right - sides.remainder


@pytest.mark.parametrize("kind", KINDS)
def test_drawn_sequences_are_exact_and_as_they_say(kind: str) -> None:
    v, target, eta = KINDS[kind](6, 3, np.random.default_rng(1))
    assert v.shape == (6, 3)
    assert all(isinstance(x, Fraction) for x in (*v.ravel(), *target, eta))
    sides = ledger(follow(v, eta), target, eta)
    assert sides.left == sides.right - sides.remainder
    if kind == "homing":
        assert sides.remainder == 0
    if kind == "runaway":
        assert sides.distances[-1] == 4**6 * sides.distances[0]


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_oracle_answers_subgradients_no_longer_than_rho(function: Function, ties: Ties) -> None:
    f, rng = built(function, ties), np.random.default_rng(3)
    w = np.vstack([rng.normal(size=(200, len(f.comparator))) * 3, 0 * f.comparator, f.comparator])
    u = rng.permutation(w)
    g = f.subgradient(w)
    assert (np.linalg.norm(g, axis=1) <= f.rho * (1 + 1e-12)).all()
    assert (f.value(u) >= f.value(w) + (g * (u - w)).sum(1) - 1e-12).all()
    assert (affine_slack(f, w, u) >= -1e-14).all()
    assert f.value(w[0]).shape == ()
    assert f.subgradient(w.reshape(2, 101, -1)).shape == (2, 101, w.shape[1])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_slope_agrees_with_central_differences(function: Function) -> None:
    f = built(function)
    w = np.random.default_rng(4).normal(size=(20, len(f.comparator)))
    h = 1e-6 * np.eye(w.shape[1])
    numeric = np.stack([(f.value(w + e) - f.value(w - e)) / 2e-6 for e in h], axis=-1)
    np.testing.assert_allclose(f.subgradient(w), numeric, atol=1e-8)  # h² · f‴ and 1e-16/h


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name != "logistic"])
def test_the_comparator_is_a_minimiser_at_its_distance(function: Function) -> None:
    f = built(function)
    assert np.linalg.norm(f.comparator) == pytest.approx(2.0)
    w = f.comparator + np.random.default_rng(5).normal(size=(3000, len(f.comparator)))
    assert f.value(w).min() >= f.value(f.comparator)


def test_the_minimum_of_affine_pieces_is_the_linear_programmes() -> None:
    f = built("affine")
    assert isinstance(f, MaxAffine)
    k, d = f.slopes.shape  # least t with a_i·w + b_i ≤ t
    found = linprog(np.eye(d + 1)[-1], np.hstack([f.slopes, -np.ones((k, 1))]), -f.offsets, bounds=(None, None))
    assert found.fun == pytest.approx(float(f.value(f.comparator)), abs=1e-9)


def test_the_worst_functions_minimum_is_the_conic_programmes() -> None:
    f = Worst(6, 2.0, "first")
    w = cvxpy.Variable(6)
    cone = cvxpy.norm(w) - 2.0 * (1 + 1 / np.sqrt(6))
    least = cvxpy.Problem(cvxpy.Minimize(cvxpy.maximum(cvxpy.max(w), cone))).solve(solver=cvxpy.CLARABEL)
    assert float(f.value(f.comparator)) == pytest.approx(least, abs=1e-7)


def test_hinge_and_logistic_are_torchs_losses() -> None:
    hinge, logistic = built("hinge"), built("logistic")
    assert isinstance(hinge, Hinge)
    assert isinstance(logistic, Logistic)
    w = np.random.default_rng(6).normal(size=4)
    margins = torch.tensor(hinge.signed @ w)
    embedding = torch.nn.functional.hinge_embedding_loss(margins, -torch.ones(len(margins)), margin=1.0)
    assert float(hinge.value(w)) == pytest.approx(float(embedding), rel=1e-12)
    soft = torch.nn.functional.soft_margin_loss(margins, torch.ones_like(margins))
    assert float(logistic.value(w)) == pytest.approx(float(soft), rel=1e-12)
    assert float(hinge.value(hinge.comparator)) == 0


def test_the_first_steps_on_the_worst_function_worked_by_hand() -> None:
    """T = 4, B = 2, η = 1: each step walks down a new axis; the mean has a coordinate at 0."""
    path = descend(Worst(4, 2.0, "first"), 1.0, 4)
    assert path.points.tolist() == [[0, 0, 0, 0], [-1, 0, 0, 0], [-1, -1, 0, 0], [-1, -1, -1, 0], [-1, -1, -1, -1]]
    assert chain(Worst(4, 2.0, "first"), path, 1.0, 2.0) == (1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize("steps", [1, 2, 7, 100])
@pytest.mark.parametrize("B", [1e-6, 1.0, 3e5])
def test_a_friendly_oracle_halves_the_worst_gap(steps: int, B: float) -> None:
    eta = best_step(1.0, B, steps)
    gaps = []
    for ties in TIES[:2]:
        f = Worst(steps, B, ties)
        gaps.append(chain(f, descend(f, eta, steps), eta, B).gap * steps**0.5 / B)
    assert gaps == pytest.approx([1.0, (steps + 1) / (2 * steps)])


@pytest.mark.parametrize("m", [1, 2, 3, 5, 10])
def test_the_absolute_value_as_the_notes_work_it_out(m: int) -> None:
    gaps = []
    for ties in TIES:
        f = build("absolute", m * m, None, 3.0, ties, 0)
        gaps.append(chain(f, descend(f, 3.0 / m, m * m), 3.0 / m, 3.0).gap)
    assert gaps == pytest.approx([3 / m, 3 * (m + 1) / (2 * m * m), 3 / m**2])


@given(
    st.sampled_from(FUNCTIONS),
    st.sampled_from(TIES),
    st.integers(1, 60),
    st.integers(0, 5),
    st.floats(0.01, 100),
    st.floats(0.05, 20),
)
@settings(max_examples=60, deadline=None)
def test_the_chain_holds(function: Function, ties: Ties, steps: int, seed: int, B: float, c: float) -> None:
    f = built(function, ties, steps, seed, B)
    eta = c * B / (f.rho * steps**0.5)
    gap, mean_gap, linear, bound = chain(f, descend(f, eta, steps), eta, B)
    room = 1e-12 * bound
    assert gap <= mean_gap + room <= linear + 2 * room <= bound + 3 * room
    assert bound == pytest.approx((c + 1 / c) / 2 * B * f.rho / steps**0.5)


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.integers(1, 1000))
def test_no_other_step_has_a_better_guarantee(rho: float, B: float, steps: int) -> None:
    eta = best_step(rho, B, steps)
    least = guarantee(rho, B, steps, eta)
    assert all(guarantee(rho, B, steps, factor * eta) >= least * (1 - 1e-12) for factor in (0.5, 0.99, 1.01, 2))


@pytest.mark.parametrize(
    ("rho", "B", "accuracy", "steps"),
    [(1.0, 1.0, 0.1, 100), (2.0, 5.0, 0.1, 10_000), (1.0, 1.0, 0.3, 12), (1.0, 1.0, 9.0, 1)],
)
def test_steps_needed(rho: float, B: float, accuracy: float, steps: int) -> None:
    assert steps_needed(rho, B, accuracy) == steps


def test_the_exponent_of_a_power_and_of_too_little() -> None:
    assert exponent([1, 10, 100], [5.0, 0.5, 0.05]) == pytest.approx(-1)
    assert np.isnan(exponent([4, 4], [1.0, 1.0]))
    assert np.isnan(exponent([1, 2], [1.0, -1.0]))


def test_algebra_and_a_convex_solver_agree_on_the_proximal_step() -> None:
    draw = algebra.proximal_search(3, np.random.default_rng(0))
    w = cvxpy.Variable(3)
    model = np.array(draw["g"]) @ (w - draw["w_t"]) + draw["lambda"] / 2 * cvxpy.sum_squares(w - draw["w_t"])
    cvxpy.Problem(cvxpy.Minimize(model)).solve(solver=cvxpy.CLARABEL)
    np.testing.assert_allclose(draw["found"], w.value, atol=1e-4 / draw["lambda"])
    assert algebra.proximal_model()["gradient_at_step"] == "0"


def test_algebra_of_the_best_step() -> None:
    rho, B, steps, c = sympy.symbols("rho B T c", positive=True)
    names = {"rho": rho, "B": B, "T": steps, "c": c, "sqrt": sympy.sqrt}
    found = {name: sympy.parse_expr(text, local_dict=names) for name, text in algebra.best_step().items()}
    assert found["step"].subs({B: 3, rho: 2, steps: 25}) == sympy.Rational(3, 10)
    assert found["bound"].subs({B: 3, rho: 2, steps: 25}) == sympy.Rational(6, 5)
    assert found["dearer"].subs(c, 4) == sympy.Rational(17, 8)


@pytest.mark.parametrize(("steps", "c"), [(1, 1.0), (3, 1.0), (4, 2.0)])
def test_pepits_worst_case_scales_and_is_attained(steps: int, c: float) -> None:
    pytest.importorskip("PEPit")
    found = search.worst_gap(steps, c * best_step(2.0, 3.0, steps), 3.0, 2.0)
    assert found == pytest.approx((c + 1 / c) / 2 * 6 / steps**0.5, rel=1e-3)


def test_a_formula_is_given_its_minimiser_and_slope() -> None:
    for text, minimiser, rho in (("abs(w - 3)", [3], 1), ("2*abs(x - 1) + abs(y + 2)", [1, -2], 5**0.5)):
        found = prepare(text, None, None, 1.0, 0)
        assert found.comparator.tolist() == minimiser
        assert found.rho == pytest.approx(rho)


def test_the_nearest_of_many_minimisers_is_compared_with() -> None:
    assert prepare("relu(1 - w/2)", None, None, 1.0, 0).comparator == pytest.approx([2.0], abs=1e-9)


def test_within_a_ball_the_best_point_of_the_ball_is_compared_with() -> None:
    assert prepare("abs(w - 3)", 2.0, None, 1.0, 0).comparator == pytest.approx([2.0], abs=1e-6)
    assert np.linalg.norm(prepare("x + y", 2.0, None, 1.0, 0).comparator + 2**0.5) < 1e-4


def test_at_the_tip_of_a_cone_central_differences_stand_in() -> None:
    tip = parse("sqrt(x**2 + y**2)", ["x", "y"])
    np.testing.assert_allclose(slope(tip, np.zeros((1, 2))), 0, atol=1e-12)
    np.testing.assert_allclose(slope(tip, np.array([[3.0, 4.0]])), [[0.6, 0.8]])


def test_without_pepit_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'workings\[worst-case\]'"):
        search.worst_gap(2, 0.5)
