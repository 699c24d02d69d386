"""How far each layer of a network is from shift-equivariance: ‖f(Sx) − S′f(x)‖ / ‖f(x)‖ (for gatech-2024-ps2, 5c).

S moves the picture x by d pixels along each axis, circularly; f is the network up to and with the layer; S′ moves the
layer's output by d/s positions, s being the stride so far. Where d/s is no whole number, S′ is the fractional Fourier
shift, which moves a band-limited signal exactly; what a layer aliases therefore counts as error. A layer without
spatial axes is measured for *invariance*: S′ is then the identity.

Two errors are told. The full one counts what wraps around and what the padding touches. The interior one compares only
positions whose receptive field lies inside the picture before and after the move (`receptive.py` works them out).

    for layer in audit(torchvision.models.resnet18(), torch.randn(1, 3, 224, 224)).layers:
        print(layer.name, layer.mean, layer.worst)

The module comes back as it was: training flags, hooks, gradients and random state. Pictures may have one, two or three
axes. A module called twice has two rows; tensors in tuples, lists and mappings have a row each; what is no
floating-point tensor is listed as skipped.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import torch
from jaxtyping import Float, Inexact
from torch import Tensor, nn

from workings.nn.receptive import Field, Fields

OUTPUT = "(output)"
"""The row of the module as a whole, which ends with what it computes outside any layer."""
ANOTHER_PATH = "the module takes another path for a moved picture, so its layers cannot be compared"
Shift = tuple[int, ...]
"""Pixels along each spatial axis, at most half its size either way."""


@dataclass(frozen=True)
class LayerError:
    """One layer's shift errors, in the order of the audit's shifts."""

    name: str
    kind: str
    """Its class."""
    shape: tuple[int, ...]
    """Of its output, batch first."""
    stride: tuple[Fraction, ...] | None
    """Pixels per output position along each axis; None where there are no spatial axes, and invariance is measured."""
    errors: tuple[float, ...]
    interior: tuple[float, ...]
    """The same without border and seam; NaN where no position is free of them."""

    @property
    def mean(self) -> float:
        """Over the shifts."""
        return sum(self.errors) / len(self.errors)

    @property
    def worst(self) -> float:
        """Over the shifts."""
        return max(self.errors)

    @property
    def worst_interior(self) -> float:
        """Over the shifts that leave an interior; NaN where none does."""
        return max((error for error in self.interior if not math.isnan(error)), default=math.nan)


@dataclass(frozen=True)
class Audit:
    """What was measured: the layers in order of their calls, the whole module last."""

    shifts: tuple[Shift, ...]
    layers: tuple[LayerError, ...]
    skipped: tuple[str, ...]
    """What could not be measured, and why."""


def audit(
    module: nn.Module,
    x: Inexact[Tensor, "batch channels *size"],
    *,
    shifts: Sequence[Shift] | None = None,
    count: int = 64,
    seed: int = 0,
    tick: Callable[[], object] | None = None,
) -> Audit:
    """Measure every leaf layer of a module, and the module, on the pictures x and under the given shifts.

    Without `shifts`, `sample_shifts` draws `count` of them. `tick` is called after each shift. ValueError where x is no
    batch of pictures; what the module itself raises passes through.
    """
    if x.ndim not in (3, 4, 5) or 0 in x.shape:
        raise ValueError(f"x has shape {list(x.shape)}: give [batch, channels, and one to three sizes], none of them 0")
    size = tuple(x.shape[2:])
    chosen = tuple(sample_shifts(size, count, seed) if shifts is None else shifts)
    for shift in chosen:
        if len(shift) != len(size) or any(2 * abs(d) > n for d, n in zip(shift, size, strict=True)):
            raise ValueError(f"shift {shift}: give {len(size)} whole numbers, each at most half of {size} either way")
    if not chosen:
        raise ValueError(f"pictures of {size} pixels have no shift to measure")
    still: list[_Output] = []
    fields = Fields(size)
    found: list[list[_Errors]] = []
    with _as_it_was(module, x), torch.no_grad(), closing(_Listener(module)) as listener:
        listener.run(x, lambda call, inputs: still.append(_kept(call, inputs, fields)))
        for shift in chosen:
            errors: list[_Errors] = []
            moved = torch.roll(x, shift, dims=tuple(range(2, x.ndim)))
            listener.run(moved, partial(_compare, still, errors, shift, size))
            if len(errors) < len(still):
                raise ValueError(f"{still[len(errors)].name} is not called: {ANOTHER_PATH}")
            found.append(errors)
            if tick:
                tick()
    layers = []
    for output, row in zip(still, zip(*found, strict=True), strict=True):
        full, interior = zip(*row, strict=True)
        stride = None if output.field is None else output.field.stride
        layers.append(LayerError(output.name, output.kind, tuple(output.value.shape), stride, full, interior))
    return Audit(chosen, tuple(layers), tuple(listener.skipped))


def sample_shifts(size: Sequence[int], count: int, seed: int) -> list[Shift]:
    """All circular shifts of a picture but the identity, or `count` of them drawn by `seed` where there are more."""
    spans = [range(-((n - 1) // 2), n // 2 + 1) for n in size]
    total = math.prod(map(len, spans))
    if total - 1 <= count:
        return [shift for shift in product(*spans) if any(shift)]
    draw, found = random.Random(seed), dict[Shift, None]()
    while len(found) < count:
        shift = tuple(draw.choice(span) for span in spans)
        if any(shift):
            found[shift] = None
    return list(found)


def shifted(y: Tensor, by: Sequence[Fraction], axes: Sequence[int]) -> Tensor:
    """y moved circularly by `by` positions along each of `axes`: whole numbers exactly, others by Fourier's shift."""
    for amount, axis in zip(by, axes, strict=True):
        y = torch.roll(y, int(amount), axis) if amount.denominator == 1 else _fourier_shift(y, float(amount), axis)
    return y


