"""Hopfield: an associative memory whose update is attention (ist-2025-hw2, question 1).

Trials of three kinds: `theory` tries the sheet's statements on random and on hostile patterns, `capacity` counts how
many random patterns a memory holds, and `recall` gives real pictures back from damaged ones. The first two see no data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from workings.core.config import source
from workings.core.study import Dataset, Study

Mask = Literal["none", "left", "right", "top", "bottom"]
"""The half of a picture that is hidden."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One memory and what it is asked."""

    task: Literal["recall", "capacity", "theory"] = "recall"
    """recall: pictures from damaged ones. capacity: random patterns from noisy ones. theory: the sheet's statements."""
    data: str = source("digits", role="pictures")
    """recall: digits, fashion-mnist, or a folder of idx files."""
    patterns: int = 100
    """Patterns stored; in `capacity` the most that are tried."""
    queries: int = 200
    """Damaged patterns to give back at most."""
    beta: float = 8.0
    """Inverse temperature, in units of 1/similarity; patterns have mean 0 and variance 1, so ‖x‖² is their length."""
    mask: Mask = "left"
    """recall: the half that is hidden."""
    noise: float = 0.0
    """Standard deviation of the noise on queries, in units of a pattern's own."""
    dim: int = 16
    """capacity: numbers in a pattern."""
    correlation: float = 0.0
    """capacity: similarity of two patterns, as a share of ‖x‖²; they spread around a common one."""
    steps: int = 100
    """Updates at most."""
    seed: int = 0
    """Seed of the choice of patterns, and of the noise."""


DIMS, BETAS, CORRELATIONS = (8, 10, 12, 14), (0.25, 0.5, 1.0, 2.0), (0.0, 0.3, 0.6)
"""Of the capacity trials; all but the one that is varied are as in `_random`."""


def instant() -> Sequence[Config]:
    """The statements, the capacities, and scikit-learn's digits."""
    varied = [
        *(replace(_random(), dim=dim, seed=seed) for dim in DIMS for seed in range(3)),
        *(replace(_random(), beta=beta) for beta in BETAS),
        *(replace(_random(), correlation=correlation) for correlation in CORRELATIONS),
    ]
    pictures = Config(patterns=1_000)
    return [
        Config(task="theory"),
        *dict.fromkeys(varied),
        pictures,
        replace(pictures, mask="none", noise=1.0),
    ]


def smoke() -> Sequence[Config]:
    """The statements, one capacity, a hundred digits."""
    return [Config(task="theory"), replace(_random(), patterns=1_000), Config()]


def quick() -> Sequence[Config]:
    """All that needs no files: statements, capacities, digits."""
    return instant()


def full() -> Sequence[Config]:
    """The same, and FashionMNIST: ten thousand pictures stored, asked for with a half hidden, and with noise."""
    clothes = Config(data="fashion-mnist", patterns=10_000)
    return [*instant(), clothes, replace(clothes, mask="none", noise=1.0)]


def _random() -> Config:
    return Config(task="capacity", patterns=4_096, queries=64, noise=0.25, dim=12, beta=1.0)


def datasets(config: Config) -> Mapping[str, Dataset]:
    """The pictures, where there are any to recall."""
    from workings.data.catalogue import load_pictures

    return {"pictures": load_pictures(config.data).dataset} if config.task == "recall" else {}


STUDY = Study(
    package=__package__,
    title="Hopfield memory",
    summary="An associative memory whose update is attention: energy, retrieval, capacity.",
    sources=("ist-2025-hw2/1",),
    config=Config,
    presets=(smoke, quick, full),
    instant=instant,
    data=datasets,
    threads=1,  # the products are small; a memory of tens of thousands can use --threads
    examples=(
        "workings run hopfield --patterns 1000 --beta 8 --mask top --noise 0.5",
        "workings run hopfield --task capacity --dim 12 --beta 1 --patterns 5000",
        "workings use hopfield restore damaged.png --memory my_pictures --mask left -o sheet.png",
    ),
)
