"""The measures against scipy, closed forms, and loops over every pair."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workings.studies.dcgan.measures import frechet, nearest, precision_recall

seeds = st.integers(0, 10_000)


def cloud(seed: int, count: int, dim: int) -> np.ndarray:
    return np.random.default_rng([seed, count, dim]).normal(size=(count, dim)) @ np.diag(1.0 + np.arange(dim))


@given(seed=seeds, dim=st.integers(2, 6), shift=st.floats(-5, 5))
@settings(max_examples=30, deadline=None)
def test_the_frechet_distance_is_that_by_scipy_s_matrix_root(seed: int, dim: int, shift: float) -> None:
    a, b = cloud(seed, 40, dim), cloud(seed + 1, 50, dim) + shift
    one, other = np.cov(a.T), np.cov(b.T)
    root = scipy.linalg.sqrtm(one @ other)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(one + other - 2 * root.real)
    # scipy's root of a matrix that is not symmetric keeps about half of float64's digits.
    assert frechet(a, b) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_in_one_dimension_it_is_the_difference_of_means_and_of_deviations_squared() -> None:
    """By hand: {0, 2} has mean 1 and variance 2, {0, 6} has 3 and 18: (1 − 3)² + (√2 − √18)² = 4 + 8."""
    assert frechet(np.array([[0.0], [2.0]]), np.array([[0.0], [6.0]])) == pytest.approx(12)


def test_a_cloud_is_at_distance_0_from_itself_even_where_it_is_flat() -> None:
    flat = np.column_stack([np.arange(9.0), np.zeros(9), np.zeros(9)])
    # √ of rounding in eigenvalues of size 10: a few times 1e-8.
    assert frechet(flat, flat) == pytest.approx(0, abs=1e-6)
    assert frechet(flat, flat + 3.0) == pytest.approx(27, abs=1e-6)


def share_inside(points: np.ndarray, centres: np.ndarray, k: int) -> float:
    inside = 0
    for point in points:
        for i, centre in enumerate(centres):
            others = sorted(math.dist(centre, o) for j, o in enumerate(centres) if j != i)
            if math.dist(point, centre) <= others[k - 1]:
                inside += 1
                break
    return inside / len(points)


@given(seed=seeds, shift=st.floats(0, 4), k=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_precision_and_recall_are_those_of_a_loop_over_every_pair(seed: int, shift: float, k: int) -> None:
    real, drawn = cloud(seed, 17, 3), cloud(seed + 1, 14, 3) + shift
    found = precision_recall(torch.from_numpy(real), torch.from_numpy(drawn), k)
    assert found == pytest.approx((share_inside(drawn, real, k), share_inside(real, drawn, k)))


def test_one_perfect_picture_over_and_over_is_precise_and_recalls_nothing() -> None:
    real = torch.from_numpy(cloud(0, 200, 4))
    precision, recall = precision_recall(real, real[:1].repeat(50, 1))
    assert precision == 1
    assert recall <= 1 / 200


def test_more_points_than_fit_a_block_are_measured_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    real, drawn = torch.from_numpy(cloud(0, 60, 3)), torch.from_numpy(cloud(1, 50, 3))
    whole = precision_recall(real, drawn), nearest(drawn, real)
    monkeypatch.setattr("workings.studies.dcgan.measures.BLOCK", 7)
    assert precision_recall(real, drawn) == whole[0]
    assert torch.equal(nearest(drawn, real)[1], whole[1][1])


@given(seed=seeds)
@settings(max_examples=15, deadline=None)
def test_the_nearest_is_the_nearest_of_all(seed: int) -> None:
    asked, others = cloud(seed, 8, 5), cloud(seed + 1, 30, 5)
    distances, index = nearest(torch.from_numpy(asked), torch.from_numpy(others))
    for point, distance, at in zip(asked, distances.tolist(), index.tolist(), strict=True):
        every = [math.dist(point, other) for other in others]
        assert at == int(np.argmin(every))
        assert distance == pytest.approx(min(every))


def test_a_copy_is_at_distance_exactly_0() -> None:
    pictures = torch.from_numpy(cloud(0, 30, 9)).float()
    distances, index = nearest(pictures[[4, 9]], pictures)
    assert distances.tolist() == [0, 0]
    assert index.tolist() == [4, 9]
