"""CIFAR-10: 60,000 colour pictures of 32 × 32, ten classes; the official binary archive, and the set as JPEG.

Source: https://www.cs.toronto.edu/~kriz/cifar.html, the binary version (the Python version is a pickle, which is never
opened). Six files of 10,000 records; a record is a label byte and 3,072 pixel bytes: 1,024 red, 1,024 green, 1,024
blue, each row by row. The archive's size and MD5 are those of the official page; the SHA-256 of archive and files are
as two independent libraries pin them. The set as JPEG (a zip of class folders) is lossy, and a dataset of its own.
"""

import hashlib
import shutil
from functools import lru_cache
from pathlib import Path

import numpy as np

from workings.core.errors import UserError
from workings.core.files import storage
from workings.core.study import Dataset
from workings.data import class_folders
from workings.data.archives import Limits, unpack
from workings.data.decoding import Size
from workings.data.download import Source, alone, fetch
from workings.data.pictures import Labels, Pictures, Pixels
from workings.data.places import folders, locate, place

ID, JPEG_ID = "cifar10", "cifar10-jpeg"
FOLDER, UNPACKED = "cifar10", "cifar-10-batches-bin"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
ARCHIVE = Source(
    "cifar-10-binary.tar.gz",
    (
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "https://cave.cs.toronto.edu/kriz/cifar-10-binary.tar.gz",
    ),
    size=170_052_171,
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    md5="c32a1d4ab5d03f1284b67883e8d87530",
)
FILES = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
LIMITS = Limits(members=100, total=1 << 30)
"""The archive holds eight files, 184 MB."""
LARGEST = 1 << 31
"""Bytes in one file of records at most."""


def content_of(digests: "list[str]") -> str:
    """The set is known by the SHA-256 of its six files, in order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16]


KNOWN = Dataset(ID, "CIFAR-10", content_of(list(FILES.values())))
JPEG = Dataset(JPEG_ID, "CIFAR-10 (JPEG)", "0795be9f2aa3bd50")


def where() -> Path | None:
    """The folder with the six files; None where they are not at hand."""
    return locate(f"{FOLDER}/{UNPACKED}") or locate(UNPACKED)


def where_jpeg() -> Path | None:
    """The zip of class folders; None where it is not at hand."""
    return locate(f"{FOLDER}/{JPEG_ID}.zip") or locate(f"{JPEG_ID}.zip")


def get(base: str | None = None) -> Path:
    """Download the official archive, or the same from another address, and unpack it; the folder of the six files."""
    target = place() / FOLDER / UNPACKED
    with storage(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with alone(target):
            if not _is_sound(target):
                _fetch_into(target, base)
    return target


def _is_sound(folder: Path) -> bool:
    try:
        return read(folder).dataset == KNOWN
    except UserError:
        return False


def _fetch_into(target: Path, base: str | None) -> None:
    archive = fetch(ARCHIVE.moved(base) if base else ARCHIVE, target.parent)
    temporary = target.with_name(".cifar-10")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        unpack(archive, temporary, LIMITS)
        if not (temporary / UNPACKED).is_dir():
            raise UserError(f"{archive} holds no folder {UNPACKED}: it is not the official archive")
        shutil.rmtree(target, ignore_errors=True)  # what is damaged
        (temporary / UNPACKED).replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    archive.unlink()


def load() -> Pictures:
    """The whole set from the official files; `UserError` where they are missing or are others."""
    folder = where()
    if folder is None:
        raise UserError(
            f"CIFAR-10 is not at hand: run `workings data get {ID}` (170 MB), or unpack {ARCHIVE.name} into "
            f"{folders()[0] / FOLDER}"
        )
    pictures = read(folder)
    if pictures.dataset != KNOWN:
        raise UserError(
            f"the files in {folder} are not CIFAR-10's (content {pictures.dataset.content}, expected {KNOWN.content}): "
            f"run `workings data get {ID}`, or use them as your own with --data {folder}"
        )
    return pictures


def load_jpeg(size: int | Size | None = None) -> Pictures:
    """CIFAR-10 re-encoded as JPEG; `UserError` where the zip is missing or is another."""
    path = where_jpeg()
    if path is None:
        raise UserError(
            f"CIFAR-10 (JPEG) is not at hand: put {JPEG_ID}.zip into {folders()[0] / FOLDER}, or run with --data {ID}"
        )
    pictures = class_folders.read(path, size, known=(JPEG,))
    if pictures.dataset.id != JPEG_ID:
        raise UserError(f"{path} is not the zip that is known as {JPEG_ID}: use it as your own with --data {path}")
    return pictures


def read(folder: Path) -> Pictures:
    """Pictures from a folder of binary batches; CIFAR-10 is recognised by its content."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise UserError(f"{folder} holds no {missing[0]}: the binary version of CIFAR-10 has {', '.join(FILES)}")
    stats = [(folder / name).stat() for name in FILES]
    return _read(folder.absolute(), tuple(n for found in stats for n in (found.st_mtime_ns, found.st_size)))


@lru_cache(maxsize=2)
def _read(folder: Path, stamp: tuple[int, ...]) -> Pictures:
    *train, test = ((folder / name, _bytes(folder / name)) for name in FILES)
    content = content_of([hashlib.sha256(data).hexdigest() for _, data in (*train, test)])
    batches = [records(data, path) for path, data in (*train, test)]
    own = Dataset(f"own:{folder.name}", f"{folder.name} (CIFAR's binary form, one's own)", content)
    return Pictures(
        KNOWN if content == KNOWN.content else own,
        np.concatenate([images for images, _ in batches[:-1]]),
        np.concatenate([labels for _, labels in batches[:-1]]),
        *batches[-1],
        CLASSES,
    )


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > LARGEST:
        raise UserError(f"{path} is larger than {LARGEST / 1e9:.1f} GB: it is no batch of CIFAR's")
    return path.read_bytes()


def records(data: bytes, path: Path) -> tuple[Pixels, Labels]:
    """Pictures (N, 32, 32, 3) and labels (N,) of a file of records; `UserError` where it is cut off or mislabelled."""
    if not data or len(data) % RECORD:
        raise UserError(f"{path} is cut off: {len(data):,} bytes are no whole number of records of {RECORD:,}")
    table = np.frombuffer(data, dtype=np.uint8).reshape(-1, RECORD)
    labels = table[:, 0].astype(np.int64)
    if labels.max() >= len(CLASSES):
        at = int((labels >= len(CLASSES)).argmax())
        raise UserError(
            f"{path}: record {at:,} has label {labels[at]}, expected 0 to {len(CLASSES) - 1}; fetch it again"
        )
    planes = table[:, 1:].reshape(-1, 3, SIDE, SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels
