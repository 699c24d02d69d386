"""Strides and receptive fields of layers, learnt while a network runs: which pixels does a position of an output see?

Along each axis, position p sees the pixels from stride·p + low to stride·p + high (Araujo, Norris and Sim, "Computing
receptive fields of convolutional neural networks", Distill 2019). Each layer takes the field of what it reads to that
of what it gives. Between layers a network does as it likes (adds, concatenates), so a field is looked up by the *size*
of the tensor, and where several tensors have one size their fields are united: an interior may come out too small,
never too large, as long as every layer that mixes neighbours says so by `kernel_size` or changes the size. A leaf that
does neither counts as pointwise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from torch import Tensor, nn

Span = tuple[Fraction, Fraction, Fraction]
"""Stride, low and high along one axis, in pixels."""
EVERYTHING = Fraction(10**12)
"""Farther than any picture is wide: what a position may see of which nothing is known."""


@dataclass(frozen=True)
class Field:
    """What the positions of an output see, a span along each axis."""

    spans: tuple[Span, ...]

    @property
    def stride(self) -> tuple[Fraction, ...]:
        """Pixels per position along each axis."""
        return tuple(span[0] for span in self.spans)

    def inside(
        self, shift: Sequence[int], size: Sequence[int], shape: Sequence[int], axes: Sequence[int]
    ) -> list[slice]:
        """The positions that see neither border nor seam, before the move and after it, along each axis."""
        parts = []
        for (stride, low, high), d, n, axis in zip(self.spans, shift, size, axes, strict=True):
            first = math.ceil((max(d, 0) - low) / stride)
            last = math.floor((n - 1 + min(d, 0) - high) / stride)
            parts.append(slice(max(first, 0), max(min(last + 1, shape[axis]), 0)))
        return parts

    def united(self, other: "Field") -> "Field":
        """What either sees, with the stride of the later one."""
        pairs = zip(self.spans, other.spans, strict=True)
        return Field(tuple((b[0], min(a[1], b[1]), max(a[2], b[2])) for a, b in pairs))


class Fields:
    """The fields of one network's tensors, by their size; it begins with the picture's own."""

    def __init__(self, size: Sequence[int]) -> None:
        self.size = tuple(size)
        self._known = {self.size: Field(((Fraction(1), Fraction(0), Fraction(0)),) * len(self.size))}

    def of(self, layer: nn.Module, inputs: Sequence[Tensor], output: Tensor) -> tuple[tuple[int, ...], Field | None]:
        """The spatial axes of a layer's output and their field; no axes and None where it has none."""
        axes = self._axes(output)
        size = tuple(output.shape[a] for a in axes)
        if not axes or all(n == 1 for n in size):
            return (), None
        if not next(layer.children(), None):
            field = self._through(layer, inputs, size)
            self._known[size] = self._known[size].united(field) if size in self._known else field
        elif size not in self._known:  # the whole module's output, made outside any layer
            self._known[size] = self._guess(size)
        return axes, self._known[size]

    def _through(self, layer: nn.Module, inputs: Sequence[Tensor], size: tuple[int, ...]) -> Field:
        for tensor in inputs:
            axes = self._axes(tensor)
            read = tuple(tensor.shape[a] for a in axes)
            if axes:
                before = self._known.get(read) or self._guess(read)
                steps = [_step(layer, a, len(size), i, o) for a, (i, o) in enumerate(zip(read, size, strict=True))]
                return Field(tuple(_chain(span, step) for span, step in zip(before.spans, steps, strict=True)))
        return self._guess(size)

    def _axes(self, tensor: Tensor) -> tuple[int, ...]:
        """Spatial axes: after batch and channels, or between them where only that size has been seen before."""
        rank = len(self.size)
        if tensor.ndim != rank + 2:
            return ()
        last = tuple(tensor.shape[1:-1]) in self._known and tuple(tensor.shape[2:]) not in self._known
        return tuple(range(1, rank + 1)) if last else tuple(range(2, rank + 2))

    def _guess(self, size: tuple[int, ...]) -> Field:
        """For a tensor that no layer gave: the stride from the sizes alone, the receptive field unknown."""
        return Field(tuple((_ratio(n, o), -EVERYTHING, EVERYTHING) for n, o in zip(self.size, size, strict=True)))


def _chain(span: Span, step: Span) -> Span:
    """Position p of the output sees positions scale·p + low … scale·p + high of an input with this span."""
    (stride, low, high), (scale, first, last) = span, step
    return stride * scale, low + stride * first, high + stride * last


def _step(layer: nn.Module, axis: int, rank: int, read: int, size: int) -> Span:
    """Scale, low and high of one layer along one axis, in positions of its input."""
    kernel = getattr(layer, "kernel_size", None)
    padding = getattr(layer, "padding", 0)
    if kernel is not None:
        stride = _at(getattr(layer, "stride", 1), axis)
        reach = _at(getattr(layer, "dilation", 1), axis) * (_at(kernel, axis) - 1)
        before = {"same": reach // 2, "valid": 0}[padding] if isinstance(padding, str) else _at(padding, axis)
        if getattr(layer, "transposed", False) or type(layer).__name__.startswith("MaxUnpool"):
            return Fraction(1, stride), Fraction(before - reach, stride), Fraction(before, stride)
        return Fraction(stride), Fraction(-before), Fraction(reach - before)
    if "Pad" in type(layer).__name__ and isinstance(padding, tuple) and len(padding) == 2 * rank:
        before = padding[2 * (rank - 1 - axis)]  # torch names the last axis first
        return Fraction(1), Fraction(-before), Fraction(-before)
    if read == size:
        return Fraction(1), Fraction(0), Fraction(0)
    scale = _ratio(read, size)  # resizing: each position sees those that it covers, and a neighbour more
    return scale, Fraction(-1), scale + 1


def _ratio(read: int, size: int) -> Fraction:
    """Input positions per output position: the exact ratio where one divides the other, else the nearest of that
    form."""
    return Fraction(max(1, round(read / size))) if read >= size else Fraction(1, round(size / read))


def _at(value: int | tuple[int, ...], axis: int) -> int:
    """The value for one axis; torch gives one for all, or one each."""
    return value if isinstance(value, int) else value[axis if axis < len(value) else 0]
