"""What the evidence looks like: learning rates, networks compared, scrambled pixels, shifts, kernels, mistakes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.data.decoding import resized
from workings.data.photographs import load_photograph
from workings.drawing import percents
from workings.studies.scenes.comparisons import LARGE, POOLED, SHEET, SMALL, accuracy, networks, rates
from workings.studies.scenes.study import DIRECTIONS, DISTANCES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PHOTOGRAPH, SIDE = "china", 48
"""A landscape that comes with the libraries, at the sheet's size."""
BESIDE = 0.04
"""Gap between networks of one size, as a part of the way from the smaller to the larger."""
LEAST = 0.005
"""Shares below are left blank: they round to 0 %."""
CLEAR = 0.055
"""Of the height of a panel: what two labels need to stand clear of each other."""


@figure(
    "rates",
    caption="The first network at three learning rates, a line a seed. Left the training loss, in nats; right the "
    "validation accuracy.",
    alt="Two panels of curves over the epochs in three colours, one for each learning rate: falling training losses "
    "and rising validation accuracies.",
)
def learning_rates(evidence: Evidence) -> "Figure":
    drawing, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.9))
    ends: list[tuple[float, str, str]] = []
    for number, rate in enumerate(reversed(rates(evidence))):
        runs = evidence.where(**SHEET, learning_rate=rate)
        for run in runs:
            for axes, name in ((left, "train/loss"), (right, "validation/accuracy")):
                _curve(axes, run, name, f"C{number}", named=axes is right)
        ends.append((_mean(runs, "validation/accuracy"), f"{rate:g}", f"C{number}"))
    _labels(right, ends)
    left.set_ylabel("training loss (nats)")
    left.set_ylim(bottom=0)
    _accuracies(right, "validation accuracy")
    best = max(ends)
    told = f"A rate of {best[1]} ends highest: {best[0]:.0%} of the validation pictures are told right"
    drawing.suptitle(told, x=0.02, ha="left")
    return drawing


