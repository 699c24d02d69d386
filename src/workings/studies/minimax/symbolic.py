"""The zeros of a polynomial game's gradient, exactly (sympy): points, and curves of points.

1. h = gcd(f_x, f_y) vanishes on the curves of stationary points.
2. p = f_x/h and q = f_y/h share finitely many zeros. Their resultants are polynomials in x alone and in y alone, whose
   real roots are isolated exactly; each pair of roots is a zero or is not, which 60 digits tell.

Where f is no polynomial with rational coefficients, or is too large, `solve` answers None: the numeric search's turn.
"""

from typing import Any, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray

from workings.expressions import Expression

X, Y = sympy.symbols("x y", real=True)
Point = tuple[Any, Any]

PROBES = tuple(sympy.Rational(k, 7) for k in (0, 1, -1, 5, -5, 20, -20, 90, -90))
"""Lines x = c and y = c along which a curve's real points are sought: near and far, clear of special places."""
DIGITS = 60
"""Digits in which a pair of roots is tried on p and q."""
ZERO = sympy.Float("1e-40")
"""What then counts as 0, relative to the size of the polynomial's terms: false pairs miss by far more."""


class Solution(NamedTuple):
    """The zeros of the gradient: isolated points, and curves as (equation, one point on it)."""

    points: tuple[Point, ...]
    curves: tuple[tuple[str, Point], ...]


def solve(f: Expression, max_solutions: int) -> Solution | None:
    """All real zeros of ∇f, or None where algebra is not up to it."""
    gradient = _gradient(f)
    if gradient is None:
        return None
    f_x, f_y = gradient
    if f_x.is_zero and f_y.is_zero:
        return Solution((), (("any x, any y", (sympy.Integer(0), sympy.Integer(0))),))
    degrees = sorted(max(derivative.total_degree(), 1) for derivative in gradient)
    if degrees[0] > 1 and degrees[0] * degrees[1] > max_solutions:
        return None
    h = sympy.gcd(f_x, f_y)
    points = set(_common_zeros(f_x.quo(h), f_y.quo(h)))
    curves = []
    for factor, _ in h.factor_list()[1]:
        sample = _point_on(factor)
        if sample is None:  # at most isolated real points, at which the factor is singular: x² + y²
            singular = _common_zeros(factor.diff(X), factor.diff(Y))
            points |= {point for point in singular if _vanishes(factor, point)}
        else:
            points = {point for point in points if not _vanishes(factor, point)}
            curves.append((f"{factor.as_expr()} = 0", sample))
    return Solution(tuple(sorted(points, key=lambda point: tuple(map(float, point)))), tuple(curves))


def jacobian(f: Expression, point: Point) -> NDArray[np.object_]:
    """J = [[f_xx, f_xy], [−f_yx, −f_yy]] at a point, in sympy numbers."""
    x, y = (sympy.Symbol(name, real=True) for name in f.variables)
    expression = f.sympy()
    at = {x: point[0], y: point[1]}
    second = [[sympy.diff(expression, u, v).subs(at) for v in (x, y)] for u in (x, y)]
    return np.array([second[0], [-entry for entry in second[1]]], dtype=object)


def _gradient(f: Expression) -> tuple[Any, Any] | None:
    """(f_x, f_y) as polynomials over the rationals, where they are."""
    try:
        polynomial = sympy.Poly(f.sympy(), X, Y, domain=sympy.QQ)
    except (sympy.PolynomialError, sympy.CoercionFailed):
        return None
    return polynomial.diff(X), polynomial.diff(Y)


def _common_zeros(p: Any, q: Any) -> list[Point]:
    """The real common zeros of two polynomials without a common factor."""
    if any(polynomial.is_ground and not polynomial.is_zero for polynomial in (p, q)):
        return []
    xs, ys = (_real_roots(sympy.resultant(p, q, eliminated), kept) for eliminated, kept in ((Y, X), (X, Y)))
    return [(x, y) for x in xs for y in ys if _vanishes(p, (x, y)) and _vanishes(q, (x, y))]


def _real_roots(polynomial: Any, variable: Any) -> list[Any]:
    polynomial = sympy.Poly(polynomial, variable)
    return [] if polynomial.is_ground else list(dict(polynomial.real_roots(multiple=False)))


def _vanishes(polynomial: Any, point: Point) -> bool:
    """Whether a polynomial is 0 at a point, to some 40 of 60 digits."""
    x, y = (sympy.N(coordinate, DIGITS) for coordinate in point)
    terms = [coefficient * x**i * y**j for (i, j), coefficient in polynomial.terms()]
    return bool(abs(sum(terms)) <= ZERO * max(1, *map(abs, terms)))


def _point_on(curve: Any) -> Point | None:
    """A point at which an irreducible polynomial changes sign: then its zeros form a curve and not some points."""
    for fixed, free in ((Y, X), (X, Y)):
        for c in PROBES:
            along = sympy.Poly(curve.as_expr().subs(fixed, c), free)
            for root, multiplicity in [] if along.is_ground else along.real_roots(multiple=False):
                if multiplicity % 2:
                    return (root, c) if fixed == Y else (c, root)
    return None
