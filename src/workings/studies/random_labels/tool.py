"""Learn pictures or a table by heart: the theorem's network for data of one's own, without any training."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro
from numpy.typing import NDArray
from safetensors.numpy import save

from workings.core.errors import UserError
from workings.core.files import write_atomic
from workings.studies.random_labels import construction
from workings.studies.random_labels.construction import Thresholds
from workings.studies.random_labels.table import read_table

MOST = 100_000
"""Rows or pictures at most: the network is summed term by term, n² of them in all."""
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Memorised:
    """A network that says the labels it was built on."""

    points: int
    dimension: int
    size: int
    """Numbers in the network: 2n + d."""
    equal: int
    """Rows that were left out, since an equal one with the same label was there."""
    error: float
    """Largest difference between what it says and a label, in float64."""
    wrong: int
    """Points whose label it does not say once rounded to a class."""
    classes: tuple[str, ...]
    """Labels by number; empty where they are numbers themselves."""
    path: str
    """The file it was written to; empty where it was not."""

    def __str__(self) -> str:
        what = f"{self.points:,} points of {self.dimension:,} numbers"
        equal = f" ({self.equal:,} more are equal to one of them)" if self.equal else ""
        said = f"largest error {self.error:.2g}"
        said += f", {self.wrong:,} of them wrong" if self.classes else ""
        lines = [
            f"2 · {self.points:,} + {self.dimension:,} = {self.size:,} numbers say the labels of {what}{equal}",
            said,
        ]
        return "\n".join([*lines, *([self.path] if self.path else [])])


def memorise(
    data: Annotated[str, tyro.conf.Positional],
    labels: Literal["own", "random"] = "own",
    thresholds: Thresholds = "previous",
    seed: int = 0,
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None,
) -> Memorised:
    """Build a two-layer ReLU network of 2n + d weights that says every label of a table or of a set of pictures.

    Example: workings use random_labels memorise digits --labels random -o heart.safetensors

    Args:
        data: A .csv of numbers with the label last, or pictures: a set's id, class folders, a zip, an npz.
        labels: The data's own, or random ones in their place.
        thresholds: previous: at the projection before; midpoints: half-way, which loses digits.
        seed: Of the direction, and of random labels.
        output: A .safetensors file for the network: a (direction), b (thresholds), w (weights).
    """
    if output is not None and output.suffix != SUFFIX:
        raise UserError(f"{output} is no file for a network: name it {SUFFIX}")
    if not 0 <= seed < 1 << 62:
        raise UserError(f"seed is {seed}: it is counted from 0")
    is_table = data.casefold().endswith(".csv")
    reads = "numbers" if is_table else "pixels / 255"
    points, wanted, classes = read_table(Path(data).expanduser()) if is_table else _pictures(data)
    if len(points) > MOST:
        raise UserError(f"{data} holds {len(points):,} points: {MOST:,} at most can be learned by heart")
    given = len(points)
    try:
        said = np.array(classes)[wanted.astype(int)] if classes else wanted
        kept = construction.distinct(points, said if labels == "own" else np.zeros(len(wanted)))
        points, wanted = points[kept], wanted[kept]
        if labels == "random":
            wanted = np.random.default_rng(seed).permutation(wanted)
        memory = construction.memorise(points, wanted, seed, thresholds)
    except ValueError as error:
        raise UserError(f"{data}: {error}") from None
    off = np.abs(memory(points) - wanted)
    if output is not None:
        numbers = {"a": memory.direction, "b": memory.thresholds, "w": memory.weights}
        about = {"classes": json.dumps(classes), "reads": reads}
        write_atomic(output.expanduser(), save(numbers, metadata=about))
    return Memorised(
        points=len(points),
        dimension=points.shape[1],
        size=memory.size,
        equal=given - len(kept),
        error=float(off.max()),
        wrong=int((off >= 0.5).sum()),
        classes=classes,
        path="" if output is None else str(output),
    )


VERBS = (memorise,)


def _pictures(data: str) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    from workings.data.catalogue import load_pictures

    found = load_pictures(data)
    images = found.train_images
    return images.reshape(len(images), -1) / 255, found.train_labels.astype(np.float64), found.classes
