"""The operations that a formula may hold: one table, three backends.

Each row names where numpy, torch and sympy keep the operation; it is imported when a formula first uses it.
"""

import math
from collections.abc import Mapping
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import torch

MAX_BITS = 10_000
"""The largest exact power of a number, in bits (3,000 digits): sympy forms it at once."""


class Primitive(NamedTuple):
    """An operation: how many values it takes, and its `module:name` in each backend."""

    arity: int
    numpy: str
    torch: str
    sympy: str


def _operator(arity: int, name: str) -> Primitive:
    return Primitive(arity, *[f"operator:{name}"] * 3)


def _everywhere(name: str) -> Primitive:
    return Primitive(1, f"numpy:{name}", f"torch:{name}", f"sympy:{name}")


OPERATORS: Mapping[str, Primitive] = {
    "neg": _operator(1, "neg"),
    "add": _operator(2, "add"),
    "sub": _operator(2, "sub"),
    "mul": _operator(2, "mul"),
    "div": _operator(2, "truediv"),
    "pow": Primitive(2, "operator:pow", "operator:pow", f"{__name__}:sympy_power"),
}
FUNCTIONS: Mapping[str, Primitive] = {
    **{name: _everywhere(name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")},
    **{name: _everywhere(name) for name in ("exp", "log", "sqrt", "sign")},
    "abs": Primitive(1, "numpy:abs", "torch:abs", "sympy:Abs"),
    "erf": Primitive(1, "scipy.special:erf", "torch:erf", "sympy:erf"),
    "sigmoid": Primitive(1, "scipy.special:expit", "torch:sigmoid", f"{__name__}:sympy_sigmoid"),
    "relu": Primitive(1, f"{__name__}:numpy_relu", "torch:relu", f"{__name__}:sympy_relu"),
    "softplus": Primitive(1, f"{__name__}:numpy_softplus", f"{__name__}:torch_softplus", f"{__name__}:sympy_softplus"),
    "max": Primitive(2, "numpy:maximum", "torch:maximum", "sympy:Max"),
    "min": Primitive(2, "numpy:minimum", "torch:minimum", "sympy:Min"),
}
PRIMITIVES: Mapping[str, Primitive] = {**OPERATORS, **FUNCTIONS}
ALIASES: Mapping[str, str] = {"ln": "log"}
CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}


def numpy_relu(x: Any) -> Any:
    """max(x, 0)."""
    return np.maximum(x, 0.0)


def numpy_softplus(x: Any) -> Any:
    """log(1 + eˣ), without overflow."""
    return np.logaddexp(x, 0.0)


def torch_softplus(x: "torch.Tensor") -> "torch.Tensor":
    """log(1 + eˣ) at full precision: torch's own softplus is linear beyond 20."""
    return x.logaddexp(x.new_zeros(()))


def sympy_sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ)."""
    return 1 / (1 + resolve_name("sympy:exp")(-x))


def sympy_relu(x: Any) -> Any:
    """max(x, 0)."""
    return resolve_name("sympy:Max")(x, 0)


def sympy_softplus(x: Any) -> Any:
    """log(1 + eˣ)."""
    return resolve_name("sympy:log")(1 + resolve_name("sympy:exp")(x))


def sympy_power(base: Any, exponent: Any) -> Any:
    """The power, unless both are numbers and the result too long: in 9**(9**(9 + 0*x)) only sympy sees that."""
    if base.is_Rational and exponent.is_Rational:
        bits = max(int(base.p).bit_length(), int(base.q).bit_length())
        if bits * abs(exponent) > MAX_BITS:
            raise OverflowError("this power is too large to write out")
    return base**exponent
