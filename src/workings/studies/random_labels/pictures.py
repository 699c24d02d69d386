"""What a network is shown: a subset of the pictures, with labels or pixels made random by the seed.

    labels    partial: each is redrawn with a probability, uniformly over the classes, so that it may stay what it was
    pixels    shuffled: one permutation of the places, the same for all pictures; random: one for each picture;
              gaussian: noise of the training pictures' mean and spread in each channel, cut to 0…255

Held-out pictures get the same treatment of their pixels, and keep their true labels.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from workings.core.errors import UserError
from workings.data.catalogue import load_pictures
from workings.studies.random_labels.study import Config, Pixels
from workings.train.runtime import derive


@dataclass(frozen=True)
class Prepared:
    """Both splits as they are shown."""

    train: UInt8[np.ndarray, "n height width *channels"]
    labels: Int[np.ndarray, " n"]
    """As the network is told."""
    test: UInt8[np.ndarray, "m height width *channels"]
    test_labels: Int[np.ndarray, " m"]
    classes: tuple[str, ...]
    redrawn: float
    """Share of the labels that are not the true ones."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        height, width, *channels = self.train.shape[1:]
        return (channels or [1])[0], height, width


def prepare_pictures(config: Config) -> Prepared:
    """Load, cut and randomise as a configuration says; `UserError` where the pictures cannot be had."""
    found = load_pictures(config.data, config.size or None, config.broken)
    if not len(found.train_labels) or not len(found.test_labels):
        raise UserError(f"{config.data} has no training or no held-out pictures: it takes both")
    train, test = _spread(len(found.train_labels), config.limit), _spread(len(found.test_labels), config.tested)
    probability = {"true": 0.0, "partial": config.corruption, "random": 1.0}[config.labels]
    true = found.train_labels[train]
    labels = corrupt(true, len(found.classes), probability, _draw(config, "labels"))
    images = found.train_images[train], found.test_images[test]
    shown = rearrange(*images, config.pixels, _draw(config, "pixels"))
    return Prepared(
        *(shown[0], labels), *(shown[1], found.test_labels[test]), found.classes, float(np.mean(labels != true))
    )


def corrupt(
    labels: Int[np.ndarray, " n"], classes: int, probability: float, draw: np.random.Generator
) -> Int[np.ndarray, " n"]:
    """Each label drawn anew with this probability. A higher one redraws the same labels to the same, and more."""
    chosen, anew = draw.random(len(labels)) < probability, draw.integers(0, classes, len(labels))
    return np.where(chosen, anew, labels)


def rearrange(
    train: UInt8[np.ndarray, "n height width *channels"],
    test: UInt8[np.ndarray, "m height width *channels"],
    how: Pixels,
    draw: np.random.Generator,
) -> tuple[UInt8[np.ndarray, "n height width *channels"], UInt8[np.ndarray, "m height width *channels"]]:
    """Both splits with their pixels as `how` says; the channels of a pixel stay together where it moves."""
    if how == "true":
        return train, test
    if how == "gaussian":
        axes = tuple(range(train.ndim if train.ndim == 3 else 3))
        level, spread = train.mean(axes), train.std(axes)
        return _noise(train.shape, level, spread, draw), _noise(test.shape, level, spread, draw)
    order = draw.permutation(train.shape[1] * train.shape[2]) if how == "shuffled" else None
    return _moved(train, order, draw), _moved(test, order, draw)


def _moved(
    images: UInt8[np.ndarray, "n height width *channels"],
    order: Int[np.ndarray, " places"] | None,
    draw: np.random.Generator,
) -> UInt8[np.ndarray, "n height width *channels"]:
    """Each place takes the pixel that `order` names; without one, each picture has an order of its own."""
    flat = images.reshape(len(images), images.shape[1] * images.shape[2], -1)
    moved = (
        flat[:, order] if order is not None else np.stack([picture[draw.permutation(len(picture))] for picture in flat])
    )
    return np.ascontiguousarray(moved.reshape(images.shape))


def _noise(
    shape: tuple[int, ...], level: Float[np.ndarray, "..."], spread: Float[np.ndarray, "..."], draw: np.random.Generator
) -> UInt8[np.ndarray, "..."]:
    noise = draw.standard_normal(shape, dtype=np.float32) * spread + level
    return np.asarray(np.clip(np.rint(noise), 0, 255).astype(np.uint8))


def _spread(count: int, limit: int) -> Int[np.ndarray, " kept"]:
    """At most `limit` of so many indices, evenly over them: of a set sorted by class, of each class."""
    return np.unique(np.linspace(0, count - 1, min(count, limit)).round().astype(np.int64))


def _draw(config: Config, purpose: str) -> np.random.Generator:
    return np.random.default_rng(derive(config.seed, purpose))
