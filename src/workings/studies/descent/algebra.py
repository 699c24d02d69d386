"""The sheet's four answers for any a, b > 0, and heavy-ball's double root, derived with sympy rather than typed.

Every function returns text and numbers ready for a table of evidence. The step sizes with |ρ| < 1 are those where the
polynomial ρ² − 1 in η is negative: its roots and its leading coefficient say where.
"""

from functools import cache
from typing import Any

import sympy

from workings.expressions import parse
from workings.studies.descent.study import SHEET_LOSS

A, B, ETA = sympy.symbols("a b eta", positive=True)


@cache
def sheet() -> dict[str, Any]:
    """Gradient, minimiser, update factors, step range and slowest factor of the sheet's loss."""
    expression = parse(SHEET_LOSS, ["a", "b", "w1", "w2"], owner="loss").sympy()
    own = {symbol.name: symbol for symbol in expression.free_symbols}
    w = [own["w1"], own["w2"]]
    loss = expression.subs({own["a"]: A, own["b"]: B})
    gradient = [sympy.diff(loss, weight) for weight in w]
    hessian = sympy.hessian(loss, w)
    zeros = sympy.solve(gradient, w, dict=True)
    factors = [sympy.simplify((weight - ETA * slope) / weight) for weight, slope in zip(w, gradient, strict=True)]
    ranges = [_contracting(factor) for factor in factors]
    range_ = (sympy.Max(*(low for low, _ in ranges)), sympy.Min(*(high for _, high in ranges)))
    kappa = sympy.Symbol("κ", positive=True)
    slowest = sympy.simplify(factors[1].subs(ETA, ranges[0][1]).subs(B, A / kappa))
    return {
        "loss": SHEET_LOSS,
        "gradient": [str(slope) for slope in gradient],
        "minimisers": [[str(zero[weight]) for weight in w] for zero in zeros],
        "minimum": [str(loss.subs(zero)) for zero in zeros],
        "positive_definite": bool(hessian.is_positive_definite),
        "factors": [str(factor) for factor in factors],
        "ranges": [[str(low), str(high)] for low, high in ranges],
        "range": [str(end) for end in range_],
        "factor_at_threshold": str(slowest),
        "factor_at_threshold_when_ill_conditioned": str(sympy.limit(slowest, kappa, sympy.oo)),
    }


@cache
def heavy_ball() -> dict[str, Any]:
    """The companion matrix of heavy-ball at its best parameters, at both ends of the spectrum, for any L ≥ μ > 0.

    With L = p², μ = q² the parameters are rational in p and q, and so is everything else.
    """
    p, q = sympy.symbols("p q", positive=True)
    eta, beta = 4 / (p + q) ** 2, ((p - q) / (p + q)) ** 2
    ends = {}
    for name, curvature in (("L", p**2), ("mu", q**2)):
        matrix = sympy.Matrix([[1 + beta - eta * curvature, -beta], [1, 0]])
        root = sympy.factor(matrix.trace() / 2)
        without = (matrix - root * sympy.eye(2)).applyfunc(sympy.simplify)
        ends[name] = {
            "double_root": str(root),
            "discriminant": str(sympy.simplify(matrix.trace() ** 2 - 4 * matrix.det())),
            "rank": int(without.rank()),
            "nilpotent": (without**2).applyfunc(sympy.simplify).is_zero_matrix,
        }
    return ends


def _contracting(factor: Any) -> tuple[Any, Any]:
    """The step sizes with |ρ| < 1: between the roots of ρ² − 1, which opens upwards."""
    excess = sympy.Poly(sympy.expand(factor**2 - 1), ETA)
    zero, other = sorted(sympy.roots(excess), key=lambda root: root != 0)
    if not (excess.LC().is_positive and zero == 0 and other.is_positive):
        raise ArithmeticError(f"{factor} is no factor 1 − ηλ with λ > 0")
    return zero, other
