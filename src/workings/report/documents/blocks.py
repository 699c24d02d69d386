"""What a document is made of besides prose: claims, figures, cells, and notes on what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from workings.core.figure import FigureSpec
from workings.core.ledger import Finding
from workings.core.problem_set import HandIn


@dataclass(frozen=True)
class ClaimBlock:
    """A claim with its verdict, and its witness where it is refuted."""

    finding: Finding


@dataclass(frozen=True)
class FigureBlock:
    """A figure, drawn once for light pages and once for dark ones."""

    study: str
    spec: FigureSpec
    svg: dict[str, bytes] = field(hash=False)
    """By scheme."""

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.study}-{self.spec.id}"


@dataclass(frozen=True)
class Output:
    """What a cell gave: text, or a picture as PNG."""

    text: str = ""
    png: bytes = b""


@dataclass(frozen=True)
class CellBlock:
    """Code, what it gave, and the figure of the evidence that its last value has to equal."""

    code: str
    line: int
    gives: str = ""
    expected: Any = None
    outputs: Sequence[Output] = ()


@dataclass(frozen=True)
class MissingBlock:
    """Something the document cannot show yet, and the command that makes it (none where the study is still to come)."""

    what: str
    command: str | None


@dataclass(frozen=True)
class FieldBlock:
    """A line that the person who hands the document in fills in."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class ChecklistBlock:
    """What the sheet asks to hand in, and whether all of it is there."""

    items: tuple[tuple[HandIn, bool], ...]


Block: TypeAlias = ClaimBlock | FigureBlock | CellBlock | MissingBlock | FieldBlock | ChecklistBlock
