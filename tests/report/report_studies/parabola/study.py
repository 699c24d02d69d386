"""Gradient descent on a parabola: a study small enough to see through."""

from dataclasses import dataclass

from workings.core.config import length, source
from workings.core.study import Dataset, Study


@dataclass(frozen=True, kw_only=True)
class Config:
    """One descent."""

    eta: float = 0.1
    """Step size."""
    expression: str = "x**2"
    """What is descended."""
    momentum: bool = False
    """Whether velocity is kept."""
    seed: int = 0
    """Names the noise."""
    data: str = source("toy-course", role="train")
    """Where the points come from."""
    epochs: int = length(12)
    """Steps."""


def smoke() -> list[Config]:
    return [Config()]


def quick() -> list[Config]:
    return [Config(seed=s, momentum=m) for s in range(2) for m in (False, True)]


def datasets(config: Config) -> dict[str, Dataset]:
    return {"train": Dataset(config.data, "Points <of> the course", f"content-of-{config.data}")}


STUDY = Study(
    package="report_studies.parabola",
    title="Descent on a parabola",
    summary="Gradient descent on x², with and without momentum, on points with a little noise.",
    sources=("toy-sheet/1", "toy-sheet/2"),
    config=Config,
    presets=(smoke, quick),
    data=datasets,
    version=2,
)
