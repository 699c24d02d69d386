"""Pictures of shift errors, and of what commutes with a permutation; figures and tools share them.

Each function draws on axes that it is given, in colours of the style in force.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from workings.studies.circulant.readings import Reading

LABELLED = 30
"""Layers that a picture names; of more, those where the stride changes, and the last."""
GOLDEN = (3 - 5**0.5) / 2
"""Steps of this part of a turn keep any number of colours apart."""
WHEEL = ("C0", "C2", "C4", "C1", "C3", "C0")
"""The style's colours by hue and back to the first: cyclic, as the diagonals are."""


def cycles_on_matrix(axes: Axes, cycles: NDArray[np.int64], *, smooth: bool) -> None:
    """A square for each index pair, in the colour of its cycle; neighbours in number are alike, or far apart."""
    n = len(cycles)
    axes.imshow(_paint(cycles / (cycles.max() + 1) if smooth else cycles * GOLDEN % 1))
    axes.set_xticks(range(n), map(str, range(n)))
    axes.set_yticks(range(n), map(str, range(n)))
    axes.hlines(np.arange(1, n) - 0.5, -0.5, n - 0.5, color="white", linewidth=0.8)
    axes.vlines(np.arange(1, n) - 0.5, -0.5, n - 0.5, color="white", linewidth=0.8)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_xlabel("column j")
    axes.set_ylabel("row i")
    for spine in axes.spines.values():
        spine.set_visible(False)


def cycles_on_torus(axes: Any, n: int) -> None:
    """The pairs (i, j) of the shift on a torus, i around the hole and j around the tube; a closed curve a cycle."""
    around = np.linspace(0, 2 * np.pi, 241)
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 61), np.linspace(0, 2 * np.pi, 31))
    axes.plot_surface(*_torus(u, v, 0.985), color="grey", alpha=0.12, linewidth=0)
    for first in range(n):
        colour = _paint(np.array(first / n))
        axes.plot(*_torus(around, around + 2 * np.pi * first / n), color=colour, linewidth=2)
        places = 2 * np.pi * np.arange(n) / n
        axes.plot(*_torus(places, places + 2 * np.pi * first / n), ".", color=colour, markersize=5)
    axes.set_box_aspect((1, 1, 0.5), zoom=1.5)
    axes.view_init(elev=52, azim=-60)
    axes.set_axis_off()


def _torus(u: NDArray[np.float64], v: NDArray[np.float64], tube: float = 1.0) -> tuple[NDArray[np.float64], ...]:
    radius = 2.2 + tube * np.cos(v)
    return radius * np.cos(u), radius * np.sin(u), tube * np.sin(v)


def _paint(share: NDArray[Any]) -> Any:
    """Colours of shares of one turn."""
    return LinearSegmentedColormap.from_list("wheel", WHEEL)(share)


def shift_tile(axes: Axes, layer: Reading, top: float) -> Any:
    """The error of one layer by shift, as a picture with no shift at its centre; the image is returned for a bar."""
    low, high = layer.shifts.min(0), layer.shifts.max(0)
    errors = np.zeros(tuple(high - low + 1))
    errors[tuple((layer.shifts - low).T)] = layer.errors
    edges = (low[1] - 0.5, high[1] + 0.5, high[0] + 0.5, low[0] - 0.5)
    image = axes.imshow(errors, vmin=0, vmax=top, cmap="magma", extent=edges)
    axes.set_xticks([int(low[1]), 0, int(high[1])])
    axes.set_yticks([int(low[0]), 0, int(high[0])])
    axes.tick_params(labelsize=9)
    axes.grid(visible=False)
    return image


