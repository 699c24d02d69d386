"""Least norm against numpy's pseudo-inverse and against every other solution; descent against its closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workings.studies.random_labels.linear import (
    descend,
    minimum_norm,
    one_hot,
    random_features,
    standardised,
    with_constant,
)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 20), st.integers(0, 10**6))
def test_it_is_the_pseudo_inverse(n: int, p: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    design, targets = draw.standard_normal((n, p)), draw.standard_normal((n, 3))
    found = minimum_norm(design, targets)
    inverse = np.linalg.pinv(design)
    assert found.rank == min(n, p)
    np.testing.assert_allclose(found.weights, inverse @ targets, atol=1e-9 * np.linalg.norm(inverse) * 10)


def test_every_other_solution_is_longer_and_the_kernel_gives_the_same() -> None:
    draw = np.random.default_rng(0)
    design, targets = draw.standard_normal((10, 25)), draw.standard_normal((10, 2))
    least = minimum_norm(design, targets).weights
    np.testing.assert_allclose(design.T @ np.linalg.solve(design @ design.T, targets), least, atol=1e-12)
    unseen = np.linalg.svd(design)[2][10:]  # a basis of what no row sees
    for _ in range(20):
        other = least + unseen.T @ draw.standard_normal((15, 2))
        np.testing.assert_allclose(design @ other, targets, atol=1e-9)
        assert np.linalg.norm(other) > np.linalg.norm(least)


def test_a_design_of_lower_rank_says_so() -> None:
    design = np.outer([1.0, 2.0, 3.0], [1.0, 1.0])
    assert minimum_norm(design, np.ones((3, 1))).rank == 1
    with pytest.raises(ValueError, match="infs or NaNs"):
        minimum_norm(np.array([[np.nan]]), np.ones((1, 1)))


def test_descent_is_its_closed_form() -> None:
    """W_t = W* + (I − rAᵀA)ᵗ (W_0 − W*) with r = 1/σ₁²."""
    draw = np.random.default_rng(1)
    design, targets, start = draw.standard_normal((4, 9)), draw.standard_normal((4, 2)), draw.standard_normal((9, 2))
    rate = 1 / np.linalg.eigvalsh(design @ design.T).max()
    least = np.linalg.pinv(design) @ targets
    power = np.linalg.matrix_power(np.eye(9) - rate * design.T @ design, 7)
    np.testing.assert_allclose(descend(design, targets, start, 7), least + power @ (start - least), atol=1e-12)
    np.testing.assert_array_equal(descend(design, targets, start, 0), start)


def test_targets_prefer_no_class() -> None:
    targets = one_hot(np.array([0, 2]), 4)
    assert targets.tolist() == [[0.75, -0.25, -0.25, -0.25], [-0.25, -0.25, 0.75, -0.25]]


def test_features_are_hand_worked_and_pictures_standardised() -> None:
    features = random_features(np.array([[1.0, -1.0]]), np.array([[2.0, 1.0], [1.0, 3.0]]))
    assert features.tolist() == [[1.0, 0.0]]  # max(2 − 1, 0), max(1 − 3, 0), times √(2/2)
    draw = np.random.default_rng(0)
    train, test = standardised(*(draw.random((n, 16)) * 255 for n in (50, 20)))
    np.testing.assert_allclose(train.mean(0), 0, atol=1e-12)
    assert (train**2).sum(1).mean() == pytest.approx(1)
    assert test.shape == (20, 16)


def test_pictures_that_are_all_alike_are_no_division_by_zero() -> None:
    train, test = standardised(np.full((3, 4), 7.0), np.full((2, 4), 8.0))
    assert not train.any()
    assert np.isfinite(test).all()


def test_centred_pictures_lose_a_rank_and_a_constant_gives_it_back() -> None:
    """Their rows add up to zero, so what does not cannot be fitted; a rank that rounding feigns is none."""
    draw = np.random.default_rng(3)
    train, _ = standardised(draw.random((12, 40)), draw.random((2, 40)))
    targets = one_hot(np.arange(12) % 3, 3) + 0.25
    centred, whole = minimum_norm(train, targets), minimum_norm(with_constant(train), targets)
    assert (centred.rank, whole.rank) == (11, 12)
    assert np.abs(train @ centred.weights - targets).max() > 0.1
    assert np.linalg.norm(centred.weights) < 100
    np.testing.assert_allclose(with_constant(train) @ whole.weights, targets, atol=1e-12)
