"""What a row of the table is made of, and what stands for an array while a trace watches.

A `Primitive` is evaluated on arrays. Where one of its arguments is `Traced`, the trace takes over: a dual number, a
tape, a counter, a graph. It unwraps its own arguments and calls the primitive again, so traces nest, innermost first.

A row states its derivative in one of two forms; both modes follow.

- `elementwise`: z = f(x, y, ...) entry by entry. One partial an argument, ∂z/∂x as a function of (z, x, y, ...), or a
  constant. Forwards a tangent ẋ becomes ẋ · ∂z/∂x; in reverse a cotangent z̄ becomes z̄ · ∂z/∂x. Where an argument was
  broadcast, the one is broadcast too, and the other summed: broadcasting and summing are each other's transpose.
- `linear`: linear in each argument by itself. Forwards it is its own derivative; in reverse it needs its transpose,
  as a function of (z̄, z, x, y, ...).
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

Value: TypeAlias = Any
"""A NumPy array or number, or a `Traced` one that stands for it."""
Partial: TypeAlias = float | Callable[..., Value]
"""∂z/∂x: a constant, or a function of (z, x, y, ...)."""


class Rule(NamedTuple):
    """A primitive's derivative by one argument, a linear map: applied to a tangent, transposed to a cotangent."""

    push: Callable[..., Value]
    """(ẋ, z, x, y, ...) -> this argument's part of ż."""
    pull: Callable[..., Value]
    """(z̄, z, x, y, ...) -> its part of x̄."""


class Trace(Protocol):
    """Whatever watches a computation: dual numbers, a tape, a counter."""

    level: int
    """Traces opened later have a higher one: they are the inner ones."""

    def apply(self, primitive: "Primitive", args: tuple[Value, ...]) -> Value:
        """The primitive of these arguments, of which some are this trace's."""


class Primitive:
    """A row of the table. Calling it evaluates it, under the innermost trace that watches any of its arguments."""

    __slots__ = ("evaluate", "name", "rules")

    def __init__(self, name: str, evaluate: Callable[..., Any], rules: Sequence[Rule] = ()) -> None:
        self.name, self.evaluate, self.rules = name, evaluate, tuple(rules)

    def __call__(self, *args: Value) -> Value:
        """The value of these arguments."""
        trace = None
        for arg in args:
            if type(arg) is Traced and (trace is None or arg.trace.level > trace.level):
                trace = arg.trace
        return self.evaluate(*args) if trace is None else trace.apply(self, args)

    def __repr__(self) -> str:
        return self.name


TABLE: dict[str, Primitive] = {}
"""The rows by name."""


def elementwise(name: str, evaluate: Callable[..., Any], *partials: Partial) -> Primitive:
    """A row whose derivative is one partial for each argument."""
    rules = [_constant(i, p) if isinstance(p, float) else _partial(i, p) for i, p in enumerate(partials)]
    return _entered(Primitive(name, evaluate, rules))


def linear(name: str, evaluate: Callable[..., Any], *transposes: Callable[..., Value]) -> Primitive:
    """A row that is linear in each of its first arguments, given the transpose for each; any others are settings."""
    row = Primitive(name, evaluate)
    row.rules = tuple(Rule(_replacing(row, i), transpose) for i, transpose in enumerate(transposes))
    return _entered(row)


def _entered(row: Primitive) -> Primitive:
    if row.name in TABLE:
        raise ValueError(f"the table has a row {row.name!r} already: choose another name")
    TABLE[row.name] = row
    return row


def _partial(i: int, partial: Callable[..., Value]) -> Rule:
    def push(t: Value, z: Value, *args: Value) -> Value:
        return t * partial(z, *args)

    def pull(g: Value, z: Value, *args: Value) -> Value:
        term = g * partial(z, *args)
        shape = args[i].shape
        return term if term.shape == shape else TABLE["sum_to"](term, shape)

    return Rule(push, pull)


def _constant(i: int, partial: float) -> Rule:
    def times(x: Value) -> Value:
        return x if partial == 1.0 else x * partial

    def push(t: Value, z: Value, *args: Value) -> Value:
        return times(t) if t.shape == z.shape else TABLE["broadcast_to"](times(t), z.shape)

    def pull(g: Value, z: Value, *args: Value) -> Value:
        shape = args[i].shape
        return times(g) if g.shape == shape else TABLE["sum_to"](times(g), shape)

    return Rule(push, pull)


def _replacing(row: Primitive, i: int) -> Callable[..., Value]:
    return lambda t, z, *args: row(*args[:i], t, *args[i + 1 :])


def plain(x: Value) -> Any:
    """The array beneath all traces: for questions that have no derivative, such as which of two is larger."""
    while type(x) is Traced:
        x = x.value
    return x


def _binary(name: str) -> Callable[[Value, Value], Value]:
    return lambda self, other: TABLE[name](self, other)


def _reflected(name: str) -> Callable[[Value, Value], Value]:
    return lambda self, other: TABLE[name](other, self)


def _compared(question: Callable[[Any, Any], Any]) -> Callable[[Value, Value], Any]:
    return lambda self, other: question(plain(self), plain(other))


class Traced:
    """Stands for an array while a trace watches. Its operators are NumPy's, each a row of the table."""

    __array_ufunc__ = None  # array * traced is then left to Traced.__rmul__
    __slots__ = ("mark", "trace", "value")

    def __init__(self, value: Value, trace: Trace, mark: Any) -> None:
        self.value, self.trace, self.mark = value, trace, mark

    __add__, __radd__ = _binary("add"), _reflected("add")
    __sub__, __rsub__ = _binary("sub"), _reflected("sub")
    __mul__, __rmul__ = _binary("mul"), _reflected("mul")
    __truediv__, __rtruediv__ = _binary("div"), _reflected("div")
    __pow__, __rpow__ = _binary("pow"), _reflected("pow")
    __matmul__, __rmatmul__ = _binary("matmul"), _reflected("matmul")
    __getitem__ = _binary("index")
    # Questions, not values: a program may branch on them.
    __lt__, __le__ = _compared(operator.lt), _compared(operator.le)
    __gt__, __ge__ = _compared(operator.gt), _compared(operator.ge)
    __eq__, __ne__ = _compared(operator.eq), _compared(operator.ne)
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(plain(self))

    def __neg__(self) -> Value:
        return TABLE["neg"](self)

    @property
    def T(self) -> Value:  # noqa: N802 (NumPy's name)
        """The array with its axes in reverse order."""
        return TABLE["transpose"](self, tuple(range(self.ndim))[::-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self.value.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.value.shape)

    def __repr__(self) -> str:
        return f"Traced({self.value!r})"
