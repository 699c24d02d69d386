"""Where a linear iteration z ← M(η) z stops to converge: exact step sizes, by algebra (sympy).

M(η) = M₀ + ηM₁ + η²M₂ + … has rational entries, and p(z; η) = det(zI − M(η)) is a polynomial in both. The iteration
converges from every start iff all roots of p lie inside the unit circle. Put z = (1 + w)/(1 − w), which takes the
circle's inside to the left half plane, and q(w) = (1 − w)ᵈ p(z) is judged by Hurwitz:

- a root reaches the circle only where q's leading coefficient (p(−1)), its last one (p(1)) or its Hurwitz minor
  Δ_{d−1} (a pair z·z′ = 1: Orlando's formula) vanishes. The real roots of these polynomials in η are the boundaries;
- between two boundaries one rational step size, judged by Routh's array in fractions, decides for all.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from workings.studies.minimax.steps import StepSet, assemble

ETA, Z = sympy.symbols("eta z", real=True)
Ring = sympy.QQ[ETA]

SQUARINGS = 40
"""Powers are judged at M^(2^40): a Jordan block has grown to 10¹², while rounding has reached 2^40 · 1e-16 = 1e-4."""
POWER_BOUND = 1e6
"""Between the two, and above the norm of a well-conditioned change of basis."""


def converging(coefficients: Sequence[NDArray[Any]], positive: bool = True) -> StepSet:
    """The exact set of step sizes (positive ones, or all real ones) for which Mᵗ → 0."""
    q = _moebius(_characteristic(coefficients))
    edges = _edges(q)
    if not all(edges):  # an eigenvalue stays on the unit circle whatever η is
        return StepSet((), exact=True)

    def inside(low: Any, high: Any) -> bool:
        eta = _between(low, high)
        return _is_hurwitz([Ring.to_sympy(c).subs(ETA, eta) for c in q])

    return StepSet(assemble(_ends(edges, positive), inside), exact=True)


def bounded(coefficients: Sequence[NDArray[Any]]) -> StepSet:
    """The exact set of η > 0 for which all powers of M(η) are bounded.

    Its ends are exact; that the cells and ends so found are bounded is judged in float64, by a huge power. Ends are
    sought where a root of an irreducible factor of p can reach or leave the circle, or meet another root.
    """
    p = sympy.Poly([Ring.to_sympy(c) for c in _characteristic(coefficients)], Z).as_expr()
    factors = [factor for factor, _ in sympy.factor_list(p, Z, ETA)[1] if factor.has(Z)]
    edges = [edge for factor in factors for edge in _edges(_moebius(_monic(factor)))]
    edges += [Ring.from_sympy(sympy.discriminant(factor, Z)) for factor in factors]
    edges += [Ring.from_sympy(sympy.resultant(one, two, Z)) for one, two in combinations(factors, 2)]
    numbers = [np.array(matrix, dtype=np.float64) for matrix in coefficients]

    def is_bounded(eta: Any) -> bool:
        return _power_bounded(sum((m * float(eta) ** k for k, m in enumerate(numbers)), np.zeros_like(numbers[0])))

    ends = _ends([edge for edge in edges if edge], positive=True)
    return StepSet(assemble(ends, lambda low, high: is_bounded(_between(low, high)), is_bounded), exact=True)


def _characteristic(coefficients: Sequence[NDArray[Any]]) -> list[Any]:
    """The coefficients of p in z, highest first, each a polynomial in η."""
    total = sum(
        (sympy.Matrix(matrix) * ETA**k for k, matrix in enumerate(coefficients)), sympy.zeros(len(coefficients[0]))
    )
    matrix = sympy.polys.matrices.DomainMatrix.from_Matrix(total).convert_to(Ring)
    return list(matrix.charpoly())


def _monic(factor: Any) -> list[Any]:
    """A factor of the monic p, as coefficients in z, divided by its leading number."""
    polynomial = sympy.Poly(factor, Z)
    return [Ring.from_sympy(c / polynomial.LC()) for c in polynomial.all_coeffs()]


def _moebius(p: list[Any]) -> list[Any]:
    """q(w) = (1 − w)ᵈ p((1 + w)/(1 − w)) = Σ p_k (1 + w)^{d−k} (1 − w)^k, highest coefficient first."""
    d = len(p) - 1
    q = [Ring.zero] * (d + 1)
    for k, coefficient in enumerate(p):
        term = sympy.Poly((1 + Z) ** (d - k) * (1 - Z) ** k, Z)
        for i in range(d + 1):
            q[i] += coefficient * Ring.from_sympy(term.coeff_monomial(Z ** (d - i)))
    return q


def _edges(q: list[Any]) -> list[Any]:
    """The polynomials in η one of which vanishes wherever a root of q lies on the imaginary axis, or at infinity."""
    d = len(q) - 1

    def entry(i: int, j: int) -> Any:
        return q[2 * j - i + 1] if 0 <= 2 * j - i + 1 <= d else Ring.zero

    if d == 1:
        return [q[0], q[1]]
    rows = [[entry(i, j) for j in range(d - 1)] for i in range(d - 1)]
    minor = sympy.polys.matrices.DomainMatrix(rows, (d - 1, d - 1), Ring).charpoly()[-1] * (-1) ** (d - 1)
    return [q[0], q[d], minor]


def _ends(edges: Sequence[Any], positive: bool) -> list[Any]:
    """The distinct real roots of the edges in ascending order, between the limits of the search."""
    roots = {root for edge in edges for root in _real_roots(Ring.to_sympy(edge))}
    low = sympy.Integer(0) if positive else -sympy.oo
    return [low, *sorted(root for root in roots if root > low), sympy.oo]


def _real_roots(edge: Any) -> list[Any]:
    polynomial = sympy.Poly(edge, ETA)
    return [] if polynomial.degree() < 1 else list(dict(polynomial.real_roots(multiple=False)))


def _between(low: Any, high: Any) -> Any:
    """A rational number strictly between two ends."""
    if low == -sympy.oo:
        return sympy.floor(high) - 1 if high != sympy.oo else sympy.Integer(0)
    if high == sympy.oo:
        return sympy.ceiling(low) + 1
    digits = 20
    while True:  # two distinct numbers come apart at some precision
        middle = sympy.Rational(str(sympy.N((low + high) / 2, digits)))
        if low < middle < high:
            return middle
        digits *= 2


def _is_hurwitz(q: list[Any]) -> bool:
    """Whether all roots of a polynomial of rational coefficients have a negative real part, by Routh's array."""
    if q[0] == 0:
        return False
    q = [c / q[0] for c in q]
    upper, lower = q[0::2], q[1::2]
    while lower:
        if lower[0] <= 0:
            return False
        padded = [*lower[1:], sympy.Integer(0)]
        ratio = upper[0] / lower[0]
        upper, lower = lower, [u - ratio * v for u, v in zip(upper[1:], padded, strict=False)]
    return True


def _power_bounded(matrix: NDArray[np.float64]) -> bool:
    """Whether the powers of a matrix stay bounded: its spectral radius is at most 1, and simple where it is 1."""
    with np.errstate(all="ignore"):
        for _ in range(SQUARINGS):
            matrix = matrix @ matrix
            if not np.abs(matrix).max() < POWER_BOUND:
                return False
    return True
