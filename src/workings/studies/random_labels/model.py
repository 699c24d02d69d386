"""The networks, after those of the paper, small enough for a processor; and nothing in them that knows of randomness.

    mlp-1x512, mlp-3x512   pixels → one or three hidden layers of 512 → classes: the paper's own
    alexnet                conv 5×5 → 32 → pool → conv 5×5 → 64 → pool → dense 384 → dense 192 → classes: the paper's
                           small AlexNet, narrower, without local response normalisation
    inception              conv 3×3 → 32 → three stages of modules (1×1 beside 3×3, batch normalisation, ReLU), a pool
                           between → mean over places → classes: the paper's small Inception, with fewer modules

A picture larger than `LARGE` pixels is halved by the first convolution's stride. Dropout comes before dense layers.
"""

from collections import OrderedDict

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workings.studies.random_labels.study import Network

HIDDEN = 512
"""Units of a hidden layer of the perceptrons."""
DENSE = (384, 192)
"""Of AlexNet's hidden dense layers."""
LARGE = 16
"""Pixels along a side above which the first convolution has a stride of 2."""


class Branches(nn.Module):
    """A module of Inception's: a 1×1 and a 3×3 convolution of the same maps, normalised, side by side."""

    def __init__(self, channels: int, narrow: int, wide: int) -> None:
        super().__init__()
        self.one, self.three = normalised(channels, narrow, 1), normalised(channels, wide, 3)

    def forward(self, maps: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch more height width"]:
        """`narrow` maps of the one, then `wide` of the other."""
        return torch.cat([self.one(maps), self.three(maps)], 1)


def normalised(channels: int, wide: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU; the normalisation has the bias."""
    convolution = nn.Conv2d(channels, wide, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(wide), nn.ReLU())


def build(name: Network, shape: tuple[int, int, int], classes: int, dropout: float = 0.0) -> nn.Module:
    """A network for pictures of this shape (channels, height, width), its weights as the library starts them.

    Called with pictures ``[batch, channels, height, width]`` it gives logits ``[batch, classes]``.
    """
    if name == "alexnet":
        return _alexnet(shape, classes, dropout)
    if name == "inception":
        return _inception(shape, classes, dropout)
    depth = {"mlp-1x512": 1, "mlp-3x512": 3}[name]
    return nn.Sequential(nn.Flatten(), *_dense(shape[0] * shape[1] * shape[2], (HIDDEN,) * depth, classes, dropout))


def _dense(inputs: int, hidden: tuple[int, ...], classes: int, dropout: float) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout)]
        inputs = width
    return [*layers, nn.Linear(inputs, classes)]


def _alexnet(shape: tuple[int, int, int], classes: int, dropout: float) -> nn.Module:
    channels, *sides = shape
    stride = _stride(sides)
    maps = nn.Sequential(
        *(nn.Conv2d(channels, 32, 5, stride, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
        *(nn.Conv2d(32, 64, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
        *(nn.Flatten(), nn.Dropout(dropout)),
    )
    cells = 64
    for side in sides:
        for halving in (stride, 2, 2):
            side = -(-side // halving)
        cells *= side
    return nn.Sequential(OrderedDict(maps=maps, dense=nn.Sequential(*_dense(cells, DENSE, classes, dropout))))


def _inception(shape: tuple[int, int, int], classes: int, dropout: float) -> nn.Module:
    return nn.Sequential(
        normalised(shape[0], 32, 3, _stride(shape[1:])),
        *(Branches(32, 16, 16), Branches(32, 16, 32), nn.MaxPool2d(3, 2, 1)),
        *(Branches(48, 32, 32), Branches(64, 32, 32), nn.MaxPool2d(3, 2, 1)),
        *(Branches(64, 64, 64), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout)),
        nn.Linear(128, classes),
    )


def _stride(sides: list[int] | tuple[int, ...]) -> int:
    return 2 if max(sides) > LARGE else 1
