"""The computation graph: what is computed from what, the values forwards, the derivatives back.

A trace writes every primitive down, and each only once: a subexpression that comes again is the same node. On an edge
stands the derivative of the child by the parent. A derivative of the whole is then a sum over paths of the products
along them, which the two sweeps share out among the nodes: forwards to tangents, in reverse to adjoints.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workings.studies.autodiff.formulas import Formulas
from workings.studies.autodiff.tracing import Primitive, Traced, Value


@dataclass(frozen=True)
class Node:
    """An input, or one primitive of earlier nodes."""

    name: str
    """The variable, or v1, v2, … in order of evaluation."""
    operation: str
    """The primitive; empty for an input."""
    arguments: tuple[str, ...]
    """Names of nodes, and constants as they print."""
    value: float
    partials: dict[int, float]
    """By parent (its place among the nodes), the derivative of this node by it."""


@dataclass(frozen=True)
class Graph:
    """Nodes in order of evaluation, inputs first."""

    nodes: tuple[Node, ...]
    inputs: int
    """How many of the nodes, the first, are inputs."""
    outputs: tuple[int, ...]
    """The place of each formula's value among the nodes."""

    def tangents(self, start: int) -> list[float]:
        """Forwards: the derivative of every node by one of the inputs."""
        known = [0.0] * len(self.nodes)
        known[start] = 1.0
        for place, node in enumerate(self.nodes):
            for parent, partial in node.partials.items():
                known[place] += partial * known[parent]
        return known

    def adjoints(self, end: int) -> list[float]:
        """In reverse: the derivative of one node by every node."""
        known = [0.0] * len(self.nodes)
        known[end] = 1.0
        for place, node in reversed([*enumerate(self.nodes)]):
            for parent, partial in node.partials.items():
                known[parent] += partial * known[place]
        return known

    def to_json(self) -> dict[str, Any]:
        """The graph as plain data, which `from_json` reads, with both traces: what each sweep finds at each node."""
        tangents = [self.tangents(start) for start in range(self.inputs)]
        adjoints = [self.adjoints(end) for end in self.outputs]
        nodes = [
            {
                "name": node.name,
                "operation": node.operation,
                "arguments": list(node.arguments),
                "value": node.value,
                "partials": {str(parent): partial for parent, partial in node.partials.items()},
                "tangents": [column[place] for column in tangents],
                "adjoints": [column[place] for column in adjoints],
            }
            for place, node in enumerate(self.nodes)
        ]
        return {"inputs": self.inputs, "outputs": list(self.outputs), "nodes": nodes}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Graph":
        """Rebuild a graph from `to_json`."""
        nodes = (
            Node(
                row["name"],
                row["operation"],
                tuple(row["arguments"]),
                row["value"],
                {int(parent): partial for parent, partial in row["partials"].items()},
            )
            for row in data["nodes"]
        )
        return cls(tuple(nodes), data["inputs"], tuple(data["outputs"]))


def graph(formulas: Formulas, w: np.ndarray) -> Graph:
    """The graph of formulas at a point."""
    book = _Book(_letter(formulas.variables))
    values = [book.enter(name, "", (), np.float64(x), {}) for name, x in zip(formulas.variables, w, strict=True)]
    with np.errstate(all="ignore"):
        ends = formulas.each(values)
    outputs = [z if type(z) is Traced else book.enter(f"{z:g}", "", (), z, {}) for z in ends]
    return Graph(tuple(book.nodes), len(values), tuple(z.mark for z in outputs))


@dataclass
class _Book:
    """The trace: a `Traced` value's mark is its place among the nodes."""

    letter: str
    nodes: list[Node] = field(default_factory=list)
    level: int = 0
    _known: dict[Any, Traced] = field(default_factory=dict)

    def enter(
        self, name: str, operation: str, arguments: tuple[str, ...], z: Value, partials: dict[int, float]
    ) -> Traced:
        self.nodes.append(Node(name, operation, arguments, float(z), partials))
        return Traced(z, self, len(self.nodes) - 1)

    def apply(self, primitive: Primitive, args: tuple[Value, ...]) -> Traced:
        """The value of a primitive, entered once."""
        key = primitive.name, *((arg.mark, "node") if type(arg) is Traced else float(arg) for arg in args)
        if key not in self._known:
            values = [arg.value if type(arg) is Traced else arg for arg in args]
            z = primitive(*values)
            partials: dict[int, float] = {}
            for rule, arg in zip(primitive.rules, args, strict=True):
                if type(arg) is Traced:  # x·x has two edges to one parent: they add up
                    partials[arg.mark] = partials.get(arg.mark, 0.0) + float(rule.push(np.float64(1), z, *values))
            names = tuple(self.nodes[arg.mark].name if type(arg) is Traced else f"{arg:g}" for arg in args)
            step = sum(bool(node.operation) for node in self.nodes) + 1
            self._known[key] = self.enter(f"{self.letter}{step}", primitive.name, names, z, partials)
        return self._known[key]


def _letter(taken: tuple[str, ...]) -> str:
    """What the steps are called: v, or a letter that no variable begins with."""
    begun = {name[0] for name in taken}
    return next(letter for letter in "vuzstpqabcdefghijklmnorwxy_" if letter not in begun or letter == "_")
