"""A store with a small generator in it, and a way to alter what its runs say."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from workings.core.evidence import Evidence, Run
from workings.core.runs import RunStore
from workings.execute.local import Options
from workings.studies.dcgan.study import STUDY, Config, instant

TINY = Config(data="digits", limit=100, size=8, width=2, noise=4, batch=10, learning_rate=1e-3, epochs=2)
"""A training of a second."""
ALONE = Options(threads=1)
"""Networks this small gain nothing by a second thread."""
Alteration = Callable[[Path], None]


@dataclass(frozen=True)
class Shop:
    """A store with a trained generator in it."""

    store: RunStore
    training: Run
    twice: Run
    counts: tuple[Run, ...]

    @property
    def evidence(self) -> Evidence:
        """All that its runs say."""
        return Evidence(STUDY.id, (*self.counts, self.twice, self.training), STUDY.published)


def trials() -> list[Config]:
    """What the shop carries out."""
    return [*instant(), replace(TINY, task="twice", epochs=1), TINY]


def altered(run: Run, folder: Path, *changes: Alteration, **config: Any) -> Run:
    """A copy of a run that says something else."""
    copy = shutil.copytree(run.folder, folder)
    for change in changes:
        change(copy)
    info = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    info["config"] |= config
    (copy / "run.json").write_text(json.dumps(info), encoding="utf-8")
    return Run.read(copy, recorded=False)


def metrics(**values: float | dict[int, float]) -> Alteration:
    """Record other values under these names (two underscores for a slash): one for all steps, or a series."""
    named = {name.replace("__", "/"): value for name, value in values.items()}

    def change(folder: Path) -> None:
        path = folder / "metrics.jsonl"
        rows = [row for row in map(json.loads, path.read_text().splitlines()) if row["name"] not in named]
        for name, value in named.items():
            series = value if isinstance(value, dict) else {0: value}
            rows += [{"name": name, "step": step, "value": number} for step, number in series.items()]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    return change


def table(name: str, edit: Callable[[Any], Any]) -> Alteration:
    """Edit a table in place, or return another."""

    def change(folder: Path) -> None:
        path = folder / "tables" / f"{name}.json"
        rows = json.loads(path.read_text())
        path.write_text(json.dumps(edit(rows) or rows))

    return change


def array(name: str, value: Any) -> Alteration:
    """Keep another array."""

    def change(folder: Path) -> None:
        save_file({"value": np.asarray(value)}, folder / "arrays" / f"{name}.safetensors")

    return change
