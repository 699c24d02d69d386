"""A person's formula, read safely: text -> a short program -> numpy, torch, sympy, or your own primitives.

    parse("4*x**2 - 4*y**2", ["x", "y"]).numpy()(1.0, 2.0)     # array(-12.)

Python's `ast` reads the grammar; nothing is ever evaluated. What may stand in a formula is a whitelist: numbers,
variables, pi, e, the operators + - * / **, and the functions of `PRIMITIVES`. Numbers are exact (0.1 is 1/10), and
length, depth, size and powers are bounded, so no text can crash or hang the reader.

Left out on purpose: ^ (in Python it is no power), complex numbers, comparisons, products without a sign (2x).
"""

import ast
import keyword
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, NoReturn, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch

V = TypeVar("V")

MAX_LENGTH = 2_000
"""Characters: some thirty lines, more than a person types as one formula."""
MAX_DEPTH = 60
"""Levels of nesting; sympy spends about ten Python frames on each, of the 1,000 there are."""
MAX_NODES = 500
"""Numbers, variables and operations together."""
MAX_EXPONENT = 100
"""The largest constant power; float64 leaves its range at 1000**103."""
MAX_MAGNITUDE = 1e300
"""The largest constant, a little inside the range of float64 (1.8e308)."""
MAX_BITS = 10_000
"""Size of an exact rational power in bits (3,000 digits): sympy forms it at once."""


class Primitive(NamedTuple):
    """One operation: how many values it takes, and where each backend keeps it (`module:name`, imported when used)."""

    arity: int
    numpy: str
    torch: str
    sympy: str


def _same(arity: int, name: str) -> Primitive:
    return Primitive(arity, f"numpy:{name}", f"torch:{name}", f"sympy:{name}")


def _operator(arity: int, name: str) -> Primitive:
    return Primitive(arity, *[f"operator:{name}"] * 3)


OPERATORS: Mapping[str, Primitive] = {
    "neg": _operator(1, "neg"),
    "add": _operator(2, "add"),
    "sub": _operator(2, "sub"),
    "mul": _operator(2, "mul"),
    "div": _operator(2, "truediv"),
    "pow": Primitive(2, "operator:pow", "operator:pow", f"{__name__}:_sympy_power"),
}
FUNCTIONS: Mapping[str, Primitive] = {
    **{name: _same(1, name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")},
    **{name: _same(1, name) for name in ("sqrt", "exp", "log", "sign")},
    "abs": Primitive(1, "numpy:abs", "torch:abs", "sympy:Abs"),
    "erf": Primitive(1, "scipy.special:erf", "torch:erf", "sympy:erf"),
    "sigmoid": Primitive(1, "scipy.special:expit", "torch:sigmoid", f"{__name__}:_sympy_sigmoid"),
    "relu": Primitive(1, f"{__name__}:_numpy_relu", "torch:relu", f"{__name__}:_sympy_relu"),
    "softplus": Primitive(1, f"{__name__}:_numpy_softplus", f"{__name__}:_torch_softplus", f"{__name__}:_sympy_softplus"),
    "max": Primitive(2, "numpy:maximum", "torch:maximum", "sympy:Max"),
    "min": Primitive(2, "numpy:minimum", "torch:minimum", "sympy:Min"),
}
PRIMITIVES: Mapping[str, Primitive] = OPERATORS | FUNCTIONS
ALIASES: Mapping[str, str] = {"ln": "log"}
CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}

_OPERATOR_OF: Mapping[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
}


def _numpy_relu(x: Any) -> Any:
    return np.maximum(x, 0.0)


def _numpy_softplus(x: Any) -> Any:
    return np.logaddexp(x, 0.0)
