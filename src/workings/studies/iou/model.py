"""Overlap of boxes (nyu-2023-hw, problem 3): IoU, and GIoU, DIoU and CIoU, which also tell boxes that lie apart.

A box is x1, y1, x2, y2: the set of points with x1 ≤ x ≤ x2 and y1 ≤ y ≤ y2. With A, B the areas, I that of the
intersection, U = A + B − I, and the hull the smallest box around both, of area C and diagonal d:

    IoU  = I / U
    GIoU = IoU − (C − U)/C                          Rezatofighi et al. 2019
    DIoU = IoU − ρ²/d²                              Zheng et al. 2020; ρ is the distance of the centres
    CIoU = DIoU − αv,  v = (4/π²) (Δ arctan(w/h))², α = v/(1 − IoU + v), held constant in the gradient, as published

What the definitions leave open is settled here, for every function, and held by a table in the tests:

    inverted (x2 < x1)   the empty set, as the definition has it: area 0, IoU 0. Networks put such boxes out while they
                         learn, so they are no error here; files that hold them are refused where they are read. Hull
                         and centre take the coordinates as they stand, so that such a box is still pulled back.
    no area              IoU is 0 where the union has none, with itself too; so is a term over an empty hull
    NaN                  in any coordinate: NaN
    infinite             infinite area: IoU 0 with a finite box; what is ∞/∞, ∞ − ∞ or ∞ · 0 is NaN
    touching             an intersection without area: IoU 0
    integers, halves     are computed in float64 and float32; other types stay as they are

In floating point too 0 ≤ IoU ≤ 1: rounding is monotone, so I ≤ A and I ≤ B, hence fl(A + B) ≥ 2I and U ≥ I. Areas of
float32 leave its range for sides beyond 1e19 or below 1e-19; float64 is then the type to use. Boxes that are rotated
have a module of their own.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from workings.studies.iou.study import Measure

Compare: TypeAlias = Callable[[Any, Any], Tensor]
"""A measure of two batches of boxes that broadcast."""
BLOCK = 2**16
"""Pairs at a time: their float32 intermediates (256 kB each) stay in the cache, which makes it fast too."""


class Parts(NamedTuple):
    """Areas of two boxes and what they share; each broadcasts to the batch."""

    a: Tensor
    b: Tensor
    intersection: Tensor
    union: Tensor

    @property
    def iou(self) -> Tensor:
        """I/U; where neither box has an area, 0/1."""
        nothing = ((area == 0).to(self.union.dtype) for area in (self.a, self.b))
        return self.intersection / torch.addcmul(self.union, *nothing)  # faster than to look for zeros among the pairs


def parts(a: Shaped[Tensor, "*#batch 4"], b: Shaped[Tensor, "*#batch 4"]) -> Parts:
    """Areas, intersection and union, in squared units of the coordinates."""
    ax1, ay1, ax2, ay2 = _sides(a)
    bx1, by1, bx2, by2 = _sides(b)
    area_a = (ax2 - ax1).clamp(min=0) * (ay2 - ay1).clamp(min=0)
    area_b = (bx2 - bx1).clamp(min=0) * (by2 - by1).clamp(min=0)
    # In place, on what is fresh here: over a matrix of pairs that takes half the time.
    width = torch.minimum(ax2, bx2).sub_(torch.maximum(ax1, bx1)).clamp_(min=0)
    height = torch.minimum(ay2, by2).sub_(torch.maximum(ay1, by1)).clamp_(min=0)
    intersection = width.mul_(height)
    return Parts(area_a, area_b, intersection, (area_a + area_b).sub_(intersection))


def iou(a: Shaped[Tensor, "*#batch 4"], b: Shaped[Tensor, "*#batch 4"]) -> Float[Tensor, "*#batch"]:
    """Intersection over union, from 0 to 1. Batches broadcast."""
    return parts(a, b).iou


def giou(a: Shaped[Tensor, "*#batch 4"], b: Shaped[Tensor, "*#batch 4"]) -> Float[Tensor, "*#batch"]:
    """Generalised IoU, from −1 to 1: less the share of the hull that neither box covers."""
    found, (width, height) = parts(a, b), _hull(a, b)
    hull = width.clamp(min=0) * height.clamp(min=0)
    return found.iou - ratio(hull - found.union, hull)


def diou(a: Shaped[Tensor, "*#batch 4"], b: Shaped[Tensor, "*#batch 4"]) -> Float[Tensor, "*#batch"]:
    """Distance IoU, from −1 to 1: less the squared distance of the centres over that across the hull."""
    return iou(a, b) - _distance(a, b)


def ciou(a: Shaped[Tensor, "*#batch 4"], b: Shaped[Tensor, "*#batch 4"]) -> Float[Tensor, "*#batch"]:
    """Complete IoU: DIoU, less αv for unlike aspect ratios; v is from 0 to 1."""
    plain, v = iou(a, b), 4 / math.pi**2 * (_slant(a) - _slant(b)) ** 2
    alpha = ratio(v, 1 - plain + v).detach()
    return plain - _distance(a, b) - alpha * v


COMPARE: Mapping[Measure, Compare] = {"iou": iou, "giou": giou, "diou": diou, "ciou": ciou}


def loss(measure: Measure, a: Shaped[Tensor, "*#batch 4"], b: Shaped[Tensor, "*#batch 4"]) -> Float[Tensor, "*#batch"]:
    """One minus the measure, pair by pair: 0 for equal boxes."""
    return 1 - COMPARE[measure](a, b)


def gradient(
    measure: Measure, a: Shaped[Tensor, "*#batch 4"], b: Shaped[Tensor, "*#batch 4"]
) -> Float[Tensor, "*#batch 4"]:
    """∂loss/∂a, by reverse mode; at a kink, one of the slopes or their mean."""
    with torch.enable_grad():
        at = real(a).detach().requires_grad_()
        (slope,) = torch.autograd.grad(loss(measure, at, b).sum(), at)
    return slope


def pairwise(
    a: Shaped[Tensor, "n k"], b: Shaped[Tensor, "m k"], compare: Compare = iou, block: int = BLOCK
) -> Float[Tensor, "n m"]:
    """The measure of every box of `a` with every box of `b`, in blocks of about `block` pairs.

    Memory: the result, and a few blocks. With gradients, what reverse mode keeps is added.
    """
    blocks = _blocks(a, b, compare, block)
    if torch.is_grad_enabled() and (a.requires_grad or b.requires_grad):
        return torch.cat([found for _, found in blocks])
    matrix = torch.empty(len(a), len(b), dtype=_type(a, b), device=a.device)
    for rows, found in blocks:
        matrix[rows] = found
    return matrix


class Best(NamedTuple):
    """For each box the best of the other batch: the measure, and which box it is."""

    value: Tensor
    which: Tensor


def best_match(a: Shaped[Tensor, "n k"], b: Shaped[Tensor, "m k"], compare: Compare = iou, block: int = BLOCK) -> Best:
    """For each box of `a` the box of `b` it agrees with most (the first of equals), without the n × m matrix.

    Where `b` is empty the value is −∞, the maximum of nothing, and `which` −1. NaN counts as the largest.
    """
    if len(b) == 0:
        nothing = torch.full((len(a),), -torch.inf, dtype=_type(a, b), device=a.device)
        return Best(nothing, torch.full((len(a),), -1, device=a.device))
    found = [matrix.max(dim=1) for _, matrix in _blocks(a, b, compare, block)]
    return Best(torch.cat([best.values for best in found]), torch.cat([best.indices for best in found]))


def _blocks(a: Tensor, b: Tensor, compare: Compare, block: int) -> Iterator[tuple[slice, Tensor]]:
    """Rows and their part of the matrix; at least one part, so that there is something to join."""
    if block < 1:
        raise ValueError(f"block is {block}: at least one pair at a time")
    columns = real(b).T.contiguous().T  # each coordinate in one piece: read many times
    height = max(1, block // max(1, len(b)))
    for start in range(0, max(1, len(a)), height):
        rows = slice(start, start + height)
        yield rows, compare(a[rows, None], columns[None])


def _type(a: Tensor, b: Tensor) -> torch.dtype:
    return torch.promote_types(real(a[:0]).dtype, real(b[:0]).dtype)


def real(boxes: Tensor) -> Tensor:
    """Integers in float64, which holds them up to 2⁵³; halves in float32, as areas leave their range at 256 × 256."""
    if not boxes.is_floating_point():
        return boxes.double()
    return boxes.float() if boxes.dtype in (torch.float16, torch.bfloat16) else boxes


def _sides(boxes: Tensor) -> tuple[Tensor, ...]:
    return real(boxes).unbind(-1)


def _hull(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Width and height of the smallest box around both; below 0 only where both are inverted."""
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = _sides(a), _sides(b)
    width = torch.maximum(ax2, bx2) - torch.minimum(ax1, bx1)
    height = torch.maximum(ay2, by2) - torch.minimum(ay1, by1)
    return width, height


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """ρ²/d²."""
    width, height = _hull(a, b)
    x, y = ((real(a)[..., :2] + real(a)[..., 2:] - real(b)[..., :2] - real(b)[..., 2:]) / 2).unbind(-1)
    return ratio(x**2 + y**2, width**2 + height**2)


def _slant(boxes: Tensor) -> Tensor:
    """arctan(w/h), and 0 for a point, with slopes that are finite."""
    x1, y1, x2, y2 = _sides(boxes)
    width, height = (x2 - x1).clamp(min=0), (y2 - y1).clamp(min=0)
    return torch.atan2(width, torch.where((width == 0) & (height == 0), 1, height))


def ratio(above: Tensor, below: Tensor) -> Tensor:
    """Their quotient, and 0 for 0/0, with a slope that is finite there; NaN stays NaN."""
    return above / below.masked_fill(below == 0, 1)
