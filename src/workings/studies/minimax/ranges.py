"""How a claim about step sizes is decided: the exact set in the evidence, and plays on both sides of its ends."""

import math
from collections.abc import Mapping
from typing import Any

from workings.core.claim import Verdict, refuted, supported
from workings.core.evidence import Evidence, Run

ROUNDING = 1e-12
"""How far an exact number may move when it is written as float64 and taken through one or two operations."""


def converges_between(runs: Evidence, low: float, high: float) -> Verdict:
    """Whether the converging step sizes are those between `low` and `high`, and every play agrees."""
    found = runs.one().table("steps")["converging"]
    intervals = found["intervals"]
    same = len(intervals) == 1 and math.isclose(intervals[0][0], low, abs_tol=ROUNDING)
    if not (same and math.isclose(intervals[0][1], high, rel_tol=ROUNDING)):
        eta = _disputed(intervals, low, high)
        converges = any(a < eta < b for a, b in intervals)
        return refuted(
            f"It converges for {found['text']}.", witness={"eta": eta, "stated": low < eta < high, "true": converges}
        )
    for run in runs:
        eta = run.config["eta"]
        if _approaches(run) != (low < eta < high):
            return refuted("A play says otherwise.", witness={"eta": eta, "approaches": _approaches(run)})
    return supported(f"It converges exactly for {found['text']}; {len(runs)} plays agree.", steps=intervals[0])


def never_converges(runs: Evidence, bounded: tuple[float, float] | None) -> Verdict:
    """Whether no step size converges, and just those between `bounded` keep every play bounded."""
    steps = runs.one().table("steps")
    if steps["converging"]["intervals"]:
        eta = middle(*steps["converging"]["intervals"][0])
        return refuted("Some step sizes converge.", witness={"eta": eta, "converges_for": steps["converging"]["text"]})
    wanted = [] if bounded is None else [list(bounded)]
    if steps["bounded"]["intervals"] != wanted:
        return refuted("It stays bounded for others.", witness={"stays_bounded_for": steps["bounded"]["text"]})
    ends: Mapping[str, Any] = {f"η = {run.config['eta']:g}": run.metrics.get("distance/end", math.inf) for run in runs}
    for run in runs:
        inside = bounded is not None and bounded[0] < run.config["eta"] < bounded[1]
        if run.metric("spectral_radius") < 1 - ROUNDING or (not inside and _approaches(run)):
            return refuted("A play comes nearer.", witness={"eta": run.config["eta"], "distances": ends})
    return supported(
        f"It converges for {steps['converging']['text']} and stays bounded for {steps['bounded']['text']}.",
        spectral_radius={f"η = {run.config['eta']:g}": run.metric("spectral_radius") for run in runs},
    )


def _approaches(run: Run) -> bool:
    """Whether a play ended nearer to the point than it began; one that left the numbers did not."""
    return run.metrics.get("distance/end", math.inf) < run.metric("distance/start")


def contracting(rate: float) -> tuple[float, float]:
    """The step sizes, negative ones too, with |1 + rate·η| < 1: those between 0 and −2/rate."""
    return (0.0, -2 / rate) if rate < 0 else (-2 / rate, 0.0)


def _disputed(intervals: list[list[float]], low: float, high: float) -> float:
    """A step size on which the stated interval and the true set disagree: between two neighbouring ends."""
    ends = sorted({low, high, *(end for interval in intervals for end in interval)})
    for a, b in zip(ends, [*ends[1:], ends[-1] + 1], strict=True):
        eta = middle(a, b)
        if (low < eta < high) != any(x < eta < y for x, y in intervals):
            return eta
    return high


def middle(low: float, high: float) -> float:
    """A step size between the two."""
    return (low + high) / 2
