"""A pair of works that do the same, timed side by side."""

import time
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Pair:
    """The same work done in two ways; the ratio is the time of `theirs` over that of `ours`."""

    name: str
    ours: Work
    theirs: Work
    mark: float
    scale: float = 1.0
    """How many times the work of `theirs` makes that of `ours`."""
    repeats: int = 3


def best(pair: Pair) -> tuple[float, float]:
    """Seconds for each side's work: the best of the repeats, taken by turns."""
    times = [[_seconds(work) for work in (pair.ours, pair.theirs)] for _ in range(pair.repeats)]
    ours, theirs = map(min, zip(*times, strict=True))
    return ours, theirs * pair.scale


def _seconds(work: Work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
