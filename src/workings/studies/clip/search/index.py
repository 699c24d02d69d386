"""An index of photographs on disk: plain files in one folder, which grow at their ends and are never half right.

    index.json          what this is: version, model, folder of the photographs, and the names of the files below
    files-0.jsonl       a line a file: name, size, mtime_ns, sha256, and its row of the vectors or its fault; of several
                        lines of one name the last counts, {"name": …, "gone": true} takes it out
    vectors-0.f32       the vectors, one after the other: little-endian float32, unit length
    inverted-….faiss    beyond 200,000 vectors, see `vectors`; where it is lost, it is made again

Vectors are written, flushed, and only then named by lines: what a kill leaves behind is a tail that no line names, or a
line without an end, and both are dropped. Rewriting makes files of another number, and `index.json`, replaced as a
whole, says which count. Of one picture under two names there is one vector.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from workings.core.errors import UserError
from workings.studies.clip.search import vectors as near
from workings.studies.clip.search.vectors import Inverted, Nearest, Rows, Vectors

VERSION = 1
INDEX_FILE = "index.json"
COLUMNS = ("name", "size", "mtime_ns", "sha256", "row", "fault", "gone")


@dataclass(frozen=True)
class Entry:
    """What is known of one file."""

    size: int
    mtime_ns: int
    sha256: str
    row: int | None = None
    """Where its vector is; None where the file is broken."""
    fault: str | None = None


@dataclass(frozen=True)
class About:
    """What `index.json` says."""

    version: int
    model: str
    fingerprint: str
    given: str | None
    """What finds the model again: a run's id, or a folder."""
    dimensions: int
    folder: str
    """The photographs."""
    generation: int = 0
    """The number in the files' names."""
    pictures: int = 0
    """Files with a vector, when the index was last finished."""
    broken: int = 0
    inverted: Inverted | None = None


