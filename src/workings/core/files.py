"""Writing that survives a crash: to a temporary name beside the target, flushed to the disk, then renamed."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from workings.core.errors import UserError


def write_atomic(path: Path, content: bytes) -> None:
    """Replace a file as a whole: a reader sees the old content or the new, never a part."""
    replace_with(path, lambda temporary: _write(temporary, content))


def replace_with(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file under a temporary name, flush it, move it into place; a failing disk is a `UserError`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(temporary)
            _sync(temporary)
            temporary.replace(path)
            _sync(path.parent)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def write_json(path: Path, data: Any) -> None:
    """Indented JSON, atomically; NaN and infinity are refused, since no other reader knows them."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomic(path, (text + "\n").encode())


@contextmanager
def storage(place: Path) -> Iterator[None]:
    """Turn a failing disk (full, read-only, not ours) into one line that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        named = str(error.filename or place)
        where = place if named.endswith(".tmp") else named
        raise UserError(
            f"cannot write to {where}: {reason}; make room or rights there, or choose another place "
            "(WORKINGS_HOME names that of runs). What was finished before is safe"
        ) from error


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
