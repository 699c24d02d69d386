"""The table: every operation the engine knows, with its derivative, stated once.

    name = elementwise("name", how it is evaluated, ∂z/∂x, ∂z/∂y, ...)      partials as functions of (z, x, y, ...)
    name = linear("name", how it is evaluated, transpose by x, by y, ...)   as functions of (z̄, z, x, y, ...)

`tracing` makes the rules of both modes from a row; a row of one's own is one more line, in any module. All rules are
written in primitives, so a derivative can be traced again: that is all there is to second order. At a kink (abs and
relu at 0, max of equals) the partial is a convention, the one torch has.
"""

import operator
from collections.abc import Sequence
from math import pi, prod
from math import sqrt as root
from typing import Any

import numpy as np
from scipy.special import erf as scipy_erf
from scipy.special import expit

from workings.studies.autodiff.tracing import Primitive, Traced, Value, elementwise, linear, plain

# ---- arithmetic ----


def _lowered(y: Value) -> Value:
    """y − 1, and 1 for a constant 0: then y · x**_lowered(y) is 0 at x = 0 too, for powers 0 and 1 and their slopes."""
    if isinstance(y, float | int):
        return y - 1 if y else 1
    return y - 1 if type(y) is Traced else np.where(y == 0, 1.0, y - 1)


def _log_or_0(x: Value) -> Value:
    """log x, and 0 at x = 0: xʸ · log x tends to 0 there for y > 0."""
    return log(x + (plain(x) == 0))


neg = elementwise("neg", operator.neg, -1.0)
add = elementwise("add", operator.add, 1.0, 1.0)
sub = elementwise("sub", operator.sub, 1.0, -1.0)
mul = elementwise("mul", operator.mul, lambda z, x, y: y, lambda z, x, y: x)
div = elementwise("div", operator.truediv, lambda z, x, y: 1 / y, lambda z, x, y: -z / y)
pow = elementwise("pow", operator.pow, lambda z, x, y: y * x ** _lowered(y), lambda z, x, y: z * _log_or_0(x))

# ---- functions of one number ----

sin = elementwise("sin", np.sin, lambda z, x: cos(x))
cos: Primitive = elementwise("cos", np.cos, lambda z, x: -sin(x))
tan = elementwise("tan", np.tan, lambda z, x: 1 + z * z)
asin = elementwise("asin", np.arcsin, lambda z, x: 1 / sqrt(1 - x * x))
acos = elementwise("acos", np.arccos, lambda z, x: -1 / sqrt(1 - x * x))
atan = elementwise("atan", np.arctan, lambda z, x: 1 / (1 + x * x))
sinh = elementwise("sinh", np.sinh, lambda z, x: cosh(x))
cosh: Primitive = elementwise("cosh", np.cosh, lambda z, x: sinh(x))
tanh = elementwise("tanh", np.tanh, lambda z, x: 1 - z * z)
exp = elementwise("exp", np.exp, lambda z, x: z)
log = elementwise("log", np.log, lambda z, x: 1 / x)
sqrt: Primitive = elementwise("sqrt", np.sqrt, lambda z, x: 0.5 / z)
erf = elementwise("erf", scipy_erf, lambda z, x: 2 / root(pi) * exp(-x * x))
sigmoid = elementwise("sigmoid", expit, lambda z, x: z * (1 - z))
softplus = elementwise("softplus", lambda x: np.logaddexp(x, 0.0), lambda z, x: sigmoid(x))

# ---- with kinks ----


def _larger(x: Value, y: Value) -> Any:
    """1 where x > y, ½ where they are equal, else 0."""
    x, y = plain(x), plain(y)
    return (x > y) + 0.5 * (x == y)


abs = elementwise("abs", np.abs, lambda z, x: np.sign(plain(x)))
sign = elementwise("sign", np.sign, 0.0)
relu = elementwise("relu", lambda x: np.maximum(x, 0.0), lambda z, x: plain(x) > 0)
max = elementwise("max", np.maximum, lambda z, x, y: _larger(x, y), lambda z, x, y: _larger(y, x))
min = elementwise("min", np.minimum, lambda z, x, y: _larger(y, x), lambda z, x, y: _larger(x, y))

# ---- linear maps, and their transposes ----


def _broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    whole = np.empty(shape)
    whole[...] = x
    return whole


def _sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    lead = x.ndim - len(shape)
    axes = tuple(range(lead))
    if x.shape[lead:] != shape:
        axes += tuple(lead + i for i, n in enumerate(shape) if n == 1 != x.shape[lead + i])
    total = np.add.reduce(x, axes)
    return total if total.shape == shape else total.reshape(shape)


def _kept(shape: tuple[int, ...], axis: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape after summing over `axis`, its axes kept with length 1."""
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {i % len(shape) for i in axes}
    return tuple(1 if i in gone else n for i, n in enumerate(shape))


def _place(x: Any, key: Any, shape: tuple[int, ...]) -> Any:
    whole = np.zeros(shape)
    np.add.at(whole, key, x)  # a row that was taken twice is added twice
    return whole


def _pull_sum(g: Value, z: Value, x: Value, axis: int | tuple[int, ...] | None) -> Value:
    return broadcast_to(g if axis is None else reshape(g, _kept(x.shape, axis)), x.shape)


def _pull_left(g: Value, z: Value, x: Value, y: Value) -> Value:
    if y.ndim == 1:
        term = g[..., None] * y if g.ndim else g * y
    elif x.ndim == 1:
        term = (y @ g[..., None])[..., 0]
    else:
        term = g @ flip(y)
    return term if term.shape == x.shape else sum_to(term, x.shape)


def _pull_right(g: Value, z: Value, x: Value, y: Value) -> Value:
    if x.ndim == 1:
        term = x[:, None] * g[..., None, :] if g.ndim else g * x
    elif y.ndim == 1:
        term = g @ x if x.ndim == 2 else x * g[..., None]
    else:
        term = flip(x) @ g
    return term if term.shape == y.shape else sum_to(term, y.shape)


broadcast_to = linear("broadcast_to", _broadcast, lambda g, z, x, shape: sum_to(g, x.shape))
sum_to: Primitive = linear("sum_to", _sum_to, lambda g, z, x, shape: broadcast_to(g, x.shape))
reshape: Primitive = linear("reshape", np.reshape, lambda g, z, x, shape: reshape(g, x.shape))
transpose: Primitive = linear("transpose", np.transpose, lambda g, z, x, axes: transpose(g, tuple(np.argsort(axes))))
flip: Primitive = linear("flip", lambda x: x.swapaxes(-1, -2), lambda g, z, x: flip(g))
index = linear("index", operator.getitem, lambda g, z, x, key: place(g, key, x.shape))
place: Primitive = linear("place", _place, lambda g, z, x, key, shape: g[key])
total = linear("sum", np.add.reduce, _pull_sum)
matmul = linear("matmul", operator.matmul, _pull_left, _pull_right)


# ---- in terms of these ----


def sum(x: Value, axis: int | tuple[int, ...] | None = None) -> Value:
    """The sum over all axes, or over some."""
    return total(x, axis)


def mean(x: Value, axis: int | tuple[int, ...] | None = None) -> Value:
    """The mean over all axes, or over some."""
    z = total(x, axis)
    return z * (prod(z.shape) / prod(x.shape))


def stack(values: Sequence[Value]) -> Value:
    """Arrays of one shape as the rows of one array."""
    shape = (len(values), *np.shape(plain(values[0])))
    first, *rest = (place(value, i, shape) for i, value in enumerate(values))
    for row in rest:
        first = first + row
    return first
