"""Gradient and Hessian of a formula: second-order Taylor arithmetic (forward mode).

A jet carries u, ∇u and ∇²u; each primitive φ acts on it by the chain rule

    ∇φ(u)  = φ′ ∇u                                 ∇φ(u,v)  = φ_u ∇u + φ_v ∇v
    ∇²φ(u) = φ′ ∇²u + φ″ ∇u∇uᵀ                     ∇²φ(u,v) = … + φ_uv (∇u∇vᵀ + ∇v∇uᵀ) + …

At a kink (abs, relu, max, min, sign) it takes the derivative of one side, or 0 where the sides are opposite, and the
second derivative 0. Everything broadcasts over leading axes, so a whole picture of a game is one call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from workings.expressions import Backend, Expression

Array = NDArray[np.float64]
Unary = Callable[[Any], tuple[Any, Any, Any]]
"""u -> φ, φ′, φ″."""
Binary = Callable[[Any, Any], tuple[Any, Any, Any, Any, Any, Any]]
"""u, v -> φ, φ_u, φ_v, φ_uu, φ_uv, φ_vv."""


@dataclass(frozen=True)
class Jet:
    """A value with its derivatives in `d` variables; without the second ones, where only the gradient is wanted."""

    value: Float[np.ndarray, "*batch"]
    gradient: Float[np.ndarray, "*batch d"]
    hessian: Float[np.ndarray, "*batch d d"] | None


def value(expression: Expression, at: Float[np.ndarray, "*batch d"]) -> Float[np.ndarray, "*batch"]:
    """The formula's value at points whose last axis holds the variables in order."""
    return expression.numpy()(*np.moveaxis(at, -1, 0))


def gradient(expression: Expression, at: Float[np.ndarray, "*batch d"]) -> Float[np.ndarray, "*batch d"]:
    """The gradient at points whose last axis holds the variables in order."""
    return _run(expression, at, None).gradient


def hessian(expression: Expression, at: Float[np.ndarray, "*batch d"]) -> Float[np.ndarray, "*batch d d"]:
    """The matrix of second derivatives at points whose last axis holds the variables in order."""
    d = at.shape[-1]
    second = _run(expression, at, np.zeros((*at.shape[:-1], d, d))).hessian
    assert second is not None  # it was asked for
    return second


def _run(expression: Expression, at: Array, no_hessian: Array | None) -> Jet:
    no_gradient, axes = np.zeros(at.shape), np.eye(at.shape[-1])
    coordinates = [Jet(at[..., i], no_gradient + axes[i], no_hessian) for i in range(at.shape[-1])]

    def number(value: Any) -> Jet:
        return Jet(np.full(at.shape[:-1], float(value)), no_gradient, no_hessian)

    with np.errstate(all="ignore"):
        return expression.evaluate(Backend(_PRIMITIVES, number), *coordinates)


def _outer(u: Array, v: Array) -> Array:
    return u[..., :, None] * v[..., None, :]


def _scale(factor: Array, derivative: Array, axes: int) -> Array:
    """factor · derivative, in which 0 · anything is 0: a branch that does not move adds nothing."""
    factor = np.asarray(factor)[(..., *[None] * axes)]
    return np.where((factor == 0) | (derivative == 0), 0.0, factor * derivative)


def _unary(rule: Unary) -> Callable[[Jet], Jet]:
    def apply(u: Jet) -> Jet:
        value, first, second = rule(u.value)
        gradient = _scale(first, u.gradient, 1)
        if u.hessian is None:
            return Jet(value, gradient, None)
        return Jet(value, gradient, _scale(first, u.hessian, 2) + _scale(second, _outer(u.gradient, u.gradient), 2))

    return apply


def _binary(rule: Binary) -> Callable[[Jet, Jet], Jet]:
    def apply(u: Jet, v: Jet) -> Jet:
        value, du, dv, duu, duv, dvv = rule(u.value, v.value)
        gradient = _scale(du, u.gradient, 1) + _scale(dv, v.gradient, 1)
        if u.hessian is None or v.hessian is None:
            return Jet(value, gradient, None)
        mixed = _outer(u.gradient, v.gradient)
        return Jet(
            value,
            gradient,
            _scale(du, u.hessian, 2)
            + _scale(dv, v.hessian, 2)
            + _scale(duu, _outer(u.gradient, u.gradient), 2)
            + _scale(duv, mixed + np.swapaxes(mixed, -1, -2), 2)
            + _scale(dvv, _outer(v.gradient, v.gradient), 2),
        )

    return apply


