"""A computation graph as a picture: nodes with value and derivatives, arrows with the derivative of head by tail."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import FancyBboxPatch

from workings.studies.autodiff.graph import Graph, Node
from workings.studies.autodiff.layout import Layout, layout

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

TITLE, LABEL, EDGE = 12.5, 10.5, 9.0
"""Sizes in points: of a node's formula, of the numbers in it, of those on arrows."""
BEND = 60
"""Points of a line from one column to the next."""
LEADING = 1.42
"""From line to line, in sizes."""
PADDING = 0.09
"""Between a box and what is in it, in inches."""
GAP = (0.95, 0.26)
"""Between columns, and between boxes of one, in inches; an arrow's number needs about half of the first."""
ALONG = np.linspace(0.14, 0.86, 25)
"""Where along an arrow's first stretch its number may stand; the middle is the best place."""
LONGEST = 120
"""Letters of a formula above the graph."""
KEY = "in a box: its value, and the derivative of each output by it · on an arrow: that of its head by its tail"
_PATTERNS = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": r"{} \cdot {}",
    "div": "{} / {}",
    "neg": "-{}",
    "pow": "{}^{{{}}}",
    "log": r"\ln\,{}",
    "sigmoid": r"\sigma({})",
    "sqrt": r"\sqrt{{{}}}",
    "abs": "|{}|",
    **{name: rf"\{name}\,{{}}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp")},
}


def number(x: float) -> str:
    """Four digits, with a true minus."""
    return f"{x + 0.0:.4g}".replace("-", "−")


def typeset(name: str) -> str:
    """A variable, a step or a constant in TeX's mathematics: w1 as w with an index."""
    if match := re.fullmatch(r"([A-Za-z])_?(\d+)", name):
        return f"{match[1]}_{{{match[2]}}}"
    if re.fullmatch(r"[A-Za-z]", name) or not name[0].isalpha():
        return re.sub(r"e([+-])0*(\d+)", r"\\cdot 10^{\1\2}", name).replace("_", r"\_").replace("{+", "{")
    return rf"\mathrm{{{name}}}".replace("_", r"\_")


def formula(operation: str, arguments: Sequence[str]) -> str:
    """A primitive and its arguments in TeX's mathematics."""
    names = [typeset(name) for name in arguments]
    if operation in _PATTERNS:
        first, *rest = names
        if first.startswith("-") and operation in ("pow", "mul", "div"):
            names = [f"({first})", *rest]
        return _PATTERNS[operation].format(*names)
    return rf"\mathrm{{{operation}}}({', '.join(names)})"


def heading(node: Node) -> str:
    """What stands first in a node's box."""
    name = typeset(node.name)
    return f"${name}$" if not node.operation else f"${name} = {formula(node.operation, node.arguments)}$"


