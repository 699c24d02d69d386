"""A run as one archive: how it travels between machines, and what is asked of it on arrival.

A zip of the run's own files, not compressed (weights do not shrink), with the SHA-256 of each in `MANIFEST`. Nothing of
it is believed: names are checked as those of any archive are, every hash is compared, and the id is computed anew from
the configuration, data and inputs that the run itself states. Only then is it moved into the store, as a whole. This
finds damage and mistakes; against a node that means harm nothing helps, since a Ray cluster carries out code.
"""

import hashlib
import io
import json
import os
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from workings.core.config import from_json
from workings.core.errors import RunBusy, UserError
from workings.core.evidence import ARRAYS, CHECKPOINTS, METRICS_FILE, PICTURES, RUN_FILE, TABLES, Run
from workings.core.files import storage, write_atomic
from workings.core.runs import LOCK_FILE, RunStore
from workings.core.study import Dataset, Trial
from workings.data.archives import checked_zip, refusals

MANIFEST = "parcel.json"
"""SHA-256 by name; it travels, and is not kept."""
KINDS = (ARRAYS, TABLES, PICTURES, CHECKPOINTS)
RESUMING = "state-"
"""How the names of checkpoints begin that serve to go on; others are weights for use."""


def pack(folder: Path, *, resumable: bool = True) -> bytes:
    """The files of a run; an input needs none to go on from (``resumable=False``)."""
    hashes: dict[str, str] = {}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            wanted = resumable or not path.name.startswith(RESUMING)
            if path.is_file() and wanted and _belongs(name):
                content = path.read_bytes()
                hashes[name] = hashlib.sha256(content).hexdigest()
                file.writestr(zipfile.ZipInfo(name), content)
        file.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(hashes))
    return buffer.getvalue()


def adopt(parcel: bytes, trial: Trial, store: RunStore, *, reached: int | None = None) -> Run:
    """Put a run that came from elsewhere where one made here would lie; a `UserError` leaves the store as it was.

    It has to be finished at the length `reached`, where one is given, and takes the place of a shorter one.
    """
    arrived = store.root / "arriving" / f"{trial.id}.{os.getpid()}"
    with storage(store.root):
        try:
            _unpack(parcel, arrived)
            _verify(arrived, trial, reached)
            _move(arrived, store.folder(trial.study.id, trial.id), trial)
        except (zipfile.BadZipFile, TypeError, KeyError, ValueError, AttributeError) as error:
            raise _refused(f"it is no sound run ({type(error).__name__}: {error})") from None
        finally:
            shutil.rmtree(arrived, ignore_errors=True)
            with suppress(OSError):  # another one is arriving
                arrived.parent.rmdir()
    return Run.read(store.folder(trial.study.id, trial.id), recorded=False)


def _unpack(parcel: bytes, folder: Path) -> None:
    try:
        with refusals(Path("it")), zipfile.ZipFile(io.BytesIO(parcel)) as file:
            contents = {info.filename: file.read(info) for info in checked_zip(file, len(parcel))}
    except UserError as error:
        raise _refused(str(error).partition(";")[0]) from None
    listed = json.loads(contents.pop(MANIFEST))
    found = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    for name in sorted({*listed, *found}):
        if not _belongs(name):
            raise _refused(f"{name!r} is no file of a run")
        if listed.get(name) != found.get(name):
            raise _refused(f"{name!r} is not the file that was sent")
    for name, content in contents.items():
        write_atomic(folder / name, content)


def _belongs(name: str) -> bool:
    """Whether a run has files of such a name; hidden ones are locks and what is being written."""
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith(".") for part in parts)
    return name in (RUN_FILE, METRICS_FILE) or (len(parts) > 1 and parts[0] in KINDS and not hidden)


def _verify(folder: Path, trial: Trial, reached: int | None) -> None:
    """Compute the run's id from what it states, and compare it with that of the trial it is to be."""
    run = Run.read(folder, recorded=False)
    datasets = {role: Dataset(**stated) for role, stated in run.datasets.items()}
    own = Trial(trial.study, from_json(trial.study.config, run.config), datasets, run.info["inputs"])
    if not (own.id == run.id == trial.id and run.study == trial.study.id and run.version == trial.study.version):
        raise _refused(f"it calls itself {run.id}, what it states makes it {own.id}, and {trial.id} was asked for")
    if reached is not None and not (isinstance(run.reached, int) and run.reached >= reached):
        raise _refused(f"it went to {run.reached}, and {reached} was asked for")


def _move(arrived: Path, folder: Path, trial: Trial) -> None:
    """Into place at once where there is nothing; in the place of what nobody is writing, otherwise."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.exists():
        arrived.rename(folder)
        return
    before = arrived.with_suffix(".before")
    try:
        with FileLock(folder / LOCK_FILE, timeout=0):
            folder.rename(before)
            arrived.rename(folder)
    except Timeout:
        raise RunBusy(f"run {trial.id} ({trial.describe()}) is being written here by another process") from None
    shutil.rmtree(before, ignore_errors=True)


def _refused(reason: str) -> UserError:
    return UserError(f"what came back is refused: {reason}; the same command carries the trial out again")
