"""What one can do with studies, as functions that return dataclasses; the command line renders them.

Nothing here prints. Every mistake of the caller's is a `UserError`.
"""

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workings.core.claim import Claim
from workings.core.errors import UserError, suggestion
from workings.core.evidence import PICTURES, Run, recorded_runs
from workings.core.files import storage, write_atomic
from workings.core.ledger import Finding, judge, select
from workings.core.parallel import beforehand
from workings.core.registry import find, find_set, problem_sets, studies
from workings.core.runs import RunStore
from workings.core.study import Study, Trial
from workings.execute.local import Notice, Options, carry_out

__all__ = ["About", "check", "configure", "documents", "record", "report", "run", "show"]

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


def record(run_ids: Sequence[str], *, into: Path | None = None, pictures: bool = True) -> list[Path]:
    """Copy finished runs, weights aside, into their slices' ``evidence/``, to be shipped with the package.

    Without `pictures` those that a run kept are left out too. An older run of the same trial gives way; `UserError`
    where a run is unfinished, or the folder would grow too large.
    """
    if not run_ids:
        raise UserError("name the runs to record: `workings show STUDY` lists their ids")
    store = RunStore.default()
    kept = [name for name in KEPT if pictures or name != PICTURES]
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
        written.append(_record(found, study, into or Path(str(study.file("evidence"))), kept))
    return written


def _record(found: Run, study: Study, folder: Path, kept: Sequence[str]) -> Path:
    """Copy under a hidden name, then put the copy in the place of an older one; runs of other versions go."""
    fresh, destination, old = folder / f".{found.id}.new", folder / found.id, folder / f".{found.id}.old"
    stale = [run.folder for run in recorded_runs(study) if run.version != study.version and run.folder.parent == folder]
    with storage(folder):
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh.mkdir(parents=True)
        for name in kept:
            origin = found.folder / name
            if origin.is_dir():
                shutil.copytree(origin, fresh / name)
            elif origin.is_file():
                shutil.copy2(origin, fresh / name)
        size = sum(_size(path) for path in folder.iterdir() if path not in (destination, *stale))
        if size > RECORD_LIMIT:
            shutil.rmtree(fresh)
            raise UserError(
                f"{folder} would hold {size:,} bytes, more than {RECORD_LIMIT:,}: record fewer runs, or keep less"
            )
        if destination.exists():
            destination.rename(old)
        fresh.rename(destination)
        for path in (old, *stale):
            shutil.rmtree(path, ignore_errors=True)
    return destination


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@dataclasses.dataclass(frozen=True)
class About:
    """What there is to say of a study, a claim or a run."""

    title: str
    paragraphs: tuple[str, ...]
    tables: Mapping[str, Sequence[tuple[str, ...]]]


def show(name: str) -> About:
    """Describe a study, a claim (``STUDY.CLAIM``) or a run (the first digits of its id)."""
    known = studies()
    store = RunStore.default()
    if name in known:
        return _about_study(known[name], store)
    study_id, dot, claim_id = name.partition(".")
    if dot and study_id in known:
        study = known[study_id]
        found = {claim.id: claim for claim in study.claims}
        if claim_id not in found:
            raise UserError(f"{study_id} has no claim {claim_id!r}{suggestion(claim_id, found)}: {', '.join(found)}")
        return _about_finding(judge(store.archive(study), [found[claim_id]])[0])
    if len(name) >= 4 and all(c in "0123456789abcdef" for c in name):
        return _about_run(store.find(name, list(known.values())))
    raise UserError(
        f"{name!r} is no study, claim or run{suggestion(name, known)}: `workings list` names the studies, "
        "and `workings show STUDY` its claims and runs"
    )


def report(destination: Path, *, fresh: bool = False, notice: Notice | None = None) -> Path:
    """Write the site; the path of its first page. Instant trials that are missing are carried out."""
    from workings.report import ahead
    from workings.report.site import write

    store, known, pages = RunStore.default(), list(studies().values()), list(problem_sets().values())
    _carry_out_instant(known, store, notice)
    ahead.make(pages, ahead.of_studies(known), fresh_only=fresh)
    return write(known, store, destination, sets=pages, fresh_only=fresh)


def _carry_out_instant(wanted: Sequence[Study], store: RunStore, notice: Notice | None) -> None:
    """Carry out the instant trials that are missing; several studies' side by side."""
    missing = [study for study in wanted if _lacks_instant(study, store)]
    beforehand([(_instant, study.id, store.root, notice) for study in missing])
    for study in wanted:
        if study.instant:
            carry_out(study, list(study.instant()), store, None, notice)


def _lacks_instant(study: Study, store: RunStore) -> bool:
    return any(store.read(Trial.of(study, config)) is None for config in (study.instant() if study.instant else ()))


