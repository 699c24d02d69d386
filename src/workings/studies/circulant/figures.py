"""What the evidence looks like: cycles of index pairs, errors shift by shift, two networks layer by layer, and
times."""

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from workings.core.evidence import Evidence
from workings.core.figure import figure
from workings.studies.circulant.drawings import bands, cycles_on_matrix, cycles_on_torus, depth, shift_tile
from workings.studies.circulant.readings import layer, layers_of
from workings.studies.circulant.study import LAYERS, NETWORKS, OTHER, SHIFT

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure(
    "commutant",
    caption="Index pairs of one colour are one cycle: a matrix commutes with the permutation when it is constant on "
    "each. Right, the shift's cycles on a torus of pairs: they wind around once each way, and close.",
    alt="Two square grids and a torus. For the shift the cycles are eight wrapped diagonals, all of one length. For a "
    "permutation of cycles of five and three they fall into blocks: diagonals within each cycle, and one constant "
    "block where the two cycles meet. On the torus the eight diagonals are closed curves that never touch.",
)
def commutant(evidence: Evidence) -> "Figure":
    drawing = plt.figure(figsize=(8.0, 3.5))
    grid = drawing.add_gridspec(1, 3, width_ratios=[1, 1, 1.25])
    for place, permutation in enumerate((SHIFT, OTHER)):
        run = evidence.where(permutation=permutation).one()
        found = run.table("permutation")
        axes = drawing.add_subplot(grid[0, place])
        cycles_on_matrix(axes, run.array("cycles"), smooth=permutation == SHIFT)
        lengths = " and ".join(map(str, found["cycle_lengths"]))
        axes.set_title(
            f"cycles of {lengths}: dimension {found['dimension']}"
            if place
            else f"the shift: dimension {found['dimension']}",
            fontsize=11,
        )
    shift = evidence.where(permutation=SHIFT).one().table("permutation")
    cycles_on_torus(drawing.add_subplot(grid[0, 2], projection="3d"), len(shift["permutation"]))
    drawing.suptitle("What commutes with the shift is constant on its wrapped diagonals", x=0.02, ha="left")
    return drawing


@figure(
    "every-shift",
    caption="The relative error of small layers under every circular shift of one picture, with the shift by nothing "
    "at the centre. Black is exactly 0.",
    alt="Nine square maps of the error by shift. Circular padding and global pooling are black all over. Zero and "
    "reflect padding err everywhere, less along the axes. Strides and pooling are black on every second shift along "
    "both axes, a lattice of dots, and err between, the anti-aliased pooling least. Flattening errs everywhere.",
)
def every_shift(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(3, 3, figsize=(7.2, 7.6), sharex=True, sharey=True)
    found = {name: layer(evidence, name) for name in LAYERS}
    top = max(float(each.errors.max()) for each in found.values() if each.stride is not None)
    for axes, (name, each) in zip(panels.flat, found.items(), strict=True):
        image = shift_tile(axes, each, top)
        axes.set_title(f"{name.replace('-', ' ')}: {'0' if each.mean == 0 else f'{each.mean:.2f}'}", fontsize=12, pad=4)
    for below, beside in zip(panels[-1], panels[:, 0], strict=True):
        below.set_xlabel("pixels right", fontsize=10)
        beside.set_ylabel("pixels down", fontsize=10)
    bar = drawing.colorbar(image, ax=panels, orientation="horizontal", shrink=0.6, aspect=40, extend="max")
    bar.set_label("relative shift error (mean above each map)")
    drawing.suptitle("Strides leave a lattice of shifts unharmed; padding with zeros leaves none", x=0.02, ha="left")
    return drawing


@figure(
    "networks",
    caption="Mean relative shift error, layer by layer, of networks with random weights. Above, the stride so "
    "far in pixels.",
    alt="Two panels with the layers of a network from left to right. For most shifts the error is high from the first "
    "layer on. For shifts that suit every stride it is lower, nears the other line with depth, and is zero away from "
    "the border. In the last layers, which have no places, all errors fall.",
)
def networks(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 2, figsize=(8.0, 4.4), sharey=True)
    for axes, name in zip(panels, NETWORKS, strict=True):
        layers = layers_of(evidence.where(network=name).one())
        depth(axes, layers, named=name == NETWORKS[0])
        bands(axes, layers)
        axes.set_title(f"{name}, random weights", pad=20)
    panels[0].set_ylabel("relative shift error")
    drawing.suptitle("Where the shift suits the strides, all that is left comes in from the border", x=0.02, ha="left")
    return drawing


@figure(
    "crossover",
    caption="Time of one circular convolution of n real numbers, on the machine that made the evidence.",
    alt="Lines over n, both axes logarithmic. The product with a matrix and the plain sum are fastest for small n and "
    "grow as its square. The FFT costs the same for small n and then grows about in proportion to n. The function "
    "apply follows whichever is lower.",
)
def crossover(evidence: Evidence) -> "Figure":
    rows: list[dict[str, Any]] = evidence.where(timing=True).one().table("times")
    drawing, axes = plt.subplots(figsize=(7.2, 4.4))
    ways = {"matrix": ("matrix, kept ready", -8, "right"), "sum": ("plain sum", 8, "left"), "fft": ("FFT", 8, "left")}
    for colour, (way, (label, offset, side)) in zip(("C0", "C1", "C2"), ways.items(), strict=True):
        n, times = np.array([(row["n"], row[way]) for row in rows if row[way] is not None]).T
        axes.loglog(n, 1e6 * times, "-", color=colour)
        end = (n[-1], 1e6 * times[-1])
        axes.annotate(label, end, xytext=(offset, 0), textcoords="offset points", color=colour, ha=side, va="center")
    n, times = np.array([(row["n"], row["apply"]) for row in rows]).T
    axes.loglog(n, 1e6 * times, "o", color="grey", markersize=7, alpha=0.5)
    axes.annotate("apply", (n[0], 1e6 * times[0]), xytext=(-2, 9), textcoords="offset points", color="grey")
    axes.set_xlim(right=n[-1] * 2.5)
    axes.set_xscale("log", base=2)
    axes.set_xlabel("n, numbers in the vector")
    axes.set_ylabel("time, microseconds")
    drawing.suptitle("The FFT wins by far, but not for short vectors", x=0.02, ha="left")
    return drawing
