import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from workings.studies.hopfield import model
from workings.studies.hopfield.model import AssociativeMemory
from workings.studies.hopfield.patterns import clusters, correlated, sphere
from workings.studies.hopfield.symbolic import residuals

SYSTEMS = st.tuples(st.integers(1, 8), st.integers(1, 6), st.integers(0, 10**6))


def system(n: int, d: int, seed: int = 0, scale: float = 1.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(scale * torch.randn(k, d, generator=generator, dtype=torch.float64) for k in (n, 4))  # type: ignore[return-value]


def by_hand(X: Tensor, q: Tensor, beta: float) -> float:
    """The sheet's energy in plain Python, where nothing overflows."""
    similarities = [sum(a * b for a, b in zip(x, q.tolist(), strict=True)) for x in X.tolist()]
    lse = math.log(math.fsum(math.exp(beta * s) for s in similarities)) / beta
    squares = [math.fsum(a * a for a in x) for x in X.tolist()]
    return -lse + math.fsum(a * a for a in q.tolist()) / 2 + math.log(len(X)) / beta + max(squares) / 2


def test_two_patterns_worked_by_hand() -> None:
    """X = ±1: p = (1 + tanh βq, 1 − tanh βq)/2, so the update is tanh βq; at q = 0 the energy is ½, its slope 0."""
    X, q = torch.tensor([[1.0], [-1.0]]).double(), torch.tensor([[0.0], [0.5], [-2.0]]).double()
    np.testing.assert_allclose(model.update(X, q, 3.0), np.tanh(3 * q.numpy()), rtol=1e-14)
    assert model.energy(X, q, 3.0)[0].item() == pytest.approx(0.5, rel=1e-14)
    assert model.gradient(X, q, 3.0)[0].item() == pytest.approx(0, abs=1e-14)
    sech_squared = 1 / np.cosh(3 * q.numpy()) ** 2
    np.testing.assert_allclose(model.hessian(X, q, 3.0)[..., 0], 1 - 3 * sech_squared, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(SYSTEMS, st.sampled_from([1e-3, 0.3, 1.0, 4.0]))
def test_energy_is_the_sheets_and_the_sum_of_its_parts(shape: tuple[int, int, int], beta: float) -> None:
    X, q = system(*shape)
    expected = [by_hand(X, state, beta) for state in q]
    np.testing.assert_allclose(model.energy(X, q, beta), expected, rtol=1e-9, atol=1e-9)
    parts = model.convex_part(X, q, beta) + model.concave_part(X, q, beta)
    np.testing.assert_allclose(parts, expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(SYSTEMS, st.sampled_from([0.01, 1.0, 10.0]))
def test_derivatives_agree_with_finite_differences_and_with_autograd(shape: tuple[int, int, int], beta: float) -> None:
    X, q = system(*shape)
    h, unit = 1e-5, torch.eye(X.shape[1]).double()
    ahead, behind = q[:, None] + h * unit, q[:, None] - h * unit
    slope = (model.energy(X, ahead, beta) - model.energy(X, behind, beta)) / (2 * h)
    bend = (model.gradient(X, ahead, beta) - model.gradient(X, behind, beta)) / (2 * h)
    # central differences err by h²/6 times a third derivative of at most β²‖x‖³, and by rounding over h
    np.testing.assert_allclose(model.gradient(X, q, beta), slope, atol=1e-6)
    np.testing.assert_allclose(model.hessian(X, q, beta), bend, atol=1e-5)
    exact = torch.autograd.functional.hessian(lambda s: model.energy(X, s, beta), q[0])
    np.testing.assert_allclose(model.hessian(X, q[0], beta), exact, atol=1e-10)
    assert torch.linalg.eigvalsh(model.concave_hessian(X, q, beta)).max() <= 1e-12 * beta * X.square().sum(-1).max()


@settings(max_examples=60, deadline=None)
@given(SYSTEMS, st.floats(-6, 6), st.sampled_from([1e-6, 1.0, 1e6]), st.sampled_from([1e-3, 1.0, 1e6]))
def test_no_step_raises_the_energy_whatever_the_scale(
    shape: tuple[int, int, int], exponent: float, scale: float, far: float
) -> None:
    X, q = system(*shape, scale=scale)
    beta, q = 10**exponent, far * q
    for _ in range(5):
        after = model.update(X, q, beta)
        assert torch.isfinite(after).all()
        terms = (q.square().sum(-1) + X.square().sum(-1).max()) / 2
        rise = model.energy(X, after, beta) - model.energy(X, q, beta) + (after - q).square().sum(-1) / 2
        assert (rise <= 1e-12 * terms).all()
        q = after


@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_one_step_is_attention(dtype: torch.dtype, within: float) -> None:
    X, q = (t.to(dtype) for t in system(30, 16))
    attended = scaled_dot_product_attention(q[None], X[None], X[None])[0]
    assert (model.update(X, q, 16**-0.5) - attended).abs().max() < within


def test_energy_keeps_its_digits_for_tiny_and_huge_beta() -> None:
    """As β → 0 it tends to ½‖q‖² + ½M² − mean(Xq), as β → ∞ to the same with the largest similarity."""
    X, q = system(7, 3)
    similar, rest = q @ X.T, q.square().sum(-1) / 2 + X.square().sum(-1).max() / 2
    np.testing.assert_allclose(model.energy(X, q, 1e-14), rest - similar.mean(-1), rtol=1e-12)
    np.testing.assert_allclose(model.energy(X, q, 1e14), rest - similar.max(-1).values, rtol=1e-12)


def test_effective_patterns() -> None:
    p = torch.tensor([[1.0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0]])
    np.testing.assert_allclose(model.effective_patterns(p), [1, 4, 2], rtol=1e-6)


def test_any_batch_of_queries_none_included() -> None:
    X, q = system(5, 3)
    memory = AssociativeMemory(X, 2.0)
    found = memory.retrieve(q.reshape(2, 2, 3))
    assert found.state.shape == (2, 2, 3)
    assert found.energy.shape[1:] == (2, 2)
    np.testing.assert_allclose(found.state[1, 0], memory.retrieve(q[2]).state, atol=1e-4)
    assert (found.energy.diff(dim=0) <= 1e-12).all()
    assert memory.retrieve(q[:0]).state.shape == (0, 3)
    assert memory.nearest(q[0]).shape == ()


def test_blocks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    X, q = system(5, 3)
    memory = AssociativeMemory(X, 2.0)
    whole = memory.retrieve(q)
    monkeypatch.setattr(model, "BLOCK", 5)
    pieces = memory.retrieve(q)
    np.testing.assert_allclose(pieces.state, whole.state, atol=1e-4)
    assert pieces.energy.shape[1:] == whole.energy.shape[1:]


def test_what_is_stored_comes_back() -> None:
    X = sphere(50, 40, torch.Generator().manual_seed(1))
    memory = AssociativeMemory(X[:30], 4.0).store(X[30:])
    assert len(memory) == 50
    damaged = X.clone()
    damaged[:, :20] = 0
    found = memory.retrieve(damaged)
    assert found.settled.all()
    assert memory.nearest(found.state).tolist() == list(range(50))
    np.testing.assert_allclose(found.state, X, atol=1e-6)
    assert (memory.weights(X).max(-1).values > 0.999).all()
    assert not memory.retrieve(damaged, steps=0).settled.any()


NAN, BIG = torch.tensor([[math.nan]]), torch.tensor([[1e30]])


@pytest.mark.parametrize(
    ("patterns", "beta", "words"),
    [
        (torch.zeros(0, 3), 1.0, r"patterns have shape \[0, 3\]"),
        (torch.zeros(2, 0), 1.0, r"patterns have shape \[2, 0\]"),
        (NAN, 1.0, "nan or inf"),
        (torch.ones(1, 1), 0.0, "beta is 0.0"),
        (torch.ones(1, 1), -1.0, "beta is -1.0"),
        (torch.ones(1, 1), math.inf, "beta is inf"),
        (torch.ones(1, 1), math.nan, "beta is nan"),
        (BIG, 1.0, "leaves the range of torch.float32"),
    ],
)
def test_bad_memories_are_refused(patterns: Tensor, beta: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        AssociativeMemory(patterns, beta)


@pytest.mark.parametrize(
    ("queries", "words"),
    [(torch.ones(2, 3), "do not fit patterns of 1 numbers"), (NAN, "a query holds nan"), (BIG, "leaves the range")],
)
def test_bad_queries_are_refused(queries: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        AssociativeMemory(torch.ones(1, 1), 1.0).retrieve(queries)


def test_the_algebra_vanishes_and_would_not_for_a_wrong_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    import sympy

    assert set(residuals(2, 2).values()) == {"0"}
    monkeypatch.setattr("workings.studies.hopfield.symbolic.sympy.diag", lambda *p: 2 * sympy.Matrix.diag(*p))
    wrong = residuals(2, 1)
    assert wrong["concave gradient"] == "0"
    assert wrong["concave Hessian"] != "0"
    assert wrong["variance"] != "0"


def test_random_patterns_have_the_length_and_the_likeness_asked_for() -> None:
    generator = torch.Generator().manual_seed(0)
    X = correlated(400, 64, 0.5, generator)
    np.testing.assert_allclose(X.norm(dim=-1), 8.0, rtol=1e-12)
    cosines = (X @ X.T / 64)[~torch.eye(400, dtype=torch.bool)]
    assert cosines.mean().item() == pytest.approx(0.5, abs=0.02)
    Y = clusters(3, 50, 64, 0.9, generator)
    assert (Y[:50] @ Y[:50].T / 64).mean().item() == pytest.approx(0.9, abs=0.02)
    assert abs((Y[:50] @ Y[50:].T / 64).mean().item()) < 0.4
