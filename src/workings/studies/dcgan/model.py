"""The two networks (nyu-2025-hw3, questions 3b and 3c), for square grey pictures of ``size`` pixels.

    discriminator   picture → conv 5×5 stride 2 → w channels → conv 5×5 stride 2 → 2w channels → dense → logit
                    after each convolution: LeakyReLU 0.3, dropout 0.3
    generator       noise → dense → 4w channels of size/4 → transposed conv 5×5 → 2w, same size → transposed conv 5×5
                    stride 2 → w, twice the size → transposed conv 5×5 stride 2 → picture, twice that; tanh
                    after each transposed convolution but the last: batch normalisation, LeakyReLU 0.3; no biases

The sheet has w = 64, 28 pixels and 100 numbers of noise. It leaves open whether normalisation and activation follow the
generator's dense layer too: two flags. Weights start as the library starts them; the sheet says nothing of it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

KERNEL, STRIDE = 5, 2
PADDING = KERNEL // 2
"""With it a stride of 1 keeps the size, and a stride of 2 halves an even one."""
SHRINK = STRIDE**2
"""Two strided convolutions: sizes must be multiples of it."""
SLOPE = 0.3
"""Of LeakyReLU below zero."""
DROPOUT = 0.3


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What decides the number of parameters."""

    size: int = 28
    width: int = 64
    """Channels of the layer nearest to the picture; it doubles with each halving of the size."""
    noise: int = 100
    dense_norm: bool = False
    """Normalise the generator's dense layer."""
    dense_activation: bool = True
    """LeakyReLU after it. Without one, the dense layer and the first convolution are a single linear map."""

    @property
    def core(self) -> int:
        """Height and width of the smallest maps."""
        return self.size // SHRINK


class Discriminator(nn.Module):
    """Pictures in [−1, 1] to logits: above 0 means "real"."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        w = shape.width
        self.first = nn.Conv2d(1, w, KERNEL, STRIDE, PADDING)
        self.second = nn.Conv2d(w, 2 * w, KERNEL, STRIDE, PADDING)
        self.dense = nn.Linear(2 * w * shape.core**2, 1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, pictures: Float[Tensor, "batch 1 size size"]) -> Float[Tensor, " batch"]:
        """One logit a picture."""
        for layer in (self.first, self.second):
            pictures = self.dropout(nn.functional.leaky_relu(layer(pictures), SLOPE))
        logits: Tensor = self.dense(pictures.flatten(1))
        return logits.squeeze(1)


class Generator(nn.Module):
    """Standard normal noise to pictures in [−1, 1]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        w, cells = shape.width, 4 * shape.width * shape.core**2
        self.dense = nn.Linear(shape.noise, cells, bias=False)
        self.dense_norm = nn.BatchNorm1d(cells) if shape.dense_norm else nn.Identity()
        self.first = nn.ConvTranspose2d(4 * w, 2 * w, KERNEL, 1, PADDING, bias=False)
        self.first_norm = nn.BatchNorm2d(2 * w)
        self.second = nn.ConvTranspose2d(2 * w, w, KERNEL, STRIDE, PADDING, STRIDE - 1, bias=False)
        self.second_norm = nn.BatchNorm2d(w)
        self.last = nn.ConvTranspose2d(w, 1, KERNEL, STRIDE, PADDING, STRIDE - 1, bias=False)

    def forward(self, noise: Float[Tensor, "batch noise"]) -> Float[Tensor, "batch 1 size size"]:
        """One picture for each row of noise."""
        cells = self.dense_norm(self.dense(noise))
        if self.shape.dense_activation:
            cells = nn.functional.leaky_relu(cells, SLOPE)
        maps = cells.unflatten(1, (4 * self.shape.width, self.shape.core, self.shape.core))
        maps = nn.functional.leaky_relu(self.first_norm(self.first(maps)), SLOPE)
        maps = nn.functional.leaky_relu(self.second_norm(self.second(maps)), SLOPE)
        return torch.tanh(self.last(maps))


def discriminator_loss(real: Float[Tensor, " batch"], fake: Float[Tensor, " batch"]) -> Float[Tensor, ""]:
    """Cross-entropy of "real" for real pictures plus that of "fake" for generated ones, from logits; in nats."""
    return nn.functional.softplus(-real).mean() + nn.functional.softplus(fake).mean()


def generator_loss(fake: Float[Tensor, " batch"]) -> Float[Tensor, ""]:
    """Cross-entropy of "real" for generated pictures (the non-saturating loss of Goodfellow and others, 2014)."""
    return nn.functional.softplus(-fake).mean()
