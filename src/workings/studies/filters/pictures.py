"""Pictures between files and filters: colour planes in and out, signed answers shown, a window cut out."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workings.studies.filters.model import WHITE, Array

SIDE = 112
"""Pixels a side of the window that a run keeps: few enough to see each."""
MIDDLE = 127.5
"""Grey that stands for 0 in a picture of signed answers."""
SHARE = 0.995
"""Of signed answers that are shown in proportion: a few glints must not leave all else grey."""


class Shown(NamedTuple):
    """Answers as grey levels, and how they became so."""

    picture: Array
    how: str
    clipped: float
    """Share of answers that fell outside black and white and were cut off."""


def planes(pixels: NDArray[np.uint8]) -> Array:
    """(height, width) or (height, width, 3) grey levels as (planes, height, width) numbers."""
    colours = pixels[..., None] if pixels.ndim == 2 else pixels
    return np.moveaxis(colours, -1, 0).astype(np.float64)


def grey_levels(picture: Array) -> NDArray[np.uint8]:
    """Back again: rounded, cut off at black and white, a single plane as (height, width)."""
    levels = np.moveaxis(np.clip(np.rint(picture), 0, WHITE).astype(np.uint8), 0, -1)
    return levels[..., 0] if levels.shape[-1] == 1 else levels


def displayed(answers: Array, signed: bool) -> Shown:
    """Answers of a kernel that keeps brightness as they are; those of one that sums to 0 about middle grey.

    Signed answers are scaled so that 99.5 % of them fit: 0 is middle grey, the rest is black or white by its sign.
    """
    if not signed:
        clipped = float(((answers < 0) | (answers > WHITE)).mean())
        return Shown(answers, f"them as they are, {100 * clipped:.2g} % cut off at black and white", clipped)
    heights = np.abs(answers)
    largest = float(np.quantile(heights, SHARE)) or float(heights.max())
    if largest == 0:
        return Shown(np.full(answers.shape, MIDDLE), "0 everywhere, as middle grey", 0.0)
    clipped = float((heights > largest).mean())
    how = f"0 as middle grey, ±{largest:.3g} and beyond as white and black"
    return Shown(MIDDLE + answers * (MIDDLE / largest), how, clipped)


def window(picture: Array, corner: tuple[int, ...] = (), side: int = SIDE) -> Array:
    """A square cut from (..., height, width), from its top left corner or in the middle; a smaller picture whole."""
    height, width = picture.shape[-2:]
    row, column = corner or (max(height - side, 0) // 2, max(width - side, 0) // 2)
    return picture[..., row : row + side, column : column + side]
