"""What the figures share: an axis of epochs, and names beside the ends of lines."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import NullLocator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE = 0.075
"""Height of a line of text, as a part of the axes'."""


def over(axes: "Axes") -> None:
    """Epochs on a logarithmic axis: the first are the ones in which most happens."""
    axes.set_xscale("log")
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500) if tick <= axes.get_xlim()[1]]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("epoch")


def beside(axes: "Axes", names: Sequence[tuple[str, float, str]]) -> None:
    """Write names, in their colours, right of the axes, each as near to its height as the others let it."""
    low, high = axes.get_ylim()
    heights = spread([(value - low) / (high - low) for _, value, _ in names], LINE)
    for (name, _, colour), height in zip(names, heights, strict=True):
        axes.text(1.03, height, name, color=colour, transform=axes.transAxes, va="center")


def power(number: float) -> str:
    """To one digit, as 2 · 10⁻⁵ where it is small."""
    mantissa, _, exponent = f"{number:.0e}".partition("e")
    return f"{number:.1g}" if number >= 0.01 or not number else rf"${mantissa} \cdot 10^{{{int(exponent)}}}$"


def spread(heights: Sequence[float], least: float) -> list[float]:
    """The heights, moved apart to at least that distance, upwards from the lowest, in the order they are in."""
    moved = list(heights)
    order = np.argsort(heights, kind="stable").tolist()
    for lower, upper in pairwise(order):
        moved[upper] = max(moved[upper], moved[lower] + least)
    return moved