def _power(u: Array, v: Array) -> tuple[Any, Any, Any, Any, Any, Any]:
    """uᵛ; where v is a whole number this is the power rule, since no term in log u then has a factor that moves."""
    value, log = u**v, np.log(u)
    # a vanishing coefficient ends the rule: the second derivative of u¹ at 0 is 0, not 0·u⁻¹
    first = np.where(v == 0, 0.0, v * u ** (v - 1))
    second = np.where(v * (v - 1) == 0, 0.0, v * (v - 1) * u ** (v - 2))
    return value, first, value * log, second, u ** (v - 1) * (1 + v * log), value * log**2


def _choice(first_wins: Callable[[Array, Array], Any]) -> Binary:
    def rule(u: Array, v: Array) -> tuple[Any, Any, Any, Any, Any, Any]:
        wins = first_wins(u, v)
        return np.where(wins, u, v), np.where(wins, 1.0, 0.0), np.where(wins, 0.0, 1.0), 0.0, 0.0, 0.0

    return rule


def _sigmoid(u: Array) -> Any:
    s = np.exp(-np.logaddexp(0.0, -u))  # 1/(1 + e⁻ᵘ) without overflow
    return s, s * (1 - s), s * (1 - s) * (1 - 2 * s)


def _softplus(u: Array) -> Any:
    s, first, _ = _sigmoid(u)
    return np.logaddexp(u, 0.0), s, first


def _tangent(u: Array) -> Any:
    t = np.tan(u)
    return t, 1 + t**2, 2 * t * (1 + t**2)


def _hyperbolic_tangent(u: Array) -> Any:
    t = np.tanh(u)
    return t, 1 - t**2, -2 * t * (1 - t**2)


def _error_function(u: Array) -> Any:
    from scipy.special import erf

    bell = 2 / np.sqrt(np.pi) * np.exp(-(u**2))
    return erf(u), bell, -2 * u * bell


_UNARY: Mapping[str, Unary] = {
    "neg": lambda u: (-u, -1.0, 0.0),
    "sin": lambda u: (np.sin(u), np.cos(u), -np.sin(u)),
    "cos": lambda u: (np.cos(u), -np.sin(u), -np.cos(u)),
    "tan": _tangent,
    "asin": lambda u: (np.arcsin(u), (1 - u**2) ** -0.5, u * (1 - u**2) ** -1.5),
    "acos": lambda u: (np.arccos(u), -((1 - u**2) ** -0.5), -u * (1 - u**2) ** -1.5),
    "atan": lambda u: (np.arctan(u), 1 / (1 + u**2), -2 * u / (1 + u**2) ** 2),
    "sinh": lambda u: (np.sinh(u), np.cosh(u), np.sinh(u)),
    "cosh": lambda u: (np.cosh(u), np.sinh(u), np.cosh(u)),
    "tanh": _hyperbolic_tangent,
    "exp": lambda u: (np.exp(u), np.exp(u), np.exp(u)),
    "log": lambda u: (np.log(u), 1 / u, -1 / u**2),
    "sqrt": lambda u: (np.sqrt(u), 0.5 * u**-0.5, -0.25 * u**-1.5),
    "abs": lambda u: (np.abs(u), np.sign(u), 0.0),
    "sign": lambda u: (np.sign(u), 0.0, 0.0),
    "relu": lambda u: (np.maximum(u, 0.0), np.where(u > 0, 1.0, 0.0), 0.0),
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "erf": _error_function,
}
_BINARY: Mapping[str, Binary] = {
    "add": lambda u, v: (u + v, 1.0, 1.0, 0.0, 0.0, 0.0),
    "sub": lambda u, v: (u - v, 1.0, -1.0, 0.0, 0.0, 0.0),
    "mul": lambda u, v: (u * v, v, u, 0.0, 1.0, 0.0),
    "div": lambda u, v: (u / v, 1 / v, -u / v**2, 0.0, -1 / v**2, 2 * u / v**3),
    "pow": _power,
    "max": _choice(np.greater_equal),
    "min": _choice(np.less_equal),
}
_PRIMITIVES: Mapping[str, Callable[..., Jet]] = {
    **{name: _unary(rule) for name, rule in _UNARY.items()},
    **{name: _binary(rule) for name, rule in _BINARY.items()},
}
