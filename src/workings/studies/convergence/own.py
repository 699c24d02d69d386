"""A person's own convex function: read, tried for convexity, and given a ρ and a comparator w*.

Convexity and ρ are tried at sampled points, not proved; a formula that fails is refused with the points where it does.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from workings.core.errors import UserError
from workings.expressions import Expression, ExpressionError, parse
from workings.studies.convergence.model import Array, Path, affine_slack, descend

MOST_VARIABLES = 8
"""More is a programme, not a formula; and the search for the minimiser is one of values alone."""
SAMPLES = 2_000
"""Points at which convexity and ρ are tried: some milliseconds."""
CONVEX = 1e-9
"""How far a chord may lie below f, or f below a tangent, as a share of the terms' size: rounding leaves 1e-15, and a
function that bends the other way by less than this is no different in any number shown."""
FAR = 1e6
"""A minimiser further out than this is taken for none: f falls for ever, as exp(-w) does."""
HALVINGS = 50
"""Of a segment: then its ends are next to each other in float64."""
NEARBY = 1e-6
"""A minimiser this near to the start counts as the start: a search by values ends no nearer than √(2⁻⁵²)."""
NEAR = 10.0
"""Radius in which a formula that falls for ever is tried for convexity, to give that reason first."""
STEEPEST = 1e6
"""A ρ beyond this, the largest that may be given, would leave steps too short to see."""
RETRIES = 8
"""How often ρ is raised to a slope met on the path: once is usual."""
STEEPER = 1e-9
"""How far a slope on the path may exceed ρ, as a share of it: rounding in the gradient."""
KINK = 1e-6
"""Half-width of the central difference that stands in where autograd divides 0 by 0."""


@dataclass(frozen=True)
class Formula:
    """f from a formula of one or several variables, with slopes by autograd."""

    f: Expression
    comparator: Float[np.ndarray, " dim"]
    rho: float

    def value(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch"]:
        """f(w)."""
        return value(self.f, w)

    def subgradient(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim"]:
        """A slope of f at w."""
        return slope(self.f, w)


def value(f: Expression, w: Array) -> Array:
    """f at points (last axis)."""
    return f.numpy()(*np.moveaxis(w, -1, 0))


def slope(f: Expression, w: Array) -> Array:
    """∇f at points (last axis), as torch's autograd chooses it at kinks; at the tip of a cone, where it has none, by
    central differences. `prepare` tries whether these are subgradients."""
    import torch

    variables = [torch.tensor(column, dtype=torch.float64, requires_grad=True) for column in np.moveaxis(w, -1, 0)]
    total = f.torch()(*variables).sum()
    found = torch.autograd.grad(total, variables, allow_unused=True, materialize_grads=True)
    gradient = np.stack([column.numpy() for column in found], axis=-1)
    if np.isfinite(gradient).all():
        return gradient
    shifts = KINK * np.eye(w.shape[-1])
    around = np.stack([(value(f, w + shift) - value(f, w - shift)) / (2 * KINK) for shift in shifts], axis=-1)
    return np.where(np.isfinite(gradient), gradient, around)


@lru_cache(maxsize=1)  # asked once by `validate` and once for every horizon
def prepare(text: str, B: float | None, rho: float | None, c: float, seed: int) -> Formula:
    """Read a formula and try it; a `UserError` says at which points it is no convex function."""
    f, rng = _read(text), np.random.default_rng(seed)
    comparator = _minimiser(f, B, rng)
    distance = float(np.linalg.norm(comparator)) if B is None else B
    if distance < NEARBY:
        raise UserError(f"f = {text} is least at the start, w = 0, itself: shift it, or say by --B how far w* might be")
    # ‖w_{t+1} − w*‖² ≤ ‖w_t − w*‖² + η²ρ² keeps the path this near to the start.
    points = _ball(distance * (1 + np.sqrt(1 + c**2)), len(f.variables), rng)
    points = np.vstack([points, 0 * comparator, comparator])
    _try_values(f, points)
    _try_chords(f, points, rng)
    steepest = float(np.linalg.norm(slope(f, points), axis=-1).max())
    if steepest == 0:
        raise UserError(f"f = {text} is flat about the start: there is nothing to descend")
    if rho is None and steepest > STEEPEST:
        raise UserError(
            f"f = {text} is as steep as {steepest:.3g} within reach of its minimiser, which is sought at ‖w‖ = "
            f"{distance:.3g}: give a smaller --B to compare within, or --rho"
        )
    formula = Formula(f, comparator, rho or steepest)
    _try_tangents(formula, points, rng)
    return formula


def follow_own(
    formula: Formula, step: Callable[[float], float], steps: int, fixed: bool
) -> tuple[Formula, Path, float]:
    """The path of a formula with η = step(ρ), and the formula with the ρ that it kept to.

    Where ρ was found by samples and not `fixed` by a person, a steeper slope met on the way becomes ρ, and the path
    begins anew. A `UserError` where a person's ρ is exceeded, or where a tangent along the path lies above f.
    """
    for _ in range(RETRIES):
        eta = step(formula.rho)
        path = descend(formula, eta, steps)
        lengths = np.linalg.norm(path.slopes, axis=-1)
        at = int(np.argmax(np.where(np.isfinite(lengths), lengths, np.inf)))
        if lengths[at] <= formula.rho * (1 + STEEPER):
            points = np.vstack([path.points, path.points[:1], formula.comparator])
            _try_tangents(formula, points, np.random.default_rng(0))
            return formula, path, eta
        if fixed or not np.isfinite(lengths[at]):
            break
        formula = replace(formula, rho=float(lengths[at]))
    raise UserError(
        f"at {_shown(formula.f, path.points[at])} the slope of f is {lengths[at]:.6g}, steeper than rho = "
        f"{formula.rho:.6g}: give a larger --rho"
    )


def _read(text: str) -> Expression:
    try:
        f = parse(text, owner="function")
    except ExpressionError as error:
        raise UserError(str(error)) from None
    if not 1 <= len(f.variables) <= MOST_VARIABLES:
        raise UserError(f"f = {text} has {len(f.variables)} variables: give it between one and {MOST_VARIABLES}")
    if not np.isfinite(value(f, np.zeros(len(f.variables)))):
        raise UserError(f"f = {text} has no value at w = 0, where the method starts: shift it")
    return f


def _minimiser(f: Expression, B: float | None, rng: np.random.Generator) -> Array:
    """The least f that a search by values finds, anywhere or at ‖w‖ ≤ B; any point is a valid comparator."""
    dimension, radius = len(f.variables), B or FAR

    def inside(w: Array) -> float:
        norm = float(np.linalg.norm(w))
        reached = float(value(f, w * min(1.0, radius / norm) if norm else w))
        return reached + max(0.0, norm - radius) if np.isfinite(reached) else np.inf

    best = np.zeros(dimension)
    for scale in (1.0, 1.0, 0.1, 0.01):  # restarts: a simplex that has shrunk too soon is opened again
        size = scale * (B or max(1.0, float(np.linalg.norm(best))))
        simplex = best + size * np.vstack([np.zeros(dimension), np.eye(dimension)]) * rng.uniform(0.5, 1)
        found = minimize(
            inside,
            best,
            method="Nelder-Mead",
            options={"xatol": 1e-12, "fatol": 1e-14, "maxiter": 400 * dimension, "initial_simplex": simplex},
        ).x
        if inside(found) <= inside(best):
            best = found * min(1.0, radius / (float(np.linalg.norm(found)) or 1.0))
    if B is None and np.linalg.norm(best) > FAR / 2:
        _try_chords(f, _ball(NEAR, dimension, rng), rng)
        raise UserError(
            f"f = {f.text} keeps falling far from 0 ({value(f, best):.6g} at ‖w‖ = {np.linalg.norm(best):.3g}): "
            "give --B, the radius within which to compare"
        )
    return _tidied(f, best, radius)


def _tidied(f: Expression, best: Array, radius: float) -> Array:
    """The nearest point to 0 on its ray that is as good, in as few digits as cost nothing: 3, and not 2.9999999999."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        good = value(f, middle * best) <= value(f, best)
        low, high = (low, middle) if good else (middle, high)
    best = high * best
    for digits in range(13):
        rounded = np.round(best, digits) + 0.0  # no −0
        if value(f, rounded) <= value(f, best) and np.linalg.norm(rounded) <= radius:
            return rounded
    return best


