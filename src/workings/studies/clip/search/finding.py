"""Which index is meant, and which of its files answer a query."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from workings.core.errors import UserError
from workings.core.runs import RunStore
from workings.data.archives import printable
from workings.studies.clip.search.index import INDEX_FILE, Index
from workings.studies.clip.search.vectors import Vectors

NAMED = 5
"""Files named in one line; the rest is counted."""


@dataclass(frozen=True)
class Hit:
    """A picture that answers a query."""

    rank: int
    similarity: float
    """Inner product of the two vectors, at most 1."""
    file: str
    """Below the index's folder."""
    copies: tuple[str, ...] = ()
    """Files with the same bytes."""

    def __str__(self) -> str:
        also = f"  (and {len(self.copies)} with the same bytes)" if self.copies else ""
        return f"{self.rank:4}  {self.similarity:6.3f}  {printable(self.file)}{also}"


def home() -> Path:
    """Where indexes lie, unless a person says otherwise: never among the photographs."""
    return RunStore.default().root / "indexes"


def place_of(photos: Path) -> Path:
    """Where the index of a folder lies: named after the folder's path."""
    path = str(photos.expanduser().resolve())
    return home() / hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def choose(index: Path | None, photos: Path | None) -> Index:
    """The index of that place, or of that folder, or the only one here; several are listed by a `UserError`."""
    if index is not None and photos is not None:
        raise UserError("give --index or --photos, not both")
    if index is not None:
        return Index(index.expanduser())
    if photos is not None:
        place = place_of(photos)
        if not (place / INDEX_FILE).is_file():
            raise UserError(
                f"{photos} has no index: `workings use clip index {photos}` makes one (--index names one elsewhere)"
            )
        return Index(place)
    places = sorted(path.parent for path in home().glob(f"*/{INDEX_FILE}"))
    if not places:
        raise UserError("there is no index here: `workings use clip index PHOTOS` makes one")
    if len(places) > 1:
        raise UserError(f"there are {len(places)} indexes, name one by --photos: {'; '.join(map(_told, places))}")
    return Index(places[0])


def _told(place: Path) -> str:
    try:
        about = Index(place).about
    except UserError:
        return f"{place} (damaged)"
    return f"{about.folder} ({about.pictures:,} pictures)"


def find(index: Index, query: Vectors, top: int, without: tuple[int, ...] = ()) -> tuple[list[Hit], list[str]]:
    """The nearest pictures to one vector, and files that would be among them and are gone."""
    folder, wanted = Path(index.about.folder), top
    while True:
        hits: list[Hit] = []
        gone: list[str] = []
        nearest = index.nearest(query[None], wanted, without)
        for row, similarity in zip(nearest.rows[0].tolist(), nearest.similarities[0].tolist(), strict=True):
            names = index.names_of(row) if row >= 0 and len(hits) < top else []
            there = [name for name in names if (folder / name).is_file()]
            gone += [name for name in names if name not in there]
            if there:
                hits.append(Hit(len(hits) + 1, round(similarity, 4), there[0], tuple(there[1:])))
        if len(hits) == top or wanted >= index.used:
            return hits, gone
        wanted *= 2


def listed(names: list[str] | tuple[str, ...]) -> str:
    """The first few of many, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(map(printable, names[:NAMED])) + (f" and {more:,} more" if more > 0 else "")
