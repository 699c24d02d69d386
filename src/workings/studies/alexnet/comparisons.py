"""Which runs a claim compares, and how: by the changes of the fast recipe that a configuration has.

A run is told from others by its fields alone. One with every change of `study.CHANGES` is of the fast recipe, one with
none is of the sheet's, one with all but one has that one taken back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.core.config import to_json
from workings.core.decide import Comparison, paired_difference
from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.studies.alexnet.study import CHANGES, SHEET

DEFAULTS = to_json(SHEET)
TAKEN_BACK = {
    "cycle": "a constant rate",
    "start": "the sheet's first weights",
    "dropout": "the sheet's dropout",
    "turning": "pictures turned",
}
"""What the fast recipe has instead of each change, in words."""


@dataclass(frozen=True)
class Time:
    """What a training took."""

    seconds: float
    machine: tuple[Any, ...]
    """Device and threads: what makes two times comparable."""


def changes_of(config: Mapping[str, Any]) -> frozenset[str] | None:
    """The changes that a configuration has; None where it has one of them in part."""
    found = set()
    for name, fields in CHANGES.items():
        changed = [config[field] != DEFAULTS[field] for field in fields]
        if any(changed) and not all(changed):
            return None
        found |= {name} if all(changed) else set()
    return frozenset(found)


def sheet(evidence: Evidence) -> Evidence:
    """The trainings by the sheet's recipe."""
    return _with(evidence, frozenset(), "the sheet's recipe")


def fast(evidence: Evidence) -> Evidence:
    """The trainings by the fast recipe."""
    return _with(evidence, frozenset(CHANGES), "the fast recipe")


def without(evidence: Evidence, change: str) -> Evidence:
    """The trainings by the fast recipe with one change taken back."""
    return _with(evidence, frozenset(CHANGES) - {change}, f"the fast recipe without its {change}")


def errors(evidence: Evidence) -> NDArray[np.float64]:
    """1 where a run is wrong about a test picture: ``[seeds, pictures]``."""
    return np.stack([run.array("wrong") for run in evidence]).astype(float)


def gap(first: Evidence, second: Evidence) -> tuple[Comparison, Comparison]:
    """Error of the first less that of the second: over test pictures (means over seeds), and over seeds.

    Seeds are paired where the second has at least as many; otherwise its mean stands for each of the first's.
    """
    one, other = errors(first), errors(second)
    rates, others = one.mean(1).tolist(), other.mean(1).tolist()
    paired = others[: len(rates)] if len(others) >= len(rates) else [float(np.mean(others))] * len(rates)
    return paired_difference(one.mean(0).tolist(), other.mean(0).tolist()), paired_difference(rates, paired)


def time_of(run: Run) -> Time:
    """Seconds of a training's steps: the median over its epochs times their number, which an interruption leaves be."""
    seconds = [value for _, value in run.series("seconds")]
    session = run.sessions[-1] if run.sessions else {}
    machine = (session.get("device"), session.get("threads"), session.get("processes", 1))
    return Time(median(seconds) * len(seconds), machine)


def slowest(runs: Sequence[Run]) -> Time:
    """Of several trainings the one that took longest."""
    return max(map(time_of, runs), key=lambda time: time.seconds)


def _with(evidence: Evidence, wanted: frozenset[str], named: str) -> Evidence:
    runs = tuple(r for r in evidence if r.config.get("task") == "train" and changes_of(r.config) == wanted)
    if not runs:
        raise MissingEvidence(f"no training by {named} is finished")
    return replace(evidence, runs=runs)
