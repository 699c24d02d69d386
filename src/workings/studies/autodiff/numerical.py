"""Derivatives by differences, and how far they may be off: the Taylor remainder.

    (f(w + Δe) − f(w)) / Δ            = ∂f + Δ/2 · ∂²f(ξ)         forward,  ξ on the segment from w to w + Δe
    (f(w + Δe) − f(w − Δe)) / 2Δ      = ∂f + Δ²/6 · ∂³f(ξ)        central,  ξ on the segment from w − Δe to w + Δe

The remainder is bounded by the largest second or third derivative on the segment, which the engine takes exactly, by
dual numbers within dual numbers.
"""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from workings.studies.autodiff.formulas import Formulas
from workings.studies.autodiff.model import jvp
from workings.studies.autodiff.primitives import broadcast_to, stack
from workings.studies.autodiff.tracing import Value

Scheme = Literal["forward", "central"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
POINTS = 65
"""Points of a segment at which a derivative is taken; between two, a smooth one changes by a part in a thousand."""
STEPS = np.logspace(-12, 0, 49)
"""Steps at which the error is followed, from where rounding rules to where truncation does."""
ULPS = 4
"""Rounding in each value of f, in units of its last place: one for each of its last few operations."""


def difference_jacobian(f: Formulas, w: Float[np.ndarray, " n"], delta: float, scheme: Scheme) -> np.ndarray:
    """J by differences of step `delta`, a column an input: shape (m, n). Costs n or 2n more values of f."""
    columns = []
    for e in np.eye(len(w)):
        back = w - delta * e if scheme == "central" else w
        columns.append((f(w + delta * e) - f(back)) / (2 * delta if scheme == "central" else delta))
    return np.stack(columns, axis=-1)


def remainder_bound(f: Formulas, w: Float[np.ndarray, " n"], delta: float, scheme: Scheme) -> np.ndarray:
    """How far each entry of `difference_jacobian` may be from J, rounding included: shape (m, n)."""
    order, factor = (2, delta / 2) if scheme == "forward" else (3, delta**2 / 6)
    steps = np.linspace(0 if scheme == "forward" else -delta, delta, POINTS)
    bounds = []
    for e in np.eye(len(w)):
        largest = np.abs(_along(f, w, e, order)(steps)).max(axis=-1)
        size = np.abs(_along(f, w, e, 0)(steps)).max(axis=-1)
        bounds.append(factor * largest + ULPS * np.finfo(float).eps * size / delta)
    return np.stack(bounds, axis=-1)


def errors_by_step(f: Formulas, w: Float[np.ndarray, " n"], J: Float[np.ndarray, "m n"], scheme: Scheme) -> np.ndarray:
    """The largest error of `difference_jacobian` for each of `STEPS`; nan where a step leaves the domain."""
    return np.array([np.abs(difference_jacobian(f, w, float(step), scheme) - J).max() for step in STEPS])


def _along(f: Formulas, w: np.ndarray, direction: np.ndarray, order: int) -> Callable[[Value], Value]:
    """The derivative of f of an order along a direction, at w + s·direction for many s: shape (m, len(s))."""

    def along(s: Value) -> Value:
        values = f.each([x + s * d for x, d in zip(w, direction, strict=True)])
        return stack([broadcast_to(value, s.shape) for value in values])

    def derivative(g: Callable[[Value], Value]) -> Callable[[Value], Value]:
        return lambda s: jvp(g, [s], [np.ones(s.shape)])[1]

    line: Callable[[Value], Value] = along
    for _ in range(order):
        line = derivative(line)
    return line
