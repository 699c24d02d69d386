"""What the evidence looks like: the four filters at work, their frequencies, where averaging pays, and impulses."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.image import imread

from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.studies.filters.model import WHITE, Array
from workings.studies.filters.portrait import cuts, numbers, pixels, response_map, spread
from workings.studies.filters.study import PHOTOGRAPHS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FILTERS = {"sobel-x": "Edges", "binomial": "Blur", "sharpen-x": "Sharpening along x", "box": "Noise"}
"""The kernel shown for each part of the question."""
TICKS = (2, 5, 10, 20, 40)
"""Grey levels named on the logarithmic axis of noise."""
PHOTOGRAPH = "coffee"
"""The one on which impulses are shown."""


@figure(
    "four-filters",
    caption="The sheet's four filters on the same pixels: what goes in, the kernel, what comes out.",
    alt="Four columns. A Sobel kernel turns a man and his camera into bright and dark outlines on grey; a binomial "
    "kernel softens them; the kernel −1 3 −1 makes them crisp that were blurred along x; a box takes most of the grain "
    "off a noisy picture.",
)
def four_filters(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(3, len(FILTERS), figsize=(8.0, 6.1), height_ratios=(1, 0.62, 1))
    for (kernel, title), column in zip(FILTERS.items(), panels.T, strict=True):
        run = evidence.where(task="apply", kernel=kernel).one()
        pixels(column[0], _picture(run, "before"), title)
        numbers(column[1], [[Fraction(entry) for entry in row] for row in run.table("shown")["kernel"]])
        pixels(column[2], _picture(run, "after"))
    for axes, label in zip(panels[:, 0], ("in", "kernel", "out"), strict=True):
        axes.set_ylabel(label)
    drawing.suptitle("Nine numbers find edges, blur, sharpen, or calm noise", x=0.02, ha="left")
    return drawing


@figure(
    "frequency-response",
    caption="H(u, v) over all waves, and along x: blue keeps a wave upright, orange turns it upside down.",
    alt="Two maps and a plot. The box's response has orange bands at high frequencies, where it is negative; the "
    "binomial's fades from blue to nothing. In the plot the box crosses zero at two thirds of the way to π, the "
    "binomial touches it only at π.",
)
def frequency_response(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 3, figsize=(8.0, 3.2), width_ratios=(1, 1, 1.25))
    curves = {}
    for axes, name, colour in zip(panels[:2], ("box", "binomial"), ("C1", "C0"), strict=True):
        response = evidence.where(task="inspect", kernel=name).one().array("response")
        response_map(axes, response, name)
        middle = response.shape[1] // 2
        curves[name] = (response[0, middle, middle:], colour)
    panels[1].set_ylabel("")
    cuts(panels[2], curves)
    panels[2].set_title("H(u, 0)", fontsize=12, pad=5)
    drawing.suptitle("The box turns the finest waves upside down; the binomial lets them fade", x=0.02, ha="left")
    return drawing


@figure(
    "noise-crossover",
    caption="Gain of the binomial over doing nothing; rings mark the levels foretold from the clean photograph's blur.",
    alt="Two plots over noise level, a curve for each of six photographs, by PSNR and by SSIM. All begin below zero, "
    "where averaging harms, and pass above it. By PSNR they pass at the foretold levels, china, full of detail, last.",
)
def noise_crossover(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 2, figsize=(8.0, 4.4))
    for axes, score, unit in zip(panels, ("psnr", "ssim"), ("PSNR gained, dB", "SSIM gained"), strict=True):
        _gains(axes, evidence, score)
        axes.set_ylabel(unit)
    for name, colour in _colours().items():
        foretold = _noise(evidence, name)[0].table("crossings")["binomial"]["predicted"]
        panels[0].plot(foretold, 0, "o", markersize=8, markerfacecolor="none", markeredgecolor=colour, clip_on=False)
    drawing.suptitle("Averaging pays once the noise outweighs the blur it brings", x=0.02, ha="left")
    return drawing


@figure(
    "impulses",
    caption="Pixels turned black or white at random; PSNR on the photograph's middle.",
    alt="Four pictures of the rim of a cup: clean, strewn with black and white dots, smeared grey by averaging, and "
    "nearly clean after the median.",
)
def impulses(evidence: Evidence) -> "Figure":
    run = _noise(evidence, PHOTOGRAPH)[0]
    row = run.table("impulses")[-1]
    drawing, panels = plt.subplots(1, 4, figsize=(8.0, 2.6))
    for axes, (name, label) in zip(
        panels, {"clean": "clean", "noisy": "noisy", "box": "average", "median": "median"}.items(), strict=True
    ):
        score = f", {row['scores'][name]['psnr']:.1f} dB" if name in row["scores"] else ""
        pixels(axes, _picture(run, f"impulses/{name}"), f"{label}{score}")
    drawing.suptitle(
        f"With {100 * row['density']:g} % of pixels lost, an average smears them; the median throws most out",
        x=0.02,
        ha="left",
    )
    return drawing


def _gains(axes: "Axes", evidence: Evidence, score: str) -> None:
    """What the binomial gains over leaving the noise in, the mean over seeds, a curve a photograph."""
    axes.axhline(0, color="grey", linewidth=1)
    curves: dict[str, Array] = {}
    levels: list[float] = []
    for name in PHOTOGRAPHS:
        tables = [run.table("gaussian") for run in _noise(evidence, name)]
        levels = [row["level"] for row in tables[0]]
        gains = [[r["scores"]["binomial"][score] - r["scores"]["noisy"][score] for r in table] for table in tables]
        curves[name] = np.mean(gains, axis=0)
    reach = max(curve.max() for curve in curves.values()) - min(curve.min() for curve in curves.values())
    ends = spread([float(curve[-1]) for curve in curves.values()], reach / 18)
    for (name, curve), end in zip(curves.items(), ends, strict=True):
        colour, place = _colours()[name], (levels[-1], end)
        axes.plot(levels, curve, color=colour)
        label = axes.annotate(name, place, xytext=(5, 0), textcoords="offset points", color=colour, fontsize=11)
        label.set(va="center", annotation_clip=False)
    axes.set_ylim(top=max(axes.get_ylim()[1], *ends))
    axes.set_xscale("log")
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.minorticks_off()
    axes.set_xlim(levels[0], levels[-1])
    axes.set_xlabel("noise, grey levels of 255")


def _noise(evidence: Evidence, photograph: str) -> tuple[Run, ...]:
    return evidence.where(task="noise", image=photograph).runs


def _colours() -> dict[str, str]:
    return {name: f"C{i}" for i, name in enumerate(PHOTOGRAPHS)}


def _picture(run: Run, name: str) -> np.ndarray[Any, Any]:
    return np.rint(imread(run.picture(name)) * WHITE)
