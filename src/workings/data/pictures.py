"""Labelled pictures of one size, in memory as uint8: what every set of pictures is here.

A set is known by its content: sizes, pixels and labels are hashed, not file names. By its id a set is loaded in
`catalogue`.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workings.core.study import Dataset

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Pictures:
    """Pictures in two splits, and what evidence says of them."""

    dataset: Dataset
    train_images: Pixels
    """(N, height, width), or (N, height, width, 3) where there is colour."""
    train_labels: Labels
    """(N,), indices into `classes`."""
    test_images: Pixels
    test_labels: Labels
    classes: tuple[str, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.train_images.shape[1:3]
        return height, width


def content_hash(*arrays: NDArray[np.generic]) -> str:
    """Hash of shapes and values, in order: independent of file names and compression."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype.newbyteorder('<').str}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
