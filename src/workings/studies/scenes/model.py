"""The network (ist-2025-hw2, questions 2.1 and 2.2), for square pictures of ``size`` pixels, with its variants.

    three blocks    conv 3×3 → [BN] → ReLU → max pooling 2 → dropout;   w, 2w and 4w channels
    in between      flatten, or the mean of each channel over the picture
    dense           32w → [BN] → ReLU → dropout → 16w → [BN] → ReLU → classes → log-softmax

The sheet has w = 32 and 48 pixels in three channels. Variants: larger kernels, several convolutions a block, a stride
in place of pooling, normalisation after the ReLU, dropout of whole channels. Weights start as the library starts them.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

BLOCKS = 3
HALVINGS: int = 2**BLOCKS
"""Each block halves the size, so sizes must be multiples of it."""
BLOCK = 250
"""Pictures judged together; more takes memory, not time."""
HIDDEN = (32, 16)
"""Units of the dense layers, in units of the width: 1024 and 512 in the sheet."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What decides what is computed. The defaults are the sheet's first network."""

    classes: int = 6
    channels: int = 3
    size: int = 48
    width: int = 32
    kernel: int = 3
    convolutions: int = 1
    normalised: bool = False
    normalise_first: bool = True
    pooled: bool = False
    downsample: str = "max"
    dropout: float = 0.1
    drop_channels: bool = False

    @property
    def features(self) -> int:
        """Numbers that the dense layers read."""
        cells = 1 if self.pooled else (self.size // HALVINGS) ** 2
        return self.width * (HALVINGS // 2) * cells


class SceneNet(nn.Module):
    """Pictures in [0, 1) to log-probabilities of their classes."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        widths = [shape.channels, *(shape.width * 2**block for block in range(BLOCKS))]
        self.blocks = nn.Sequential(*(_block(shape, widths[i], widths[i + 1]) for i in range(BLOCKS)))
        self.between = nn.Sequential(*([nn.AdaptiveAvgPool2d(1)] if shape.pooled else []), nn.Flatten())
        first, second = (units * shape.width for units in HIDDEN)
        self.head = nn.Sequential(
            *(nn.Linear(shape.features, first), *_activation(shape, nn.BatchNorm1d, first), nn.Dropout(shape.dropout)),
            *(nn.Linear(first, second), *_activation(shape, nn.BatchNorm1d, second)),
            *(nn.Linear(second, shape.classes), nn.LogSoftmax(1)),
        )

    def forward(self, pictures: Float[Tensor, "batch channels size size"]) -> Float[Tensor, "batch classes"]:
        """Log-probabilities."""
        told: Tensor = self.head(self.between(self.blocks(pictures)))
        return told


def _block(shape: Shape, read: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number in range(shape.convolutions):
        last = number == shape.convolutions - 1
        stride = 2 if last and shape.downsample == "stride" else 1
        layers += [nn.Conv2d(read, width, shape.kernel, stride, shape.kernel // 2)]
        layers += _activation(shape, nn.BatchNorm2d, width)
        read = width
    pooling = [nn.MaxPool2d(2)] if shape.downsample == "max" else []
    dropout = nn.Dropout2d if shape.drop_channels else nn.Dropout
    return nn.Sequential(*layers, *pooling, dropout(shape.dropout))


def _activation(shape: Shape, norm: type[nn.Module], width: int) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.ReLU()]
    if shape.normalised:
        layers.insert(0 if shape.normalise_first else 1, norm(width))
    return layers


def kernel_stack(channels: int, kernel: int, convolutions: int) -> nn.Sequential:
    """So many convolutions without bias, a ReLU after each; the same number of channels throughout."""
    pairs = [
        (nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False), nn.ReLU()) for _ in range(convolutions)
    ]
    return nn.Sequential(*(layer for pair in pairs for layer in pair))


def scramble(
    pictures: Shaped[Tensor, "*batch height width channels"],
) -> Shaped[Tensor, "*batch height width channels"]:
    """What a network sees of pictures that were *reshaped* to (channels, height, width) instead of transposed.

    A channel of the result holds a part of the picture's rows (a third of them, for three channels), each row broken
    into as many, its colours side by side. No number is lost; what is a neighbour of what, and which colour, is.
    """
    *batch, height, width, channels = pictures.shape
    return pictures.reshape(*batch, channels, height, width).movedim(-3, -1)


@torch.no_grad()
def log_probabilities(
    network: SceneNet, pictures: Float[Tensor, "count channels size size"]
) -> Float[Tensor, "count classes"]:
    """Of many pictures, some at a time, on the CPU; the network is left in evaluation mode."""
    network.eval()
    device = next(network.parameters()).device
    return torch.cat([network(part.to(device)).cpu() for part in pictures.split(BLOCK)])