def draw(figure: "Figure", graph: Graph, titles: Sequence[str]) -> "Axes":
    """Draw a graph on an empty figure, which takes the size that the picture needs; titles are the formulas."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    lines = [_lines(graph, place, len(titles)) for place in range(len(graph.nodes))]
    sizes = [_measured(figure, rows) for rows in lines]
    edges = [(parent, child) for child, node in enumerate(graph.nodes) for parent in node.partials]
    where = layout(sizes, edges, GAP)
    _frame(figure, axes, where, sizes, titles)
    for place, ((x, y), (width, height), rows) in enumerate(zip(where.nodes, sizes, lines, strict=True)):
        _box(axes, graph, place, (x - width / 2, y - height / 2, width, height))
        if place in graph.outputs:
            k = graph.outputs.index(place)
            axes.text(x, y + height / 2 + 0.06, _sign(k, len(titles)), size=TITLE, color=f"C{k}", ha="center")
        top = y + height / 2 - PADDING
        for text, size, colour in rows:
            top -= size * LEADING / 72
            axes.text(x, top + 0.3 * size / 72, text, size=size, ha="center", va="baseline", zorder=3, **_ink(colour))
    _arrows(figure, axes, graph, where, sizes)
    return axes


def _ink(colour: str | None) -> dict[str, Any]:
    return {} if colour is None else {"color": colour}


def _lines(graph: Graph, place: int, outputs: int) -> list[tuple[str, float, str | None]]:
    """The lines in a node's box: text, size, colour (None for the style's own)."""
    node = graph.nodes[place]
    lines: list[tuple[str, float, str | None]] = [(heading(node), TITLE, None), (number(node.value), LABEL, None)]
    for k, end in enumerate(graph.outputs):
        if place in _leading_to(graph, end):
            head = _sign(k, outputs).replace("$", r"$\partial ", 1)
            lines.append((f"{head}  {number(graph.adjoints(end)[place])}", LABEL, f"C{k}"))
    return lines


def _sign(k: int, outputs: int) -> str:
    return "$f$" if outputs == 1 else f"$f_{{{k + 1}}}$"


def _leading_to(graph: Graph, end: int) -> set[int]:
    """The nodes that an output is computed from, itself included."""
    found, ahead = {end}, [end]
    while ahead:
        new = [parent for parent in graph.nodes[ahead.pop()].partials if parent not in found]
        found.update(new)
        ahead += new
    return found


def _measured(figure: "Figure", rows: Sequence[tuple[str, float, str | None]]) -> tuple[float, float]:
    """Width and height of a box around lines, in inches."""
    widest = 0.0
    for text, size, _ in rows:
        drawn = figure.text(0, 0, text, size=size)
        widest = max(widest, _extent(figure, drawn).width / figure.dpi)
        drawn.remove()
    return widest + 2.6 * PADDING, sum(size for _, size, _ in rows) * LEADING / 72 + 2 * PADDING


def _extent(figure: "Figure", text: "Text"):  # type: ignore[no-untyped-def]
    return text.get_window_extent()


def _frame(
    figure: "Figure", axes: "Axes", where: Layout, sizes: Sequence[tuple[float, float]], titles: Sequence[str]
) -> None:
    """Set figure and axes so that a unit is an inch, with the formulas above the graph."""
    margin, x, y = 0.25, np.array([p[0] for p in where.nodes]), np.array([p[1] for p in where.nodes])
    half = np.array(sizes) / 2
    waypoints = [point[1] for route in where.routes.values() for point in route]
    left, right = (x - half[:, 0]).min() - margin, (x + half[:, 0]).max() + margin
    low = min((y - half[:, 1]).min(), *waypoints, np.inf) - margin
    top = max((y + half[:, 1]).max(), *waypoints, -np.inf) + margin
    head = 0.3 * len(titles) + 0.1
    drawn = [
        axes.text(left + margin, top + head - 0.3 * k - 0.25, _title(k, titles), size=TITLE, color=f"C{k}")
        for k, title in enumerate(titles)
    ]
    low -= 0.25
    drawn.append(axes.text(left + margin, low + 0.15, KEY, size=EDGE, color="grey", style="italic"))
    widest = max(_extent(figure, text).width / figure.dpi for text in drawn)
    right = max(right, left + widest + 2 * margin)
    figure.set_size_inches(right - left, top + head - low)
    axes.set_xlim(left, right)
    axes.set_ylim(low, top + head)


def _title(k: int, titles: Sequence[str]) -> str:
    """A formula as it was typed, cut where it is longer than a picture is wide."""
    text = titles[k] if len(titles[k]) <= LONGEST else f"{titles[k][:LONGEST]} …"
    return f"{_sign(k, len(titles))} = {text}"


def _box(axes: "Axes", graph: Graph, place: int, bounds: tuple[float, float, float, float]) -> None:
    """An input has a thick grey rim, an output one in its colour."""
    rim = f"C{graph.outputs.index(place)}" if place in graph.outputs else "grey"
    thick = 1.8 if place in graph.outputs or not graph.nodes[place].operation else 0.9
    x, y, width, height = bounds
    box = FancyBboxPatch(
        (x, y), width, height, boxstyle="round,pad=0,rounding_size=0.09", linewidth=thick, edgecolor=rim, zorder=2
    )
    box.set_facecolor("none")
    axes.add_patch(box)


def _arrows(figure: "Figure", axes: "Axes", graph: Graph, where: Layout, sizes: Sequence[tuple[float, float]]) -> None:
    """Every edge as a smooth line that leaves room for its number."""
    taken = np.column_stack([np.array(where.nodes), np.array(sizes) / 2])
    curves = {edge: _curve(route) for edge, route in where.routes.items()}
    for (parent, child), curve in curves.items():
        told = number(graph.nodes[child].partials[parent])
        label = axes.text(0, 0, told, size=EDGE, ha="center", va="center", gid="edge")
        extent = _extent(figure, label)
        half = np.array([extent.width, extent.height]) / figure.dpi / 2 + [0.045, 0.02]
        others = np.concatenate([np.empty((0, 2)), *(c for c in curves.values() if c is not curve)])
        spots = [curve[round(along * (BEND - 1))] for along in ALONG]
        spot = spots[
            int(np.argmin([_crowded(s, half, taken, others) + abs(s[0] - curve[BEND // 2, 0]) for s in spots]))
        ]
        label.set_position((float(spot[0]), float(spot[1])))
        taken = np.vstack([taken, [*spot, *half]])
        _line(axes, curve, hidden=(np.abs(curve - spot) < half).all(axis=1))


def _crowded(spot: np.ndarray, half: np.ndarray, taken: np.ndarray, others: np.ndarray) -> float:
    """How badly a number would stand at a spot: on a box or another number (at all costs not), or on lines."""
    on_boxes = int((np.abs(taken[:, :2] - spot) < half + taken[:, 2:]).all(axis=1).sum())
    return 1e6 * on_boxes + int((np.abs(others - spot) < half).all(axis=1).sum())


def _line(axes: "Axes", curve: np.ndarray, hidden: np.ndarray) -> None:
    """A line with an arrow's head, without its hidden part."""
    for part in np.split(np.arange(len(curve)), np.flatnonzero(np.diff(hidden)) + 1):
        if not hidden[part[0]]:
            axes.plot(*curve[part].T, color="grey", linewidth=0.9, zorder=1, solid_capstyle="butt")
    head = {
        "arrowstyle": "-|>,head_width=0.13,head_length=0.26",
        "color": "grey",
        "lw": 0.9,
        "shrinkA": 0,
        "shrinkB": 0,
    }
    axes.annotate("", curve[-1], curve[-4], arrowprops=head, zorder=1)


def _curve(route: Sequence[tuple[float, float]]) -> np.ndarray:
    """Points along a route: level where it passes a column, an S between columns."""
    points: list[np.ndarray] = []
    for k, ((x0, y0), (x1, y1)) in enumerate(pairwise(route)):
        if k % 2:  # past the boxes of a column
            points.append(np.linspace((x0, y0), (x1, y1), 20))
            continue
        bend = (x1 - x0) / 2
        t = np.linspace(0, 1, BEND)[:, None]
        a, b, c, d = (np.array(p) for p in ((x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)))
        points.append((1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d)
    return np.concatenate(points)
