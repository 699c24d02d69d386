"""A problem set: one Markdown page that answers a sheet and types no figure; the report fills it in.

The page begins with front matter, TOML between two lines of ``+++``:

    title = "Homework 3"                    what the document is called
    document = "NYU ECE-7123, spring 2025"  the sheet that it answers
    questions = ["1a", "1b"]                anchors that the page must have, each a sub-question
    given = ["4", "50"]                     figures that the problem itself gives: prose may hold no others
    to_come = ["clip"]                      studies that the page names and that may not be built yet

    [words]                                 the most words that a section may hold
    7 = 350

    [fields]                                what the person who hands it in fills in
    collaborators = "Who worked with whom"

    [[hand_in]]                             what the sheet asks for, and the questions in which it is found
    item = "A notebook"
    where = ["1a"]
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources.abc import Traversable
from typing import Any

FENCE = "+++"


@dataclass(frozen=True)
class HandIn:
    """Something that the sheet asks to hand in, and the questions that hold it."""

    item: str
    where: tuple[str, ...]


@dataclass(frozen=True)
class ProblemSet:
    """A page and what it says of itself."""

    id: str
    path: Traversable
    title: str
    document: str = ""
    summary: str = ""
    questions: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    to_come: tuple[str, ...] = ()
    words: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    hand_in: tuple[HandIn, ...] = ()

    @classmethod
    def read(cls, id: str, path: Traversable) -> "ProblemSet":
        """Read a page's front matter; ValueError with what is wrong with it."""
        head, _ = _parts(id, path)
        try:
            data = tomllib.loads(head)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{id}: the front matter is no TOML ({error})") from None
        unknown = data.keys() - {*cls.__dataclass_fields__} - {"id", "path"}
        if unknown or "title" not in data:
            wrong = f"does not know {', '.join(sorted(unknown))}" if unknown else "needs a title"
            raise ValueError(f"{id}: the front matter {wrong}")
        items = tuple(HandIn(str(entry["item"]), tuple(entry.get("where", ()))) for entry in data.pop("hand_in", ()))
        return cls(id=id, path=path, hand_in=items, **{key: _frozen(value) for key, value in data.items()})

    @cached_property
    def text(self) -> str:
        """The page below its front matter."""
        return _parts(self.id, self.path)[1]

    @cached_property
    def first_line(self) -> int:
        """The number of the text's first line in the file, for messages."""
        return _parts(self.id, self.path)[0].count("\n") + 4


def _parts(id: str, path: Traversable) -> tuple[str, str]:
    head, fence, body = path.read_text(encoding="utf-8").removeprefix(f"{FENCE}\n").partition(f"\n{FENCE}\n")
    if not fence:
        raise ValueError(f"{id}: a page begins with front matter between two lines of {FENCE}")
    return head, body


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
