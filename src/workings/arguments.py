"""Flags from dataclasses and typed functions, by tyro; its errors become one line each.

What a person sees of a wrong flag is the value, what was expected, and where help is; tyro frames the same in a box of
ten lines, which is caught here and read.
"""

import contextlib
import functools
import io
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from workings.core.errors import UserError

T = TypeVar("T")

RULE = re.compile("[-─]{8}")
"""The lines that frame tyro's box and part it into title, message and advice."""
FRAME = " │|╭╮╰╯"


def parse(
    shape: type[T] | Callable[..., T], args: Sequence[str], *, prog: str, about: str = "", default: Any = None
) -> T:
    """Build a dataclass, or call a function, from flags. ``--help`` prints and exits; a mistake is a `UserError`."""
    import tyro

    caught = io.StringIO()
    given: dict[str, Any] = {} if default is None else {"default": default}
    words = as_tyro_reads(shape, args)
    try:
        with contextlib.redirect_stderr(caught):
            made = tyro.cli(_held(shape), args=words, prog=prog, description=about or None, **given)
    except SystemExit as stop:
        if not stop.code:
            raise
        raise UserError(f"{one_line(caught.getvalue())} (see {prog} --help)") from None
    result: T = made if isinstance(shape, type) else made()
    return result


def _held(shape: Callable[..., Any]) -> Callable[..., Any]:
    """A function that keeps its arguments until its warnings and progress have the terminal for themselves."""
    if isinstance(shape, type):
        return shape
    return functools.wraps(shape)(lambda *args, **kwargs: functools.partial(shape, *args, **kwargs))


def as_tyro_reads(shape: Callable[..., Any], args: Sequence[str]) -> list[str]:
    """The arguments with three liberties of a person's taken out.

    A flag of several values may be repeated (``--f A --f B`` is ``--f A B``), its numbers may be parted by commas
    (``--at 1,2`` is ``--at 1 2``), and a text may begin with a minus (``--f -x`` is ``--f=-x``).
    """
    hints = _flags(shape)
    read: list[str] = []
    several: dict[str, list[str]] = {}
    words = list(args)
    while words:
        flag, equals, value = words.pop(0).partition("=")
        hint = hints.get(flag.replace("_", "-"))
        if hint is None:
            read.append(flag + equals + value)
        elif get_origin(hint) is tuple:
            given = [value] if equals else []
            while words and not _is_flag(words[0], hints):
                given.append(words.pop(0))
            if str in get_args(hint):  # tyro takes a leading minus for a flag, a blank before it tells otherwise
                given = [f" {item}" if item.startswith("-") else item for item in given]
            else:
                given = [part for item in given for part in item.split(",") if part]
            if not given:
                raise UserError(f"missing value for {flag} (give one or more)")
            several.setdefault(flag, []).extend(given)
        elif hint is str and not equals and words and words[0].startswith("-") and not _is_flag(words[0], hints):
            read.append(f"{flag}={words.pop(0)}")
        else:
            read.append(flag + equals + value)
    return [*read, *(word for flag, given in several.items() for word in (flag, *given))]


def _flags(shape: Callable[..., Any]) -> dict[str, Any]:
    """The type behind each flag, by name and by alias."""
    flags: dict[str, Any] = {}
    for name, hint in get_type_hints(shape, include_extras=True).items():
        bare, marks = (get_args(hint)[0], get_args(hint)[1:]) if get_origin(hint) is Annotated else (hint, ())
        aliases = [alias for mark in marks for alias in getattr(mark, "aliases", None) or ()]
        flags |= dict.fromkeys((f"--{name.replace('_', '-')}", *aliases), bare)
    return flags


def _is_flag(word: str, hints: dict[str, Any]) -> bool:
    return word.partition("=")[0].replace("_", "-") in hints or bool(re.match("--[a-z]|-h$", word))


def one_line(box: str) -> str:
    """The message inside tyro's error box, without its title, frame and advice; the nearest option is kept."""
    lines = [line.strip(FRAME) for line in box.splitlines() if line.strip(FRAME)]
    sections: list[list[str]] = [[]]
    for line in lines:
        if RULE.search(line):
            sections.append([])
        else:
            sections[-1].append(line)
    message = " ".join(sections[1] if len(sections) > 1 else sections[0])
    near = next((s for s in sections if s and s[0].startswith("Perhaps you meant")), [])
    hint = f"; did you mean {near[1].split()[0]}?" if len(near) > 1 else ""
    return (message[:1].lower() + message[1:]).rstrip(".") + hint
