"""Regression of boxes by steps along the negative gradient of a loss, from many starts at once (problem 3b).

Step t moves a box by η_t in the direction −g/|g|, and nowhere where g = 0; so the length of a step is known whatever
the loss. η_t = η/√(t + 1) is the textbook's schedule for functions with kinks: steps that vanish, with a sum that does
not (Shor 1985). Everything is in the target's frame: its centre is the origin, the root of its area the unit.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workings.studies.iou.model import gradient, iou
from workings.studies.iou.study import Measure, Schedule

CONVERGED = 0.95
"""IoU of a start that has arrived: the strictest threshold in COCO's average precision."""
LAST = 100
"""Steps at the end over which IoU is watched: enough for any back and forth to show."""
CENTRES = 14
"""Starts along each axis of the grid: even, so that none shares the target's centre."""
REACH = 2.3
"""Where the outermost centres lie, in widths and heights of the target; so no start touches it or shares an edge."""
SHAPES = ((1.0, 1.0), (0.5, 0.5), (2.0, 2.0), (0.5, 2.0), (2.0, 0.5))
"""Widths and heights of the grid's starts, in those of the target."""
DRAWN, LARGEST = 400, 4.0
"""Overlapping starts drawn at random besides, and how many times larger or smaller than the target their sides are."""


class Descents(NamedTuple):
    """What became of each start."""

    initial: Float[Tensor, " starts"]
    """IoU at the start."""
    final: Float[Tensor, " starts"]
    """IoU after the last step."""
    reached: Int[Tensor, " starts"]
    """The first step after which IoU is `CONVERGED` or more; −1 where there is none."""
    swing: Float[Tensor, " starts"]
    """Largest less smallest IoU over the last steps: 0 where the box rests."""
    moved: Bool[Tensor, " starts"]
    """Whether any step moved it."""
    path: Float[Tensor, "steps_and_one 4"]
    """The way of the first start."""


def target(b: Float[Tensor, "4"]) -> Float[Tensor, "4"]:
    """The target in its own frame."""
    return framed(b, b)


def framed(a: Float[Tensor, "*batch 4"], b: Float[Tensor, "4"]) -> Float[Tensor, "*batch 4"]:
    """Boxes in the frame of `b`: its centre is the origin, the root of its area the unit."""
    size = b[2:] - b[:2]
    centre = b[:2] + size / 2
    return (a - centre.repeat(2)) / size.prod().sqrt()


def grid(b: Float[Tensor, "4"]) -> Float[Tensor, "shapes centres centres 4"]:
    """Starts around a target: shape, then y, then x of the centre."""
    size = b[2:] - b[:2]
    axis = torch.linspace(-REACH, REACH, CENTRES, dtype=b.dtype)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    half = torch.tensor(SHAPES, dtype=b.dtype)[:, None, None] / 2
    centres = torch.stack([x, y], dim=-1)
    return torch.cat([(centres - half) * size, (centres + half) * size], dim=-1) + (b[:2] + size / 2).repeat(2)


def overlapping(b: Float[Tensor, "4"], count: int, seed: int) -> Float[Tensor, "{count} 4"]:
    """Boxes that overlap a target by however little, with sides up to `LARGEST` times larger or smaller."""
    draw = torch.Generator().manual_seed(seed)
    size = b[2:] - b[:2]
    sides = LARGEST ** (2 * torch.rand(count, 2, generator=draw, dtype=b.dtype) - 1)
    centres = (2 * torch.rand(count, 2, generator=draw, dtype=b.dtype) - 1) * (1 + sides) / 2
    return torch.cat([centres - sides / 2, centres + sides / 2], dim=1) * size.repeat(2) + (b[:2] + size / 2).repeat(2)


def length(schedule: Schedule, eta: float, t: int) -> float:
    """η_t."""
    return float(eta) if schedule == "fixed" else float(eta / (t + 1) ** 0.5)


def step(
    loss: Measure, boxes: Float[Tensor, "starts 4"], b: Float[Tensor, "4"], eta: float
) -> Float[Tensor, "starts 4"]:
    """Move each box by `eta` against the gradient, or not at all where that is zero."""
    slope = gradient(loss, boxes, b)
    size = slope.norm(dim=-1, keepdim=True)
    return boxes - eta * slope / torch.where(size == 0, 1, size)


def descend(
    loss: Measure, starts: Float[Tensor, "starts 4"], b: Float[Tensor, "4"], schedule: Schedule, eta: float, steps: int
) -> Descents:
    """Follow every start, all at once; boxes and target in the target's frame."""
    boxes, found = starts, iou(starts, b)
    path, reached = [starts[0]], torch.full((len(starts),), -1)
    low, high = torch.full_like(found, torch.inf), torch.full_like(found, -torch.inf)
    for t in range(steps):
        boxes = step(loss, boxes, b, length(schedule, eta, t))
        found = iou(boxes, b)
        path.append(boxes[0])
        reached = torch.where((reached < 0) & (found >= CONVERGED), t + 1, reached)
        if t >= steps - LAST:
            low, high = torch.minimum(low, found), torch.maximum(high, found)
    moved = (boxes != starts).any(-1)
    return Descents(iou(starts, b), found, reached, high - low, moved, torch.stack(path))