@figure(
    "networks",
    caption="Test accuracy after the last epoch for the number of parameters, a dot a seed; networks of one size stand "
    "side by side. Open diamonds are published figures for the course's photographs.",
    alt="Dots over a logarithmic axis of parameters. The normalised and pooled network has the fewest parameters; at "
    "the far right stand the first network, the same with strides for pooling, and the same on scrambled pictures.",
)
def compared(evidence: Evidence) -> "Figure":
    variants: tuple[tuple[str, dict[str, Any], str | None], ...] = (
        ("normalised and pooled", POOLED, "published-accuracy-pooled"),
        ("first network", {}, None),
        ("strides for pooling", {"downsample": "stride"}, None),
        ("scrambled pixels", {"pixel_order": "scrambled"}, None),
    )
    drawing, axes = plt.subplots(figsize=(7.6, 4.2))
    ends: dict[float, list[tuple[float, str, str]]] = {}
    first, second = (networks(evidence, **changes).one().metric("parameters") for changes in ({}, POOLED))
    apart = (first / second) ** BESIDE
    for number, (label, changes, published) in enumerate(variants):
        try:
            runs = networks(evidence, **changes)
        except MissingEvidence:
            continue
        count, colour = runs.one().metric("parameters"), f"C{number}"
        beside = count * apart ** len(ends.setdefault(count, []))
        axes.plot([beside] * len(runs), runs.metric("test/accuracy"), "o", color=colour, alpha=0.8, markersize=7)
        ends[count].append((accuracy(runs), label, colour))
        if published and evidence.datasets == ("intel",):
            axes.plot(count, evidence.published[published]["test"], "D", fillstyle="none", color=colour, markersize=9)
    axes.set_xscale("log")
    _accuracies(axes, "test accuracy")
    counts = sorted(ends)
    axes.set_xlim(counts[0] / 1.4, counts[-1] * (counts[-1] / counts[0]) ** 0.75)
    axes.set_xticks(counts, [f"{count:,.0f}" for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("parameters")
    for count, rows in ends.items():
        _labels(axes, rows, at=count * apart ** (len(rows) - 1))
    _title(drawing, evidence)
    return drawing


@figure(
    "scrambled",
    caption="A photograph of 48 pixels: as it is; its numbers reshaped as the course's skeleton does, in colour; and "
    "the three channels that a network then reads.",
    alt="A small photograph of a temple before hills, beside a picture of coloured streaks that shows nothing of it, "
    "and three grey pictures, each a third of the photograph broken into narrow strips side by side.",
)
def scrambled(evidence: Evidence) -> "Figure":
    import torch

    from workings.studies.scenes.model import scramble

    pixels = resized(load_photograph(PHOTOGRAPH).pixels, (SIDE, SIDE))
    mixed = scramble(torch.from_numpy(pixels.copy())).numpy()
    drawing, panels = plt.subplots(1, 5, figsize=(8.2, 2.4))
    shown = [("as it is", pixels), ("reshaped", mixed), *((f"channel {n + 1}", mixed[..., n]) for n in range(3))]
    for axes, (label, picture) in zip(panels, shown, strict=True):
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
        axes.set_title(label)
        axes.set_axis_off()
    told = "Reshaping where one should transpose scrambles a picture"
    try:
        right, wrong = accuracy(networks(evidence)), accuracy(networks(evidence, pixel_order="scrambled"))
        points = 100 * (right - wrong)
        told += f": {abs(points):.0f} points of accuracy {'lost' if points >= 0 else 'gained'}"
    except MissingEvidence:
        pass
    drawing.suptitle(told, x=0.02, ha="left")
    return drawing


@figure(
    "shifts",
    caption="The first network with max pooling, and with strides in its place. Left, how often a trained network "
    "names another class once the picture is moved, a line a seed. Right, how far the output of each block is from "
    "moving along (dots), and how far the answer is from staying the same, relative to its size; open dots: "
    "untrained.",
    alt="Left, rising lines over the distance of the move in two colours. Right, dots for three blocks and the output, "
    "in the same two colours, filled for trained networks and open for untrained ones.",
)
def shifts(evidence: Evidence) -> "Figure":
    drawing, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.9))
    ends: list[tuple[float, str, str]] = []
    for number, (label, kind) in enumerate((("max pooling", "max"), ("strides", "stride"))):
        runs, colour = networks(evidence, downsample=kind), f"C{number}"
        shares = [run.array("shift/changed/trained").mean(axis=1) / len(DIRECTIONS) for run in runs]
        for share in shares:
            left.plot(DISTANCES, share, "o-", color=colour, alpha=0.85, markersize=4)
        ends.append((float(np.mean([share[-1] for share in shares])), label, colour))
        for state, fill in (("untrained", "none"), ("trained", "full")):
            errors, names = _audited(runs, state)
            places = np.arange(len(names)) + 0.12 * (2 * number - 1)
            right.plot(places, errors, "o", color=colour, fillstyle=fill, markersize=7)
            right.set_xticks(range(len(names)), names)
    _labels(left, ends, at=DISTANCES[-1])
    left.set_xlim(DISTANCES[0] - 0.2, DISTANCES[-1] + 1.9)
    left.set_xticks(DISTANCES)
    left.set_xlabel("pixels moved")
    left.set_ylabel("class changes")
    percents(left.yaxis)
    left.set_ylim(bottom=0)
    right.set_ylabel("shift error")
    right.set_ylim(bottom=0)
    pooling, strides = ends[0][0], ends[1][0]
    word = "steadier" if pooling < strides else "no steadier"
    told = f"{pooling:.0%} of moves by {DISTANCES[-1]} pixels change the class, {strides:.0%} with strides"
    drawing.suptitle(f"Max pooling is {word}: {told}", x=0.02, ha="left")
    return drawing


@figure(
    "kernels",
    caption="Training loss of networks whose blocks see equally far: three 3×3 convolutions, or one 7×7; a line a "
    "seed.",
    alt="Two panels of falling curves in two colours, without and with batch normalisation.",
)
def kernels(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 2, figsize=(8.2, 3.9), sharey=True)
    last: dict[bool, list[float]] = {}
    for axes, normalised in zip(panels, (False, True), strict=True):
        ends = []
        for number, (label, changes) in enumerate((("three 3×3", SMALL), ("one 7×7", LARGE))):
            runs = networks(evidence, normalised=normalised, **changes)
            for run in runs:
                _curve(axes, run, "train/loss", f"C{number}")
            ends.append((_mean(runs, "train/loss"), label, f"C{number}"))
        last[normalised] = [value for value, *_ in ends]
        axes.set_title("normalised" if normalised else "not normalised")
        axes.set_ylim(bottom=0)
        _labels(axes, ends)
    panels[0].set_ylabel("training loss (nats)")
    told = [f"{'normalised ' * which}{small:.2f} and {large:.2f}" for which, (small, large) in last.items()]
    drawing.suptitle(f"Training loss of small kernels and of large ones: {'; '.join(told)}", x=0.02, ha="left")
    return drawing


