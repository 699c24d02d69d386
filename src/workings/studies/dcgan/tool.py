"""A trained generator at work: sheets of pictures, walks through its noise, and how it came to draw as it does.

The generator is that of a run of this study, by id or by folder; without one, of the run on this machine that has
learned from the most pictures.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from torch import Tensor

from workings.core.config import from_json
from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.studies.dcgan.examiner import draw
from workings.studies.dcgan.latent import noise, round_trip
from workings.studies.dcgan.learner import shape_of
from workings.studies.dcgan.model import Generator
from workings.studies.dcgan.pictures import check_file, save_frames, sheet, to_bytes
from workings.studies.dcgan.study import STUDY, Config
from workings.train.checkpoint import LAST, load_weights
from workings.train.runtime import prepare
from workings.train.trained import trained_run, weights_of

MOST = 4_096
"""Pictures on a sheet, or in a walk, at most: more cannot be made out."""
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]


@dataclass(frozen=True)
class Drawn:
    """A file with pictures in it."""

    path: str
    pictures: int
    model: str
    """The run whose generator drew them."""
    data: str
    epochs: int

    def __str__(self) -> str:
        return f"{self.path}: {self.pictures} pictures by run {self.model} ({self.data}, {self.epochs} epochs)"


@dataclass(frozen=True)
class Trained:
    """A generator, ready to draw."""

    run: Run
    config: Config
    generator: Generator

    def draw(self, codes: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """Pictures of these codes ``[count, noise]``, as bytes ``[count, size, size]``."""
        return to_bytes(draw(self.generator, codes))


def sample(
    n: int = 64, seed: int = 0, output: Output = Path("sheet.png"), model: str | None = None, scale: int = 2
) -> Drawn:
    """Draw new pictures on a sheet.

    Example: workings use dcgan sample --n 64 --seed 7 -o sheet.png

    Args:
        n: How many.
        seed: Of their noise; the same seed draws the same pictures.
        output: The file to write: .png (or .gif).
        model: A run's id or folder; by default the generator on this machine that learned from the most pictures.
        scale: Each pixel becomes so many squared.
    """
    check_file(output)
    _within("n", n, 1, MOST)
    _check_drawing(seed, scale)
    trained = load(model)
    pictures = trained.draw(noise(n, trained.config.noise, seed, "use"))
    save_frames([sheet(pictures, round(np.ceil(np.sqrt(n))))], output, scale, 1.0)
    return _drawn(output, n, trained.run)


def walk(
    output: Output = Path("walk.gif"),
    stops: int = 5,
    steps: int = 16,
    seed: int = 0,
    model: str | None = None,
    scale: int = 4,
) -> Drawn:
    """Walk through the noise along great circles, from picture to picture and back to the first.

    Example: workings use dcgan walk --stops 4 --steps 20 --seed 7 -o walk.gif

    Args:
        output: The file to write: .gif moves, .png lays the walk out, a row from each stop to the next.
        stops: Pictures to walk between.
        steps: Pictures from one stop to the next.
        seed: Of the stops.
        model: A run's id or folder; by default the generator on this machine that learned from the most pictures.
        scale: Each pixel becomes so many squared.
    """
    check_file(output)
    _within("stops", stops, 2, 64)
    _within("steps", steps, 1, 64)
    _check_drawing(seed, scale)
    trained = load(model)
    pictures = trained.draw(round_trip(noise(stops, trained.config.noise, seed, "use"), steps))
    frames = [*pictures] if output.suffix.lower() == ".gif" else [sheet(pictures, steps)]
    save_frames(frames, output, scale, 0.08)
    return _drawn(output, len(pictures), trained.run)


def animate(output: Output = Path("training.gif"), model: str | None = None, seconds: float = 0.5) -> Drawn:
    """Show pictures of the same noise over the epochs of a training; recorded trainings will do.

    Example: workings use dcgan animate -o training.gif

    Args:
        output: The file to write: .gif.
        model: A run's id or folder; by default the longest training, here or recorded.
        seconds: How long each epoch stays.
    """
    from PIL import Image

    check_file(output, (".gif",))
    if not 0.02 <= seconds <= 60:
        raise UserError(f"seconds is {seconds}: it lies between 0.02 and 60")
    run = _chosen(model, weights=None)
    names = [name for name in run.names("pictures") if name.startswith("epochs/")]
    if not names:
        raise UserError(f"run {run.id} kept no pictures: `workings show {STUDY.id}` lists the trainings")
    save_frames([np.asarray(Image.open(run.picture(name))) for name in names], output, 2, seconds)
    return _drawn(output, len(names), run)


VERBS = (sample, walk, animate)


def load(model: str | None = None) -> Trained:
    """A trained generator by run id or folder, or the one here that learned most; `UserError` where there is none."""
    run = _chosen(model)
    config = from_json(Config, run.config)
    generator = Generator(shape_of(config))
    load_weights(weights_of(run, LAST), {"generator": generator})
    prepare({"device": "cpu"})
    return Trained(run, config, generator.eval())


def _chosen(named: str | None, weights: str | None = LAST) -> Run:
    return trained_run(
        STUDY,
        named,
        what="generator",
        worth=lambda run: (run.reached or 0) * run.metric("pictures/train"),
        nothing=f"no generator is trained here: `workings run {STUDY.id} --preset quick` trains one on digits in "
        f"minutes, `workings run {STUDY.id} --preset full --seed 0` the sheet's on FashionMNIST in hours",
        weights=weights,
    )


def _drawn(path: Path, pictures: int, run: Run) -> Drawn:
    data = ", ".join(dataset["id"] for dataset in run.datasets.values())
    return Drawn(str(path), pictures, run.id, data, run.reached or 0)


def _check_drawing(seed: int, scale: int) -> None:
    _within("seed", seed, 0, 2**62)
    _within("scale", scale, 1, 16)


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UserError(f"{name} is {value:,}: it lies between {least:,} and {most:,}")
