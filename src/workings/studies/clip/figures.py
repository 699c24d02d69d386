"""What the evidence looks like: recall, scale, prompts, similarities, failures, and how often words occur."""

from textwrap import fill
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.drawing import percents
from workings.studies.clip.comparisons import FAR, FIRST, Grid, drawn_grid, mean, on, published_grid
from workings.studies.clip.drawing import (
    cells,
    gallery,
    groups,
    name_ends,
    names_of,
    photographed,
    picture,
    recall_line,
    shown,
    tiles,
)
from workings.studies.clip.retrieval import AT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIRECTIONS = (("text-to-image", "a caption finds its picture"), ("image-to-text", "a picture finds a caption"))
PROMPT_WIDTH, DRAWN_WIDTH, LABEL_WIDTH = 24, 20, 60
"""Letters of a line."""
SHOWN_FAILURES = 8
OWN = ("conv", "transformer")
NARROW = 4
"""Ratio of a logarithmic axis's ends below which 1, 2, 5 are too few ticks."""
LEAST, MOST = -0.2, 1.0
"""Between them lie the cosines that a trained model gives."""


@figure(
    "recall",
    caption="R@k: how often what belongs together is among the first k, with 95 % intervals over seeds where there are "
    "three. Dotted, what a blind guess would reach.",
    alt="Two panels, one for each direction of search. Dots over k of one, five and ten rise from left to right, in a "
    "colour for each model; dotted lines of the same colours, chance, lie far below or near the bottom.",
)
def recall(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 2, figsize=(8.4, 4.2), sharey=True)
    models = groups(evidence)
    for axes, (direction, title) in zip(panels, DIRECTIONS, strict=True):
        ends = []
        for number, (label, runs) in enumerate(models):
            ends.append((recall_line(axes, runs, direction, number, len(models)), label, f"C{number}"))
        axes.set_title(title)
        axes.set_xticks(range(len(AT)), [str(k) for k in AT])
        axes.set_xlabel("k")
        axes.set_ylim(0, 1.02)
        axes.set_xlim(-0.3, len(AT) - 0.7)
        if axes is panels[-1]:
            name_ends(axes, ends, len(AT) - 0.75)
    panels[0].set_ylabel("recall among the first k")
    percents(panels[0].yaxis)
    label, runs = models[0]
    value, count = mean(runs.metric(f"text-to-image/r{FIRST}")), int(runs.one().metric("count/test"))
    drawing.suptitle(f"{value:.0%} of captions find their picture first among {count:,} ({label})", x=0.02, ha="left")
    return drawing


@figure(
    "scale",
    caption="R@1, text to image, of every picture tower with every text tower, equally long trained; means over seeds. "
    "Left, each pair; right, the same over the parameters of both towers, a line a text tower.",
    alt="Left, a square of nine cells, darker where recall is higher, with a row for each picture tower and a column "
    "for each text tower. Right, three lines over a logarithmic axis of parameters.",
)
def scale(evidence: Evidence) -> "Figure":
    found, k = _grid(evidence)
    values = found.recall(k).mean(axis=2)
    drawing, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.9), gridspec_kw={"width_ratios": [1, 1.25]})
    spread = values.max() - values.min()
    shade = (values - values.min()) / spread if spread else np.zeros_like(values)
    cells(left, shade, [[f"{value:.1%}" for value in row] for row in values])
    left.set_xticks(range(3), [_short(name) for name in found.texts])
    left.set_yticks(range(3), [_short(name) for name in found.pictures])
    left.set_xlabel(f"text tower{_kind(found.texts)}")
    left.set_ylabel(f"picture tower{_kind(found.pictures)}")
    ends = []
    for column, text in enumerate(found.texts):
        sizes = [_parameters(found.runs[name, text].one()) for name in found.pictures]
        right.plot(sizes, values[:, column], "o-", color=f"C{column}")
        for at, name in enumerate(found.pictures):
            seeds = found.runs[name, text].metric(f"text-to-image/r{k}")
            right.plot([sizes[at]] * len(seeds), seeds, "o", color=f"C{column}", markersize=3, alpha=0.6)
        ends.append((sizes[-1], float(values[-1, column]), _short(text), f"C{column}"))
    right.set_xscale("log")
    low, high = right.get_xlim()
    right.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high > NARROW * low else (1, 1.5, 2, 3, 5, 8)))
    right.xaxis.set_minor_locator(NullLocator())
    right.margins(y=0.12)
    for x, y, label, colour in ends:
        above = {"xytext": (0, 14), "textcoords": "offset points", "ha": "center"}
        right.annotate(label, (x, y), color=colour, fontweight="bold", **above)
    right.set_xlabel("parameters of both towers")
    right.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _count(x)))
    right.set_ylabel(f"R@{k}, text to image")
    percents(right.yaxis)
    steps = [100 * (along[-1] - along[0]) for along in (values.mean(axis=1), values.mean(axis=0))]
    told = f"From smallest to largest, picture towers gain {steps[0]:+.1f} points of R@{k}, text towers {steps[1]:+.1f}"
    drawing.suptitle(told, x=0.02, ha="left")
    return drawing


