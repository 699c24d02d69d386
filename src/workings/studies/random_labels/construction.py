"""The finite-sample theorem, as a program: a two-layer ReLU network of 2n + d weights that represents any labels.

For n distinct points x_1 … x_n in d dimensions and any numbers y_1 … y_n there are a ∈ ℝᵈ and b, w ∈ ℝⁿ with

    f(x_i) = y_i,   f(x) = Σ_j w_j max(a·x − b_j, 0).

(Zhang, Bengio, Hardt, Recht, Vinyals, ICLR 2017, theorem 1.) Almost every direction a gives the points different
projections z_i = a·x_i. Sort them, and put a threshold below each: b_1 < z_1 ≤ b_2 < z_2 ≤ … < z_n. The matrix
max(z_i − b_j, 0) is then lower triangular with a positive diagonal, and w follows by forward substitution, here in O(n)
steps: what the units switched on so far add up to is a line, known by its value and its slope.

The theorem leaves the thresholds open. `previous` puts each at the projection before, `midpoints` half-way, which is
correct on paper and loses many more digits in a computer (see notes.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeVar

import numpy as np
from jaxtyping import Float, Int, Integer, Shaped

Thresholds = Literal["previous", "midpoints"]
Number = TypeVar("Number", float, Fraction)

BLOCK = 1 << 22
"""Terms of the network's sum held in memory at a time: 32 MB."""
DRAWS = 16
"""Directions tried. Of continuous ones almost none makes two of a few points meet; more failures are no accident."""


@dataclass(frozen=True)
class Memory:
    """The network f(x) = Σ_j w_j max(a·x − b_j, 0), in float64."""

    direction: Float[np.ndarray, " d"]
    """a"""
    thresholds: Float[np.ndarray, " n"]
    """b, rising"""
    weights: Float[np.ndarray, " n"]
    """w"""

    @property
    def size(self) -> int:
        """2n + d."""
        return len(self.direction) + len(self.thresholds) + len(self.weights)

    def __call__(self, points: Shaped[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """f of each point, summed term by term."""
        return relu_sum(np.asarray(points, dtype=np.float64) @ self.direction, self.thresholds, self.weights)


def memorise(
    points: Shaped[np.ndarray, "n d"],
    labels: Shaped[np.ndarray, " n"],
    seed: int = 0,
    thresholds: Thresholds = "previous",
) -> Memory:
    """A network that says these labels at these points.

    Equal points with equal labels count once. ValueError where equal points have different labels, where a number is
    not finite, or where there is no point.
    """
    kept = distinct(points, labels)
    z, direction = project(points[kept], seed)
    order = np.argsort(z)
    b = place(z[order], thresholds)
    w = np.array(substitute(z[order].tolist(), np.asarray(labels, dtype=np.float64)[kept][order].tolist(), b.tolist()))
    return Memory(direction, b, w)


def distinct(points: Shaped[np.ndarray, "n d"], labels: Shaped[np.ndarray, " n"]) -> Int[np.ndarray, " m"]:
    """Indices of the points, the first of each that are equal; ValueError where equal points differ in their labels."""
    if points.ndim != 2 or labels.shape != points.shape[:1] or not points.size:
        raise ValueError(f"points of shape {points.shape} and labels of shape {labels.shape}: give n × d, and n")
    for name, values in (("point", points), ("label", labels)):
        if values.dtype.kind != "f":
            continue  # whole numbers are finite, and names are labels too
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            raise ValueError(f"{name} {bad[0][0]} holds {values[tuple(bad[0])]}: give finite numbers")
    rows = np.ascontiguousarray(points + 0.0 if points.dtype.kind == "f" else points)  # -0.0 is 0.0
    seen: dict[bytes, int] = {}
    for index, row in enumerate(rows):
        first = seen.setdefault(row.tobytes(), index)
        if labels[first] != labels[index]:
            raise ValueError(
                f"points {first} and {index} are equal, and have the labels {labels[first]} and {labels[index]}: "
                "no function says both"
            )
    return np.array(list(seen.values()))


def project(points: Shaped[np.ndarray, "n d"], seed: int) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " d"]]:
    """a·x of each point for a Gaussian direction a that parts them all; ValueError where none was found."""
    draw = np.random.default_rng(seed)
    rows = np.asarray(points, dtype=np.float64)
    for _ in range(DRAWS):
        direction: Float[np.ndarray, " d"] = draw.standard_normal((rows.shape[1],))
        z = rows @ direction
        if len(np.unique(z)) == len(z):
            return z, direction
    raise ValueError(f"{DRAWS} directions in turn leave two points together: they are equal, or too near for float64")


