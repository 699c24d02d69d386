"""A person's formula, read safely: text -> a short program -> numpy, torch, sympy, or your own primitives.

    parse("4*x**2 - 4*y**2", ["x", "y"]).numpy()(1.0, 2.0)     # array(-12.)

Python's `ast` reads the grammar; nothing is ever evaluated. A formula may hold numbers, variables, pi, e, the
operators + - * / ** and the functions of `FUNCTIONS`. Numbers are exact (0.1 is 1/10), and length, nesting, size and
powers are bounded, so that no text crashes or hangs the reader.

Left out on purpose: ^ (in Python it is no power), products without a sign (2x), comparisons, complex numbers.
"""

import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workings.expressions.primitives import ALIASES, CONSTANTS, FUNCTIONS, PRIMITIVES, Primitive
from workings.expressions.reader import ExpressionError, Node, Reader

if TYPE_CHECKING:
    import torch

__all__ = [
    "CONSTANTS",
    "FUNCTIONS",
    "PRIMITIVES",
    "Backend",
    "Expression",
    "ExpressionError",
    "Node",
    "Primitive",
    "parse",
]

V = TypeVar("V")


@dataclass(frozen=True)
class Backend(Generic[V]):
    """What a program runs on: a callable for each primitive that it uses, and how numbers become values."""

    primitives: Mapping[str, Callable[..., V]]
    number: Callable[[Any], V]
    """Takes a Fraction, or one of `constants`."""
    constants: Mapping[str, Any] = field(default_factory=lambda: CONSTANTS)


@dataclass(frozen=True)
class Expression:
    """A formula that was read: its variables, in order, and its program, in which arguments precede their use."""

    text: str
    variables: tuple[str, ...]
    nodes: tuple[Node, ...] = field(repr=False)

    def evaluate(self, backend: Backend[V], *values: V) -> V:
        """Run the program on `values`, one per variable; a primitive's OverflowError becomes an ExpressionError."""
        known = dict(zip(self.variables, values, strict=True))
        results: list[V] = []
        for operation, arguments, leaf, column in self.nodes:
            try:
                if operation == "variable":
                    results.append(known[str(leaf)])
                elif operation in ("number", "constant"):
                    results.append(backend.number(leaf if isinstance(leaf, Fraction) else backend.constants[leaf]))
                else:
                    results.append(backend.primitives[operation](*(results[i] for i in arguments)))
            except OverflowError as error:
                raise ExpressionError(str(error), "make the numbers smaller", self.text, column) from error
        return results[-1]

    def numpy(self) -> Callable[..., NDArray[np.float64]]:
        """A function of float64 arrays that broadcast; outside its domain it gives inf or nan, without a warning."""
        backend: Backend[Any] = Backend(self._primitives("numpy"), np.float64)

        def function(*values: ArrayLike) -> NDArray[np.float64]:
            arrays = [np.asarray(value, dtype=np.float64) for value in values]
            with np.errstate(all="ignore"):
                result = self.evaluate(backend, *arrays)
            return np.array(np.broadcast_to(result, np.broadcast_shapes(*(array.shape for array in arrays))))

        return function

    def torch(self) -> "Callable[..., torch.Tensor]":
        """A differentiable function of tensors that broadcast; its numbers take their dtype and device."""
        import torch

        primitives = self._primitives("torch")

        def function(*values: torch.Tensor) -> torch.Tensor:
            floats = [value.dtype for value in values if value.is_floating_point()]
            dtype = reduce(torch.promote_types, floats) if floats else torch.get_default_dtype()
            device = values[0].device if values else None

            def number(value: Any) -> torch.Tensor:
                return torch.tensor(float(value), dtype=dtype, device=device)

            result = self.evaluate(Backend(primitives, number), *values)
            whole: torch.Tensor = result.expand(np.broadcast_shapes(*(value.shape for value in values)))
            return whole

        return function

    def sympy(self) -> Any:
        """The exact sympy expression, in `Symbol(name, real=True)`."""
        import sympy

        constants = {"pi": sympy.pi, "e": sympy.E}
        backend: Backend[Any] = Backend(self._primitives("sympy"), sympy.sympify, constants)
        return self.evaluate(backend, *(sympy.Symbol(name, real=True) for name in self.variables))

    def _primitives(self, backend: Literal["numpy", "torch", "sympy"]) -> dict[str, Callable[..., Any]]:
        used = {node.operation for node in self.nodes} & PRIMITIVES.keys()
        return {name: resolve_name(getattr(PRIMITIVES[name], backend)) for name in used}


def parse(text: str, variables: Sequence[str] | None = None, *, owner: str = "formula") -> Expression:
    """Read a formula, or raise `ExpressionError`.

    Without `variables`, any name that is no function or constant is a variable, and they come in natural order
    (w2 before w10). `owner` says in messages what has the variables: "this game has the variables x and y".
    """
    for name in variables or ():
        taken = keyword.iskeyword(name) or name in {*FUNCTIONS, *ALIASES, *CONSTANTS}
        if taken or not (name.isascii() and name.isidentifier()):
            raise ValueError(f"{name!r} cannot name a variable: choose a plain word that is no function or constant")
    reader = Reader(text, None if variables is None else tuple(variables), owner)
    reader.read()
    found = {str(node.leaf) for node in reader.nodes if node.operation == "variable"}
    return Expression(text, tuple(sorted(found, key=_natural) if variables is None else variables), tuple(reader.nodes))


def _natural(name: str) -> list[tuple[int, str]]:
    """The sorting key in which digits count as numbers."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.findall("[0-9]+|[^0-9]+", name)]
