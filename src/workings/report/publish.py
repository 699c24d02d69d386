"""Putting a folder of pages in place as a whole: a build that fails leaves the old site as it was."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workings.core.errors import UserError

MARKER = ".workings-report"
"""A file that says: this folder was written by `workings report`, and may be replaced by it."""


@contextmanager
def replacing(destination: Path) -> Iterator[Path]:
    """Hand out an empty folder beside the destination, and put it in its place once it is filled.

    `UserError` where the destination holds anything but an earlier report, or cannot be written.
    """
    destination = destination.expanduser().resolve()
    try:
        _refuse_foreign(destination)
        destination.parent.mkdir(parents=True, exist_ok=True)
        fresh, old = (destination.with_name(f".{destination.name}.{os.getpid()}.{end}") for end in ("new", "old"))
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        try:
            (fresh / MARKER).write_text("Written by `workings report`, which replaces this folder as a whole.\n")
            yield fresh
            _swap(fresh, destination, old)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"cannot write the report to {destination} ({error.filename}: {reason}): make room or rights there, "
            "or name another folder"
        ) from error


def _refuse_foreign(destination: Path) -> None:
    if destination.is_file():
        raise UserError(f"{destination} is a file: name a folder for the report")
    if destination.is_dir() and any(destination.iterdir()) and not (destination / MARKER).is_file():
        raise UserError(f"{destination} holds files that are no report of ours: name a new or an empty folder")


def _swap(fresh: Path, destination: Path, old: Path) -> None:
    if not destination.exists():
        fresh.rename(destination)
        return
    destination.rename(old)
    try:
        fresh.rename(destination)
    except OSError:
        old.rename(destination)
        raise
    shutil.rmtree(old, ignore_errors=True)
