"""What a descent shows by itself: the rate at which it closes in, and the steps that it takes."""

import math

import numpy as np
from jaxtyping import Float

TOLERANCE = 1e-6
"""How near, relative to the start, counts as arrived: single precision's last digits."""
TAIL = 0.5
"""The share of the steps, the last ones, from which a rate is read: by then the slowest direction is alone."""


def rate(distances: Float[np.ndarray, " times"]) -> tuple[float, float]:
    """(ρ, k) of the law c · tᵏ · ρᵗ which the tail of ‖w(t)‖ follows; a play that lands on the minimiser has (0, 0).

    A single root of modulus ρ gives k = 0, a double one (a Jordan block) k = 1: fitting log t beside t keeps such a
    factor t from passing for a slower rate. Roots off the real axis make the distance swing; the envelope, which is the
    greatest distance still to come (or, where it grows, met so far), passes over that. Fewer than 8 points give nan.
    """
    if not distances[-1]:
        return 0.0, 0.0
    quarter = max(len(distances) // 4, 1)
    outward = distances[-quarter:].max() > distances[-2 * quarter : -quarter].max(initial=0)
    reached = np.maximum.accumulate(distances if outward else distances[::-1])
    envelope = reached if outward else reached[::-1]
    times = np.arange(len(distances))[-max(math.ceil(TAIL * len(distances)), 4) :]
    if len(distances) < 8 or not np.isfinite(envelope).all():
        return math.nan, math.nan
    seen, logs = np.log(envelope[times]), np.log(times)
    _, _, power = np.linalg.lstsq(np.stack([np.ones(len(times)), times, logs], axis=1), seen, rcond=None)[0]
    power = float(np.clip(power, 0, 1))  # a root of a 2×2 matrix is single or double; what lies outside is swing
    return float(np.exp(np.polyfit(times, seen - power * logs, 1)[0])), power


def arrival(distances: Float[np.ndarray, " times"], tolerance: float = TOLERANCE) -> int | None:
    """The first step from which on ‖w(t)‖ ≤ tolerance · ‖w(0)‖, or None where the play ends further away."""
    outside = np.flatnonzero(~(distances <= tolerance * distances[0]))
    return int(outside[-1]) + 1 if outside[-1] + 1 < len(distances) else None


def steps_needed(log_rate: float, tolerance: float = TOLERANCE) -> float:
    """Steps after which ρᵗ ≤ tolerance; inf where ρ ≥ 1."""
    if log_rate >= 0:
        return math.inf
    return max(1.0, math.ceil(math.log(tolerance) / log_rate)) if log_rate > -math.inf else 1.0


def slope(x: Float[np.ndarray, " points"], y: Float[np.ndarray, " points"]) -> float:
    """The exponent p of y = c xᵖ, fitted on logarithmic axes."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])
