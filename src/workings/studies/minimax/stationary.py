"""Stationary points of a game, F(z) = 0, and what the second derivatives say about each.

Polynomials in x and y are solved exactly (`symbolic.py`); all else, and polynomials beyond `MAX_SOLUTIONS`, is
searched numerically from a grid of starts, and the answer says that it may be incomplete.

Left out on purpose: points at kinks, where there is no gradient, and global statements: kinds are local.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workings.studies.minimax.model import Array, ExpressionGame, Game, QuadraticGame, players

Kind = Literal[
    "strict Nash saddle",
    "degenerate Nash candidate",
    "strict minimax, not Nash",
    "reversed saddle",
    "local minimum",
    "local maximum",
    "other saddle",
    "degenerate",
]
WHAT_IS_KNOWN: dict[Kind, str] = {
    "strict Nash saddle": "f_xx > 0 and f_yy < 0: neither player gains by a small move alone",
    "degenerate Nash candidate": "f_xx ≥ 0 and f_yy ≤ 0, one of them singular: necessary for a Nash saddle, and "
    "sufficient if f is quadratic; otherwise higher derivatives decide",
    "strict minimax, not Nash": "f_yy < 0 and f_xx − f_xy f_yy⁻¹ f_yx > 0, but not f_xx ≥ 0: the best for x if y "
    "answers, though x alone would move away (Jin, Netrapalli and Jordan 2020)",
    "reversed saddle": "f_xx < 0 and f_yy > 0: each player stands at the worst place near by",
    "local minimum": "the Hessian is positive definite: y, who maximises, gains by any move",
    "local maximum": "the Hessian is negative definite: x, who minimises, gains by any move",
    "other saddle": "the Hessian is indefinite and regular, and some player gains by a small move alone",
    "degenerate": "the Hessian is singular and some player gains by a small move, or second derivatives do not decide",
}

MAX_SOLUTIONS = 25
"""Bézout's bound deg f_x · deg f_y up to which polynomials go to algebra (any degree, if the other is 1): a second."""
GRID_REACH, GRID_STARTS = 5.0, 9
"""The numeric search starts from a 9×9 grid on [−5, 5]², and keeps what it finds within twice that square."""
EVALUATIONS = 50
"""Evaluations of F from each start; Newton's method converges in some ten where it converges."""
RESIDUAL = 1e-9
"""|F| at an accepted zero, relative to 1 + |J|: a thousand times what Newton's method leaves in float64."""
POLE = 1e9
"""Where |J| is larger, a small |F|/|J| tells of a pole and not of a zero."""
SAME = 1e-6
"""Zeros nearer than this, relative to 1 + |z|, are one: Newton's method stops that far from a double zero."""
SINGULAR = 1e-9
"""An eigenvalue this small, relative to the largest of the Hessian, counts as 0; exact Hessians have true zeros."""


@dataclass(frozen=True, eq=False)
class StationaryPoint:
    """A zero of F: where, f there, the Hessian of f, and what kind of point it is."""

    point: tuple[float, ...]
    value: float
    hessian: Array
    kind: Kind
    jacobian: NDArray[Any]
    """J at the point: sympy numbers (dtype object) where the point is exact, else floats. `spectrum.py` takes it."""
    exact: tuple[Any, ...] | None = None
    """The coordinates as sympy numbers, where they are known."""


@dataclass(frozen=True)
class StationarySet:
    """All stationary points that were found: isolated ones, and curves of them."""

    points: tuple[StationaryPoint, ...]
    curves: tuple[tuple[str, StationaryPoint], ...]
    """Lines or curves on which every point is stationary: the equation, as in "x = 0", and one point for example."""
    complete: bool
    """Whether there are no others."""
    note: str
    """One sentence for a person."""


def stationary_points(game: ExpressionGame | QuadraticGame) -> StationarySet:
    """Find and classify the zeros of F."""
    if isinstance(game, QuadraticGame):
        return _of_quadratic(game)
    from workings.studies.minimax import symbolic

    found = symbolic.solve(game.f, MAX_SOLUTIONS)
    if found is None:
        return _search(game)
    points = tuple(_exact_point(game, solution) for solution in found.points)
    curves = tuple((equation, _exact_point(game, sample)) for equation, sample in found.curves)
    return StationarySet(points, curves, True, _note(len(points), [equation for equation, _ in curves]))


def _note(isolated: int, equations: list[str]) -> str:
    if not equations:
        return (
            "No stationary point." if not isolated else f"{isolated} stationary point{'s'[: isolated - 1]}, no others."
        )
    rest = f", besides {isolated} isolated" if isolated else ""
    return f"Not isolated: every point with {' or with '.join(equations)} is stationary{rest}."