def _ball(radius: float, dimension: int, rng: np.random.Generator) -> Array:
    """Points of a ball, half of them on its surface, where a convex function is steepest."""
    directions = rng.normal(size=(SAMPLES, dimension))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    depth = np.where(np.arange(SAMPLES) % 2, rng.uniform(size=SAMPLES) ** (1 / dimension), 1.0)
    return np.asarray(radius * depth[:, None] * directions)


def _try_values(f: Expression, points: Array) -> None:
    lost = ~np.isfinite(value(f, points))
    if lost.any():
        raise UserError(
            f"f = {f.text} has no value at {_shown(f, points[lost.argmax()])}, which the steps may reach: "
            "give a smaller --B, or a formula with values there"
        )


def _try_chords(f: Expression, points: Array, rng: np.random.Generator) -> None:
    """A `UserError` with a witness where a chord's middle lies below f."""
    other = points[rng.permutation(len(points))]
    middle, chord = value(f, (points + other) / 2), (value(f, points) + value(f, other)) / 2
    excess = (middle - chord) / (np.abs(middle) + np.abs(chord) + np.finfo(float).tiny)
    worst = int(np.argmax(np.nan_to_num(excess, nan=-np.inf)))  # a missing value is `_try_values`' to tell
    if excess[worst] > CONVEX:
        raise UserError(
            f"f = {f.text} is not convex: at {_shown(f, points[worst])} and {_shown(f, other[worst])} its mean is "
            f"{chord[worst]:.6g}, and half-way between them it is {middle[worst]:.6g}, which is more"
        )


def _try_tangents(formula: Formula, points: Array, rng: np.random.Generator) -> None:
    """A `UserError` with a witness where a tangent lies above f; the last two points are the start and the comparator.

    The tangent at each point is tried at these two and at some other point, and theirs at all points.
    """
    shuffled, ends = points[rng.permutation(len(points))], [np.broadcast_to(end, points.shape) for end in points[-2:]]
    for base, other in ((points, shuffled), *((points, end) for end in ends), *((end, points) for end in ends)):
        slack = affine_slack(formula, base, other)
        worst = int(np.argmin(np.nan_to_num(slack, nan=-np.inf)))
        if not slack[worst] >= -CONVEX:
            raise UserError(
                f"f = {formula.f.text} has no subgradient by autograd at {_shown(formula.f, base[worst])}: the tangent "
                f"there lies above f at {_shown(formula.f, other[worst])}; write f as a sum or maximum of convex pieces"
            )


def _shown(f: Expression, w: Array) -> str:
    return ", ".join(f"{name} = {coordinate:.6g}" for name, coordinate in zip(f.variables, w, strict=True))
