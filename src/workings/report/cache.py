"""What takes long to make is made once: figures, typeset notes, the outputs of cells, by a hash of their sources.

It lies in ``cache/`` of the run store and may be deleted at any time. A store that cannot be written costs only time.
"""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from workings.core.errors import UserError
from workings.core.evidence import Evidence
from workings.core.files import write_atomic
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.drawing import STYLES

FOLDER = "cache"
NEWEST = 4_000
"""Entries kept at most; the oldest go first. A report of all studies makes some three hundred."""


def kept(kind: str, key: Iterable[object], make: Callable[[], bytes]) -> bytes:
    """The bytes made before for this key, or made now and kept."""
    digest = hashlib.sha256("\0".join(map(str, (kind, *key))).encode()).hexdigest()[:32]
    path = RunStore.default().root / FOLDER / kind / digest
    with suppress(OSError):
        return path.read_bytes()
    content = make()
    with suppress(UserError, OSError):
        write_atomic(path, content)
        _clear(path.parent)
    return content


def of_evidence(evidence: Evidence) -> str:
    """A key that changes whenever a file of these runs, or what the sources state, does."""
    files = (
        (run.id, path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for run in evidence.runs
        for path in sorted(run.folder.rglob("*"))
        if path.is_file() and "checkpoints" not in path.parts
    )
    return hashlib.sha256(repr((list(files), evidence.published)).encode()).hexdigest()


@cache
def of_study(study: Study) -> str:
    """A key that changes whenever the code of a slice, or of the libraries that draw, does."""
    digest = hashlib.sha256(f"{version('workings')} {version('matplotlib')} {study.version}".encode())
    for path in sorted(Path(str(study.file("."))).glob("*.*")):
        digest.update(path.read_bytes())
    for path in sorted(STYLES.glob("*.mplstyle")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _clear(folder: Path) -> None:
    entries = list(folder.iterdir())
    if len(entries) > NEWEST:
        for path in sorted(entries, key=lambda path: path.stat().st_mtime)[: len(entries) - NEWEST // 2]:
            path.unlink(missing_ok=True)
