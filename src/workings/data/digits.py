"""Handwritten digits that come with scikit-learn: 1,797 pictures of 8 × 8 pixels, the built-in set.

Source: the test part of "Optical Recognition of Handwritten Digits" (UCI), 16 grey levels, here stretched to 0…255. The
last 297 pictures are the test split: other people wrote them, as the set is ordered by writer.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from workings.core.study import Dataset
from workings.data.pictures import Pictures, content_hash

ID = "digits"
TITLE = "Handwritten digits (scikit-learn, 8 × 8)"
TRAIN = 1_500
LEVELS = 16


def where() -> Path | None:
    """The installed package that holds the pictures."""
    found = find_spec("sklearn")
    return Path(found.origin).parent if found and found.origin else None


@cache
def load() -> Pictures:
    """All of them, white on black."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.round(bunch.images * (255 / LEVELS)).astype(np.uint8)
    labels = bunch.target.astype(np.int64)
    return Pictures(
        Dataset(ID, TITLE, content_hash(images, labels)),
        images[:TRAIN],
        labels[:TRAIN],
        images[TRAIN:],
        labels[TRAIN:],
        tuple("0123456789"),
    )
