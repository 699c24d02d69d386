"""Compare two boxes, look along the edges where IoU has kinks, and descend a loss from many starts around the second.

Recorded: table ``pair`` (exact IoU, gradient, kinks), table ``slide`` and arrays ``slide/at``, ``slide/iou`` (a copy of
the target slid through it: exact slopes on either side of the kinks), tables ``enumerated``, ``drawn`` and
``smoothness`` (see `sampling`), table ``grid`` and arrays ``starts/…`` (see `descent`: the grid first, then the starts
drawn at random), table ``path`` and array ``path/iou`` (the way of a), arrays ``field/…`` (loss and slope over the
place of a box of the target's size), and the table ``result`` for a person.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.core.typed import row
from workings.studies.iou.descent import (
    CENTRES,
    CONVERGED,
    DRAWN,
    REACH,
    SHAPES,
    descend,
    framed,
    grid,
    overlapping,
    target,
)
from workings.studies.iou.exact import Box, fractions, kinks, overlap, slopes
from workings.studies.iou.model import COMPARE, gradient, loss
from workings.studies.iou.sampling import drawn, enumerated, smoothness
from workings.studies.iou.study import MEASURES, TITLES, Config, Measure

Array = NDArray[np.floating[Any]]

LONGEST = 10_000
"""Steps at most: about half a minute."""
FINEST = 1e-9
"""A side beside the largest coordinate: float64, which errs by 1e-16 of that, still tells a millionth of the side."""
LARGEST, SMALLEST = 1e100, 1e-100
"""Of coordinates, and of sides: areas and their products stay within float64."""
FARTHEST = 1e3
"""Over how many of the target's sides (roots of its area) the two may reach: descent covers some twenty by default."""
FIELD, FIELD_REACH = 52, 2.55
"""Points along each side of the field, and the outermost, in sides of the target: a tenth apart, and off its edges."""
SLIDE = 257
"""Points of the slide: its kinks, at −1, 0 and 1 width, are among them."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be compared or descended."""
    a, b = (read_box(text, name) for text, name in ((config.a, "a"), (config.b, "b")))
    finest = max(FINEST * max(map(abs, a + b)), SMALLEST)
    for name, box in (("a", a), ("b", b)):
        shortest = min(box[2] - box[0], box[3] - box[1])
        if shortest < finest and (name == "b" or shortest > 0):
            wanted = f"{'' if name == 'b' else '0, or '}{finest:g} and more at these coordinates"
            raise UserError(f"{name} has a side of {shortest:g}: give {wanted}")
    side = ((b[2] - b[0]) * (b[3] - b[1])) ** 0.5
    reach = max(max(a[i::2] + b[i::2]) - min(a[i::2] + b[i::2]) for i in (0, 1)) / side
    if reach > FARTHEST:
        raise UserError(f"a and b together reach over {reach:.3g} times the side of b: give {FARTHEST:g} at most")
    if not 0 < config.eta < np.inf:
        raise UserError(f"eta is {config.eta}: a step length is a positive number")
    if not 1 <= config.steps <= LONGEST:
        raise UserError(f"steps is {config.steps}: give a number from 1 to {LONGEST:,}")
    if not 0 <= config.seed < 2**63:
        raise UserError(f"seed is {config.seed}: give a number from 0 to 2^63 − 1")


def read_box(text: str, name: str) -> tuple[float, ...]:
    """A box as a person types it: four finite numbers, the lower corner first."""
    box = row(text, name)
    if len(box) != 4:
        raise UserError(
            f'{name} holds {len(box)} number{"s" * (len(box) != 1)}: a box has four, x1 y1 x2 y2, as in "0 0 2 2"'
        )
    for axis, low, high in (("x", box[0], box[2]), ("y", box[1], box[3])):
        if high < low:
            raise UserError(f"{name} has {axis}2 = {high:g} below {axis}1 = {low:g}: give the lower corner first")
    if max(map(abs, box)) > LARGEST:
        raise UserError(f"{name} reaches {max(map(abs, box)):g}: coordinates go to {LARGEST:g}")
    return box


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    a, b = read_box(config.a, "a"), read_box(config.b, "b")
    boxes = torch.tensor([a, b], dtype=torch.float64)
    recorder.table("slide", _slide(fractions(b), recorder))
    recorder.table("enumerated", enumerated())
    recorder.table("drawn", drawn(config.seed))
    recorder.table("smoothness", smoothness(config.loss, config.seed).table())
    for name, values in zip(("axis", "loss", "slope"), field(config.loss, b), strict=True):
        recorder.array(f"field/{name}", values.astype(np.float32))
    reached = _descend(config, boxes, recorder)
    result = _pair(config.loss, fractions(a), fractions(b), boxes, recorder)
    recorder.table("result", result | reached)


