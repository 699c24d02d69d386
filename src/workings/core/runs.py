"""The write side of the run store: one folder a run, atomic, locked, resumable.

The store is ``$WORKINGS_HOME``, else the user's data folder. A `Recorder` is what an experiment writes to; it never
prints, decides or draws. How the files look is told in `workings.core.evidence`, the read side.
"""

import json
import math
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from workings.core.config import to_json
from workings.core.errors import RunBusy, UserError
from workings.core.evidence import (
    ARRAYS,
    CHECKPOINTS,
    METRICS_FILE,
    PICTURES,
    RUN_FILE,
    TABLES,
    Archive,
    Run,
    read_rows,
    recorded_runs,
)
from workings.core.files import replace_with, storage, write_atomic, write_json
from workings.core.study import Study, Trial

if TYPE_CHECKING:
    import numpy as np

LOCK_FILE = ".lock"


@dataclass
class Recorder:
    """What an experiment keeps of a run. Metrics are held until `flush`, everything else is written at once."""

    folder: Path
    inputs: Mapping[str, Run] = field(default_factory=dict)
    """The finished runs this one builds on, by role."""
    session: dict[str, Any] = field(default_factory=dict)
    """Provenance of this sitting; device and threads are wishes at first, and then what was really used."""
    _pending: list[dict[str, Any]] = field(default_factory=list)

    def metric(self, name: str, value: float, step: int = 0) -> None:
        """Note a number under a name; `step` counts epochs (or whatever the series runs over)."""
        number = float(value)  # JSON knows no NaN and no infinity: they are kept as words, which `float` reads
        self._pending.append({"name": name, "step": step, "value": number if math.isfinite(number) else str(number)})

    def array(self, name: str, value: "np.ndarray[Any, Any]") -> None:
        """Keep an array of any shape."""
        import numpy as np
        from safetensors.numpy import save

        contiguous = np.ascontiguousarray(value).reshape(np.shape(value))
        # Not by its own `save_file`, whose error on a full disk is no OSError.
        write_atomic(self.folder / ARRAYS / f"{name}.safetensors", save({"value": contiguous}))

    def table(self, name: str, rows: Any) -> None:
        """Keep rows, or any JSON."""
        write_json(self.folder / TABLES / f"{name}.json", rows)

    def picture(self, name: str, pixels: "np.ndarray[Any, Any]") -> None:
        """Keep a picture: uint8, ``[height, width]`` or ``[height, width, 3]``."""
        from PIL import Image

        image = Image.fromarray(pixels)
        replace_with(self.folder / PICTURES / f"{name}.png", lambda path: image.save(path, format="PNG"))

    def flush(self) -> None:
        """Bring the noted metrics to the disk."""
        if not self._pending:
            return
        path = self.folder / METRICS_FILE
        torn = path.is_file() and not path.read_bytes().endswith(b"\n")
        if torn:
            _write_rows(path, read_rows(path))
        with storage(path), path.open("a", encoding="utf-8") as file:
            file.write(_lines(self._pending))
            file.flush()
            os.fsync(file.fileno())
        self._pending.clear()

    def rewind(self, step: int) -> None:
        """Forget the metrics of later steps: the run resumes from a checkpoint of this step."""
        self._pending.clear()
        path = self.folder / METRICS_FILE
        rows = read_rows(path)
        if any(row["step"] > step for row in rows):
            _write_rows(path, [row for row in rows if row["step"] <= step])

    @property
    def checkpoints(self) -> Path:
        """The folder that belongs to the training floor."""
        return self.folder / CHECKPOINTS


