"""What the evidence looks like: learning curves, error rates by decoding, and where the attention looks."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence
from workings.core.figure import figure
from workings.drawing import percents
from workings.studies.spelling.comparisons import recipe, stronger

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

VARIANTS = ((False, "without attention", "published-plain"), (True, "with attention", "published-attention"))
SHOWN_WORDS = 3


@figure(
    "learning",
    caption="Validation error over the epochs, a line a seed; dotted, the best that the published answer reports.",
    alt="Two groups of falling curves. The group with attention falls faster and ends lower than the one without.",
)
def learning(evidence: Evidence) -> "Figure":
    drawing, axes = plt.subplots(figsize=(7.2, 4.0))
    ends = {}
    for number, (attention, label, published) in enumerate(VARIANTS):
        series = [np.array(run.series("validation/cer")) for run in recipe(evidence, attention=attention)]
        colour = f"C{number}"
        for curve in series:
            axes.plot(curve[:, 0], curve[:, 1], color=colour, alpha=0.8)
        last = max((curve[-1] for curve in series), key=lambda point: point[0])
        axes.annotate(label, last, xytext=(6, 4), textcoords="offset points", color=colour, fontweight="bold")
        ends[label] = float(np.mean([curve[:, 1].min() for curve in series]))
        if set(evidence.datasets) == {"ist-p2g"}:
            axes.axhline(evidence.published[published]["validation_cer"], color=colour, linestyle=":", linewidth=1)
    without, attending = ends.values()
    axes.set_title(f"Attention cuts the best validation error from {without:.0%} to {attending:.0%}")
    axes.set_xlabel("epoch")
    axes.set_ylabel("character error rate (greedy)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    percents(axes.yaxis)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.02)
    return drawing


@figure(
    "decoding",
    caption="Test error of every seed (dots) by way of decoding; open diamonds are the published figures.",
    alt="Rows of dots, one row for each model and decoding. Attention lies far left of no attention; a beam is left of "
    "greedy decoding, which is left of a nucleus sample. Published figures lie near the dots.",
)
def decoding(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 2, figsize=(8.2, 3.6), sharey=True)
    rows = _rows(evidence)
    for axes, metric, name in zip(panels, ("cer", "wer"), ("character error rate", "word error rate"), strict=True):
        for height, (_, runs, method, published, colour) in enumerate(reversed(rows)):
            values = runs.metric(f"test/{method}/{metric}")
            axes.plot(values, [height] * len(values), "o", color=colour, alpha=0.75, markersize=6)
            if published and set(evidence.datasets) == {"ist-p2g"}:
                stated = evidence.published[published][metric]
                axes.plot(stated, height, "D", markerfacecolor="none", markeredgecolor=colour, markersize=9)
        axes.set_xlabel(name)
        percents(axes.xaxis, 5)
        axes.grid(visible=True, axis="y", alpha=0.3)
    panels[0].set_yticks(range(len(rows)), [row[0] for row in reversed(rows)])
    panels[0].set_ylim(-0.6, len(rows) - 0.4)
    drawing.suptitle(_decoding_title(evidence), x=0.02, ha="left")
    return drawing


@figure(
    "attention",
    caption="Where the decoder looks (columns: phonemes read) as it writes each letter (rows). The brighter, the more.",
    alt="Heat maps of attention weights for a few words: nearly diagonal bands, since letters follow sounds in order.",
)
def attention(evidence: Evidence) -> "Figure":
    maps = recipe(evidence, attention=True).one().table("attention")[:SHOWN_WORDS]
    widths = [len(word["read"]) for word in maps]
    drawing, panels = plt.subplots(
        1, len(maps), figsize=(8.0, 3.4), squeeze=False, gridspec_kw={"width_ratios": widths}
    )
    for axes, word in zip(panels[0], maps, strict=True):
        _attention_map(axes, word["read"], word["written"], np.array(word["weights"]))
    written = "".join(maps[0]["written"][:-1])
    drawing.suptitle(f"Writing “{written}”, the speller reads from left to right", x=0.02, ha="left")
    return drawing


def _attention_map(axes: "Axes", read: list[str], written: list[str], weights: NDArray[np.float64]) -> None:
    axes.pcolormesh(weights[::-1], vmin=0, vmax=1, edgecolor="face", linewidth=0.3)
    axes.set_aspect("equal")
    axes.set_xticks(np.arange(len(read)) + 0.5, read)
    axes.set_yticks(np.arange(len(written)) + 0.5, written[::-1])
    axes.tick_params(length=0)
    axes.grid(visible=False)


def _rows(evidence: Evidence) -> list[tuple[str, Evidence, str, str | None, str]]:
    """Label, runs, decoding, the published entry and the colour, for each row from the top."""
    plain, attending = recipe(evidence, attention=False), recipe(evidence, attention=True)
    rows = [
        ("no attention, greedy", plain, "greedy", "published-plain", "C0"),
        ("attention, nucleus sample", attending, "nucleus", "published-nucleus", "C1"),
        ("attention, greedy", attending, "greedy", "published-attention", "C1"),
        ("attention, beam", attending, "beam", None, "C1"),
    ]
    try:
        return [*rows, ("stronger model, beam", stronger(evidence), "beam", None, "C2")]
    except MissingEvidence:
        return rows


def _decoding_title(evidence: Evidence) -> str:
    method = {name: np.mean(recipe(evidence, attention=True).metric(f"test/{name}/wer")) for name in ("greedy", "beam")}
    more = method["greedy"] - method["beam"]
    return f"A beam {'gains' if more > 0 else 'loses'} {abs(more) * 100:.1f} points of word error over greedy decoding"
