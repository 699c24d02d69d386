"""Pictures of a descent: plays over the level lines of the loss, and distances over steps.

Each function draws on axes that it is given, in colours of the style in force; evidence and tools share them.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from workings.studies.descent.model import Array, Quadratic
from workings.studies.descent.study import METHODS

GRID = 121
"""Points along each side of a contour map."""


def colour(method: str) -> str:
    """A method has the same colour in every picture."""
    return f"C{[*METHODS].index(method)}"  # type: ignore[arg-type]


def contours(axes: Axes, loss: Quadratic, reach: float) -> None:
    """Level lines of L over the square of half-width `reach`, at even steps of √L, with the minimiser marked."""
    axis = np.linspace(-reach, reach, GRID)
    points = np.stack(np.meshgrid(axis, axis), axis=-1)
    axes.contour(axis, axis, np.sqrt(loss.value(points)), levels=9, colors="grey", linewidths=0.7, alpha=0.45)
    axes.plot(0, 0, "+", color="grey", markersize=9)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_aspect("equal")
    axes.set_xlabel("$w_1$")
    axes.set_ylabel("$w_2$")
    axes.grid(visible=False)


def trail(axes: Axes, path: Array, reach: float, shade: str, width: float = 1.3) -> None:
    """One play from its ringed start on, until it leaves the picture."""
    outside = np.flatnonzero(~(np.abs(path) <= reach).all(-1))
    kept = np.clip(np.nan_to_num(path[: outside[0] + 1] if len(outside) else path), -2 * reach, 2 * reach)
    axes.plot(kept[:, 0], kept[:, 1], "o-", color=shade, markersize=2.3 * width, linewidth=width)
    axes.plot(*kept[0], "o", markerfacecolor="none", color=shade, markersize=9)


def race(axes: Axes, distances: Mapping[str, Array], floor: float) -> None:
    """‖w(t)‖ over steps on a logarithmic scale, down to `floor`, in the methods' colours."""
    for method, values in distances.items():
        axes.semilogy(_until(values, floor), color=colour(method), label=method)
    axes.set_xlim(left=0)
    axes.set_xlabel("steps")
    axes.set_ylabel("distance from the minimiser")


def _until(values: Array, floor: float) -> Array:
    """A curve up to its last value above `floor`, at least two values of it."""
    above = np.flatnonzero(np.isfinite(values) & (values > floor))
    return values[: max(int(above[-1]) + 1 if len(above) else 0, 2)]
