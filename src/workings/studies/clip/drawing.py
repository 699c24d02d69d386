"""Small helps of the figures: which runs there are to show, labels that keep apart, tables of cells, and tiles."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from textwrap import fill
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap, to_rgb
from numpy.typing import NDArray
from PIL import Image

from workings.core.decide import MINIMUM_SEEDS, Interval, paired_difference
from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.studies.clip.comparisons import mean, on, pair, trained
from workings.studies.clip.retrieval import AT, chance
from workings.studies.clip.study import DRAWN, PAIRS, PHOTOGRAPHS, SHEET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pixels = NDArray[np.uint8]
MOST_GROUPS = 4
"""Models of a person's own that are shown beside each other."""
DARK = 0.62
"""Shade from which the page's colour reads better than the text's."""
IN_A_ROW, CAPTION_WIDTH = 4, 30
"""Failures side by side, and letters of a line above them."""
CLEAR = 0.06
"""Of the height of a panel: what two labels need to stand clear of each other."""
SCENES, PHOTOGRAPHED = ("drawn-scenes",), ("flickr8k", "flickr8k-part")


def groups(evidence: Evidence) -> list[tuple[str, Evidence]]:
    """Models by name, each with its runs from several seeds; those of the presets first, else any there are."""
    wanted: list[tuple[str, Callable[[], Evidence]]] = [
        ("scenes, original loss", lambda: trained(on(evidence, *SCENES), DRAWN)),
        ("scenes, softened loss", lambda: trained(on(evidence, *SCENES), DRAWN, loss="soft")),
        ("photographs, small model", lambda: trained(on(evidence, *PHOTOGRAPHED), PHOTOGRAPHS)),
        *((f"Flickr8k, {name}", lambda name=name: pair(on(evidence, "flickr8k"), name)) for name in PAIRS),
    ]
    found = [(name, runs) for name, find in wanted if (runs := _some(find))]
    if found:
        return found
    others: dict[str, list[Run]] = {}
    for run in evidence.where(task="train"):
        others.setdefault(f"{run.config['image_tower']}, {run.config['loss']}", []).append(run)
    return [(name, replace(evidence, runs=tuple(runs))) for name, runs in others.items()][:MOST_GROUPS]


def photographed(evidence: Evidence) -> list[tuple[str, Evidence]]:
    """The models that were asked for photographs: the published three, and the small one."""
    wanted: list[tuple[str, Callable[[], Evidence]]] = []
    for name, (pictures, text) in PAIRS.items():
        towers = {"image_tower": pictures, "text_tower": text}
        wanted += [
            (name, lambda name=name: pair(on(evidence, "flickr8k"), name)),  # type: ignore[misc]
            (f"{name}, untaught", lambda t=towers: trained(on(evidence, *PHOTOGRAPHED), SHEET, scratch=True, **t)),  # type: ignore[misc]
        ]
    wanted.append(("small", lambda: trained(on(evidence, *PHOTOGRAPHED), PHOTOGRAPHS)))
    found = [(name, runs) for name, find in wanted if (runs := _some(find))]
    if not found:
        raise MissingEvidence("no training on photographs is finished")
    return found


def shown(evidence: Evidence) -> tuple[Run, bool]:
    """The run whose pictures are shown, and whether they are drawn scenes; of photographs nothing is but names."""
    for datasets, drawn in ((SCENES, True), (PHOTOGRAPHED, False)):
        runs = _some(lambda datasets=datasets: on(evidence, *datasets).where(task="train"))  # type: ignore[misc]
        if runs:
            return groups(runs)[0][1].one(), drawn
    raise MissingEvidence("no training is finished")


def interval(values: Sequence[float]) -> Interval | None:
    """Student's interval of the mean over seeds; None where there are too few."""
    if len(values) < MINIMUM_SEEDS:
        return None
    return paired_difference(values, [0.0] * len(values)).interval


def tiles(run: Run, name: str) -> NDArray[np.uint8]:
    """The pictures of a kept sheet: ``[rows, columns, side, side, 3]``."""
    side = run.config["size"]
    pixels = np.asarray(Image.open(run.picture(name)).convert("RGB"))
    rows, columns = pixels.shape[0] // side, pixels.shape[1] // side
    return pixels.reshape(rows, side, columns, side, 3).swapaxes(1, 2)


def picture(axes: "Axes", pixels: Pixels, *, edge: str | None = None) -> None:
    """A picture without scales; with a frame where an edge is named."""
    axes.imshow(pixels)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(edge is not None)
        spine.set_linewidth(3)
        spine.set_edgecolor(edge or "none")


