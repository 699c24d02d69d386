"""Circulant: convolutions, shifts, and which networks respect them (gatech-2024-ps2, question 5).

The quick preset is mathematics, done in seconds: filters as matrices, what commutes with the shift for every n to 64,
and small layers under every shift of a picture. The full preset adds two networks of torchvision, with random weights,
and timings. A person's own filter, permutation or network can stand in for each.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from workings.core.study import Study

Layer = Literal[
    "circular",
    "zero",
    "reflect",
    "strided",
    "average-pool",
    "max-pool",
    "antialiased-pool",
    "flatten-dense",
    "global-pool",
]
LAYERS: tuple[Layer, ...] = get_args(Layer)
Network = Literal["resnet18", "alexnet"]
NETWORKS: tuple[Network, ...] = get_args(Network)

FILTER = "1 2 0 0"
"""Few enough numbers to check every matrix by eye; its DFT has no zero."""
SHIFT, OTHER = "1 2 3 4 5 6 7 0", "1 2 3 4 0 6 7 5"
"""Permutations of eight places: the shift, and one of cycles of five and of three."""
EVERY_N = 64
"""Up to this n the commutant is counted."""
POOLS: tuple[Layer, ...] = ("max-pool", "antialiased-pool")
"""Compared by how much they err, so that they are measured with several seeds; the others are exact with any."""
SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True, kw_only=True)
class Config:
    """One thing to measure: a filter, or in its place a permutation, every n, a layer, a network, or timings."""

    w: str = FILTER
    """A filter, as in "1 2 0 0": its circulant, eigenvalues, and what commutes with it."""
    permutation: str = ""
    """In place of w: where each place goes, as in "1 2 0"; the matrices that commute with it."""
    every_n: int = 0
    """In place of w: what commutes with the shift, for every n up to this one (64 at most)."""
    layer: Layer | None = None
    """In place of w: a small layer's shift error, measured under every shift."""
    network: Network | None = None
    """In place of w: a network of torchvision, random weights, measured layer by layer."""
    timing: bool = False
    """In place of w: the time that circular convolution takes, dense and by FFT, for growing n."""
    size: int = 16
    """Side of a layer's or network's picture, in pixels."""
    shifts: int = 255
    """Shifts to draw where a picture has more; 16 × 16 pixels have 255."""
    seed: int = 0
    """Draws weights, pictures and shifts."""


def smoke() -> Sequence[Config]:
    """One filter, and what commutes with small shifts."""
    return [Config(), Config(every_n=8)]


def quick() -> Sequence[Config]:
    """The mathematics: filters, every commutant to n = 64, small layers under every shift."""
    draw = random.Random(0)
    drawn = " ".join(f"{draw.uniform(-1, 1):.3f}" for _ in range(12))
    filters = [Config(w=w) for w in (FILTER, "1 4 6 4 1 0 0 0", "3", drawn)]
    layers = [Config(layer=layer, seed=seed) for layer in LAYERS for seed in (SEEDS if layer in POOLS else SEEDS[:1])]
    return [*filters, Config(every_n=EVERY_N), *(Config(permutation=p) for p in (SHIFT, OTHER)), *layers]


def full() -> Sequence[Config]:
    """The same, with ResNet-18 and AlexNet layer by layer, and the timings."""
    networks = [Config(network=network, size=224, shifts=64) for network in NETWORKS]
    return [*quick(), *networks, Config(timing=True)]


STUDY = Study(
    package=__package__,
    title="Circulant",
    summary="Convolutions are the linear maps that commute with shifts; an audit tells which networks still do.",
    sources=("gatech-2024-ps2/5",),
    config=Config,
    presets=(smoke, quick, full),
    instant=quick,
    examples=(
        'workings run circulant --w "1 4 6 4 1 0 0 0"',
        'workings run circulant --permutation "1 2 0 4 3"',
        "workings run circulant --layer antialiased-pool",
        "workings use circulant audit torchvision.models:resnet18 --input 3,224,224",
    ),
)
