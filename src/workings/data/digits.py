"""Handwritten digits that come with scikit-learn: 1,797 pictures of 8 × 8 pixels, the built-in set.

Source: the test part of "Optical Recognition of Handwritten Digits" (UCI), 16 grey levels, here stretched to 0…255. The
last 297 pictures are the test split: other people wrote them, as the set is ordered by writer.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from workings.core.errors import UserError
from workings.core.study import Dataset
from workings.data.pictures import Pictures, content_hash

ID = "digits"
TITLE = "Handwritten digits (scikit-learn, 8 × 8)"
FILE = "datasets/data/digits.csv.gz"
"""In scikit-learn: a picture a row, its pixels line by line, then its label."""
TRAIN = 1_500
SIDE = 8
LEVELS = 16


def where() -> Path | None:
    """The installed package that holds the pictures."""
    found = find_spec("sklearn")
    return Path(found.origin).parent if found and found.origin else None


@cache
def load() -> Pictures:
    """All of them, white on black. Read from scikit-learn's file, since scikit-learn itself takes seconds to load."""
    package = where()
    try:
        rows = np.loadtxt((package or Path()) / FILE, dtype=np.uint8, delimiter=",")
    except OSError as error:
        raise UserError(f"the digits that come with scikit-learn are not there ({error}): reinstall it") from None
    images = np.round(rows[:, :-1].reshape(-1, SIDE, SIDE) * (255 / LEVELS)).astype(np.uint8)
    labels = rows[:, -1].astype(np.int64)
    return Pictures(
        Dataset(ID, TITLE, content_hash(images, labels)),
        images[:TRAIN],
        labels[:TRAIN],
        images[TRAIN:],
        labels[TRAIN:],
        tuple("0123456789"),
    )
