"""A descent in plain words: the table for a person, the verdict on a step size, why a loss has no minimum."""

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from workings.studies.descent.measure import TOLERANCE, steps_needed
from workings.studies.descent.model import Array, Quadratic
from workings.studies.descent.spectrum import Tuning, exactly
from workings.studies.descent.study import Method

SLOW = 100
"""Steps to a millionth from which on we call a descent slow: gradient descent needs them at κ of about 15."""
SHOWN = 6
"""Weights or curvatures that are listed one by one."""
UNREADABLE = 1e-5
"""A factor nearer to 1 than this prints as 1 in six digits, and is written as 1 less the gap instead."""


def told(
    loss: Quadratic,
    method: Method,
    high: Fraction | float,
    best: Tuning,
    logs: Array,
    path: Array,
    metrics: Mapping[str, float],
) -> dict[str, str]:
    """The table that `workings run` prints."""
    eta, beta, settled, measured = (metrics[name] for name in ("eta", "beta", "steps/measured", "rate/measured"))
    beyond = "never" if logs.max() >= 0 else "more than were followed"
    return {
        "gradient": f"∇L(w) = {_vector([_linear(row) for row in loss.A])}",
        "minimiser": f"w* = {_vector(['0'] * loss.n)}, where L = 0",
        "condition number": f"κ = {metrics['kappa']:.6g}",
        "step": _parameters(eta, beta),
        **_factors(loss, eta, beta, logs),
        "converges for": f"0 < η < {_end(high)}",
        f"best for {method}": f"{_parameters(best.eta, best.beta)}, rate {factor(best.log_rate)}, "
        f"about {count(steps_needed(best.log_rate))}",
        "rate": f"predicted {factor(float(logs.max()))}, "
        + ("too few steps to measure it" if math.isnan(measured) else f"measured {measured:.6g}"),
        f"steps to {TOLERANCE:g} of the start": f"{settled:,.0f}" if settled < math.inf else beyond,
        "verdict": verdict(method, eta, high, best, float(logs.max()), metrics["kappa"]),
        f"after {len(path) - 1} steps": _vector([f"{coordinate:.6g}" for coordinate in path[-1]]),
    }


def verdict(method: Method, eta: float, high: Fraction | float, best: Tuning, log_rate: float, kappa: float) -> str:
    """One line on a step size: whether it converges, how fast, and what would be faster."""
    least = steps_needed(best.log_rate)
    chosen = exactly(eta) if isinstance(high, Fraction) else eta
    if chosen >= high and eta == best.eta:
        return f"does not converge: at κ = {kappa:.3g} float64 rounds the best step to the threshold itself"
    if chosen == high:
        return "does not converge: η is the threshold itself, where one factor is −1 and w flips sides for ever"
    if chosen > high:
        return f"diverges: η is beyond the threshold, and w grows by {math.exp(log_rate):.6g} at each step"
    needed = steps_needed(log_rate)
    pace = f"w keeps {factor(log_rate)} of its distance at each step, about {count(needed)} to a millionth"
    if needed < SLOW:
        return f"converges: {pace}"
    if needed > 2 * least:
        return f"converges, slowly: {pace}; the method's best parameters take {count(least)}"
    cure = "momentum helps" if method == "gd" else "a change of variables that evens out the curvatures would help"
    return f"converges, slowly: {pace}; with κ = {kappa:.3g} no fixed step of {method} is much faster, {cure}"


def explain_curvature(loss: Quadratic) -> str:
    """Why this loss has no single minimiser, with a direction along which one can see it."""
    values, axes = (loss.curvatures, np.eye(loss.n)) if loss.diagonal else np.linalg.eigh(loss.A)
    at = int(np.argmin(values))
    axis = axes[:, at] * (1 if axes[np.argmax(np.abs(axes[:, at])), at] > 0 else -1)
    along = f"w{_index(at)}" if loss.diagonal else _vector([f"{part + 0:.3g}" for part in axis[:SHOWN]], loss.n)
    if loss.curvature == "flat somewhere":
        return (
            f"the curvature is 0 along {along}: the loss is flat there, its minimisers form a valley rather than a "
            "point, and w keeps its place along it; give positive curvatures, or leave that direction out"
        )
    return (
        f"the curvature is {values[at]:g} along {along}: the loss falls without bound there and has no minimum, and "
        f"each step of size η multiplies w by 1 + {_coefficient(-values[at])}η along it; give positive ones"
    )


def momentum(beta: float) -> str:
    """β, readable even where it is 1 to all digits."""
    return factor(math.log(beta)) if beta else "0"


def factor(log: float) -> str:
    """A modulus below or above 1 from its logarithm, readable even where it is 1 to all digits."""
    gap = -math.expm1(log)
    return f"1 − {gap:.2g}" if 0 < gap < UNREADABLE else f"{math.exp(log):.6g}"


def count(steps: float) -> str:
    """A number of steps with its word."""
    if math.isinf(steps):
        return "never"
    return "1 step" if steps == 1 else f"{steps:,.0f} steps" if steps < 1e9 else f"{steps:.2g} steps"


def _parameters(eta: float, beta: float) -> str:
    return f"η = {eta:.6g}" + (f", β = {momentum(beta)}" if beta else "")


def _factors(loss: Quadratic, eta: float, beta: float, logs: Array) -> dict[str, str]:
    """By what each curvature's direction is multiplied at each step, in the long run."""
    rows = {}
    for i, (curvature, log) in enumerate(zip(loss.curvatures[:SHOWN], logs, strict=False)):
        if beta:
            rows[f"|ρ{_index(i)}|, curvature {curvature:.6g}"] = factor(float(log))
        else:
            below_one = 0 < eta * curvature < UNREADABLE
            rows[f"ρ{_index(i)} = 1 − {_coefficient(curvature)}η"] = (
                f"1 − {eta * curvature:.2g}" if below_one else f"{1 - eta * curvature:.6g}"
            )
    if loss.n > SHOWN:
        rows["slowest of all"] = factor(float(logs.max()))
    return rows


def _linear(row: Array) -> str:
    """a w₁ + b w₂, as one writes it."""
    terms = [(value, f"w{_index(i)}") for i, value in enumerate(row) if value]
    text = " ".join(f"{'−' if v < 0 else '+'} {_coefficient(abs(v), ' ')}{w}" for v, w in terms[:SHOWN])
    first = text.removeprefix("+ ") if text[0] == "+" else text.replace("− ", "−", 1)
    return first + (" + …" if len(terms) > SHOWN else "")


def _coefficient(value: float, space: str = "") -> str:
    """A factor as one writes it before a letter: nothing for 1."""
    return "" if value == 1 else f"{value:.12g}{space}"


def _vector(entries: list[str], n: int | None = None) -> str:
    cut = len(entries) > SHOWN or (n or 0) > SHOWN
    return f"({', '.join(entries[:SHOWN])}{', …' if cut else ''})"


def _index(i: int) -> str:
    return str(i + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _end(high: Fraction | float) -> str:
    text = str(high)
    return text if isinstance(high, Fraction) and len(text) <= 12 else f"{float(high):.6g}"
