"""What algebra (sympy) and a solver (scipy) say of the two minima in question 3.

- 3.1: the proximal model q(w) = ⟨g, w − w_t⟩ + (λ/2)‖w − w_t‖² is least at w_t − g/λ.
- 3.3: the lemma's bound B²/(2ηT) + ηρ²/2 is least at η = B/(ρ√T).
"""

from typing import Any

import numpy as np
import sympy
from scipy.optimize import minimize

from workings.studies.convergence.model import Array

FLATTEST, STEEPEST = 0.01, 100.0
"""The range of λ that is tried: four orders of magnitude about 1."""


def proximal_model() -> dict[str, str]:
    """∇q, its value at w_t − g/λ, and ∇²q·h, for vectors of any dimension d."""
    d, strength = sympy.Symbol("d", integer=True, positive=True), sympy.Symbol("lambda", positive=True)
    g, at, w = (sympy.MatrixSymbol(name, d, 1) for name in ("g", "w_t", "w"))
    gradient = (g.T * (w - at) + strength / 2 * (w - at).T * (w - at)).diff(w)
    moved = sympy.expand(gradient.subs(w, at - g / strength).doit())
    # ∇q is affine in w: its difference over a displacement h is ∇²q · h.
    displaced = sympy.MatrixSymbol("h", d, 1)
    curvature = sympy.expand((gradient.subs(w, w + displaced) - gradient).doit())
    return {
        "gradient": str(gradient),
        "gradient_at_step": "0" if moved in (0, sympy.ZeroMatrix(d, 1)) else str(moved),
        "curvature_along_h": str(curvature),
    }


def proximal_search(dimension: int, rng: np.random.Generator) -> dict[str, Any]:
    """Minimise one drawn q by BFGS on its values alone, from a start of its own; returns where it ended."""
    strength = float(np.exp(rng.uniform(np.log(FLATTEST), np.log(STEEPEST))))
    g, at, start = rng.normal(size=(3, dimension))

    def q(w: Array) -> float:
        return float(g @ (w - at) + strength / 2 * (w - at) @ (w - at))

    found = minimize(q, at + start, method="BFGS")
    return {"lambda": strength, "g": g.tolist(), "w_t": at.tolist(), "found": found.x.tolist()}


def best_step() -> dict[str, str]:
    """The step size at which the lemma's bound is least, the bound there, and how it grows for one c times as long."""
    rho, B, steps, eta, c = sympy.symbols("rho B T eta c", positive=True)
    bound = B**2 / (2 * eta * steps) + eta * rho**2 / 2
    (best,) = sympy.solve(sympy.diff(bound, eta), eta)
    least = sympy.simplify(bound.subs(eta, best))
    return {
        "step": str(best),
        "bound": str(least),
        "curvature": str(sympy.simplify(sympy.diff(bound, eta, 2))),
        "dearer": str(sympy.expand(sympy.simplify(bound.subs(eta, c * best) / least))),
    }
