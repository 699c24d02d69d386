"""Pictures on axes: one at a time, and as a sheet of rows. Figures and tools share it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

GHOST = 0.25
"""Opacity of what is hidden."""


def show(axes: "Axes", pixels: NDArray[np.uint8], seen: NDArray[np.bool_] | None = None) -> None:
    """A picture without ticks; where it is hidden, the page shows through a grey veil."""
    alpha = np.ones(pixels.shape[:2]) if seen is None else np.where(seen, 1.0, 0.0)
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, alpha=alpha if seen is not None else None)
    if seen is not None and not seen.all():
        veil = np.zeros((*seen.shape, 4))
        veil[~seen] = (0.5, 0.5, 0.5, GHOST)
        axes.imshow(veil)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def sheet(
    drawing: "Figure | SubFigure",
    rows: Mapping[str, Sequence[NDArray[np.uint8]]],
    seen: Mapping[str, NDArray[np.bool_]],
    right: Sequence[bool] | None = None,
    labels: Sequence[str] = (),
) -> None:
    """One row a kind, one column a picture; `seen` hides a part of a kind's pictures, `right` marks the last row."""
    columns = len(next(iter(rows.values())))
    panels: Any = drawing.subplots(len(rows), columns, squeeze=False, gridspec_kw={"wspace": 0.06, "hspace": 0.06})
    for line, (kind, pictures) in zip(panels, rows.items(), strict=True):
        for axes, pixels in zip(line, pictures, strict=True):
            show(axes, pixels, seen.get(kind))
        line[0].set_ylabel(kind, rotation=0, ha="right", va="center", labelpad=6)
    for axes, good in zip(panels[-1], right if right is not None else [], strict=False):
        if not good:
            for spine in axes.spines.values():
                spine.set(visible=True, color="C1", linewidth=2.5)
    for axes, label in zip(panels[-1], labels, strict=False):
        axes.set_xlabel(label, fontsize=9)
