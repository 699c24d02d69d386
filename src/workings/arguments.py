"""Flags from dataclasses and typed functions, by tyro; its errors become one line each.

What a person sees of a wrong flag is the value, what was expected, and where help is; tyro frames the same in a box of
ten lines, which is caught here and read.
"""

import contextlib
import io
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

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
    try:
        with contextlib.redirect_stderr(caught):
            result: T = tyro.cli(shape, args=list(args), prog=prog, description=about or None, **given)
            return result
    except SystemExit as stop:
        if not stop.code:
            raise
        raise UserError(f"{one_line(caught.getvalue())} (see {prog} --help)") from None


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