def project_exactly(
    points: Integer[np.ndarray, "n d"], seed: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " d"]]:
    """The same for points and a direction of whole numbers, without any rounding."""
    draw = np.random.default_rng(seed)
    bound = 1 << 30
    rows = np.asarray(points, dtype=np.int64)
    if rows.shape[1] * max(int(np.abs(rows).max()), 1) >= 1 << 32:
        raise ValueError(f"points of {rows.shape[1]} numbers up to {int(np.abs(rows).max())} leave the range of int64")
    for _ in range(DRAWS):
        direction: Int[np.ndarray, " d"] = draw.integers(-bound, bound, (rows.shape[1],))
        z = rows @ direction
        if len(np.unique(z)) == len(z):
            return z, direction
    raise ValueError(f"{DRAWS} directions in turn leave two points together: are they distinct?")


def place(z: Float[np.ndarray, " n"], thresholds: Thresholds) -> Float[np.ndarray, " n"]:
    """A threshold below each of the rising projections, the first one unit below."""
    before = z[:-1] if thresholds == "previous" else z[:-1] + np.diff(z) / 2
    return np.concatenate([z[:1] - 1, before])


def substitute(z: Sequence[Number], y: Sequence[Number], b: Sequence[Number]) -> list[Number]:
    """The weights w with Σ_j w_j max(z_i − b_j, 0) = y_i, where b_1 < z_1 ≤ b_2 < z_2 ≤ …; floats or fractions."""
    weights: list[Number] = []
    value = slope = z[0] - z[0]
    at = b[0]
    for here, wanted, threshold in zip(z, y, b, strict=True):
        reached = value + slope * (here - at)  # what the units switched on before say here
        weight = (wanted - reached) / (here - threshold)
        weights.append(weight)
        value, slope, at = reached + weight * (here - threshold), slope + weight, here
    return weights


def relu_sum(
    z: Float[np.ndarray, " m"], b: Float[np.ndarray, " n"], w: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " m"]:
    """Σ_j w_j max(z_i − b_j, 0) for rising thresholds b, as a network computes it: term by term, in float64."""
    order = np.argsort(z)
    said = np.zeros(len(z))
    size = max(1, BLOCK // max(len(b), 1))
    for start in range(0, len(z), size):
        rows = order[start : start + size]
        on = int(np.searchsorted(b, z[rows[-1]], side="right"))  # units beyond are off for all of these
        said[rows] = np.maximum(z[rows, None] - b[:on], 0) @ w[:on]
    return said


def exact_values(z: Sequence[Fraction], b: Sequence[Fraction], w: Sequence[Fraction]) -> list[Fraction]:
    """The same sum in exact arithmetic, in O(n): a walk along the line, on which each threshold bends the slope."""
    corners = sorted([(place, 0, weight) for place, weight in zip(b, w, strict=True)] + [(p, 1, None) for p in set(z)])
    found: dict[Fraction, Fraction] = {}
    value = slope = Fraction(0)
    at = corners[0][0] if corners else Fraction(0)
    for place, _, weight in corners:
        value, at = value + slope * (place - at), place
        if weight is None:
            found[place] = value
        else:
            slope += weight
    return [found[place] for place in z]


def cancellation(z: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"], w: Float[np.ndarray, " n"]) -> float:
    """The largest Σ_j |w_j| max(z_i − b_j, 0): how large the terms are that cancel to a label.

    Times the unit roundoff it bounds, up to the number of additions, what float64 leaves of the sum; it rises with z.
    """
    return float(np.abs(w) @ np.maximum(z.max() - b, 0))


def smallest_gap(z: Float[np.ndarray, " n"]) -> float:
    """Between neighbours on the line; infinite for a single point."""
    return min((later - earlier for earlier, later in pairwise(np.sort(z).tolist())), default=float("inf"))
