"""The examined functions as claims and figures read them: each with its row and its curve."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence

ROUNDING = 1e-12
"""How far a value at zero, or one of two mirrored values, may move in float64: a few operations leave 1e-16."""


@dataclass(frozen=True)
class Function:
    """One function of the evidence: its row, and its curve."""

    row: dict[str, Any]
    grid: NDArray[np.float64]
    values: NDArray[np.float64]
    slopes: NDArray[np.float64]

    @property
    def name(self) -> str:
        """As it was asked for."""
        return str(self.row["name"])

    @property
    def odd(self) -> bool:
        """Whether oddness is proven."""
        return self.row["odd"]["holds"] is True

    def at(self, x: float) -> float:
        """g(x), for x on the grid."""
        return float(self.values[np.abs(self.grid - x).argmin()])


def functions(evidence: Evidence) -> Iterator[Function]:
    """All that were examined."""
    for run in evidence.where(task="examine"):
        grid, values, slopes = (run.array(name) for name in ("grid", "values", "slopes"))
        for row, value, slope in zip(run.table("examined"), values, slopes, strict=True):
            yield Function(row, grid, value, slope)


def odd_functions(evidence: Evidence) -> list[Function]:
    """Those that are proven odd; raises `MissingEvidence` where there are none."""
    found = [g for g in functions(evidence) if g.odd]
    if not found:
        raise MissingEvidence("no examined function is odd")
    return found


def forced(evidence: Evidence) -> dict[str, Any]:
    """What oddness forces on any smooth function (`experiment.oddness_forces`)."""
    found: dict[str, Any] = evidence.where(task="examine").one().table("general")
    return found


def keeps_sign(g: Function) -> bool:
    """Whether it is positive where x is, negative where x is, all along the grid."""
    away = g.grid != 0
    return bool((np.sign(g.values[away]) == np.sign(g.grid[away])).all())


def meets(g: Function, *, positive_only: bool) -> bool:
    """Whether g(−x) = −g(x) along the grid, asked only where g(x) > 0 or everywhere."""
    asked = g.values > 0 if positive_only else np.isfinite(g.values)
    gap = np.abs(g.values + g.values[::-1])[asked]
    return bool((gap <= ROUNDING * np.abs(g.values[asked])).all())