@figure(
    "prompts",
    caption="Of the first eight photographs that a model brings up for a prompt, those whose captions fit it; means "
    "over seeds. Untaught: from random weights, after one epoch of a part of the photographs. Right, how many there "
    "are to be found.",
    alt="A table with a row for each of five prompts and a column for each model, darker where more photographs fit; "
    "the last column has the number of fitting photographs among those searched.",
)
def prompts(evidence: Evidence) -> "Figure":
    models = photographed(evidence)
    rows = {name: [run.table("prompts") for run in runs] for name, runs in models}
    asked = [row["prompt"] for row in next(iter(rows.values()))[0]]
    share = np.array(
        [
            [np.mean([[hit["fits"] for hit in table[at]["hits"]] for table in tables]) for tables in rows.values()]
            for at in range(len(asked))
        ]
    )
    shown_hits = len(models[0][1].one().table("prompts")[0]["hits"])
    drawing, axes = plt.subplots(figsize=(8.2, 0.9 + 0.62 * len(asked)))
    cells(axes, share, [[f"{shown_hits * value:.1f}".removesuffix(".0") for value in row] for row in share])
    axes.set_yticks(range(len(asked)), [fill(prompt, PROMPT_WIDTH) for prompt in asked])
    axes.set_xticks(range(len(rows)), [name.replace(", ", "\n") for name in rows])
    axes.xaxis.tick_top()
    there = models[-1][1]
    count = int(there.one().metric("count/test"))
    for at in range(len(asked)):
        fitting = mean([run.table("prompts")[at]["fitting"] for run in there])
        axes.annotate(
            f"{fitting:.0f} of {count:,}",
            (1, at),
            xycoords=("axes fraction", "data"),
            xytext=(10, 0),
            textcoords="offset points",
            va="center",
            fontsize=11,
        )
    axes.annotate(
        "fit at all", (1, 1), xycoords="axes fraction", xytext=(10, 8), textcoords="offset points", fontsize=11
    )
    best = {name: float(share[:, column].mean()) for column, name in enumerate(rows)}
    leader = max(best, key=best.__getitem__)
    told = f"Of {shown_hits} photographs brought up, {shown_hits * best[leader]:.1f} fit on average at best ({leader})"
    drawing.suptitle(told, x=0.02, ha="left")
    return drawing


@figure(
    "prompts-drawn",
    caption="The first eight test scenes for prompts whose pair of colour and shape was never seen in training. Framed "
    "is what does not fit.",
    alt="Rows of small drawn scenes, one row beside each prompt; nearly all show the shape and colour that the prompt "
    "names, and those that do not are framed.",
)
def prompts_drawn(evidence: Evidence) -> "Figure":
    run, drawn = shown(evidence)
    if not drawn:
        raise MissingEvidence("no training on drawn scenes is finished")
    rows, pictures = run.table("prompts"), tiles(run, "prompts")
    columns = pictures.shape[1]
    drawing, panels = plt.subplots(
        len(rows),
        columns,
        figsize=(8.2, 0.5 + 0.84 * len(rows)),
        squeeze=False,
        gridspec_kw={"wspace": 0.04, "hspace": 0.04},
    )
    for (row, column), axes in np.ndenumerate(panels):
        hits = rows[row]["hits"]
        if column >= len(hits):
            axes.set_axis_off()
            continue
        picture(axes, pictures[row, column], edge=None if hits[column]["fits"] else "C1")
        if column == 0:
            label = fill(rows[row]["prompt"], DRAWN_WIDTH)
            axes.set_ylabel(label, rotation=0, ha="right", va="center", labelpad=8, fontsize=9.5)
    hits = [hit["fits"] for row in rows for hit in row["hits"]]
    told = f"Pairs never seen in training: {sum(hits)} of {len(hits)} scenes brought up have the colour and the shape"
    drawing.suptitle(told, x=0.02, ha="left")
    return drawing


