"""A trained AlexNet at work: what is on a photograph, a model to hand on, and the mistakes of a training.

The network is that of a run of this study (by id or folder) or of a model directory; without one, of the run on this
machine that learned from the most pictures, and of these the most accurate on held-out ones.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from workings.core.config import from_json
from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.core.files import replace_with, storage
from workings.data.photographs import load_photograph
from workings.studies.alexnet.model import AlexNet, Shape
from workings.studies.alexnet.study import STUDY, Config
from workings.train import directory
from workings.train.checkpoint import BEST, load_weights, parameters
from workings.train.directory import Card, Model, Preprocessing
from workings.train.runtime import prepare
from workings.train.trained import trained_run, weights_of

Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
WIDEST = 24
"""Characters of a file's name in a table."""


@dataclass(frozen=True)
class Guess:
    """One class, and how likely the network takes it to be."""

    label: str
    probability: float


@dataclass(frozen=True)
class Photo:
    """One picture, and its likeliest classes."""

    photo: str
    guesses: tuple[Guess, ...]

    def __str__(self) -> str:
        name = Path(self.photo).name
        short = name if len(name) <= WIDEST else f"…{name[1 - WIDEST :]}"
        return f"{short:{WIDEST}}  " + "  ".join(f"{guess.label} {guess.probability:.1%}" for guess in self.guesses)


@dataclass(frozen=True)
class Photos:
    """All of them, and the network that looked."""

    model: str
    photos: tuple[Photo, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.photos))


@dataclass(frozen=True)
class Exported:
    """A model directory."""

    folder: str
    run: str
    labels: tuple[str, ...]
    parameters: int

    def __str__(self) -> str:
        return f"{self.folder}: run {self.run}, {len(self.labels)} classes, {self.parameters:,} parameters"


@dataclass(frozen=True)
class Mistake:
    """One test picture that the network took for another class."""

    picture: int
    """Its place among the test pictures."""
    label: str
    taken_for: str
    probability: float


@dataclass(frozen=True)
class Mistakes:
    """Those of which a network was surest."""

    run: str
    mistakes: tuple[Mistake, ...]
    sheet: str | None

    def __str__(self) -> str:
        lines = [f"{m.picture:6}  {m.label} taken for {m.taken_for} ({m.probability:.1%})" for m in self.mistakes]
        return "\n".join([*(lines or ["no mistakes"]), *([f"pictures: {self.sheet}"] if self.sheet else [])])


def classify(
    photos: Annotated[tuple[str, ...], tyro.conf.Positional] = (),
    /,
    run: str | None = None,
    model: Path | None = None,
    top: int = 3,
) -> Photos:
    """Say what is on photographs of any size; the middle of each is looked at.

    Example: workings use alexnet classify photo.jpg --top 5

    Args:
        photos: Picture files, or the names of built-in photographs (chelsea is a cat).
        run: A run's id or folder; by default the best network on this machine.
        model: A model directory, as `export` writes it, instead of a run.
        top: Classes named for each.
    """
    if top < 1:
        raise UserError(f"top is {top}: name 1 class at least")
    if not photos:
        raise UserError("give the photographs to look at: `workings use alexnet classify photo.jpg`")
    if run and model:
        raise UserError("give --run or --model, not both")
    pictures = [load_photograph(name).pixels for name in photos]
    loaded = load(model if model else run)
    rows = loaded.probabilities(pictures)
    found = [
        Photo(name, tuple(Guess(loaded.card.labels[i], round(float(row[i]), 6)) for i in np.argsort(-row)[:top]))
        for name, row in zip(photos, rows, strict=True)
    ]
    return Photos(str(model) if model else str(loaded.card.origin.get("run")), tuple(found))


def export(output: Output, run: str | None = None) -> Exported:
    """Write a model directory: weights, configuration, labels and preprocessing, for `classify --model` and Python.

    Example: workings use alexnet export -o my_model

    Args:
        output: The folder to write.
        run: A run's id or folder; by default the best network on this machine.
    """
    loaded = load(run)
    directory.save(output, loaded.network, loaded.card)
    origin = str(loaded.card.origin["run"])
    return Exported(str(output), origin, loaded.card.labels, parameters(loaded.network))


def mistakes(run: str | None = None, output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None) -> Mistakes:
    """Name the test pictures that a network got wrong while it was surest; recorded runs will do.

    Example: workings use alexnet mistakes -o mistakes.png

    Args:
        run: A run's id or folder; by default the training that learned from the most pictures.
        output: A .png to put the pictures into.
    """
    if output and output.suffix.lower() != ".png":
        raise UserError(f"{output} is no file that can be written here: name it .png")
    found = _chosen(run, weights=None)
    rows = found.table("mistakes")
    if output and rows:
        from PIL import Image

        place, image = output.expanduser(), Image.open(found.picture("mistakes"))
        with storage(place):
            large = image.resize((4 * image.width, 4 * image.height), Image.Resampling.NEAREST)
            replace_with(place, lambda path: large.save(path, format="PNG"))
    named = tuple(Mistake(r["picture"], r["is"], r["taken_for"], r["probability"]) for r in rows)
    return Mistakes(found.id, named, str(output) if output and rows else None)


VERBS = (classify, export, mistakes)


def load(model: str | Path | None = None) -> Model[AlexNet]:
    """A trained network with its labels and preprocessing: of a model directory, of a run, or the best one here.

    ``load("my_model").probabilities([pixels])`` gives a probability for each of ``load("my_model").card.labels``.
    """
    prepare({"device": "cpu"})
    if model is not None and directory.is_directory(Path(model).expanduser()):
        return directory.load(Path(model), STUDY.id, build)
    if isinstance(model, Path):
        return directory.load(model, STUDY.id, build)  # which says what it lacks
    run = _chosen(model)
    card = card_of(run)
    network = build(card)
    load_weights(weights_of(run, BEST), {"network": network})
    return Model(network.eval(), card)


def build(card: Card) -> AlexNet:
    """The network that a card describes."""
    shape = Shape(**card.architecture)
    if shape.classes != len(card.labels) or (shape.size, shape.size) != card.preprocessing.size:
        raise UserError(f"{shape} does not fit {len(card.labels)} labels and pictures of {card.preprocessing.size}")
    return AlexNet(shape)


def card_of(run: Run) -> Card:
    """What a model directory says of a run's network."""
    config, told = from_json(Config, run.config), run.table("card")
    shape = {
        "size": config.size,
        "channels": told["channels"],
        "classes": len(told["classes"]),
        "width": config.width,
    }
    look = Preprocessing((config.size, config.size), told["channels"], tuple(told["mean"]), tuple(told["std"]))
    data = ", ".join(dataset["id"] for dataset in run.datasets.values())
    origin = {"run": run.id, "data": data, "epochs": run.reached}
    return Card(STUDY.id, STUDY.version, shape, tuple(told["classes"]), look, origin)


def _chosen(named: str | Path | None, weights: str | None = BEST) -> Run:
    return trained_run(
        STUDY,
        named,
        what="AlexNet",
        worth=lambda run: (run.metric("pictures/train"), -min(loss for _, loss in run.series("validation/loss"))),
        nothing=f"no AlexNet is trained here: `workings run {STUDY.id} --preset fast --seed 0` trains one on CIFAR-10, "
        f"`workings run {STUDY.id} --data FOLDER` one on class folders of your own",
        weights=weights,
    )
