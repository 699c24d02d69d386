"""What needs no training: the layers of a network, and small kernels against a large one that sees as far.

A layer *sees* the pixels that a position of its output depends on, along one axis (`workings.nn.receptive`).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from workings.nn.receptive import Fields
from workings.studies.scenes.model import SceneNet, Shape, kernel_stack
from workings.train.checkpoint import parameters

WIDTHS = (1, 3, 32, 64, 128, 512)
"""Channels for which kernels are compared: the sheet's, and what lies around them."""
STACKS = {"small": (3, 3), "large": (7, 1)}
"""Kernel and number of convolutions."""


def layers(network: nn.Module, example: Tensor) -> list[dict[str, Any]]:
    """Of each layer: its kind, what it gives for one picture, its parameters, how many pixels it sees."""
    rows: list[dict[str, Any]] = []
    fields = Fields(example.shape[2:])

    def note(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            _, field = fields.of(layer, inputs, output)
            low, high = (0, 0) if field is None else field.spans[0][1:]
            sees = None if field is None else int(high - low) + 1
            gives, kind = list(output.shape[1:]), type(layer).__name__
            rows.append({"layer": name, "kind": kind, "gives": gives, "parameters": parameters(layer), "sees": sees})

        return hook

    leaves = [(name, layer) for name, layer in network.named_modules() if not next(layer.children(), None)]
    handles = [layer.register_forward_hook(note(name)) for name, layer in leaves]
    with torch.no_grad():
        network.eval()(example)
    for handle in handles:
        handle.remove()
    return rows


def network_rows(shape: Shape) -> list[dict[str, Any]]:
    """The layers of a network of that shape."""
    return layers(SceneNet(shape), torch.zeros(1, shape.channels, shape.size, shape.size))


def kernel_rows(widths: Sequence[int] = WIDTHS) -> list[dict[str, Any]]:
    """Of each stack of kernels, for each number of channels: weights, pixels seen, and ReLUs."""
    rows = []
    for channels in widths:
        for name, (kernel, convolutions) in STACKS.items():
            found = layers(kernel_stack(channels, kernel, convolutions), torch.zeros(1, channels, 16, 16))
            rows.append(
                {
                    "stack": name,
                    "channels": channels,
                    "weights": sum(row["parameters"] for row in found),
                    "sees": found[-1]["sees"],
                    "activations": sum(row["kind"] == "ReLU" for row in found),
                }
            )
    return rows
