"""What the evidence looks like: pictures of the same noise over the epochs, their distance to real ones, and a walk."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullFormatter, NullLocator
from numpy.typing import NDArray
from PIL import Image

from workings.core.evidence import Evidence, Run
from workings.core.figure import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 10
"""Pictures of one epoch that are shown side by side."""
MOST_ROWS = 8
"""Epochs shown at most."""


@figure(
    "stages",
    caption="Each column is the same noise, each row the generator after so many epochs; from one seed.",
    alt="Rows of small pictures. The first rows are grey blurs, the later ones ever clearer things; down a column one "
    "picture slowly takes shape.",
)
def stages(evidence: Evidence) -> "Figure":
    run = _longest(evidence)
    names = _spread([name for name in run.names("pictures") if name.startswith("epochs/")])
    drawing, panels = plt.subplots(len(names), 1, figsize=(7.6, 0.5 + 0.72 * len(names)), squeeze=False)
    for axes, name in zip(panels[:, 0], names, strict=True):
        _show(axes, _cells(run, name)[:COLUMNS])
        epoch = int(name.rpartition("/")[2])
        axes.set_ylabel(f"T = {epoch}", rotation=0, ha="right", va="center", labelpad=8)
    first, last = (int(name.rpartition("/")[2]) for name in (names[0], names[-1]))
    drawing.suptitle(f"The same noise, from epoch {first} to epoch {last}", x=0.02, ha="left")
    return drawing


@figure(
    "distance",
    caption="Left, the Fréchet distance between drawn and held-out pictures in our classifier's features, a line a "
    "seed; below, that between real and real. Right, how many drawn pictures look real, and how many real ones could "
    "have been drawn; dotted, for real pictures.",
    alt="Left, falling lines over the epochs on logarithmic axes, above a dotted floor. Right, two groups of rising "
    "lines, precision and recall, below their dotted ceilings.",
)
def distance(evidence: Evidence) -> "Figure":
    runs = evidence.where(task="train", measured=True)
    drawing, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.7))
    _lines(left, runs, "frechet", "C0")
    floor = runs.one().metric("real/frechet")
    left.axhline(floor, color="C2", linestyle=":")
    left.annotate("real against real", (1, floor), xytext=(2, 5), textcoords="offset points", color="C2")
    left.set_yscale("log")
    left.set_ylabel("Fréchet distance")
    for name, colour, place in (("precision", "C1", 0.0), ("recall", "C3", 0.3)):
        _lines(right, runs, name, colour)
        right.axhline(runs.one().metric(f"real/{name}"), color=colour, linestyle=":")
        right.text(place, 1.02, name, transform=right.transAxes, color=colour, fontweight="bold")
    right.set_ylabel("share of pictures")
    right.set_ylim(0, 1.02)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlabel("epoch")
        epochs = [epoch for epoch, _ in _longest(evidence).series("frechet")]
        axes.set_xticks([e for e in epochs if e in (1, 2, 5, 10, 20, 50)] or epochs)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(NullLocator())
    left.yaxis.set_minor_formatter(NullFormatter())
    last = [run.metric("frechet") / floor for run in runs]
    drawing.suptitle(f"Drawn pictures end {_times(last)} as far from real ones as real ones are", x=0.02, ha="left")
    return drawing


@figure(
    "neighbours",
    caption="Above, drawn pictures; below each, the training picture nearest to it. The curves tell how far that is, "
    "for drawn and for held-out pictures.",
    alt="Two rows of pictures, alike in kind and different in detail, above two curves of distance to the nearest "
    "training picture. A generator that copies would have its curve far to the left of that of held-out pictures.",
)
def neighbours(evidence: Evidence) -> "Figure":
    run = _longest(evidence)
    drawing = plt.figure(figsize=(7.6, 4.6))
    top, middle, bottom = drawing.subplots(3, 1, gridspec_kw={"height_ratios": [1, 1, 3.2]})
    pictures = _cells(run, "neighbours")
    half = len(pictures) // 2
    for axes, row, label in ((top, pictures[:half], "drawn"), (middle, pictures[half:], "nearest")):
        _show(axes, row)
        axes.set_ylabel(label, rotation=0, ha="right", va="center", labelpad=8)
    drawn, real = run.array("near/drawn"), run.array("near/real")
    size = run.config["size"]
    curves = [(drawn, "C0", "drawn pictures"), (real, "C2", "held-out pictures")]
    curves.sort(key=lambda curve: float(np.median(curve[0])))
    for (distances, colour, label), side in zip(curves, ("right", "left"), strict=True):  # labels stand outside
        # Two units of range over all pixels: in grey levels per pixel, root mean square.
        level = np.sort(distances) / size * 127.5
        bottom.plot(level, np.linspace(0, 1, len(level)), color=colour)
        at = (float(np.quantile(level, 0.6)), 0.6)
        away = -8 if side == "right" else 8
        bottom.annotate(label, at, xytext=(away, -4), textcoords="offset points", color=colour, ha=side)
    bottom.set_xlabel("distance to the nearest training picture (grey levels, root mean square over pixels)")
    bottom.set_ylabel("share nearer")
    bottom.set_ylim(0, 1)
    bottom.set_xlim(left=0)
    share, rare = run.metric("near"), run.metric("real/near")
    drawing.suptitle(
        f"{share:.1%} of drawn pictures are as near as the nearest {rare:.0%} of held-out ones", x=0.02, ha="left"
    )
    return drawing


@figure(
    "walk",
    caption="Noise moved in small steps along great circles, from left to right and on to the next row, back to where "
    "it began.",
    alt="A sheet of pictures in which each differs little from the one before it, while one thing turns into another.",
)
def walk(evidence: Evidence) -> "Figure":
    run = _longest(evidence)
    pixels = np.asarray(Image.open(run.picture("walk")))
    size, epoch = run.config["size"], run.series("near")[-1][0]
    columns = pixels.shape[1] // size
    rows = np.split(_cells(run, "walk"), pixels.shape[0] // size)
    drawing, panels = plt.subplots(len(rows), 1, figsize=(7.6, 0.5 + 7.6 / columns * len(rows)), squeeze=False)
    for axes, row in zip(panels[:, 0], rows, strict=True):
        _show(axes, row)
    drawing.suptitle(f"A walk through the noise after {epoch} epochs", x=0.02, ha="left")
    return drawing


def _longest(evidence: Evidence) -> Run:
    """The training that has gone furthest; of equals, the first."""
    return max(evidence.where(task="train"), key=lambda run: run.reached or 0)


def _lines(axes: "Axes", runs: Evidence, name: str, colour: str) -> None:
    """A metric over the epochs, a line a seed."""
    for run in runs:
        series = np.array(run.series(name))
        axes.plot(series[:, 0], series[:, 1], "o-", color=colour, alpha=0.85, markersize=3.5)


def _times(ratios: Sequence[float]) -> str:
    low, high = (f"{float(f'{ratio:.2g}'):g}" for ratio in (min(ratios), max(ratios)))
    return f"{low} to {high} times" if low != high else f"{low} times"


def _spread(names: list[str]) -> list[str]:
    """At most so many of the kept epochs: those measured first, else spread evenly; the last one always."""
    wanted = [n for n in names if int(n.rpartition("/")[2]) in (1, 2, 5, 10, 20, 30, 40, 50)]
    chosen = wanted if len(wanted) > 1 and wanted[-1] == names[-1] else names
    places = np.unique(np.linspace(0, len(chosen) - 1, min(MOST_ROWS, len(chosen))).round().astype(int))
    return [chosen[i] for i in places]


def _cells(run: Run, name: str) -> NDArray[np.uint8]:
    """The pictures of a kept sheet, row by row."""
    from workings.studies.dcgan.pictures import cells

    return cells(np.asarray(Image.open(run.picture(name))), run.config["size"])


def _show(axes: "Axes", pictures: NDArray[np.uint8]) -> None:
    """A row of pictures with a gap of two pixels, through which the page shows."""
    size = pictures.shape[1]
    row = np.full((size, len(pictures) * (size + 2) - 2), np.nan)
    for number, picture in enumerate(pictures):
        row[:, number * (size + 2) : number * (size + 2) + size] = picture
    _image(axes, row)


def _image(axes: "Axes", pixels: NDArray[Any]) -> None:
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
