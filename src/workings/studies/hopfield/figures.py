"""What the evidence looks like: three regimes over β, pictures called back, the energy's landscape, the capacity."""

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import torch

from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.studies.hopfield.gallery import sheet, show
from workings.studies.hopfield.model import energy
from workings.studies.hopfield.pictures import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEST = ("fashion-mnist", "digits")
"""Datasets in the order in which figures prefer them."""
ALL, ONE = 0.9, 1.1
"""Above the first share of all patterns a state is their average; below the second number it is a single one."""
THUMBNAILS, MARGIN = 7, 4
"""Answers shown along the curve, and points of the scan shown before and after the fall."""


@figure(
    "regimes",
    caption="The same half-hidden picture, answered at every β: how many stored pictures have a say, and the answer. "
    "Of the queries tried, it is the one that passes through the most blends.",
    alt="A falling curve of the effective number of patterns over β, from all of them to one, with the retrieved "
    "picture above it at several β: first a grey average of everything, then a blur of some, then one sharp picture.",
)
def regimes(evidence: Evidence) -> "Figure":
    run = _recall(evidence, mask="left")
    betas, say = run.array("scan/beta"), run.array("scan/effective")[:, int(run.array("scan/shown"))]
    total, answers, asked = run.config["patterns"], run.array("scan/answers"), run.array("scan/asked")
    first = max(0, int(np.argmax(say < ALL * total)) - MARGIN)
    shown = slice(first, min(len(betas), int(np.argmax(say < ONE)) + MARGIN))
    betas, say, answers = betas[shown], say[shown], answers[shown]
    drawing = plt.figure(figsize=(8.2, 5.2))
    drawing.set_layout_engine("none")
    left, width = 0.1, 0.87
    axes = drawing.add_axes((left, 0.12, width, 0.52))
    axes.loglog(betas, say, "-", color="C0", linewidth=2.4)
    axes.set_xlim(betas[0], betas[-1])
    axes.set_ylim(0.3, 2.2 * total)
    axes.set_xlabel("β, in units of 1/similarity")
    axes.set_ylabel("pictures that have a say")
    _bands(axes, betas, say, total)
    attention = (asked.shape[0] * asked.shape[1]) ** -0.5
    axes.axvline(attention, ymin=0.12, color="C1", linewidth=1.2)
    axes.text(attention, 3, " attention's 1/√D", color="C1", rotation=90, ha="right", va="bottom", fontsize=10)
    for number in range(THUMBNAILS):
        i = round((number + 0.5) / THUMBNAILS * (len(betas) - 1))
        across = left + width * (number + 0.5) / THUMBNAILS
        show(drawing.add_axes((across - 0.058, 0.7, 0.116, 0.17)), answers[i])
        axes.plot(betas[i], say[i], "o", color="C0", markersize=6)
        axes.annotate(
            "",
            (betas[i], say[i]),
            xytext=((number + 0.5) / THUMBNAILS, 1.1),
            textcoords="axes fraction",
            arrowprops={"arrowstyle": "-", "color": "grey", "linestyle": ":", "linewidth": 0.8},
        )
    question = drawing.add_axes((left + 0.03, 0.235, 0.14, 0.21))
    show(question, asked, visible(run.config["mask"], *asked.shape[:2]))
    question.set_title("asked with this", fontsize=11, pad=4, loc="center")
    drawing.suptitle(f"As β grows, {total:,} pictures fall silent until one speaks", x=0.02, y=0.965, ha="left")
    return drawing


@figure(
    "recalled",
    caption="Above what was stored, below it what the memory was shown, at the bottom its answer; framed where wrong.",
    alt="Two blocks of pictures in three rows. Left, half of each picture is hidden; right, each is noisy. The bottom "
    "row looks like the top row in nearly all columns.",
)
def recalled(evidence: Evidence) -> "Figure":
    runs = [_recall(evidence, mask="left"), _recall(evidence, mask="none")]
    drawing = plt.figure(figsize=(8.2, 3.1))
    blocks: Any = drawing.subfigures(1, 2, width_ratios=[1.14, 1.0], wspace=0.03)
    for number, (block, run) in enumerate(zip(blocks, runs, strict=True)):
        kinds = ("original", "damaged", "restored")
        names = ("stored", "shown", "recalled") if not number else ("", " ", "  ")
        rows = {name: list(run.array(f"sheet/{kind}")[:5]) for name, kind in zip(names, kinds, strict=True)}
        seen = {names[1]: visible(run.config["mask"], *rows[names[0]][0].shape[:2])}
        sheet(block, rows, seen, right=run.array("sheet/came_back")[:5].tolist())
        back, count = run.metric("came_back"), int(run.metric("queries"))
        damage = (
            f"{run.config['mask']} half hidden"
            if not number
            else f"noise {run.config['noise']:g} time{'s' * (run.config['noise'] != 1)} as strong"
        )
        block.suptitle(f"{damage}: {round(back * count)} of {count} come back", fontsize=12)
    stored = runs[0].config["patterns"]
    drawing.suptitle(f"A part calls back the whole, among {stored:,} stored pictures", x=0.02, ha="left")
    return drawing


