"""The theorem's network against fractions, dense solvers and hand-worked numbers."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workings.studies.random_labels.construction import (
    Thresholds,
    cancellation,
    distinct,
    exact_values,
    memorise,
    place,
    project,
    project_exactly,
    relu_sum,
    smallest_gap,
    substitute,
)

KINDS: tuple[Thresholds, ...] = ("previous", "midpoints")
rising = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=12, unique=True).map(sorted)
labelled = rising.flatmap(
    lambda z: st.tuples(st.just(z), st.lists(st.integers(-9, 9), min_size=len(z), max_size=len(z)))
)


def ramp(z: object, b: object) -> object:
    return max(z - b, 0)  # type: ignore[operator,type-var]


def exact_thresholds(z: list[int], kind: Thresholds) -> list[Fraction]:
    before = z[:-1] if kind == "previous" else [Fraction(a + b, 2) for a, b in pairwise(z)]
    return [Fraction(v) for v in (z[0] - 1, *before)]


@given(labelled, st.sampled_from(KINDS))
def test_in_fractions_every_label_is_said_exactly(case: tuple[list[int], list[int]], kind: Thresholds) -> None:
    z, y = ([Fraction(v) for v in values] for values in case)
    b = exact_thresholds(case[0], kind)
    w = substitute(z, y, b)
    said = [sum((weight * ramp(at, corner) for weight, corner in zip(w, b, strict=True)), Fraction(0)) for at in z]
    assert said == y
    assert exact_values(z, b, w) == y


@given(labelled, st.sampled_from(KINDS), st.lists(st.fractions(-10, 10), max_size=5))
def test_the_walk_along_the_line_is_the_sum_everywhere(
    case: tuple[list[int], list[int]], kind: Thresholds, places: list[Fraction]
) -> None:
    b = exact_thresholds(case[0], kind)
    w = [Fraction(v) for v in case[1]]
    expected = [
        sum((weight * ramp(at, corner) for weight, corner in zip(w, b, strict=True)), Fraction(0)) for at in places
    ]
    assert exact_values(places, b, w) == expected


def test_hand_worked_weights() -> None:
    """Labels 3, 5, 0 at 1, 2, 4: from (0, 0) the slopes are 3, 2, −2.5."""
    assert substitute([1.0, 2.0, 4.0], [3.0, 5.0, 0.0], [0.0, 1.0, 2.0]) == [3.0, -1.0, -4.5]
    # Half-way between: a slope must make up for the one before; 3, then 1 (3·½ + 1·½ = 2), then −6.
    assert substitute([1.0, 2.0, 4.0], [3.0, 5.0, 0.0], [0.0, 1.5, 3.0]) == [3.0, -2.0, -7.0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_the_weights_are_those_of_the_triangular_system(kind: Thresholds, n: int) -> None:
    draw = np.random.default_rng(n)
    z, y = np.sort(draw.standard_normal(n)), draw.standard_normal(n)
    b = place(z, kind)
    matrix = np.maximum(z[:, None] - b, 0)
    assert np.array_equal(matrix, np.tril(matrix))
    assert (np.diag(matrix) > 0).all()
    weights = substitute(z.tolist(), y.tolist(), b.tolist())
    np.testing.assert_allclose(weights, scipy.linalg.solve_triangular(matrix, y, lower=True), rtol=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(1, 8), st.integers(0, 10**6))
def test_any_labels_on_any_points_with_so_many_numbers(n: int, d: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    points, labels = draw.standard_normal((n, d)), draw.integers(0, 10, n)
    memory = memorise(points, labels, seed)
    assert memory.size == 2 * n + d
    off = np.abs(memory(points) - labels).max()
    z = points @ memory.direction
    assert off <= (n + 2) * 2.0**-52 * max(1.0, cancellation(z, memory.thresholds, memory.weights))


def test_it_is_the_network_that_torch_would_compute() -> None:
    import torch

    draw = np.random.default_rng(0)
    points, labels = draw.random((30, 5)), draw.integers(0, 10, 30)
    memory = memorise(points, labels)
    hidden = torch.nn.Linear(5, 30).double()
    with torch.no_grad():
        hidden.weight.copy_(torch.from_numpy(memory.direction).expand(30, 5))
        hidden.bias.copy_(-torch.from_numpy(memory.thresholds))
        said = torch.relu(hidden(torch.from_numpy(points))) @ torch.from_numpy(memory.weights)
    np.testing.assert_allclose(said.numpy(), labels, atol=1e-8)


def test_one_point_needs_one_unit() -> None:
    memory = memorise(np.array([[2.0, 3.0]]), np.array([7]))
    assert memory.size == 4
    assert memory(np.array([[2.0, 3.0]])) == pytest.approx(7)


def test_equal_points_with_equal_labels_count_once() -> None:
    points = np.array([[1, 2], [3, 4], [1, 2]], dtype=np.uint8)
    assert distinct(points, np.array([5, 6, 5])).tolist() == [0, 1]
    assert memorise(points, np.array([5, 6, 5])).size == 2 * 2 + 2


@pytest.mark.parametrize("points", [np.array([[1, 2], [1, 2]]), np.array([[0.0, 1.0], [-0.0, 1.0]])])
def test_equal_points_with_two_labels_are_named(points: NDArray[np.generic]) -> None:
    with pytest.raises(ValueError, match=r"points 0 and 1 are equal, and have the labels 5 and 6"):
        memorise(points, np.array([5, 6]))
    with pytest.raises(ValueError, match="the labels cat and dog"):
        distinct(points, np.array(["cat", "dog"]))


@pytest.mark.parametrize(
    ("points", "labels", "told"),
    [
        (np.array([[np.nan, 1.0]]), np.array([1.0]), "point 0 holds nan"),
        (np.array([[1.0], [np.inf]]), np.array([1.0, 2.0]), "point 1 holds inf"),
        (np.array([[1.0]]), np.array([np.nan]), "label 0 holds nan"),
        (np.empty((0, 3)), np.empty(0), "shape"),
        (np.empty((3, 0)), np.empty(3), "shape"),
    ],
)
def test_what_is_no_table_is_refused(points: NDArray[np.float64], labels: NDArray[np.float64], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        memorise(points, labels)


def test_points_too_near_for_float64_are_refused() -> None:
    near = np.array([[1e300, 1.0], [1e300, 2.0]])
    with pytest.raises(ValueError, match="too near for float64"):
        project(near, 0)


def test_an_exact_projection_is_exact_and_keeps_its_range() -> None:
    points = np.random.default_rng(0).integers(0, 256, (20, 784))
    z, direction = project_exactly(points, 3)
    assert z.tolist() == [sum(int(a) * int(x) for a, x in zip(direction, row, strict=True)) for row in points]
    with pytest.raises(ValueError, match="leave the range of int64"):
        project_exactly(np.full((2, 10), 2**40), 0)


@given(st.integers(0, 50), st.integers(0, 40), st.integers(0, 99))
def test_the_sum_is_that_of_a_dense_product(m: int, n: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    z, b, w = draw.standard_normal(m), np.sort(draw.standard_normal(n)), draw.standard_normal(n)
    np.testing.assert_allclose(relu_sum(z, b, w), np.clip(np.subtract.outer(z, b), 0, None) @ w, atol=1e-12)


def test_half_way_thresholds_never_forget_a_narrow_gap() -> None:
    """One gap of 1e-6 among gaps of 1: at the projections one weight is large, half-way all later ones are."""
    z = np.concatenate([np.arange(10.0), 9 + 1e-6 + np.arange(10.0)])
    y = np.arange(20.0) % 3
    weights = {kind: np.abs(substitute(z.tolist(), y.tolist(), place(z, kind).tolist())) for kind in KINDS}
    assert (weights["previous"] > 1e3).sum() == 2
    assert (weights["midpoints"] > 1e3).sum() == 10
    assert smallest_gap(z) == pytest.approx(1e-6)
    assert smallest_gap(z[:1]) == float("inf")