def cells(axes: "Axes", shade: NDArray[np.float64], texts: Sequence[Sequence[str]]) -> None:
    """A table of cells, each as dark as its shade from 0 to 1, with a text that can be read on it."""
    axes.imshow(np.ones_like(shade), alpha=0.06 + 0.94 * shade, cmap=ListedColormap(["C0"]), aspect="auto")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    text = to_rgb(plt.rcParams["text.color"])
    for (row, column), value in np.ndenumerate(shade):
        ink = tuple(1 - part for part in text) if value > DARK else text
        axes.text(column, row, texts[row][column], ha="center", va="center", color=ink, fontsize=11)


def name_ends(axes: "Axes", ends: Sequence[tuple[float, str, Any]], x: float) -> None:
    """Name lines at their right end, moved apart where they would touch."""
    low, high = axes.get_ylim()
    ordered = sorted(ends)
    heights = [value for value, *_ in ordered]
    for place in range(1, len(heights)):
        heights[place] = max(heights[place], heights[place - 1] + CLEAR * (high - low))
    excess = max(0.0, heights[-1] - high)
    for height, (_, label, colour) in zip(heights, ordered, strict=True):
        at = (x, height - excess)
        axes.annotate(
            label, at, xytext=(9, 0), textcoords="offset points", color=colour, fontweight="bold", va="center"
        )


def gallery(run: Run, rows: list[dict[str, object]]) -> "Figure":
    """Pairs of pictures under their captions."""
    pictures, height = tiles(run, "failures"), -(-len(rows) // IN_A_ROW)
    captions = [fill(f"{row['caption']} (rank {row['rank']})", CAPTION_WIDTH) for row in rows]
    lines = max(caption.count("\n") for caption in captions)  # all as high, so that the pictures stand in line
    drawing = plt.figure(figsize=(8.2, 0.5 + 1.75 * height))
    for part, at in zip(drawing.subfigures(height, IN_A_ROW, squeeze=False).flat, range(len(rows)), strict=False):
        panels = part.subplots(1, 2, gridspec_kw={"wspace": 0.04})
        for axes, pixels, edge in zip(panels, pictures[at], ("C2", "C1"), strict=True):
            picture(axes, pixels, edge=edge)
        part.suptitle(captions[at] + "\n " * (lines - captions[at].count("\n")), fontsize=10)
    return drawing


def names_of(rows: list[dict[str, object]]) -> "Figure":
    """A table of names."""
    drawing, axes = plt.subplots(figsize=(8.2, 0.9 + 0.32 * len(rows)))
    axes.set_axis_off()
    columns = {0.0: ("rank", "rank"), 0.1: ("name", "wanted"), 0.55: ("found", "found first")}
    for (x, (key, head)), at in product(columns.items(), range(len(rows) + 1)):
        text, y = str(rows[at - 1][key]) if at else head, 1 - (at + 0.5) / (len(rows) + 1)
        weight = "normal" if at else "bold"
        axes.text(x, y, text, transform=axes.transAxes, va="center", fontweight=weight, fontsize=11)
    return drawing


def _some(find: Callable[[], Evidence]) -> Evidence | None:
    try:
        return find()
    except MissingEvidence:
        return None


def recall_line(axes: "Axes", runs: Evidence, direction: str, number: int, models: int) -> float:
    """Recall over k, a dot a seed and a bar for the interval; returns where its line ends."""
    colour, captions = f"C{number}", [run.metric("count/queries") / run.metric("count/test") for run in runs]
    means, blind = [], []
    for at, k in enumerate(AT):
        values = runs.metric(f"{direction}/r{k}")
        place = at + 0.07 * (number - (models - 1) / 2)
        axes.plot([place] * len(values), values, "o", color=colour, markersize=3.5, alpha=0.7)
        if (bounds := interval(values)) is not None:
            axes.vlines(place, max(bounds.low, 0), min(bounds.high, 1), color=colour, linewidth=5, alpha=0.35)
        means.append(mean(values))
        pictures, each = int(runs.one().metric("count/test")), max(1, round(captions[0]))
        items, right = (pictures, 1) if direction == "text-to-image" else (pictures * each, each)
        blind.append(chance(k, items, right))
    places = np.arange(len(AT)) + 0.07 * (number - (models - 1) / 2)
    axes.plot(places, means, color=colour, alpha=0.9)
    axes.plot(places, blind, ":", color=colour, linewidth=1.3)
    return means[-1]