def _pair(measure: Measure, a: Box, b: Box, boxes: Tensor, recorder: Recorder) -> dict[str, str]:
    """Record what the two boxes share, exactly, and return it in words."""
    found, bent = overlap(a, b), kinks(a, b)
    slope = gradient(measure, boxes[0], boxes[1]).tolist()
    written = {side: [str(slope) for slope in pair] for side, pair in bent.items()}
    recorder.table("pair", {"iou": str(found.iou.value), "gradient": slope, "kinks": written})
    told = "; ".join(
        f"along {side} its slope is {_shown(low)} before and {_shown(high)} after" for side, (low, high) in bent.items()
    )
    return {
        "area of a": _shown(found.a.value),
        "area of b": _shown(found.b.value),
        "intersection": _shown(found.intersection.value),
        "union": _shown(found.union.value),
        "IoU": _shown(found.iou.value),
        **{TITLES[name]: f"{float(COMPARE[name](boxes[0], boxes[1])):.6g}" for name in MEASURES[1:]},
        f"gradient of 1 − {TITLES[measure]} in a": f"({', '.join(f'{part:.6g}' for part in slope)})",
        "kink of IoU here": told or "none: it has a gradient",
    }


def _slide(b: Box, recorder: Recorder) -> dict[str, Any]:
    """Slide a copy of the target through it, along x; places in widths of the target."""
    width = b[2] - b[0]
    places = torch.linspace(-1.6, 1.6, SLIDE, dtype=torch.float64)
    box = torch.tensor([float(side) for side in b], dtype=torch.float64)
    along = torch.tensor([1.0, 0, 1, 0], dtype=torch.float64) * float(width)
    recorder.array("slide/at", places.numpy())
    recorder.array("slide/iou", COMPARE["iou"](box + places[:, None] * along, box).numpy())
    kinds = {"apart": Fraction(-7, 5), "touching": Fraction(-1), "between": Fraction(-1, 2), "equal": Fraction(0)}
    table = {}
    for name, at in kinds.items():
        moved = (b[0] + at * width, b[1], b[2] + at * width, b[3])
        before, after = slopes(moved, b, (1, 0, 1, 0))
        table[name] = {
            "a": [float(side) for side in moved],
            "b": [float(side) for side in b],
            "at": float(at),
            "iou": float(overlap(moved, b).iou.value),
            "before": float(before * width),
            "after": float(after * width),
            "text": [str(before * width), str(after * width)],
        }
    return table


def field(measure: Measure, b: Sequence[float]) -> tuple[Array, Array, Array]:
    """Places along an axis [n]; the loss [y, x] and its slope [y, x, 2] as a box of the target's size is centred there.

    In the target's frame: its centre is the origin, the root of its area the unit.
    """
    box = torch.tensor(b, dtype=torch.float64)
    at, axis = target(box), torch.linspace(-FIELD_REACH, FIELD_REACH, FIELD, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    boxes = at + torch.stack([x, y, x, y], dim=-1)
    slope = gradient(measure, boxes, at)
    return axis.numpy(), loss(measure, boxes, at).numpy(), (slope[..., :2] + slope[..., 2:]).numpy()


def _descend(config: Config, boxes: Tensor, recorder: Recorder) -> dict[str, str]:
    """Descend from a, from the grid and from the starts drawn at random; what became of them in words."""
    b = boxes[1]
    at = target(b)
    starts = framed(torch.cat([boxes[:1], grid(b).flatten(0, 2), overlapping(b, DRAWN, config.seed)]), b)
    found = descend(config.loss, starts, at, config.schedule, config.eta, config.steps)
    apart = ((starts[:, 2:] < at[:2]) | (at[2:] < starts[:, :2])).any(-1)
    recorder.array("path/iou", COMPARE["iou"](found.path, at).numpy().astype(np.float32))
    recorder.array("starts/box", starts[1:].numpy().astype(np.float32))
    recorder.array("starts/apart", apart[1:].numpy())
    recorder.array("starts/moved", found.moved[1:].numpy())
    recorder.array("starts/reached", found.reached[1:].numpy().astype(np.int16))
    for name in ("initial", "final", "swing"):
        recorder.array(f"starts/{name}", getattr(found, name)[1:].numpy().astype(np.float32))
    recorder.table("grid", {"converged": CONVERGED, "centres": CENTRES, "reach": REACH, "shapes": SHAPES})
    sides = (found.path - at).sign()
    crossed = int((sides[1:] * sides[:-1] < 0).sum())
    recorder.table("path", {"initial": float(found.initial[0]), "final": float(found.final[0]), "crossed": crossed})
    arrived = float((found.final[1:] >= CONVERGED).double().mean())
    return {
        f"after {config.steps:,} steps from a": f"IoU {float(found.final[0]):.6g}, with {crossed:,} kinks crossed",
        f"of {len(starts) - 1:,} other starts": f"{arrived:.0%} end at IoU {CONVERGED:g} or more",
    }


def _shown(number: Fraction) -> str:
    """A fraction, where it is short, and its decimals."""
    text, decimals = str(number), f"{float(number):.6g}"
    return decimals if text == decimals or len(text) > 20 else f"{text} = {decimals}"
