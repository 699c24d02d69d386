"""An index brought up to date with its folder: only what is new or changed is opened, only new content is embedded.

Every `SHARD` pictures, or `SECONDS`, what is done is committed; a kill costs no more than that, and the next start goes
on from there.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workings.core.errors import Interrupted, UserError
from workings.core.progress import meter
from workings.data.archives import printable
from workings.data.decoding import Decoded, Pixels
from workings.studies.clip.search.folder import Fault, Scan, examine, scan
from workings.studies.clip.search.index import VERSION, About, Entry
from workings.studies.clip.search.vectors import FLAT, Vectors
from workings.studies.clip.search.writer import Writer, written

if TYPE_CHECKING:
    from workings.studies.clip.embedder import Embedder

BATCH = 64
"""Pictures embedded together."""
SHARD, SECONDS = 256, 5.0
"""Pictures, and time, after which is committed: a tenth of a second's work, or that which a person can bear to lose."""
NAMED = 12
"""Broken files named in a terminal; all of them are in the result."""
KINDS = ("added", "changed", "moved", "removed", "unchanged")
"""What may have become of a file."""
SUBJECTS = ("a dog", "two children", "a red car", "people at a table", "a mountain", "a white boat", "food", "a crowd")
PLACES = (
    "in the snow",
    "on the beach",
    "at night",
    "in a city",
    "in front of a house",
    "on green grass",
    "indoors",
    "",
)
"""Everyday sentences, by which it is measured what an inverted file finds."""


@dataclass(frozen=True)
class Indexed:
    """What became of an index."""

    folder: str
    index: str
    model: str
    pictures: int
    """Files that can be searched."""
    added: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    broken: tuple[Fault, ...]
    """Files that cannot be used, those known from before among them."""
    embedded: int
    """Pictures that went through the model."""
    seconds: float
    recall: Mapping[str, float] | None
    """Where searches are approximate: the share of the ten nearest that they find."""

    def __str__(self) -> str:
        told = ", ".join(f"{getattr(self, kind):,} {kind}" for kind in KINDS if getattr(self, kind)) or "nothing"
        lines = [
            f"{self.pictures:,} pictures of {printable(self.folder)} can be searched ({told}; {self.seconds:.1f} s)",
            f"index: {self.index}",
            f"model: {self.model}",
        ]
        if self.recall:
            found = ", ".join(f"{share:.1%} asked by {kind}" for kind, share in self.recall.items())
            lines.append(f"searches are approximate: of the ten nearest they find {found}")
        if self.broken:
            lines.append(f"{len(self.broken):,} cannot be used:")
            lines += [f"  {fault}" for fault in self.broken[:NAMED]]
            lines += [f"  and {len(self.broken) - NAMED:,} more (--json names all)"] if len(self.broken) > NAMED else []
        return "\n".join(lines)


@dataclass
class _Batch:
    """What is decoded and not committed."""

    waiting: list[Pixels] = field(default_factory=list)
    vectors: list[Vectors] = field(default_factory=list)
    changes: dict[str, Entry | None] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)

    @property
    def pictures(self) -> int:
        return len(self.waiting) + sum(map(len, self.vectors))


