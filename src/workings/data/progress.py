"""How far a download or the reading of many pictures is: a bar on a terminal, a line now and then elsewhere.

Both on standard error, and only for what takes longer than `SILENT` seconds.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SILENT = 2.0
"""Seconds that a person waits without being told why."""
PLAIN_INTERVAL = 10.0
"""Seconds between lines where there is no terminal."""

Advance = Callable[[int], None]


@contextmanager
def bar(title: str, total: int, done: int = 0, *, size: bool = False) -> Iterator[Advance]:
    """Yield a function that says so much more is done, of `total`; in bytes where it is a `size`."""
    if not sys.stderr.isatty():
        yield _plain(title, total, done, size)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    counts = (DownloadColumn(), TransferSpeedColumn()) if size else (MofNCompleteColumn(),)
    columns = (TextColumn("{task.description}"), BarColumn(), *counts, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total, completed=done)
        yield lambda more: progress.advance(task, more)


def _plain(title: str, total: int, done: int, size: bool) -> Advance:
    began = time.monotonic()
    state = {"at": done, "next": began + SILENT}

    def advance(more: int) -> None:
        state["at"] += more
        now = time.monotonic()
        if now >= state["next"] and state["at"] > done:
            state["next"] = now + PLAIN_INTERVAL
            left = (now - began) / (state["at"] - done) * (total - state["at"])
            counted = f"{state['at'] / 1e6:.1f} of {total / 1e6:.1f} MB" if size else f"{state['at']:,} of {total:,}"
            print(f"{title}: {counted}, {max(left, 0):.0f} s left", file=sys.stderr, flush=True)

    return advance
