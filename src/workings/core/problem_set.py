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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources.abc import Traversable
from typing import Any

from workings.core.errors import UserError, suggestion

FENCE = "+++"


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _items(value: Any) -> bool:
    tables = isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
    return tables and all(isinstance(e.get("item"), str) and _texts(e.get("where", [])) for e in value)


def _table(value: Any, kind: type) -> bool:
    return isinstance(value, dict) and all(type(entry) is kind for entry in value.values())


KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("title", "document", "summary"), ("a text", lambda value: isinstance(value, str))),
    **dict.fromkeys(("questions", "given", "to_come"), ('a list of texts, as in ["1a", "1b"]', _texts)),
    "words": ("a table of whole numbers, as in 7 = 350", lambda value: _table(value, int)),
    "fields": ('a table of texts, as in collaborators = "Who"', lambda value: _table(value, str)),
    "hand_in": ("tables, each with a text called item and perhaps a list of texts called where", _items),
}
"""What may stand in the front matter."""


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
        """Read a page's front matter; a `UserError` names the page and what is wrong with it."""
        head, _ = _parts(id, path)
        try:
            data = tomllib.loads(f"\n{head}")  # below the fence, so that messages name the right line
        except tomllib.TOMLDecodeError as error:
            raise UserError(f"{id}: the front matter is no TOML: {error}") from None
        for key, value in data.items():
            if key not in KINDS:
                raise UserError(
                    f"{id}: the front matter does not know {key}{suggestion(key, KINDS)}: it knows {', '.join(KINDS)}"
                )
            kind, fits = KINDS[key]
            if not fits(value):
                raise UserError(f"{id}: in the front matter {key} is {value!r}: give {kind}")
        if "title" not in data:
            raise UserError(f'{id}: the front matter needs a title, as in title = "Homework"')
        items = tuple(HandIn(entry["item"], tuple(entry.get("where", ()))) for entry in data.pop("hand_in", ()))
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
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark before the first letter
    except OSError as error:
        raise UserError(f"{id}: its page {path} cannot be read ({error.strerror or error}): put it there") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{id}: its page {path} is no UTF-8 text (byte {error.start}): save it as UTF-8") from None
    head, fence, body = text.removeprefix(f"{FENCE}\n").partition(f"\n{FENCE}\n")
    if not fence or not text.startswith(FENCE):
        raise UserError(f"{id}: a page begins with front matter between two lines of {FENCE}")
    return head, body


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
