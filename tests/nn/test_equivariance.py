import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from workings.nn.equivariance import OUTPUT, audit, sample_shifts, shifted
from workings.nn.receptive import Fields


def signal(*values: float) -> Tensor:
    """One channel, one axis."""
    return torch.tensor([[values]], dtype=torch.float64)


def weighted(layer: nn.Module, *values: float) -> nn.Module:
    """The layer in float64, without bias, its weights these."""
    layer = layer.double()
    layer.weight = nn.Parameter(torch.tensor(values, dtype=torch.float64).reshape(layer.weight.shape))  # type: ignore[arg-type, union-attr]
    return layer


def test_zero_padding_by_hand() -> None:
    """x = (1, 0, 0, 0) gives (1, 1, 0, 0); moved by one it gives (1, 1, 1, 0) where (0, 1, 1, 0) was due."""
    layer = weighted(nn.Conv1d(1, 1, 3, padding=1, bias=False), 1, 1, 1)
    (row,) = audit(layer, signal(1, 0, 0, 0), shifts=[(1,)]).layers
    assert (row.name, row.kind, row.shape, row.stride) == (OUTPUT, "Conv1d", (1, 1, 4), (1,))
    assert row.errors == pytest.approx((1 / math.sqrt(2),))
    assert row.interior == (0.0,)  # position 2 alone sees neither border nor seam, and gives 1 as due


def test_circular_padding_by_hand() -> None:
    layer = weighted(nn.Conv1d(1, 1, 3, padding=1, padding_mode="circular", bias=False), 1, -2, 3)
    assert audit(layer, signal(1, 5, 2, 7, 3)).layers[0].errors == (0.0,) * 4


def test_a_stride_by_hand() -> None:
    """(1, 2, 3, 4) pools to (2, 4), moved by one to (4, 3). Half a position on, Fourier gives (3, 3)."""
    (row,) = audit(nn.MaxPool1d(2), signal(1, 2, 3, 4), shifts=[(1,), (2,)]).layers
    assert row.stride == (2,)
    assert row.errors == pytest.approx((1 / math.sqrt(20), 0))
    assert (row.mean, row.worst) == pytest.approx((0.5 / math.sqrt(20), 1 / math.sqrt(20)))


def test_invariance_by_hand() -> None:
    """Weights (1, 2) on (3, 0) give 3, on (0, 3) they give 6; the mean gives the same."""
    flat = nn.Sequential(nn.Flatten(), weighted(nn.Linear(2, 1, bias=False), 1, 2))
    flatten, linear, whole = audit(flat, signal(3, 0)).layers
    assert [row.stride for row in (flatten, linear, whole)] == [None] * 3
    assert flatten.errors == pytest.approx((math.sqrt(2),))
    assert linear.errors == whole.errors == (1.0,)
    assert math.isnan(linear.worst_interior)
    assert audit(nn.AdaptiveAvgPool1d(1), signal(3, 0)).layers[0].errors == (0.0,)


def test_fourier_moves_a_band_limited_signal_exactly() -> None:
    places = torch.arange(12, dtype=torch.float64)

    def wave(at: Tensor) -> Tensor:
        return 2 + torch.cos(2 * math.pi * at / 12 - 1) + torch.sin(2 * math.pi * 5 * at / 12)

    for by in (Fraction(1, 3), Fraction(-7, 4), Fraction(5)):
        torch.testing.assert_close(shifted(wave(places), [by], [0]), wave(places - float(by)), rtol=0, atol=1e-13)
    picture = torch.randn(2, 6, 5, dtype=torch.float64)
    twice = shifted(shifted(picture, [Fraction(1, 2)], [2]), [Fraction(1, 2)], [2])  # odd length: no Nyquist frequency
    torch.testing.assert_close(twice, torch.roll(picture, 1, 2), rtol=0, atol=1e-13)
    spun = torch.polar(torch.ones(8, dtype=torch.float64), -2 * math.pi / 8 * 3 * torch.arange(8, dtype=torch.float64))
    torch.testing.assert_close(shifted(spun, [Fraction(1, 2)], [0]), spun * np.exp(2j * math.pi * 3 / 16))


