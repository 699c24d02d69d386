"""The graph: its nodes by hand, its sweeps against the engine, and a picture in which nothing lies on anything else."""

from itertools import combinations, pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.transforms import Bbox

from workings.core.errors import UserError
from workings.studies.autodiff.formulas import Formulas
from workings.studies.autodiff.graph import Graph, graph
from workings.studies.autodiff.layout import crossings, layout
from workings.studies.autodiff.model import jacobian
from workings.studies.autodiff.portrait import draw
from workings.studies.autodiff.study import SHEET_FUNCTIONS, WORKED_EXAMPLE
from workings.studies.autodiff.tool import READABLE
from workings.studies.autodiff.tool import graph as verb

FORTY = (
    "sigmoid(a*b + c)*tanh(a - b) + exp(-(c - d)**2)*log(a + b + d) + sqrt(a*a + b*b)/(1 + softplus(c))",
    "max(a, d)*min(b, c) + erf(a*c)*sin(d)*cos(b*d) + abs(b)",
)
CHAIN = ("sin(cos(tanh(exp(sin(cos(tanh(exp(sin(x)))))))))",)
FAN = ("a*b + b*c + c*d + d*g + g*a + a*c + b*d",)


def graph_of(texts: tuple[str, ...]) -> Graph:
    formulas = Formulas.parse(texts)
    return graph(
        formulas,
        np.linspace(1, 0.5, len(formulas.variables))
        if len(texts[0]) > 40
        else np.arange(1.0, 1 + len(formulas.variables)),
    )


def test_the_worked_example_by_hand() -> None:
    """v1 = x + y = 3, v2 = y + 1 = 3, v3 = v1 v2 = 9 at (1, 2); by x: v2 = 3; by y: v2 + v1 = 6."""
    found = graph_of(WORKED_EXAMPLE)
    assert [(n.name, n.operation, n.arguments, n.value) for n in found.nodes] == [
        ("x", "", (), 1),
        ("y", "", (), 2),
        ("v1", "add", ("x", "y"), 3),
        ("v2", "add", ("y", "1"), 3),
        ("v3", "mul", ("v1", "v2"), 9),
    ]
    assert [n.partials for n in found.nodes[2:]] == [{0: 1, 1: 1}, {1: 1}, {2: 3, 3: 3}]
    assert found.adjoints(4) == [3, 6, 3, 3, 1]
    assert found.tangents(1) == [0, 1, 1, 1, 6]


def test_what_comes_twice_is_one_node() -> None:
    found = graph(Formulas.parse(["sin(x*y) + sin(x*y)", "x*y"]), np.array([2.0, 3.0]))
    assert [n.operation for n in found.nodes] == ["", "", "mul", "sin", "add"]
    assert found.outputs == (4, 2)
    assert found.nodes[4].partials == {3: 2.0}


def test_steps_are_not_named_like_variables() -> None:
    names = [n.name for n in graph(Formulas.parse(["v1 + v2*u"]), np.ones(3)).nodes]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("texts", [SHEET_FUNCTIONS, WORKED_EXAMPLE, FORTY, CHAIN, FAN])
def test_both_sweeps_agree_with_the_engine(texts: tuple[str, ...]) -> None:
    formulas = Formulas.parse(texts)
    w = np.linspace(0.4, 1.3, len(formulas.variables))
    found = graph(formulas, w)
    J = jacobian(formulas)(w)
    forwards = np.array([found.tangents(i) for i in range(found.inputs)])[:, found.outputs].T
    back = np.array([found.adjoints(end)[: found.inputs] for end in found.outputs])
    np.testing.assert_allclose(forwards, J, rtol=1e-12)
    np.testing.assert_allclose(back, J, rtol=1e-12)
    assert Graph.from_json(found.to_json()) == found


def drawn(texts: tuple[str, ...]) -> Figure:
    formulas = Formulas.parse(texts)
    figure = plt.figure(layout="none")
    draw(figure, graph(formulas, np.linspace(0.4, 1.3, len(formulas.variables))), texts)
    return figure


def overlapping(figure: Figure) -> list[str]:
    """Pairs of texts or boxes that share more than a hair of ground, other than a text and its own box."""
    (axes,) = figure.axes
    texts = [(t.get_text(), t.get_window_extent()) for t in axes.texts if t.get_text()]
    boxes = [("box", p.get_window_extent()) for p in axes.patches if isinstance(p, FancyBboxPatch)]
    numbers = [(t.get_text(), t.get_window_extent()) for t in axes.texts if t.get_gid() == "edge"]
    outside = [(name, box) for name, box in texts if not any(_holds(b, box) for _, b in boxes)]
    faults = [f"{a[0]} on {b[0]}" for a, b in combinations(texts, 2) if _meet(a[1], b[1])]
    faults += [f"box on box at {a[1].x0}" for a, b in combinations(boxes, 2) if _meet(a[1], b[1])]
    faults += [f"{name} on a box" for name, box in outside + numbers for _, other in boxes if _meet(box, other)]
    frame = figure.bbox
    return faults + [f"{name} is cut off" for name, box in texts + boxes if not _holds(frame, box)]


