"""What the evidence looks like: three step sizes, the steps that converge, what κ costs, heavy-ball's double root."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.studies.descent.measure import slope
from workings.studies.descent.model import Quadratic
from workings.studies.descent.portrait import colour, contours, trail
from workings.studies.descent.study import CONDITION_NUMBERS, METHODS, Config

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MIDDLING = CONDITION_NUMBERS[2]
"""The condition number at which methods are drawn beside each other: far enough from 1 for them to differ."""


@figure(
    "three-steps",
    caption="Gradient descent on the sheet's loss from the ringed start, over the level lines of the loss.",
    alt="Three maps of the same elongated valley. With a small step the path drops to the valley's floor and creeps "
    "along it; with the best step it zigzags across the valley straight into the minimum; with a step beyond the "
    "threshold the zigzag grows until it leaves the map.",
)
def three_steps(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 3, figsize=(8.0, 2.95), sharey=True)
    runs = _trio(evidence)
    loss = Quadratic(np.diag([runs[0].config["a"], runs[0].config["b"]]))
    for number, (axes, run) in enumerate(zip(panels, runs, strict=True)):
        contours(axes, loss, 1.6)
        trail(axes, run.array("path"), 1.6, f"C{number}")
        steps = run.metric("steps/measured")
        fate = f"{steps:,.0f} steps to a millionth" if np.isfinite(steps) else "never arrives"
        axes.set_ylim(-0.5, 1.5)
        axes.set_title(f"η = {run.metric('eta'):.3g}\n{fate}", color=f"C{number}", fontsize=11.5)
        axes.label_outer()
    drawing.suptitle("Too small a step crawls, too large a step climbs out of the valley", x=0.02, ha="left")
    return drawing


def _trio(evidence: Evidence) -> list[Run]:
    """The plays on the default loss with the smallest step size, the best, and the largest."""
    sheet = evidence.where(method="gd", matrix="", a=Config().a, b=Config().b)
    ranked = sorted(sheet, key=lambda run: run.metric("eta"))
    return [ranked[0], sheet.where(eta=None).one(), ranked[-1]]


@figure(
    "spectral-radius",
    caption="Each method with its best momentum; a dot marks the step size that goes with it. Below 1 it converges.",
    alt="Spectral radius over step size. Gradient descent is a shallow V with its foot just before its threshold. "
    "Heavy-ball falls much lower, to a sharp point at a far larger step, just before its own. Both Nesterov curves "
    "fall early, one to a point and one to a level floor, and leave the converging range first.",
)
def spectral_radius(evidence: Evidence) -> "Figure":
    drawing, axes = plt.subplots(figsize=(7.6, 4.4))
    axes.axhline(1, color="grey", linewidth=1)
    axes.axhspan(0, 1, color="grey", alpha=0.08, linewidth=0)
    offsets = {"gd": (-6, -16), "heavy-ball": (-10, -6), "nesterov": (-8, -16), "nesterov-tuned": (10, -12)}
    for method in METHODS:
        run = _best(evidence, method).where(a=MIDDLING).one()
        eta, rate, size = run.metric("eta"), run.metric("rate/predicted"), run.config["a"]
        x, y = run.array("spectrum/eta") * size, run.array("spectrum/radius")
        axes.plot(x, np.where(y <= 1.1, y, np.nan), color=colour(method))
        axes.plot(eta * size, rate, "o", color=colour(method))
        axes.annotate(
            f"{method} {rate:.3f}",
            (eta * size, rate),
            xytext=offsets[method],
            textcoords="offset points",
            color=colour(method),
            ha="right" if offsets[method][0] < 0 else "left",
        )
    axes.set_xlim(0, 3.6)
    axes.set_ylim(0.72, 1.06)
    axes.set_xlabel("step size η, in units of 1/L (L: the largest curvature)")
    axes.set_ylabel("spectral radius: distance kept per step")
    drawing.suptitle("Momentum digs deeper; Nesterov's has the narrowest range of steps", x=0.02, ha="left")
    return drawing


@figure(
    "steps-over-condition",
    caption="Steps to a millionth of the start at each method's best parameters; slopes are fitted to the upper half.",
    alt="On logarithmic axes the steps of gradient descent rise along a line of slope one; those of heavy-ball and of "
    "both Nesterov settings rise half as steeply and lie close together.",
)
def steps_over_condition(evidence: Evidence) -> "Figure":
    drawing, axes = plt.subplots(figsize=(7.6, 4.4))
    middle = CONDITION_NUMBERS[len(CONDITION_NUMBERS) // 2]
    lifts = {"gd": 0, "heavy-ball": -11, "nesterov": 11, "nesterov-tuned": 0}
    for method in METHODS:
        runs = [run for run in _best(evidence, method) if run.config["a"] in CONDITION_NUMBERS]
        kappa, steps = np.array([(run.metric("kappa"), run.metric("steps/measured")) for run in runs]).T
        power = slope(kappa[kappa >= middle], steps[kappa >= middle])
        axes.loglog(kappa, steps, "o-", color=colour(method))
        axes.annotate(
            f"{method}, slope {power:.2f}",
            (kappa[-1], steps[-1]),
            xytext=(8, lifts[method]),
            textcoords="offset points",
            color=colour(method),
            va="center",
        )
    axes.set_xlim(CONDITION_NUMBERS[0] / 1.5, CONDITION_NUMBERS[-1] * 22)
    axes.set_xlabel("condition number κ")
    axes.set_ylabel("steps to a millionth of the start")
    drawing.suptitle("Gradient descent pays for κ in full, momentum for its root", x=0.02, ha="left")
    return drawing


@figure(
    "double-root",
    caption="The distance from the minimiser, divided by the ρᵗ that the spectral radius predicts.",
    alt="Divided by its predicted decay, the distance of gradient descent stays level; those of heavy-ball and of both "
    "Nesterov settings rise along straight lines, heavy-ball's the steepest.",
)
def double_root(evidence: Evidence) -> "Figure":
    drawing, axes = plt.subplots(figsize=(7.6, 4.0))
    for method in METHODS:
        run = _best(evidence, method).where(a=MIDDLING).one()
        distance = np.linalg.norm(run.array("path"), axis=-1)[:81]
        times = np.arange(len(distance))
        scaled = distance / distance[0] / run.metric("rate/predicted") ** times
        axes.plot(times, scaled, color=colour(method))
        lift = 13 if method == "nesterov-tuned" else 0  # two curves all but meet
        axes.annotate(
            method,
            (times[-1], scaled[-1]),
            xytext=(5, lift),
            textcoords="offset points",
            color=colour(method),
            va="center",
        )
    axes.set_xlim(0, 100)
    axes.set_ylim(-5, None)  # room for the label of the lowest curve
    axes.set_xlabel("step t")
    axes.set_ylabel("distance / ρᵗ, relative to the start")
    drawing.suptitle("A double root costs momentum a factor t", x=0.02, ha="left")
    return drawing


def _best(evidence: Evidence, method: str) -> Evidence:
    return evidence.where(method=method, matrix="", b=1.0, eta=None)
