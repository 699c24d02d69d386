"""DCGAN: a generator learns to draw clothes by fooling a discriminator (nyu-2025-hw3, question 3).

A training is one run, whatever its length: asked for more epochs it goes on, and its measures and pictures at later
epochs join those at earlier ones. A classifier of the same pictures, a trial of its own, provides the features in which
drawn pictures are measured. Left out on purpose: conditioning on a class, and every later GAN loss.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from workings.core.config import length, source
from workings.core.study import Dataset, Study

SEEDS = (0, 1, 2)
"""Three: the fewest for which a Student interval over seeds is of any use."""
STAGES = (10, 30, 50)
"""Epochs at which the sheet asks for pictures: `full` stops at each, so that a shorter training is evidence too."""
CLASSIFIER_EPOCHS = 6
"""After that many the classifier's test accuracy no longer rises (measured on FashionMNIST)."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One training, of the GAN or of its judge, or one count. The defaults are the sheet's recipe."""

    task: Literal["train", "classifier", "twice", "count"] = "train"
    """train the GAN; train the classifier that measures its pictures; train twice from the same seed, briefly, and
    compare; or only count parameters and shapes."""
    data: str = source("fashion-mnist", role="pictures")
    """Small pictures: fashion-mnist, digits, or a folder of one's own; colour is turned into grey."""
    limit: int = 60_000
    """Training pictures at most, spread evenly over the set; held-out pictures are cut to the same number."""
    size: int = 28
    """Height and width in pixels, to which pictures of another size are scaled; a multiple of 4."""
    width: int = 64
    """Channels of the layer nearest to the picture; deeper layers have two and four times as many."""
    noise: int = 100
    """Numbers of noise that a picture is made from."""
    dense_norm: bool = False
    """Batch normalisation after the generator's dense layer, which the sheet leaves open."""
    dense_activation: bool = True
    """LeakyReLU after the generator's dense layer, which the sheet leaves open."""
    learning_rate: float = 1e-4
    """Adam's step size, for both networks."""
    batch: int = 32
    """Pictures in a batch; the sheet allows 16, 32 and 64."""
    measured: bool = True
    """Measure the pictures with a classifier of the same data, which needs two classes at least."""
    seed: int = 0
    """Seed of weights, order, dropout and noise."""
    epochs: int = length(50)
    """Passes through the training pictures."""


SMALL = Config(data="digits", width=16, learning_rate=1e-3, batch=16)
"""A quarter of the width and ten times the step size, on the built-in digits: what a laptop trains in a minute."""


def instant() -> Sequence[Config]:
    """The sheet's networks, counted, with and without what it leaves open."""
    return [Config(task="count"), Config(task="count", dense_norm=True)]


def smoke() -> Sequence[Config]:
    """Everything once, in seconds, on a few built-in digits. Shows that it runs, not what it can."""
    small = replace(SMALL, limit=200, width=4, epochs=2)
    return [replace(small, task="twice", epochs=1), small]


def quick() -> Sequence[Config]:
    """The built-in digits, small networks, three seeds, in a few minutes."""
    return [replace(SMALL, task="twice", limit=320, epochs=1), *(replace(SMALL, seed=s, epochs=20) for s in SEEDS)]


def full() -> Sequence[Config]:
    """The sheet's recipe, three seeds, in the stages that it asks pictures of: each goes on from the one before."""
    stages = [Config(seed=seed, epochs=epochs) for seed in SEEDS for epochs in STAGES]
    return [Config(task="twice", limit=640, epochs=1), *stages]


def datasets(config: Config) -> Mapping[str, Dataset]:
    """The pictures, unless there is only counting to do."""
    from workings.data.catalogue import load_pictures

    return {} if config.task == "count" else {"pictures": load_pictures(config.data).dataset}


def needs(config: Config) -> Mapping[str, Config]:
    """The classifier that measures a training. A configuration that makes no sense is refused before it is trained."""
    if config.task != "train" or not config.measured:
        return {}
    from workings.studies.dcgan.experiment import validate

    validate(config)
    judge = Config(task="classifier", data=config.data, limit=config.limit, size=config.size)
    return {"classifier": replace(judge, learning_rate=1e-3, batch=64, epochs=CLASSIFIER_EPOCHS)}


STUDY = Study(
    package=__package__,
    title="DCGAN on FashionMNIST",
    summary="A generator learns to draw clothes by fooling a discriminator; how far it gets is measured.",
    sources=("nyu-2025-hw3/3",),
    config=Config,
    presets=(smoke, quick, full),
    instant=instant,
    data=datasets,
    needs=needs,
    examples=(
        "workings run dcgan --preset full --seed 0",
        "workings run dcgan --data digits --width 16 --learning-rate 1e-3 --batch 16 --epochs 20",
        "workings use dcgan sample --n 64 --seed 7 -o sheet.png",
    ),
)
