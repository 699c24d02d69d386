"""The run store: atomic, locked, resumable, and clear about what is wrong with it."""

import errno
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from toy.study import STUDY, Config
from workings.core.errors import MissingEvidence, RunBusy, UserError
from workings.core.evidence import METRICS_FILE, RUN_FILE, Run, read_rows
from workings.core.files import storage, write_json
from workings.core.runs import LOCK_FILE, Recorder, RunStore
from workings.core.study import Trial

SESSION = {"device": "cpu"}
TRIAL = Trial.of(STUDY, Config())


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    (tmp_path / "run").mkdir()
    return Recorder(tmp_path / "run")


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: a disk that is full, and as real for root."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def ends_in(error: type[BaseException], match: str | None = None) -> Iterator[None]:
    """What is recorded before the error belongs to the case."""
    with pytest.raises(error, match=match) as told:
        yield
    assert "\n" not in str(told.value)


def finished(store: RunStore, trial: Trial = TRIAL) -> Run:
    run = store.read(trial)
    assert run is not None
    return run


# What a run keeps


def test_what_is_recorded_can_be_read(store: RunStore) -> None:
    with store.write(TRIAL, SESSION, target=2) as recorder:
        for epoch, value in enumerate([3.0, 2.5], start=1):
            recorder.metric("test/cer", value, epoch)
        recorder.array("deep/grid", np.arange(6.0).reshape(2, 3).T)
        recorder.array("scalar", np.float32(7))
        recorder.table("rows", [{"η": 0.1}])
        recorder.picture("grey", np.zeros((2, 3), np.uint8))
        recorder.picture("colour", np.zeros((2, 3, 3), np.uint8))
    run = finished(store)
    assert run.series("test/cer") == [(1, 3.0), (2, 2.5)]
    assert run.metric("test/cer") == 2.5
    assert run.metrics == {"test/cer": 2.5}
    np.testing.assert_array_equal(run.array("deep/grid"), [[0, 3], [1, 4], [2, 5]])
    assert run.array("scalar").shape == ()
    assert run.table("rows") == [{"η": 0.1}]
    assert run.names("pictures") == ["colour", "grey"]
    assert run.picture("grey").is_file()
    assert (run.id, run.study, run.version, run.reached) == (TRIAL.id, "toy", 1, 2)
    assert run.datasets["fruit"]["id"] == "apples"
    assert run.config == {"task": "measure", "gain": 1.0, "data": "apples", "seed": 0, "epochs": 2}
    assert run.sessions[0]["device"] == "cpu"
    assert run.sessions[0]["seconds"] >= 0


def test_what_is_not_there_is_missing_evidence(store: RunStore) -> None:
    with store.write(TRIAL, SESSION):
        pass
    run = finished(store)
    for look in (run.metric, run.array, run.table, run.picture):
        with pytest.raises(MissingEvidence, match="'nothing'"):
            look("nothing")


def test_no_file_tells_where_or_as_whom_it_was_made(store: RunStore) -> None:
    with store.write(TRIAL, SESSION):
        pass
    assert str(store.root) not in (finished(store).folder / RUN_FILE).read_text()


# Torn and repeated metrics


@pytest.mark.parametrize("cut", [1, 3, 12, 25])
def test_a_torn_last_line_is_passed_over_and_mended(recorder: Recorder, cut: int) -> None:
    recorder.metric("error", 1.0, 1)
    recorder.metric("error", 2.0, 2)
    recorder.flush()
    path = recorder.folder / METRICS_FILE
    path.write_bytes(path.read_bytes()[:-cut])
    kept = read_rows(path)
    assert [row["step"] for row in kept] == ([1, 2] if cut == 1 else [1])
    recorder.metric("error", 3.0, 3)
    recorder.flush()
    assert read_rows(path) == [*kept, {"name": "error", "step": 3, "value": 3.0}]
    assert path.read_bytes().count(b"\n") == len(kept) + 1


def test_a_line_torn_within_a_letter_is_passed_over(recorder: Recorder) -> None:
    path = recorder.folder / METRICS_FILE
    path.write_bytes(b'{"name": "a", "step": 0, "value": 1.0}\n' + '{"name": "η'.encode()[:-1])
    assert [row["name"] for row in read_rows(path)] == ["a"]


def test_a_line_broken_elsewhere_is_not(recorder: Recorder) -> None:
    path = recorder.folder / METRICS_FILE
    path.write_text('{"name": \n{"name": "a", "step": 0, "value": 1.0}\n')
    with pytest.raises(ValueError, match="Expecting value"):
        read_rows(path)


