"""The network against counts by hand, what layers see against the formula and the gradient, a scramble by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workings.nn.equivariance import audit
from workings.studies.scenes.counts import kernel_rows, network_rows
from workings.studies.scenes.model import SceneNet, Shape, kernel_stack, log_probabilities, scramble
from workings.studies.scenes.sensitivity import layers, moved
from workings.studies.scenes.study import DIRECTIONS, DISTANCES

SMALL = Shape(classes=4, channels=2, size=8, width=2)

shapes = st.builds(
    Shape,
    classes=st.integers(2, 7),
    channels=st.sampled_from([1, 3]),
    size=st.sampled_from([8, 16, 24]),
    width=st.integers(1, 3),
    kernel=st.sampled_from([1, 3, 5, 7]),
    convolutions=st.integers(1, 3),
    normalised=st.booleans(),
    normalise_first=st.booleans(),
    pooled=st.booleans(),
    downsample=st.sampled_from(["max", "stride"]),
    drop_channels=st.booleans(),
)


def count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("normalised", "pooled", "expected"),
    [(False, False, 5_340_742), (True, True, 756_742), (False, True, 753_222), (True, False, 5_344_262)],
)
def test_the_sheet_s_networks_have_as_many_parameters_as_its_layers_add_up_to(
    normalised: bool, pooled: bool, expected: int
) -> None:
    assert count(SceneNet(Shape(normalised=normalised, pooled=pooled))) == expected


@given(shapes, st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_any_shape_gives_log_probabilities_and_as_many_parameters_as_worked_out(shape: Shape, batch: int) -> None:
    torch.manual_seed(0)
    net = SceneNet(shape)
    told = net(torch.rand(batch, shape.channels, shape.size, shape.size))
    assert told.shape == (batch, shape.classes)
    torch.testing.assert_close(told.exp().sum(1), torch.ones(batch))
    expected, read = 0, shape.channels
    for width in (shape.width, 2 * shape.width, 4 * shape.width):
        for _ in range(shape.convolutions):
            expected += read * width * shape.kernel**2 + width + 2 * width * shape.normalised
            read = width
    read *= 1 if shape.pooled else (shape.size // 8) ** 2
    for units in (32 * shape.width, 16 * shape.width):
        expected += read * units + units + 2 * units * shape.normalised
        read = units
    assert count(net) == expected + read * shape.classes + shape.classes


def test_maps_halve_from_block_to_block_and_last_positions_see_what_the_formula_says() -> None:
    rows = {row["layer"]: row for row in network_rows(Shape())}
    assert [rows[f"blocks.{n}.2"]["gives"] for n in range(3)] == [[32, 24, 24], [64, 12, 12], [128, 6, 6]]
    # r ← r + (k − 1)·j, j ← j·s: 1 → 3 → 4, 4 → 8 → 10, 10 → 18 → 22
    assert [rows[f"blocks.{n}.{m}"]["sees"] for n in range(3) for m in (0, 2)] == [3, 4, 8, 10, 18, 22]
    assert rows["head.0"]["parameters"] == 4_719_616
    assert rows["head.0"]["sees"] is None
    assert sum(row["parameters"] for row in rows.values()) == count(SceneNet(Shape()))


@pytest.mark.parametrize("first", [True, False])
def test_normalisation_stands_where_it_is_asked_for(first: bool) -> None:
    net = SceneNet(replace(SMALL, normalised=True, normalise_first=first))
    kinds = [type(layer).__name__ for layer in net.blocks[0].children()]
    middle = ["BatchNorm2d", "ReLU"] if first else ["ReLU", "BatchNorm2d"]
    assert kinds == ["Conv2d", *middle, "MaxPool2d", "Dropout"]
    dense = [type(layer).__name__ for layer in net.head]
    middle = [name.replace("2d", "1d") for name in middle]
    assert dense == ["Linear", *middle, "Dropout", "Linear", *middle, "Linear", "LogSoftmax"]


def test_whole_channels_are_dropped_where_that_is_asked_for() -> None:
    for whole in (False, True):
        net = SceneNet(replace(SMALL, drop_channels=whole, dropout=0.5)).train()
        torch.manual_seed(0)
        dropped = net.blocks[0][-1](torch.ones(1, 64, 4, 4)) == 0  # type: ignore[index]
        all_or_nothing = dropped.flatten(2).all(2) | ~dropped.flatten(2).any(2)
        assert bool(all_or_nothing.all()) == whole


def test_global_pooling_ignores_where_things_are() -> None:
    """Without borders (kernel 1) and with moves by whole cells of 8 pixels, nothing changes at all."""
    net = SceneNet(Shape(size=24, width=2, kernel=1, pooled=True)).eval()
    pictures = torch.rand(3, 3, 24, 24)
    torch.testing.assert_close(net(torch.roll(pictures, (8, 16), (2, 3))), net(pictures))


def test_evaluation_is_deterministic_and_blocks_of_pictures_make_no_difference() -> None:
    net = SceneNet(SMALL)
    pictures = torch.rand(260, 2, 8, 8)
    told = log_probabilities(net, pictures)
    assert not net.training
    torch.testing.assert_close(told, net(pictures))
    assert torch.equal(told, log_probabilities(net, pictures))


# ---- kernels ----


@pytest.mark.parametrize("channels", [1, 2, 8])
def test_kernels_see_as_far_as_gradients_reach(channels: int) -> None:
    """The pixels that the middle of the output depends on, by the gradient, with all weights positive."""
    for kernel, convolutions in ((3, 3), (7, 1), (3, 1), (5, 2)):
        stack = kernel_stack(channels, kernel, convolutions)
        for parameter in stack.parameters():
            torch.nn.init.constant_(parameter, 1.0)
        pixels = torch.ones(1, channels, 21, 21, requires_grad=True)
        stack(pixels)[0, 0, 10, 10].backward()
        assert pixels.grad is not None
        seen = int((pixels.grad[0, 0, 10] != 0).sum())
        assert seen == 1 + convolutions * (kernel - 1)


def test_counted_kernels_are_27_and_49_times_the_square_of_the_channels() -> None:
    for row in kernel_rows((1, 5, 32)):
        small = row["stack"] == "small"
        assert row["weights"] == (27 if small else 49) * row["channels"] ** 2
        assert row["activations"] == (3 if small else 1)
        assert row["sees"] == 7


# ---- scrambling ----


def test_a_scramble_worked_by_hand() -> None:
    """Two rows of two pixels in three colours: numbers 0 … 11 in the order of the file."""
    picture = torch.arange(12, dtype=torch.uint8).reshape(2, 2, 3)
    seen = scramble(picture).movedim(-1, 0)
    assert seen.tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [10, 11]]]


@given(st.integers(0, 3), st.integers(1, 6), st.integers(1, 6), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_a_scramble_is_numpy_s_reshape_and_loses_no_number(count: int, height: int, width: int, channels: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (count, height, width, channels), dtype=np.uint8)
    seen = scramble(torch.from_numpy(pictures)).numpy()
    assert seen.shape == pictures.shape
    np.testing.assert_array_equal(seen.transpose(0, 3, 1, 2), pictures.reshape(count, channels, height, width))
    assert sorted(seen.ravel().tolist()) == sorted(pictures.ravel().tolist())


# ---- shifts ----


class Brightest(SceneNet):
    """Names the column in which a single bright pixel stands: its answer follows every move to the side."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(1e3 * pictures.sum((1, 2)), 1)


def test_moves_are_counted_by_direction_and_distance() -> None:
    pictures = torch.zeros(2, 2, 8, 8)
    pictures[0, :, 3, 3] = 1.0  # the second picture is black, so that nothing ever changes
    changed, variation = moved(Brightest(SMALL), pictures)
    assert changed.tolist() == [[2, 0]] * len(DISTANCES)  # left and right, not up and down
    np.testing.assert_allclose(variation, [1 / 4] * len(DISTANCES))  # half of the moves, of half of the pictures


def test_what_is_kept_of_the_audit_is_what_the_audit_says() -> None:
    net = SceneNet(replace(SMALL, size=16)).eval()
    pictures = torch.rand(3, 2, 16, 16)
    rows = layers(net, pictures)
    assert [row["after"] for row in rows] == ["block 1", "block 2", "block 3", "output"]
    shifts = [(d * down, d * right) for d in DISTANCES for down, right in DIRECTIONS]
    whole = audit(net, pictures, shifts=shifts).layers[-1]
    assert rows[-1]["error"] == pytest.approx(math.fsum(whole.errors) / len(shifts))
    assert rows[-1]["interior"] is None
