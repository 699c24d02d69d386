"""Pictures of a game of one x and one y: the surface, the phase portrait, the spectral radius over the step size.

Each function draws on axes that it is given, in colours of the style in force; evidence and tools share them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from workings.studies.minimax.model import Array, ExpressionGame
from workings.studies.minimax.study import METHODS

GRID = 81
"""Points along each side of a surface or a contour map."""
Curve = tuple[Array, Array]
"""Step sizes, and the spectral radius at each."""


def surface(axes: Any, game: ExpressionGame, paths: Mapping[str, Array], reach: float) -> None:
    """The graph of f over the square of half-width `reach`, with plays upon it (`axes` are three-dimensional)."""
    x, y, heights = _heights(game, reach)
    axes.plot_surface(x, y, heights, cmap="cividis", alpha=0.55, linewidth=0, rcount=40, ccount=40)
    for label, path in paths.items():
        kept, colour = _within(path, reach), _colour(label)
        axes.plot(kept[:, 0], kept[:, 1], game.value(kept), "o-", color=colour, markersize=3, label=label, zorder=10)
        axes.text(*kept[-1], float(game.value(kept[-1:])[0]), f" {label}", color=colour, zorder=11)
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    axes.set_zlabel("f")
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((0, 0, 0, 0))
    axes.locator_params(nbins=4)


def phase(axes: Axes, game: ExpressionGame, paths: Mapping[str, Array], reach: float) -> None:
    """Level lines of f with the players' field −F in grey, and plays from their start (ring) on."""
    x, y, heights = _heights(game, reach)
    axes.contour(x, y, heights, levels=11, cmap="cividis", linewidths=0.8, alpha=0.6)
    coarse = np.linspace(-reach, reach, 15)
    points = np.stack(np.meshgrid(coarse, coarse), axis=-1)
    field = -game.field(points)
    axes.quiver(*np.moveaxis(points, -1, 0), *np.moveaxis(field, -1, 0), color="grey", alpha=0.35, width=0.004)
    for number, (label, path) in enumerate(paths.items()):
        kept, colour = _within(path, reach), _colour(label)
        axes.plot(kept[:, 0], kept[:, 1], "o-", color=colour, markersize=3.5, linewidth=1.3)
        axes.plot(*kept[0], "o", markerfacecolor="none", color=colour, markersize=9)
        if len(paths) > 1:
            # Further along the play for each next one, so that labels of plays that begin together do not collide.
            inside = kept[(np.abs(kept) < 0.95 * reach).all(-1)]
            spot = inside[min(len(inside) - 1, 1 + 3 * number)]
            axes.annotate(label, spot, xytext=(7, 5), textcoords="offset points", color=colour, fontweight="bold")
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_aspect("equal")
    axes.set_xlabel("x, which minimises")
    axes.set_ylabel("y, which maximises")
    axes.grid(visible=False)


def radius(axes: Axes, curves: Mapping[str, Curve], right: float, top: float = 1.6) -> None:
    """Spectral radius over step size, a curve a method; below the line at 1 a method converges."""
    axes.axhline(1, color="grey", linewidth=1)
    axes.axhspan(0, 1, color="grey", alpha=0.08, linewidth=0)
    for label, (etas, radii) in _merged(curves).items():
        colour = _colour(label.partition(", ")[0])
        axes.plot(etas, radii, color=colour)
        seen = np.flatnonzero((etas <= right) & (radii <= top))
        at = seen[-1] if len(seen) else 0
        leaves_above = etas[at] < 0.98 * right
        # Where curves leave through the top their labels stand side by side, slanted so as not to collide.
        place = {"rotation": 38, "va": "bottom", "ha": "left"} if leaves_above else {"va": "center", "ha": "left"}
        where = (etas[at], top) if leaves_above else (right, radii[at])
        offset = (-4, 3) if leaves_above else (4, 0)
        axes.annotate(label, where, xytext=offset, textcoords="offset points", color=colour, fontsize=9, **place)
    axes.set_xlim(0, right)
    axes.set_ylim(0, top)
    axes.set_xlabel("step size η, in units of 1/curvature")
    axes.set_ylabel("spectral radius")


def extent(paths: Sequence[Array]) -> float:
    """A half-width that shows the starts, and plays that do not run away."""
    ends = [float(np.abs(path[0]).max()) for path in paths]
    return 1.25 * max([*ends, 1e-3])


def _colour(method: str) -> str:
    """A method has the same colour in every picture."""
    return f"C{[*METHODS].index(method)}"  # type: ignore[arg-type]


def _merged(curves: Mapping[str, Curve]) -> dict[str, Curve]:
    """Curves that lie on each other become one, with all their names."""
    merged: dict[str, Curve] = {}
    for label, (etas, radii) in curves.items():
        same = [name for name, (_, other) in merged.items() if other.shape == radii.shape and np.allclose(other, radii)]
        if same:
            merged[f"{same[0]}, {label}"] = merged.pop(same[0])
        else:
            merged[label] = (etas, radii)
    return merged


def _heights(game: ExpressionGame, reach: float) -> tuple[Array, Array, Array]:
    axis = np.linspace(-reach, reach, GRID)
    x, y = np.meshgrid(axis, axis)
    return x, y, game.value(np.stack([x, y], axis=-1))


def _within(path: Array, reach: float) -> Array:
    """The points of a path until it leaves the picture, the first one outside included."""
    outside = np.flatnonzero(~(np.abs(path) <= reach).all(-1))
    kept = path[: outside[0] + 1] if len(outside) else path
    return np.clip(np.nan_to_num(kept), -1.5 * reach, 1.5 * reach)
