"""Pictures in a NumPy archive (npz): arrays of pixels and labels, split by split; the course's Intel landscapes.

Layout, as public solutions of the course read ``intel_landscapes.npz``: ``train_images``, ``train_labels``,
``val_images``, ``val_labels``, ``test_images``, ``test_labels``; pictures (N, height, width, 3) or (N, height, width)
of whole numbers 0…255, labels (N,) or (N, 1) of whole numbers from 0. Channels first, (N, 3, height, width), are
turned. ``valid`` or ``dev`` may stand for ``val``, which may be missing. Objects are never unpickled.

The course hands the file out itself, and no hash of it is published: it is recognised by its shapes (12,630, 1,404 and
3,000 colour pictures of 48 × 48 in six classes), and its classes are taken to be in the alphabetical order of Kaggle's
original (https://www.kaggle.com/datasets/puneet6060/intel-image-classification).
"""

import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import UserError
from workings.core.study import Dataset
from workings.data.archives import checked_zip, printable, refusals
from workings.data.class_listing import SPLITS
from workings.data.pictures import Labels, Pictures, Pixels, content_hash
from workings.data.places import folders, locate

ID = "intel"
TITLE = "Intel landscapes (the course's 48 × 48)"
FILES = ("intel_landscapes.npz", "intel_landscapes.v2.npz")
CLASSES = ("buildings", "forest", "glacier", "mountain", "sea", "street")
SHAPES = {"train": (12_630, 48, 48, 3), "valid": (1_404, 48, 48, 3), "test": (3_000, 48, 48, 3)}
MOST_CLASSES = 100_000
"""Labels above are no labels: a column of years or of pixel values was taken for them."""


def where() -> Path | None:
    """The course's file; None where it is not at hand."""
    return next((found for name in FILES if (found := locate(name))), None)


def load() -> Pictures:
    """The course's Intel landscapes; `UserError` where the file is missing or is another."""
    path = where()
    if path is None:
        raise UserError(f"{TITLE} is not at hand: put the course's {FILES[0]} into {folders()[0]}")
    pictures = read(path)
    if pictures.dataset.id != ID:
        raise UserError(
            f"{path} is not the course's (its pictures are {pictures.train_images.shape}, expected {SHAPES['train']}): "
            f"fetch it again, or use it as your own with --data {path}"
        )
    return pictures


def read(path: Path) -> Pictures:
    """The set in an npz file; the course's Intel landscapes are recognised by their shapes."""
    if not path.is_file():
        raise UserError(
            f"{path} is no file: name an npz file with train_images, train_labels, test_images, test_labels"
        )
    found = path.stat()
    return _read(path.absolute(), (found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=2)
def _read(path: Path, stamp: tuple[int, ...]) -> Pictures:
    content = _arrays(path)
    splits: dict[str, tuple[Pixels, Labels]] = {}
    for split, aliases in SPLITS.items():
        prefix = next((alias for alias in aliases if f"{alias}_images" in content), None)
        if prefix is None and split != "valid":
            raise UserError(
                f"{path} holds no {split}_images ({printable(', '.join(content)) or 'nothing'}): an npz of pictures "
                "has train_images, train_labels, test_images, test_labels, and val_images, val_labels where it has them"
            )
        if prefix is not None:
            splits[split] = _split(path, prefix, content)
    sizes = {images.shape[1:] for images, _ in splits.values()}
    if len(sizes) > 1:
        raise UserError(
            f"the splits in {path} differ in the size of their pictures: {' and '.join(map(str, sorted(sizes)))}"
        )
    count = 1 + max(int(labels.max()) for _, labels in splits.values())
    known = count == len(CLASSES) and {split: images.shape for split, (images, _) in splits.items()} == SHAPES
    hashed = content_hash(*(array for pair in splits.values() for array in pair))
    own = Dataset(f"own:{path.stem}", f"{printable(path.name)} (pictures of one's own)", hashed)
    return Pictures(
        Dataset(ID, TITLE, hashed) if known else own,
        *splits["train"],
        *splits["test"],
        CLASSES if known else tuple(map(str, range(count))),
        *splits.get("valid", (None, None)),
    )


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    with refusals(path):
        if not zipfile.is_zipfile(path):
            raise UserError(f"{path} is no npz file: write one with numpy.savez")
        with zipfile.ZipFile(path) as file:
            checked_zip(file, path.stat().st_size)
        try:
            with np.load(path, allow_pickle=False) as file:
                wanted = [
                    f"{a}_{kind}" for aliases in SPLITS.values() for a in aliases for kind in ("images", "labels")
                ]
                return {name: file[name] for name in file.files if name in wanted} or {
                    n: np.empty(0) for n in file.files
                }
        except ValueError as error:
            if "allow_pickle" in str(error):
                raise UserError(f"{path} holds Python objects, which are never unpickled: save plain arrays") from None
            raise UserError(f"{path} is damaged ({str(error)[:80]}): fetch it again") from None
        except (OSError, MemoryError, SyntaxError, zlib.error) as error:
            raise UserError(
                f"{path} cannot be read ({str(error)[:80] or type(error).__name__}): fetch it again"
            ) from None


def _split(path: Path, prefix: str, content: dict[str, NDArray[Any]]) -> tuple[Pixels, Labels]:
    if f"{prefix}_labels" not in content:
        raise UserError(f"{path} holds {prefix}_images and no {prefix}_labels: every picture needs its label")
    images, labels = content[f"{prefix}_images"], content[f"{prefix}_labels"]
    if images.ndim == 4 and images.shape[1] == 3 and images.shape[3] != 3:
        images = images.transpose(0, 2, 3, 1)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if not (images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)) or not images.size:
        raise UserError(
            f"{path}: {prefix}_images has shape {images.shape}, expected (N, height, width) or with 3 colours"
        )
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.shape != images.shape[:1]:
        raise UserError(
            f"{path}: {len(images):,} {prefix}_images and labels of shape {labels.shape}: one label a picture"
        )
    whole = _whole(path, f"{prefix}_images", images, 255)
    return whole.astype(np.uint8), _whole(path, f"{prefix}_labels", labels, MOST_CLASSES).astype(np.int64)


def _whole(path: Path, name: str, values: NDArray[Any], largest: int) -> NDArray[Any]:
    """The values, if all are whole numbers from 0 to `largest`."""
    if values.dtype.kind not in "buif":
        raise UserError(f"{path}: {name} holds {values.dtype}, expected whole numbers from 0 to {largest}")
    bad = ~((values >= 0) & (values <= largest))
    if values.dtype.kind == "f":
        bad |= values != np.floor(values)
    if bad.any():
        raise UserError(f"{path}: {name} holds {values[bad].flat[0]}, expected whole numbers from 0 to {largest}")
    return values
