"""Rows and matrices as a person types them: ``1, 2`` and ``0 0 0; -1 3 -1; 0 0 0``.

Numbers are parted by spaces or commas, rows by semicolons; a fraction such as 1/9 is a number too.
"""

import math
from fractions import Fraction

from workings.core.errors import UserError

LONGEST = 10_000
"""Numbers in one matrix at most: more belongs in a file."""


def row(text: str, name: str) -> tuple[float, ...]:
    """The numbers of one row; `name` says in errors what the person typed."""
    rows = matrix(text, name)
    if len(rows) != 1:
        raise UserError(f'{name} is {_short(text)}: write one row of numbers, as in "1, 2"')
    return rows[0]


def matrix(text: str, name: str) -> tuple[tuple[float, ...], ...]:
    """The rows of a matrix, all of one length and finite; `name` says in errors what the person typed."""
    cells = [line.replace(",", " ").split() for line in text.split(";")]
    if len({len(line) for line in cells}) != 1 or not cells[0]:
        raise UserError(
            f'{name} is {_short(text)}: write rows of numbers of equal length, parted by semicolons, as in "2 0; 0 3"'
        )
    if sum(map(len, cells)) > LONGEST:
        raise UserError(f"{name} holds {sum(map(len, cells)):,} numbers: {LONGEST:,} at most can be typed")
    return tuple(tuple(_number(cell, name) for cell in line) for line in cells)


def _number(cell: str, name: str) -> float:
    try:
        number = float(Fraction(cell)) if "/" in cell else float(cell)
    except (ValueError, ZeroDivisionError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{name} holds {_short(cell)}: give finite numbers, such as -1, 0.5 or 1/9")
    return number


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")
