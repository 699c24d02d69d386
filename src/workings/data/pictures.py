"""Labelled pictures of one size, in memory as uint8: what every set of pictures is here.

A set is known by its content, not by its files' names: the hash of sizes, pixels and labels, or, where pictures come as
JPEG or PNG, of the encoded files, since decoders differ in the last bit. By its id a set is loaded in `catalogue`.
"""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import UserError
from workings.core.progress import meter
from workings.core.study import Dataset
from workings.data.decoding import check_room, checked_size, resized

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]
SHOWN = 3
"""Faults named in one line; the rest is counted."""


@dataclass(frozen=True)
class Pictures:
    """Pictures in two splits or three, and what evidence says of them."""

    dataset: Dataset
    train_images: Pixels
    """(N, height, width), or (N, height, width, 3) where there is colour."""
    train_labels: Labels
    """(N,), indices into `classes`."""
    test_images: Pixels
    test_labels: Labels
    classes: tuple[str, ...]
    valid_images: Pixels | None = None
    """None where the set comes without a validation split: `with_validation` makes one."""
    valid_labels: Labels | None = None
    skipped: tuple[str, ...] = ()
    """Pictures that were left out, each with the reason."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.train_images.shape[1:3]
        return height, width

    @property
    def channels(self) -> int:
        """1 where the pictures are grey, 3 where they have colour."""
        return 1 if self.train_images.ndim == 3 else 3

    def with_validation(self, count: int, seed: int = 0) -> "Pictures":
        """`count` training pictures, drawn by the seed, become the validation split; one that is there is kept."""
        if self.valid_images is not None:
            return self
        if not 0 < count < len(self.train_labels):
            raise UserError(
                f"{count:,} of {len(self.train_labels):,} training pictures cannot be held out: "
                "give a number above 0 that leaves some"
            )
        order = np.random.default_rng(seed).permutation(len(self.train_labels))
        held, kept = np.sort(order[:count]), np.sort(order[count:])
        images, labels = self.train_images, self.train_labels
        return replace(
            self,
            train_images=images[kept],
            train_labels=labels[kept],
            valid_images=images[held],
            valid_labels=labels[held],
        )

    def resized(self, size: int | tuple[int, int]) -> "Pictures":
        """The same pictures at another size; the dataset says so, and is another by its content."""
        wanted = checked_size(size)
        if wanted is None or wanted == self.size:
            return self
        total = sum(len(s) for s in (self.train_labels, self.test_labels, self.valid_labels) if s is not None)
        check_room(total, wanted, self.dataset.title)

        def scaled(images: Pixels) -> Pixels:
            made = np.empty((len(images), *wanted, *images.shape[3:]), dtype=np.uint8)
            with meter(f"resizing {self.dataset.title}", len(images)) as progress:
                for at, image in enumerate(images):
                    made[at] = resized(image, wanted)
                    progress.advance()
            return made

        return replace(
            self,
            dataset=at_size(self.dataset, wanted),
            train_images=scaled(self.train_images),
            test_images=scaled(self.test_images),
            valid_images=None if self.valid_images is None else scaled(self.valid_images),
        )


def at_size(dataset: Dataset, size: tuple[int, int]) -> Dataset:
    """What evidence says of a dataset whose pictures were brought to another size."""
    content = hashlib.sha256(f"{dataset.content} at {size[0]} × {size[1]}".encode()).hexdigest()[:16]
    return Dataset(dataset.id, f"{dataset.title}, resized to {size[0]} × {size[1]}", content)


def listed(faults: "list[str] | tuple[str, ...]") -> str:
    """The first few of many, and how many more there are."""
    more = len(faults) - SHOWN
    return "; ".join(faults[:SHOWN]) + (f"; and {more:,} more" if more > 0 else "")


def content_hash(*arrays: NDArray[np.generic]) -> str:
    """Hash of shapes and values, in order: independent of file names and compression."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype.newbyteorder('<').str}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
