"""How far a long piece of work is: a bar with the time left on a terminal, a line now and then elsewhere.

Both on standard error, and only for what takes longer than `SILENT` seconds, so that standard output stays clean.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

SILENT = 2.0
"""Seconds that a person waits without being told why."""
PLAIN_INTERVAL = 10.0
"""Seconds between lines where there is no terminal."""


class Meter(Protocol):
    """What a long piece of work tells how far it is."""

    def advance(self, more: int = 1) -> None:
        """So much more is done."""

    def note(self, text: str) -> None:
        """What to show beside the bar from now on."""


@contextmanager
def meter(title: str, total: int, done: int = 0, *, size: bool = False, silent: bool = False) -> Iterator[Meter]:
    """Show progress through `total` steps (bytes, where it is a `size`), of which `done` were made in earlier sessions.

    A `silent` one shows nothing: of several processes at one piece of work, the first speaks for all.
    """
    if silent:
        yield _Silent()
        return
    if not sys.stderr.isatty():
        yield _Plain(title, total, done, size)
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
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, completed=done, note="")

        class _Bar:
            def advance(self, more: int = 1) -> None:
                progress.advance(task, more)

            def note(self, text: str) -> None:
                progress.update(task, note=text)

        yield _Bar()


class _Silent:
    """Nothing."""

    def advance(self, more: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class _Plain:
    """Lines at intervals, for logs."""

    def __init__(self, title: str, total: int, done: int, size: bool) -> None:
        self.title, self.total, self.done, self.start, self.size = title, total, done, done, size
        self.text = ""
        self.began = time.monotonic()
        self.next = self.began + SILENT

    def advance(self, more: int = 1) -> None:
        self.done += more
        now = time.monotonic()
        if now >= self.next and self.done > self.start:
            self.next = now + PLAIN_INTERVAL
            left = max(0.0, (now - self.began) / (self.done - self.start) * (self.total - self.done))
            far = f"{self.done / 1e6:.1f} of {self.total / 1e6:.1f} MB"
            counted = far if self.size else f"{self.done:,} of {self.total:,}"
            print(f"{self.title}: {counted}, {left:.0f} s left {self.text}".rstrip(), file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        self.text = text
