"""Draw a game of one's own: its surface, its phase portrait, and which step sizes converge."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from workings.drawing import check_file, in_style, save
from workings.studies.minimax.experiment import validate
from workings.studies.minimax.model import Array, ExpressionGame, simulate
from workings.studies.minimax.spectrum import converging_steps, spectral_radius
from workings.studies.minimax.stationary import StationaryPoint, stationary_points
from workings.studies.minimax.study import METHODS, Config, Method


@dataclass(frozen=True)
class Drawing:
    """A picture of a game, and what it shows."""

    path: str
    note: str
    """What stationary points there are."""
    converging: dict[str, str]
    """By method, the step sizes that converge at the point nearest the start; empty where there is no such point."""

    def __str__(self) -> str:
        return "\n".join([self.path, self.note, *(f"{m}: {steps}" for m, steps in self.converging.items())])


def draw(
    f: str,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("game.png"),
    method: Method = "gda",
    eta: float = 0.1,
    start: tuple[float, float] = (1.0, 1.0),
    steps: int = 60,
) -> Drawing:
    """Draw the surface, the phase portrait and the spectral radius of a game of one x and one y.

    Example: workings use minimax draw --f "x*y + 0.1*x**2" --method extragradient --eta 0.5 -o game.png

    Args:
        f: The game: an expression in x, which minimises, and y, which maximises.
        output: A .png, .svg or .pdf file.
        method: How both players move in the play that is shown.
        eta: Its step size.
        start: Where it starts.
        steps: Its moves.
    """
    check_file(output)
    config = Config(f=f, method=method, eta=eta, start=start, steps=steps)
    validate(config)
    game, at = ExpressionGame.parse(config.f), np.array(config.start, dtype=np.float64)
    found = stationary_points(game)
    places = [*found.points, *(sample for _, sample in found.curves)]
    nearest = min(places, key=lambda place: float(np.linalg.norm(at - place.point)), default=None)
    _write(output, game, nearest, {method: simulate(game, method, eta, at, steps)}, eta)
    converging: dict[str, str] = (
        {m: str(converging_steps(nearest.jacobian, game.n, m)) for m in METHODS} if nearest else {}
    )
    return Drawing(str(output), found.note, converging)


VERBS = (draw,)


def _write(
    path: Path, game: ExpressionGame, nearest: StationaryPoint | None, paths: dict[str, Array], eta: float
) -> None:
    from matplotlib.figure import Figure

    from workings.studies.minimax.portrait import Curve, extent, phase, radius, surface

    reach = extent(list(paths.values()))
    with in_style():
        drawing = Figure(figsize=(13, 4.2), layout="constrained")
        surface(drawing.add_subplot(1, 3, 1, projection="3d", computed_zorder=False), game, paths, reach)
        phase(drawing.add_subplot(1, 3, 2), game, paths, reach)
        if nearest is not None:
            size = float(np.abs(np.linalg.eigvals(np.array(nearest.jacobian, dtype=float))).max()) or 1.0
            etas = np.linspace(0, max(2.5 / size, 1.2 * eta), 400)
            curves: dict[str, Curve] = {m: (etas, spectral_radius(nearest.jacobian, game.n, m, etas)) for m in METHODS}
            radius(drawing.add_subplot(1, 3, 3), curves, float(etas[-1]))
        drawing.suptitle(f"f = {game.f.text}", x=0.02, ha="left")
        save(drawing, path)
