"""What the evidence looks like: the graph, both traces side by side, the error of differences, the price of a mode."""

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.studies.autodiff.graph import Graph
from workings.studies.autodiff.portrait import draw, heading, number, typeset
from workings.studies.autodiff.study import SHEET_FUNCTIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(
    "graph",
    caption="The sheet's functions as one graph: values arise from left to right, derivatives from right to left.",
    alt="Boxes joined by arrows. Two inputs on the left feed cosines, a sigmoid, a sum, a square, a logarithm and "
    "products, which end in two outputs on the right. Each box holds a value and its derivatives; each arrow a number.",
)
def computation_graph(evidence: Evidence) -> "Figure":
    run = _sheet(evidence)
    drawing = plt.figure(layout="none")
    draw(drawing, Graph.from_json(run.table("trace")), run.config["f"])
    return drawing


@figure(
    "trace",
    caption="Every step at the sheet's point. Forward mode fills its columns downwards, one an input; "
    "reverse mode fills its columns upwards, one an output.",
    alt="A table with a row for each step: its formula, its value, its two tangents, its two adjoints. The Jacobian "
    "stands in the tangents of the output rows, and again in the adjoints of the input rows.",
)
def trace(evidence: Evidence) -> "Figure":
    run = _sheet(evidence)
    table = run.table("trace")
    found, nodes = Graph.from_json(table), table["nodes"]
    drawing, axes = plt.subplots(figsize=(8.0, 0.34 * len(nodes) + 1.6))
    axes.set_axis_off()
    axes.set_xlim(0, 8)
    axes.set_ylim(-len(nodes) - 0.1, 2.1)
    columns = [f"$\\partial/\\partial {typeset(node['name'])}$" for node in nodes[: table["inputs"]]]
    rows = [f"$\\partial f_{k + 1}$" for k in range(len(table["outputs"]))]
    _heads(axes, columns, rows, len(nodes))
    for place, (node, row) in enumerate(zip(found.nodes, nodes, strict=True)):
        y = -place - 0.65
        end = table["outputs"].index(place) if place in table["outputs"] else None
        sign = "" if end is None else f"$f_{end + 1} = $"
        axes.text(0.1, y, f"{sign}{heading(node)}", **_shade(None if end is None else f"C{end}"))
        axes.text(3.25, y, number(row["value"]), ha="right")
        for k, tangent in enumerate(row["tangents"]):
            ink = _shade(f"C{end}" if end is not None else None)
            axes.text(4.45 + 0.95 * k, y, number(tangent), ha="right", **ink)
        for k, adjoint in enumerate(row["adjoints"]):
            ink = _shade(f"C{k}" if place < table["inputs"] else None)
            axes.text(6.85 + 0.95 * k, y, number(adjoint), ha="right", **ink)
        axes.axhline(-place - 1, color="grey", linewidth=0.3, alpha=0.6)
    drawing.suptitle(
        "Down the columns of forward mode, up those of reverse: one Jacobian, in colour", x=0.02, ha="left"
    )
    return drawing


@figure(
    "differences",
    caption="The largest error of numerical differentiation of the sheet's functions, over the step.",
    alt="Two curves on logarithmic axes. They fall as the step shrinks, that of central differences twice "
    " as steeply; then rounding takes over and both rise. The engine's own error is a level line far below.",
)
def differences(evidence: Evidence) -> "Figure":
    run = _sheet(evidence)
    drawing, axes = plt.subplots(figsize=(7.4, 4.4))
    steps = run.array("steps")
    for k, (scheme, order) in enumerate((("forward", 1), ("central", 2))):
        errors = run.array(f"errors/{scheme}")
        axes.loglog(steps, errors, color=f"C{k}")
        at = int(np.searchsorted(steps, 3e-4))
        told = f"{scheme} differences: slope {order}"
        where: dict[str, Any] = {"xytext": (-8, 5), "textcoords": "offset points", "ha": "right"}
        axes.annotate(told, (steps[at], errors[at]), color=f"C{k}", **where)
        sheet = int(np.abs(np.log(steps / run.config["delta"])).argmin())
        axes.plot(steps[sheet], errors[sheet], "o", color=f"C{k}")
    exact = evidence.where(part="symbols", f=run.config["f"]).one()
    true = np.array(exact.table("exact")["jacobian"], dtype=np.float64)
    engine = max(float(np.abs(np.array(exact.table("engine")["jacobian"]) - true).max()), 2.0**-54)
    axes.axhline(engine, color="C2")
    axes.text(steps[0], engine * 1.7, "automatic differentiation", color="C2", va="bottom")
    delta = run.config["delta"]
    axes.axvline(delta, color="grey", linewidth=0.8, linestyle=":")
    axes.text(delta * 0.8, engine * 1e3, f"the sheet's Δ = {delta:g}", color="grey", ha="right")
    axes.set_xlabel("step Δ, in the unit of w")
    axes.set_ylabel("largest error of an entry of J")
    drawing.suptitle("No step is small enough: truncation gives way to rounding", x=0.02, ha="left")
    return drawing


