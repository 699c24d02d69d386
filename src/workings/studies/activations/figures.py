"""What the evidence looks like: activations by symmetry, gradients over depth, training with and without centring."""

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.studies.activations.comparisons import best, steps_to_target
from workings.studies.activations.functions import Function, functions
from workings.studies.activations.study import EXAMPLES, SIGMOID, TWIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 6
REACH, HEIGHT = 3.0, 2.3
"""Half the width and half the height of what a panel of the gallery shows."""
COLOURS = {"odd": "C0", "neither": "C1", "even": "C2"}
LABELS = {SIGMOID: "sigmoid", TWIN: "its centred twin"}
VARIANTS = (
    (TWIN, "weights", "centred"),
    (SIGMOID, "weights", "not centred"),
    (SIGMOID, "function", "not centred, same function"),
)


@figure(
    "gallery",
    caption="Every elementwise activation of torch.nn, and a few functions more. Dark strokes mark the slope at zero, "
    "and the number beside the name is its value (left | right where they differ).",
    alt="A grid of small graphs in three groups. Odd functions come first, most of them crossing the origin at a "
    "slant, then those that are neither odd nor even, many with a corner at zero; last the even ones.",
)
def gallery(evidence: Evidence) -> "Figure":
    shown = _sorted(evidence)
    rows = -(-len(shown) // COLUMNS)
    drawing, panels = plt.subplots(rows, COLUMNS, figsize=(8.0, 1.22 * rows + 0.5), sharex=True, sharey=True)
    group = None
    for axes, g in zip(panels.flat, shown, strict=False):
        _graph(axes, g)
        if g.row["symmetry"] != group:
            group = g.row["symmetry"]
            axes.text(0.03, 0.9, group, transform=axes.transAxes, color=COLOURS[group], weight="bold", va="top")
    for axes in panels.flat[len(shown) :]:
        axes.axis("off")
    odd = [g for g in shown if g.row["symmetry"] == "odd" and g.row["differentiable"]]
    tilted = sum(g.row["right"]["slope"] != 0 for g in odd)
    told = f"{tilted} of {len(odd)} differentiable odd functions pass through zero at a slant"
    drawing.suptitle(told, x=0.02, ha="left")
    return drawing


@figure(
    "depth",
    caption="What is left of a gradient on its way back through a random network: dots are medians over the networks, "
    "lines the limit of wide layers.",
    alt="Two panels on a logarithmic scale. The sigmoid and its centred twin fall steeply along straight lines that "
    "lie close together, at either initialisation; tanh, relu and selu stay level at one of them.",
)
def depth(evidence: Evidence) -> "Figure":
    runs = list(evidence.where(task="depth"))
    drawing, panels = plt.subplots(1, len(runs), figsize=(8.0, 4.6), sharey=True, squeeze=False)
    for axes, run in zip(panels.flat, runs, strict=True):
        _fall(axes, run)
        axes.set_title(f"{run.config['init'].capitalize()} initialisation")
    panels[0, 0].set_ylabel("gradient, relative to the last layer")
    drawing.suptitle("Centring helps the sigmoid a little; its small slope is what starves it", x=0.02, ha="left")
    return drawing


@figure(
    "centring",
    caption="Left, steps to the target loss over the learning rate: a dot a seed, a ring where it was never reached; a "
    "line through geometric means; one sigmoid starts from the weights of the centred network, one from its function. "
    "Right, the training loss of each seed at the best rate.",
    alt="Left, three curves that fall together while the learning rate is small; the centred network goes on falling "
    "where the two others turn up. Right, the loss of the centred networks falls first.",
)
def centring(evidence: Evidence) -> "Figure":
    drawing, (left, right) = plt.subplots(1, 2, figsize=(8.0, 4.4))
    runs = {label: evidence.where(task="train", f=[f], start=start).one() for f, start, label in VARIANTS}
    for number, (label, run) in enumerate(runs.items()):
        _by_rate(left, run, label, number)
        _losses(right, run, number)
    target = runs["centred"].config["target"]
    right.axhline(target, color="grey", linewidth=1, linestyle=":")
    ends = [best(run) for run in runs.values()]
    right.set_xlim(0, 1.6 * max(b.typical for b in ends))
    right.set_ylim(target / 4, 4)
    times = ends[1].typical / ends[0].typical
    drawing.suptitle(
        f"Centred, larger steps stay stable: {times:.1f} times as fast at the best rate", x=0.02, ha="left"
    )
    return drawing


def _sorted(evidence: Evidence) -> list[Function]:
    """Odd, neither, even; torch's own before the examples."""
    known = {g.name: g for g in functions(evidence) if g.row["symmetry"] in COLOURS}
    order = list(COLOURS)
    return sorted(known.values(), key=lambda g: (order.index(g.row["symmetry"]), g.name in EXAMPLES))


def _graph(axes: "Axes", g: Function) -> None:
    near = np.abs(g.grid) <= REACH
    colour = COLOURS[g.row["symmetry"]]
    axes.axhline(0, color="grey", linewidth=0.5)
    axes.axvline(0, color="grey", linewidth=0.5)
    values = np.where(np.abs(np.diff(g.values, append=np.nan)) > 0.45 * _step(g), np.nan, g.values)
    axes.plot(g.grid[near], values[near], color=colour, linewidth=1.6)
    for side, direction in (("left", -1), ("right", 1)):
        slope = g.row[side]["slope"]
        if isinstance(slope, float):
            length = 1.1 / np.hypot(1, slope)
            end = (direction * length, g.row["value"] + direction * length * slope)
            axes.plot([0, end[0]], [g.row["value"], end[1]], color=plt.rcParams["text.color"], linewidth=1.1)
    slopes = [g.row[side]["slope"] for side in ("left", "right")]
    told = [f"{slope:.2g}".replace("-", "−") if isinstance(slope, float) else "none" for slope in slopes]
    axes.set_title(" | ".join(dict.fromkeys(told)), fontsize=9, pad=3, loc="right")
    axes.set_title(_typeset(g.name), fontsize=9.5, pad=3, color=colour)
    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(-HEIGHT, HEIGHT)
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _step(g: Function) -> float:
    """How far neighbouring values may lie apart where a curve is continuous: more is a jump."""
    return max(1.0, float(np.nanmax(np.abs(g.slopes))))


def _fall(axes: "Axes", run: Run) -> None:
    gradient, limit = run.array("gradient"), run.array("predicted")
    layers = gradient.shape[-1]
    back = layers - 1 - np.arange(layers)
    ends: list[tuple[float, str, str]] = []
    for number, name in enumerate(run.table("functions")):
        colour = f"C{number}"
        axes.plot(back, limit[number], color=colour, linewidth=1.2, alpha=0.8)
        axes.plot(back[::2], np.median(gradient[number], axis=0)[::2], "o", color=colour, markersize=3.5)
        ends.append((float(np.median(gradient[number, :, 0])), LABELS.get(name, name), colour))
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(0, layers - 1)
    axes.set_xlabel("layers back from the last")
    _label(axes, ends, layers - 1)


def _label(axes: "Axes", ends: list[tuple[float, str, str]], x: float) -> None:
    """Names at the right ends of curves, moved apart where they would collide."""
    lowest = -np.inf
    for value, name, colour in sorted(ends):
        place = max(np.log10(value), lowest + 1.05)
        lowest = place
        axes.annotate(
            name,
            (x, 10.0**place),
            xytext=(5, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            fontsize=10,
            annotation_clip=False,
        )


def _by_rate(axes: "Axes", run: Run, label: str, number: int) -> None:
    steps, reached = steps_to_target(run)
    rates = np.array(run.config["rates"])
    colour = f"C{number}"
    shift = 2.0 ** (0.08 * (number - 1))  # so that dots of the three do not hide each other
    for seed, hit in zip(steps, reached, strict=True):
        axes.plot(rates[hit] * shift, seed[hit], "o", color=colour, markersize=3.5, alpha=0.7)
        axes.plot(rates[~hit] * shift, seed[~hit], "o", color=colour, markersize=3.5, markerfacecolor="none", alpha=0.7)
    means = np.exp(np.log(steps).mean(0))
    axes.plot(rates, means, color=colour, linewidth=1.4)
    axes.text(0.03, 0.2 - 0.075 * number, label, transform=axes.transAxes, color=colour, fontsize=11)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes.minorticks_off()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.set_xlabel("learning rate of SGD")
    axes.set_ylabel("steps to the target loss")


def _losses(axes: "Axes", run: Run, number: int) -> None:
    chosen = best(run)
    column = run.config["rates"].index(chosen.rate)
    curves: Any = run.array("loss")[:, :, column]
    for seed in range(curves.shape[1]):
        axes.plot(run.array("looks"), curves[:, seed], color=f"C{number}", linewidth=1, alpha=0.75)
    axes.set_yscale("log")
    axes.set_xlabel("steps")
    axes.set_ylabel("training loss, nats")


def _typeset(name: str) -> str:
    if name[0].isupper():
        return name
    text = name.replace("**3", "³").replace("**2", "²").replace("abs(x)", "|x|").replace("*", "·").replace("-", "−")
    return text.replace("sigmoid(x) − 1/2", "σ(x) − ½")
