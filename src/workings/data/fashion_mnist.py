"""FashionMNIST: 70,000 grey pictures of clothes, 28 × 28, ten classes; four idx files as Zalando publishes them.

Source: https://github.com/zalandoresearch/fashion-mnist (MIT), whose README publishes sizes and MD5; the SHA-256 are as
several independent libraries pin them. Debian ships the same files as the package ``dataset-fashion-mnist``, and others
pack them anew: what counts is the content. An idx file is a magic number (0, 0, type, dimensions), the sizes as
big-endian 32-bit integers, then the values; type 8 is unsigned bytes. It may be compressed with gzip.
"""

import gzip
import math
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import UserError
from workings.core.study import Dataset
from workings.data.download import Source, fetch
from workings.data.pictures import Pictures, content_hash
from workings.data.places import folders, locate, place

ID = "fashion-mnist"
KNOWN = Dataset(ID, "FashionMNIST", "53b2075d9e07b496")
FOLDER = "fashion_mnist"
TORCHVISION = "FashionMNIST/raw"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
MIRRORS = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
)
PUBLISHED = (
    (
        26_421_880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    ),
    (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", "25c81989df183df01b3e8a0aad5dffbe"),
    (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", "bef4ecab320f06d8554ea6380940ec79"),
    (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", "bb300cfdad3c16e7a12a480ee83cd310"),
)
"""Size in bytes, SHA-256 and MD5 of each of the files, compressed as Zalando has them."""
SOURCES = tuple(
    Source(f"{name}.gz", tuple(f"{mirror}/{name}.gz" for mirror in MIRRORS), *published)
    for name, published in zip(FILES, PUBLISHED, strict=True)
)
UNSIGNED_BYTE = 8
LARGEST = 1 << 30
"""Bytes in one idx file at most (FashionMNIST's largest holds 47 million): a damaged header asks for no more."""


def where() -> Path | None:
    """The folder with the four files; None where they are not at hand."""
    return locate(FOLDER) or locate(TORCHVISION) or (DEBIAN if DEBIAN.is_dir() else None)


def get(base: str | None = None) -> Path:
    """Download the four files from Zalando, or from another address; the folder they are in."""
    folder = place() / FOLDER
    for source in SOURCES:
        fetch(source.moved(base) if base else source, folder)
    return folder


def load() -> Pictures:
    """The whole set; `UserError` where its files are missing or are not FashionMNIST's."""
    folder = where()
    if folder is None:
        raise UserError(
            f"FashionMNIST is not at hand: run `workings data get {ID}` (31 MB), put its four idx files into "
            f"{folders()[0] / FOLDER}, or install Debian's package dataset-fashion-mnist"
        )
    pictures = read(folder)
    if pictures.dataset != KNOWN:
        raise UserError(
            f"the files in {folder} are not FashionMNIST's (content {pictures.dataset.content}, expected "
            f"{KNOWN.content}): fetch them again, or use them as your own with --data {folder}"
        )
    return pictures


def read(folder: Path) -> Pictures:
    """Pictures and labels from a folder of four idx files; FashionMNIST is recognised by its content."""
    paths = [_file(folder, name) for name in FILES]
    return _read(folder.absolute(), tuple(n for path in paths for n in (path.stat().st_mtime_ns, path.stat().st_size)))


@lru_cache(maxsize=2)
def _read(folder: Path, stamp: tuple[int, ...]) -> Pictures:
    train, train_labels, test, test_labels = (read_idx(_file(folder, name)) for name in FILES)
    for images, labels in ((train, train_labels), (test, test_labels)):
        if images.ndim != 3 or images.shape[1:] != train.shape[1:] or labels.shape != images.shape[:1]:
            raise UserError(
                f"the idx files in {folder} do not fit together: pictures {images.shape}, labels {labels.shape}"
            )
    content = content_hash(train, train_labels, test, test_labels)
    own = Dataset(f"own:{folder.name}", f"{folder.name} (idx pictures of one's own)", content)
    dataset = KNOWN if content == KNOWN.content else own
    count = 1 + max((int(labels.max()) for labels in (train_labels, test_labels) if labels.size), default=0)
    classes = CLASSES if dataset == KNOWN else tuple(str(label) for label in range(count))
    return Pictures(dataset, train, train_labels.astype(np.int64), test, test_labels.astype(np.int64), classes)


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array in an idx file of unsigned bytes, compressed or not; a damaged one is a `UserError`."""
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if compressed else path.open("rb") as file:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] != UNSIGNED_BYTE or not 1 <= head[3] <= 4:
                raise UserError(f"{path} is no idx file of bytes (it begins with {head.hex()}): fetch it again")
            shape = tuple(int(n) for n in np.frombuffer(file.read(4 * head[3]), dtype=">u4"))
            if len(shape) < head[3] or math.prod(shape) > LARGEST:
                raise UserError(f"{path} is damaged: it announces an array of {shape}; fetch it again")
            values = file.read(math.prod(shape) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read ({error}): fetch it again") from None
    if len(values) != math.prod(shape):
        raise UserError(
            f"{path} is cut off: {math.prod(shape):,} bytes announced, {len(values):,} found; fetch it again"
        )
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def _file(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise UserError(f"{folder} holds no {name}.gz: a set in idx form has {', '.join(FILES)}")
