"""A reader sees the old file or the new one, whatever happens to the writer."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workings.core.errors import UserError
from workings.core.files import replace_with, storage, write_atomic, write_json


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.json"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert listing(path.parent) == ["run.json"]


@pytest.mark.parametrize("accident", [RuntimeError("a bug"), KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
def test_a_writer_that_fails_midway_leaves_the_old_file(tmp_path: Path, accident: BaseException) -> None:
    path = tmp_path / "weights"
    write_atomic(path, b"old")

    def half(temporary: Path) -> None:
        temporary.write_bytes(b"ne")
        raise accident

    told = UserError if isinstance(accident, OSError) else type(accident)  # a failing disk is told in one line
    with pytest.raises(told):
        replace_with(path, half)
    assert path.read_bytes() == b"old"
    assert listing(tmp_path) == ["weights"]


def test_a_kill_midway_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    write_atomic(path, b"old")
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom workings.core.files import replace_with\n"
        "def half(temporary):\n"
        "    temporary.write_bytes(b'ne')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "replace_with(Path(sys.argv[1]), half)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, order = tmp_path / "run.json", []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append(path.exists()), fsync(handle))[1])
    write_atomic(path, b"new")
    assert order == [False, True]  # the content before the rename, the folder after it


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_that_no_other_reader_knows_is_refused(tmp_path: Path, number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "table.json", [number])
    assert listing(tmp_path) == []


def test_a_failing_disk_is_told_in_one_line() -> None:
    with (
        pytest.raises(UserError, match=r"^cannot write to /store: No space left.*make room.*WORKINGS_HOME") as told,
        storage(Path("/store")),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "\n" not in str(told.value)
