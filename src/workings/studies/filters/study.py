"""Filters: 3×3 kernels for edges, blur, sharpening and noise, and why each works (nyu-2023-hw, question 2).

Trials take each kernel of the table apart exactly, show the four filters of the sheet on a photograph, and measure on
six photographs where averaging noise away helps, where it harms, and where the median does better. All of it takes
seconds. A person brings any photograph and any kernel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from workings.core.config import source
from workings.core.study import Dataset, Study
from workings.studies.filters.kernels import KERNELS

Border = Literal["zeros", "reflect", "replicate", "circular"]
"""What lies beyond the edge of a picture, in torch's words: nothing, the mirrored picture, its last pixel, its other
side."""
PHOTOGRAPHS = ("camera", "astronaut", "coffee", "chelsea", "china", "flower")
SEEDS = (0, 1, 2)
"""Three: the fewest for which a Student interval over seeds is of any use."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One kernel by itself, one kernel on one photograph, or a photograph under noise."""

    task: Literal["apply", "inspect", "noise"] = "apply"
    """apply the kernel to the photograph, inspect the kernel alone, or measure averages and the median under noise."""
    kernel: str = "sharpen-x"
    """A name from the table, or a matrix, row by row from the top, as in "0 0 0; -1 3 -1; 0 0 0"; at most 31×31."""
    image: str = source("camera", role="picture")
    """camera, astronaut, coffee, chelsea, china, flower, or the path of a picture file."""
    border: Border = "reflect"
    """What lies beyond the edge: zeros, the mirrored picture, its last pixel, or its other side."""
    soften: str = ""
    """A kernel applied first, as a lens would blur; empty for none."""
    noise: float = 0.0
    """Standard deviation of Gaussian noise added first, in grey levels of 255."""
    corner: tuple[int, ...] = ()
    """Row and column of the window of which pictures are kept; the middle of the photograph where it is left out."""
    seed: int = 0
    """Seed of all noise."""


def smoke() -> Sequence[Config]:
    """Every kernel of the table by itself, and one photograph sharpened."""
    return [*(Config(task="inspect", kernel=name) for name in KERNELS), Config()]


def quick() -> Sequence[Config]:
    """The same as full: it takes seconds."""
    return full()


def full() -> Sequence[Config]:
    """Every kernel by itself, the sheet's four filters on a photograph, six photographs under noise."""
    face = (78, 192)  # of the man behind the camera
    return [
        *(Config(task="inspect", kernel=name) for name in KERNELS),
        Config(kernel="sobel-x", corner=face),
        Config(kernel="binomial", corner=face),
        Config(kernel="sharpen-x", soften="blur-x", corner=face),
        Config(kernel="box", noise=30.0, corner=face),
        *(Config(task="noise", image=image, seed=seed) for image, seed in product(PHOTOGRAPHS, SEEDS)),
    ]


def datasets(config: Config) -> Mapping[str, Dataset]:
    """The photograph, unless the kernel is looked at by itself."""
    from workings.data.catalogue import load_photograph

    return {} if config.task == "inspect" else {"picture": load_photograph(config.image).dataset}


STUDY = Study(
    package=__package__,
    title="Filters",
    summary="Kernels of nine numbers that find edges, blur, sharpen and take noise away, and why each works.",
    sources=("nyu-2023-hw/2",),
    config=Config,
    presets=(smoke, quick, full),
    instant=full,
    data=datasets,
    examples=(
        'workings run filters --image chelsea --kernel "0 0 0; -1 3 -1; 0 0 0"',
        "workings run filters --task noise --image flower",
        "workings use filters apply coffee --kernel sobel-x -o edges.png",
        'workings use filters inspect --kernel "1/9 1/9 1/9; 1/9 1/9 1/9; 1/9 1/9 1/9" -o response.png',
    ),
)