@pytest.mark.parametrize("name", ["λ", "a\u2028b", "a\nb", "a\x85b"])
def test_a_metric_may_have_any_name(recorder: Recorder, name: str) -> None:
    recorder.metric(name, 1.0)
    recorder.flush()
    assert [row["name"] for row in read_rows(recorder.folder / METRICS_FILE)] == [name]


def test_rewinding_forgets_later_steps_alone(recorder: Recorder) -> None:
    for step in (1, 2, 3):
        recorder.metric("error", float(step), step)
    recorder.flush()
    recorder.metric("error", 4.0, 4)
    recorder.rewind(2)
    recorder.flush()
    assert [row["step"] for row in read_rows(recorder.folder / METRICS_FILE)] == [1, 2]


def test_of_a_step_noted_twice_the_later_note_counts(store: RunStore) -> None:
    with store.write(TRIAL, SESSION) as recorder:
        for step, value in [(1, 5.0), (2, 9.0), (1, 6.0)]:
            recorder.metric("error", value, step)
    assert finished(store).series("error") == [(1, 6.0), (2, 9.0)]


# Sessions


def test_an_interrupted_run_is_not_finished_and_keeps_what_it_had(store: RunStore) -> None:
    with ends_in(KeyboardInterrupt), store.write(TRIAL, SESSION) as recorder:
        recorder.metric("error", 1.0, 1)
        recorder.flush()
        raise KeyboardInterrupt
    run = finished(store)
    assert run.reached is None
    assert run.metrics == {"error": 1.0}


def test_a_lengthened_run_keeps_its_length_until_it_has_the_new_one(store: RunStore) -> None:
    with store.write(TRIAL, SESSION, target=2):
        pass
    with pytest.raises(KeyboardInterrupt), store.write(TRIAL, SESSION, target=4):
        raise KeyboardInterrupt
    assert finished(store).reached == 2
    with store.write(TRIAL, SESSION, target=4):
        pass
    assert finished(store).reached == 4
    assert len(finished(store).sessions) == 3


def test_again_starts_from_nothing(store: RunStore) -> None:
    with store.write(TRIAL, SESSION) as recorder:
        recorder.metric("error", 1.0)
        recorder.table("rows", [])
        write_json(recorder.checkpoints / "state.json", 3)
    with store.write(TRIAL, SESSION, again=True) as recorder:
        assert sorted(p.name for p in recorder.folder.iterdir()) == [LOCK_FILE, RUN_FILE]
    assert finished(store).metrics == {}
    assert len(finished(store).sessions) == 1


def test_what_cannot_be_done_at_all_leaves_no_trace(store: RunStore) -> None:
    with pytest.raises(UserError, match="no such game"), store.write(TRIAL, SESSION):
        raise UserError("no such game")
    assert store.read(TRIAL) is None
    assert store.runs("toy") == ()


def test_a_users_mistake_found_late_costs_no_checkpoint(store: RunStore) -> None:
    with ends_in(UserError), store.write(TRIAL, SESSION) as recorder:
        write_json(recorder.checkpoints / "state.json", 3)
        raise UserError("found after three epochs")
    assert json.loads((store.folder("toy", TRIAL.id) / "checkpoints" / "state.json").read_text()) == 3


# Locks


def test_a_second_process_is_told_at_once_that_the_run_is_busy(store: RunStore) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom toy.study import STUDY, Config\n"
        "from workings.core.runs import RunStore\nfrom workings.core.study import Trial\n"
        "with RunStore(Path(sys.argv[1])).write(Trial.of(STUDY, Config()), {}):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store.root)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        started = time.monotonic()
        with (
            pytest.raises(RunBusy, match=rf"^run {TRIAL.id} \(toy\(\)\) is being written by another process: wait"),
            store.write(TRIAL, SESSION),
        ):
            pass
        assert time.monotonic() - started < 1
        with store.write(Trial.of(STUDY, Config(seed=1)), SESSION):
            pass  # another run is free
        first.communicate("")
    assert first.returncode == 0
    with store.write(TRIAL, SESSION):
        pass