def _meet(a: Bbox, b: Bbox, hair: float = 0.5) -> bool:
    shared = Bbox.intersection(a, b)
    return shared is not None and shared.width > hair and shared.height > hair


def _holds(outer: Bbox, inner: Bbox) -> bool:
    return bool(outer.x0 <= inner.x0 and inner.x1 <= outer.x1 and outer.y0 <= inner.y0 and inner.y1 <= outer.y1)


@pytest.mark.parametrize(
    "texts", [SHEET_FUNCTIONS, SHEET_FUNCTIONS[:1], WORKED_EXAMPLE, FORTY, CHAIN, FAN, ("x", "x*x")]
)
def test_nothing_lies_on_anything_else(texts: tuple[str, ...]) -> None:
    figure = drawn(texts)
    assert overlapping(figure) == []
    plt.close(figure)


def test_the_forty_node_graph_is_as_large_as_can_be_read() -> None:
    assert len(graph_of(FORTY).nodes) == READABLE


def test_an_overlap_would_be_found() -> None:
    figure = drawn(WORKED_EXAMPLE)
    spot = figure.axes[0].texts[-1].get_position()
    figure.axes[0].text(*spot, "on top", ha="center", va="center")
    assert overlapping(figure)
    plt.close(figure)


def test_lines_are_uncrossed_where_they_can_be() -> None:
    """0 → 3, 1 → 2: drawn in the order of the numbers they cross; two columns and one swap undo it."""
    assert crossings([[0, 1], [2, 3]], [(0, 3), (1, 2)]) == 1
    placed = layout([(1, 1)] * 4, [(0, 3), (1, 2)], (1, 1)).nodes
    assert (placed[0][1] - placed[1][1]) * (placed[3][1] - placed[2][1]) > 0


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 12).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.tuples(st.integers(0, n), st.integers(0, n))))
    )
)
def test_boxes_keep_their_distance_and_lines_go_to_the_right(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    count, pairs = drawn
    edges = sorted((a, b) for a, b in pairs if a < b)
    rng = np.random.default_rng(count)
    sizes = [(float(w), float(h)) for w, h in rng.uniform(0.5, 2, (count + 1, 2))]
    where = layout(sizes, edges, (0.5, 0.25))
    for i, j in combinations(range(count + 1), 2):
        apart = np.abs(np.subtract(where.nodes[i], where.nodes[j])) - np.add(sizes[i], sizes[j]) / 2
        assert apart[0] >= 0.5 - 1e-9 or apart[1] >= 0.25 - 1e-9
    for route in where.routes.values():
        assert all(a[0] < b[0] or a == b for a, b in pairwise(route))


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_the_verb_draws_and_tells_the_gradient(tmp_path: Path, kind: str) -> None:
    drawing = verb((SHEET_FUNCTIONS[0],), (1.0, 2.0), tmp_path / f"graph.{kind}")
    assert (tmp_path / f"graph.{kind}").stat().st_size > 1000
    assert drawing.nodes == 7
    assert "∂/∂w1 = 0.350175, ∂/∂w2 = −0.386302" in str(drawing)


@pytest.mark.parametrize(
    ("f", "at", "name", "told"),
    [
        (("+".join(f"x{i}*x{i + 1}" for i in range(25)),), tuple([1.0] * 26), "g.svg", "75 nodes: 40 can be read"),
        (("x*y",), (1.0, 2.0), "g.gif", "name it .png, .svg or .pdf"),
        (("x*y",), (1.0, 2.0), "g", "name it .png, .svg or .pdf"),
        (("x*y",), (1.0,), "g.svg", "at holds 1 number: the formulas need 2, for x, y"),
        (("log(x)",), (-1.0,), "g.svg", "log gives nan where x = -1"),
        (("x**",), (1.0,), "g.svg", "breaks off"),
    ],
)
def test_bad_input_is_one_line_and_draws_nothing(
    tmp_path: Path, f: tuple[str, ...], at: tuple[float, ...], name: str, told: str
) -> None:
    with pytest.raises(UserError) as caught:
        verb(f, at, tmp_path / name)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
