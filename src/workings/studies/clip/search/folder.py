"""What lies in a folder of photographs, and what of it is new.

A file is known by its name below the folder, its size and its time of change; where all three are as before, it is not
opened. What was opened is known by the hash of its bytes, so a file that moved is not embedded again. Passed over are
names that begin with a dot, and files whose suffix no picture has.
"""

import hashlib
import os
import warnings
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from workings.core.errors import UserError
from workings.data.archives import printable
from workings.data.decoding import Decoded, Pixels, decode

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".avif", ".jp2", ".bmp", ".dib"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".qoi"),
)
"""What cameras and the web make, and Pillow reads."""
AHEAD = 8
"""Pictures that each thread may be ahead of the model."""


class Stamp(NamedTuple):
    """What tells a changed file from an unchanged one without opening it."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, order=True)
class Fault:
    """A file or folder that could not be used, and why."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{printable(self.file)} {self.reason}"


@dataclass(frozen=True)
class Scan:
    """What was found."""

    files: dict[str, Stamp]
    """By name below the folder, in order."""
    faults: tuple[Fault, ...]
    """Folders that could not be opened, and names that no text can hold."""
    unseen: tuple[str, ...]
    """Folders that could not be opened: nothing is known of what lies below them."""

    def gone(self, names: Collection[str]) -> list[str]:
        """Which of these are there no longer; what lies in a folder that cannot be opened, may be."""
        closed = tuple(f"{folder}/" for folder in self.unseen)
        return [name for name in names if name not in self.files and not name.startswith(closed)]


def scan(folder: Path) -> Scan:
    """All files below a folder that look like pictures; links are followed, each folder is met once."""
    if not folder.is_dir():
        raise UserError(f"{folder} is {'no folder' if folder.exists() else 'not there'}: name a folder of photographs")
    if shown(str(folder)) != str(folder):
        raise UserError(f"{shown(str(folder))} is no UTF-8: rename the folder, or index it under another name (a link)")
    files: dict[str, Stamp] = {}
    faults: list[Fault] = []
    unseen: list[str] = []

    def closed(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise UserError(f"{folder} cannot be read ({error.strerror}): make it readable") from None
        unseen.append(_below(folder, error.filename))
        faults.append(Fault(shown(unseen[-1]), f"cannot be opened ({error.strerror})"))

    met: set[tuple[int, int]] = set()
    for place, inside, names in os.walk(folder, followlinks=True, onerror=closed):
        found = os.stat(place)  # noqa: PTH116 (a Path for each of 100,000 files takes long, here and below)
        if (found.st_dev, found.st_ino) in met:
            inside.clear()
            continue
        met.add((found.st_dev, found.st_ino))
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        for path in (f"{place}/{name}" for name in sorted(names) if _is_picture(name)):
            name = _below(folder, path)
            if shown(name) != name:
                faults.append(Fault(shown(name), "has a name that is no UTF-8: rename it"))
            elif os.path.isfile(path):  # noqa: PTH113 (a broken link is none)
                found = os.stat(path)  # noqa: PTH116
                files[name] = Stamp(found.st_size, found.st_mtime_ns)
    return Scan(files, tuple(faults), tuple(unseen))


def _below(folder: Path, path: str) -> str:
    return Path(path).relative_to(folder).as_posix()


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and name.casefold().endswith(SUFFIXES)


def shown(name: str) -> str:
    """The name as text can hold it: bytes that are no UTF-8, which Python keeps as lone surrogates, become marks."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def examine(
    folder: Path, names: Sequence[str], known: Collection[str], sizes: Collection[int], side: int
) -> Iterator[tuple[str, Decoded]]:
    """Each file's hash, with its pixels or what is wrong; no pixels where the hash is `known`. By several threads.

    Only a file that has one of these `sizes` can be one that is known: it is hashed before it is decoded.
    """

    def work(name: str) -> Decoded:
        return read_picture(folder / name, known if (folder / name).stat().st_size in sizes else (), side)

    def guarded(name: str) -> Decoded:
        try:
            return work(name)
        except OSError as error:  # it went away since
            return Decoded("", None, f"cannot be read ({error.strerror})")

    threads = min(8, os.cpu_count() or 1)
    waiting: deque[tuple[str, Future[Decoded]]] = deque()
    with warnings.catch_warnings(), ThreadPoolExecutor(threads) as pool:
        warnings.simplefilter("ignore")  # Pillow's, of spoilt notes inside pictures that can be read
        try:
            for name in names:
                waiting.append((name, pool.submit(guarded, name)))
                if len(waiting) > AHEAD * threads:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for first, future in waiting:
                yield first, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def read_picture(path: Path, known: Collection[str], side: int) -> Decoded:
    """A file's hash with its pixels (side, side, 3), cropped about the centre; no pixels where the hash is known."""
    if known and (digest := digest_of(path)) in known:
        return Decoded(digest, None)
    decoded = decode(path.read_bytes, (side, side))
    return decoded if decoded.pixels is None else decoded._replace(pixels=in_colour(decoded.pixels))


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def in_colour(pixels: Pixels) -> Pixels:
    """Grey pictures get three equal channels."""
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
