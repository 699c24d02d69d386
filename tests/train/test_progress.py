"""Progress: lines with the time left where there is no terminal, a bar where there is one."""

import io
import sys
from types import SimpleNamespace

import pytest

from workings.train import progress
from workings.train.progress import PLAIN_INTERVAL, meter


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
    # A second a step: after 10 steps 90 s are left, after 20 steps 80.
    assert printed.err.splitlines() == ["speller: 10/100, 90 s left", "speller: 20/100, 80 s left"]


def test_the_time_left_is_reckoned_from_this_session_s_steps_alone(
    clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    with meter("speller", total=100, done=90) as bar:
        bar.note("loss 0.5")
        clock.now += 20.0
        bar.advance(5)
    assert capsys.readouterr().err == "speller: 95/100, 20 s left loss 0.5\n"


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
