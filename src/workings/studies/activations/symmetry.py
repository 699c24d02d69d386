"""Oddness, evenness and derivatives at zero of a formula, decided exactly (sympy).

    odd   g(−x) = −g(x)    the residual g(t) + g(−t) vanishes for every t ≥ 0
    even  g(−x) =  g(x)    the residual g(t) − g(−t) does

A residual that does not vanish at a rational t is a witness, evaluated to 30 digits. Without one the half-line t > 0 is
cut where a max, min, abs or sign switches; on each piece the residual is smooth, and algebra has to reduce it to 0.
Where algebra cannot, the answer is None: undecided, never guessed.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, Literal

import numpy as np
import sympy

from workings.expressions import Backend, Expression, ExpressionError

T = sympy.Symbol("t", positive=True)
SWITCHES = (sympy.Max, sympy.Min, sympy.Abs, sympy.sign)

CANDIDATES = (*(sympy.Rational(*pair) for pair in ((1, 1), (2, 1), (1, 2), (3, 1), (1, 4), (5, 1), (10, 1), (1, 10))),)
"""Where a witness is looked for: numbers that a reader can type."""
DIGITS = 30
NEAR = sympy.Rational(1, 1000)
"""Where a side of zero is seen to have real values at all, as log(x) has on the right only."""
CLOSE = 1e-12
"""Relative difference of one number reached by two ways of exact arithmetic and then rounded: 1e-16, with room."""
LARGEST = 80
"""Operations in what sympy is asked to reduce: beyond, it may take minutes (measured: some seconds at 80)."""
FAILURES = (ArithmeticError, AttributeError, NotImplementedError, RecursionError, TypeError, ValueError)
"""What sympy raises where an expression is beyond it."""

Sign = Literal[1, -1]


class UndecidedError(Exception):
    """Algebra is not up to it."""


@dataclass(frozen=True)
class Witness:
    """A place where a function is not odd, or not even."""

    x: float
    value: float | None
    """g(x); None where g has no value there."""
    mirrored: float | None
    """g(−x)."""


@dataclass(frozen=True)
class Symmetry:
    """Whether the mirror image keeps a function."""

    holds: bool | None
    """None where it is undecided."""
    witness: Witness | None = None


@dataclass(frozen=True)
class Side:
    """The limit of g at zero from one side, and its derivatives there; None where there is none or it is not known."""

    value: float | None
    slope: float | None
    curvature: float | None


def symmetry(f: Expression, sign: Sign) -> Symmetry:
    """Whether g(−x) = sign · g(x) wherever g is defined: −1 asks for odd, 1 for even."""
    x = sympy.Symbol(f.variables[0], real=True)
    try:
        g = f.sympy()
        witness = next(_witnesses(f, g, x, sign), None)
        if witness is not None:
            return Symmetry(False, witness)
        residual = g.xreplace({x: T}) - sign * g.xreplace({x: -T})
        cuts = [sympy.Integer(0)]
        for low, _, smooth in pieces(residual):
            cuts += [low] if low != 0 else []
            if not _is_zero(smooth):
                return Symmetry(None)
        # On the cuts themselves a jump may take any value.
        kept = all(_at_cut(g, x, cut, sign) for cut in cuts)
    except (UndecidedError, ExpressionError, *FAILURES):
        return Symmetry(None)
    return Symmetry(True if kept else None)


def sides(f: Expression) -> tuple[Side, Side]:
    """What g does at zero from the left and from the right: where it jumps there, it has no derivative on that side."""
    left, right = (_side(f, sign) for sign in (-1, 1))
    return left, right


def kinks(f: Expression) -> list[float] | None:
    """Where g is not smooth because a max, min, abs or sign switches; None where that is not known."""
    x = sympy.Symbol(f.variables[0], real=True)
    found = {0.0}
    try:
        for sign in (-1, 1):
            found |= {sign * float(low) for low, _, _ in pieces(f.sympy().xreplace({x: sign * T}))}
    except (UndecidedError, ExpressionError, *FAILURES):
        return None
    return sorted(found)


def pieces(g: Any, low: Any = sympy.S.Zero, high: Any = sympy.oo) -> list[tuple[Any, Any, Any]]:
    """g as smooth expressions in t on the intervals (low, high) that part t > 0; raises `UndecidedError`."""
    switch = next((n for n in sympy.postorder_traversal(g) if isinstance(n, SWITCHES)), None)
    if switch is None:
        return [(low, high, g)]
    choices = [a - b for a, b in combinations(switch.args, 2)] or list(switch.args)
    cuts = sorted({root for choice in choices for root in _roots(choice, low, high)}, key=float)
    found = []
    for start, end in pairwise([low, *cuts, high]):
        middle = start + 1 if end == sympy.oo else (start + end) / 2
        found += pieces(g.xreplace({switch: _branch(switch, middle)}), start, end)
    return found


def _branch(switch: Any, at: Any) -> Any:
    """What a max, min, abs or sign is near a place where it does not switch."""
    values = [sympy.N(argument.subs(T, at), DIGITS) for argument in switch.args]
    if not all(value.is_real for value in values):
        raise UndecidedError
    if isinstance(switch, sympy.Max | sympy.Min):
        best = (max if isinstance(switch, sympy.Max) else min)(range(len(values)), key=lambda i: values[i])
        return switch.args[best]
    positive = 1 if values[0] > 0 else -1
    return positive * switch.args[0] if isinstance(switch, sympy.Abs) else sympy.Integer(positive)


def _roots(choice: Any, low: Any, high: Any) -> list[Any]:
    """All zeros of a smooth expression between two places."""
    if T not in choice.free_symbols:
        return []
    try:
        polynomial = sympy.Poly(choice, T, domain=sympy.QQ)
        roots = list(dict(polynomial.real_roots(multiple=False)))
    except (sympy.PolynomialError, sympy.CoercionFailed):
        _affordable(choice)
        solved = sympy.solveset(choice, T, sympy.Interval.open(low, high))
        if not isinstance(solved, sympy.FiniteSet) and solved is not sympy.S.EmptySet:
            raise UndecidedError from None
        roots = list(solved)
    return [root for root in roots if low < root < high]


def _is_zero(smooth: Any) -> bool:
    """Whether algebra reduces a smooth expression to 0."""
    if smooth == 0:
        return True
    _affordable(smooth)
    return bool(sympy.simplify(smooth.rewrite(sympy.exp)) == 0 or sympy.simplify(smooth) == 0)


def _at_cut(g: Any, x: Any, cut: Any, sign: Sign) -> bool:
    here, there = (g.subs(x, place) for place in (cut, -cut))
    if not (here.is_finite and there.is_finite):
        return bool(here.is_finite == there.is_finite)  # a pole is mirrored by a pole
    return bool(sympy.simplify(here - sign * there) == 0)


def _witnesses(f: Expression, g: Any, x: Any, sign: Sign) -> Iterator[Witness]:
    """Places where the residual is not 0; each was first seen in float64, and then in 30 digits."""
    rough = f.numpy()
    for place in (sympy.Integer(0), *CANDIDATES):
        at = float(place)
        here, there = float(rough(at)), float(rough(-at))
        defined = np.isfinite(here), np.isfinite(there)
        if not any(defined):
            continue
        if all(defined):
            if not _in_range(f, at):
                continue
            if not _significant(g.subs(x, place) - sign * g.subs(x, -place)):
                continue
        elif _real(g, x, place) == _real(g, x, -place):
            continue  # only out of the range of float64
        yield Witness(at, here if defined[0] else None, there if defined[1] else None)


def _significant(residual: Any) -> bool:
    """Whether a number is known not to be 0: sympy works with up to 100 digits to be sure of 30, or of none."""
    number = sympy.N(residual, DIGITS)
    return bool(number != 0 and (not number.is_Float or number._prec > 1))


def _real(g: Any, x: Any, place: Any) -> bool | None:
    """Whether g has a finite real value somewhere."""
    found: bool | None = g.subs(x, place).is_extended_real and g.subs(x, place).is_finite
    return found


def _in_range(f: Expression, at: float) -> bool:
    """Whether every step towards g(±at) stays in the range of float64, so that 30 digits cost nothing."""

    def kept(value: Any) -> Any:
        if not np.isfinite(value):
            raise OverflowError
        return value

    def watched(operation: Any) -> Any:
        return lambda *values: kept(operation(*values))

    backend: Backend[Any] = Backend({k: watched(v) for k, v in f._primitives("numpy").items()}, np.float64)
    try:
        with np.errstate(all="ignore"):
            f.evaluate(backend, np.float64(at))
            f.evaluate(backend, np.float64(-at))
    except ExpressionError:
        return False
    return True


def _side(f: Expression, sign: int) -> Side:
    x = sympy.Symbol(f.variables[0], real=True)
    try:
        g = f.sympy()
        smooth = pieces(g.xreplace({x: sign * T}))[0][2]
        if not sympy.N(smooth.subs(T, NEAR), DIGITS).is_real:
            return Side(None, None, None)
        limits = [_limit(sympy.diff(smooth, T, k) if k else smooth) for k in range(3)]
        at_zero = g.subs(x, 0)
        joined = limits[0] is not None and at_zero.is_finite and math.isclose(limits[0], at_zero, rel_tol=CLOSE)
    except (UndecidedError, ExpressionError, *FAILURES):
        return Side(None, None, None)
    slope = None if limits[1] is None else sign * limits[1] + 0.0
    return Side(limits[0], slope, limits[2]) if joined else Side(limits[0], None, None)


def _limit(smooth: Any) -> float | None:
    """The limit at t → 0 from above, infinite ones included."""
    at_zero = smooth.subs(T, 0)
    if at_zero.is_real and at_zero.is_finite:
        return float(at_zero) + 0.0  # no −0
    try:
        _affordable(smooth)
        limit = sympy.limit(smooth, T, 0, "+")
    except (UndecidedError, *FAILURES):
        return None
    return float(limit) + 0.0 if limit.is_extended_real and limit.is_number else None


def _affordable(expression: Any) -> None:
    if expression.count_ops() > LARGEST:
        raise UndecidedError
