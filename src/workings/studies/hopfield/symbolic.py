"""The sheet's calculus by computer algebra (question 1.1): what must vanish, with every symbol left open.

For N patterns of D numbers, with x, q, v and β as symbols, sympy forms the differences

    ∇E₁ − q,   ∇²E₁ − I,   ∇E₂ + Xᵀp,   ∇²E₂ + β Xᵀ(diag p − ppᵀ)X,
    vᵀXᵀ(diag p − ppᵀ)Xv − Σ_{i<j} pᵢpⱼ (sᵢ − sⱼ)²   with s = Xv   (Lagrange's identity: a variance, never negative)

and reduces each to lowest terms. The notes prove them for every N and D; here small ones are worked out in full.
"""

from typing import Any

import sympy


def residuals(n: int, d: int) -> dict[str, str]:
    """The five differences in lowest terms, as text: "0" where the sheet's formula is the derivative."""
    beta, M = sympy.symbols("beta M", positive=True)
    X = sympy.Matrix(n, d, sympy.symbols(f"x:{n}:{d}", real=True))
    q, v = (sympy.Matrix(sympy.symbols(f"{name}:{d}", real=True)) for name in "qv")
    shares = sympy.symbols(f"e:{n}", positive=True)  # exp(β xᵢ·q), of which only its derivatives matter
    exps = [sympy.exp(beta * z) for z in X * q]
    convex = (q.T * q)[0] / 2 + sympy.log(n) / beta + M**2 / 2
    concave = -sympy.log(sum(exps)) / beta
    p = sympy.Matrix([share / sum(shares) for share in shares])
    spread = X.T * (sympy.diag(*p) - p * p.T) * X
    s = X * v
    variance = sum(p[i] * p[j] * (s[i] - s[j]) ** 2 for i in range(n) for j in range(i))
    slope = sympy.Matrix([concave.diff(c) for c in q])
    differences = {
        "convex gradient": sympy.Matrix([convex.diff(c) for c in q]) - q,
        "convex Hessian": sympy.hessian(convex, list(q)) - sympy.eye(d),
        "concave gradient": slope + X.T * p,
        "concave Hessian": slope.jacobian(q) + beta * spread,
        "variance": sympy.Matrix([(v.T * spread * v)[0] - variance]),
    }
    named = dict(zip(exps, shares, strict=True))
    return {name: _reduced(matrix.subs(named)) for name, matrix in differences.items()}


def _reduced(matrix: Any) -> str:
    """The first entry that does not vanish, in lowest terms, or "0"."""
    entries = (sympy.cancel(sympy.together(entry)) for entry in matrix)
    return str(next((entry for entry in entries if entry != 0), 0))
