"""Runs that no training made: what claims and figures would read, of models as good as one likes.

They are kept in memory, or in a store where a test is about the store.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from workings.core.config import to_json
from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.core.runs import Recorder, RunStore
from workings.core.study import Dataset, Trial
from workings.studies.clip.study import DRAWN, PAIRS, STUDY, Config, at_hand, drawn, full, instant

SCENES = Dataset("drawn-scenes", "drawn scenes", "0" * 16)
FLICKR = Dataset("flickr8k", "Flickr8k", "1" * 16)
PART = Dataset("flickr8k-part", "a part of Flickr8k", "2" * 16)
WORDS = Dataset("flickr8k-captions", "Flickr8k's captions", "3" * 16)

COLOURS = {"red": (204, 51, 51), "blue": (51, 102, 204), "green": (51, 153, 68), "yellow": (230, 190, 50)}
SHAPES = ("circle", "square", "triangle", "star")
TOWERS = {
    "conv-8": 40_000,
    "transformer-32": 100_000,
    "conv-16": 50_000,
    "conv-32": 190_000,
    "conv-64": 750_000,
    "resnet18": 11_180_000,
    "resnet34": 21_290_000,
    "resnet50": 23_510_000,
    "transformer-64": 160_000,
    "transformer-128": 620_000,
    "transformer-256": 2_400_000,
    "distilbert-base-uncased": 66_360_000,
    "bert-base-uncased": 108_890_000,
    "roberta-base": 124_060_000,
}
"""Parameters, about."""
PROMPTS = {
    "a cat sitting with a human": {"A": 0, "B": 0, "C": 0},
    "a crowd gathered in a park": {"A": 4, "B": 3, "C": 4},
    "a dog sitting alone in a park": {"A": 7, "B": 6, "C": 7},
    "a man skateboarding in the city": {"A": 5, "B": 0, "C": 1},
    "all kinds of food on a table": {"A": 6, "B": 0, "C": 3},
}
"""Of the first eight pictures, those that fit: as the published answer has it."""
NAMES = {pair: name for name, pair in PAIRS.items()}
COUNTS: Mapping[str, float] = {
    "captions": 40_455,
    "pictures": 8_091,
    "cat/captions": 65,
    "cat/pictures": 21,
    "cats/captions": 75,
    "cats/pictures": 23,
}
EVERYDAY = {"dog": 9_100, "man": 9_800, "woman": 3_700, "ball": 1_700, "beach": 1_000, "snow": 1_600, "food": 190}
"""Captions that have an everyday word, about."""

PARTS = {"pictures": "image_tower", "text": "text_tower"}
Skills = Mapping[tuple[str, str], float] | float
"""R@1, text to image, of each pair of towers, or of all."""


@dataclass
class Kept:
    """What a recorder would write, kept as it is."""

    metrics: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    arrays: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)

    def metric(self, name: str, value: float, step: int = 0) -> None:
        self.metrics.setdefault(name, []).append((step, float(value)))

    def array(self, name: str, value: Any) -> None:
        self.arrays[name] = value

    def table(self, name: str, rows: Any) -> None:
        self.tables[name] = rows


@dataclass(frozen=True)
class Made(Run):
    """A run without a folder."""

    kept: Kept = field(default_factory=Kept, hash=False)

    @property
    def _metrics(self) -> dict[str, list[tuple[int, float]]]:
        return self.kept.metrics

    def array(self, name: str) -> Any:
        return self._of(self.kept.arrays, name)

    def table(self, name: str) -> Any:
        return self._of(self.kept.tables, name)

    def _of(self, kept: Mapping[str, Any], name: str) -> Any:
        if name not in kept:
            raise MissingEvidence(f"run {self.id} has no {name!r}")
        return kept[name]


Fill = Callable[[Any], None]
"""Records what a run is to say."""


def finished(store: RunStore | None, config: Config, dataset: Dataset | None, fill: Fill) -> Run:
    """A run that has reached its length."""
    trial = Trial(STUDY, config, {"captioned": dataset} if dataset else {})
    if store is None:
        kept, told = Kept(), {role: vars(data) for role, data in trial.datasets.items()}
        fill(kept)
        info = {"id": trial.id, "study": "clip", "version": STUDY.version, "config": to_json(config)}
        return Made(Path(), False, {**info, "datasets": told, "reached": config.epochs}, kept)
    with store.write(trial, {}, target=config.epochs) as recorder:
        fill(recorder)
    return Run.read(recorder.folder, recorded=False)


def ranks(skill: float, pictures: int, each: int, seed: int) -> NDArray[np.int32]:
    """Of a model that puts so many captions' pictures first; a better one is better at the same captions."""
    luck = np.random.default_rng([seed, pictures]).random(pictures * each)
    behind = np.clip((luck - skill) / max(1 - skill, 1e-9), 0, 1) ** 3
    return np.where(luck < skill, 1, 2 + np.floor(behind * (pictures - 2))).astype(np.int32)


