"""Ten shapes as functions from points to their signed distance from the shape's edge, and ten colours.

A shape has radius 1, its middle at 0; y points down, as in a picture; the distance is below zero inside. From it follow
smooth edges, rims and shadows at every size. Used by `drawn_pictures`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.floating[Any]]


def _heart(x: Reals, y: Reals) -> Reals:
    """Two arcs above a right angle (Quilez, 'heart'), turned the right way up and brought to a width of 1.8."""
    x, y = np.abs(x) * 0.66, 0.56 - y * 0.66
    arcs = _length(x - 0.25, y - 0.75) - 0.353553
    near = np.maximum(x + y, 0) * 0.5
    corner = np.minimum(_length(x, y - 1), _length(x - near, y - near)) * np.sign(x - y)
    return np.where(x + y > 1, arcs, corner) / 0.66


def _star(x: Reals, y: Reals) -> Reals:
    """Five points, by folding the plane along two axes of symmetry (Quilez, 'star 5')."""
    x, y = np.abs(x), 0.05 - y
    for across in (0.809017, -0.809017):
        beyond = 2 * np.maximum(across * x - 0.587785 * y, 0)
        x, y = x - beyond * across, y + beyond * 0.587785
    x, y = np.abs(x), y - 1
    edge_x, edge_y = 0.5 * 0.587785, 0.5 * 0.809017 - 1
    along = np.clip((x * edge_x + y * edge_y) / (edge_x * edge_x + edge_y * edge_y), 0, 1)
    return _length(x - edge_x * along, y - edge_y * along) * np.sign(y * edge_x - x * edge_y)


def _square(x: Reals, y: Reals) -> Reals:
    x, y = np.abs(x) - 0.69, np.abs(y) - 0.69
    return _length(np.maximum(x, 0), np.maximum(y, 0)) + np.minimum(np.maximum(x, y), 0) - 0.02


def _crescent(x: Reals, y: Reals) -> Reals:
    x = x - 0.22
    return np.asarray(np.maximum(_length(x, y) - 0.86, 0.72 - _length(x - 0.41, y + 0.09)))


def _cross(x: Reals, y: Reals) -> Reals:
    x, y = np.abs(x), np.abs(y)
    return np.asarray(np.minimum(np.maximum(x - 0.92, y - 0.3), np.maximum(x - 0.3, y - 0.92)))


def _length(x: Reals, y: Reals) -> Reals:
    return np.sqrt(x * x + y * y)


SHAPES: dict[str, Callable[[Reals, Reals], Reals]] = {
    "circle": lambda x, y: _length(x, y) - 0.88,
    "square": _square,
    "triangle": lambda x, y: np.maximum(y - 0.55, np.abs(x) * 0.87 - y * 0.493 - 0.46),
    "star": _star,
    "heart": _heart,
    "cross": _cross,
    "ring": lambda x, y: np.abs(_length(x, y) - 0.69) - 0.22,
    "crescent": _crescent,
    "diamond": lambda x, y: np.abs(x) * 0.832 + np.abs(y) * 0.555 - 0.54,
    "hourglass": lambda x, y: np.maximum(np.abs(y) - 0.79, np.abs(x) * 0.84 - np.abs(y) * 0.54 - 0.11),
}
"""By name."""

COLOURS = {
    "red": (222, 38, 44),
    "orange": (246, 132, 22),
    "yellow": (246, 208, 20),
    "green": (42, 160, 66),
    "turquoise": (44, 196, 192),
    "blue": (38, 86, 214),
    "purple": (132, 58, 184),
    "pink": (246, 128, 186),
    "brown": (126, 78, 42),
    "black": (44, 44, 52),
}
"""Red, green and blue of a flat surface."""
