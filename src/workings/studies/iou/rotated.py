"""IoU of rotated boxes: one clipped by the other, a polygon by a rectangle (after Sutherland and Hodgman 1974).

A rotated box is cx, cy, w, h, angle: centre, sides, and the angle in radians from the x axis towards the y axis. In the
frame of the second box the first is a polygon, and the second an upright rectangle, on which it is clipped along x and
then along y. Where Sutherland and Hodgman drop the points outside, they are moved here onto the border that they
crossed: the same area, with a number of points that does not depend on the data, so that batches need no loop.

The definitions are those of `model`: sides below 0 make the empty set, no union means 0, NaN stays NaN.
"""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from workings.studies.iou.model import ratio, real

BLOCK = 2**12
"""Pairs at a time for `model.pairwise`: each has 36 points, so that they take what plain boxes do by 2¹⁶."""
CORNERS = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))


def rotated(a: Shaped[Tensor, "*#batch 5"], b: Shaped[Tensor, "*#batch 5"]) -> Float[Tensor, "*#batch"]:
    """Intersection over union, from 0 to 1. Batches broadcast; `model.pairwise` takes it as its measure."""
    a, b = torch.broadcast_tensors(real(a), real(b))
    size_a, size_b = a[..., 2:4].clamp(min=0), b[..., 2:4].clamp(min=0)
    area_a, area_b = size_a.prod(-1), size_b.prod(-1)
    corners = torch.tensor(CORNERS, dtype=a.dtype, device=a.device) * size_a[..., None, :]
    inside = _turn(a[..., :2] - b[..., :2], -b[..., 4])[..., None, :] + _turn(
        corners, (a[..., 4] - b[..., 4])[..., None]
    )
    for axis in (0, 1):
        inside = _clip(inside, size_b[..., axis] / 2, axis)
    x, y = inside.unbind(-1)
    # Rounding may carry the area beyond what either box holds.
    shared = torch.minimum(_shoelace(x, y).clamp(min=0), torch.minimum(area_a, area_b))
    return ratio(shared, area_a + area_b - shared)


def _turn(points: Tensor, angle: Tensor) -> Tensor:
    """Points, x and y on the last axis, turned about the origin."""
    x, y = points.unbind(-1)
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack([cosine * x - sine * y, sine * x + cosine * y], dim=-1)


def _clip(polygon: Tensor, half: Tensor, axis: int) -> Tensor:
    """Part each edge where it crosses ±half along an axis, and move what lies beyond onto the border."""
    start, along = polygon, polygon.roll(-1, dims=-2) - polygon
    run = along[..., axis]
    borders = torch.stack([-half, half], dim=-1)[..., None, :]
    crossings = (borders - start[..., axis, None]) / torch.where(run == 0, 1, run)[..., None]
    first, second = crossings.clamp(0, 1).sort(dim=-1).values.unbind(-1)
    parts = torch.stack([start, start + first[..., None] * along, start + second[..., None] * along], dim=-2)
    points = parts.flatten(-3, -2)
    limit = half[..., None]
    kept = torch.maximum(torch.minimum(points[..., axis], limit), -limit)
    return torch.stack([kept, points[..., 1]] if axis == 0 else [points[..., 0], kept], dim=-1)


def _shoelace(x: Tensor, y: Tensor) -> Tensor:
    """Area of polygons whose corners go round anticlockwise."""
    return (x * y.roll(-1, dims=-1) - x.roll(-1, dims=-1) * y).sum(-1) / 2
