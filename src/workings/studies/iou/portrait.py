"""Pictures of losses between boxes: a landscape with its gradient, a map of starts, a slide through kinks.

Each function draws on axes that it is given, in colours of the style in force; evidence and tools share them. Lengths
are in sides of the target, which lies at the origin.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
FLAT = "#777777"
"""Where nothing moves: a grey that stands on light and dark grounds, and carries white."""
COLOURS = "viridis"
"""Without a grey of its own, and read alike by most eyes."""
LEVELS = np.linspace(0, 2, 21)
"""Of a loss: one minus a measure from −1 to 1."""
SQUARE = (1.0, 1.0)
"""Width and height of the presets' target."""
FEW = 5
"""Steps where the scale begins: hardly a start arrives sooner."""
ARROWS = slice(3, None, 5)
"""Points of the field that carry an arrow: as far from one end as from the other."""


def landscape(axes: Axes, axis: Array, loss: Array, slope: Array, size: Sequence[float] = SQUARE) -> None:
    """A loss over the centre of a moving box, arrows down its slope, grey where it has none; `size` is the target's."""
    axes.contourf(axis, axis, loss, levels=LEVELS, cmap=COLOURS)
    flat = (slope == 0).all(-1) & (loss > 0)
    if flat.any():
        _grey(axes, axis, flat)
        for side, words in ((0.75, "no slope"), (-0.75, "no way to tell")):
            axes.text(0, side * axis[-1], words, ha="center", va="center", color="white", fontstyle="italic")
    steepness = np.linalg.norm(slope, axis=-1, keepdims=True)
    arrows = np.where(steepness > 0, -slope / np.where(steepness > 0, steepness, 1), np.nan)[ARROWS, ARROWS]
    at = axis[ARROWS]
    axes.quiver(at, at, arrows[..., 0], arrows[..., 1], color="white", pivot="mid", scale=17, width=0.006)
    _target(axes, size)
    _plane(axes, float(axis[-1]))


def starts(axes: Axes, axis: Array, reached: Array, budget: int) -> Any:
    """Steps until a start arrives, over its centre; grey where it never does. Returns what a colour bar needs."""
    _grey(axes, axis, reached < 0)
    shown = np.where(reached < 0, np.nan, reached)
    mesh = axes.pcolormesh(axis, axis, shown, cmap=f"{COLOURS}_r", norm=LogNorm(FEW, budget), rasterized=True)
    _target(axes, SQUARE)
    _plane(axes, float(axis[-1] + (axis[1] - axis[0]) / 2))
    return mesh


def slide(axes: Axes, at: Array, iou: Array, kinks: Mapping[str, Mapping[str, Any]]) -> None:
    """IoU as a box slides through an equal one, with the slope on either side of two kinks."""
    axes.plot(at, iou, color="C0", linewidth=2.5)
    for kink, reach in (("touching", 0.42), ("equal", 0.3)):
        place = kinks[kink]
        for side, name in ((-1, "before"), (1, "after")):
            ends = place["at"] + np.array([0, side * reach])
            axes.plot(ends, place["iou"] + place[name] * (ends - place["at"]), "--", color="C1", linewidth=1.4)
        axes.plot(place["at"], place["iou"], "o", color="C1", markersize=7)
    axes.set_xlabel("place of the moving box, in widths of the target")
    axes.set_ylabel("IoU")


def pictograms(axes: Axes, places: Sequence[float], side: float = 0.15) -> None:
    """The two boxes as they lie at each place: the target in outline, the moving one filled."""
    for place in places:
        corner = (place - side / 2, -side / 2)
        axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=mpl.rcParams["text.color"], linewidth=1.3))
        moved = (corner[0] + place * side, corner[1])
        axes.add_patch(Rectangle(moved, side, side, facecolor="C0", alpha=0.55, linewidth=0))
    axes.set_ylim(-side, side)
    axes.set_aspect("equal")
    axes.axis("off")


def _grey(axes: Axes, axis: Array, where: NDArray[np.bool_]) -> None:
    patches = np.where(where, 1.0, np.nan)
    axes.pcolormesh(axis, axis, patches, cmap=ListedColormap([FLAT]), linewidth=0, rasterized=True)


def _target(axes: Axes, size: Sequence[float]) -> None:
    width, height = size
    corner = (-width / 2, -height / 2)
    axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor="white", linewidth=1.4, zorder=5))


def _plane(axes: Axes, reach: float) -> None:
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_aspect("equal")
    axes.grid(visible=False)
