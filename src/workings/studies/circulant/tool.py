"""Audit a network of one's own for shift-equivariance; convolve with a filter, and undo it."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import tyro

from workings.core.errors import UserError
from workings.drawing import check_file, in_style, save
from workings.studies.circulant.experiment import MOST_SHIFTS, read_filter
from workings.studies.circulant.model import apply as convolve
from workings.studies.circulant.model import eigenvalues
from workings.studies.circulant.model import solve as deconvolve

if TYPE_CHECKING:
    from workings.nn.equivariance import Audit

LARGEST_INPUT = 2**24
"""Numbers in a picture at most: 64 MB in float32, and many times that in a network's layers."""


@dataclass(frozen=True)
class Row:
    """One layer of an audited network."""

    layer: str
    kind: str
    stride: str
    """Pixels per position so far; "—" where there are none left, and invariance is measured."""
    mean: float
    """Relative shift error, over the shifts."""
    worst: float
    interior: float | None
    """The worst away from the border; None where every position sees it."""

    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        numbers = (self.mean, self.worst, math.nan if self.interior is None else self.interior)
        return (self.layer, self.kind, self.stride, *("—" if math.isnan(n) else f"{n:.4f}" for n in numbers))


@dataclass(frozen=True)
class AuditTable:
    """The shift errors of a network, layer by layer."""

    target: str
    shape: tuple[int, ...]
    shifts: int
    layers: tuple[Row, ...]
    skipped: tuple[str, ...]
    output: str | None
    """The picture that was drawn."""

    def __str__(self) -> str:
        head = ("layer", "type", "stride", "mean", "worst", "interior")
        cells = [head, *(row.cells() for row in self.layers)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if i < 2 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        ]
        told = (
            f"{self.target}: relative error under {self.shifts} circular shifts of {' × '.join(map(str, self.shape))}"
        )
        last = [f"skipped {each}" for each in self.skipped] + [self.output] * bool(self.output)
        return "\n".join([told, "", *lines, *(line for line in last if line)])


@dataclass(frozen=True)
class Numbers:
    """One row of numbers."""

    numbers: tuple[float, ...]
    note: str = ""

    def __str__(self) -> str:
        row = " ".join(f"{number:.12g}" for number in self.numbers)
        return f"{row}\n{self.note}" if self.note else row


def audit(
    target: Annotated[str, tyro.conf.Positional],
    input: str,
    shifts: int = 64,
    seed: int = 0,
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None,
) -> AuditTable:
    """Measure how far each layer of a network is from shift-equivariance.

    It imports the module that you name, from the current folder or an installed package, which runs its code. The
    picture is noise with the spectrum of photographs. The error is ‖f(Sx) − S′f(x)‖ / ‖f(x)‖ at each layer; the
    interior leaves out what sees the border.

    Example: workings use circulant audit torchvision.models:resnet18 --input 3,224,224 -o audit.png

    Args:
        target: MODULE:NAME of a torch.nn.Module, or of a class or function that gives one without arguments.
        input: Channels and sizes of a picture, as in 3,32,32 (or 3,100 for a signal).
        shifts: How many to draw; all of them where there are fewer.
        seed: Draws weights, picture and shifts.
        output: A .png, .svg or .pdf file for a picture of the errors.
    """
    if output is not None:
        check_file(output)
    if not 1 <= shifts <= MOST_SHIFTS:
        raise UserError(f"shifts is {shifts}: give a number from 1 to {MOST_SHIFTS:,}")
    if not 0 <= seed < 2**32:
        raise UserError(f"seed is {seed}: give a whole number from 0 to {2**32 - 1}")
    shape = read_shape(input)
    found = _measured(target, shape, shifts, seed)
    if output is not None:
        _draw(found, target, output.expanduser())
    rows = tuple(
        Row(
            layer.name,
            layer.kind,
            "—" if layer.stride is None else " × ".join(dict.fromkeys(map(str, layer.stride))),
            layer.mean,
            layer.worst,
            None if math.isnan(layer.worst_interior) else layer.worst_interior,
        )
        for layer in found.layers
    )
    return AuditTable(target, shape, len(found.shifts), rows, found.skipped, None if output is None else str(output))