@figure(
    "heat",
    caption="How similar a trained model finds each of ten test pictures and each of their captions (cosine). What "
    "belongs together is on the diagonal. Of photographs only names are shown.",
    alt="A square of cells, ten captions by ten pictures, the pictures along its upper side where they are drawn; "
    "the diagonal is the brightest.",
)
def heat(evidence: Evidence) -> "Figure":
    run, drawn = shown(evidence)
    values, told = run.array("heat"), run.table("heat")
    count = len(values)
    labels = told["captions"] if drawn else [f"{at}. {name}" for at, name in enumerate(told["names"], start=1)]
    drawing, (top, axes) = plt.subplots(
        2, 1, figsize=(8.2, 5.4), sharex=True, gridspec_kw={"height_ratios": [1, count], "hspace": 0.02}
    )
    image = axes.imshow(values.T, vmin=LEAST, vmax=MOST, aspect="auto")
    axes.set_yticks(range(count), [fill(label, LABEL_WIDTH) for label in labels], fontsize=9.5)
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.tick_params(length=0)
    top.set_axis_off()
    for column in range(count):
        if drawn:
            inset = top.inset_axes((column - 0.46, 0.0, 0.92, 1.0), transform=top.transData)
            picture(inset, tiles(run, "heat")[0, column])
        else:
            top.text(column, 0.3, str(column + 1), ha="center")
    bar = drawing.colorbar(image, ax=[top, axes], shrink=0.8, pad=0.01)
    bar.set_label("cosine")
    bar.outline.set_visible(False)
    own, other = values.diagonal().mean(), values[~np.eye(count, dtype=bool)].mean()
    drawing.suptitle(f"A caption and its picture have cosine {own:.2f}, others {other:.2f} (means)", x=0.02, ha="left")
    return drawing


@figure(
    "failures",
    caption="The captions that found their picture latest: left what was wanted, right what came first. Of photographs "
    "only names are shown.",
    alt="Pairs of pictures, each under its caption and the rank that the wanted one came to: the wrong ones differ "
    "from the wanted in a detail.",
)
def failures(evidence: Evidence) -> "Figure":
    run, drawn = shown(evidence)
    rows = run.table("failures")[:SHOWN_FAILURES]
    if not rows:
        raise MissingEvidence(f"run {run.id} failed nowhere: each caption found its picture first")
    worst, count = rows[0]["rank"], int(run.metric("count/test"))
    drawing = gallery(run, rows) if drawn else names_of(rows)
    drawing.suptitle(f"The worst of all finds its picture at rank {worst:,} of {count:,}", x=0.02, ha="left")
    return drawing


@figure(
    "words",
    caption="Captions of Flickr8k in which a word occurs, on a logarithmic axis; the plural with s counts too.",
    alt="Horizontal bars, the longest for man and dog; the bar for cat is the shortest, of another colour.",
)
def words(evidence: Evidence) -> "Figure":
    run = evidence.where(task="words").one()
    rows = sorted((row for row in run.table("words") if row["word"] != "cat"), key=lambda row: row["captions"])
    drawing, axes = plt.subplots(figsize=(7.2, 0.9 + 0.27 * len(rows)))
    for at, row in enumerate(rows):
        cat = row["word"] == "cats"
        axes.barh(at, max(row["captions"], 1), color="C1" if cat else "C0", alpha=1.0 if cat else 0.65, height=0.7)
        axes.annotate(
            f"{row['captions']:,}",
            (max(row["captions"], 1), at),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color="C1" if cat else plt.rcParams["text.color"],
            fontweight="bold" if cat else "normal",
        )
    axes.set_yticks(range(len(rows)), ["cat" if row["word"] == "cats" else row["word"] for row in rows])
    axes.set_xscale("log")
    axes.set_xlim(10, 3 * max(row["captions"] for row in rows))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("captions")
    count = {row["word"]: row["captions"] for row in rows}
    more = (
        f": a dog is in {count['dog'] / count['cats']:,.0f} times as many" if count.get("dog") and count["cats"] else ""
    )
    told = f"{count['cats']:,} of {run.metric('captions'):,.0f} captions name a cat{more}"
    drawing.suptitle(told, x=0.02, ha="left")
    return drawing


def _grid(evidence: Evidence) -> tuple[Grid, int]:
    """The grid of the published towers where there is one, else that of small ones; and the k that suits it."""
    try:
        return published_grid(on(evidence, "flickr8k")), FAR
    except MissingEvidence:
        return drawn_grid(on(evidence, "drawn-scenes")), FIRST


def _short(name: str) -> str:
    """A tower's name, or the width of one of ours, for a tick."""
    return name.removesuffix("-base-uncased").removesuffix("-base").removeprefix("conv-").removeprefix("transformer-")


def _kind(names: tuple[str, ...]) -> str:
    """What the ticks leave out of our own towers' names."""
    return next((f" ({kind} of this width)" for kind in OWN if all(name.startswith(kind) for name in names)), "")


def _parameters(run: Run) -> float:
    return run.metric("parameters/pictures") + run.metric("parameters/text")


def _count(x: float) -> str:
    return f"{x / 1e6:g} M" if x >= 1e6 else f"{x / 1e3:g} k"
