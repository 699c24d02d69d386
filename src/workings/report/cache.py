"""What takes long to make is made once: figures, typeset notes, the outputs of cells, by a hash of their sources.

It lies in ``cache/`` of the run store and may be deleted at any time. A store that cannot be written costs only time.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from workings.core.errors import UserError
from workings.core.evidence import CHECKPOINTS, Archive, Evidence, Run
from workings.core.files import write_atomic
from workings.core.runs import RunStore
from workings.core.study import Study

FOLDER = "cache"
NEWEST = 4_000
"""Entries kept at most of a kind; the oldest go first. A report of all studies makes some three hundred."""
LARGEST = 200_000_000
"""Bytes kept at most of a kind: a thousand figures, or the PDFs of some sixty reports."""
FLOORS = ("core/evidence.py", "drawing/*.*", "expressions/*.py", "nn/*.py", "report/figures.py")
"""What a slice draws and computes with, besides its own files and the libraries."""


def kept(kind: str, key: Iterable[object], make: Callable[[], bytes]) -> bytes:
    """The bytes made before for this key, or made now and kept."""
    path = _path(kind, key)
    with suppress(OSError):
        return path.read_bytes()
    content = make()
    with suppress(UserError, OSError):
        write_atomic(path, content)
        _clear(path.parent)
    return content


def holds(kind: str, key: Iterable[object]) -> bool:
    """Whether it has been made before."""
    return _path(kind, key).is_file()


def _path(kind: str, key: Iterable[object]) -> Path:
    digest = hashlib.sha256("\0".join(map(str, (kind, *key))).encode()).hexdigest()[:32]
    return RunStore.default().root / FOLDER / kind / digest


def of_evidence(evidence: Evidence) -> str:
    """A key that changes whenever a file of these runs, or what the sources state, does."""
    return _of_runs(evidence.runs, evidence.published)


def of_archive(archive: Archive) -> str:
    """The same for all runs of a study, whatever they decide."""
    return _of_runs(archive.runs, archive.study.published)


def _of_runs(runs: Sequence[Run], published: object) -> str:
    files = [
        (run.id, run.recorded, path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for run in runs
        for path in sorted(run.folder.rglob("*"))
        if CHECKPOINTS not in path.parts and path.is_file()
    ]
    return hashlib.sha256(repr((files, published)).encode()).hexdigest()


@cache
def of_study(study: Study) -> str:
    """A key that changes whenever the code of a slice, of the floors below it, or of the libraries that draw, does."""
    versions = (version("workings"), version("matplotlib"), study.version)
    digest = hashlib.sha256(f"{versions} {of_code(*FLOORS)}".encode())
    for path in sorted(Path(str(study.file("."))).glob("*.*")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def of_code(*patterns: str) -> str:
    """A key that changes whenever a file of workings does that one of the patterns names."""
    house, digest = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in house.glob(pattern) if path.is_file()}):
        digest.update(f"{path.relative_to(house)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _clear(folder: Path) -> None:
    """Let the oldest entries go, beyond a number and a size."""
    entries = sorted(((entry.stat(), entry) for entry in folder.iterdir()), key=lambda pair: -pair[0].st_mtime)
    size = 0
    for place, (state, entry) in enumerate(entries):
        size += state.st_size
        if place >= NEWEST or size > LARGEST:
            entry.unlink(missing_ok=True)