class Index:
    """An index to search in: read at once, its vectors mapped. `UserError` where there is none, or it is damaged."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.about = _about(place)
        self.files = place / f"files-{self.about.generation}.jsonl"
        self.vectors_file = place / f"vectors-{self.about.generation}.f32"
        self._lines = _lines(self)
        self.last = _last(self._lines)
        """The lines that count."""
        rows = self._lines["row"].fill_null(-1).to_numpy()
        self.used = int(rows.max(initial=-1)) + 1
        self.rows: Rows = np.full(len(rows), -1)
        self.rows[self.last] = rows[self.last]
        """The row of each line, -1 where it has none or does not count."""
        self.vectors: Vectors = self._mapped()
        """(rows, dimensions)"""

    def _mapped(self) -> Vectors:
        shape = (self.used, self.about.dimensions)
        size = self.vectors_file.stat().st_size if self.vectors_file.is_file() else 0
        held = size // (4 * shape[1])
        if held < self.used or (self.about.pictures and not self.used):
            what = f"{self.vectors_file.name} holds {held:,} vectors, {self.files.name} names {self.used:,}"
            raise damaged(self.place, what)
        if not self.used:
            return np.empty(shape, dtype=np.float32)
        return np.asarray(np.memmap(self.vectors_file, dtype="<f4", mode="r", shape=shape))

    @cached_property
    def pictures(self) -> int:
        """Files that can be found."""
        return int((self.rows >= 0).sum())

    @cached_property
    def free(self) -> Rows:
        """Vectors of which no file is left."""
        idle = np.ones(self.used, dtype=bool)
        idle[self.rows[self.rows >= 0]] = False
        return np.flatnonzero(idle)

    def names_of(self, row: int) -> list[str]:
        """The files that show this picture."""
        return sorted(self._lines["name"][i].as_py() for i in np.flatnonzero(self.rows == row))

    def row_of(self, digest: str) -> int | None:
        """The row of a picture with these bytes."""
        import pyarrow.compute as compute

        at = np.flatnonzero(compute.equal(self._lines["sha256"], digest).fill_null(False).to_numpy())
        return next((int(row) for row in self.rows[at] if row >= 0), None)

    def nearest(self, queries: Vectors, k: int, without: Sequence[int] = ()) -> Nearest:
        """The nearest rows that have a file; see `vectors`."""
        inverted = self.inverted(k)
        none = np.union1d(self.free, np.array(without, dtype=np.int64)).astype(np.int64)
        k = min(k, self.used)
        if inverted is None:
            return near.exact(self.vectors, queries, k, none)
        return near.likely(self.inverted_file, inverted, self.vectors, queries, k, none)

    def inverted(self, k: int) -> Inverted | None:
        """What the k nearest are looked up in; None where all vectors are compared."""
        return self.about.inverted if k <= near.FEW else None

    @cached_property
    def inverted_file(self) -> Any:
        """It, as faiss maps it."""
        assert self.about.inverted is not None
        return near.mapped(self.place, self.about.inverted)

    def entries(self) -> dict[str, Entry]:
        """Every file that is known, broken ones among them."""
        lines = zip(*(column.to_pylist() for column in self._lines.take(self.last).columns), strict=True)
        return {name: Entry(*told) for name, *told, gone in lines if not gone}


def check_model(index: Index, name: str, fingerprint: str) -> None:
    """`UserError` where the index was made by another model: vectors of one mean nothing to another."""
    about = index.about
    if about.fingerprint != fingerprint:
        first = f"--model {about.given}" if about.given else "its model by --model"
        raise UserError(
            f"{index.place} was made with {about.model} [{about.fingerprint}], this is {name} [{fingerprint}]: "
            f"give {first}, or make the index anew with `workings use clip index {about.folder} --again --model …`"
        )


def damaged(place: Path, what: str) -> UserError:
    """The error of an index that cannot be followed."""
    return UserError(
        f"the index {place} is damaged ({what}); the photographs are untouched: `workings use clip index PHOTOS "
        "--again` makes it anew"
    )


def _about(place: Path) -> About:
    path = place / INDEX_FILE
    if not path.is_file():
        raise UserError(f"{place} holds no index: `workings use clip index PHOTOS` makes one")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["version"] != VERSION:
            raise UserError(
                f"{place} is an index of version {told['version']}, this program reads {VERSION}: make it anew with "
                "`workings use clip index PHOTOS --again`"
            )
        inverted = Inverted(**told.pop("inverted")) if told.get("inverted") else told.pop("inverted", None)
        about = About(**told, inverted=inverted)
        if min(about.dimensions, about.generation + 1) < 1:
            raise ValueError(f"{about.dimensions} dimensions")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged(place, f"{INDEX_FILE}: {error}") from None
    return about


def _lines(index: Index) -> Any:
    """The lines as a table of arrow; a last one without an end is dropped."""
    import pyarrow
    import pyarrow.json

    numbers = dict.fromkeys(("size", "mtime_ns", "row"), pyarrow.int64()) | {"gone": pyarrow.bool_()}
    schema = pyarrow.schema([(name, numbers.get(name, pyarrow.string())) for name in COLUMNS])
    size = whole_lines(index.files)
    if not size:
        return schema.empty_table()
    options = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    reading = pyarrow.json.ReadOptions(block_size=1 << 24)
    with pyarrow.memory_map(str(index.files)) as file:
        try:
            table = pyarrow.json.read_json(pyarrow.BufferReader(file.read_buffer(size)), reading, options)
        except pyarrow.ArrowInvalid as error:
            raise damaged(index.place, f"{index.files.name}: {str(error).partition(chr(10))[0][:100]}") from None
    if table["name"].null_count:
        raise damaged(index.place, f"{index.files.name}: a line without a name")
    return table


def _last(lines: Any) -> Rows:
    """Of each name the last line, in order."""
    numbered = lines.select(["name"]).append_column("at", [np.arange(len(lines))])
    return np.sort(numbered.group_by("name").aggregate([("at", "max")])["at_max"].to_numpy())


def whole_lines(path: Path) -> int:
    """Bytes up to the end of the last whole line."""
    size = path.stat().st_size if path.is_file() else 0
    if not size:
        return 0
    with path.open("rb") as file:
        at = size
        while at > 0:
            step = min(at, 1 << 16)
            file.seek(at - step)
            found = file.read(step).rfind(b"\n")
            if found >= 0:
                return at - step + found + 1
            at -= step
    return 0


assert {field.name for field in fields(Entry)} | {"name", "gone"} == set(COLUMNS)
