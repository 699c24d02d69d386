"""A table of one's own: comma-separated numbers, and the label in the last column."""

import csv
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import UserError

LARGEST = 1 << 28
"""Bytes of a file at most."""


def read_table(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    """Points (n, d), labels (n,), and the classes that labels number; none where the labels are numbers themselves.

    A first line that holds no numbers is a heading. `UserError` names the line that cannot be read.
    """
    rows = _rows(path)
    if rows and not any(_is_number(cell) for cell in rows[0][1]):
        rows = rows[1:]
    if not rows or len(rows[0][1]) < 2:
        raise UserError(f"{path} holds no table: give lines of numbers parted by commas, the label in the last column")
    width = len(rows[0][1])
    points = np.empty((len(rows), width - 1))
    for index, (line, cells) in enumerate(rows):
        if len(cells) != width:
            raise UserError(
                f"{path}, line {line} has {len(cells)} columns, the first has {width}: give each row as many"
            )
        bad = next((cell for cell in cells[:-1] if not _is_number(cell)), None)
        if bad is not None:
            raise UserError(f"{path}, line {line} holds {bad[:40]!r}: give finite numbers, and the label last")
        points[index] = [float(cell) for cell in cells[:-1]]
    words = [cells[-1] for _, cells in rows]
    if all(_is_number(word) for word in words):
        return points, np.array([float(word) for word in words]), ()
    if "" in words:
        raise UserError(f"{path}, line {rows[words.index('')][0]} has no label: give one in the last column")
    classes = tuple(sorted(set(words)))
    number = {name: float(index) for index, name in enumerate(classes)}
    return points, np.array([number[word] for word in words]), classes


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Lines that hold anything, each with its number."""
    if not path.is_file():
        raise UserError(f"{path} is no file: give a .csv, or pictures")
    if path.stat().st_size > LARGEST:
        raise UserError(f"{path} is larger than {LARGEST >> 20} MB: give a part of it")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(enumerate(csv.reader(file), 1))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as comma-separated text ({error})") from None
    return [
        (number, [cell.strip() for cell in cells]) for number, cells in lines if any(cell.strip() for cell in cells)
    ]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