@figure(
    "confusion",
    caption="What the normalised and pooled network takes the test pictures of each class for, all seeds together; a "
    "row sums to 100 %.",
    alt="A square of shaded cells, a row for each true class and a column for each guess, darkest on the diagonal.",
)
def confusion(evidence: Evidence) -> "Figure":
    runs = networks(evidence, **POOLED)
    names = runs.one().table("classes")["names"]
    counts = np.sum([run.array("test/confusion") for run in runs], axis=0)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    drawing, axes = plt.subplots(figsize=(6.4, 5.6))
    axes.imshow(np.ones_like(share), alpha=share, cmap=ListedColormap(["C0"]))
    axes.set_xticks(range(len(names)), names, rotation=30 if max(map(len, names)) > 2 else 0)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("guess")
    axes.set_ylabel("truth")
    axes.grid(visible=False)
    text = to_rgb(plt.rcParams["text.color"])
    for (row, column), value in np.ndenumerate(share):
        if value >= LEAST:
            ink = tuple(1 - part for part in text) if value > 0.5 else text
            axes.text(column, row, f"{value:.0%}", ha="center", va="center", color=ink, fontsize=10)
    worst = share - np.diag(np.diag(share))
    row, column = np.unravel_index(int(worst.argmax()), worst.shape)
    drawing.suptitle(
        f"The commonest mistake: {worst.max():.0%} of “{names[row]}” are taken for “{names[column]}”", x=0.02, ha="left"
    )
    return drawing


def _curve(axes: "Axes", run: Run, name: str, colour: str, *, named: bool = True) -> None:
    """A metric over the epochs, with room for names at the right."""
    series = np.array(run.series(name))
    axes.plot(series[:, 0], series[:, 1], color=colour, alpha=0.85, marker="o", markersize=3)
    axes.set_xlabel("epoch")
    last = max(float(np.max(line.get_xdata())) for line in axes.lines)
    axes.set_xticks([tick for tick in MaxNLocator(5, integer=True).tick_values(0, last) if 0 < tick <= last])
    axes.set_xlim(1 - 0.04 * last, last * (1.38 if named else 1.04))


def _labels(axes: "Axes", ends: Sequence[tuple[float, str, str]], at: float | None = None) -> None:
    """Name lines or dots at their right end, moved apart where they would touch."""
    low, high = axes.get_ylim()
    step = CLEAR * (high - low)
    height = -np.inf
    x = at if at is not None else max(float(np.max(line.get_xdata())) for line in axes.lines)
    for value, label, colour in sorted(ends):
        height = max(height + step, value)
        axes.annotate(
            label,
            (x, height),
            xytext=(9, 0),
            textcoords="offset points",
            color=colour,
            fontweight="bold",
            va="center",
        )


def _accuracies(axes: "Axes", label: str) -> None:
    axes.set_ylabel(label)
    percents(axes.yaxis)


def _title(drawing: "Figure", evidence: Evidence) -> None:
    plain = networks(evidence)
    told = f"First network {accuracy(plain):.0%} right"
    try:
        pooled = networks(evidence, **POOLED)
        fewer = plain.one().metric("parameters") / pooled.one().metric("parameters")
        told += f"; normalised and pooled {accuracy(pooled):.0%}, with {fewer:.1f} times fewer parameters"
    except MissingEvidence:
        pass
    drawing.suptitle(told, x=0.02, ha="left")


def _audited(runs: Evidence, state: str) -> tuple[NDArray[np.float64], list[str]]:
    """Mean shift error over seeds after each block and of the output, and their names."""
    tables: list[list[dict[str, Any]]] = [run.table(f"shift/{state}") for run in runs]
    errors = np.array([[row["error"] for row in rows] for rows in tables])
    return errors.mean(axis=0), [row["after"] for row in tables[0]]


def _mean(runs: Evidence, name: str) -> float:
    return float(np.mean(runs.metric(name)))