def test_a_killed_process_leaves_no_lock(store: RunStore) -> None:
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom toy.study import STUDY, Config\n"
        "from workings.core.runs import RunStore\nfrom workings.core.study import Trial\n"
        "with RunStore(Path(sys.argv[1])).write(Trial.of(STUDY, Config()), {}) as recorder:\n"
        "    recorder.metric('error', 1.0, 1)\n"
        "    recorder.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = os.pathsep.join(sys.path)
    subprocess.run(
        [sys.executable, "-c", program, str(store.root)], env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert finished(store).reached is None
    assert finished(store).metrics == {"error": 1.0}
    with store.write(TRIAL, SESSION):
        pass
    assert finished(store).reached == 1


# A store that cannot be written


def test_a_file_where_the_store_should_be(home: Path) -> None:
    home.write_text("a file")
    with ends_in(UserError, rf"^cannot write to {home}.*WORKINGS_HOME"), RunStore(home).write(TRIAL, SESSION):
        pytest.fail("the experiment must not begin")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_we_may_not_write(store: RunStore, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Root may write everywhere, so the refusal is put where the system would give it."""

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(UserError, match=os.strerror(code)), store.write(TRIAL, SESSION):
        pytest.fail("the experiment must not begin")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights(home: Path) -> None:
    home.mkdir(mode=0o500)
    with pytest.raises(UserError, match="Permission denied"), RunStore(home).write(TRIAL, SESSION):
        pytest.fail("the experiment must not begin")


@pytest.mark.parametrize("kind", ["array", "table", "metric", "picture"])
def test_a_full_disk_is_one_line_and_what_was_finished_is_safe(store: RunStore, kind: str) -> None:
    with store.write(TRIAL, SESSION) as recorder:
        recorder.array("grid", np.ones(4))
        recorder.table("rows", [1])
        recorder.metric("error", 1.0)
        recorder.picture("noise", np.ones((2, 2), np.uint8))
    noise = np.random.default_rng(0).integers(256, size=(64, 64)).astype(np.uint8)
    too_much: dict[str, Callable[[Recorder], object]] = {
        "array": lambda recorder: recorder.array("grid", np.ones(1000)),
        "table": lambda recorder: recorder.table("rows", list(range(1000))),
        "picture": lambda recorder: recorder.picture("noise", noise),
        "metric": lambda recorder: [recorder.metric("other", 1.0, step) for step in range(1000)] and recorder.flush(),
    }
    with ends_in(UserError, "cannot write to .*large"), store.write(TRIAL, SESSION) as recorder, file_limit(2_000):
        too_much[kind](recorder)
    run = finished(store)
    assert run.reached == 1
    assert run.array("grid").tolist() == [1, 1, 1, 1]
    assert run.table("rows") == [1]
    assert run.series("error") == [(0, 1.0)]
    assert run.picture("noise").stat().st_size < 200
    assert not list(run.folder.rglob("*.tmp"))


def test_a_disk_that_fills_up_in_the_first_session_costs_no_checkpoint(store: RunStore) -> None:
    with ends_in(UserError, "cannot write"), store.write(TRIAL, SESSION) as recorder:
        write_json(recorder.checkpoints / "state.json", 3)
        with storage(recorder.folder):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert (store.folder("toy", TRIAL.id) / "checkpoints" / "state.json").is_file()


# Reading


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_an_unreadable_run_is_named(store: RunStore, content: str) -> None:
    with store.write(TRIAL, SESSION):
        pass
    path = store.folder("toy", TRIAL.id) / RUN_FILE
    path.write_text(content)
    with pytest.raises(UserError, match=f"{path} cannot be read .*delete its folder"):
        store.runs("toy")
    with pytest.raises(UserError, match=f"{path} cannot be read .*delete its folder"):
        store.read(TRIAL)


def test_runs_are_found_by_the_beginning_of_their_id(store: RunStore) -> None:
    trials = [Trial.of(STUDY, Config(seed=seed)) for seed in range(3)]
    for trial in trials:
        with store.write(trial, SESSION):
            pass
    assert store.find(trials[1].id[:8], [STUDY]).id == trials[1].id
    with pytest.raises(UserError, match="no run begins so"):
        store.find("x", [STUDY])
    with pytest.raises(UserError, match="3 runs begin so"):
        store.find("", [STUDY])


def test_the_store_is_where_the_environment_says(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert RunStore.default().root == home
    monkeypatch.setenv("WORKINGS_HOME", "~/somewhere")
    assert RunStore.default().root == Path.home() / "somewhere"
    monkeypatch.delenv("WORKINGS_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    if sys.platform == "linux":
        assert RunStore.default().root == home / "workings"
