"""The network against counts by hand, the same layers in plain torch, and the statistics of its first weights."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from workings.studies.alexnet.model import AlexNet, Shape, Start, initialise, layers
from workings.train.checkpoint import parameters

shapes = st.builds(
    Shape, size=st.sampled_from([16, 32, 48]), channels=st.sampled_from([1, 3]), classes=st.integers(2, 12),
    width=st.integers(1, 3),
)  # fmt: skip


def plain(shape: Shape) -> nn.Sequential:
    """As tutorials write it: one line a layer, ReLU before pool."""
    parts: list[nn.Module] = []
    sizes = [shape.channels] + [shape.width * times for times in (1, 3, 6, 4, 4)]
    for at in range(5):
        parts += [nn.Conv2d(sizes[at], sizes[at + 1], 3, 2 if at == 0 else 1, 1), nn.ReLU()]
        parts += [nn.MaxPool2d(2)] if at in (0, 1, 4) else []
    parts.append(nn.Flatten())
    wide = sizes[-1] * (shape.size // 16) ** 2
    for before in (wide, 64 * shape.width):
        parts += [nn.Dropout(0.5), nn.Linear(before, 64 * shape.width), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(64 * shape.width, shape.classes))


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        # 3·3·3·64 + 64, and so on, layer by layer; then 1024 · 4096, 4096 · 4096 and 4096 · 10 with their biases.
        (Shape(), 1_792 + 110_784 + 663_936 + 884_992 + 590_080 + 4_198_400 + 16_781_312 + 40_970),
        (Shape(), 23_272_266),
        # Width 1, grey, two classes, 16 pixels: one place of 4 channels is left.
        (Shape(size=16, channels=1, classes=2, width=1), 10 + 30 + 168 + 220 + 148 + 4 * 64 + 64 + 64 * 65 + 2 * 65),
    ],
)
def test_the_counts_are_those_added_up_by_hand(shape: Shape, count: int) -> None:
    with torch.device("meta"):
        assert parameters(AlexNet(shape)) == count
    assert sum(layer.parameters for layer in layers(shape)) == count


def test_the_layers_give_what_the_sheet_s_network_gives() -> None:
    rows = list(layers(Shape()))
    assert [row.gives for row in rows] == [
        *([64, 16, 16], [192, 8, 8], [384, 4, 4], [256, 4, 4], [256, 4, 4]),
        *([4096], [4096], [10]),
    ]
    assert rows[0].multiplications == 16 * 16 * 64 * 3 * 9
    assert rows[-1].multiplications == 4096 * 10
    assert [row.name for row in rows] == [*(f"conv {i}" for i in range(1, 6)), *(f"dense {i}" for i in range(1, 4))]


@given(shape=shapes, batch=st.integers(0, 3), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_in_use_it_is_the_plain_network(shape: Shape, batch: int, seed: int) -> None:
    torch.manual_seed(seed)
    ours, theirs = AlexNet(shape).eval(), plain(shape).eval()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    x = torch.randn(batch, shape.channels, shape.size, shape.size)
    # A pool before the ReLU picks the same number as after it.
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-6)


def test_while_it_learns_half_of_the_numbers_are_dropped_and_the_rest_doubled() -> None:
    network = AlexNet(Shape(size=16, width=2, channels=1, classes=2))
    seen: list[torch.Tensor] = []
    network.dense[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    pictures = torch.randn(1, 1, 16, 16).expand(4_000, -1, -1, -1)
    network.train()(pictures)
    network.eval()(pictures)
    dropped, kept = seen
    there = kept > 0
    zero = (dropped == 0)[there]
    # Half of 4,000 or more: within 0.05 at six standard deviations.
    assert float(zero.double().mean()) == pytest.approx(0.5, abs=0.05)
    torch.testing.assert_close(dropped[there][~zero], 2 * kept[there][~zero])


@pytest.mark.parametrize(
    ("start", "dense"),
    [
        ("sheet", [4 / (1024 + 256), 4 / (1024 + 1024), 4 / (1024 + 10)]),
        ("fan-in", [2 / 256, 2 / 1024, 0.0]),
    ],
)
def test_first_weights_have_the_variances_of_kaiming_and_xavier(start: Start, dense: list[float]) -> None:
    torch.manual_seed(0)
    network = AlexNet(Shape(width=16))
    initialise(network, start)
    expected = [2 / (9 * channels) for channels in (3, 16, 48, 96, 64)] + dense
    for layer, variance in zip((*network.convolutions, *network.dense), expected, strict=True):
        count = layer.weight.numel()
        # The variance of a sample of n normal numbers has relative deviation √(2/n): five of them.
        assert float(layer.weight.detach().var()) == pytest.approx(variance, rel=5 * math.sqrt(2 / count))
        assert not layer.bias.any()


def test_from_the_fan_in_start_every_class_is_as_likely_as_any_other() -> None:
    network = AlexNet(Shape(width=2))
    initialise(network, "fan-in")
    assert not network.eval()(torch.randn(3, 3, 32, 32)).any()


def test_the_same_generator_draws_the_same_first_weights() -> None:
    first, second = AlexNet(Shape(width=1)), AlexNet(Shape(width=1))
    for network in (first, second):
        torch.manual_seed(4)
        initialise(network, "sheet")
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
