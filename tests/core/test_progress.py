"""Progress: lines with the time left where there is no terminal, a bar where there is one."""

import io
import sys
from types import SimpleNamespace

import pytest

from workings.core import progress
from workings.core.progress import PLAIN_INTERVAL, meter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that stands still until it is told the time."""
    hand = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: hand.now))
    return hand


def test_a_line_now_and_then_tells_how_far_and_how_long_still(
    clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    with meter("speller", total=100) as bar:
        for _ in range(25):
            clock.now += PLAIN_INTERVAL / 10
            bar.advance()
    printed = capsys.readouterr()
    assert printed.out == ""
    # A second a step: after 2 s nobody should wait in the dark, then every 10 s.
    assert printed.err.splitlines() == [
        "speller: 2 of 100, 98 s left",
        "speller: 12 of 100, 88 s left",
        "speller: 22 of 100, 78 s left",
    ]


def test_the_time_left_is_reckoned_from_this_session_s_steps_alone(
    clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    with meter("speller", total=100, done=90) as bar:
        bar.note("loss 0.5")
        clock.now += 20.0
        bar.advance(5)
    assert capsys.readouterr().err == "speller: 95 of 100, 20 s left loss 0.5\n"


def test_short_work_prints_nothing(clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    with meter("speller", total=3) as bar:
        for _ in range(3):
            bar.advance()
    assert capsys.readouterr().err == ""


def test_on_a_terminal_a_bar_shows_title_count_and_note(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    with meter("speller", total=8, done=3) as bar:
        bar.advance(2)
        bar.note("loss 0.5")
    for part in ("speller", "5/8", "loss 0.5"):
        assert part in terminal.getvalue()


def test_bytes_are_told_in_megabytes(clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    with meter("archive", total=40_000_000, size=True) as bar:
        clock.now += 4.0
        bar.advance(10_000_000)
    assert capsys.readouterr().err == "archive: 10.0 of 40.0 MB, 12 s left\n"


def test_one_that_is_silent_says_nothing(clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    with meter("speller", total=100, silent=True) as bar:
        clock.now += 60.0
        bar.advance(50)
        bar.note("loss 0.5")
    assert capsys.readouterr().err == ""
