"""Small networks, one for each way in which architectures treat shifts: padding, stride, pooling, and the head.

All weights, and the picture, are small whole numbers (or, in means and blurs, whole numbers over a power of two) in
float64, so that a convolution rounds nothing: where the audit says 0, it is exactly 0.
"""

import random
from collections.abc import Callable, Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workings.nn.equivariance import sample_shifts
from workings.studies.circulant.study import Layer

CHANNELS, FILTERS, CLASSES = 3, 8, 10
LARGEST_WEIGHT, LARGEST_PIXEL = 3, 8
"""Sums of 8·16²·(3·8·27)·3 stay far below 2⁵³."""
GRID = 32
"""Pixels per position of the last feature map of ResNet-18 and of AlexNet: shifts by its multiples suit every
stride."""
BINOMIAL = (1.0, 2.0, 1.0)
"""The blur of Zhang, "Making convolutional networks shift-invariant again" (ICML 2019), here by its smallest filter."""


def convolution(mode: Literal["circular", "zeros", "reflect"] = "circular", stride: int = 1) -> nn.Module:
    """3×3, padded by one pixel in that mode."""
    return nn.Conv2d(CHANNELS, FILTERS, 3, stride=stride, padding=1, padding_mode=mode)


def blur_pool(channels: int) -> nn.Module:
    """Blur with the binomial filter, then keep every second pixel: a strided convolution of each channel by itself."""
    layer = nn.Conv2d(channels, channels, 3, 2, padding=1, groups=channels, bias=False, padding_mode="circular")
    row = torch.tensor(BINOMIAL) / sum(BINOMIAL)
    layer.weight = nn.Parameter((row[:, None] * row).expand_as(layer.weight).clone(), requires_grad=False)
    return layer


def antialiased_pool(channels: int) -> nn.Module:
    """Max pooling without its stride, then the blur that takes it: what replaces a max pooling by two."""
    return nn.Sequential(nn.CircularPad2d((0, 1, 0, 1)), nn.MaxPool2d(2, 1), blur_pool(channels))


def flattened(size: int) -> nn.Module:
    """Convolve, flatten, and give every place a weight of its own."""
    return nn.Sequential(convolution(), nn.ReLU(), nn.Flatten(), nn.Linear(FILTERS * size**2, CLASSES))


def pooled(size: int) -> nn.Module:
    """Convolve, and average over all places before the dense layer."""
    return nn.Sequential(convolution(), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(FILTERS, CLASSES))


GALLERY: Mapping[Layer, Callable[[int], nn.Module]] = {
    "circular": lambda _: convolution(),
    "zero": lambda _: convolution("zeros"),
    "reflect": lambda _: convolution("reflect"),
    "strided": lambda _: convolution(stride=2),
    "average-pool": lambda _: nn.AvgPool2d(2),
    "max-pool": lambda _: nn.MaxPool2d(2),
    "antialiased-pool": lambda _: antialiased_pool(CHANNELS),
    "flatten-dense": flattened,
    "global-pool": pooled,
}
"""By name, a function from the side of the picture, in pixels, to the network."""


def build(layer: Layer, size: int, seed: int) -> nn.Module:
    """The network in float64, its learnable weights whole numbers drawn by `seed`."""
    draw = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng([]):
        network = GALLERY[layer](size).double()
    with torch.no_grad():
        for weight in network.parameters():
            if weight.requires_grad:
                weight.copy_(torch.randint(-LARGEST_WEIGHT, LARGEST_WEIGHT + 1, weight.shape, generator=draw))
    return network


def picture(size: int, seed: int, channels: int = CHANNELS) -> Float[Tensor, "1 channels size size"]:
    """Noise of whole numbers, drawn by `seed`: every frequency is in it, as a fair test needs."""
    draw = torch.Generator().manual_seed(seed + 1)
    shape = (1, channels, size, size)
    return torch.randint(-LARGEST_PIXEL, LARGEST_PIXEL + 1, shape, generator=draw).double()


def photograph_like(shape: tuple[int, ...], seed: int) -> Float[Tensor, "1 *shape"]:
    """Noise whose amplitude falls as 1/frequency, as that of photographs does (Field 1987): mean 0, variance 1.

    `shape` is (channels, one to three sizes).
    """
    draw = torch.Generator().manual_seed(seed)
    axes = tuple(range(1, len(shape)))
    steps = [
        torch.fft.fftfreq(n, 1 / n).reshape([-1 if a == axis else 1 for a in (0, *axes)])
        for axis, n in zip(axes, shape[1:], strict=True)
    ]
    frequency = torch.stack(torch.broadcast_tensors(*steps)).square().sum(0).sqrt().clamp(min=1)
    noise = torch.fft.ifftn(torch.fft.fftn(torch.randn(shape, generator=draw), dim=axes) / frequency, dim=axes).real
    spread = noise.std(dim=axes, correction=0, keepdim=True).clamp(min=torch.finfo(noise.dtype).tiny)
    found: Tensor = (noise - noise.mean(dim=axes, keepdim=True)) / spread
    return found[None]


def grid_shifts(size: int, count: int, seed: int) -> list[tuple[int, int]]:
    """Half of the shifts multiples of `GRID` along both axes, which no stride of ours can break; half any others."""
    steps = range(-GRID * ((size // 2) // GRID), size // 2 + 1, GRID)
    grid = [(dy, dx) for dy in steps for dx in steps if dy or dx]
    kept = random.Random(seed).sample(grid, min(len(grid), count // 2))
    others = [shift for shift in sample_shifts((size, size), 2 * count, seed) if any(d % GRID for d in shift)]
    return kept + [(dy, dx) for dy, dx in others[: count - len(kept)]]
