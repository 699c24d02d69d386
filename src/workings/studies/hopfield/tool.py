"""A memory of one's own: a folder of pictures is stored, damaged pictures are recognised and restored from it.

All pictures are scaled to one size, whose shape is the usual one of the folder; similarity is judged by their greys,
and what comes back has their colours (in the terms of attention: the keys are grey, the values are not).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from numpy.typing import NDArray

from workings.core.errors import UserError
from workings.data.catalogue import load_pictures
from workings.data.photographs import load_photograph
from workings.drawing import check_file, save
from workings.studies.hopfield.experiment import LARGEST, LIMITS, asked, validate
from workings.studies.hopfield.model import AssociativeMemory, effective_patterns
from workings.studies.hopfield.pictures import blend, keys, visible
from workings.studies.hopfield.study import Config, Mask

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
SIZES = (8, 512)
COLUMNS = 24
"""Pictures side by side on a sheet at most: more cannot be made out."""
Pixels = NDArray[np.uint8]
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]


@dataclass(frozen=True)
class Answer:
    """What the memory made of one picture."""

    asked: str
    recalled: str
    """The stored picture with the largest say."""
    say: float
    """Its share of the answer."""
    similarity: float
    """Of that picture to what could be seen: the cosine of their patterns, 1 at most."""
    voices: float
    """Effective number of stored pictures in the answer."""
    energy: tuple[float, float]
    """At first, at last."""

    def __str__(self) -> str:
        return (
            f"{self.asked}: {self.recalled} with {self.say:.0%} of the say, similarity {self.similarity:.2f}; "
            f"{self.voices:.3g} stored pictures in the answer; energy {self.energy[0]:.4g} → {self.energy[1]:.4g}"
        )


@dataclass(frozen=True)
class Sheet:
    """A sheet of pictures, and an answer for each column."""

    path: str
    stored: int
    answers: tuple[Answer, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.path}: {self.stored:,} pictures stored", *map(str, self.answers)])


def restore(
    photos: tyro.conf.Positional[tuple[Path, ...]],
    memory: Path,
    output: Output = Path("restored.png"),
    beta: float = 8.0,
    mask: Mask = "none",
    size: int = 96,
    steps: int = 100,
) -> Sheet:
    """Restore damaged pictures from a folder of sound ones.

    Example: workings use hopfield restore damaged.png --memory my_pictures --mask left -o sheet.png

    Args:
        photos: The damaged pictures.
        memory: A folder of pictures to store.
        output: The sheet to draw: a .png, .svg or .pdf file.
        beta: Inverse temperature: small blends many pictures, large picks one.
        mask: The half of the damaged pictures that is not to be looked at.
        size: Pixels along the longer side, to which all pictures are scaled.
        steps: Updates at most.
    """
    _check_output(output)
    _within("size", size, SIZES)
    _within("steps", steps, LIMITS["steps"])
    _within("beta", beta, LIMITS["beta"])
    if not 1 <= len(photos) <= COLUMNS:
        raise UserError(f"{len(photos)} pictures to restore: give 1 to {COLUMNS}")
    files = _files(memory)
    loaded = [load_photograph(str(path)).pixels for path in files]
    shape = _common([pixels.shape for pixels in loaded], size)
    if len(files) * shape[0] * shape[1] > LARGEST:
        raise UserError(f"{len(files):,} pictures of {shape[1]} × {shape[0]} are too many to hold: lower --size")
    stored = np.stack([_scaled(pixels, shape) for pixels in loaded])
    damaged = np.stack([_scaled(load_photograph(str(path)).pixels, shape) for path in photos])
    return _answered(stored, damaged, [p.name for p in files], [p.name for p in photos], mask, beta, steps, output)


def recall(
    data: str = "digits",
    output: Output = Path("recall.png"),
    patterns: int = 100,
    queries: int = 10,
    beta: float = 8.0,
    mask: Mask = "left",
    noise: float = 0.0,
    seed: int = 0,
) -> Sheet:
    """Store pictures of a dataset, damage some, and draw what comes back.

    Example: workings use hopfield recall --data digits --patterns 500 --beta 8 --mask left -o recall.png

    Args:
        data: digits, fashion-mnist, or a folder of idx files.
        output: The sheet to draw: a .png, .svg or .pdf file.
        patterns: Pictures to store.
        queries: How many of them are damaged and asked for.
        beta: Inverse temperature: small blends many pictures, large picks one.
        mask: The half that is hidden.
        noise: Standard deviation of the noise, in units of a picture's own.
        seed: Seed of the choice of pictures, and of the noise.
    """
    _check_output(output)
    _within("queries", queries, (1, COLUMNS))
    config = Config(data=data, patterns=patterns, queries=queries, beta=beta, mask=mask, noise=noise, seed=seed)
    validate(config)
    pictures = load_pictures(data)
    stored, labels, damaged = asked(config, pictures)
    names = [f"{pictures.classes[label]} (picture {i})" for i, label in enumerate(labels)]
    return _answered(stored, damaged, names, names, mask, beta, config.steps, output)


VERBS = (restore, recall)


def _answered(
    stored: Pixels,
    damaged: Pixels,
    names: Sequence[str],
    questions: Sequence[str],
    mask: Mask,
    beta: float,
    steps: int,
    output: Path,
) -> Sheet:
    """Ask, draw the sheet, and say what came back."""
    seen = visible(mask, *damaged.shape[1:3])
    X, q = keys(stored), keys(damaged, seen)
    _not_flat(X, names, "whole picture")
    _not_flat(q, questions, "part that can be seen")
    memory = AssociativeMemory(X, beta)
    found = memory.retrieve(q, steps)
    p = memory.weights(found.state)
    own = p.argmax(-1)
    similar = torch.cosine_similarity(q, keys(stored[own.numpy()], seen))
    voices = effective_patterns(p)
    answers = [
        Answer(
            question,
            names[int(own[i])],
            float(p[i, own[i]]),
            float(similar[i]),
            float(voices[i]),
            (float(found.energy[0, i]), float(found.energy[-1, i])),
        )
        for i, question in enumerate(questions[: len(q)])
    ]
    rows = {"asked": damaged, "recalled": blend(p, stored)}
    _draw(output, rows, {"asked": seen}, [f"{answer.say:.0%}" for answer in answers])
    return Sheet(str(output), len(stored), tuple(answers))


def _draw(path: Path, rows: Mapping[str, Pixels], seen: Mapping[str, NDArray[np.bool_]], labels: Sequence[str]) -> None:
    from matplotlib.figure import Figure

    from workings.studies.hopfield.gallery import sheet

    height, width = rows["asked"].shape[1:3]
    columns, side = len(labels), 1.4
    drawing = Figure(figsize=(1.0 + side * columns, 0.5 + 2 * side * height / width), layout="constrained")
    sheet(drawing, {kind: list(pictures) for kind, pictures in rows.items()}, seen, labels=labels)
    save(drawing, path)


def _files(folder: Path) -> list[Path]:
    """The pictures of a folder, by name."""
    folder = folder.expanduser()
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: give --memory a folder of pictures")
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES and path.is_file())
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}") from None
    if not found:
        raise UserError(f"{folder} holds no pictures ({', '.join(sorted(PICTURES))}): put in those to be remembered")
    if len(found) * SIZES[0] ** 2 > LARGEST // 100:
        raise UserError(f"{folder} holds {len(found):,} pictures: {LARGEST // 100 // SIZES[0] ** 2:,} at most")
    return found


def _common(shapes: Sequence[tuple[int, ...]], longer: int) -> tuple[int, int]:
    """Height and width for all: the median ratio of the sides, and the longer of them as asked."""
    ratio = float(np.median([shape[0] / shape[1] for shape in shapes]))
    height, width = (longer, longer / ratio) if ratio > 1 else (longer * ratio, longer)
    return max(2, round(height)), max(2, round(width))


def _scaled(pixels: Pixels, shape: tuple[int, int]) -> Pixels:
    """A picture in that height and width, in colour."""
    from PIL import Image

    picture = Image.fromarray(pixels).convert("RGB").resize(shape[::-1], Image.Resampling.LANCZOS)
    return np.asarray(picture, dtype=np.uint8)


def _not_flat(patterns: torch.Tensor, names: Sequence[str], part: str) -> None:
    flat = torch.nonzero(patterns.abs().sum(-1) == 0).flatten().tolist()
    if flat:
        raise UserError(f"{names[flat[0]]}: the {part} is of a single grey, which is like nothing; leave it out")


def _check_output(path: Path) -> None:
    check_file(path)


def _within(name: str, value: float, limits: tuple[float, float]) -> None:
    if not limits[0] <= value <= limits[1]:
        raise UserError(f"{name} is {value:,}: give a number from {limits[0]:g} to {limits[1]:g}")
