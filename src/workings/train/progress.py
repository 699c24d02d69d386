"""A bar with the time left on a terminal, a line now and then elsewhere; both on standard error.

Of several processes that train together, only the first shows anything.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from workings.train.launch import launch

PLAIN_INTERVAL = 10.0
"""Seconds between lines where there is no terminal."""


class Meter(Protocol):
    """What a long piece of work tells how far it is."""

    def advance(self, steps: int = 1) -> None:
        """So many steps are done."""

    def note(self, text: str) -> None:
        """What to show beside the bar from now on."""


@contextmanager
def meter(title: str, total: int, done: int = 0) -> Iterator[Meter]:
    """Show progress through `total` steps, of which `done` were made in earlier sessions."""
    if launch().rank:
        yield _Silent()
        return
    if not sys.stderr.isatty():
        yield _Plain(title, total, done)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, completed=done, note="")

        class _Bar:
            def advance(self, steps: int = 1) -> None:
                progress.advance(task, steps)

            def note(self, text: str) -> None:
                progress.update(task, note=text)

        yield _Bar()


class _Silent:
    """Nothing."""

    def advance(self, steps: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class _Plain:
    """Lines at intervals, for logs."""

    def __init__(self, title: str, total: int, done: int) -> None:
        self.title, self.total, self.done, self.start = title, total, done, done
        self.text = ""
        self.began = self.shown = time.monotonic()

    def advance(self, steps: int = 1) -> None:
        self.done += steps
        now = time.monotonic()
        if now - self.shown >= PLAIN_INTERVAL:
            self.shown = now
            left = (now - self.began) / (self.done - self.start) * (self.total - self.done)
            line = f"{self.title}: {self.done}/{self.total}, {left:.0f} s left {self.text}"
            print(line.rstrip(), file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        self.text = text
