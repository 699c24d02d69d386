"""What the evidence looks like: where steps raise the loss, a walk beside the whole gradient, the noise that stays."""

from fractions import Fraction
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.studies.sgd.experiment import read_loss
from workings.studies.sgd.model import mean_square_noise
from workings.studies.sgd.portrait import map_of_rises
from workings.studies.sgd.study import SHEET_TERMS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_ETA = 0.2
"""The step size whose walk is shown: slow enough to see the way down, quick enough to see the noise."""


@figure(
    "map-of-rises",
    caption="Each point is a place w and a step size η; where a term's colour lies, a step on that term raises f.",
    alt="Two coloured regions over place and step size, one for each term. Both reach the line of the minimiser at "
    " every step size, and where the step size is large they cover almost the whole strip between the terms' minima.",
)
def rises(evidence: Evidence) -> "Figure":
    drawing, axes = plt.subplots(figsize=(7.6, 4.6))
    map_of_rises(axes, read_loss(SHEET_TERMS), most=2.0)
    drawing.suptitle("At the minimiser every step goes up, however short", x=0.02, ha="left")
    return drawing


@figure(
    "walk",
    caption="The loss above its least value, along one walk of single-term steps and along descent on the whole.",
    alt="Two curves over steps on a logarithmic scale. Descent on the whole falls along a straight line; the walk "
    "falls with it at first, then stays about a level, jumping up and down.",
)
def walk(evidence: Evidence) -> "Figure":
    run = evidence.where(f=list(SHEET_TERMS), eta=SHOWN_ETA).one()
    loss = read_loss(SHEET_TERMS)
    half_curvature, m = float(loss.curvature) / 2, float(loss.minimiser)
    drawing, axes = plt.subplots(figsize=(7.6, 4.3))
    curves = {name: half_curvature * (run.array(name) - m) ** 2 for name in ("walk", "full_batch")}
    kept = curves["full_batch"] > FLOOR
    steps = np.arange(len(kept))
    axes.semilogy(steps, curves["walk"], color="C0", linewidth=1.2)
    axes.semilogy(steps[kept], curves["full_batch"][kept], color="C1")
    ups = np.flatnonzero(np.diff(curves["walk"]) > 0) + 1
    axes.semilogy(ups, curves["walk"][ups], "o", color="C0", markersize=3)
    level = half_curvature * run.metric("noise/predicted")
    axes.axhline(level, color="grey", linewidth=0.8, linestyle=":")
    axes.text(
        steps[-1], curves["walk"].max(), "dotted: the mean of the stationary walk", color="grey", ha="right", va="top"
    )
    last = int(np.flatnonzero(kept)[-1])
    axes.text(last + 2, curves["full_batch"][last], "the whole gradient", color="C1", va="bottom")
    axes.text(
        steps[-1], curves["walk"].min() * 0.5, "one term a step; dots: steps up", color="C0", ha="right", va="top"
    )
    axes.set_xlabel("step")
    axes.set_ylabel("f(w) − least f")
    axes.set_ylim(FLOOR, None)
    share = len(ups) / (len(steps) - 1)
    drawing.suptitle(f"Of the walk's steps {share:.0%} go up, at η = {SHOWN_ETA:g}", x=0.02, ha="left")
    return drawing


@figure(
    "noise",
    caption="The mean square distance from the minimiser once the start is forgotten: predicted (line), measured "
    "(dots).",
    alt="A curve that rises from zero, ever steeper, as the step size grows; the measured dots lie on it.",
)
def noise(evidence: Evidence) -> "Figure":
    runs = list(evidence.where(f=list(SHEET_TERMS)))
    loss = read_loss(SHEET_TERMS)
    drawing, axes = plt.subplots(figsize=(7.6, 4.3))
    etas = [Fraction(k, 100) for k in range(1, int(110 * max(run.config["eta"] for run in runs)))]
    predicted = [(float(eta), mean_square_noise(loss, eta)) for eta in etas]
    axes.plot(*zip(*((eta, float(noise)) for eta, noise in predicted if noise is not None), strict=True), color="C0")
    for run in runs:
        axes.errorbar(run.config["eta"], run.metric("noise/measured"), _error(run), fmt="o", color="C1", capsize=3)
    axes.set_xlabel("step size η, in units of 1/curvature")
    axes.set_ylabel("E (w − m)²")
    axes.set_ylim(0, None)
    drawing.suptitle("A fixed step never settles: it buys speed with noise", x=0.02, ha="left")
    return drawing


FLOOR = 1e-9
"""Losses below this are not drawn: descent on the whole goes on to rounding, which would flatten all else."""


def _error(run: Run) -> float:
    """Two standard errors."""
    return 2 * run.metric("noise/error")
