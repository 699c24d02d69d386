"""Pictures of a kernel, for figures and tool: its numbers, its response to waves, and pixels."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.patches import Rectangle

from workings.studies.filters.exact import written
from workings.studies.filters.model import WHITE, Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUMBERS = 9
"""Rows or columns up to which a kernel is written in numbers; a larger one is drawn in shades."""
READABLE = 10_000
"""Greatest common denominator that is taken out; beyond it the weights are written as decimals."""
STRENGTH = 0.65
"""Of the colour behind the largest weight, so that its number can be read."""
TICKS = ([-np.pi, 0, np.pi], ["−π", "0", "π"])


def numbers(axes: "Axes", rows: Sequence[Sequence[Fraction]]) -> None:
    """The kernel, blue above 0 and orange below, in whole numbers over what divides them; a large one without them."""
    common = int(np.lcm.reduce([entry.denominator for row in rows for entry in row], dtype=object))
    height, width = len(rows), len(rows[0])
    shades = np.array([[float(entry) for entry in row] for row in rows])
    limit = float(np.abs(shades).max()) or 1.0
    axes.imshow(shades, cmap=_diverging(), vmin=-limit / STRENGTH, vmax=limit / STRENGTH)
    if max(height, width) <= NUMBERS:
        size = min(13, 42 / max(height, width))
        for j, i in product(range(height), range(width)):
            axes.add_patch(Rectangle((i - 0.5, j - 0.5), 1, 1, fill=False, linewidth=0.5, edgecolor="grey"))
            entry = written(rows[j][i] * common) if common <= READABLE else f"{shades[j, i]:.2g}".replace("-", "−")
            axes.text(i, j, entry, ha="center", va="center", fontsize=size)
        if 1 < common <= READABLE:
            axes.set_xlabel(f"× 1/{common}", labelpad=4)
    axes.set_xlim(-0.55, width - 0.45)
    axes.set_ylim(height - 0.45, -0.55)
    _bare(axes)


def pixels(axes: "Axes", picture: np.ndarray[Any, Any], title: str = "") -> None:
    """A picture, pixel by pixel."""
    axes.imshow(picture, cmap="gray", vmin=0, vmax=WHITE, interpolation="nearest")
    axes.set_title(title, fontsize=12, pad=5)
    _bare(axes)


def response_map(axes: "Axes", response: Array, title: str = "") -> None:
    """H by u and v (real and imaginary part, on a grid over [−π, π]²): its sign where it is real, its height if not."""
    real, imaginary = response
    height = np.hypot(real, imaginary)
    signed = np.abs(imaginary).max() <= 1e-9 * max(height.max(), 1e-300)  # rounding beside an imaginary part in earnest
    shown, limit = (real if signed else height), float(height.max()) or 1.0
    axes.imshow(shown, cmap=_diverging(), vmin=-limit, vmax=limit, extent=(-np.pi, np.pi, np.pi, -np.pi))
    if signed and real.min() < -1e-9 * limit < limit * 1e-9 < real.max():
        grid = np.linspace(-np.pi, np.pi, len(real))
        axes.contour(grid, grid, real, levels=[0], colors=[mpl.rcParams["text.color"]], linewidths=0.9)
    axes.set_title(title, fontsize=12, pad=5)
    axes.set_xticks(*TICKS)
    axes.set_yticks(*TICKS)
    axes.set_xlabel("u, along x")
    axes.set_ylabel("v, along y", labelpad=0)
    axes.grid(visible=False)


def cuts(axes: "Axes", curves: Mapping[str, tuple[Array, str]]) -> None:
    """Responses over frequency from 0 to π, by label with a colour; below 0 a wave comes out upside down."""
    axes.axhline(0, color="grey", linewidth=1)
    ends = spread([float(curve[-1]) for curve, _ in curves.values()], _room([curve for curve, _ in curves.values()]))
    for (label, (curve, colour)), height in zip(curves.items(), ends, strict=True):
        axes.plot(np.linspace(0, np.pi, len(curve)), curve, color=colour)
        axes.annotate(label, (np.pi, height), xytext=(6, 0), textcoords="offset points", color=colour, va="center")
    axes.set_xlim(0, np.pi)
    axes.set_xticks([0, np.pi / 2, np.pi], ["0", "π/2", "π"])
    axes.set_xlabel("frequency, radians a pixel")


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """The heights moved apart just so far that neighbours are `gap` apart; their order is kept."""
    order = np.argsort(heights)
    placed = np.array(heights, dtype=np.float64)[order]
    for _ in range(100):  # each pass halves what is left of an overlap
        for i in range(len(placed) - 1):
            lacking = gap - (placed[i + 1] - placed[i])
            if lacking > 0:
                placed[i] -= lacking / 2
                placed[i + 1] += lacking / 2
    return placed[np.argsort(order)].tolist()  # type: ignore[no-any-return]


def _room(curves: Sequence[Array]) -> float:
    """Height of a line of text, about a twelfth of the plot."""
    return float(max(curve.max() for curve in curves) - min(curve.min() for curve in curves)) / 12


def _diverging() -> Any:
    """From orange, below 0, over the page's ground to blue, above 0, on light and dark pages alike."""
    from matplotlib.colors import LinearSegmentedColormap

    cycle = [entry["color"] for entry in mpl.rcParams["axes.prop_cycle"]]
    light = np.mean(mpl.colors.to_rgb(mpl.rcParams["text.color"])) < 0.5
    return LinearSegmentedColormap.from_list("signed", [cycle[1], "#f6f4ee" if light else "#1d2026", cycle[0]])


def _bare(axes: "Axes") -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
