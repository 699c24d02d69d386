"""Descent's model, spectrum and measures against torch, mpmath, brute force and tables worked by hand."""

import math
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import differential_evolution

from workings.studies.descent.measure import arrival, rate, slope, steps_needed
from workings.studies.descent.model import FAR, FEW, Quadratic, curvature, distances, lookahead, simulate
from workings.studies.descent.spectrum import companion, exactly, log_moduli, spectral_radius, threshold, tuned
from workings.studies.descent.study import METHODS, Method

SQUARE_ROOT_OF_ROUNDING = 1.5e-7
"""A double root moves by √(κε) when its coefficients move by κε; the eigenvalue solver's κ stays below a hundred."""
methods = st.sampled_from(METHODS)
curvatures = st.lists(st.floats(0.01, 100), min_size=1, max_size=6).map(np.array)


def random_loss(seed: int, n: int) -> Quadratic:
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(n, n))
    full = half @ half.T + 0.1 * np.eye(n)
    return Quadratic((full + full.T) / 2)


def test_value_and_gradient_agree_with_torch() -> None:
    loss = random_loss(1, 4)
    w = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    value = 0.5 * torch.einsum("bi,ij,bj->b", w, torch.tensor(loss.A), w)
    value.sum().backward()
    np.testing.assert_allclose(loss.value(w.detach().numpy()), value.detach(), rtol=1e-12)
    np.testing.assert_allclose(loss.gradient(w.detach().numpy()), w.grad, rtol=1e-12, atol=1e-13)


def test_the_sheets_loss_worked_by_hand() -> None:
    """a = 4, b = 1, η = ¼: ρ = (0, ¾). With heavy-ball, β = ½: w₂ = 1, 3/4, then 3/4 − 1/8 − 3/16 = 7/16."""
    loss = Quadratic(np.diag([4.0, 1.0]))
    assert loss.value(np.array([1.0, 2.0])) == 4.0
    assert loss.gradient(np.array([1.0, 2.0])).tolist() == [4.0, 2.0]
    assert simulate(loss, "gd", 0.25, 0.0, np.ones(2), 2).tolist() == [[1, 1], [0, 0.75], [0, 0.5625]]
    assert simulate(loss, "heavy-ball", 0.25, 0.5, np.ones(2), 2)[:, 1].tolist() == [1, 0.75, 0.4375]
    # Nesterov looks ahead to 3/4 − 1/8 = 5/8, and keeps ¾ of it
    assert simulate(loss, "nesterov", 0.25, 0.5, np.ones(2), 2)[:, 1].tolist() == [1, 0.75, 0.46875]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(3))
def test_the_methods_are_those_of_torch(method: Method, seed: int) -> None:
    """torch's Nesterov keeps the point ahead, w + βΔ, where ours keeps w itself."""
    loss, eta, beta = random_loss(seed, 3), 0.05, 0.0 if method == "gd" else 0.7
    path = simulate(loss, method, eta, beta, np.array([1.0, -2.0, 0.5]), 30)
    w = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([w], lr=eta, momentum=beta, nesterov=lookahead(method, beta) > 0)
    for t in range(30):
        moved = path[t] - path[max(t - 1, 0)]
        np.testing.assert_allclose(path[t] + lookahead(method, beta) * moved, w.detach(), rtol=1e-9, atol=1e-12)
        optimiser.zero_grad()
        (0.5 * w @ torch.tensor(loss.A) @ w).backward()
        optimiser.step()


def test_many_starts_at_once() -> None:
    loss, starts = random_loss(0, 2), np.array([[[1.0, 2.0]], [[-3.0, 0.5]]])
    together = simulate(loss, "nesterov", 0.1, 0.5, starts, 9)
    assert together.shape == (10, 2, 1, 2)
    np.testing.assert_allclose(together[:, 1, 0], simulate(loss, "nesterov", 0.1, 0.5, starts[1, 0], 9), rtol=1e-12)
    assert simulate(loss, "gd", 0.1, 0.0, np.empty((0, 2)), 3).shape == (4, 0, 2)


def test_divergence_overflows_without_a_warning() -> None:
    path = simulate(Quadratic([[1.0]]), "gd", 1e10, 0.0, np.array([1e100]), 60)
    assert not np.isfinite(path[-1]).any()


