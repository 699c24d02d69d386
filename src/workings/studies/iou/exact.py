"""IoU in exact fractions: its value, its slope on either side of a point, and where the two differ (problem 3b).

A slope is carried through the definition beside the value: of max(u, v) the larger one counts, and where they are
equal the larger slope, which is the slope of the maximum on the side that one looks to. Scalars only: it is here to be
certain, `model` to be fast.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

Box = tuple[Fraction, Fraction, Fraction, Fraction]
SIDES = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True)
class Sloped:
    """A number and its slope in the direction looked to."""

    value: Fraction
    slope: Fraction = Fraction(0)

    def __add__(self, other: "Sloped") -> "Sloped":
        return Sloped(self.value + other.value, self.slope + other.slope)

    def __neg__(self) -> "Sloped":
        return Sloped(-self.value, -self.slope)

    def __sub__(self, other: "Sloped") -> "Sloped":
        return self + -other

    def __mul__(self, other: "Sloped") -> "Sloped":
        return Sloped(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __truediv__(self, other: "Sloped") -> "Sloped":
        slope = (self.slope * other.value - self.value * other.slope) / other.value**2
        return Sloped(self.value / other.value, slope)


NOTHING = Sloped(Fraction(0))


def larger(u: Sloped, v: Sloped) -> Sloped:
    """max(u, v), with the slope that the maximum has just ahead."""
    return max(u, v, key=lambda number: (number.value, number.slope))


def smaller(u: Sloped, v: Sloped) -> Sloped:
    """min(u, v), likewise."""
    return -larger(-u, -v)


class Overlap(NamedTuple):
    """Areas and their quotient."""

    a: Sloped
    b: Sloped
    intersection: Sloped
    union: Sloped
    iou: Sloped


def fractions(numbers: Sequence[float]) -> Box:
    """A box as it is printed: 0.1 is 1/10."""
    x1, y1, x2, y2 = (Fraction(repr(float(number))) for number in numbers)
    return x1, y1, x2, y2


def overlap(a: Box, b: Box, direction: Sequence[int] = (0, 0, 0, 0)) -> Overlap:
    """Areas and IoU of two boxes, with slopes as `a` begins to move by `direction`.

    Raises ZeroDivisionError where the union has no area: there IoU is set to 0, and is not continuous.
    """
    ax1, ay1, ax2, ay2 = (Sloped(side, Fraction(d)) for side, d in zip(a, direction, strict=True))
    bx1, by1, bx2, by2 = map(Sloped, b)
    area_a, area_b = _area(ax1, ay1, ax2, ay2), _area(bx1, by1, bx2, by2)
    shared = _area(larger(ax1, bx1), larger(ay1, by1), smaller(ax2, bx2), smaller(ay2, by2))
    union = area_a + area_b - shared
    return Overlap(area_a, area_b, shared, union, shared / union)


def slopes(a: Box, b: Box, direction: Sequence[int]) -> tuple[Fraction, Fraction]:
    """The slope of IoU as `a` moves along `direction`, before the point and after it; they differ at a kink."""
    before = overlap(a, b, [-d for d in direction]).iou.slope
    return -before, overlap(a, b, direction).iou.slope


def kinks(a: Box, b: Box) -> dict[str, tuple[Fraction, Fraction]]:
    """Slopes before and after, of those sides of `a` along which IoU has a kink."""
    along = {side: slopes(a, b, [int(side == other) for other in SIDES]) for side in SIDES}
    return {side: pair for side, pair in along.items() if pair[0] != pair[1]}


def _area(x1: Sloped, y1: Sloped, x2: Sloped, y2: Sloped) -> Sloped:
    return larger(x2 - x1, NOTHING) * larger(y2 - y1, NOTHING)
