"""Draw the computation graph of formulas of one's own, with values and derivatives."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from workings.core.errors import UserError
from workings.drawing import check_file, in_style, save
from workings.studies.autodiff.experiment import read
from workings.studies.autodiff.graph import Graph
from workings.studies.autodiff.graph import graph as graph_of
from workings.studies.autodiff.study import SHEET_FUNCTIONS

READABLE = 40
"""Nodes at most: a picture of more cannot be read."""


@dataclass(frozen=True)
class Drawing:
    """A picture of a graph, and what it shows."""

    path: str
    nodes: int
    """Inputs and primitives; a subexpression that comes twice is one node."""
    gradients: dict[str, dict[str, float]]
    """By formula, the derivative by each variable, as the backward pass finds it."""

    def __str__(self) -> str:
        rows = (
            f"{f}: {', '.join(f'∂/∂{name} = {slope:.6g}' for name, slope in slopes.items())}".replace("-", "−")
            for f, slopes in self.gradients.items()
        )
        return "\n".join([self.path, f"{self.nodes} nodes", *rows])


def graph(
    f: tuple[str, ...] = SHEET_FUNCTIONS,
    at: tuple[float, ...] = (1.0, 2.0),
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("graph.svg"),
) -> Drawing:
    """Draw the computation graph of formulas: values on the way forwards, derivatives on the way back.

    Example: workings use autodiff graph --f "cos(w1)*cos(w2)+sigmoid(w2)" --at 1,2 -o graph.svg

    Args:
        f: Formulas; each --f adds one.
        at: The point, a number for each variable in natural order, as in --at 1,2.
        output: A .png, .svg or .pdf file.
    """
    check_file(output)
    formulas, w = read(f, at)
    found = graph_of(formulas, w)
    if len(found.nodes) > READABLE:
        raise UserError(
            f"the graph has {len(found.nodes)} nodes: {READABLE} can be read; draw fewer or shorter formulas"
        )
    _write(output, found, f)
    adjoints = [found.adjoints(end) for end in found.outputs]
    slopes = {
        text: dict(zip(formulas.variables, column, strict=False)) for text, column in zip(f, adjoints, strict=True)
    }
    return Drawing(str(output), len(found.nodes), slopes)


VERBS = (graph,)


def _write(path: Path, found: Graph, formulas: tuple[str, ...]) -> None:
    from matplotlib.figure import Figure

    from workings.studies.autodiff.portrait import draw

    with in_style():
        drawing = Figure()
        drawing.set_layout_engine("none")  # the portrait places its axes itself
        draw(drawing, found, formulas)
        save(drawing, path)
