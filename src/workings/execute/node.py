"""What a node of a cluster does: one trial, in a private store of its own, from an errand that names everything.

Needs no Ray. The study is found by its id and has to be the same code; data are the node's own, fetched where they can
be; runs that the trial builds on come along. A trial that was broken off here goes on from its checkpoint.
"""

import hashlib
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from filelock import FileLock

from workings.core.config import from_json, source_fields
from workings.core.errors import RunBusy, UserError
from workings.core.evidence import METRICS_FILE, read_rows, target
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.core.study import Study, Trial
from workings.data import catalogue
from workings.execute.local import Options, carry_out_one
from workings.execute.parcel import adopt, pack

FLOORS = ("core", "data", "execute", "expressions", "nn", "train")
"""What numbers depend on, besides the slice; pages and commands may differ."""
KEPT = 7 * 24 * 3600
"""Seconds that a run stays on a node after its last change, for a retry and for an answer that was lost."""
PATIENCE = 60.0
"""Seconds to wait for a run that another process holds: one of a node that was killed lets go within moments."""


@dataclass(frozen=True, kw_only=True)
class Errand:
    """One trial, in words that mean the same on every machine."""

    study: str
    code: tuple[str, int, str]
    """Version of workings, version of the study, and a hash of both their sources."""
    config: Mapping[str, Any]
    trial: str
    """The id that was computed where it comes from."""
    datasets: Mapping[str, str]
    """Content, by role."""
    inputs: Sequence[Mapping[str, Any]]
    """Configurations of the runs that come along."""
    begun: tuple[int, bytes] | None
    """The same run as far as it got before, where it did, and how far that is."""
    options: Options
    command: str


def code(study: Study) -> tuple[str, int, str]:
    """What has to be the same wherever a trial is carried out."""
    return version("workings"), study.version, _sources(study.package)


def carry(errand: Errand, node: str, parcels: Sequence[bytes]) -> bytes:
    """Carry an errand out and pack the run; a `UserError` says what is wrong here."""
    study = _same_code(errand)
    config = from_json(study.config, errand.config)
    store = RunStore(RunStore.default().root / "cluster" / socket.gethostname())
    store.root.mkdir(parents=True, exist_ok=True)
    with FileLock(store.root / ".lock"):  # two trials may want the same data or the same input
        _tidy(store)
        trial = _with_its_data(study, config, errand)
        for words, parcel in zip(errand.inputs, parcels, strict=True):
            _bring(Trial.of(study, from_json(study.config, words)), parcel, store)
        if errand.begun and steps(store, trial) < errand.begun[0]:
            adopt(errand.begun[1], trial, store)
    said = {"command": errand.command, "node": node}
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return pack(carry_out_one(study, config, store, errand.options, said=said).run.folder)
        except RunBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def _same_code(errand: Errand) -> Study:
    try:
        study = find(errand.study)
    except UserError as error:
        raise UserError(f"the study is not installed there ({error}); install the same packages there") from None
    names = ("version of workings", f"version of {errand.study}", "source code (by its hash)")
    for name, there, here in zip(names, code(study), errand.code, strict=True):
        if there != here:
            raise UserError(f"its {name} is {there}, and here it is {here}: install the same code there")
    return study


@cache
def _sources(package: str) -> str:
    """A hash of the slice's Python and of the floors it stands on."""
    digest = hashlib.sha256()
    for root in (*(files("workings") / floor for floor in FLOORS), files(package)):
        for name, path in sorted(_modules(root, root.name)):
            digest.update(f"{name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _modules(folder: Traversable, name: str) -> list[tuple[str, Traversable]]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _modules(entry, f"{name}/{entry.name}")
        elif entry.name.endswith(".py"):
            found.append((f"{name}/{entry.name}", entry))
    return found


def _with_its_data(study: Study, config: Any, errand: Errand) -> Trial:
    """The trial on this node's own data, which have to be those it was asked for on."""
    named = {role: str(getattr(config, name)) for name, role in source_fields(config).items()}
    try:
        try:
            trial = Trial.of(study, config)
        except UserError:
            fetchable = {entry.id for entry in catalogue.entries() if entry.download} & {*named.values()}
            if not fetchable:
                raise
            for dataset in sorted(fetchable):
                catalogue.get(dataset)
            trial = Trial.of(study, config)
    except UserError as error:
        raise UserError(f"it lacks the data {', '.join(map(repr, named.values()))}: {error} (on that node)") from None
    for role, found in trial.datasets.items():
        if found.content != errand.datasets.get(role):
            raise UserError(
                f"under {found.id!r} it has other data (content {found.content}, here "
                f"{errand.datasets.get(role)}): put the same files there"
            )
    if trial.id != errand.trial:
        raise UserError(f"the trial is {trial.id} there and {errand.trial} here: install the same packages there")
    return trial


def _bring(needed: Trial, parcel: bytes, store: RunStore) -> None:
    """Unpack an input, unless it is there."""
    run, length = store.read(needed), target(needed.config)
    if run is None or (run.reached or 0) < length:
        adopt(parcel, needed, store, reached=length)


def steps(store: RunStore, trial: Trial) -> int:
    """How far a run got in a store; 0 where it never began."""
    rows = read_rows(store.folder(trial.study.id, trial.id) / METRICS_FILE)
    return max((int(row["step"]) for row in rows), default=0)


def _tidy(store: RunStore) -> None:
    """Forget runs that nobody touched for long."""
    for folder in store.root.glob("runs/*/*"):
        if time.time() - max(path.stat().st_mtime for path in (folder, *folder.rglob("*"))) > KEPT:
            shutil.rmtree(folder, ignore_errors=True)