def depth(axes: Axes, layers: Sequence[Reading], *, named: bool) -> None:
    """Mean errors over the layers: of shifts that suit every stride, of the others, and of the former's interior."""
    coarsest = np.array([max((layer.stride for layer in layers if layer.stride), key=max)])
    suits = (layers[0].shifts % coarsest == 0).all(-1)
    places = np.arange(1, len(layers) + 1)
    interior = [layer.interior[suits & layer.has_interior] for layer in layers]
    lines = {
        "any other shift": [layer.errors[~suits].mean() for layer in layers],
        "shifts that suit\nevery stride": [layer.errors[suits].mean() for layer in layers],
        "the same, away from the border": [errors.mean() if len(errors) else np.nan for errors in interior],
    }
    # Where the labels stand: the share of the depth, the offset in points, and the side; clear of the lines there.
    spots = ((0.14, (0, 26), "bottom"), (0.6, (4, -8), "top"), (0.34, (0, 6), "bottom"))
    for number, ((label, values), (share, offset, side)) in enumerate(zip(lines.items(), spots, strict=True)):
        axes.plot(places, values, "-", color=f"C{number}")
        at = int(share * len(layers))
        if named:
            axes.annotate(
                label,
                (places[at], values[at]),
                xytext=offset,
                textcoords="offset points",
                color=f"C{number}",
                ha="center",
                va=side,
                fontsize=11,
            )
    axes.set_ylim(bottom=-0.03)
    axes.set_xlim(1, len(layers))
    axes.set_xlabel("layer, in the order of calls")


def bands(axes: Axes, layers: Sequence[Reading]) -> None:
    """Thin lines where the stride changes, and its value in pixels above."""
    starts = [i for i, layer in enumerate(layers) if i == 0 or _grain(layer) != _grain(layers[i - 1])]
    for start, end in zip(starts, [*starts[1:], len(layers)], strict=True):
        axes.axvline(start + 1, color="grey", linewidth=0.6, alpha=0.6)
        name = "none" if layers[start].stride is None else f"{_grain(layers[start]):g}"
        axes.text(
            (start + end + 1) / 2,
            1.01,
            name,
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=9,
            color="grey",
        )


def _grain(layer: Reading) -> float:
    return max(layer.stride) if layer.stride else 0.0


def profile(axes: Axes, layers: Sequence[Reading]) -> None:
    """Mean error by layer, top down, with a line to the worst; rings for the interior, squares for invariance."""
    places = np.arange(len(layers))
    means = np.array([layer.mean for layer in layers])
    inside = np.array(
        [layer.interior[layer.has_interior].mean() if layer.has_interior.any() else np.nan for layer in layers]
    )
    invariant = np.array([layer.stride is None for layer in layers])
    axes.hlines(places, means, [layer.errors.max() for layer in layers], color="C0", alpha=0.35, linewidth=1.2)
    axes.plot(means[~invariant], places[~invariant], "o", color="C0", markersize=4, label="equivariance")
    axes.plot(inside, places, "o", markerfacecolor="none", color="C1", markersize=5, label="away from the border")
    axes.plot(means[invariant], places[invariant], "s", color="C2", markersize=4, label="invariance")
    named = [
        i
        for i in range(len(layers))
        if len(layers) <= LABELLED or i in (0, len(layers) - 1) or layers[i].stride != layers[i - 1].stride
    ]
    axes.set_yticks(named, [f"{layers[i].name}  {layers[i].kind}" for i in named], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("mean relative shift error (line: to the worst)")
    axes.legend(fontsize=8, loc="best")


def shift_map(axes: Axes, layer: Reading) -> None:
    """One layer's error by shift: a square for each that was drawn."""
    spread = max(1.0, float(np.abs(layer.shifts).max()))
    squares = axes.scatter(
        layer.shifts[:, 1],
        layer.shifts[:, 0],
        c=layer.errors,
        cmap="magma",
        vmin=0,
        marker="s",
        s=max(18.0, (150 / spread) ** 2),
    )
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.invert_yaxis()
    axes.set_xlabel("shift to the right, pixels")
    axes.set_ylabel("shift down, pixels")
    axes.set_title(f"{layer.name}, by shift", fontsize=11)
    axes.get_figure().colorbar(squares, ax=axes, location="bottom", shrink=0.8, label="relative shift error")  # type: ignore[union-attr]
