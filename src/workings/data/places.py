"""Where a dataset's files may lie: ``$WORKINGS_DATA``, then the data folder of the run store."""

import os
from collections.abc import Iterator
from pathlib import Path

from workings.core.errors import UserError
from workings.core.runs import RunStore


def folders() -> list[Path]:
    """The folders that are searched, in order, whether they exist or not."""
    named = os.environ.get("WORKINGS_DATA")
    return [*([Path(named).expanduser()] if named else []), RunStore.default().root / "data"]


def locate(name: str) -> Path | None:
    """The first place that holds a folder or file of that name; None where none does."""
    return next((folder / name for folder in folders() if (folder / name).exists()), None)


def place() -> Path:
    """The folder that downloads go into: the first that can be written to."""
    return next((folder for folder in folders() if _writable(folder)), folders()[-1])


def files_below(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Every folder from this one down, with its files' names; links are followed, each folder is met once."""

    def unreadable(error: OSError) -> None:
        raise UserError(f"{error.filename} cannot be read ({error.strerror}): make it readable, or remove it")

    met: set[tuple[int, int]] = set()
    for folder, inside, names in os.walk(path, followlinks=True, onerror=unreadable):
        inside.sort()
        found = Path(folder).stat()
        if (found.st_dev, found.st_ino) in met:
            inside.clear()
            continue
        met.add((found.st_dev, found.st_ino))
        yield folder, names


def _writable(folder: Path) -> bool:
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    return there.is_dir() and os.access(there, os.W_OK)