def tile(number: int, size: int) -> NDArray[np.uint8]:
    """A scene of one shape."""
    picture = Image.new("RGB", (size, size), (238, 236, 230))
    pen, colour = ImageDraw.Draw(picture), list(COLOURS.values())[number % 4]
    x, y, r = size * (0.3 + 0.13 * (number % 4)), size * (0.3 + 0.1 * (number % 5)), size * (0.12 + 0.06 * (number % 3))
    shape = SHAPES[number // 4 % 4]
    if shape == "circle":
        pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    elif shape == "square":
        pen.rectangle((x - r, y - r, x + r, y + r), fill=colour)
    else:
        pen.regular_polygon((x, y, r), 3 if shape == "triangle" else 5, fill=colour)
    return np.asarray(picture)


def sheet(numbers: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """Scenes in rows and columns, without gaps."""
    return np.concatenate([np.concatenate([tile(int(n), size) for n in row], axis=1) for row in numbers])


def caption(number: int) -> str:
    """Of a scene."""
    return (
        f"a {['small', 'medium', 'large'][number % 3]} {list(COLOURS)[number % 4]} {SHAPES[number // 4 % 4]} at the top"
    )


def fits_of(config: Config, fits: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Prompt by prompt, for this pair of towers."""
    name = NAMES.get((config.image_tower, config.text_tower), "A")
    return {prompt: counts[name] for prompt, counts in fits.items()}


def train(
    config: Config,
    skill: float,
    *,
    fits: Mapping[str, int],
    test: int = 200,
    metrics: Mapping[str, float] | None = None,
    store: RunStore | None = None,
) -> Run:
    """A finished training of this R@1; of photographs with five captions each, else with one."""
    dataset = {data.id: data for data in (SCENES, FLICKR, PART)}[config.data]
    shown, each = dataset is SCENES, 1 if dataset is SCENES else 5
    skill = float(np.clip(skill + 0.004 * (config.seed - 1), 0, 1))
    found = {
        "text-to-image": ranks(skill, test, each, config.seed),
        "image-to-text": ranks(min(1, 1.1 * skill), test, 1, config.seed + 100),
    }
    owner = np.repeat(np.arange(test, dtype=np.int32), each)
    told: dict[str, float] = {f"parameters/{part}": TOWERS[getattr(config, tower)] for part, tower in PARTS.items()}
    told |= {"parameters/heads": 300_000, "count/test": test, "count/queries": len(owner)}
    if shown:
        told |= {"zero-shot/shape": 0.95, "zero-shot/colour": 0.99, "zero-shot/pair": 0.9}
        told |= {"zero-shot/shape/chance": 0.2, "zero-shot/colour/chance": 0.15, "zero-shot/pair/chance": 0.05}

    def fill(recorder: Any) -> None:
        for direction, values in found.items():
            for k in (1, 5, 10):
                recorder.metric(f"{direction}/r{k}", (values <= k).mean())
            recorder.metric(f"{direction}/median", np.median(values))
            recorder.array(f"ranks/{direction}", values)
        recorder.array("query/picture", owner)
        for name, value in {**told, **(metrics or {})}.items():
            recorder.metric(name, value)
        _show(recorder, config, found["text-to-image"], owner, fits, shown)

    return finished(store, config, dataset, fill)


def _show(
    recorder: Any,
    config: Config,
    found: NDArray[np.int32],
    owner: NDArray[np.int32],
    fits: Mapping[str, int],
    shown: bool,
) -> None:
    """Tables and, of drawn scenes, pictures."""
    rng, prefix = np.random.default_rng(config.seed), "scene" if shown else "1000268201_69"
    names = [f"{prefix}{number:04d}{'' if shown else '.jpg'}" for number in range(len(found))]
    heat = rng.normal(0.1, 0.12, (10, 10)).clip(-0.4, 0.5) + 0.6 * np.eye(10)
    recorder.array("heat", heat.astype(np.float32))
    recorder.table("heat", {"names": names[:10], "captions": [caption(n) for n in range(10)] if shown else []})
    worst = np.argsort(-found, kind="stable")[:12]
    others = (owner[worst] + 4) % owner.max()
    rows = [
        {
            "name": names[owner[at]],
            "rank": int(found[at]),
            "found": names[other],
            "caption": caption(int(owner[at])) if shown else "",
        }
        for at, other in zip(worst, others, strict=True)
    ]
    recorder.table("failures", rows)
    asked = fits if not shown else {f"a {c} {s}": 8 - n for n, (c, s) in enumerate(zip(COLOURS, SHAPES, strict=True))}
    recorder.table("prompts", [answer(prompt, count, names) for prompt, count in asked.items()])
    if shown and isinstance(recorder, Recorder):
        recorder.picture("heat", sheet(np.arange(10)[None, :], config.size))
        recorder.picture("failures", sheet(np.stack([owner[worst], others], axis=1), config.size))
        places = [5 * row + 16 * np.arange(8) * (np.arange(8) < 8 - row) for row in range(len(asked))]
        recorder.picture("prompts", sheet(np.array(places), config.size))


def answer(prompt: str, fits: int, names: Sequence[str]) -> dict[str, Any]:
    """The first of eight pictures fit."""
    hits = [{"name": names[n], "similarity": round(0.8 - 0.02 * n, 4), "fits": n < fits} for n in range(8)]
    return {"prompt": prompt, "fitting": 2 * fits + 1, "hits": hits}


def count_words(store: RunStore | None = None, **counts: float) -> Run:
    """The count of cats, with these changes; two underscores for a slash."""
    told = {**COUNTS, **{name.replace("__", "/"): value for name, value in counts.items()}}

    def fill(recorder: Any) -> None:
        for name, value in told.items():
            recorder.metric(name, value)
        rows = {word: told[f"{word}/captions"] for word in ("cat", "cats")} | EVERYDAY
        patterns = {"cat": r"\bcat\b", "cats": r"\bcats?\b"} | {word: rf"\b{word}s?\b" for word in EVERYDAY}
        table = [{"word": w, "pattern": patterns[w], "captions": n, "pictures": n // 3} for w, n in rows.items()]
        recorder.table("words", table)

    return finished(store, Config(task="words", data=WORDS.id), WORDS, fill)


def count_towers(store: RunStore | None = None, **tables: Any) -> Run:
    """Parameters, and what is found in files of another kind."""
    towers = {
        name: {
            "image": image,
            "text": text,
            "image_parameters": TOWERS[image],
            "text_parameters": TOWERS[text],
            "head_parameters": 900_000,
        }
        for name, (image, text) in PAIRS.items()
    }
    classes = {"DistilBertModel": 66, "BertModel": 109, "RobertaModel": 125}
    kinds = {"distilbert": "DistilBertModel", "bert": "BertModel", "roberta": "RobertaModel"}
    loading = [
        {"class": name, "weights": kind, "found": size if owner == name else size // 3, "parameters": size}
        for name, size in classes.items()
        for kind, owner in kinds.items()
    ]
    resnets = ["resnet101", "resnet152", "resnet18", "resnet34", "resnet50"]

    def fill(recorder: Any) -> None:
        for name, table in {"towers": towers, "loading": loading, "resnets": resnets, **tables}.items():
            recorder.table(name, table)

    return finished(store, instant()[0], None, fill)


def trainings(
    configs: Sequence[Config],
    skills: Skills = 0.5,
    *,
    seeds: int = 3,
    fits: Mapping[str, Mapping[str, int]] = PROMPTS,
    **options: Any,
) -> list[Run]:
    """These trainings, from the first seeds."""
    made = []
    for config in configs:
        if config.task == "train" and config.seed < seeds:
            towers = (config.image_tower, config.text_tower)
            skill = skills if isinstance(skills, int | float) else skills[towers]
            made.append(train(config, skill, fits=fits_of(config, fits), **options))
    return made


def losses() -> list[Config]:
    """The longer trainings on drawn scenes."""
    return [config for config in drawn() if config.limit == DRAWN.limit]


def grid() -> list[Config]:
    """The shorter ones."""
    return [config for config in drawn() if config.limit != DRAWN.limit]


def small_on_photographs() -> list[Config]:
    """Of a few hundred photographs."""
    return [config for config in at_hand() if config.data == "flickr8k-part" and not config.scratch]


def large_on_photographs() -> list[Config]:
    """The published pairs from random weights, for an epoch."""
    return [config for config in at_hand() if config.scratch]


def sheets() -> list[Config]:
    """The class's recipe."""
    return list(full())


def evidence(*runs: Run, **published: Mapping[str, Any]) -> Evidence:
    """These runs; entries of the transcription, with dashes written as underscores, are changed as said."""
    entries = {name.replace("_", "-"): changes for name, changes in published.items()}
    figures = {name: {**entry, **entries.get(name, {})} for name, entry in STUDY.published.items()}
    return Evidence(STUDY.id, runs, figures)


def lengthened(config: Config, epochs: int) -> Config:
    """The same trial, trained for longer."""
    return replace(config, epochs=epochs)
