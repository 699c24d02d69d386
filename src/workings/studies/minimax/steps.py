"""Sets of step sizes: finite unions of intervals, their endpoints exact (sympy numbers) or bracketed (floats)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any


@dataclass(frozen=True)
class Interval:
    """The step sizes from `low` to `high`; an end belongs to it where it is closed. An end may be infinite."""

    low: Any
    high: Any
    """Ends: sympy numbers where they are exact, else floats; `float(...)` takes either."""
    closed_low: bool = False
    closed_high: bool = False

    def __contains__(self, eta: float) -> bool:
        above = eta >= self.low if self.closed_low else eta > self.low
        below = eta <= self.high if self.closed_high else eta < self.high
        return bool(above and below)

    def __str__(self) -> str:
        left = "" if math.isinf(self.low) else f"{_shown(self.low)} {'≤' if self.closed_low else '<'} "
        right = "" if math.isinf(self.high) else f" {'≤' if self.closed_high else '<'} {_shown(self.high)}"
        if self.low == self.high:
            return f"η = {_shown(self.low)}"
        return f"{left}η{right}" if left or right else "every η"


@dataclass(frozen=True)
class StepSet:
    """A set of step sizes: disjoint intervals in ascending order; none of them means that no step size will do."""

    intervals: tuple[Interval, ...]
    exact: bool
    """Whether the ends are exact; otherwise each is within `tolerance` of the true one."""
    tolerance: float = 0.0
    """Half the width of the bracket about each end; 0 for an exact set. What a scan passes over it does not know."""

    @property
    def empty(self) -> bool:
        """Whether no step size will do."""
        return not self.intervals

    @property
    def floats(self) -> tuple[tuple[float, float], ...]:
        """The ends of the intervals as floats."""
        return tuple((float(interval.low), float(interval.high)) for interval in self.intervals)

    def __contains__(self, eta: float) -> bool:
        return any(eta in interval for interval in self.intervals)

    def __and__(self, other: "StepSet") -> "StepSet":
        pairs = (_meet(one, two) for one in self.intervals for two in other.intervals)
        exact, tolerance = self.exact and other.exact, max(self.tolerance, other.tolerance)
        return StepSet(tuple(pair for pair in pairs if pair is not None), exact, tolerance)

    def __str__(self) -> str:
        return " or ".join(map(str, self.intervals)) or "no step size"


def _shown(end: Any) -> str:
    """A short exact end as it is, any other in six digits."""
    text = str(end)
    return text if not isinstance(end, float) and len(text) <= 24 else f"{float(end):.6g}"


def _meet(one: Interval, two: Interval) -> Interval | None:
    low = max(one.low, two.low)
    high = min(one.high, two.high)
    closed_low = all(low in i or i.low < low for i in (one, two))
    closed_high = all(high in i or i.high > high for i in (one, two))
    if low > high or (low == high and not (low in one and low in two)):
        return None
    return Interval(low, high, closed_low, closed_high)


def assemble(
    ends: Sequence[Any], inside: Callable[[Any, Any], bool], at: Callable[[Any], bool] = lambda _: False
) -> tuple[Interval, ...]:
    """The set that holds the open cell (low, high) between neighbouring ends where `inside`, and an end where `at`.

    The first and the last end only bound the search: they belong to no interval.
    """

    def kept(piece: tuple[Any, Any]) -> bool:
        low, high = piece
        return at(low) if low == high else inside(low, high)

    pieces = [piece for low, high in pairwise(ends) for piece in ((low, low), (low, high))][1:]
    runs = [list(run) for keep, run in groupby(pieces, kept) if keep]
    return tuple(
        Interval(run[0][0], run[-1][1], closed_low=run[0][0] == run[0][1], closed_high=run[-1][0] == run[-1][1])
        for run in runs
    )
