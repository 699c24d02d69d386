"""A store with small runs in it, and a way to alter what runs say."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workings.core.config import to_json
from workings.core.evidence import Run
from workings.core.runs import RunStore
from workings.execute.local import Options
from workings.studies.random_labels.study import CORRUPTIONS, DIGITS, REGULARISERS, SEEDS, Config, exact

TINY = replace(DIGITS, limit=60, tested=40, epochs=3)
"""A training of a tenth of a second."""
ALONE = Options(threads=1)
"""Networks this small gain nothing by a second thread."""
Alteration = Callable[[Path], None]


@dataclass(frozen=True)
class Shop:
    """A store with a training, a construction and linear models of both kinds of labels."""

    store: RunStore
    training: Run
    construction: Run
    least: tuple[Run, Run]

    @property
    def exact(self) -> tuple[Run, ...]:
        """What was computed rather than trained."""
        return (self.construction, *self.least)


def trials() -> list[Config]:
    """What the shop carries out."""
    return [TINY, *exact("digits", 200, 80)]


def altered(run: Run, folder: Path, *changes: Alteration, **config: Any) -> Run:
    """A copy of a run that says something else."""
    copy = shutil.copytree(run.folder, folder)
    for change in changes:
        change(copy)
    info = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    info["config"] |= config
    (copy / "run.json").write_text(json.dumps(info), encoding="utf-8")
    return Run.read(copy, recorded=False)


def metrics(**values: float | None) -> Alteration:
    """Record other values under these names (two underscores for a slash); None takes the metric away."""
    named = {name.replace("__", "/"): value for name, value in values.items()}

    def change(folder: Path) -> None:
        path = folder / "metrics.jsonl"
        rows = [row for row in map(json.loads, path.read_text().splitlines()) if row["name"] not in named]
        rows += [{"name": name, "step": 1, "value": value} for name, value in named.items() if value is not None]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    return change


def table(name: str, edit: Callable[[Any], Any]) -> Alteration:
    """Edit a table in place, or return another."""

    def change(folder: Path) -> None:
        path = folder / "tables" / f"{name}.json"
        rows = json.loads(path.read_text())
        path.write_text(json.dumps(edit(rows) or rows))

    return change


class Table:
    """The paper's table, as runs of one network that say what they are told to: by default, what theory expects."""

    def __init__(self, shop: Shop, folder: Path, base: Config = DIGITS, dataset: str = "digits") -> None:
        self.shop, self.folder, self.base, self.dataset, self.count = shop, folder, base, dataset, 0

    def run(self, train: float, test: float, epochs: int | None, pictures: int = 600, **settings: Any) -> Run:
        """A run with these settings that ends so."""
        self.count += 1
        numbers = {
            "train__accuracy": train,
            "test__accuracy": test,
            "pictures__test": 2000,
            "pictures__train": pictures,
        }
        change = metrics(**numbers, fit__epoch=epochs)
        config = to_json(replace(self.base, **settings))
        run = altered(self.shop.training, self.folder / str(self.count), change, **config)
        about = {"pictures": {"id": self.dataset, "title": self.dataset, "content": "0"}}
        return replace(run, info={**run.info, "datasets": about})

    def pairs(self, train: float = 1.0, random: float = 0.1, true: float = 0.5, longer: int = 20) -> Iterator[Run]:
        """Random and true labels over three seeds."""
        for seed in SEEDS:
            yield self.run(train, random, 10 + longer + seed, labels="random", seed=seed)
            yield self.run(train, true, 10, labels="true", seed=seed)

    def regularised(self, train: float = 1.0, true: float = 0.55) -> Iterator[Run]:
        """Each regulariser on both kinds of labels."""
        for settings in REGULARISERS.values():
            yield self.run(train, 0.1, 50, labels="random", **settings)
            yield self.run(1.0, true, 20, labels="true", **settings)

    def pixels(self, train: float = 1.0) -> Iterator[Run]:
        """Pictures that are less and less pictures."""
        for how in ("shuffled", "random", "gaussian"):
            yield self.run(train, 0.1, 5, pixels=how)

    def corrupted(self, slope: float = -0.4) -> Iterator[Run]:
        """Test accuracy on a line over corruption."""
        for share in CORRUPTIONS:
            yield self.run(1.0, 0.5 + slope * share, 15, labels="partial", corruption=share)