def test_distances_stop_far_from_the_start() -> None:
    outward = distances(Quadratic([[1.0]]), "gd", 11.0, 0.0, np.array([2.0]), 1000)
    np.testing.assert_allclose(outward, 2 * 10.0 ** np.arange(len(outward)))
    assert len(outward) in (41, 42)
    assert len(distances(Quadratic([[1.0]]), "gd", 1e-9, 0.0, np.array([2.0]), 50)) == 51
    assert distances(Quadratic([[1.0]]), "gd", 1.0, 0.0, np.array([2.0]), 50).tolist() == [2.0, 0.0]
    slow = distances(Quadratic([[1.0]]), "gd", 0.05, 0.0, np.array([2.0]), 9_999)
    assert FEW < len(slow) < 1000
    assert slow[-1] <= 2 / FAR < slow[-2]
    with_overflow = distances(Quadratic([[1e70]]), "gd", 1e70, 0.0, np.array([1e70]), 50)
    assert not np.isfinite(with_overflow[-1])


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[1.0, 2.0]], "must be square"),
        (np.array([1.0, 2.0]), "must be square"),
        (np.empty((0, 0)), "must be square"),
        ([[1.0, 2.0], [3.0, 4.0]], r"entry \(1, 2\) is 2 and \(2, 1\) is 3"),
        ([[math.nan]], "must be finite"),
        ([[math.inf]], "must be finite"),
    ],
)
def test_bad_matrices_are_explained(matrix: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Quadratic(matrix)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1, 1), min_size=1, max_size=5), st.integers(0, 10**6))
def test_signs_of_curvature_by_sylvesters_law(signs: list[int], seed: int) -> None:
    """GᵀDG has the inertia of D where G is invertible: here G is a product of integer triangles with ones."""
    n, rng = len(signs), np.random.default_rng(seed)
    triangles = [np.tril(rng.integers(-2, 3, (n, n)), -1) + np.eye(n, dtype=int) for _ in range(2)]
    G = triangles[0] @ triangles[1].T
    A = G.T @ np.diag(signs) @ G
    expected = "falls somewhere" if -1 in signs else "flat somewhere" if 0 in signs else "positive definite"
    assert curvature([[Fraction(int(entry)) for entry in row] for row in A]) == expected


def test_a_valley_that_floats_cannot_see() -> None:
    """0.1 · 0.9 − 0.3² is 0, and in float64 it is not; 1e-17 more makes a minimum."""
    assert Quadratic([[0.1, 0.3], [0.3, 0.9]]).curvature == "flat somewhere"
    assert Quadratic([[0.1, 0.3], [0.3, 0.9000000000000001]]).curvature == "positive definite"
    assert Quadratic([[0.0, 1.0], [1.0, 5.0]]).curvature == "falls somewhere"


@settings(max_examples=60, deadline=None)
@given(curvatures, methods, st.floats(0.01, 3), st.floats(0, 0.99))
def test_roots_are_the_eigenvalues_of_the_companion(lam: np.ndarray, method: Method, x: float, beta: float) -> None:
    beta = 0.0 if method == "gd" else beta
    eta = x / lam.max()
    expected = np.abs(np.linalg.eigvals(companion(method, eta, beta, lam))).max()
    np.testing.assert_allclose(spectral_radius(method, eta, beta, lam), expected, atol=SQUARE_ROOT_OF_ROUNDING)


@pytest.mark.parametrize("method", METHODS)
def test_the_companion_is_the_step(method: Method) -> None:
    beta, lam = 0.0 if method == "gd" else 0.6, np.array([3.0, 0.5])
    path = simulate(Quadratic(np.diag(lam)), method, 0.3, beta, np.array([1.0, -2.0]), 7)
    for i, M in enumerate(companion(method, 0.3, beta, lam)):
        state = np.linalg.matrix_power(M, 7) @ np.full(2, path[0, i])
        np.testing.assert_allclose(state, [path[7, i], path[6, i]], rtol=1e-12)


