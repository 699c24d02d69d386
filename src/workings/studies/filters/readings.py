"""What the claims read in the evidence: kernels taken apart, waves of the grid, photographs under noise."""

from collections.abc import Iterator
from math import pi
from typing import Any

import numpy as np

from workings.core.evidence import Evidence, Run
from workings.studies.filters.study import PHOTOGRAPHS


def inspected(evidence: Evidence, name: str) -> Run:
    """The run that took a kernel apart."""
    return evidence.where(task="inspect", kernel=name).one()


def by_photograph(evidence: Evidence) -> Iterator[tuple[str, tuple[Run, ...]]]:
    """Each photograph, and its runs by seed."""
    for photograph in PHOTOGRAPHS:
        yield photograph, evidence.where(task="noise", image=photograph).runs


def entries(run: Run) -> str:
    """The kernel as it is typed."""
    return "; ".join(" ".join(row) for row in run.table("kernel")["rows"])


def wave(run: Run, badness: np.ndarray[Any, Any]) -> dict[str, Any]:
    """The wave of the grid that most offends, and its answer."""
    row, column = np.unravel_index(int(badness.argmax()), badness.shape)
    real, imaginary = run.array("response")[:, row, column].tolist()
    u, v = (frequency(int(at), len(badness)) for at in (column, row))
    return {"kernel": entries(run), "u": u, "v": v, "H": [real, imaginary]}


def minus(number: str) -> str:
    """A number with a proper minus."""
    return number.replace("-", "−")


def frequency(place: int, points: int) -> float:
    """In radians a pixel, of a place on the grid."""
    return float(np.linspace(-pi, pi, points)[place])


def as_foretold(row: dict[str, Any], name: str, level: float) -> bool:
    """Whether PSNR falls below the level and rises above it."""
    gained = row["scores"][name]["psnr"] > row["scores"]["noisy"]["psnr"]
    return bool(gained == (row["level"] > level))


def span(levels: dict[str, float]) -> str:
    """The least and the greatest, with their photographs."""
    (least, low), (most, high) = (choose(levels.items(), key=lambda kv: kv[1]) for choose in (min, max))
    return f"{low:.3g} ({least}) to {high:.3g} ({most})"