class Update:
    """One bringing up to date; the counts are right at any moment."""

    def __init__(self, writer: Writer, folder: Path, found: Scan, model: "Embedder") -> None:
        self.writer, self.folder, self.found, self.model = writer, folder, found, model
        known = writer.entries
        self.gone = found.gone(known)
        self.missing = {entry.sha256 for name in self.gone if (entry := known[name]).row is not None}
        self.rows = {entry.sha256: entry.row for entry in known.values() if entry.row is not None}
        self.due = [name for name, stamp in found.files.items() if name not in known or _stamp(known[name]) != stamp]
        self.counts = dict.fromkeys(KINDS, 0)
        self.counts["unchanged"] = sum(known[n].row is not None for n in found.files.keys() - set(self.due))
        self.faults = list(found.faults)
        self.embedded = 0
        self.batch = _Batch()

    def carry_out(self) -> None:
        """Open what is new or changed, embed what is unknown, forget what is gone."""
        sizes = {entry.size for entry in self.writer.entries.values()}
        done = 0
        try:
            with meter(f"indexing {printable(self.folder.name)}", len(self.due)) as progress:
                for name, decoded in self._examined(sizes):
                    self._take(name, decoded)
                    done += 1
                    progress.advance()
        except KeyboardInterrupt:
            self._commit()
            raise Interrupted(
                f"stopped: {done:,} of {len(self.due):,} files are done and kept; the same command goes on"
            ) from None
        self._commit()
        self.counts["removed"] = len(self.gone) - self.counts["moved"]
        self.writer.commit(_none(self.model), dict.fromkeys(self.gone))

    def _examined(self, sizes: set[int]) -> Iterator[tuple[str, Decoded]]:
        return examine(self.folder, self.due, self.rows, sizes, self.model.size)

    def _take(self, name: str, decoded: Decoded) -> None:
        before, stamp = self.writer.entries.get(name), self.found.files[name]
        if decoded.fault:
            self.faults.append(Fault(name, decoded.fault))
            if decoded.digest:
                self.batch.changes[name] = Entry(*stamp, decoded.digest, fault=decoded.fault)
            elif before:  # not even read, and perhaps readable tomorrow without having changed: it is not remembered
                self.batch.changes[name] = None
            return
        self._count(before, decoded.digest)
        row = self.rows.get(decoded.digest)
        if row is None:
            assert decoded.pixels is not None
            row = self.rows[decoded.digest] = self.writer.rows + self.batch.pictures
            self.batch.waiting.append(decoded.pixels)
        self.batch.changes[name] = Entry(*stamp, decoded.digest, row)
        if len(self.batch.waiting) >= BATCH:
            self._embed()
        if self.batch.pictures >= SHARD or time.monotonic() - self.batch.since > SECONDS:
            self._commit()

    def _count(self, before: Entry | None, digest: str) -> None:
        if before is not None:
            self.counts["unchanged" if before.sha256 == digest else "changed"] += 1
        elif digest in self.missing:
            self.missing.discard(digest)
            self.counts["moved"] += 1
        else:
            self.counts["added"] += 1

    def _embed(self) -> None:
        if not self.batch.waiting:
            return
        made = np.asarray(self.model.pictures(np.stack(self.batch.waiting)), dtype=np.float32)
        if made.shape != (len(self.batch.waiting), self.model.dimensions) or not np.isfinite(made).all():
            raise UserError(f"{self.model.name} makes no finite vectors of these pictures: choose another model")
        self.embedded += len(made)
        self.batch.vectors.append(made)
        self.batch.waiting.clear()

    def _commit(self) -> None:
        self._embed()
        self.writer.commit(np.concatenate([_none(self.model), *self.batch.vectors]), self.batch.changes)
        self.batch = _Batch()


def update(folder: Path, place: Path, model: "Embedder", given: str | None = None, *, again: bool = False) -> Indexed:
    """Bring the index of a folder up to date, or make it; `UserError` where that cannot be, before anything is done."""
    began = time.monotonic()
    folder = folder.expanduser().absolute()
    found = scan(folder)
    if not found.files:
        why = f" that can be used ({'; '.join(map(str, found.faults[:3]))})" if found.faults else ""
        raise UserError(
            f"{folder} holds no pictures{why}: name one of photographs. An index made of it before is left as it is"
        )
    about = About(VERSION, model.name, model.fingerprint, given, model.dimensions, str(folder))
    with written(place, about, again=again) as writer:
        work = Update(writer, folder, found, model)
        work.carry_out()
        writer.finish(_sentences(model) if writer.rows > FLAT else {})
        known = [Fault(name, e.fault) for name, e in writer.entries.items() if e.fault is not None]
        fresh = {fault.file for fault in work.faults}
        return Indexed(
            folder=str(folder),
            index=str(place),
            model=model.name,
            pictures=writer.about.pictures,
            added=work.counts["added"],
            changed=work.counts["changed"],
            moved=work.counts["moved"],
            removed=work.counts["removed"],
            unchanged=work.counts["unchanged"],
            broken=tuple(sorted([*work.faults, *(fault for fault in known if fault.file not in fresh)])),
            embedded=work.embedded,
            seconds=round(time.monotonic() - began, 3),
            recall=writer.about.inverted.recall if writer.about.inverted else None,
        )


def _sentences(model: "Embedder") -> dict[str, Vectors]:
    return {"sentences": model.texts([f"{subject} {place}".strip() for subject in SUBJECTS for place in PLACES])}


def _stamp(entry: Entry) -> tuple[int, int]:
    return entry.size, entry.mtime_ns


def _none(model: "Embedder") -> Vectors:
    return np.empty((0, model.dimensions), dtype=np.float32)
