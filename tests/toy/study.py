"""Toy: how far a made-up measurement errs on made-up fruit (toy-2025).

Apples and pears stand for two datasets; the error falls as 1/epochs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from workings.core.config import length, source, stable_hash
from workings.core.study import Dataset, Study


@dataclass(frozen=True, kw_only=True)
class Config:
    """One measurement, one comparison with a measurement, or a count."""

    task: Literal["measure", "compare", "count"] = "measure"
    """measure: needs data. compare: needs a finished measurement. count: needs nothing."""
    gain: float = 1.0
    """Scale of the error."""
    data: str = source("apples", role="fruit")
    """apples, pears, or the path of a file."""
    seed: int = 0
    """Shifts the error a little."""
    epochs: int = length(2)
    """How far to go."""


def instant() -> Sequence[Config]:
    """The count."""
    return [Config(task="count")]


def smoke() -> Sequence[Config]:
    """One epoch on apples."""
    return [Config(epochs=1)]


def quick() -> Sequence[Config]:
    """Apples, three seeds; goes on from `smoke`."""
    return [Config(seed=seed) for seed in range(3)]


def full() -> Sequence[Config]:
    """Pears alone, and longer."""
    return [Config(data="pears", seed=seed, epochs=4) for seed in range(3)]


def needs(config: Config) -> Mapping[str, Config]:
    """A comparison is with the plain measurement of the same fruit and seed."""
    return {"baseline": replace(config, task="measure", gain=1.0)} if config.task == "compare" else {}


def datasets(config: Config) -> Mapping[str, Dataset]:
    """The fruit, unless there is only counting to do."""
    from toy.experiment import fruit

    if config.task == "count":
        return {}
    return {"fruit": Dataset(config.data, config.data.title(), stable_hash(fruit(config.data)))}


STUDY = Study(
    package=__package__,
    title="Toy",
    summary="A measurement on fruit.",
    sources=("toy-2025/1", "toy-2025/2", "toy-2025/10"),
    config=Config,
    presets=(smoke, quick, full),
    instant=instant,
    data=datasets,
    needs=needs,
)