def _instant(study_id: str, root: Path, notice: Notice | None) -> None:
    """What a worker does for a study: its instant trials, and a look at its figures' captions."""
    from workings.report.drawings import kept_specs

    study = find(study_id)
    if study.instant:
        carry_out(study, list(study.instant()), RunStore(root), None, notice)
    kept_specs(study)


def documents(
    set_ids: Sequence[str],
    form: str,
    destination: Path | None = None,
    *,
    answers: Mapping[str, str] | None = None,
    fresh: bool = False,
    notice: Notice | None = None,
) -> list[Path]:
    """Write problem sets as documents (html, ipynb or pdf) and return their paths.

    Instant trials that a page needs and that are missing are carried out. `destination` is a folder, or, for one set,
    a file; without it the documents go into the present folder.
    """
    from workings.report import ahead
    from workings.report.chapters import Chapter
    from workings.report.documents import build, studies_of

    store, known = RunStore.default(), studies()
    pages = [find_set(set_id) for set_id in set_ids]
    needed = {page.id: studies_of(page, known) for page in pages}
    named = sorted({study_id for ids in needed.values() for study_id in ids})
    _carry_out_instant([known[study_id] for study_id in named], store, notice)
    ahead.make(pages, ahead.shown(pages, known.values()), fresh_only=fresh)
    read = {study_id: Chapter.read(known[study_id], store, fresh_only=fresh) for study_id in named}
    paths = []
    for page in pages:
        chapters = [read[study_id] for study_id in needed[page.id]]
        path = _place(destination, f"{page.id}.{form}", single=len(pages) == 1)
        with storage(path):
            write_atomic(path, build(page, chapters, form, answers))
        paths.append(path)
    return paths


def _place(destination: Path | None, name: str, *, single: bool) -> Path:
    """Where a document goes: a file by the name that was given, or by its own in a folder."""
    place = (destination or Path()).expanduser()
    if single and destination is not None and place.suffix == Path(name).suffix and not place.is_dir():
        return place
    if place.is_file():
        raise UserError(f"{place} is a file of another kind: name a folder, or a file that ends in {Path(name).suffix}")
    return place / name


def _about_study(study: Study, store: RunStore) -> About:
    archive = store.archive(study)
    verdicts = [(f.id, str(f.verdict.kind), f.claim.statement) for f in judge(archive, study.claims)]
    runs = [(r.id, "recorded" if r.recorded else "fresh", _state(r, study), _brief(r)) for r in archive.runs]
    presets = [(p.__name__, str(len(p())), (p.__doc__ or "").partition("\n")[0]) for p in study.presets]
    title = f"{study.id}: {study.title} ({', '.join(study.sources)})"
    return About(title, (study.summary,), {"Claims": verdicts, "Presets and their trials": presets, "Runs": runs})


def _state(run: Run, study: Study) -> str:
    if run.version != study.version:
        return f"stale (version {run.version})"
    return "unfinished" if run.reached is None else f"length {run.reached}"


def _brief(run: Run) -> str:
    return ", ".join(f"{name}={value}" for name, value in run.config.items())


def _about_finding(finding: Finding) -> About:
    claim, verdict = finding.claim, finding.verdict
    paragraphs = (
        f"{verdict.kind}: {verdict.sentence}",
        f"Claim ({claim.source}{', published' if claim.published else ''}): {claim.statement}",
        f"Rule: {claim.rule}",
        f"Basis: {claim.basis}. About: {', '.join(claim.about)}.",
    )
    tables: dict[str, Sequence[tuple[str, ...]]] = {
        "Numbers": [(k, str(v)) for k, v in verdict.numbers.items()],
        "Witness": [(k, str(v)) for k, v in (verdict.witness or {}).items()],
        "Runs": [(r.id, "recorded" if r.recorded else "fresh", _brief(r)) for r in finding.evidence.runs],
    }
    return About(finding.id, paragraphs, {name: rows for name, rows in tables.items() if rows})


def _about_run(run: Run) -> About:
    kind = "recorded" if run.recorded else "fresh"
    last = run.sessions[-1] if run.sessions else {}
    tables: dict[str, Sequence[tuple[str, ...]]] = {
        "Configuration": [(k, str(v)) for k, v in run.config.items()],
        "Datasets": [(role, d["id"], d["content"], d["title"]) for role, d in run.datasets.items()],
        "Metrics": [(name, f"{value:.6g}") for name, value in run.metrics.items()],
        "Last session": [(k, str(v)) for k, v in last.items()],
    }
    where = str(run.folder)
    return About(
        f"run {run.id} of {run.study} ({kind})",
        (_state(run, find(run.study)), where),
        {k: v for k, v in tables.items() if v},
    )