@dataclass(frozen=True)
class RunStore:
    """All runs made on this machine."""

    root: Path

    @classmethod
    def default(cls) -> "RunStore":
        """``$WORKINGS_HOME``, else the user's data folder."""
        from platformdirs import user_data_path

        home = os.environ.get("WORKINGS_HOME")
        return cls(Path(home).expanduser().absolute() if home else user_data_path("workings", appauthor=False))

    def folder(self, study_id: str, run_id: str) -> Path:
        """Where a run lies."""
        return self.root / "runs" / study_id / run_id

    def read(self, trial: Trial) -> Run | None:
        """The run of a trial, finished or not; None where there is none."""
        folder = self.folder(trial.study.id, trial.id)
        return _readable(folder) if (folder / RUN_FILE).is_file() else None

    def runs(self, study_id: str) -> tuple[Run, ...]:
        """All runs of a study, finished or not, oldest first; an unreadable one is an error that names it."""
        found = [_readable(path.parent) for path in (self.root / "runs" / study_id).glob(f"*/{RUN_FILE}")]
        return tuple(sorted(found, key=lambda run: str(run.info.get("created"))))

    def archive(self, study: Study, *, fresh_only: bool = False) -> Archive:
        """The runs of a study: those made here, and those shipped with it."""
        shipped = () if fresh_only else recorded_runs(study)
        return Archive(study, self.runs(study.id) + shipped)

    def find(self, prefix: str, studies: Sequence[Study]) -> Run:
        """The run, fresh or recorded, whose id begins so; `UserError` where there is none or more than one."""
        hits = [run for study in studies for run in self.archive(study).runs if run.id.startswith(prefix)]
        fresh = {run.id: run for run in sorted(hits, key=lambda run: not run.recorded)}
        if len(fresh) != 1:
            many = f"{len(fresh)} runs begin so" if fresh else "no run begins so"
            raise UserError(f"{prefix!r} names no one run ({many}): `workings show STUDY` lists the runs of a study")
        return next(iter(fresh.values()))

    @contextmanager
    def write(
        self,
        trial: Trial,
        session: Mapping[str, Any],
        *,
        again: bool = False,
        target: int = 1,
        inputs: Mapping[str, Run] | None = None,
    ) -> Iterator[Recorder]:
        """Hold a run and record into it; on leaving without an exception it is finished at `target`.

        `RunBusy` where another process holds it, `UserError` at once where the store cannot be written.
        """
        folder = self.folder(trial.study.id, trial.id)
        with storage(self.root):
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / LOCK_FILE)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise RunBusy(
                    f"run {trial.id} ({trial.describe()}) is being written by another process: wait for it or stop it"
                ) from None
        try:
            with storage(self.root):
                if again:
                    _clear(folder)
                info = self._opened(trial, folder, session)
                write_json(folder / RUN_FILE, info)
                recorder = Recorder(folder, inputs or {}, info["sessions"][-1])
                started = time.monotonic()
            try:
                yield recorder
                recorder.flush()
                info["reached"] = target
            except UserError:
                if not _holds_work(folder):  # nothing was asked that can be done: leave no trace
                    shutil.rmtree(folder)
                raise
            finally:
                info["sessions"][-1]["seconds"] = round(time.monotonic() - started, 3)
                if folder.is_dir():
                    write_json(folder / RUN_FILE, info)
        finally:
            lock.release()

    def _opened(self, trial: Trial, folder: Path, session: Mapping[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        before = json.loads((folder / RUN_FILE).read_text(encoding="utf-8")) if (folder / RUN_FILE).is_file() else {}
        return {
            "id": trial.id,
            "study": trial.study.id,
            "version": trial.study.version,
            "config": to_json(trial.config),
            "datasets": {role: vars(dataset) for role, dataset in trial.datasets.items()},
            "inputs": dict(trial.inputs),
            "created": before.get("created", now),
            "reached": before.get("reached"),
            "sessions": [*before.get("sessions", []), {"started": now, **session}],
        }


def _readable(folder: Path) -> Run:
    try:
        return Run.read(folder, recorded=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{folder / RUN_FILE} cannot be read ({error}): mend it or delete its folder") from error


def _holds_work(folder: Path) -> bool:
    """Whether anything was recorded or checkpointed: a full disk is a `UserError` too, and must cost nothing."""
    return any(path.is_file() and path.name not in (RUN_FILE, LOCK_FILE) for path in folder.rglob("*"))


def _clear(folder: Path) -> None:
    """Empty a run's folder, the lock aside, which this process holds."""
    for path in folder.iterdir():
        if path.name == LOCK_FILE:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    write_atomic(path, _lines(rows).encode())


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
