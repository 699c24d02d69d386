"""What one can do with studies, as functions that return dataclasses; the command line renders them.

Nothing here prints. Every mistake of the caller's is a `UserError`.
"""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workings.core.claim import Claim
from workings.core.errors import UserError, suggestion
from workings.core.evidence import RUN_FILE, Run, recorded_runs
from workings.core.files import storage
from workings.core.ledger import Finding, judge, select
from workings.core.registry import find, studies
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.execute.local import Notice, Options, carry_out

__all__ = ["check", "configure", "record", "run", "studies"]

RECORD_LIMIT = 2_000_000
"""Bytes of recorded evidence a study may ship, so that the package stays small."""
KEPT = ("run.json", "metrics.jsonl", "arrays", "tables", "pictures")
"""What is recorded of a run: everything but its weights."""


def configure(study: Study, preset: str | None = None, **fields: Any) -> list[Any]:
    """A preset's configurations, or the default one, with these fields changed."""
    known = {f.name for f in dataclasses.fields(study.config)}
    for name in fields:
        if name not in known:
            raise UserError(f"{study.id} has no field {name!r}{suggestion(name, known)}: {', '.join(sorted(known))}")
    base = study.preset(preset) if preset else [study.config()]
    return list(dict.fromkeys(dataclasses.replace(config, **fields) for config in base))


def run(study_id: str, *, preset: str | None = None, options: Options | None = None, **fields: Any) -> list[Run]:
    """Carry out a study's trials (a preset's, or the default one) with these fields changed; finished ones are read."""
    study = find(study_id)
    return [o.run for o in carry_out(study, configure(study, preset, **fields), RunStore.default(), options)]


def check(
    *selectors: str,
    run: bool = False,
    preset: str | None = None,
    fresh: bool = False,
    options: Options | None = None,
    notice: Notice | None = None,
) -> list[Finding]:
    """The verdicts on the claims that the selectors name (everything, without any).

    Instant trials that are missing are carried out. With `run`, so are those of `preset` ("quick" by default), which
    may train networks. `fresh` leaves recorded evidence aside.
    """
    store = RunStore.default()
    known = studies()
    chosen = select(known, selectors)
    if preset is not None and not run:
        raise UserError(f"preset {preset!r} says what to run: add --run (run=True in Python)")
    findings: list[Finding] = []
    for study_id, claims in chosen.items():
        findings += _check_study(
            known[study_id], claims, store, (preset or "quick") if run else None, fresh, options, notice
        )
    return findings


def _check_study(
    study: Study,
    claims: Sequence[Claim],
    store: RunStore,
    preset: str | None,
    fresh: bool,
    options: Options | None,
    notice: Notice | None,
) -> list[Finding]:
    wanted = [*(study.instant() if study.instant else ()), *(study.preset(preset) if preset else ())]
    carry_out(study, wanted, store, options, notice)
    return judge(store.archive(study, fresh_only=fresh), claims)


def record(run_ids: Sequence[str], *, into: Path | None = None) -> list[Path]:
    """Copy finished runs, weights aside, into their slices' ``evidence/``, to be shipped with the package.

    An older run of the same trial gives way; `UserError` where a run is unfinished, or the folder would grow too large.
    """
    store = RunStore.default()
    written = []
    for run_id in run_ids:
        found = store.find(run_id, list(studies().values()))
        if found.recorded:
            raise UserError(f"run {found.id} is recorded already")
        if found.reached is None:
            raise UserError(f"run {found.id} is not finished: `workings run {found.study}` with its settings goes on")
        study = find(found.study)
        if found.version != study.version:
            raise UserError(f"run {found.id} is of version {found.version} of {study.id}, which is now {study.version}")
        written.append(_record(found, study, into or Path(str(study.file("evidence")))))
    return written


def _record(found: Run, study: Study, folder: Path) -> Path:
    with storage(folder):
        fresh, destination = folder / f".{found.id}.tmp", folder / found.id
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for name in KEPT:
            origin = found.folder / name
            if origin.is_dir():
                shutil.copytree(origin, fresh / name)
            elif origin.is_file():
                shutil.copy2(origin, fresh / name)
        others = [p for p in folder.rglob("*") if p.is_file() and destination not in p.parents]
        size = sum(path.stat().st_size for path in others)
        if size > RECORD_LIMIT:
            shutil.rmtree(fresh)
            raise UserError(
                f"{folder} would hold {size:,} bytes, more than {RECORD_LIMIT:,}: record fewer runs or keep less"
            )
        shutil.rmtree(destination, ignore_errors=True)
        fresh.rename(destination)
    for stale in recorded_runs(study):
        if stale.version != study.version and stale.folder.parent == folder:
            shutil.rmtree(stale.folder)
    assert (destination / RUN_FILE).is_file()
    return destination
