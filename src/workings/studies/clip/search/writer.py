"""An index that is added to: held by one process, whole at any moment. How it looks is told in `index`."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from workings.core.errors import UserError
from workings.core.files import replace_with, storage, write_json
from workings.studies.clip.search import vectors as near
from workings.studies.clip.search.index import INDEX_FILE, About, Entry, Index, check_model, whole_lines
from workings.studies.clip.search.vectors import Vectors

LOCK_FILE = ".lock"
UNTIDY = 0.25
"""Share of lines without effect, or of vectors without a file, from which the files are rewritten."""
OURS = re.compile(r"\.?(files|vectors|inverted)-(\d{1,9})(-\d+)?\.(jsonl|f32|faiss)(\.\d+\.tmp)?")
"""Names of files that are written here, unfinished ones among them; all others are left alone."""
BLOCK = 1 << 16
"""Vectors copied at a time."""


class Writer:
    """An index that is held and added to; see `written`."""

    def __init__(self, index: Index, given: str | None) -> None:
        self.index, self.given = index, given
        self.place, self.about = index.place, index.about
        self.entries = index.entries()
        self.rows = index.used
        """Vectors that are there; the next gets this row."""
        self.end = whole_lines(index.files)
        """Bytes of whole lines; what a kill left behind them is overwritten, and so are vectors that no line names."""

    def commit(self, vectors: Vectors, changes: Mapping[str, Entry | None]) -> None:
        """Add these vectors, and then what is known of these files; None takes one out."""
        if len(vectors):
            content = np.ascontiguousarray(vectors, dtype="<f4").tobytes()
            _write_at(self.index.vectors_file, 4 * self.about.dimensions * self.rows, content)
        if changes:
            lines = "".join(_line(name, entry) for name, entry in changes.items()).encode()
            _write_at(self.index.files, self.end, lines)
            self.end += len(lines)
        self.rows += len(vectors)
        for name, entry in changes.items():
            self.entries.pop(name, None)
            if entry is not None:
                self.entries[name] = entry

    def finish(self, queries: Mapping[str, Vectors]) -> None:
        """Rewrite what became untidy, make the inverted file where one is due, and say what there is."""
        live = Index(self.place)
        idle = 1 - len(self.entries) / max(1, len(live.rows))
        if idle > UNTIDY or len(live.free) > UNTIDY * live.used:
            live = self._rewritten(live)
        about, old = live.about, live.about.inverted
        count = live.used
        due = count > near.FLAT and (old is None or count - old.rows > UNTIDY * old.rows or not _sound(live))
        if due:
            name = f"inverted-{about.generation}-{count}.faiss"
            sample = {**queries, "pictures": _sample(live)}
            about = replace(about, inverted=near.build(live.vectors, live.free, self.place, name, sample))
        broken = sum(entry.fault is not None for entry in self.entries.values())
        about = replace(about, given=self.given, pictures=len(self.entries) - broken, broken=broken)
        if about != live.about:
            write_json(self.place / INDEX_FILE, asdict(about))
        _sweep(self.place, about)
        self.about = about

    def _rewritten(self, live: Index) -> Index:
        """The same files and vectors, tidy, under another number."""
        about = replace(self.about, generation=self.about.generation + 1, inverted=None)
        kept = np.unique(live.rows[live.rows >= 0])

        def vectors(path: Path) -> None:
            with path.open("wb") as file:
                for at in range(0, len(kept), BLOCK):
                    file.write(np.ascontiguousarray(live.vectors[kept[at : at + BLOCK]], dtype="<f4").tobytes())

        def lines(path: Path) -> None:
            with path.open("w", encoding="utf-8") as file:
                for name in sorted(self.entries):
                    entry = self.entries[name]
                    row = None if entry.row is None else int(np.searchsorted(kept, entry.row))
                    file.write(_line(name, replace(entry, row=row)))

        replace_with(self.place / f"vectors-{about.generation}.f32", vectors)
        replace_with(self.place / f"files-{about.generation}.jsonl", lines)
        write_json(self.place / INDEX_FILE, asdict(about))
        return Index(self.place)


@contextmanager
def written(place: Path, wanted: About, *, again: bool = False) -> Iterator[Writer]:
    """Hold the index of that place, made where there is none; `again` forgets what it holds.

    `UserError` where another process holds it, where it is of another model, or where nothing can be written.
    """
    with storage(place):
        place.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place / LOCK_FILE)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(f"{place} is being written by another process: wait for it or stop it") from None
    try:
        there = (place / INDEX_FILE).exists()
        if not there or again:
            # Under a number that no file bears, so that the old ones count until the new ones are there.
            numbers = [int(found[2]) for path in place.iterdir() if (found := OURS.fullmatch(path.name))]
            number = 1 + max(numbers, default=-1)
            about = replace(wanted, generation=number)
            write_json(place / INDEX_FILE, asdict(about))
            _sweep(place, about)
        index = Index(place)
        check_model(index, wanted.model, wanted.fingerprint)
        if index.about.folder != wanted.folder:
            raise UserError(
                f"{place} is the index of {index.about.folder}, not of {wanted.folder}: name another place by --into, "
                "or make it of this folder with --again"
            )
        yield Writer(index, wanted.given or index.about.given)
    finally:
        lock.release()


def _line(name: str, entry: Entry | None) -> str:
    told = {"gone": True} if entry is None else {k: v for k, v in vars(entry).items() if v is not None}
    return json.dumps({"name": name, **told}, ensure_ascii=False) + "\n"


def _write_at(path: Path, at: int, content: bytes) -> None:
    """Let a file end with this, from that byte on, whatever a kill or a full disk left there."""
    with storage(path), path.open("r+b" if path.exists() else "w+b") as file:
        file.truncate(at)
        file.seek(at)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sample(index: Index, count: int = 64) -> Vectors:
    """Vectors that are there, spread over the index, as queries."""
    rows = np.unique(index.rows[index.rows >= 0])
    return np.array(index.vectors[rows[np.linspace(0, len(rows) - 1, count).astype(int)]])


def _sound(index: Index) -> bool:
    with suppress(UserError):
        return index.inverted_file is not None
    return False


def _sweep(place: Path, about: About) -> None:
    """Delete what an older generation, or a kill while one was written, has left."""
    kept = {f"files-{about.generation}.jsonl", f"vectors-{about.generation}.f32"}
    kept |= {about.inverted.file} if about.inverted else set()
    for path in place.iterdir():
        if OURS.fullmatch(path.name) and path.name not in kept:
            path.unlink(missing_ok=True)
