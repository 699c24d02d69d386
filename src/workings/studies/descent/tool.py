"""Tune and draw a quadratic of one's own: the best step and momentum of every method, and how they race."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from workings.drawing import check_file, in_style, save
from workings.studies.descent.experiment import read, read_loss
from workings.studies.descent.measure import TOLERANCE, steps_needed
from workings.studies.descent.model import Array, Quadratic, simulate
from workings.studies.descent.spectrum import threshold, tuned
from workings.studies.descent.study import METHODS, Config
from workings.studies.descent.words import count, factor, momentum

FOLLOWED = 2_000
"""Steps of each method that a drawing follows: more would not show."""


@dataclass(frozen=True)
class Setting:
    """One method at its best on one loss."""

    method: str
    eta: float
    beta: float
    threshold: float
    """With this momentum it converges for 0 < η < threshold."""
    rate: str
    """What is left of the distance after each step, in the long run."""
    steps: float
    """Steps to a millionth of the start by that rate."""


@dataclass(frozen=True)
class Tuned:
    """Every method at its best on one loss."""

    kappa: float
    settings: tuple[Setting, ...]

    def __str__(self) -> str:
        rows = [
            f"{s.method:15} η = {s.eta:<11.6g} β = {momentum(s.beta):<11} rate {s.rate:11} about {count(s.steps)}"
            for s in self.settings
        ]
        return "\n".join(
            [f"condition number κ = {self.kappa:.6g}; steps to {TOLERANCE:g} of the start, by the rate alone:", *rows]
        )


@dataclass(frozen=True)
class Drawing:
    """A picture of a race, and the parameters of those who ran."""

    path: str
    tuned: Tuned

    def __str__(self) -> str:
        return f"{self.path}\n{self.tuned}"


def tune(a: float = Config.a, b: float = Config.b, matrix: str = "") -> Tuned:
    """The best fixed step and momentum of every method on a quadratic loss.

    Example: workings use descent tune --matrix "2 1; 1 3"

    Args:
        a: Curvature along w₁ of the sheet's loss.
        b: Curvature along w₂.
        matrix: In place of a and b, the symmetric matrix of ½wᵀAw, rows parted by semicolons.
    """
    return _tuned(read_loss(a, b, matrix))


def draw(
    a: float = Config.a,
    b: float = Config.b,
    matrix: str = "",
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("descent.png"),
    start: tuple[float, ...] = (),
) -> Drawing:
    """Draw every method at its best: their paths over the level lines of the loss, and their distances over steps.

    Example: workings use descent draw --a 100 --b 1 -o descent.png

    Args:
        a: Curvature along w₁ of the sheet's loss.
        b: Curvature along w₂.
        matrix: In place of a and b, the symmetric matrix of ½wᵀAw, rows parted by semicolons.
        output: A .png, .svg or .pdf file.
        start: Where all begin, as in 1,1; nothing stands for ones.
    """
    check_file(output)
    play = read(Config(a=a, b=b, matrix=matrix, start=start))
    _write(output, play.loss, play.start)
    return Drawing(str(output), _tuned(play.loss))


VERBS = (tune, draw)


def _tuned(loss: Quadratic) -> Tuned:
    curvatures = loss.curvatures
    settings = []
    for method in METHODS:
        eta, beta, _ = best = tuned(method, curvatures)
        high = float(threshold(method, beta, curvatures.tolist()))
        settings.append(Setting(method, eta, beta, high, factor(best.log_rate), steps_needed(best.log_rate)))
    return Tuned(float(curvatures.max() / curvatures.min()), tuple(settings))


def _write(path: Path, loss: Quadratic, start: Array) -> None:
    """The race, and beside it, where there are two weights, a map for each method, whose title names its colour."""
    from matplotlib.figure import Figure

    from workings.studies.descent.portrait import colour, contours, race, trail

    runs = {method: tuned(method, loss.curvatures) for method in METHODS}
    paths = {m: simulate(loss, m, eta, beta, start, FOLLOWED) for m, (eta, beta, _) in runs.items()}
    distances: dict[str, Array] = {m: np.linalg.norm(points, axis=-1) for m, points in paths.items()}
    reach = 1.1 * max(float(np.abs(points).max()) for points in paths.values())
    with in_style():
        drawing = Figure(figsize=(12, 5.6) if loss.n == 2 else (7, 4.4), layout="constrained")
        halves: Any = drawing.subfigures(1, 2) if loss.n == 2 else [None, drawing]
        maps = halves[0].subplots(2, 2, sharex=True, sharey=True).flat if loss.n == 2 else ()
        for axes, method in zip(maps, METHODS, strict=False):
            contours(axes, loss, reach)
            trail(axes, paths[method], reach, colour(method), width=0.8)
            axes.set_title(f"{method}, η = {runs[method].eta:.4g}", color=colour(method), loc="left", fontsize=11)
            axes.label_outer()
        finish = halves[1].subplots()
        race(finish, distances, TOLERANCE * float(distances["gd"][0]))
        if loss.n != 2:
            finish.legend(labelcolor="linecolor", frameon=False)
        kappa = loss.curvatures.max() / loss.curvatures.min()
        drawing.suptitle(f"Every method at its best parameters, κ = {kappa:.4g}", x=0.02, ha="left")
        save(drawing, path)
