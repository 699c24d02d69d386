"""Work done beforehand: in other processes, as far as it can be, and no failure of a worker's is heard."""

import os
from pathlib import Path

import joblib
import pytest

from workings.core.parallel import beforehand


def note(folder: Path, name: str) -> None:
    if name == "bad":
        raise ValueError("a worker's fault")
    (folder / name).write_text(f"{os.getpid()} {os.environ['WORKINGS_HOME']}")


def test_every_piece_is_done_elsewhere_with_todays_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    for day in ("one", "two"):  # workers outlive a call
        monkeypatch.setenv("WORKINGS_HOME", day)
        beforehand([(note, tmp_path, name) for name in ("a", "bad", "b")])
        told = {path.name: path.read_text().split() for path in tmp_path.iterdir()}
        assert told.keys() == {"a", "b"}
        assert all(process != str(os.getpid()) and home == day for process, home in told.values())


def test_a_single_piece_and_a_single_processor_are_left_to_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beforehand([(note, tmp_path, "a")])
    monkeypatch.setattr(joblib, "cpu_count", lambda: 1)
    beforehand([(note, tmp_path, "a"), (note, tmp_path, "b")])
    assert not list(tmp_path.iterdir())
