"""The exact worst case over all convex ρ-Lipschitz functions, of whatever dimension: a semidefinite programme (PEPit).

Performance estimation (Drori & Teboulle 2014; Taylor, Hendrickx & Glineur 2017): the function is replaced by its values
and subgradients at the points visited, which some convex ρ-Lipschitz function has if and only if a list of quadratic
inequalities holds; over their Gram matrix, the largest gap is a semidefinite programme.
"""

import importlib.util

from workings.core.errors import UserError

LONGEST = 30
"""Horizon at most: the programme has T² inequalities on a matrix of T rows, seconds at 30 and minutes at 60."""


def require() -> None:
    """Raise a `UserError` that names the extra, where PEPit is missing."""
    if importlib.util.find_spec("PEPit") is None:
        raise UserError("the worst case is found by PEPit, which is missing: `pip install 'workings[worst-case]'`")


def worst_gap(steps: int, eta: float, B: float = 1.0, rho: float = 1.0) -> float:
    """The largest f(w̄) − f(w*) that T steps of size η can leave, over every convex ρ-Lipschitz f with ‖w*‖ ≤ B."""
    require()
    from PEPit import PEP
    from PEPit.functions import ConvexLipschitzFunction

    problem = PEP()
    f = problem.declare_function(ConvexLipschitzFunction, M=rho)
    minimiser = f.stationary_point()
    w = problem.set_initial_point()
    problem.set_initial_condition((w - minimiser) ** 2 <= B**2)
    total = 0 * w
    for _ in range(steps):
        total = total + w
        w = w - eta * f.gradient(w)
    problem.set_performance_metric(f(total / steps) - f(minimiser))
    return float(problem.solve(verbose=0))