def apply(w: str, x: str) -> Numbers:
    """Convolve circularly: the circulant of w, times x.

    Example: workings use circulant apply --w "1 2 3" --x "4 5 6"

    Args:
        w: The filter, the first column of the circulant.
        x: As many numbers.
    """
    return Numbers(tuple(convolve(*_two(w, x, "x")).tolist()))


def solve(w: str, y: str) -> Numbers:
    """Undo a circular convolution: the x whose convolution with w is y. An error names the frequencies that are lost.

    Example: workings use circulant solve --w "1 2 3" --y "31 31 28"

    Args:
        w: The filter, the first column of the circulant.
        y: As many numbers.
    """
    numbers, right = _two(w, y, "y")
    try:
        found = deconvolve(numbers, right)
    except np.linalg.LinAlgError as error:
        raise UserError(f"{error}; give a filter without those zeros") from None
    sizes = np.abs(eigenvalues(numbers))
    return Numbers(tuple(found.tolist()), f"condition number {sizes.max() / sizes.min():.4g}")


VERBS = (audit, apply, solve)


def read_shape(text: str) -> tuple[int, ...]:
    """Channels and one to three sizes."""
    try:
        shape = tuple(int(part) for part in text.replace(",", " ").split())
    except ValueError:
        shape = ()
    if len(shape) not in (2, 3, 4) or min(shape) < 1:
        raise UserError(f"input is {text!r}: give channels and one to three sizes, each from 1 on, as in 3,32,32")
    if math.prod(shape) > LARGEST_INPUT:
        raise UserError(f"input is {text!r}, {math.prod(shape):,} numbers: {LARGEST_INPUT:,} at most")
    if math.prod(shape[1:]) == 1:
        raise UserError(f"input is {text!r}: a picture of one pixel cannot be shifted; give larger sizes")
    return shape


def _two(w: str, x: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    first, second = read_filter(w), read_filter(x, name)
    if len(first) != len(second):
        raise UserError(f"w holds {len(first)} numbers and {name} {len(second)}: give as many of each")
    return first, second


def _measured(target: str, shape: tuple[int, ...], shifts: int, seed: int) -> "Audit":
    import torch

    from workings.core.progress import meter
    from workings.nn import equivariance
    from workings.studies.circulant.foreign import load, one_line
    from workings.studies.circulant.layers import photograph_like

    network = load(target, seed)
    weight = next((p for p in network.parameters() if p.is_floating_point()), torch.empty(0))
    x = photograph_like(shape, seed).to(weight)
    drawn = equivariance.sample_shifts(shape[1:], shifts, seed)
    try:
        with meter(target, len(drawn)) as bar:
            return equivariance.audit(network, x, shifts=drawn, tick=bar.advance)
    except Exception as error:  # whatever the person's code raises
        raise UserError(f"{target} cannot take an input of shape {[1, *shape]}: {one_line(error)}") from error


def _draw(found: "Audit", target: str, path: Path) -> None:
    from matplotlib.figure import Figure

    from workings.studies.circulant.drawings import profile, shift_map
    from workings.studies.circulant.readings import of

    layers = of(found)
    maps = [layer for layer in layers if layer.stride is not None]
    with in_style():
        flat = maps and maps[-1].shifts.shape[1] == 2
        drawing = Figure(figsize=(11.5 if flat else 7, min(3 + 0.16 * len(layers), 8.5)), layout="constrained")
        panels = drawing.subplots(1, 2 if flat else 1, squeeze=False, width_ratios=[1.3, 1] if flat else None)[0]
        profile(panels[0], layers)
        if flat:
            shift_map(panels[1], maps[-1])
        drawing.suptitle(f"Shift error of {target}", x=0.02, ha="left")
        save(drawing, path)
