"""All that is told of one activation: symmetry, values and derivatives at zero, means for Gaussian input."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workings.core.errors import UserError
from workings.studies.activations.model import Activation, Moments, derivatives, moments
from workings.studies.activations.symmetry import Side, Symmetry, Witness, kinks, sides, symmetry

HALF = np.linspace(0, 6, 61)[1:]
GRID = np.concatenate([-HALF[::-1], [0.0], HALF])
"""Where curves are kept, each x with its −x."""
SMALL = 1e-9
"""Relative difference above which two values of a callable are not mirror images: float64 arithmetic leaves 1e-15, and
cancellation inside the callable may cost half of the digits."""


@dataclass(frozen=True)
class Examination:
    """What was found of one activation."""

    name: str
    formula: str | None
    """Its exact form; None for a callable, of which only values are known."""
    odd: Symmetry
    even: Symmetry
    value: float | None
    """g(0)."""
    slope: float | None
    """g′(0) as autograd has it; at a kink a convention."""
    curvature: float | None
    """g″(0) as autograd has it."""
    left: Side
    right: Side
    """Limits from either side, by symbols."""
    gaussian: Moments
    """For standard Gaussian input."""

    @property
    def differentiable(self) -> bool | None:
        """Whether g′(0) exists; None where the limits are not known."""
        if self.left.value is None or self.right.value is None:
            return None
        return _same(self.left.slope, self.right.slope)

    @property
    def symmetry(self) -> str:
        """odd, even, neither, or what is known of it."""
        found = {"odd": self.odd.holds, "even": self.even.holds}
        kept = [name for name, holds in found.items() if holds]
        if None in found.values() and not kept:
            return "undecided"
        return " and ".join(kept) or "neither"

    @property
    def slope_told(self) -> str:
        """g′(0), or both one-sided slopes, left and right."""
        return _both(self.left.slope, self.right.slope) if self.formula is not None else shown(self.slope)

    def to_json(self) -> dict[str, Any]:
        """As a table's row, the properties included."""
        row = {**asdict(self), "differentiable": self.differentiable, "symmetry": self.symmetry}
        # JSON knows no infinity.
        return {
            k: {n: str(v) if v in (np.inf, -np.inf) else v for n, v in e.items()} if k in ("left", "right") else e
            for k, e in row.items()
        }

    def __str__(self) -> str:
        return "\n".join(f"{label:<12}{text}" for label, text in self.lines())

    def lines(self) -> list[tuple[str, str]]:
        """What a person is told, line by line."""
        at_zero = f"g = {shown(self.value)}, g′ = {shown(self.slope)}, g″ = {shown(self.curvature)} (autograd)"
        told = [("function", self.name), ("symmetry", self._symmetry_told()), ("at zero", at_zero)]
        if self.formula is not None:
            told.append(("by symbols", self._sides_told()))
        g = self.gaussian
        told.append(("for N(0, 1)", f"mean {shown(g.mean)}, mean square {shown(g.mean_square)}"))
        told.append(("", f"mean slope {shown(g.mean_slope)}, mean square slope {shown(g.mean_square_slope)}"))
        return told

    def _symmetry_told(self) -> str:
        reasons = [
            f"not {name}: g({shown(w.x)}) = {shown(w.value)}, g({shown(-w.x)}) = {shown(w.mirrored)}"
            for name, found in (("odd", self.odd), ("even", self.even))
            if (w := found.witness) is not None
        ]
        open_questions = [name for name, found in (("odd", self.odd), ("even", self.even)) if found.holds is None]
        if open_questions:
            reasons.append(f"whether {' or '.join(open_questions)}: no counter-example was found, and no proof")
        return "; ".join([self.symmetry, *reasons])

    def _sides_told(self) -> str:
        left, right = self.left, self.right
        if left == right and self.differentiable:
            return f"g′ = {shown(left.slope)}, g″ = {shown(left.curvature)}"
        smooth = {True: "differentiable", False: "not differentiable", None: "not decided whether differentiable"}
        slopes = f"g′ = {shown(left.slope)} from the left, {shown(right.slope)} from the right"
        curved = f"g″ = {shown(left.curvature)} and {shown(right.curvature)}"
        return f"{smooth[self.differentiable]}; {slopes}; {curved}"


def examine(activation: Activation) -> Examination:
    """Look at one activation from every side; a `UserError` where it has no value anywhere."""
    curve = curves(activation)
    seen(activation)
    value, slope, curvature = derivatives(activation.function, torch.zeros(1, dtype=torch.float64))[:, 0].tolist()
    f = activation.formula
    unknown = Side(None, None, None)
    left, right = sides(f) if f is not None else (unknown, unknown)
    odd, even = (symmetry(f, s) if f is not None else _seen(curve[0], s) for s in (-1, 1))
    found = moments(activation.function, (0.0,) if f is None else kinks(f))
    numbers = (_finite(value), _finite(slope), _finite(curvature))
    return Examination(activation.name, f.text if f else None, odd, even, *numbers, left, right, found)


def seen(activation: Activation) -> None:
    """Refuse, with a `UserError`, what has no value anywhere near zero."""
    if not activation.function(torch.from_numpy(GRID)).isfinite().any():
        raise UserError(f"{activation.name} has no finite value between {GRID[0]:g} and {GRID[-1]:g}: nothing to see")


def curves(activation: Activation) -> NDArray[np.float64]:
    """g and g′ on the grid."""
    found: NDArray[np.float64] = derivatives(activation.function, torch.from_numpy(GRID), 1).numpy()
    return found


def shown(number: float | None) -> str:
    """A number for people."""
    if number is None or not np.isfinite(number):
        return "none" if number is None else f"{'−' if number < 0 else ''}∞"
    return f"{number + 0.0:.4g}".replace("-", "−")


def table(found: Sequence[Examination]) -> str:
    """All of them, a line each."""
    head = ("function", "symmetry", "g(0)", "g′(0)", "g″(0)", "mean", "mean²", "slope", "slope²")
    rows = [head, *(_row(one) for one in found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(r, widths, strict=True)).rstrip() for r in rows)


def _row(one: Examination) -> tuple[str, ...]:
    g = one.gaussian
    means = (g.mean, g.mean_square, g.mean_slope, g.mean_square_slope)
    curvature = _both(one.left.curvature, one.right.curvature)
    return (one.name, one.symmetry, shown(one.value), one.slope_told, curvature, *map(shown, means))


def _both(left: float | None, right: float | None) -> str:
    return shown(left) if left == right or _same(left, right) else f"{shown(left)} | {shown(right)}"


def _seen(values: NDArray[np.float64], sign: int) -> Symmetry:
    """What values on the grid say of a callable: a witness against the symmetry, or nothing."""
    mirrored = values[::-1]
    with np.errstate(invalid="ignore"):
        gap = np.abs(mirrored - sign * values) > SMALL * np.maximum(np.abs(values), np.abs(mirrored))
    gap |= np.isfinite(values) != np.isfinite(mirrored)
    # From 1 up and then below, so that the witness is a number to calculate with.
    order = np.argsort(np.abs(GRID - 1), kind="stable")
    hit = next((i for i in order if gap[i] and GRID[i] >= 0), None)
    if hit is None:
        return Symmetry(None)
    return Symmetry(False, Witness(float(GRID[hit]), _finite(values[hit]), _finite(mirrored[hit])))


def _finite(number: float) -> float | None:
    return float(number) + 0.0 if np.isfinite(number) else None


def _same(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None and bool(np.isfinite(a) and abs(a - b) <= SMALL * max(abs(a), abs(b)))