@figure(
    "cost",
    caption="Multiplications for the full Jacobian of A·tanh(B·x), its value included, counted as they were done.",
    alt="Left: for a fixed number of inputs, the price of forward mode hardly grows with the number of outputs while "
    "that of reverse mode does; they cross where outputs are as many as inputs. Right: a grid of sizes with the "
    "cheaper mode and the ratio of prices: equal on the diagonal, reverse mode below it, forward mode above.",
)
def cost(evidence: Evidence) -> "Figure":
    rows = evidence.where(part="cost").one().table("cost")
    sizes = sorted({row["inputs"] for row in rows})
    table = {
        (row["inputs"], row["outputs"]): [row[mode]["multiplications"] for mode in ("forward", "reverse")]
        for row in rows
    }
    drawing, (left, right) = plt.subplots(1, 2, figsize=(8.0, 4.2), width_ratios=(1.15, 1))
    middle = sizes[len(sizes) // 2]
    for k, mode in enumerate(("forward", "reverse")):
        price = [table[middle, m][k] for m in sizes]
        left.loglog(sizes, price, "o-", color=f"C{k}")
        offset, side = ((6, -16), "left") if k == 0 else ((-8, 2), "right")
        at = 0 if k == 0 else -2
        left.annotate(mode, (sizes[at], price[at]), xytext=offset, textcoords="offset points", color=f"C{k}", ha=side)
    left.axvline(middle, color="grey", linewidth=0.8, linestyle=":")
    left.set_xticks(sizes, [str(m) for m in sizes])
    left.minorticks_off()
    left.set_xlabel("outputs m")
    left.set_ylabel("multiplications")
    left.set_title(f"n = {middle} inputs")
    ratio = np.array([[np.log2(table[n, m][0] / table[n, m][1]) for n in sizes] for m in sizes])
    reach = float(np.abs(ratio).max())
    right.imshow(ratio, origin="lower", cmap="coolwarm", vmin=-1.6 * reach, vmax=1.6 * reach)
    for (i, j), value in np.ndenumerate(ratio):
        factor = 2 ** abs(value)
        told = "=" if abs(value) < 1e-9 else f"{'R' if value > 0 else 'F'} {factor:.{0 if factor >= 10 else 1}f}"
        right.text(j, i, told, ha="center", va="center", size=9, color="black")
    right.set_xticks(range(len(sizes)), [str(n) for n in sizes])
    right.set_yticks(range(len(sizes)), [str(m) for m in sizes])
    right.grid(visible=False)
    right.set_xlabel("inputs n")
    right.set_ylabel("outputs m")
    right.set_title("cheaper mode (F, R), by what factor")
    drawing.suptitle("The shorter side of the Jacobian sets its price", x=0.02, ha="left")
    return drawing


def _sheet(evidence: Evidence) -> Run:
    return evidence.where(part="formulas", f=[*SHEET_FUNCTIONS]).one()


def _shade(colour: str | None) -> dict[str, Any]:
    return {} if colour is None else {"color": colour, "fontweight": "bold"}


def _heads(axes: "Axes", columns: list[str], rows: list[str], count: int) -> None:
    axes.text(0.1, 0.35, "step")
    axes.text(3.25, 0.35, "value", ha="right")
    for k, name in enumerate(columns):
        axes.text(4.45 + 0.95 * k, 0.35, name, ha="right")
    for k, name in enumerate(rows):
        axes.text(6.85 + 0.95 * k, 0.35, name, ha="right", color=f"C{k}")
    axes.axhline(0, color="grey", linewidth=0.9)
    for x, end, told, at in (
        (3.5, -count, "forward mode: tangents", 4.45),
        (5.95, 0.0, "reverse mode: adjoints", 6.85),
    ):
        axes.text(at - 0.7, 1.25, told, style="italic")
        start = 0.0 if end else -float(count)
        axes.annotate("", (x, end), (x, start), arrowprops={"arrowstyle": "-|>", "color": "grey", "lw": 1.4})
