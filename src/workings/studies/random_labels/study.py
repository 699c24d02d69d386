"""Random labels: "Understanding deep learning requires rethinking generalization" (gatech-2024-ps2, question 7).

The paper's experiment at a CPU's scale: standard networks are trained on pictures whose labels, or pixels, have been
made random, with and without regularisers; and its theorem, a network of 2n + d weights that represents any labels on
n pictures of d pixels, built rather than proved. The paper's own size is a matter of flags (`--data cifar10 --limit
50000`). Left out on purpose: ImageNet, local response normalisation, and the paper's Gabor features.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from workings.core.config import length, source
from workings.core.study import Dataset, Study

Labels = Literal["true", "partial", "random"]
Pixels = Literal["true", "shuffled", "random", "gaussian"]
Network = Literal["mlp-1x512", "mlp-3x512", "alexnet", "inception"]
SEEDS = (0, 1, 2)
"""Three: the fewest for which a Student interval over seeds is of any use."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One training, one construction, or one family of linear models."""

    task: Literal["train", "construct", "minimum-norm"] = "train"
    """train a network; construct one of 2n + d weights; or fit linear models of least norm."""
    data: str = source("cifar10-jpeg", role="pictures")
    """Labelled pictures: cifar10, cifar10-jpeg, fashion-mnist, digits; or one's own class folders, zip or npz."""
    size: int = 0
    """Height and width in pixels to which pictures are brought; 0 leaves them as they are."""
    broken: Literal["refuse", "skip"] = "refuse"
    """What to do about files of one's own that are no sound pictures."""
    limit: int = 5_000
    """Training pictures at most, spread evenly over the set."""
    tested: int = 2_000
    """Held-out pictures at most, spread evenly over theirs."""
    labels: Labels = "true"
    """true; partial: each is redrawn with probability `corruption`; random: all are. Held-out ones stay true."""
    corruption: float = 0.0
    """Of partial labels: the probability with which a label is drawn anew, uniformly over the classes."""
    pixels: Pixels = "true"
    """true; shuffled: one permutation of the places for all; random: one for each picture; gaussian: noise instead."""
    network: Network = "alexnet"
    """A hidden layer of 512, three of them, or a small convolutional network after AlexNet or Inception."""
    weight_decay: float = 0.0
    """Added to the gradient: so many times the weights."""
    dropout: float = 0.0
    """Probability with which a hidden unit before a dense layer is silenced."""
    augment: bool = False
    """Crop after padding by an eighth, and mirror at random."""
    learning_rate: float = 0.03
    """Step size of SGD, whose momentum is 0.9."""
    decay: float = 0.97
    """The step size is multiplied by this with each epoch."""
    batch: int = 32
    """Pictures in a batch."""
    seed: int = 0
    """Seed of labels, pixels, weights, order, and of the direction of a construction."""
    epochs: int = length(100)
    """Passes at most: a training ends sooner, once its labels have been fitted for three epochs in a row."""


MLP = Config(network="mlp-1x512", learning_rate=0.02, batch=64)
"""The paper's smallest network, with the step that suits it."""
DIGITS = Config(data="digits", limit=600, tested=297, network="mlp-1x512", learning_rate=0.1)
"""The same on the built-in digits, which are so small that it takes larger steps to learn 600 of them by heart."""
REGULARISERS: Mapping[str, Mapping[str, Any]] = {
    "weight decay": {"weight_decay": 5e-4},
    "dropout": {"dropout": 0.5},
    "augmentation": {"augment": True},
    "all three": {"weight_decay": 5e-4, "dropout": 0.5, "augment": True},
}
"""Each alone, and together, at the usual strengths."""
CORRUPTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Between the true labels and the random ones, which are the ends of the sweep."""


def exact(data: str, limit: int, features: int) -> Iterator[Config]:
    """The construction on arbitrary labels, and linear models of least norm on true and on random ones."""
    yield Config(task="construct", data=data, limit=limit, labels="random")
    for labels in ("true", "random"):
        yield Config(task="minimum-norm", data=data, limit=features, labels=labels)


def instant() -> Sequence[Config]:
    """What is mathematics, on the built-in digits."""
    return list(exact("digits", 1_500, 300))


def smoke() -> Sequence[Config]:
    """Everything once, in seconds, on a few built-in digits. Shows that it runs, not what it can."""
    few = replace(DIGITS, limit=200, tested=100, epochs=3)
    return [few, replace(few, labels="random"), *exact("digits", 100, 40)]


def quick() -> Sequence[Config]:
    """All of `full` but its largest networks, on the built-in digits, in a minute or two."""
    return [*instant(), *paired(DIGITS), *pixels(DIGITS), *regularised(DIGITS), *corrupted(DIGITS)]


def full() -> Sequence[Config]:
    """The paper's table on 5,000 pictures of CIFAR-10 (JPEG), what decides most claims first.

    Without Inception: small enough for a processor, it takes too many epochs to learn labels by heart (measured).
    """
    base = Config()
    trials = [*exact("fashion-mnist", 60_000, 500), *paired(MLP), *paired(base), *pixels(base), *corrupted(MLP)]
    deeper = [replace(MLP, network="mlp-3x512", labels=labels) for labels in ("random", "true")]
    return [*trials, *regularised(base), *deeper, *corrupted(base)]


def paired(base: Config) -> Iterator[Config]:
    """Random and true labels, three seeds each."""
    for seed in SEEDS:
        for labels in ("random", "true"):
            yield replace(base, labels=labels, seed=seed)


def pixels(base: Config) -> Iterator[Config]:
    """True labels on pictures that are less and less pictures."""
    for how in ("shuffled", "random", "gaussian"):
        yield replace(base, pixels=how)


def regularised(base: Config) -> Iterator[Config]:
    """Random and true labels under each regulariser."""
    for settings in REGULARISERS.values():
        for labels in ("random", "true"):
            yield replace(base, labels=labels, **settings)


def corrupted(base: Config) -> Iterator[Config]:
    """Between true and random labels, whose trials are the sweep's ends."""
    for corruption in CORRUPTIONS:
        yield replace(base, labels="partial", corruption=corruption)


def datasets(config: Config) -> Mapping[str, Dataset]:
    """The pictures."""
    from workings.data.catalogue import load_pictures

    return {"pictures": load_pictures(config.data, config.size or None, config.broken).dataset}


STUDY = Study(
    package=__package__,
    title="Random labels",
    summary="Networks that generalise can learn random labels by heart too; and how few weights that takes.",
    sources=("gatech-2024-ps2/7",),
    config=Config,
    presets=(smoke, quick, full),
    instant=instant,
    data=datasets,
    examples=(
        "workings run random_labels --data digits --network mlp-1x512 --labels random",
        "workings run random_labels --task construct --data digits --labels random",
        "workings run random_labels --data cifar10 --limit 50000 --tested 10000 --network inception --labels random",
        "workings use random_labels memorise digits --labels random",
    ),
)
