"""The networks: parameters counted by hand, shapes, and what they are blind to."""

import pytest
import torch
from torch import nn

from workings.studies.random_labels.model import build
from workings.studies.random_labels.study import Network
from workings.train.checkpoint import parameters

ALL: tuple[Network, ...] = ("mlp-1x512", "mlp-3x512", "alexnet", "inception")


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("mlp-1x512", 3072 * 512 + 512 + 512 * 10 + 10),
        ("mlp-3x512", 3072 * 512 + 512 + 2 * (512 * 512 + 512) + 512 * 10 + 10),
        # Of 32 pixels the stride leaves 16, the pools 8 and 4.
        (
            "alexnet",
            (75 * 32 + 32) + (25 * 32 * 64 + 64) + (4 * 4 * 64 * 384 + 384) + (384 * 192 + 192) + (192 * 10 + 10),
        ),
        # Each module: 1×1 and 3×3 weights, and two numbers a channel for the normalisation.
        (
            "inception",
            (27 * 32 + 64)
            + (32 * 16 + 9 * 32 * 16 + 64)
            + (32 * 16 + 9 * 32 * 32 + 96)
            + (48 * 32 + 9 * 48 * 32 + 128)
            + (64 * 32 + 9 * 64 * 32 + 128)
            + (64 * 64 + 9 * 64 * 64 + 256)
            + (128 * 10 + 10),
        ),
    ],
)
def test_parameters_are_those_added_up_by_hand(name: Network, by_hand: int) -> None:
    assert parameters(build(name, (3, 32, 32), 10)) == by_hand


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (1, 28, 28), (3, 17, 40), (3, 9, 11)])
def test_any_size_gives_a_logit_a_class_with_a_gradient_everywhere(name: Network, shape: tuple[int, int, int]) -> None:
    network = build(name, shape, 4, dropout=0.5)
    logits = network(torch.randn(3, *shape))
    assert logits.shape == (3, 4)
    logits.square().sum().backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize("name", ALL)
def test_dropout_is_there_only_while_training(name: Network) -> None:
    network = build(name, (1, 8, 8), 3, dropout=0.5)
    picture = torch.randn(2, 1, 8, 8)
    network.eval()
    assert torch.equal(network(picture), network(picture))
    assert any(isinstance(module, nn.Dropout) and module.p == 0.5 for module in network.modules())


def test_a_dense_network_is_blind_to_the_order_of_pixels_and_a_convolution_is_not() -> None:
    """Permuting the pixels and the columns of the first matrix alike changes nothing."""
    order = torch.randperm(64)
    picture = torch.randn(5, 1, 8, 8)
    shuffled = picture.flatten(1)[:, order].view_as(picture)
    dense = build("mlp-1x512", (1, 8, 8), 3)
    before = dense(picture)
    first = next(module for module in dense.modules() if isinstance(module, nn.Linear))
    with torch.no_grad():
        first.weight.copy_(first.weight[:, order])
    torch.testing.assert_close(dense(shuffled), before)
