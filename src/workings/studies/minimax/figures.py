"""What the evidence looks like: who converges for which step size, how the plays move, and the saddle itself."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from workings.core.evidence import Evidence
from workings.core.figure import figure
from workings.studies.minimax.model import Array, ExpressionGame
from workings.studies.minimax.portrait import Curve, extent, phase, radius, surface
from workings.studies.minimax.study import BILINEAR_GAME, METHODS, SHEET_GAME

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure(
    "spectral-radius",
    caption="Left the sheet's game, right f = xy. A method converges where its curve lies in the shaded band.",
    alt="Curves of the spectral radius over the step size, one for each method. On the sheet's game all but plain "
    "descent dip below one and leave it again, optimistic first; on the bilinear game only extragradient and "
    "optimistic dip below one at all.",
)
def spectral_radius(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 2, figsize=(8.0, 4.6), sharey=True)
    for axes, game, right in zip(panels, (SHEET_GAME, BILINEAR_GAME), (0.3, 2.4), strict=True):
        radius(axes, _curves(evidence, game), right)
        axes.set_title(f"f = {_typeset(game)}", pad=58)
    panels[1].set_ylabel("")
    drawing.suptitle("Only where play turns do the cleverer methods earn their keep", x=0.02, ha="left")
    return drawing


@figure(
    "phase-portrait",
    caption="Plays from the ringed start over the level lines of f; grey arrows show the push at each point.",
    alt="Two maps. On the sheet's game descent-ascent heads for the saddle at the centre while descent on both is "
    "driven out along y. On the bilinear game simultaneous play spirals outwards, alternating play circles, and "
    "extragradient spirals inwards.",
)
def phase_portrait(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 2, figsize=(8.0, 4.5))
    shown = (
        (SHEET_GAME, {"gda": 0.1, "descent": 0.1}),
        (BILINEAR_GAME, {"gda": 0.5, "alternating": 0.5, "extragradient": 0.5}),
    )
    for axes, (game, plays) in zip(panels, shown, strict=True):
        paths = {method: _path(evidence, game, method, eta) for method, eta in plays.items()}
        phase(axes, ExpressionGame.parse(game), paths, 2.2)
        step = next(iter(plays.values()))
        axes.set_title(f"f = {_typeset(game)}, η = {step:g}")
    panels[1].set_ylabel("")
    drawing.suptitle("The same step settles one game and spirals out of the other", x=0.02, ha="left")
    return drawing


@figure(
    "surface",
    caption="The sheet's game: descent-ascent settles at the saddle, descent on both falls off along y.",
    alt="A saddle surface. One path descends along x and climbs along y to the saddle point; the other leaves it, "
    "falling along y.",
)
def saddle_surface(evidence: Evidence) -> "Figure":
    drawing = plt.figure(figsize=(7.2, 5.0))
    axes = drawing.add_subplot(projection="3d", computed_zorder=False)
    paths = {method: _path(evidence, SHEET_GAME, method, 0.1) for method in ("gda", "descent")}
    surface(axes, ExpressionGame.parse(SHEET_GAME), paths, extent(list(paths.values())))
    axes.view_init(elev=28, azim=-52)
    axes.set_title("A minimum along x, a maximum along y")
    return drawing


def _curves(evidence: Evidence, game: str) -> dict[str, Curve]:
    """A curve a method; every run of a method holds the same one."""
    runs = {method: evidence.where(f=game, method=method).one() for method in METHODS}
    return {method: (run.array("spectrum/eta"), run.array("spectrum/radius")) for method, run in runs.items()}


def _path(evidence: Evidence, game: str, method: str, eta: float) -> Array:
    run = evidence.where(f=game, method=method, eta=eta, start=[1.0, 1.0]).one()
    return np.asarray(run.array("path"), dtype=np.float64)


def _typeset(game: str) -> str:
    return "$" + game.replace("**2", "^2").replace("*", "") + "$"
