"""Values, Jacobian and Hessians by computer algebra, to thirty digits: what the engine is held against.

Sympy differentiates the formula as a formula and shares nothing with the engine but the reader of the text.
"""

from collections.abc import Sequence
from typing import Any

from workings.studies.autodiff.formulas import Formulas

DIGITS = 30
"""Nearly twice those of float64."""
LARGEST = 80
"""Steps of all formulas together: Hessians of longer ones can take sympy minutes."""


def exact(formulas: Formulas, w: Sequence[float]) -> dict[str, Any]:
    """Decimal strings: ``value`` [m], ``jacobian`` [m][n], ``hessian`` [m][n][n]; ValueError where sympy finds none."""
    import sympy

    symbols = [sympy.Symbol(name, real=True) for name in formulas.variables]
    point = {symbol: sympy.Rational(repr(float(x))) for symbol, x in zip(symbols, w, strict=True)}

    def at(expression: Any) -> str:
        number = sympy.N(expression.subs(point).doit(), DIGITS)
        if not (number.is_Float or number.is_Integer) or not number.is_finite:
            raise ValueError(f"sympy finds no number for {expression} there: choose a point off kinks")
        return str(number)

    found = [expression.sympy() for expression in formulas.expressions]
    return {
        "value": [at(f) for f in found],
        "jacobian": [[at(sympy.diff(f, a)) for a in symbols] for f in found],
        "hessian": [[[at(sympy.diff(f, a, b)) for b in symbols] for a in symbols] for f in found],
    }
