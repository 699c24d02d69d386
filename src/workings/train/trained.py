"""Which training a person means: the one that is named, by id or folder, or else the worthiest on this machine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from workings.core.errors import UserError
from workings.core.evidence import CHECKPOINTS, RUN_FILE, Run
from workings.core.runs import RunStore
from workings.core.study import Study


def trained_run(
    study: Study,
    named: str | Path | None,
    *,
    what: str,
    worth: Callable[[Run], Any],
    nothing: str,
    weights: str | None,
    fits: Callable[[Run], bool] = lambda run: True,
) -> Run:
    """A finished training of a study; `UserError` where the one that is named is none, or nothing is here to choose.

    `what` it trained is told in messages, as in "speller"; `nothing` is the whole message where there is none.
    `weights` is the name of the checkpoint that is needed; with None recorded runs will do, which have no weights. Of
    those that fit, `worth` picks the largest.
    """
    if named is not None:
        run = named_run(study, named)
        if run.study != study.id or run.config.get("task", "train") != "train":
            raise UserError(f"run {run.id} trained no {what}: `workings show {study.id}` lists the runs that did")
        if run.reached is None or (weights and not _has(run, weights)):
            gone = "recorded, without weights" if run.recorded else "its weights are gone"
            why = "unfinished" if run.reached is None else gone
            raise UserError(f"run {run.id} cannot be used ({why}): train it here, the same command goes on")
        return run
    runs = RunStore.default().runs(study.id) if weights else RunStore.default().archive(study).current
    here = [run for run in runs if run.version == study.version and run.reached is not None]
    usable = [run for run in here if run.config.get("task", "train") == "train" and (not weights or _has(run, weights))]
    if not (fitting := [run for run in usable if fits(run)]):
        raise UserError(nothing)
    return max(fitting, key=worth)


def named_run(study: Study, named: str | Path) -> Run:
    """A run by its id (or the first digits of it) or its folder."""
    folder = Path(named).expanduser()
    if not folder.is_dir():
        return RunStore.default().find(str(named), [study])
    try:
        return Run.read(folder, recorded=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{folder} holds no run ({error}): name a folder with a {RUN_FILE}, or a run's id") from None


def weights_of(run: Run, name: str) -> Path:
    """The file of a run's checkpoint of that name."""
    return run.folder / CHECKPOINTS / f"{name}.safetensors"


def _has(run: Run, weights: str) -> bool:
    return not run.recorded and weights_of(run, weights).is_file()
