"""Which pictures are for training, validation and test, and how they reach the network: bytes / 256, in batches.

Pictures are chosen from all classes alike, each in its proportion, by a fixed draw: what is held out does not depend on
a training's seed. A set's own validation split is kept.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workings.core.errors import UserError, suggestion
from workings.data.augment import Album
from workings.data.catalogue import load_pictures
from workings.data.pictures import Pictures
from workings.studies.scenes.model import scramble
from workings.studies.scenes.study import Config

LEVELS = 256.0
"""What a byte is divided by: the course's 256, which keeps 255 just below 1."""
HELD_OUT = 10
"""A set without a validation split gives up one in so many of its training pictures at most."""
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Pictures for one purpose, with their labels."""

    pixels: NDArray[np.uint8]
    """(N, size, size), or (N, size, size, 3)."""
    labels: Tensor

    def album(self, device: torch.device) -> Album:
        """All of them on a device."""
        return Album(self.pixels, std=(LEVELS,), device=device)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Prepared:
    """The three splits of one set."""

    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    channels: int


def prepare_pictures(config: Config) -> Prepared:
    """Load, choose and order the pictures of a configuration; `UserError` where it asks for what is not there."""
    found = load_pictures(config.data, config.size, config.broken)
    classes = config.classes or found.classes
    _check_classes(classes, found, config.data)
    channels = 3 if config.colour else found.channels
    if config.pixel_order == "scrambled" and channels == 1:
        raise UserError(f"{config.data} is grey, and scrambling mixes places with colours: add --colour")
    number = np.array([classes.index(name) if name in classes else -1 for name in found.classes])
    labels = {name: number[values] for name, values in _labels(found).items()}
    images = {"train": found.train_images, "validation": found.valid_images, "test": found.test_images}
    index = {"train": proportional(labels["train"]), "test": proportional(labels["test"])[: config.test]}
    if found.valid_images is not None:
        index["train"] = index["train"][: config.train]
        index["validation"] = proportional(labels["validation"])[: config.validation]
    else:
        whole = index["train"]
        aside = min(config.validation, -(-len(whole) // HELD_OUT))
        kept = min(config.train, len(whole) - aside)
        index |= {"train": whole[:kept], "validation": whole[kept : kept + aside]}
        images["validation"], labels["validation"] = found.train_images, labels["train"]
    _check_counts(index, config)
    made = {
        name: Split(_ordered(np.asarray(images[name])[places], config), torch.from_numpy(labels[name][places]))
        for name, places in index.items()
    }
    return Prepared(**made, classes=tuple(classes), channels=channels)


def proportional(labels: Indices) -> Indices:
    """Places of all pictures with a label from 0, shuffled so that any stretch has each class in its proportion.

    The k-th of n pictures of a class comes where a share of (k − ½)/n of all has come.
    """
    rank = np.full(len(labels), np.inf)
    draw = np.random.default_rng(0)
    for label in range(labels.max(initial=-1) + 1):
        members = draw.permutation(np.flatnonzero(labels == label))
        rank[members] = (np.arange(len(members)) + 0.5) / max(len(members), 1)
    return np.argsort(rank, kind="stable")[: np.isfinite(rank).sum()]


def _ordered(pixels: NDArray[np.uint8], config: Config) -> NDArray[np.uint8]:
    """With the channels, and in the order, that a configuration asks for."""
    if config.colour and pixels.ndim == 3:
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    if config.pixel_order == "scrambled":
        pixels = scramble(torch.from_numpy(np.ascontiguousarray(pixels))).numpy()
    return np.ascontiguousarray(pixels)


def _labels(found: Pictures) -> dict[str, Indices]:
    held = {} if found.valid_labels is None else {"validation": found.valid_labels}
    return {"train": found.train_labels, "test": found.test_labels, **held}


def _check_classes(classes: tuple[str, ...], found: Pictures, data: str) -> None:
    for name in classes:
        if name not in found.classes:
            raise UserError(
                f"{data} has no class {name!r}{suggestion(name, found.classes)}: it has {', '.join(found.classes[:20])}"
            )
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise UserError(f"classes are {', '.join(classes) or 'none'}: name two different ones at least")


def _check_counts(index: dict[str, Indices], config: Config) -> None:
    for name, places in index.items():
        if not len(places):
            raise UserError(f"{config.data} leaves no pictures for {name}: it needs some dozens in all")
    if len(index["train"]) < config.batch:
        raise UserError(
            f"{config.data} gives {len(index['train']):,} training pictures, fewer than a batch of {config.batch}: "
            "lower it"
        )
