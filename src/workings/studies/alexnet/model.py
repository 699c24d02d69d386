"""AlexNet for small pictures (nyu-2023-hw, question 4): five convolutions, three dense layers.

    conv w, stride 2 → pool → conv 3w → pool → conv 6w → conv 4w → conv 4w → pool → flatten
    → [dropout → dense 64w] twice → dense to a logit for each class

Every convolution is 3×3 with one pixel of padding, every pool takes the largest of 2×2, a ReLU follows each layer but
the last. The sheet has w = 64 and pictures of 32 pixels, of which 2×2 places of 256 channels are left to flatten.
Pooling before the ReLU gives the same numbers as after it, and less to do.

Left out on purpose: the local response normalisation and the two towers of the original (Krizhevsky and others, 2012).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

SHRINK = 16
"""The stride and three pools halve four times: sizes must be multiples of it."""
CHANNELS = (1, 3, 6, 4, 4)
"""Of each convolution, in units of the width."""
POOLED = (0, 1, 4)
"""The convolutions after which there is a pool."""
DENSE = 64
"""Numbers of a dense layer, in units of the width."""
DROPOUT = 0.5
"""The sheet's share of numbers dropped, while the network learns: in use there is none."""
Start = Literal["sheet", "fan-in"]


class Layer(NamedTuple):
    """What one layer with weights gives for one picture, and what it takes."""

    name: str
    gives: list[int]
    parameters: int
    multiplications: int


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What decides the number of parameters."""

    size: int = 32
    """Height and width of the pictures: a multiple of `SHRINK`."""
    channels: int = 3
    classes: int = 10
    width: int = 64


class AlexNet(nn.Module):
    """Normalised pictures to logits."""

    def __init__(self, shape: Shape, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.dropout = dropout
        sizes = [shape.channels, *(times * shape.width for times in CHANNELS)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2 if at == 0 else 1, padding=1)
            for at, (before, after) in enumerate(pairwise(sizes))
        )
        hidden = DENSE * shape.width
        wide = [sizes[-1] * (shape.size // SHRINK) ** 2, hidden, hidden, shape.classes]
        self.dense = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(wide))

    @property
    def weighted(self) -> list[nn.Conv2d | nn.Linear]:
        """The layers that have weights, in order."""
        return [part for part in self.modules() if isinstance(part, nn.Conv2d | nn.Linear)]

    def forward(self, pictures: Float[Tensor, "batch channel size size"]) -> Float[Tensor, "batch class"]:
        """A logit for each class."""
        maps = pictures
        for at, convolution in enumerate(self.convolutions):
            maps = convolution(maps)
            maps = (nn.functional.max_pool2d(maps, 2) if at in POOLED else maps).relu()
        found = maps.flatten(1)
        for layer in self.dense[:-1]:
            found = layer(nn.functional.dropout(found, self.dropout, self.training)).relu()
        logits: Tensor = self.dense[-1](found)
        return logits


@torch.no_grad()
def initialise(network: AlexNet, start: Start) -> None:
    """Draw the weights from torch's generator; biases are 0.

    sheet: convolutions after Kaiming (variance 2 / fan-in), dense layers after Xavier, with the gain of a ReLU
    (4 / (fan-in + fan-out)). fan-in: all after Kaiming, so that the variance of the signal stays what it is from layer
    to layer, but for the last layer, which begins at 0: every class is as likely as any other at first.
    """
    for layer in network.weighted:
        assert layer.bias is not None  # torch allows layers without
        if isinstance(layer, nn.Linear) and start == "sheet":
            nn.init.xavier_normal_(layer.weight, gain=math.sqrt(2.0))
        else:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
    if start == "fan-in":
        nn.init.zeros_(network.weighted[-1].weight)


def layers(shape: Shape) -> Iterator[Layer]:
    """Each layer that has weights, in order: counted on the network as it is built, with one picture sent through.

    On torch's ``meta`` device, which knows shapes and holds no numbers.
    """
    seen: list[tuple[nn.Conv2d | nn.Linear, list[int]]] = []

    def note(layer: nn.Module, _: object, given: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        seen.append((layer, list(given.shape[1:])))

    with torch.device("meta"), torch.no_grad():
        network = AlexNet(shape).eval()
        for part in network.weighted:
            part.register_forward_hook(note)
        network(torch.zeros(1, shape.channels, shape.size, shape.size))
    for at, (layer, gives) in enumerate(seen):
        kind = "conv" if isinstance(layer, nn.Conv2d) else "dense"
        number = at + 1 if kind == "conv" else at + 1 - len(network.convolutions)
        weights = layer.weight.numel()
        yield Layer(f"{kind} {number}", gives, weights + gives[0], weights * math.prod(gives[1:]))
