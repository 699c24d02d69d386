"""A store with small trainings in it, and ways to make runs that say something else."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from workings.core.config import to_json
from workings.core.evidence import Evidence, Run
from workings.core.runs import RunStore
from workings.execute.local import Options
from workings.studies.alexnet.study import DIGITS, STUDY, Config, instant, quickened

TINY = replace(DIGITS, limit=120, size=16, width=2, batch=20, epochs=2)
"""A training of a tenth of a second."""
ALONE = Options(threads=1)
Alteration = Callable[[Path], None]


@dataclass(frozen=True)
class Shop:
    """A store with a count, a range test and two trainings."""

    store: RunStore
    count: Run
    range: Run
    training: Run
    fast: Run


def trials() -> list[Config]:
    """What the shop carries out."""
    return [*instant(), replace(TINY, task="range"), TINY, quickened(TINY, epochs=2)]


def altered(run: Run, folder: Path, *changes: Alteration, dataset: str | None = None, **config: Any) -> Run:
    """A copy of a run that says something else."""
    copy = shutil.copytree(run.folder, folder)
    for change in changes:
        change(copy)
    info = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    info["config"] |= config
    if dataset:
        info["datasets"] = {"pictures": {"id": dataset, "title": dataset, "content": "0"}}
    (copy / "run.json").write_text(json.dumps(info), encoding="utf-8")
    return Run.read(copy, recorded=False)


def metrics(values: Mapping[str, float | Mapping[int, float]]) -> Alteration:
    """Record other values under these names: one for all steps, or a series."""

    def change(folder: Path) -> None:
        path = folder / "metrics.jsonl"
        rows = [row for row in map(json.loads, path.read_text().splitlines()) if row["name"] not in values]
        for name, value in values.items():
            series = value if isinstance(value, Mapping) else {0: value}
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


def scored(accuracy: float, seconds: float = 10.0, epochs: int = 8, pictures: int = 10_000) -> Alteration:
    """Right about this share of the test pictures, in so many seconds; wrong ones are spread by the last digits."""
    wrong = np.zeros(pictures, dtype=np.uint8)
    count = round((1 - accuracy) * pictures)
    wrong[np.random.default_rng(count).permutation(pictures)[:count]] = 1

    def change(folder: Path) -> None:
        save_file({"value": wrong}, folder / "arrays" / "wrong.safetensors")
        metrics(
            {
                "test/accuracy": 1 - count / pictures,
                "test/pictures": pictures,
                "seconds": dict.fromkeys(range(1, epochs + 1), seconds / epochs),
            }
        )(folder)

    return change


def runs_of(
    shop: Shop, folder: Path, config: Config, accuracies: list[float], dataset: str = "cifar10-jpeg", **time: Any
) -> list[Run]:
    """Trainings by this recipe that say these accuracies, a seed each."""
    return [
        altered(
            shop.training,
            folder / f"{name}-{seed}",
            scored(accuracy, **time),
            dataset=dataset,
            **{**to_json(config), "seed": seed},
        )
        for seed, accuracy in enumerate(accuracies)
        for name in [abs(hash((config, dataset)))]
    ]


def evidence(*runs: Run, published: Mapping[str, Mapping[str, Any]] | None = None) -> Evidence:
    """What these runs say; `published` replaces figures of entries."""
    entries = {name: {**entry, **(published or {}).get(name, {})} for name, entry in STUDY.published.items()}
    return Evidence(STUDY.id, runs, entries)


def write_photos(folder: Path, classes: int = 3, each: int = 12, size: tuple[int, int] = (24, 20)) -> Path:
    """Class folders of colour photographs, each class in a colour of its own."""
    draw = np.random.default_rng(0)
    for number in range(classes):
        place = folder / f"class {number}"
        place.mkdir(parents=True)
        for at in range(each):
            pixels = draw.integers(0, 120, (*size, 3))
            pixels[..., number % 3] += 120
            Image.fromarray(pixels.astype(np.uint8)).save(place / f"{at}.png")
    return folder