def classify(hessian: Array, n: int) -> Kind:
    """The kind of a stationary point, from the Hessian of f, whose first n variables minimise."""
    size = float(np.abs(hessian).max())
    xx, yy, xy = hessian[:n, :n], hessian[n:, n:], hessian[:n, n:]

    def lowest(matrix: Array) -> float:
        eigenvalue = float(np.linalg.eigvalsh(matrix).min())
        return 0.0 if abs(eigenvalue) <= SINGULAR * size else eigenvalue

    x_low, y_low = lowest(xx), lowest(-yy)
    if x_low > 0 and y_low > 0:
        return "strict Nash saddle"
    if x_low >= 0 and y_low >= 0:
        return "degenerate Nash candidate"
    if y_low > 0 and lowest(xx - xy @ np.linalg.solve(yy, xy.T)) > 0:
        return "strict minimax, not Nash"
    if lowest(-xx) > 0 and lowest(yy) > 0:
        return "reversed saddle"
    if lowest(hessian) > 0:
        return "local minimum"
    if lowest(-hessian) > 0:
        return "local maximum"
    regular = np.abs(np.linalg.eigvalsh(hessian)).min() > SINGULAR * size
    return "other saddle" if regular else "degenerate"


def _point(game: Game, z: Array, jacobian: NDArray[Any] | None = None, exact: Any = None) -> StationaryPoint:
    at = game.jacobian(z)
    hessian = at * players(game.n, game.m)[:, None] + 0.0  # no −0
    kind = classify(hessian, game.n)
    where = tuple(float(c) for c in z)
    return StationaryPoint(where, float(game.value(z)), hessian, kind, at if jacobian is None else jacobian, exact)


def _exact_point(game: ExpressionGame, solution: tuple[Any, Any]) -> StationaryPoint:
    from workings.studies.minimax import symbolic

    return _point(game, np.array(solution, dtype=np.float64), symbolic.jacobian(game.f, solution), solution)


def _of_quadratic(game: QuadraticGame) -> StationarySet:
    """J z = −F(0): one point where J is regular, else none or a whole affine subspace."""
    origin = np.zeros(game.n + game.m)
    jacobian, constant = game.jacobian(origin), game.field(origin)
    z, _, rank, _ = np.linalg.lstsq(jacobian, -constant)
    if np.abs(jacobian @ z + constant).max() > RESIDUAL * (1 + np.abs(constant).max()):
        return StationarySet((), (), True, "No stationary point: f is linear along a direction, without end.")
    point = _point(game, z + 0.0, game.exact_jacobian())
    free = len(origin) - int(rank)
    if not free:
        return StationarySet((point,), (), True, _note(1, []))
    equation = f"J (z − z₀) = 0 (dimension {free})"
    return StationarySet((), ((equation, point),), True, _note(0, [equation]))


def _search(game: ExpressionGame) -> StationarySet:
    """Newton's method from a grid of starts."""
    axis = np.linspace(-GRID_REACH, GRID_REACH, GRID_STARTS)
    found: list[Array] = []
    for start in np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2):
        z = _zero(game, start)
        if z is not None and not any(np.abs(z - other).max() <= SAME * (1 + np.abs(z).max()) for other in found):
            found.append(z)
    found.sort(key=lambda z: (float(np.round(z[0], 6)), float(z[1])))
    reach = f"a search from {GRID_STARTS}×{GRID_STARTS} starts on [−{GRID_REACH:g}, {GRID_REACH:g}]²"
    note = f"{len(found)} found by {reach}: there may be others."
    return StationarySet(tuple(_point(game, z) for z in found), (), False, note)


def _zero(game: ExpressionGame, start: Array) -> Array | None:
    """A zero of F from one start, polished by Newton's method; None where there is none to be had."""
    from scipy.optimize import fsolve

    with np.errstate(all="ignore"):
        z: Array = fsolve(game.field, start, fprime=game.jacobian, maxfev=EVALUATIONS, full_output=True)[0]
        for _ in range(3):
            jacobian, field = game.jacobian(z), game.field(z)
            if not (np.isfinite(jacobian).all() and np.isfinite(field).all()):
                return None
            z = z - np.linalg.lstsq(jacobian, field)[0]
        slope = np.abs(game.jacobian(z)).max()
        accepted = np.abs(game.field(z)).max() <= RESIDUAL * (1 + slope) and slope <= POLE
    return np.where(np.abs(z) < RESIDUAL, 0.0, z) if accepted and np.abs(z).max() <= 2 * GRID_REACH else None