class Odd(nn.Module):
    """Calls a layer twice, and answers with all sorts."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular")
        self.sorts = Sorts()

    def forward(self, x: Tensor) -> tuple[Tensor, dict[str, object]]:
        x = self.act(self.conv(self.act(self.conv(x))))
        return x, self.sorts(x)


class Sorts(nn.Module):
    """A mapping of a mean, a place and a word."""

    def forward(self, x: Tensor) -> dict[str, object]:
        return {"mean": x.mean((2, 3)), "argmax": x.flatten(1).argmax(1), "word": "sky", "list": [x]}


def test_modules_used_twice_and_outputs_of_all_sorts() -> None:
    found = audit(Odd().double(), torch.randn(1, 2, 6, 6, dtype=torch.float64), count=5)
    assert [row.name for row in found.layers] == [
        "conv",
        "act",
        "conv (call 2)",
        "act (call 2)",
        "sorts['mean']",
        "sorts['list'][0]",
        "(output)[0]",
        "(output)[1]['mean']",
        "(output)[1]['list'][0]",
    ]
    assert all(row.worst < 1e-14 for row in found.layers)  # the ReLU in place does not spoil what was kept
    assert [text.split(",")[0] for text in found.skipped] == [
        "sorts['argmax']: torch.int64",
        "sorts['word']: str",
        "(output)[1]['argmax']: torch.int64",
        "(output)[1]['word']: str",
    ]


def test_the_module_comes_back_as_it_was() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(), nn.ReLU())
    net[1].eval()
    flags = [part.training for part in net.modules()]
    state = {name: value.clone() for name, value in net.state_dict().items()}
    before = torch.get_rng_state()
    audit(net, torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(0)), count=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert [part.training for part in net.modules()] == flags
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert all(not part._forward_hooks for part in net.modules())
    assert all(weight.grad is None for weight in net.parameters())


class Breaks(nn.Module):
    """Fails at its second call."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > 1:
            raise RuntimeError("no more")
        return x