@figure(
    "landscape",
    caption="Five patterns (diamonds) in the plane: level lines of the energy and paths down from rings, for three β. "
    "Below, the energy along each path.",
    alt="Three contour maps. For small β one basin in the middle takes every path; for middle β a few; for large "
    "β each pattern has its own. Below each map, curves of energy over steps that only ever fall.",
)
def landscape(evidence: Evidence) -> "Figure":
    run = evidence.where(task="theory").one()
    X, betas, paths, energies = (run.array(f"landscape/{n}") for n in ("patterns", "betas", "paths", "energies"))
    drawing, panels = plt.subplots(2, 3, figsize=(8.2, 5.4), height_ratios=[2.2, 1], sharey="row")
    line = np.linspace(-1.4, 1.4, 121)
    grid = np.stack(np.meshgrid(line, line), -1)
    for i, (above, below, beta) in enumerate(zip(*panels, betas.tolist(), strict=True)):
        heights = energy(torch.from_numpy(X), torch.from_numpy(grid), beta).numpy()
        levels = np.quantile(heights, np.linspace(0.02, 0.9, 12))
        # Begun below the lowest level, the colours leave out those too dark for a dark page.
        above.contour(line, line, heights, levels=levels, vmin=2 * levels[0] - levels[-1], linewidths=0.8, alpha=0.8)
        above.plot(*paths[i, 0].T, "o", markerfacecolor="none", color="C1", markersize=6)
        above.plot(paths[i, :, :, 0], paths[i, :, :, 1], "-", color="C1", linewidth=1.3)
        above.plot(*paths[i, -1].T, "o", color="C1", markersize=5)
        above.plot(*X.T, "D", color="C0", markersize=6)
        ends = len(np.unique(paths[i, -1].round(2), axis=0))
        above.set_title(f"β = {beta:g}: {ends} end{'s' * (ends != 1)}")
        above.set_aspect("equal")
        above.set_xticks([])
        above.set_yticks([])
        above.grid(visible=False)
        below.plot(energies[i], color="C1", linewidth=1.3)
        below.set_xlim(0, 12)
        below.set_xticks([0, 4, 8, 12])
        below.set_xlabel("step")
    panels[1, 0].set_ylabel("energy")
    panels[1, 0].set_ylim(bottom=0)
    drawing.suptitle("Every step goes downhill; β decides how many valleys there are", x=0.02, ha="left")
    return drawing


@figure(
    "capacity",
    caption="Share of noisy random patterns that come back, over how many are stored: by dimension, by β, and by how "
    "alike the patterns are.",
    alt="Three panels of curves that fall from one to zero. They move right by equal steps on the logarithmic axis as "
    "the dimension grows, right again as β grows, and left as patterns become more alike.",
)
def capacity(evidence: Evidence) -> "Figure":
    base = {"beta": 1.0, "dim": 12, "correlation": 0.0}
    names = {"dim": "dimension", "beta": "β", "correlation": "likeness"}
    drawing, panels = plt.subplots(1, 3, figsize=(8.2, 3.5), sharex=True, sharey=True)
    runs = evidence.where(task="capacity")
    for axes, (field, name) in zip(panels, names.items(), strict=True):
        fixed = {k: v for k, v in base.items() if k != field}
        values = sorted({run.config[field] for run in runs.where(**fixed)})
        for number, value in enumerate(values):
            _fall(axes, list(runs.where(**fixed, **{field: value})), f"{value:g}", f"C{number}")
        axes.set_title(f"by {name}", fontsize=12)
        axes.set_xscale("log")
        axes.set_xlabel("patterns stored")
    panels[0].set_ylabel("share that comes back")
    held = {dim: runs.where(**{**base, "dim": dim}).metric("capacity") for dim in (8, 14)}
    low, high = (float(np.mean(counts)) for counts in held.values())
    drawing.suptitle(f"Six more dimensions, {high / low:.0f} times the patterns", x=0.02, ha="left")
    return drawing


def _recall(evidence: Evidence, mask: str) -> Run:
    """The recall of pictures under this mask, on the preferred dataset that there is."""
    runs = evidence.where(task="recall", mask=mask)
    found = {run.datasets["pictures"]["id"]: run for run in runs}
    for name in (*BEST, *found):
        if name in found:
            return found[name]
    raise MissingEvidence("no picture was recalled")


def _bands(axes: "Axes", betas: Any, say: Any, total: int) -> None:
    """Shade the three regimes and name them."""
    ends = [np.interp(-np.log(level), -np.log(say), np.log(betas)) for level in (ALL * total, ONE)]
    edges = [betas[0], *np.exp(ends), betas[-1]]
    for i, name in enumerate(("average of all", "blend of several", "a single picture")):
        if i % 2:
            axes.axvspan(edges[i], edges[i + 1], color="grey", alpha=0.1, linewidth=0)
        middle = np.sqrt(edges[i] * edges[i + 1])
        axes.text(middle, 0.02, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom", fontsize=11)


def _fall(axes: "Axes", runs: list[Run], label: str, colour: str) -> None:
    """The mean over seeds of the share that comes back; labelled where it passes one half."""
    longest = max((run.array("sizes") for run in runs), key=len)
    rates = [np.pad(run.array("rate"), (0, len(longest) - len(run.array("rate")))) for run in runs]
    mean = np.mean(rates, axis=0)
    axes.plot(longest, mean, "-", color=colour)
    held = [run.metrics["capacity"] for run in runs if "capacity" in run.metrics]
    falls = len(held) == len(runs)
    at = (float(np.mean(held)), 0.5) if falls else (longest[-1], mean[-1])
    offset, ha = ((4, 4), "left") if falls else ((0, 6), "center")
    axes.annotate(label, at, xytext=offset, textcoords="offset points", color=colour, fontweight="bold", ha=ha)
