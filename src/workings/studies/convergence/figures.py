"""What the evidence looks like: gaps under the bound, the lemma as a budget, and a choice at a kink."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.studies.convergence.model import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEAREST = 0.17
"""Decades between the labels beside two curves, so that neither covers the other."""


@figure(
    "rate",
    caption="The gap after T averaged steps, in units of Bρ; each T is a run of its own, with the step size B/(ρ√T).",
    alt="Gap against the number of steps, both logarithmic. The bound is a straight line of slope minus one half. The "
    "worst function's dots, and PEPit's rings where it was asked, lie on it; a maximum of affine pieces, the hinge "
    "loss and |w − B| with a friendly oracle lie below, the last along a line of slope minus one.",
)
def rate(evidence: Evidence) -> "Figure":
    drawing, axes = plt.subplots(figsize=(8.0, 5.4))
    usual = evidence.where(part="method", c=1.0)
    curves = {
        "worst function": (usual.where(function="worst", ties="first").one(), "C0"),
        "affine pieces": (usual.where(function="affine", dimension=None).one(), "C1"),
        "friendly |w − B|": (usual.where(function="absolute", ties="last").one(), "C3"),
        "hinge loss": (usual.where(function="hinge", dimension=None).one(), "C2"),
    }
    _bound(axes, 0.7, 1.4 * max(_column(run, "T").max() for run, _ in curves.values()))
    height = np.inf
    for label, (run, colour) in curves.items():
        steps, gaps = _column(run, "T"), _column(run, "gap") / (_column(run, "B") * _column(run, "rho"))
        size = {"linewidth": 0, "markersize": 10} if label == "worst function" else {"linewidth": 1.3}
        axes.loglog(steps, gaps, "o-", color=colour, **size)
        height = min(gaps[-1], height / 10**NEAREST)
        words = f"{label}: {run.metric('exponent'):.2f}".replace("-", "−")
        axes.annotate(words, (1.45 * steps[-1], height), color=colour, va="center", annotation_clip=False)
    axes.annotate("slopes", (1.45 * steps[-1], 0.07), fontstyle="italic", va="center", annotation_clip=False)
    _rings(axes, evidence)
    axes.set_ylim(gaps[-1] / 2, 4)
    axes.set_xlabel("number of steps T")
    axes.set_ylabel(r"gap $f(\bar{w}) - f(w^*)$, in units of $B\rho$")
    drawing.suptitle("Every convex function stays under the line, and the worst lies on it", x=0.02, ha="left")
    return drawing


@figure(
    "budget",
    caption="The lemma along one path: what the steps have earned and the distance left fill the budget exactly.",
    alt="Two panels of stacked areas over the steps. The lower area, the sum of inner products, grows, the upper, the "
    "distance left, shrinks; together they reach a rising line, the starting distance plus a fee for each step. On the "
    "worst function nothing is left at the end; on the hinge loss the fee soon stops growing and some is left.",
)
def budget(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 2, figsize=(8.0, 4.4), sharey=True)
    for axes, (function, title) in zip(panels, (("worst", "worst function"), ("hinge", "hinge loss")), strict=True):
        run = evidence.where(part="method", function=function, ties="first", dimension=None, c=1.0).one()
        _stack(axes, run)
        axes.set_title(title)
    earned = r"earned: $\Sigma\,\langle w_t - w^*\!,\, v_t\rangle$"
    left = r"left: $\Vert w_{t+1} - w^*\Vert^2/2\eta$"
    panels[0].text(0.94, 0.10, earned, transform=panels[0].transAxes, ha="right")
    panels[0].text(1.2, 0.86, left, fontsize=10)
    panels[1].text(0.94, 0.05, "earned", transform=panels[1].transAxes, ha="right")
    panels[1].text(1.2, 0.88, "left")
    panels[0].set_ylabel(r"in units of $\Vert w^*\Vert^2/2\eta$")
    drawing.suptitle("The lemma is a budget: what is not earned is left over, to the penny", x=0.02, ha="left")
    return drawing


@figure(
    "kink",
    caption="|w − B| with the same steps; only the slope answered at the kink, w = B, differs.",
    alt="Three panels of the iterate against the step. Each climbs to B. Then the first dips below B at every other "
    "step, the second rests on B, the third rises above it at every other step; the mean of all iterates, a dashed "
    "line, is furthest below B in the first panel and nearest in the third.",
)
def kink(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 3, figsize=(8.0, 4.0), sharey=True)
    answers = (("first", "+1", "C0"), ("mean", "0", "C2"), ("last", "−1", "C3"))
    for axes, (ties, answer, colour) in zip(panels, answers, strict=True):
        run = evidence.where(part="method", function="absolute", ties=ties, c=1.0).one()
        points = run.array("points")[:-1]
        row = next(row for row in run.table("horizons") if row["T"] == len(points))
        axes.axhline(row["B"], color="grey", linewidth=1)
        axes.plot(np.arange(1, len(points) + 1), points, "o-", color=colour, markersize=2.4, linewidth=0.8)
        axes.axhline(points.mean(), color=plt.rcParams["text.color"], linewidth=1.6, linestyle=(0, (4, 2)))
        share = row["gap"] * np.sqrt(row["T"]) / (row["B"] * row["rho"])
        axes.set_title(f"{answer} at the kink", color=colour)
        axes.text(0.97, 0.06, f"gap {row['gap']:.3g}\n{share:.0%} of the bound", transform=axes.transAxes, ha="right")
        axes.text(0.97 * len(points), points.mean() - 0.03, r"mean $\bar{w}$", ha="right", va="top")
        axes.set_xlabel("step t")
        axes.grid(visible=False)
    panels[0].set_ylabel("iterate $w_t$")
    panels[0].annotate("B", (1, row["B"]), xytext=(2, 3), textcoords="offset points", color="grey")
    drawing.suptitle("What the oracle answers at the kink decides the rate", x=0.02, ha="left")
    return drawing


def _column(run: Run, name: str) -> Array:
    return np.array([row[name] for row in run.table("horizons")], dtype=np.float64)


def _bound(axes: "Axes", first: float, last: float) -> None:
    """The line 1/√T, its name upon it, and the land above that nothing reaches."""
    line = np.geomspace(first, last, 50)
    axes.fill_between(line, line**-0.5, 10, color="grey", alpha=0.13, linewidth=0)
    axes.loglog(line, line**-0.5, color=plt.rcParams["text.color"], linewidth=1.6)
    axes.text(last / 1.2, 1.6, "no convex function gets here", fontstyle="italic", ha="right")
    at = 60.0
    angle = np.degrees(np.arctan(-0.5 * at**-1.5))  # of the line in the data's own coordinates
    axes.text(
        at, 1.1 * at**-0.5, r"the bound $B\rho/\sqrt{T}$", rotation=angle, transform_rotates_text=True, va="bottom"
    )
    axes.set_xlim(first, last)


def _rings(axes: "Axes", evidence: Evidence) -> None:
    """PEPit's worst gaps, where it was asked."""
    try:
        rows = evidence.where(part="worst-case", c=1.0).one().table("worst")
    except MissingEvidence:
        return
    steps, gaps = [row["T"] for row in rows], [row["worst"] for row in rows]
    axes.loglog(steps, gaps, "o", markerfacecolor="none", color="C4", markersize=15, markeredgewidth=1.5)
    axes.annotate("PEPit's worst", (steps[1], gaps[1]), xytext=(9, 9), textcoords="offset points", color="C4")


