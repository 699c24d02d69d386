"""Decoded pictures kept on disk, so that a large set is decoded once: npy files, named after the content they hold.

A small note per place (a path, with sizes and times of all its files) leads to the content without reading a picture
again; the arrays are named after content, size and decoder. All of it may be thrown away at any time, and the oldest
are when the whole grows beyond `LIMIT`. A cache that cannot be read or written is done without.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import UserError
from workings.core.files import replace_with, write_json
from workings.core.runs import RunStore
from workings.data.places import files_below

LIMIT = 8 << 30
"""Bytes that the arrays may take in all."""
VERSION = 1
"""Raised when the same pictures would be decoded to other arrays."""
Arrays = Mapping[str, NDArray[Any]]


def folder() -> Path:
    """Where the cache lies: in the run store's folder."""
    return RunStore.default().root / "cache" / "pictures"


def stamp(path: Path, *circumstances: object) -> str:
    """Changes when a file below the path does, or a circumstance; reads names, sizes and times only."""
    digest = hashlib.sha256(repr((VERSION, str(path.absolute()), circumstances)).encode("utf-8", "surrogateescape"))
    for name, *facts in sorted(_facts(path)):
        digest.update(f"{name}\0{facts}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:24]


def _facts(path: Path) -> list[tuple[str, int, int, int]]:
    """Relative name, size, time of change and inode of every file."""
    if path.is_file():
        found = path.stat()
        return [("", found.st_size, found.st_ctime_ns, found.st_ino)]
    facts = []
    for place, names in files_below(path):
        for inside in (f"{place}/{name}" for name in names):
            found = os.stat(inside) if os.access(inside, os.F_OK) else os.lstat(inside)  # noqa: PTH116 (60,000 Paths take long)
            facts.append((inside, found.st_size, found.st_ctime_ns, found.st_ino))
    return facts


def note(key: str) -> dict[str, Any] | None:
    """What was noted of a place; None where nothing was."""
    try:
        data = json.loads((folder() / "places" / f"{key}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def keep_note(key: str, data: Mapping[str, Any]) -> None:
    """Note something of a place."""
    with suppress(UserError):
        write_json(folder() / "places" / f"{key}.json", dict(data))


def arrays(name: str) -> Arrays | None:
    """The arrays kept under that name, mapped into memory, so that they are read as they are used; None without."""
    try:
        found = {path.name.split(".")[1]: _mapped(path) for path in folder().glob(f"{name}.*.npy")}
    except (OSError, ValueError, EOFError):
        return None
    return found or None


def _mapped(path: Path) -> NDArray[Any]:
    os.utime(path)
    return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))  # "c": what is changed, changes in memory only


def keep_arrays(name: str, content: Arrays) -> None:
    """Keep arrays, and throw the oldest away where that is too much."""
    with suppress(UserError):
        for key, values in content.items():
            replace_with(folder() / f"{name}.{key}.npy", partial(_save, values))
        total = 0
        for path in sorted(folder().glob("*.npy"), key=lambda path: path.stat().st_mtime, reverse=True):
            total += path.stat().st_size
            if total > LIMIT and not path.name.startswith(f"{name}."):
                path.unlink(missing_ok=True)


def _save(values: NDArray[Any], path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, values, allow_pickle=False)
