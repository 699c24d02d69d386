"""A person's formulas as one function ℝⁿ → ℝᵐ that runs on the engine's primitives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from workings.expressions import Backend, Expression, ExpressionError, Node, parse
from workings.studies.autodiff.primitives import stack
from workings.studies.autodiff.tracing import TABLE, Value

ENGINE: Backend[Value] = Backend(TABLE, np.float64)
"""Runs an expression on arrays, or on whatever traces them."""


@dataclass(frozen=True)
class Formulas:
    """Formulas f₁ … f_m of the same variables w₁ … w_n, the union of theirs in natural order."""

    expressions: tuple[Expression, ...]
    variables: tuple[str, ...]

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "Formulas":
        """Read them; an `ExpressionError` points at the first fault."""
        found = [parse(text) for text in texts]
        every = "+".join(name for expression in found for name in expression.variables)
        return cls(tuple(found), parse(every).variables if every else ())

    @property
    def steps(self) -> int:
        """Numbers, variables and primitives of all formulas together."""
        return sum(len(expression.nodes) for expression in self.expressions)

    def each(self, values: Sequence[Value]) -> list[Value]:
        """f₁, …, f_m of arrays that broadcast, one for each variable."""
        known = dict(zip(self.variables, values, strict=True))
        return [e.evaluate(ENGINE, *(known[name] for name in e.variables)) for e in self.expressions]

    def __call__(self, w: Value) -> Value:
        """(f₁, …, f_m) of one vector w, shape (n,)."""
        return stack(self.each([w[i] for i in range(len(self.variables))]))

    def first(self, w: Value) -> Value:
        """f₁ of one vector w: a single number."""
        return self(w)[0]

    def outside(self, w: Sequence[float]) -> ExpressionError | None:
        """What is wrong with a point at which some step of a formula is no finite number; None where all are."""
        known = dict(zip(self.variables, map(np.float64, w), strict=True))
        with np.errstate(all="ignore"):
            for expression in self.expressions:
                steps: list[Value] = []
                for node in expression.nodes:
                    steps.append(_step(node, steps, known))
                    if not np.isfinite(steps[-1]):
                        at = ", ".join(f"{name} = {known[name]:g}" for name in expression.variables)
                        problem = f"{node.operation} gives {steps[-1]:g} where {at}"
                        return ExpressionError(problem, "choose another point", expression.text, node.column)
        return None


def _step(node: Node, steps: Sequence[Value], known: Mapping[str, Value]) -> Value:
    """The value of one step of a program, from those before it."""
    if node.operation == "variable":
        return known[str(node.leaf)]
    if node.operation in ("number", "constant"):
        return ENGINE.number(node.leaf if isinstance(node.leaf, Fraction) else ENGINE.constants[node.leaf])
    return ENGINE.primitives[node.operation](*(steps[i] for i in node.arguments))
