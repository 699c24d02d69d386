"""A trained network at work: what photographs show, and the network as a folder that can be handed on.

The network is that of a run of this study, by id or by folder, or a model directory as `export` writes it; without one,
that of the run on this machine which learned from the most pictures, and of equals tells them apart best.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from numpy.typing import NDArray

from workings.core.config import from_json
from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.data.photographs import load_photograph
from workings.studies.scenes.learner import shape_of
from workings.studies.scenes.model import SceneNet, Shape
from workings.studies.scenes.pictures import LEVELS
from workings.studies.scenes.study import STUDY, Config
from workings.train import directory
from workings.train.checkpoint import LAST, load_weights
from workings.train.directory import Card, Model, Preprocessing
from workings.train.runtime import prepare
from workings.train.trained import trained_run, weights_of

Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
NOTHING = "no network is trained here"


@dataclass(frozen=True)
class Guess:
    """A class and its probability."""

    label: str
    probability: float

    def __str__(self) -> str:
        return f"{self.label} {self.probability:.0%}"


@dataclass(frozen=True)
class Shown:
    """One photograph, and what it seems to show."""

    photo: str
    guesses: tuple[Guess, ...]
    """The most probable first."""
    fault: str = ""
    """Why it could not be read; then there are no guesses."""


@dataclass(frozen=True)
class Classified:
    """All of them, and the network that told."""

    model: str
    classes: tuple[str, ...]
    photos: tuple[Shown, ...]

    def __str__(self) -> str:
        width = max(len(shown.photo) for shown in self.photos)
        rows = [(s.photo, ", ".join(map(str, s.guesses)) or s.fault) for s in self.photos]
        told = [f"{photo:{width}}  {text}" for photo, text in rows]
        return "\n".join([*told, f"({self.model}; it knows {', '.join(self.classes)})"])


@dataclass(frozen=True)
class Exported:
    """A model directory."""

    folder: str
    run: str
    classes: tuple[str, ...]
    parameters: int

    def __str__(self) -> str:
        return (
            f"{self.folder}: the network of run {self.run}, {self.parameters:,} parameters, "
            f"classes {', '.join(self.classes)}"
        )


def classify(
    photos: Annotated[tuple[str, ...], tyro.conf.Positional] = (),
    /,
    run: str | None = None,
    model: Path | None = None,
    top: int = 3,
) -> Classified:
    """Say what photographs show.

    Example: workings use scenes classify beach.jpg alps.jpg --model my-model

    Args:
        photos: Picture files, or built-in photographs (china, flower, coffee).
        run: A run's id or folder; by default the best network on this machine.
        model: A model directory, as `export` writes it, in place of a run.
        top: Classes told of each photograph at most, the most probable first.
    """
    if not photos:
        raise UserError("give the photographs to classify: `workings use scenes classify photo.jpg`")
    if top < 1:
        raise UserError(f"top is {top}: it is counted from 1")
    if run and model:
        raise UserError("give --run or --model, not both")
    network, name = (load(model), str(model)) if model else _of_run(_run(run))
    pixels, faults = _read(photos)
    if not pixels:
        raise UserError("; ".join(faults.values()))
    labels = network.card.labels
    rows = iter(network.probabilities(pixels))
    shown = tuple(
        Shown(photo, (), faults[photo]) if photo in faults else Shown(photo, _best(next(rows), labels, top))
        for photo in photos
    )
    return Classified(name, labels, shown)


def export(output: Output, run: str | None = None) -> Exported:
    """Write a trained network as a folder: weights, configuration, labels and preprocessing.

    Example: workings use scenes export --run 0123abcd -o my-model

    Args:
        output: The folder; a new one, or one with a model in it.
        run: A run's id or folder; by default the best network on this machine.
    """
    chosen = _run(run)
    network, _ = _of_run(chosen)
    directory.save(output, network.network, network.card)
    return Exported(str(output), chosen.id, network.card.labels, int(chosen.metric("parameters")))


VERBS = (classify, export)


def load(folder: Path) -> Model[SceneNet]:
    """The network of a model directory, with its labels and `preprocessing`; `UserError` where something is wrong.

    ``model.probabilities([pixels])`` classifies; ``model.network(model.card.preprocessing(pixels)[None])`` is the same
    step by step, in log-probabilities.
    """
    prepare({"device": "cpu"})
    return directory.load(Path(folder), STUDY.id, _build)


def _build(card: Card) -> SceneNet:
    return SceneNet(Shape(**card.architecture))


def _of_run(run: Run) -> tuple[Model[SceneNet], str]:
    """The network of a finished run, and what to call it."""
    config = from_json(Config, run.config)
    seen = run.table("classes")
    shape = shape_of(config, len(seen["names"]), seen["channels"])
    look = Preprocessing(
        (config.size, config.size),
        shape.channels,
        mean=(0.0,),
        std=(LEVELS,),
        order="transposed" if config.pixel_order == "right" else "reshaped",
    )
    told = {"run": run.id, "data": [d["id"] for d in run.datasets.values()], "epochs": run.reached}
    card = Card(STUDY.id, run.version, vars(shape), tuple(seen["names"]), look, told)
    network = SceneNet(shape)
    load_weights(weights_of(run, LAST), {"net": network})
    prepare({"device": "cpu"})
    return Model(network.eval(), card), f"run {run.id}, {run.metric('test/accuracy'):.0%} right on test pictures"


def _run(name: str | None) -> Run:
    return trained_run(
        STUDY,
        name,
        what=f"network of {STUDY.id}",
        worth=lambda run: (run.metric("pictures/train"), run.metric("validation/accuracy")),
        nothing=f"{NOTHING}: `workings run {STUDY.id} --data FOLDER` trains one on class folders of your own, "
        f"`workings run {STUDY.id} --preset full --seed 0` those of the sheet",
        weights=LAST,
    )


def _read(photos: Sequence[str]) -> tuple[list[NDArray[np.uint8]], dict[str, str]]:
    """The pixels of those that can be read, and what is wrong with the others."""
    pixels, faults = [], {}
    for photo in photos:
        try:
            pixels.append(load_photograph(photo).pixels)
        except UserError as error:
            faults[photo] = str(error)
    return pixels, faults


def _best(row: NDArray[np.float32], labels: Sequence[str], top: int) -> tuple[Guess, ...]:
    order = np.argsort(-row, kind="stable")[:top]
    return tuple(Guess(labels[place], float(row[place])) for place in order)
