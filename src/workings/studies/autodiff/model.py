"""Automatic differentiation: the derivative of a program, exact to rounding, at the price of a few runs of it.

A program is a chain of primitives, and each knows its own derivative (`primitives.py`, the table). The chain rule
multiplies them up, and leaves one choice: from which end.

- **Forwards** tangents go with the values: ż = Σ ∂z/∂x · ẋ. One sweep gives J·ẋ, the derivative along ẋ, and for one
  input a whole column of the Jacobian.
- **In reverse** cotangents come back: x̄ = Σ z̄ · ∂z/∂x. One sweep gives z̄·J, and for one output a whole row: the
  gradient by all inputs at once.

Forwards and reverse are one loop over the same tape, walked in its two directions: `Tape.push` and `Tape.pull`. And as
the forward sweep goes the way the program goes, it needs no tape: a dual number carries value and tangent (`Dual`).

A network in ten lines:

    import numpy as np
    from workings.studies.autodiff.model import value_and_grad
    from workings.studies.autodiff.primitives import mean, tanh

    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = X[:, :1] * X[:, 1:]  # to be learnt: the product
    weights = [rng.normal(size=shape) / 2 for shape in ((2, 16), (16,), (16, 1), (1,))]

    def loss(W1, b1, W2, b2):
        return mean((tanh(X @ W1 + b1) @ W2 + b2 - y) ** 2)

    for _ in range(500):
        value, gradients = value_and_grad(loss)(*weights)
        weights = [w - 0.1 * g for w, g in zip(weights, gradients)]

Source: gatech-2024-ps2, question 4. Left out on purpose: compilation, complex numbers, arrays changed in place, and
functions of NumPy itself inside a traced function (take them from `primitives`).
"""

import math
from collections.abc import Callable, Sequence
from itertools import count
from typing import Literal, get_args

import numpy as np

from workings.studies.autodiff.primitives import reshape, stack
from workings.studies.autodiff.tracing import Primitive, Rule, Traced, Value

Function = Callable[..., Value]
Mode = Literal["forward", "reverse"]
MODES: tuple[Mode, ...] = get_args(Mode)
Step = tuple[int, list[tuple[int, Rule]], Value, list[Value]]
"""A primitive on the tape: the number of its value, an edge (number, derivative) to each argument that is recorded, and
where to take the derivative: the value and all arguments."""

_levels = count()


class Dual:
    """Forward mode: each value carries its tangent, x + ẋε with ε² = 0. A `Traced` value's mark is its tangent."""

    def __init__(self) -> None:
        self.level = next(_levels)

    def apply(self, primitive: Primitive, args: tuple[Value, ...]) -> Traced:
        """The value of a primitive, and beside it ż = Σ ∂z/∂x · ẋ over the arguments that have a tangent."""
        mine = [type(arg) is Traced and arg.trace is self for arg in args]
        values = [arg.value if own else arg for arg, own in zip(args, mine, strict=True)]
        z, tangent = primitive(*values), None
        for rule, arg, own in zip(primitive.rules, args, mine, strict=False):
            if own:
                term = rule.push(arg.mark, z, *values)
                tangent = term if tangent is None else tangent + term
        return Traced(z, self, tangent)


class Tape:
    """Reverse mode, and forward mode replayed: remembers every step. A `Traced` value's mark is its number.

    Values are numbered in the order in which they came to be, and the steps stand in that order: read forwards, all
    about a parent is known before its child is reached; read backwards, the other way about.
    """

    def __init__(self) -> None:
        self.level = next(_levels)
        self.steps: list[Step] = []
        self.count = 0

    def watch(self, x: Value) -> Traced:
        """Number a value: what is computed from it will be recorded."""
        self.count += 1
        return Traced(array(x), self, self.count - 1)

    def output(self, z: Value) -> Traced:
        """What a function of watched values returned, or a value of its own where it depends on none of them."""
        return z if type(z) is Traced and z.trace is self else self.watch(z)

    def apply(self, primitive: Primitive, args: tuple[Value, ...]) -> Traced:
        """The value of a primitive, and on the tape an edge to each argument that is recorded."""
        values = [arg.value if type(arg) is Traced and arg.trace is self else arg for arg in args]
        z = primitive(*values)
        child = self.count
        self.count = child + 1
        edges = [
            (arg.mark, rule)
            for rule, arg in zip(primitive.rules, args, strict=False)
            if type(arg) is Traced and arg.trace is self
        ]
        self.steps.append((child, edges, z, values))
        return Traced(z, self, child)

    def push(self, tangent: Value, start: Traced, end: Traced) -> Value:
        """Forwards: from the tangent of an input to that of an output; None where the one does not reach the other."""
        known: list[Value] = [None] * self.count
        known[start.mark] = tangent
        for child, edges, z, args in self.steps:
            for parent, rule in edges:
                if (t := known[parent]) is not None:
                    term = rule.push(t, z, *args)
                    known[child] = term if known[child] is None else known[child] + term
        return known[end.mark]

    def pull(self, cotangent: Value, end: Traced, start: Sequence[Traced]) -> list[Value]:
        """In reverse: from the cotangent of an output to those of inputs; None for one that does not reach it."""
        known: list[Value] = [None] * self.count
        known[end.mark] = cotangent
        for child, edges, z, args in reversed(self.steps):
            if (g := known[child]) is not None:
                known[child] = None  # whatever uses the child came before, so g is complete: on to its arguments
                for parent, rule in edges:
                    term = rule.pull(g, z, *args)
                    known[parent] = term if known[parent] is None else known[parent] + term
        return [known[x.mark] for x in start]


