"""Every row of the table judged by another route: differences for its derivative, duality for its transpose.

For random arguments (broadcast against each other where the row allows it), a random tangent ẋ and cotangent z̄:

    forward    J·ẋ against a central difference of the row along ẋ
    transpose  ⟨z̄, J·ẋ⟩ against ⟨z̄·J, ẋ⟩, which must be one number
    second     the derivative of x ↦ z̄·J along ẋ against a central difference of z̄·J

The rest of the route knows nothing of the row: a slip in a rule shows.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workings.studies.autodiff.model import jvp, vjp
from workings.studies.autodiff.tracing import TABLE, Primitive, Value

STEP = 1e-4
"""Of the differences: their truncation error, h²·f‴/6, and their rounding error, 1e-16/h, are both below 1e-8 or so."""
TRIALS = 6
"""Random arguments a row."""
Draw = Callable[[np.random.Generator], tuple[Any, ...]]


@dataclass(frozen=True)
class Deviations:
    """The largest deviations of a row over all trials, relative to 1 + the size of what is compared."""

    name: str
    forward: float
    transpose: float
    second: float


def _pair(rng: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes that broadcast."""
    a, b = (int(n) for n in rng.integers(1, 4, 2))
    return [((), (a,)), ((a, b), (b,)), ((a, 1), (1, b)), ((a, b), (a, b)), ((b,), (a, b))][rng.integers(5)]


def _one(low: float, high: float) -> Draw:
    return lambda rng: (rng.uniform(low, high, _pair(rng)[0]),)


def _off_zero(rng: np.random.Generator) -> tuple[Any, ...]:
    (x,) = _one(0.1, 1.3)(rng)
    return (x * rng.choice([-1.0, 1.0], size=x.shape),)


def _two(rng: np.random.Generator) -> tuple[Any, ...]:
    first, second = _pair(rng)
    return rng.normal(size=first), rng.normal(size=second) + 4.0 * rng.choice([-1, 1])


def _positive(rng: np.random.Generator) -> tuple[Any, ...]:
    first, second = _pair(rng)
    return rng.uniform(0.5, 2.0, first), rng.normal(size=second)


def _product(rng: np.random.Generator) -> tuple[Any, ...]:
    a, b, c, d = (int(n) for n in rng.integers(1, 4, 4))
    kinds = [((a, b), (b, c)), ((b,), (b, c)), ((a, b), (b,)), ((b,), (b,)), ((d, a, b), (b, c)), ((b,), (d, b, c))]
    first, second = kinds[rng.integers(len(kinds))]
    return rng.normal(size=first), rng.normal(size=second)


def _shaped(*settings: Any, shape: tuple[int, ...] = (2, 3)) -> Draw:
    return lambda rng: (rng.normal(size=shape), *settings)


DRAWS: Mapping[str, Draw] = {
    **dict.fromkeys(("add", "sub", "mul", "div", "max", "min"), _two),
    "pow": _positive,
    **{name: _one(0.3, 2.0) for name in ("log", "sqrt")},
    **{name: _one(-0.8, 0.8) for name in ("asin", "acos")},
    **dict.fromkeys(("abs", "sign", "relu"), _off_zero),
    "matmul": _product,
    "flip": _shaped(),
    "broadcast_to": _shaped((4, 2, 3)),
    "sum_to": _shaped((3,)),
    "reshape": _shaped((3, 2)),
    "transpose": _shaped((1, 2, 0), shape=(2, 3, 4)),
    "index": _shaped((np.array([0, 1, 1]), slice(0, 2))),
    "place": _shaped(slice(1, 3), (4, 3)),
    "sum": _shaped(1),
}
"""Arguments that keep off kinks, poles and the edge of a domain; rows that are not named take any numbers."""


def deviations(row: Primitive) -> Deviations:
    """How far a row's rules are from what differences and duality say."""
    found = []
    for seed in range(TRIALS):
        rng = np.random.default_rng(seed)
        args = DRAWS.get(row.name, _one(-1.3, 1.3))(rng)
        k = len(row.rules)
        found.append(_judge(lambda *xs, rest=args[k:]: row(*xs, *rest), [np.asarray(x) for x in args[:k]], rng))
    return Deviations(row.name, *map(float, np.max(found, axis=0)))


def all_deviations() -> list[dict[str, Any]]:
    """`deviations` of the whole table."""
    return [asdict(deviations(row)) for row in TABLE.values()]


def _judge(f: Callable[..., Value], xs: list[np.ndarray], rng: np.random.Generator) -> tuple[float, float, float]:
    tangents = [rng.normal(size=x.shape) for x in xs]
    z, pushed = jvp(f, xs, tangents)
    cotangent = rng.normal(size=z.shape)

    def pulled(*xs: Value) -> tuple[Value, ...]:
        return vjp(f, *xs)[1](cotangent)

    there = float(np.vdot(cotangent, pushed))
    back = float(np.sum([np.vdot(g, t) for g, t in zip(pulled(*xs), tangents, strict=True)]))
    second = [
        _off(
            jvp(lambda *xs, i=i: pulled(*xs)[i], xs, tangents)[1],
            _difference(lambda *xs, i=i: pulled(*xs)[i], xs, tangents),
        )
        for i in range(len(xs))
    ]
    return _off(pushed, _difference(f, xs, tangents)), _off(there, back), max(second)


def _difference(f: Callable[..., Value], xs: list[np.ndarray], tangents: list[np.ndarray]) -> Value:
    ahead, behind = ([x + s * t for x, t in zip(xs, tangents, strict=True)] for s in (STEP, -STEP))
    return (f(*ahead) - f(*behind)) / (2 * STEP)


def _off(found: Value, wanted: Value) -> float:
    return float(np.max(np.abs(found - wanted) / (1 + np.abs(wanted)), initial=0.0))
