"""Ask where a step on one of your own terms raises the whole loss, and draw it."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import tyro

from workings.drawing import check_file, in_style, save
from workings.studies.sgd.experiment import interval_text, read_loss, validate
from workings.studies.sgd.model import Loss, mean_square_noise, raises
from workings.studies.sgd.study import SHEET_TERMS, Config


@dataclass(frozen=True)
class Rises:
    """Where steps raise a sum of parabolas."""

    minimiser: str
    rises: dict[str, str]
    """By term, the places w from which a step on it raises the sum."""
    noise: str
    """The mean square distance from the minimiser at which the walk stays."""
    path: str = ""
    """The picture, where one was asked for."""

    def __str__(self) -> str:
        lines = [
            f"minimiser: w = {self.minimiser}",
            *(f"{term} raises f: {where}" for term, where in self.rises.items()),
        ]
        return "\n".join([*lines, f"E (w − m)²: {self.noise}", *([self.path] if self.path else [])])


def rises(
    f: tuple[str, ...] = SHEET_TERMS,
    eta: float = 0.2,
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None,
) -> Rises:
    """Say exactly where a step on each term raises the sum, and draw it over all step sizes if asked to.

    Example: workings use sgd rises --f "2*w**2" --f "(w-3)**2" --eta 0.1 -o rises.png

    Args:
        f: The terms, one flag each: parabolas in w that open upwards.
        eta: Step size, in units of 1/curvature.
        output: A .png, .svg or .pdf file to draw to.
    """
    if output is not None:
        check_file(output)
    validate(Config(f=f, eta=eta))
    loss, step = read_loss(f), Fraction(str(eta))
    found = {text: interval_text(raises(loss, term, step)) for text, term in zip(f, loss.terms, strict=True)}
    noise = mean_square_noise(loss, step)
    if output is not None:
        _draw(output, loss, max(2 * eta, float(2 / max(term.a for term in loss.terms))))
    kept = "the walk does not settle" if noise is None else f"{noise} = {float(noise):.4g}"
    return Rises(str(loss.minimiser), found, kept, str(output or ""))


VERBS = (rises,)


def _draw(path: Path, loss: Loss, most: float) -> None:
    from matplotlib.figure import Figure

    from workings.studies.sgd.portrait import map_of_rises

    with in_style():
        drawing = Figure(figsize=(8, 5), layout="constrained")
        map_of_rises(drawing.subplots(), loss, most)
        save(drawing, path)
