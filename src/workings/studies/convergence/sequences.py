"""Arbitrary vectors for the lemma, as exact fractions: nothing in it asks them to be subgradients of anything."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Exact = NDArray[np.object_]
"""An array of fractions."""

exact: Callable[[Any], Any] = np.frompyfunc(Fraction, 1, 1)
"""Numbers to fractions, each float64 to the one it stands for."""


class Draw(NamedTuple):
    """The lemma's ingredients."""

    v: Exact
    """v₁ to v_T, a row each."""
    comparator: Exact
    eta: Fraction


def integers(steps: int, dimension: int, rng: np.random.Generator) -> Draw:
    """Small whole numbers: what one would work by hand."""
    return Draw(_whole(rng, 9, (steps, dimension)), _whole(rng, 9, dimension), Fraction(1, int(rng.integers(1, 9))))


def fractions(steps: int, dimension: int, rng: np.random.Generator) -> Draw:
    """Quotients of whole numbers up to a thousand."""
    v = _whole(rng, 1000, (steps, dimension)) / exact(rng.integers(1, 1000, (steps, dimension)))
    comparator = _whole(rng, 1000, dimension) / exact(rng.integers(1, 1000, dimension))
    return Draw(v, comparator, Fraction(int(rng.integers(1, 1000)), int(rng.integers(1, 1000))))


def floats(steps: int, dimension: int, rng: np.random.Generator) -> Draw:
    """Normal draws over sixteen orders of magnitude: floats would drown each other, fractions do not."""
    scales = 10.0 ** rng.integers(-8, 9, (steps, 1))
    v, comparator = exact(rng.normal(size=(steps, dimension)) * scales), exact(rng.normal(size=dimension))
    return Draw(v, comparator, Fraction(float(rng.uniform(0.01, 10))))


def runaway(steps: int, dimension: int, rng: np.random.Generator) -> Draw:
    """An adversary: every v_t points from the iterate to w*, so that every step doubles the distance."""
    comparator, eta = _whole(rng, 9, dimension), Fraction(1, 2)
    w, v = exact(np.zeros(dimension, dtype=int)), []
    for _ in range(steps):
        v.append((comparator - w) / eta)
        w = w - eta * v[-1]
    return Draw(np.array(v, dtype=object), comparator, eta)


def homing(steps: int, dimension: int, rng: np.random.Generator) -> Draw:
    """Equal steps that land on w* exactly: nothing is dropped, and the lemma holds with equality."""
    comparator, eta = _whole(rng, 9, dimension), Fraction(1, int(rng.integers(1, 9)))
    return Draw(np.array([-comparator / (eta * steps)] * steps, dtype=object), comparator, eta)


KINDS: Mapping[str, Callable[[int, int, np.random.Generator], Draw]] = {
    kind.__name__: kind for kind in (integers, fractions, floats, runaway, homing)
}


def _whole(rng: np.random.Generator, size: int, shape: int | tuple[int, ...]) -> Any:
    return exact(rng.integers(-size, size + 1, shape))