def test_and_even_where_it_fails() -> None:
    net = nn.Sequential(nn.Conv1d(1, 1, 1), Breaks())
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="no more"):
        audit(net, torch.ones(1, 1, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(not part._forward_hooks and part.training for part in net.modules())


class DropsAlways(nn.Module):
    """Dropout in evaluation too."""

    def forward(self, x: Tensor) -> Tensor:
        return x * nn.functional.dropout(torch.ones(()), 0.5, training=True)


def test_chance_is_the_same_for_every_shift() -> None:
    assert audit(DropsAlways(), torch.randn(1, 1, 9)).layers[0].worst == 0


class Turns(nn.Module):
    """Another shape for a moved picture."""

    def forward(self, x: Tensor) -> Tensor:
        return x if x[0, 0, 0] > 0 else x[..., 1:]


def test_another_path_for_a_moved_picture_is_an_error() -> None:
    with pytest.raises(ValueError, match="another path"):
        audit(Turns(), signal(1, -1, -1))


class ChannelsLast(nn.Module):
    """As ConvNeXt does: a dense layer over the last axis."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.dense = nn.Conv2d(2, 5, 3, stride=2, padding=1, padding_mode="circular"), nn.Linear(5, 7)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.dense(self.conv(x).permute(0, 2, 3, 1))
        return y


def test_channels_may_come_last() -> None:
    rows = audit(ChannelsLast().double(), torch.randn(1, 2, 8, 12).double(), shifts=[(2, 4), (1, 0)]).layers
    assert [row.shape for row in rows] == [(1, 5, 4, 6), (1, 4, 6, 7), (1, 4, 6, 7)]
    for row in rows:
        assert row.stride == (2, 2)
        assert row.errors[0] < 1e-14 < row.errors[1]


def test_one_and_three_axes() -> None:
    for convolution, size in ((nn.Conv1d, (7,)), (nn.Conv3d, (4, 5, 6))):
        net = convolution(1, 2, 3, padding=1, padding_mode="circular").double()
        found = audit(net, torch.randn(1, 1, *size).double(), count=10)
        assert found.layers[0].worst < 1e-14
        assert len(found.shifts[0]) == len(size)


@pytest.mark.parametrize(
    ("x", "shifts", "words"),
    [
        (torch.ones(4, 4), None, "x has shape"),
        (torch.ones(1, 0, 4), None, "x has shape"),
        (torch.ones(1, 1, 1), None, "no shift"),
        (torch.ones(1, 1, 4), [(1, 1)], "give 1 whole numbers"),
        (torch.ones(1, 1, 4), [(3,)], "at most half"),
    ],
)
def test_bad_pictures_and_shifts(x: Tensor, shifts: list[tuple[int, ...]] | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        audit(nn.Identity(), x, shifts=shifts)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(1, 60), st.integers(0, 99))
def test_shifts_are_distinct_and_reach_everywhere(size: list[int], count: int, seed: int) -> None:
    found = sample_shifts(size, count, seed)
    residues = {tuple(d % n for d, n in zip(shift, size, strict=True)) for shift in found}
    assert len(found) == len(residues) == min(count, math.prod(size) - 1)
    assert (0,) * len(size) not in residues
    assert found == sample_shifts(size, count, seed)


LAYER = st.tuples(st.sampled_from(["conv", "pool", "transposed", "pad", "same"]), *[st.integers(1, 3)] * 4)


def made(kind: str, kernel: int, stride: int, dilation: int, padding: int) -> nn.Module:
    match kind:
        case "conv":
            return nn.Conv1d(1, 1, kernel, stride, padding % 3, dilation)
        case "pool":
            return nn.AvgPool1d(kernel, stride, min(padding, kernel // 2))
        case "transposed":
            return nn.ConvTranspose1d(1, 1, kernel, stride, min(padding, dilation * (kernel - 1)), dilation=dilation)
        case "pad":
            return nn.ConstantPad1d((padding, dilation), 0.0)
        case _:
            return nn.Conv1d(1, 1, 2 * (kernel // 2) + 1, padding="same", dilation=dilation)


@settings(max_examples=60, deadline=None)
@given(st.lists(LAYER, min_size=1, max_size=4))
def test_receptive_fields_hold_every_pixel_that_gradients_reach(
    layers: list[tuple[str, int, int, int, int]],
) -> None:
    """Autograd is the oracle: what has a gradient lies in the field, and the field's ends are reached, if no transposed
    convolution leaves holes."""
    x = torch.zeros(1, 1, 40, dtype=torch.float64, requires_grad=True)
    fields, y = Fields((40,)), x
    for kind, *numbers in layers:
        layer = made(kind, *numbers).double()
        for weight in layer.parameters():
            nn.init.ones_(weight)
        assume(y.shape[-1] > 12)
        before, y = y, layer(y)
        assume(y.shape[-1] > 1)
        assume(y.shape[-1] == before.shape[-1] or y.shape[-1:] not in fields._known)  # else fields are united
        axes, field = fields.of(layer, [before], y)
    assert field is not None
    assert axes == (2,)
    ((stride, low, high),) = field.spans
    for p in range(y.shape[-1]):
        (gradient,) = torch.autograd.grad(y[0, 0, p], x, retain_graph=True)
        reached = gradient.flatten().nonzero().flatten().tolist()
        start, end = p * stride + low, p * stride + high
        if reached:
            assert start <= reached[0]
            assert reached[-1] <= end
        tight = not any(kind == "transposed" for kind, *_ in layers) and start >= 0 and end < 40
        if tight and all(before == "conv" or k == 1 for before, k, *_ in layers):
            assert (reached[0], reached[-1]) == (start, end)


def test_the_interior_is_exact_in_a_network_with_branches() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(1, 3, 5, stride=2, padding=2), nn.MaxPool2d(2)
            self.three = nn.Conv2d(4, 2, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.three(torch.cat([self.one(x), self.two(x)], 1))
            return y

    rows = audit(Residual().double(), torch.randn(1, 1, 24, 24).double(), shifts=[(2, -4), (-6, 6)]).layers
    assert [row.worst_interior < 1e-14 for row in rows] == [True] * 4
    assert rows[-1].worst > 0.1
    # max pooling pads nothing: where the picture divides, it is exact to its edge
    assert rows[1].worst == 0
