"""The commands that make or repeat evidence, generated from what a run says of itself."""

import shlex
from collections.abc import Mapping
from typing import Any

from workings.core.config import to_json
from workings.core.evidence import Archive, Evidence
from workings.core.study import Study


def repeat(study: Study, config: Mapping[str, Any]) -> str | None:
    """``workings run STUDY --field value …`` with the fields that differ from the defaults.

    None where the configuration has fields that the study no longer knows: such a run cannot be repeated as it was.
    """
    defaults = to_json(study.config())
    if not config.keys() <= defaults.keys():
        return None
    words = [word for key, value in config.items() if value != defaults[key] for word in _flag(key, value)]
    return shlex.join(["workings", "run", study.id, *words])


def changed(study: Study, config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that differ from the study's defaults, or are unknown to it."""
    defaults = to_json(study.config())
    return {key: value for key, value in config.items() if key not in defaults or value != defaults[key]}


def make(archive: Archive, evidence: Evidence, *, instant: bool = True) -> str | None:
    """The command that adds the evidence a figure or a claim lacks; None where the longest preset is complete.

    What `check` carries out by itself comes first (unless `instant` is false); then the preset that the evidence comes
    from where that is not complete, else the next longer one.
    """
    study = archive.study
    if instant and study.instant and not archive.holds(study.instant()):
        return shlex.join(["workings", "check", study.id])
    names = [preset.__name__ for preset in study.presets]
    # Without any evidence the second preset is meant: the first is a smoke test, which shows little.
    start = names.index(evidence.preset) if evidence.preset in names else min(1, len(names) - 1)
    for preset in study.presets[start:]:
        if not archive.holds(preset()):
            return shlex.join(["workings", "run", study.id, "--preset", preset.__name__])
    return None


def _flag(key: str, value: Any) -> list[str]:
    flag = f"--{key.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag[2:]}"]
    if isinstance(value, list | tuple):
        return [flag, *map(str, value)]
    # "--f=-x**2": a value that begins with a dash would be read as a flag of its own.
    return [f"{flag}={value}"] if str(value).startswith("-") else [flag, str(value)]