def _fourier_shift(y: Tensor, by: float, axis: int) -> Tensor:
    """Multiply frequency k by e^{−2πi k·by/n}; at Nyquist's, whose sign is open, by its real part."""
    n = y.shape[axis]
    frequency = torch.fft.fftfreq(n, 1 / n, dtype=torch.float64, device=y.device)
    phase = torch.polar(torch.ones_like(frequency), -2 * math.pi / n * by * frequency)
    if n % 2 == 0:
        phase[n // 2] = math.cos(math.pi * by)
    spectrum = torch.fft.fft(y, dim=axis)
    turned = spectrum * phase.to(spectrum.dtype).reshape([-1 if a == axis % y.ndim else 1 for a in range(y.ndim)])
    moved: Tensor = torch.fft.ifft(turned, dim=axis)
    return moved if y.is_complex() else moved.real


@dataclass(frozen=True)
class _Call:
    """One tensor that a layer gave back."""

    name: str
    kind: str
    layer: nn.Module
    value: Tensor


@dataclass(frozen=True)
class _Output:
    """What a layer says of the picture at rest."""

    name: str
    kind: str
    value: Tensor
    field: Field | None
    axes: tuple[int, ...]
    norm: float


_Errors = tuple[float, float]
"""The full and the interior error of one layer under one shift."""


def _kept(call: _Call, inputs: Sequence[Tensor], fields: Fields) -> _Output:
    """Keep a copy (a later layer may write in place), and find its spatial axes, stride and receptive field."""
    axes, field = fields.of(call.layer, inputs, call.value)
    value = call.value.detach().clone()
    return _Output(call.name, call.kind, value, field, axes, float(torch.linalg.vector_norm(value)))


def _compare(
    rest: Sequence[_Output], errors: list[_Errors], shift: Shift, size: Shift, call: _Call, _: Sequence[Tensor]
) -> None:
    """Append the errors of the next layer, which gave `call` for the picture moved by `shift`."""
    still = rest[len(errors)] if len(errors) < len(rest) else None
    if still is None or (still.name, still.value.shape) != (call.name, call.value.shape):
        raise ValueError(f"{call.name} gives {list(call.value.shape)}: {ANOTHER_PATH}")
    if still.field is None:
        errors.append((_relative(call.value - still.value, still.norm), math.nan))
        return
    expected = shifted(
        still.value, [Fraction(d) / s for d, s in zip(shift, still.field.stride, strict=True)], still.axes
    )
    difference = call.value - expected
    inside = [slice(None)] * difference.ndim
    for axis, part in zip(still.axes, still.field.inside(shift, size, still.value.shape, still.axes), strict=True):
        inside[axis] = part
    within = difference[tuple(inside)]
    interior = math.nan
    if within.numel():
        interior = _relative(within, float(torch.linalg.vector_norm(expected[tuple(inside)])))
    errors.append((_relative(difference, still.norm), interior))


def _relative(difference: Tensor, norm: float) -> float:
    """‖difference‖ / norm, with 0/0 = 0: a layer that answers nothing to both pictures answers the same."""
    error = float(torch.linalg.vector_norm(difference))
    return error / norm if norm else math.inf if error else 0.0


class _Listener:
    """Runs a module and tells of each layer's output tensors as they come; `close` takes its hooks away again."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.skipped: list[str] = []
        """What the last run gave that is no floating-point tensor."""
        leaves = {name: layer for name, layer in module.named_modules() if name and not next(layer.children(), None)}
        self._handles = [
            layer.register_forward_hook(partial(self._heard, name), with_kwargs=True)
            for name, layer in [*leaves.items(), (OUTPUT, module)]
        ]

    def run(self, x: Tensor, hear: Callable[[_Call, Sequence[Tensor]], object]) -> None:
        """Run the module once; `hear` is told of each tensor, and of those that the layer read."""
        self._hear, self._calls, self.skipped = hear, dict[str, int](), []
        # Dropout that is left on draws the same for every shift. (torch.manual_seed would ask for CUDA, too.)
        torch.default_generator.manual_seed(0)
        if x.is_cuda:
            torch.cuda.manual_seed(0)
        self.module(x)

    def close(self) -> None:
        """Remove the hooks."""
        for handle in self._handles:
            handle.remove()

    def _heard(self, name: str, layer: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        self._calls[name] = self._calls.get(name, 0) + 1
        label = name if self._calls[name] == 1 else f"{name} (call {self._calls[name]})"
        inputs = [value for _, value in _leaves([args, kwargs]) if isinstance(value, Tensor)]
        for path, value in _leaves(output):
            if isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex()):
                self._hear(_Call(label + path, type(layer).__name__, layer, value), inputs)
            else:
                kind = str(value.dtype) if isinstance(value, Tensor) else type(value).__name__
                self.skipped.append(f"{label}{path}: {kind}, no floating-point tensor")


def _leaves(output: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """What lies in nested tuples, lists and mappings, each with its place, as in ``[0]['out']``."""
    if isinstance(output, Mapping):
        for key, value in output.items():
            yield from _leaves(value, f"{path}[{key!r}]")
    elif isinstance(output, tuple | list):
        for index, value in enumerate(output):
            yield from _leaves(value, f"{path}[{index}]")
    else:
        yield path, output


@contextmanager
def _as_it_was(module: nn.Module, x: Float[Tensor, "..."]) -> Iterator[None]:
    """Evaluation mode for a while; then each submodule's own training flag, and the random state, as before."""
    flags = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.random.fork_rng([x.device] if x.is_cuda else []):
            yield
    finally:
        for part, flag in flags:
            part.training = flag
