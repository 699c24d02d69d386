"""What the verbs give back: data for programs, and a table for people."""

from dataclasses import dataclass
from pathlib import Path

from workings.data.archives import printable
from workings.studies.clip.search.finding import Hit, listed

WIDEST = 32
"""Characters of a file's name in a table."""


@dataclass(frozen=True)
class Found:
    """The pictures that answer a query, best first."""

    query: str
    index: str
    folder: str
    model: str
    pictures: int
    """Of how many."""
    hits: tuple[Hit, ...]
    gone: tuple[str, ...]
    """Files that would be among them and are there no longer."""
    recall: float | None
    """Where not every picture was compared: the share of the ten nearest that such a search finds."""
    seconds: float
    """Of the search alone, the model aside."""
    output: str | None = None

    @property
    def told(self) -> str:
        """How it was found, in a line."""
        how = (
            f", approximate: such a search finds {self.recall:.1%} of the ten nearest"
            if self.recall is not None
            else ""
        )
        return f"{len(self.hits):,} of {self.pictures:,} pictures, by {self.model}{how}"

    def __str__(self) -> str:
        lines = [f"rank  similar  file below {printable(self.folder)}", *map(str, self.hits)]
        if not self.hits:
            lines = ["no picture is left to be found"]
        if self.gone:
            many = f"{listed(self.gone)} {'is' if len(self.gone) == 1 else 'are'} gone since"
            lines.append(f"{many}: `workings use clip index {printable(self.folder)}` brings the index up to date")
        return "\n".join([*lines, self.told, *([f"sheet: {self.output}"] if self.output else [])])


@dataclass(frozen=True)
class Guess:
    """A label, and how likely the model takes it to be."""

    label: str
    probability: float


@dataclass(frozen=True)
class Classified:
    """One picture, its labels by probability."""

    photo: str
    guesses: tuple[Guess, ...]

    def __str__(self) -> str:
        name = printable(Path(self.photo).name)
        short = name if len(name) <= WIDEST else f"…{name[1 - WIDEST :]}"
        return f"{short:{WIDEST}}  " + "  ".join(f"{guess.label} {guess.probability:.1%}" for guess in self.guesses)


@dataclass(frozen=True)
class AllClassified:
    """All of them, and what looked."""

    model: str
    templates: tuple[str, ...]
    photos: tuple[Classified, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.photos))


@dataclass(frozen=True)
class Exported:
    """A model directory."""

    folder: str
    model: str
    fingerprint: str
    dimensions: int
    size: int
    files: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.folder}: {self.model}; {', '.join(self.files)}"
