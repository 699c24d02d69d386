"""What the evidence looks like: curves against time, what each change buys, confusions, mistakes, filters, rates."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workings.core.decide import agrees
from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.drawing import percents
from workings.studies.alexnet.comparisons import TAKEN_BACK, errors, fast, sheet, time_of, without
from workings.studies.alexnet.study import CHANGES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(
    "learning",
    caption="Accuracy on held-out pictures (solid) and on training pictures as they are augmented (dotted) against the "
    "time that the steps took, a line a seed; diamonds are test accuracies, of the best epoch, averaged over seeds.",
    alt="Rising curves over time. Those of the fast recipe end after a third of the time, about as high as the long "
    "curve of the sheet's recipe; its dotted training curve rises on above the solid one.",
)
def learning(evidence: Evidence) -> "Figure":
    drawing, axes = plt.subplots(figsize=(7.6, 4.2))
    unit, scale = _unit(evidence)
    told = []
    for label, runs, colour in _recipes(evidence):
        for run in runs:
            seconds = time_of(run).seconds / scale
            for name, style in (("validation/accuracy", "-"), ("train/accuracy", ":")):
                series = np.array(run.series(name))
                axes.plot(seconds * series[:, 0] / series[-1, 0], series[:, 1], style, color=colour, alpha=0.85)
        place, accuracy = _time(runs, scale), float(np.mean(runs.metric("test/accuracy")))
        told.append(f"{label} {accuracy:.1%} in {place:.2g}")
        axes.plot(place, accuracy, "D", color=colour, markersize=7, zorder=3)
        axes.text(
            place, 1.01, label, transform=axes.get_xaxis_transform(), color=colour, ha="center", fontweight="bold"
        )
    axes.set_xlabel(f"{unit} of the steps")
    axes.set_ylabel("accuracy")
    percents(axes.yaxis, 7)
    axes.set_xlim(left=0)
    axes.margins(x=0.06)
    drawing.suptitle(f"{', '.join(told).capitalize()} {unit}", x=0.02, ha="left")
    return drawing


@figure(
    "changes",
    caption="Test accuracy of the fast recipe (filled, a dot a seed) and of it with one change taken back at a time "
    "(open); the band is where one more seed of the fast recipe would fall.",
    alt="Rows of dots. On top the fast recipe and its band, below it one row for each change taken back, the one that "
    "costs most last, and the sheet's recipe. Dots left of the band have lost more than seeds differ by.",
)
def changes(evidence: Evidence) -> "Figure":
    ours = fast(evidence)
    unit, scale = _unit(evidence)
    rows = [("fast recipe", _accuracies(ours), "C1", _time(ours, scale))]
    back = []
    for name in CHANGES:
        with suppress(MissingEvidence):
            runs = without(evidence, name)
            back.append((TAKEN_BACK[name], _accuracies(runs), "C0", _time(runs, scale)))
    if not back:
        raise MissingEvidence("no change of the fast recipe has been taken back")
    rows += sorted(back, key=lambda row: -float(np.mean(row[1])))
    with suppress(MissingEvidence):
        runs = sheet(evidence)
        rows.append(("sheet's recipe", _accuracies(runs), "C2", _time(runs, scale)))
    drawing, axes = plt.subplots(figsize=(7.6, 0.9 + 0.42 * len(rows)))
    one_more = agrees(rows[0][1][0], rows[0][1]).interval
    if one_more:
        axes.axvspan(one_more.low, one_more.high, color="C1", alpha=0.15, linewidth=0)
    for height, (_, values, colour, time) in enumerate(reversed(rows)):
        face = "none" if colour == "C0" else colour
        axes.plot(values, [height] * len(values), "o", color=colour, markerfacecolor=face, markersize=7)
        axes.text(1.01, height, f"{time:.2g}", transform=axes.get_yaxis_transform(), va="center")
    axes.text(1.01, len(rows) - 0.45, unit.split()[-1], transform=axes.get_yaxis_transform(), va="bottom")
    axes.set_yticks(range(len(rows)), [row[0] for row in reversed(rows)])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("test accuracy")
    percents(axes.xaxis, 6)
    dearest, values, *_ = back[int(np.argmin([np.mean(row[1]) for row in back]))]
    cost = 100 * (np.mean(rows[0][1]) - np.mean(values))
    drawing.suptitle(f"Taken back alone, the dearest change ({dearest}) costs {cost:.1f} points", x=0.02, ha="left")
    return drawing


@figure(
    "confusion",
    caption="Of each class of test pictures (rows), the share taken for each class (columns); right answers on the "
    "diagonal.",
    alt="A square table of shares, dark but for its diagonal, with a few brighter cells beside it where classes that "
    "look alike are taken for each other.",
)
def confusion(evidence: Evidence) -> "Figure":
    run = _shown(evidence)
    names, counts = run.table("card")["classes"], run.array("confusion").astype(float)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = max(4.0, min(7.0, 0.48 * len(names) + 1.6))
    drawing, axes = plt.subplots(figsize=(side + 0.6, side))
    axes.imshow(shares, vmin=0, vmax=1)
    axes.grid(visible=False)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.set_xlabel("taken for")
    axes.set_ylabel("is")
    if len(names) <= 12:
        for (row, column), share in np.ndenumerate(shares):
            if share >= 0.01:
                colour = "black" if share > 0.55 else "white"
                axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=colour, fontsize=8)
    beside = shares - np.diag(np.diag(shares))
    row, column = np.unravel_index(int(beside.argmax()), beside.shape)
    drawing.suptitle(
        f"Of 100 pictures of “{names[row]}” {100 * beside[row, column]:.0f} are taken for “{names[column]}”",
        x=0.02,
        ha="left",
    )
    return drawing


@figure(
    "mistakes",
    caption="The test pictures that the network got wrong while it was surest: above each what it says, with its "
    "probability, below what the label says.",
    alt="Two rows of small pictures with two words each: what the network takes them for and what they are. Some are "
    "hard to tell for a person too.",
)
def mistakes(evidence: Evidence) -> "Figure":
    run = _shown(evidence)
    rows = run.table("mistakes")
    if not rows:
        raise MissingEvidence(f"run {run.id} makes no mistakes")
    pictures = np.split(np.asarray(Image.open(run.picture("mistakes"))), len(rows), axis=1)
    columns = min(6, len(rows))
    lines = -(-len(rows) // columns)
    drawing, panels = plt.subplots(lines, columns, figsize=(8.0, 0.6 + 1.85 * lines), squeeze=False)
    for axes in panels.flat[len(rows) :]:
        axes.remove()
    for axes, row, picture in zip(panels.flat, rows, pictures, strict=False):
        _bare(axes, picture)
        axes.set_title(f"{row['taken_for']}\n{row['probability']:.1%}", fontsize=9, color="C1", loc="center")
        axes.set_xlabel(f"is: {row['is']}", fontsize=9)
    most, least = rows[0]["probability"], rows[-1]["probability"]
    drawing.suptitle(f"Wrong, and {least:.1%} to {most:.1%} sure of it", x=0.02, ha="left")
    return drawing


@figure(
    "filters",
    caption="The weights of the first convolution, each filter scaled to its own range: 3 by 3 pixels in colour, or in "
    "grey where the pictures are grey.",
    alt="A grid of squares of three by three coloured pixels: edges in several directions, spots, and plain colours "
    "beside their opposites.",
)
def filters(evidence: Evidence) -> "Figure":
    weights = _shown(evidence).array("filters")
    columns = int(np.ceil(np.sqrt(2 * len(weights))))
    lines = -(-len(weights) // columns)
    drawing, panels = plt.subplots(
        lines,
        columns,
        figsize=(7.6, 0.5 + 7.6 / columns * lines),
        squeeze=False,
        gridspec_kw={"wspace": 0.1, "hspace": 0.1},
    )
    for axes in panels.flat[len(weights) :]:
        axes.remove()
    for axes, weight in zip(panels.flat, weights, strict=False):
        reach = float(abs(weight).max()) or 1.0
        _bare(axes, np.clip(weight.transpose(1, 2, 0) / reach / 2 + 0.5, 0, 1).squeeze())
    drawing.suptitle(f"What the first layer looks for: {len(weights)} filters", x=0.02, ha="left")
    return drawing


@figure(
    "range-test",
    caption="Training loss, batch by batch (dots) and smoothed (line), while the learning rate rises from far too "
    "small to far too large; the band is the range of a cycle, the dotted line the sheet's rate.",
    alt="A curve that stays flat, falls, and shoots up, over a logarithmic axis of learning rates. The sheet's rate is "
    "marked by a dotted line, beside a band just left of the lowest point.",
)
def range_test(evidence: Evidence) -> "Figure":
    run = evidence.where(task="range").one()
    rates, losses, smoothed = (run.array(f"range/{name}") for name in ("rates", "losses", "smoothed"))
    drawing, axes = plt.subplots(figsize=(7.4, 3.9))
    axes.axvspan(run.metric("range/base"), run.metric("range/top"), color="C1", alpha=0.15, linewidth=0)
    axes.plot(rates, losses, ".", color="C0", alpha=0.45, markersize=4)
    axes.plot(rates, smoothed, color="C0")
    rate = evidence.published["rate-in-range"]["rate"]
    axes.axvline(rate, color="C2", linestyle=":")
    axes.set_xscale("log")
    low, high = float(smoothed.min()), float(smoothed[: len(smoothed) // 2].max())
    axes.set_ylim(low - 0.3 * (high - low), high + 0.8 * (high - low))
    axes.text(rate, 1.01, "sheet's rate", transform=axes.get_xaxis_transform(), color="C2", ha="center", va="bottom")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("loss on a batch (nats)")
    best = run.metric("range/suggestion")
    drawing.suptitle(f"The range test suggests a constant rate of {best:.1e}", x=0.02, ha="left")
    return drawing


def _recipes(evidence: Evidence) -> list[tuple[str, Evidence, str]]:
    """What there is of the two recipes."""
    found = []
    for label, choose, colour in (("sheet's recipe", sheet, "C2"), ("fast recipe", fast, "C1")):
        with suppress(MissingEvidence):
            found.append((label, choose(evidence), colour))
    if not found:
        raise MissingEvidence("no training is finished")
    return found


def _shown(evidence: Evidence) -> Run:
    """The training that is looked at: the sheet's, or else the first of the fast recipe."""
    return _recipes(evidence)[0][1].one()


def _unit(evidence: Evidence) -> tuple[str, float]:
    """Processor minutes, or seconds where the longest training took no minute; and how many seconds it has."""
    longest = max(time_of(run).seconds for _, runs, _ in _recipes(evidence) for run in runs)
    return ("processor minutes", 60.0) if longest >= 60 else ("processor seconds", 1.0)


def _accuracies(runs: Evidence) -> list[float]:
    return [1 - value for value in errors(runs).mean(1).tolist()]


def _time(runs: Evidence, scale: float) -> float:
    """Mean time of these trainings, in units of so many seconds."""
    return float(np.mean([time_of(run).seconds for run in runs])) / scale


def _bare(axes: "Axes", pixels: NDArray[Any]) -> None:
    """A picture without ticks or frame."""
    axes.imshow(pixels, cmap="gray")  # which is for grey ones alone
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
