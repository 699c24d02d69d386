"""The pictures of a trial: loaded, cut to what is asked for, and split by the seed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import UserError
from workings.data.augment import levels
from workings.data.catalogue import load_pictures
from workings.data.pictures import Labels, Pictures, Pixels
from workings.studies.alexnet.study import Config

HELD_OUT = 10
"""One training picture in ten is held out to choose the best epoch: 5,000 of CIFAR-10's 50,000."""
LEAST = 2 * HELD_OUT
"""Training pictures at least."""


@dataclass(frozen=True)
class Prepared:
    """Three splits as bytes, and the levels of the first."""

    train: Pixels
    train_labels: Labels
    valid: Pixels
    valid_labels: Labels
    test: Pixels
    test_labels: Labels
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    """Of each channel of the training pictures, in grey levels."""
    std: tuple[float, ...]


def load(config: Config) -> Pictures:
    """The set that a configuration names; `UserError` where nothing can be learnt from it."""
    found = load_pictures(config.data, config.size, config.broken)
    train, test = min(config.limit, len(found.train_labels)), len(found.test_labels)
    classes = len(set(found.train_labels.tolist()))
    if classes < 2 or train < LEAST or test < 1:
        raise UserError(
            f"{config.data} gives {train} training pictures of {classes} class(es) and {test} for test: it takes "
            f"{LEAST} of 2 classes, and 1 for test"
        )
    return found


def prepare_pictures(config: Config) -> Prepared:
    """Load, cut to `limit`, and hold out a tenth as the seed says, where the set has no split of its own."""
    found = load(config)
    kept, asked = (_spread(len(labels), config.limit) for labels in (found.train_labels, found.test_labels))
    if found.valid_images is None:
        order = np.random.default_rng(config.seed).permutation(kept)
        count = len(order) // HELD_OUT
        held, kept = np.sort(order[:count]), np.sort(order[count:])
        valid, valid_labels = found.train_images[held], found.train_labels[held]
    else:
        assert found.valid_labels is not None
        valid, valid_labels = found.valid_images, found.valid_labels
    train = found.train_images[kept]
    mean, std = levels(train)
    test = found.test_images[asked], found.test_labels[asked]
    return Prepared(train, found.train_labels[kept], valid, valid_labels, *test, found.classes, mean, std)


def _spread(count: int, limit: int) -> NDArray[np.int64]:
    """At most `limit` indices, spread evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, limit)).round().astype(np.int64))