@pytest.mark.parametrize("kappa", [2.0, 1e4, 1e10, 1e16, 1e24])
@pytest.mark.parametrize("method", METHODS)
def test_no_digits_are_lost_for_hard_losses(method: Method, kappa: float) -> None:
    """The root at the smallest curvature, for parameters off the double root, in sixty digits."""
    eta, beta = 0.9 / kappa, 0.0 if method == "gd" else 0.5
    with mpmath.workdps(60):
        x, b = mpmath.mpf(eta), mpmath.mpf(beta)
        gamma = b if method.startswith("nesterov") else mpmath.mpf(0)
        T, D = 1 + b - (1 + gamma) * x, b - gamma * x
        root = mpmath.sqrt(T * T - 4 * D)
        expected = float(mpmath.log(max(abs((T + root) / 2), abs((T - root) / 2))))
    np.testing.assert_allclose(log_moduli(method, eta, beta, np.array([1.0])), [expected], rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(curvatures, methods, st.integers(0, 95), st.floats(0.9, 1.1))
def test_the_threshold_parts_what_converges(lam: np.ndarray, method: Method, percent: int, near: float) -> None:
    beta = 0.0 if method == "gd" else percent / 100
    high = threshold(method, beta, lam.tolist())
    largest = np.abs(np.linalg.eigvals(companion(method, near * high, beta, lam))).max()
    if abs(near - 1) > 1e-6:
        assert (largest < 1) == (near < 1)


def test_thresholds_of_fractions_are_fractions() -> None:
    assert threshold("gd", 0, [Fraction(10), Fraction(1)]) == Fraction(1, 5)
    assert threshold("heavy-ball", exactly(0.5), [exactly(0.1)]) == 30
    assert threshold("nesterov", Fraction(1, 2), [Fraction(3)]) == Fraction(1, 2)


@pytest.mark.parametrize("method", ["heavy-ball", "nesterov-tuned"])
@pytest.mark.parametrize("kappa", [3.0, 50.0])
def test_no_parameters_beat_the_tuned_ones(method: Method, kappa: float) -> None:
    """A global search with numpy's eigenvalues, over curvatures in between too."""
    lam = np.geomspace(1, kappa, 9)

    def worst(point: np.ndarray) -> float:
        return float(np.abs(np.linalg.eigvals(companion(method, point[0] / kappa, point[1], lam))).max())

    found = differential_evolution(worst, [(0.1, 4), (0, 0.99)], seed=1, maxiter=60, popsize=8, tol=1e-8)
    best = tuned(method, lam)
    assert worst(np.array([best.eta * kappa, best.beta])) == pytest.approx(best.rate, abs=1e-7)
    assert found.fun >= best.rate - 1e-9
    assert found.fun == pytest.approx(best.rate, abs=0.02)


@settings(max_examples=40, deadline=None)
@given(curvatures, methods)
def test_tuned_parameters_have_the_rate_they_promise(lam: np.ndarray, method: Method) -> None:
    best = tuned(method, lam)
    radius = np.abs(np.linalg.eigvals(companion(method, best.eta, best.beta, lam))).max()
    assert radius == pytest.approx(best.rate, abs=SQUARE_ROOT_OF_ROUNDING)
    assert 0 <= best.beta < 1


@pytest.mark.parametrize("method", METHODS)
def test_equal_curvatures_take_one_step(method: Method) -> None:
    best = tuned(method, np.array([3.0, 3.0]))
    assert (best.beta, best.rate, best.log_rate) == (0.0, 0.0, -math.inf)
    assert steps_needed(best.log_rate) == 1
    path = simulate(Quadratic(3 * np.eye(2)), method, best.eta, best.beta, np.array([1.0, -4.0]), 1)
    np.testing.assert_allclose(path[1], 0, atol=1e-15)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.3, 0.999), st.integers(0, 1), st.floats(0.1, 3.0), st.booleans(), st.floats(1e-50, 1e50))
def test_a_rate_is_read_from_its_law(rho: float, power: int, angle: float, swings: bool, size: float) -> None:
    """c · tᵏ · ρᵗ, made to swing by the cosine of a complex root."""
    times = np.arange(np.clip(int(28 / -math.log(rho)), 70, 6000))  # as many as `distances` brings
    law = size * np.maximum(times, 0.5) ** power * rho**times
    law = law * np.hypot(np.cos(angle * times), 0.3) if swings else law
    found, k = rate(law)
    assert (1 - found) == pytest.approx(1 - rho, rel=0.1 if swings else 1e-6)
    if not swings:
        assert k == pytest.approx(power, abs=1e-4)


def test_rates_at_the_edges() -> None:
    assert rate(np.array([1.0, 0.0])) == (0.0, 0.0)
    assert math.isnan(rate(np.array([1.0, 0.5, 0.2]))[0])
    assert rate(np.ones(50))[0] == pytest.approx(1)
    assert rate(1.1 ** np.arange(100.0))[0] == pytest.approx(1.1)


def test_arrival_is_for_good() -> None:
    assert arrival(np.array([1.0, 0.05, 0.2, 0.09, 0.01]), 0.1) == 3
    assert arrival(np.array([1.0, 0.5]), 0.1) is None
    assert arrival(np.array([1.0, 0.0]), 0.1) == 1
    assert arrival(np.array([1.0, np.nan]), 0.1) is None


def test_steps_and_slopes() -> None:
    assert steps_needed(math.log(0.1)) == 6
    assert steps_needed(0.0) == math.inf
    assert slope(np.array([1.0, 10, 100]), np.array([3.0, 30, 300])) == pytest.approx(1)
