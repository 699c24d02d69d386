"""Filter a picture of one's own, or look at what a kernel of one's own does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from workings.core.errors import UserError
from workings.core.files import replace_with, storage
from workings.data.catalogue import load_photograph
from workings.drawing import in_style, save
from workings.studies.filters.exact import total
from workings.studies.filters.experiment import GRID, validate
from workings.studies.filters.kernels import read_kernel
from workings.studies.filters.model import Array, response, spectral, weights
from workings.studies.filters.model import apply as filtered
from workings.studies.filters.pictures import displayed, grey_levels, planes, window
from workings.studies.filters.study import Border, Config
from workings.studies.filters.words import describe

PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
DRAWINGS = {".png", ".svg", ".pdf"}


@dataclass(frozen=True)
class Filtered:
    """A filtered picture, and how its answers became grey levels."""

    path: str
    kernel: str
    low: float
    high: float
    """The least and the greatest answer, in grey levels of 255."""
    shows: str

    def __str__(self) -> str:
        return f"{self.path}\n{self.kernel}: answers {self.low:.4g} to {self.high:.4g}; shown: {self.shows}".replace(
            " -", " −"
        )


@dataclass(frozen=True)
class Inspection:
    """A drawing of a kernel, and its properties in words."""

    path: str
    properties: dict[str, str]

    def __str__(self) -> str:
        return "\n".join([self.path, *(f"{name}: {words}" for name, words in self.properties.items())])


def apply(
    picture: Annotated[str, tyro.conf.Positional],
    /,
    kernel: str = "sharpen-x",
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("filtered.png"),
    border: Border = "reflect",
) -> Filtered:
    """Filter a whole picture and write it.

    Answers of a kernel that sums to 0 are signed: 0 is shown as middle grey, and the largest answer of either sign as
    black or white. All others are cut off at black and white. Colours are filtered one by one.

    Example: workings use filters apply coffee --kernel sobel-x -o edges.png

    Args:
        picture: A picture file, or camera, astronaut, coffee, chelsea, china, flower.
        kernel: A name from the table, or rows, as in "0 0 0; -1 3 -1; 0 0 0"; at most 31×31.
        output: A .png, .jpg or .tif file.
        border: What lies beyond the edge: zeros, the mirrored picture, its last pixel, or its other side.
    """
    kind = PICTURES.get(output.suffix.lower())
    if kind is None:
        raise UserError(f"{output} is no picture file: name it .png, .jpg or .tif")
    validate(Config(kernel=kernel, image=picture, border=border))
    chosen = read_kernel(kernel)
    answers = filtered(weights(chosen), planes(load_photograph(picture).pixels), border)
    shown = displayed(answers, total(chosen) == 0)
    _save(output, kind, shown.picture)
    return Filtered(str(output), chosen.name, float(answers.min()), float(answers.max()), shown.how)


def inspect(
    kernel: str = "sharpen-x",
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("response.png"),
    image: str = "camera",
    corner: tuple[int, int] | None = None,
) -> Inspection:
    """Draw a kernel, its frequency response, and what it does to a part of a picture; say its properties.

    Example: workings use filters inspect --kernel "1/9 1/9 1/9; 1/9 1/9 1/9; 1/9 1/9 1/9" -o response.png

    Args:
        kernel: A name from the table, or rows, as in "0 0 0; -1 3 -1; 0 0 0"; at most 31×31.
        output: A .png, .svg or .pdf file.
        image: The picture it is shown on: a file, or camera, astronaut, coffee, chelsea, china, flower.
        corner: Row and column of the part shown; the middle where it is left out.
    """
    if output.suffix.lower() not in DRAWINGS:
        raise UserError(f"{output} is no drawing: name it .png, .svg or .pdf")
    validate(Config(kernel=kernel, image=image, corner=corner or ()))
    chosen = read_kernel(kernel)
    clean = planes(load_photograph(image).pixels)
    answers = displayed(filtered(weights(chosen), clean), total(chosen) == 0).picture
    _draw(output, kernel, window(clean, corner or ()), window(answers, corner or ()))
    return Inspection(str(output), describe(chosen, spectral(weights(chosen)).missed))


VERBS = (apply, inspect)


def _save(path: Path, kind: str, picture: Array) -> None:
    from PIL import Image

    image = Image.fromarray(grey_levels(picture))
    with storage(path):
        replace_with(path.expanduser(), lambda p: image.save(p, format=kind))


def _draw(path: Path, kernel: str, before: Array, after: Array) -> None:
    from matplotlib.figure import Figure

    from workings.studies.filters.portrait import cuts, numbers, pixels, response_map

    chosen, frequencies = read_kernel(kernel), np.linspace(-np.pi, np.pi, GRID)
    grid = response(weights(chosen), frequencies, frequencies)
    real = float(np.abs(grid.imag).max()) <= 1e-9 * float(np.abs(grid).max())  # the rest is rounding
    shown, middle, name = (grid.real if real else np.abs(grid)), GRID // 2, ("H" if real else "|H|")
    with in_style():
        drawing = Figure(figsize=(13, 3.2), layout="constrained")
        panels = drawing.subplots(1, 5)
        numbers(panels[0], chosen.rows)
        response_map(panels[1], np.stack([grid.real, grid.imag]), f"{name}(u, v)")
        across, down = shown[middle, middle:], shown[middle:, middle]
        same = np.allclose(across, down)
        cuts(panels[2], {"x and y": (across, "C0")} if same else {"along x": (across, "C0"), "along y": (down, "C1")})
        panels[2].set_title(name, fontsize=12)
        pixels(panels[3], grey_levels(before), "in")
        pixels(panels[4], grey_levels(after), "out")
        save(drawing, path)