def _stack(axes: "Axes", run: Run) -> None:
    """Earned and left, stacked, under the budget."""
    inner, squares, distances = (run.array(name) for name in ("inner", "squares", "distances"))
    eta = next(row["eta"] for row in run.table("horizons") if row["T"] == len(inner))
    start, steps = distances[0] / (2 * eta), np.arange(len(inner) + 1)
    earned = np.concatenate([[0.0], np.cumsum(inner)]) / start
    allowed = 1 + np.concatenate([[0.0], np.cumsum(squares)]) * eta / 2 / start
    axes.fill_between(steps, 0, earned, color="C0", alpha=0.45, linewidth=0)
    axes.fill_between(steps, earned, earned + distances / (2 * eta) / start, color="C1", alpha=0.4, linewidth=0)
    axes.plot(steps, allowed, color=plt.rcParams["text.color"], linewidth=2)
    axes.axhline(1, color="grey", linewidth=1, linestyle=(0, (4, 3)))
    spot = len(inner) // 2
    axes.annotate(
        r"budget: $\Vert w^*\Vert^2/2\eta + \frac{\eta}{2}\,\Sigma\,\Vert v_t\Vert^2$",
        (spot, allowed[spot]),
        xytext=(-70, 34),
        textcoords="offset points",
        arrowprops={"arrowstyle": "-", "color": "grey"},
    )
    axes.set_xlim(0, len(inner))
    axes.set_ylim(0, 2.3)
    axes.set_xlabel(f"steps taken, of T = {len(inner)}")
    axes.grid(visible=False)
