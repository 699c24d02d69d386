"""AlexNet on CIFAR-10: the sheet's recipe, and one that gets as far in a third of the time (nyu-2023-hw, question 4).

`full` trains the sheet's recipe, the fast one with three seeds, and the fast one with each of its changes taken back
alone; `jpeg` is the same on CIFAR-10 as JPEG, a dataset of its own; `fast` is the fast recipe alone. Left out on
purpose: every change to the network itself, by which one would begin if speed were all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from workings.core.config import length, source
from workings.core.study import Dataset, Study

SEEDS = (0, 1, 2)
"""Three: the fewest for which a Student interval over seeds is of any use."""
FAST_EPOCHS = 8
"""Just under a third of the sheet's."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One training, one range test, or one count. The defaults are the sheet's recipe."""

    task: Literal["train", "range", "count"] = "train"
    """train the network; try its rates in a range test; or only count its parameters."""
    data: str = source("cifar10", role="pictures")
    """Pictures with labels: cifar10, cifar10-jpeg, fashion-mnist, digits, or a folder or zip of class folders."""
    broken: Literal["refuse", "skip"] = "refuse"
    """What is done about files of one's own that are no sound pictures: refuse the set, or leave them out."""
    limit: int = 50_000
    """Training pictures at most, spread evenly over the set, of which a tenth is held out to choose the best epoch."""
    size: int = 32
    """Height and width in pixels, to which other pictures are cropped and scaled; a multiple of 16."""
    width: int = 64
    """Channels of the first convolution; all other layers are in proportion."""
    start: Literal["sheet", "fan-in"] = "sheet"
    """First weights: Kaiming's for convolutions and Xavier's for dense layers; or Kaiming's for all, the last at 0."""
    dropout: float = 0.5
    """The share of numbers that are dropped before each of the first two dense layers, while the network learns."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """Adam, Adam with decoupled weight decay, or gradient descent with Nesterov's momentum of 0.9."""
    learning_rate: float = 1e-3
    """Step size; where it rises and falls, its peak."""
    cycle: int | None = None
    """Epochs over which the learning rate rises once and falls to next to nothing; None keeps it."""
    weight_decay: float = 0.0
    """Decoupled for adamw, a part of the gradient for the others."""
    smoothing: float = 0.0
    """Label smoothing: the share of each target that is spread over all classes."""
    degrees: float = 5.0
    """Training pictures are turned by up to so much, either way."""
    flip: bool = True
    """Every second training picture is mirrored."""
    pad: int = 2
    """Black pixels around a training picture before it is cropped to its size again."""
    batch: int = 256
    """Pictures in a batch."""
    seed: int = 0
    """Seed of weights, split, order, dropout and augmentation."""
    epochs: int = length(25)
    """Passes through the training pictures."""


SHEET = Config()
DIGITS = Config(data="digits", width=16, batch=64, flip=False, epochs=12)
"""The sheet's recipe for the built-in digits: narrow, in smaller batches, unmirrored (a mirrored 2 is none)."""
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "cycle": {"cycle": FAST_EPOCHS, "learning_rate": 1.5e-3},
    "start": {"start": "fan-in"},
    "dropout": {"dropout": 0.25},
    "turning": {"degrees": 0.0},
}
"""What the fast recipe changes, beside the number of epochs: the fields of each change, all unlike the sheet's."""


def quickened(sheet: Config, epochs: int = FAST_EPOCHS, without: str | None = None) -> Config:
    """The fast recipe, with all of its changes to the sheet's or all but one."""
    fields = {k: v for name, change in CHANGES.items() if name != without for k, v in change.items()}
    return replace(sheet, **fields | ({"cycle": epochs} if "cycle" in fields else {}), epochs=epochs)


def instant() -> Sequence[Config]:
    """The sheet's network, counted."""
    return [Config(task="count")]


def smoke() -> Sequence[Config]:
    """Everything once, in seconds, on a few built-in digits. Shows that it runs, not what it can."""
    small = replace(DIGITS, limit=200, width=4, batch=32, epochs=2)
    return [replace(small, task="range"), small, quickened(small, epochs=2)]


def quick() -> Sequence[Config]:
    """All trials of `full` on the built-in digits, with a narrow network, in a minute of one processor."""
    return _trials(DIGITS, epochs=4, seeds=SEEDS)


def fast() -> Sequence[Config]:
    """The fast recipe with three seeds."""
    return [replace(quickened(SHEET), seed=seed) for seed in SEEDS]


def jpeg() -> Sequence[Config]:
    """All trials of `full` on CIFAR-10 as JPEG."""
    return _trials(replace(SHEET, data="cifar10-jpeg"))


def full() -> Sequence[Config]:
    """The range test, the sheet's recipe, the fast one with three seeds, and each of its changes taken back."""
    return _trials(SHEET)


def _trials(sheet: Config, epochs: int = FAST_EPOCHS, seeds: Sequence[int] = SEEDS[:1]) -> Sequence[Config]:
    """What decides claims soonest comes first; `epochs` are the fast recipe's, `seeds` the sheet's."""
    return [
        replace(sheet, task="range"),
        *(replace(sheet, seed=seed) for seed in seeds),
        *(replace(quickened(sheet, epochs), seed=seed) for seed in SEEDS),
        *(quickened(sheet, epochs, name) for name in CHANGES),
    ]


def datasets(config: Config) -> Mapping[str, Dataset]:
    """The pictures, unless there is only counting to do. What makes no sense is refused before they are read."""
    if config.task == "count":
        return {}
    from workings.studies.alexnet.experiment import check_fields
    from workings.studies.alexnet.pictures import load

    check_fields(config)
    return {"pictures": load(config).dataset}


STUDY = Study(
    package=__package__,
    title="AlexNet on CIFAR-10",
    summary="A network of the year 2012 learns ten kinds of small pictures; then the same in a third of the time.",
    sources=("nyu-2023-hw/4",),
    config=Config,
    presets=(smoke, quick, fast, jpeg, full),
    instant=instant,
    data=datasets,
    examples=(
        "workings run alexnet --data cifar10-jpeg",
        "workings run alexnet --preset fast --seed 0",
        "workings run alexnet --data my_photos --epochs 10",
        "workings use alexnet classify photo.jpg",
    ),
)
