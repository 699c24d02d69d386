"""A store with small networks in it, and a way to alter what its runs say."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from workings.core.evidence import Evidence, Run
from workings.core.runs import RunStore
from workings.execute.local import Options
from workings.studies.scenes.study import STUDY, Config, instant

TINY = Config(data="digits", train=64, validation=30, test=40, size=8, width=1, colour=True, epochs=2)
"""A training of a fraction of a second."""
ALONE = Options(threads=1)
"""Networks this small gain nothing by a second thread."""
Alteration = Callable[[Path], None]


@dataclass(frozen=True)
class Shop:
    """A store with a trained network in it."""

    store: RunStore
    training: Run
    counts: tuple[Run, ...]

    @property
    def evidence(self) -> Evidence:
        """All that its runs say."""
        return Evidence(STUDY.id, (*self.counts, self.training), STUDY.published)


def trials() -> list[Config]:
    """What the shop carries out."""
    return [*instant(), replace(TINY, normalised=True, pooled=True)]


def altered(run: Run, folder: Path, *changes: Alteration, dataset: str = "digits", **config: Any) -> Run:
    """A copy of a run that says something else."""
    copy = shutil.copytree(run.folder, folder)
    for change in changes:
        change(copy)
    info = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    info["config"] |= config
    if info["datasets"]:
        info["datasets"] = {"pictures": {"id": dataset, "title": dataset, "content": "0"}}
    (copy / "run.json").write_text(json.dumps(info), encoding="utf-8")
    return Run.read(copy, recorded=False)


def metrics(**values: float) -> Alteration:
    """Record other values under these names (two underscores for a slash)."""
    named = {name.replace("__", "/"): value for name, value in values.items()}

    def change(folder: Path) -> None:
        path = folder / "metrics.jsonl"
        rows = [row for row in map(json.loads, path.read_text().splitlines()) if row["name"] not in named]
        rows += [{"name": name, "step": 0, "value": value} for name, value in named.items()]
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


def class_folders(folder: Path, classes: int = 3, each: int = 12, colour: bool = True, size: int = 20) -> Path:
    """Pictures of one's own: a class is a brightness."""
    draw = np.random.default_rng(0)
    for label in range(classes):
        (folder / f"kind{label}").mkdir(parents=True)
        for number in range(each):
            shape = (size, size + label, 3) if colour else (size, size)
            pixels = draw.integers(80 * label, 80 * label + 60, shape, dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"kind{label}" / f"{number}.png")
    return folder
