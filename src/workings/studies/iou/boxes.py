"""Boxes in files of a person's own: CSV or JSON, corners, corner and size, or rotated; every fault with its line.

A CSV file may begin with a line of column names, in any order; without one the columns are the four (or five) numbers
of the format, then score, label and image, as many as there are. JSON is a list of such rows, or of objects with these
names. Numbers are finite, and boxes are not inverted: in a file that is a mistake, most often another format.
"""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workings.core.errors import UserError, suggestion

Format = Literal["xyxy", "xywh", "rotated"]
COLUMNS: Mapping[Format, tuple[str, ...]] = {
    "xyxy": ("x1", "y1", "x2", "y2"),
    "xywh": ("x", "y", "w", "h"),
    "rotated": ("cx", "cy", "w", "h", "angle"),
}
"""The numbers of each format: opposite corners; lower corner and size; centre, size and angle in degrees."""
EXTRA = ("score", "label", "image")
MOST = 1_000_000
"""Boxes in a file at most: a matching holds them all in memory."""
LARGEST = 1e100
"""Of numbers in a file, either way: areas stay within float64."""


@dataclass(frozen=True)
class Detection:
    """A box as it stands in a file."""

    line: int
    """In the file; for JSON, the number of the entry."""
    box: tuple[float, ...]
    """x1, y1, x2, y2; or cx, cy, w, h and the angle in radians."""
    score: float | None
    label: str
    image: str


def read(path: Path, format: Format) -> list[Detection]:
    """All boxes of a file, or a `UserError` that names file and line."""
    try:
        text = path.expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UserError(f"cannot read {path}: {reason}; give a .csv or .json file of boxes") from None
    kind = path.suffix.lower()
    if kind not in (".csv", ".json"):
        raise UserError(f"{path} is neither .csv nor .json: name the file by what it holds")
    found: list[Detection] = []
    for line, cells in _json(text, path, format) if kind == ".json" else _csv(text, path, format):
        if len(found) == MOST:
            raise UserError(f"{path} holds more than {MOST:,} boxes: split it, by image for example")
        found.append(_detection(cells, f"{path}, {'entry' if kind == '.json' else 'line'} {line}", line, format))
    return found


def _csv(text: str, path: Path, format: Format) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    names: Sequence[str] | None = None
    try:
        for cells in rows:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if names is None:
                names = _header(cells, path, format)
                if names is not None:
                    continue
                names = (*COLUMNS[format], *EXTRA)
            yield rows.line_num, _named(cells, names, f"{path}, line {rows.line_num}")
    except csv.Error as error:
        raise UserError(f"{path}, line {rows.line_num}: {error}; give a table with commas") from None


def _header(cells: list[str], path: Path, format: Format) -> tuple[str, ...] | None:
    """The names of the columns, or None where the first line is data."""
    names = tuple(cell.lower() for cell in cells)
    wanted = COLUMNS[format]
    if not set(names) & {*EXTRA, *(name for columns in COLUMNS.values() for name in columns)}:
        return None
    missing = [name for name in wanted if name not in names]
    unknown = [name for name in names if name not in (*wanted, *EXTRA)]
    if missing or unknown or len(set(names)) < len(names):
        fault = f"lacks {missing[0]}" if missing else f"names {unknown[0]!r}" if unknown else "names a column twice"
        raise UserError(
            f"{path}, line 1 {fault}: the columns of {format} are {','.join(wanted)}[,{'][,'.join(EXTRA)}] "
            "(--boxes chooses the format)"
        )
    return names


def _json(text: str, path: Path, format: Format) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no JSON: {error}") from None
    if not isinstance(rows, list):
        raise UserError(f"{path} holds no list: give a list of rows or of objects, one a box")
    names = (*COLUMNS[format], *EXTRA)
    for number, row in enumerate(rows, start=1):
        where = f"{path}, entry {number}"
        if isinstance(row, dict):
            for name in row:
                if name not in names:
                    raise UserError(f"{where} has a field {name!r}{suggestion(name, names)}: {', '.join(names)}")
            yield number, row
        elif isinstance(row, list):
            yield number, _named(row, names, where)
        else:
            raise UserError(f"{where} is {str(row)[:40]!r}: give a row of numbers or an object")


def _named(cells: Sequence[Any], names: Sequence[str], where: str) -> dict[str, Any]:
    if len(cells) > len(names):
        raise UserError(f"{where} has {len(cells)} columns: {len(names)} at most, {','.join(names)}")
    return dict(zip(names, cells, strict=False))


def _detection(cells: Mapping[str, Any], where: str, line: int, format: Format) -> Detection:
    box = tuple(_number(cells, name, where, format) for name in COLUMNS[format])
    if format == "xyxy":
        for axis, low, high in (("x", box[0], box[2]), ("y", box[1], box[3])):
            if high < low:
                raise UserError(
                    f"{where}: {axis}2 = {high:g} is below {axis}1 = {low:g}: give the lower corner first, or say "
                    "--boxes xywh if these are corner and size"
                )
    elif min(box[2:4]) < 0:
        raise UserError(f"{where}: a side is {min(box[2:4]):g}: width and height are 0 or more")
    if format == "xywh":
        box = (box[0], box[1], box[0] + box[2], box[1] + box[3])
    elif format == "rotated":
        box = (*box[:4], math.radians(box[4]))
    scored = cells.get("score") not in (None, "")
    label, image = ("" if cells.get(name) is None else str(cells[name]) for name in ("label", "image"))
    return Detection(line, box, _number(cells, "score", where, format) if scored else None, label, image)


def _number(cells: Mapping[str, Any], name: str, where: str, format: Format) -> float:
    if cells.get(name) in (None, ""):
        raise UserError(f"{where} has no {name}: a box in {format} is {','.join(COLUMNS[format])}")
    cell = cells[name]
    try:
        number = math.nan if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not abs(number) <= LARGEST:
        raise UserError(f"{where}: {name} is {str(cell)[:40]!r}: give a finite number, up to {LARGEST:g}")
    return number
