"""IoU over every pair of small integer boxes, and over boxes drawn at random: its range, its gradient (3a, 3b).

The integer boxes are counted as sets of unit cells, without any formula, which is the proof of 3a by enumeration; the
formula has to give the same counts.
"""

from dataclasses import asdict, dataclass
from itertools import combinations_with_replacement, product
from typing import Any

import torch
from torch import Tensor

from workings.studies.iou.model import gradient, iou, loss, parts
from workings.studies.iou.study import Measure

CORNERS = 5
"""Integer boxes have corners 0 … 4: enough for each way that two intervals can lie, with nested and equal ones."""
DRAWN = 20_000
"""Pairs drawn at random: every order of four edges on each axis comes up hundreds of times."""
STEP = 1e-6
"""Of central differences in float64: they err by about STEP² through curvature and 2⁻⁵²/STEP through rounding."""
AGREES = 1e-6
"""What two derivatives may differ by: their error is 1e-9 on boxes with sides of at least `SHORTEST`, a kink's 0.1."""
SHORTEST = 0.1
"""Sides of the boxes drawn, in the unit of their coordinates: much longer than STEP."""


def enumerated() -> dict[str, Any]:
    """All pairs of integer boxes: |A ∩ B| and |A ∪ B| by counting cells, beside the formula, in whole numbers."""
    intervals = list(combinations_with_replacement(range(CORNERS), 2))
    boxes = torch.tensor([(x1, y1, x2, y2) for (x1, x2), (y1, y2) in product(intervals, intervals)])
    axis = torch.arange(CORNERS - 1)
    x1, y1, x2, y2 = (side[:, None, None] for side in boxes.unbind(1))
    cells = ((x1 <= axis) & (axis < x2) & (y1 <= axis[:, None]) & (axis[:, None] < y2)).flatten(1).double()
    shared = cells @ cells.T
    union = len(axis) ** 2 - (1 - cells) @ (1 - cells).T
    found = parts(boxes[:, None], boxes[None])
    some = union > 0
    equal = (cells[:, None] == cells[None]).all(-1)
    return {
        "corners": CORNERS,
        "pairs": shared.numel(),
        "with_area": int(some.sum()),
        "miscounted": int(((found.intersection != shared) | (found.union != union)).sum()),
        "below": int((shared < 0).sum()),
        "above": int((shared > union).sum()),
        "outside": _first(boxes, (found.iou < 0) | (found.iou > 1)),
        "ones": int(((found.iou == 1) & some).sum()),
        "ones_of_equal": int((equal & some).sum()),
        "zeros": int(((found.iou == 0) & some).sum()),
        "zeros_of_disjoint": int(((shared == 0) & some).sum()),
    }


def drawn(seed: int) -> dict[str, Any]:
    """The range of IoU in float32 over boxes of very unlike size, far from the origin."""
    draw = torch.Generator().manual_seed(seed)
    sides = 10.0 ** (8 * torch.rand(2, DRAWN, 2, generator=draw) - 4)
    near = torch.rand(2, DRAWN, 2, generator=draw) * sides.flip(0)  # so that many overlap
    far = 10.0 ** (6 * torch.rand(DRAWN, 1, generator=draw) - 3)
    a, b = torch.cat([near + far, near + far + sides], dim=-1)
    found = iou(a, b)
    outside = (found < 0) | (found > 1)
    return {
        "pairs": DRAWN,
        "overlapping": int((found > 0).sum()),
        "low": float(found.min()),
        "high": float(found.max()),
        "outside": [box.tolist() for pair in zip(a[outside][:1], b[outside][:1], strict=True) for box in pair],
    }


@dataclass(frozen=True)
class Smoothness:
    """Reverse mode beside central differences, on pairs drawn at random."""

    pairs: int
    disjoint: int
    """Pairs that lie apart."""
    flat: int
    """Of these, how many have a gradient of exactly zero."""
    near_kink: int
    """Pairs with two edges closer to each other than the step of the differences: left aside."""
    differing: int
    """Of the others, how many differ by more than `AGREES`."""
    largest: float
    """The largest difference, in units of 1/length."""
    example: list[list[float]]
    """The pair where that is."""

    def table(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def smoothness(measure: Measure, seed: int) -> Smoothness:
    """Compare the gradient of a loss with differences of its values."""
    draw = torch.Generator().manual_seed(seed)
    corner, side = torch.rand(2, 2, DRAWN, 2, generator=draw, dtype=torch.float64)
    a, b = torch.cat([2 * corner, 2 * corner + SHORTEST + side], dim=-1)
    slope, differences = gradient(measure, a, b), torch.empty_like(a)
    for i, ahead in enumerate(STEP * torch.eye(4, dtype=a.dtype)):
        differences[:, i] = (loss(measure, a + ahead, b) - loss(measure, a - ahead, b)) / (2 * STEP)
    gaps = torch.stack([a - b, a - b[:, [2, 3, 0, 1]]])  # each edge to both of the other box along its axis
    clear = gaps.abs().amin(dim=(0, 2)) > STEP
    apart = ((a[:, 2:] < b[:, :2]) | (b[:, 2:] < a[:, :2])).any(-1)
    error = torch.where(clear, (slope - differences).abs().amax(-1), 0)
    worst = int(error.argmax())
    return Smoothness(
        pairs=DRAWN,
        disjoint=int(apart.sum()),
        flat=int((apart & (slope == 0).all(-1)).sum()),
        near_kink=int((~clear).sum()),
        differing=int((error > AGREES).sum()),
        largest=float(error[worst]),
        example=[a[worst].tolist(), b[worst].tolist()],
    )


def _first(boxes: Tensor, wrong: Tensor) -> list[list[int]]:
    """The first pair of which something is wrong, or none."""
    places = wrong.nonzero()[:1].flatten().tolist()
    return [boxes[place].tolist() for place in places]
