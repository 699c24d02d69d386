"""What a run's page shows beside its settings: courses of metrics, first rows of tables, pictures, shapes of arrays."""

import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workings.core.evidence import ARRAYS, PICTURES, TABLES, Run
from workings.report.formatting import slug, value

ROWS = 12
"""Rows of a table that a page shows: enough to see what is in it; the run's folder has all."""
CELL = 80
"""Characters of a cell: a matrix in a row of a table is not read here."""
WIDTH, HEIGHT, MARGIN = 160.0, 34.0, 3.0
"""Size of a course in CSS pixels, and the room its end points need."""
POINTS = 200
"""Points of a course: more than its width in pixels would not be seen."""


@dataclass(frozen=True)
class Course:
    """One metric over the steps of a run."""

    name: str
    first: tuple[int, float]
    last: tuple[int, float]
    line: tuple[tuple[float, float], ...]
    """Points of the curve in pixels; none where there is but one finite value."""

    @property
    def told(self) -> str:
        """The curve for those who cannot see it."""
        (start, before), (end, after) = self.first, self.last
        way = "falls" if after < before else "rises" if after > before else "stays"
        return f"{self.name} {way} from {value(before)} at step {value(start)} to {value(after)} at step {value(end)}"


def courses(run: Run) -> Iterator[Course]:
    """Every metric of a run by name."""
    for name in sorted(run.metrics):
        series = run.series(name)
        yield Course(name, series[0], series[-1], curve([(s, v) for s, v in series if math.isfinite(v)]))


def curve(series: Sequence[tuple[int, float]]) -> tuple[tuple[float, float], ...]:
    """Steps and values as points of a box of `WIDTH` by `HEIGHT`; a series without steps runs over its index."""
    if len(series) < 2:
        return ()
    values = [v for _, v in series]
    steps = [s for s, _ in series] if len({s for s, _ in series}) > 1 else list(range(len(series)))
    low, high, start, end = min(values), max(values), min(steps), max(steps)
    every = math.ceil(len(series) / POINTS)
    kept = [*range(0, len(series) - 1, every), len(series) - 1]
    height = HEIGHT - 2 * MARGIN

    def point(at: int) -> tuple[float, float]:
        along = (steps[at] - start) / (end - start)
        up = (values[at] - low) / (high - low) if high > low else 0.5
        return round(MARGIN + along * (WIDTH - 2 * MARGIN), 1), round(MARGIN + (1 - up) * height, 1)

    return tuple(point(at) for at in kept)


@dataclass(frozen=True)
class Sheet:
    """The beginning of a table."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


def sheets(run: Run) -> Iterator[Sheet]:
    """The tables of a run, whatever JSON they hold."""
    for name in run.names(TABLES):
        yield tabulate(name, run.table(name))


def tabulate(name: str, content: Any) -> Sheet:
    """Rows of objects by key, rows of lists by position, an object as its entries, anything else as one cell."""
    if isinstance(content, Mapping):
        rows = [(str(key), _cell(entry)) for key, entry in content.items()]
        return Sheet(name, ("name", "value"), tuple(rows[:ROWS]), len(rows))
    rows_in = list(content) if isinstance(content, list) else [content]
    shown = rows_in[:ROWS]
    if shown and all(isinstance(row, Mapping) for row in shown):
        head = tuple(dict.fromkeys(str(key) for row in shown for key in row))
        body = tuple(tuple(_cell(row.get(key)) for key in head) for row in shown)
        return Sheet(name, head, body, len(rows_in))
    cells = [tuple(map(_cell, row)) if isinstance(row, list) else (_cell(row),) for row in shown]
    width = max(map(len, cells), default=1)
    body = tuple(row + ("",) * (width - len(row)) for row in cells)
    return Sheet(name, tuple(str(n) for n in range(1, width + 1)), body, len(rows_in))


def _cell(item: Any) -> str:
    text = value(item)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


def pictures(run: Run, folder: Path, prefix: str) -> Iterator[tuple[str, str]]:
    """Copy a run's pictures into ``folder``; name and file name of each."""
    for name in run.names(PICTURES):
        file = f"{prefix}-{slug(name)}.png"
        shutil.copyfile(run.picture(name), folder / file)
        yield name, file


def arrays(run: Run) -> Iterator[tuple[str, str]]:
    """Name and shape of each array of a run."""
    for name in run.names(ARRAYS):
        yield name, " × ".join(map(str, run.array(name).shape)) or "a number"