def jvp(f: Function, xs: Sequence[Value], tangents: Sequence[Value]) -> tuple[Value, Value]:
    """f at xs, and its derivative along the tangents, J·ẋ: one pass of dual numbers. Shapes: those of f(*xs)."""
    dual = Dual()
    z = f(*(Traced(array(x), dual, _like(t, x)) for x, t in zip(xs, tangents, strict=True)))
    if type(z) is Traced and z.trace is dual:
        return z.value, z.mark
    return array(z), _zeros(array(z))


def vjp(f: Function, *xs: Value) -> tuple[Value, Callable[[Value], tuple[Value, ...]]]:
    """f at xs, and its pullback: from a cotangent z̄ of f's shape to z̄·J, one array an argument.

    Arrays may share memory with each other and with z̄: do not change them in place.
    """
    tape = Tape()
    inputs = [tape.watch(x) for x in xs]
    output = tape.output(f(*inputs))

    def pullback(cotangent: Value) -> tuple[Value, ...]:
        pulled = tape.pull(_like(cotangent, output.value), output, inputs)
        return tuple(_zeros(x) if g is None else g for x, g in zip(inputs, pulled, strict=True))

    return output.value, pullback


def value_and_grad(f: Function) -> Callable[..., tuple[Value, tuple[Value, ...]]]:
    """The function that gives f, a single number, and its gradient by each argument, at the price of a few f's.

    Raises ValueError where f returns anything but a single number (shape ()).
    """

    def function(*xs: Value) -> tuple[Value, tuple[Value, ...]]:
        value, pullback = vjp(f, *xs)
        if value.shape != ():
            raise ValueError(f"a gradient is of a single number; f returned shape {value.shape}: take its jacobian")
        return value, pullback(1.0)

    return function


def grad(f: Function) -> Callable[..., Value]:
    """The gradient by f's first argument; any others are held fixed. Its shape is that argument's."""
    return lambda x, *fixed: value_and_grad(lambda x: f(x, *fixed))(x)[1][0]


def jacobian(f: Function, mode: Mode = "reverse") -> Callable[[Value], Value]:
    """All of J = ∂f/∂x for f of one array: shape (*f(x).shape, *x.shape).

    The function runs once. Then forward mode takes a sweep for each input, and reverse mode one for each output.
    """

    def function(x: Value) -> Value:
        tape = Tape()
        start = tape.watch(x)
        end = tape.output(f(start))
        n, m = start.shape, end.shape
        if mode == "reverse":
            rows = [tape.pull(unit, end, [start])[0] for unit in _units(m)]
            return reshape(_stacked(rows, n), m + n)
        columns = [tape.push(unit, start, end) for unit in _units(n)]
        return reshape(reshape(_stacked(columns, m), (math.prod(n), math.prod(m))).T, m + n)

    return function


def hessian(f: Function, mode: Mode = "forward") -> Callable[[Value], Value]:
    """All second derivatives of f, a single number of one array: the Jacobian of its gradient, (*x.shape, *x.shape).

    The mode is that of the outer derivative: forward over reverse by default, else reverse over reverse.
    """
    return jacobian(grad(f), mode)


def array(x: Value) -> Value:
    """A float64 array, or a traced value as it is."""
    return x if type(x) is Traced else np.asarray(x, dtype=np.float64)


def _like(t: Value, x: Value) -> Value:
    """A tangent or cotangent of x, as an array; ValueError where it has another shape."""
    t, shape = array(t), array(x).shape
    if t.shape != shape:
        raise ValueError(f"a tangent has the shape of its value, {shape}; this one has {t.shape}")
    return t


def _zeros(x: Value) -> Value:
    return np.zeros(x.shape)


def _units(shape: tuple[int, ...]) -> list[Value]:
    """The arrays of a shape that are 1 in one place and 0 elsewhere, in order."""
    size = math.prod(shape)
    return list(np.eye(size).reshape(size, *shape))


def _stacked(rows: Sequence[Value], shape: tuple[int, ...]) -> Value:
    """Rows of a shape as one array; None is a row of zeros."""
    return stack([np.zeros(shape) if row is None else row for row in rows]) if rows else np.zeros((0, *shape))
