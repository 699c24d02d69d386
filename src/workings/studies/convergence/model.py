"""The subgradient method with averaging, and the ledger that bounds it (gatech-2024-ps2, question 3).

    w₁ = 0,   w_{t+1} = w_t − η v_t  with v_t ∈ ∂f(w_t),   w̄ = (w₁ + … + w_T)/T.

For convex f with slopes ‖v_t‖ ≤ ρ, and any comparator w* at distance B from the start,

    f(w̄) − f(w*)  ≤  (1/T) Σ f(w_t) − f(w*)  ≤  (1/T) Σ ⟨w_t − w*, v_t⟩  ≤  B²/(2ηT) + ηρ²/2,

the last of which is Bρ/√T for η = B/(ρ√T). `ledger` keeps both sides of the lemma behind the last step, in floats or,
on arrays of fractions, exactly. The functions are in `family.py` and `own.py`.

Left out on purpose: noise, projections, step sizes that change, momentum.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray

Array = NDArray[np.float64]


@runtime_checkable
class Objective(Protocol):
    """A convex function of `dim` variables, a point to compare with, and an oracle that answers one subgradient."""

    @property
    def rho(self) -> float:
        """A bound on the slopes that the oracle answers: a Lipschitz constant of f."""

    @property
    def comparator(self) -> Float[np.ndarray, " dim"]:
        """w*: a minimiser, where f has one."""

    def value(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch"]:
        """f(w)."""

    def subgradient(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim"]:
        """One element of ∂f(w)."""


class Path(NamedTuple):
    """Where the method went, w₁ to w_{T+1}, and the slopes that drove it, v₁ to v_T."""

    points: Shaped[np.ndarray, "steps+1 dim"]
    slopes: Shaped[np.ndarray, "steps dim"]


def descend(objective: Objective, eta: float, steps: int) -> Path:
    """T steps of size η from w₁ = 0."""
    points = np.zeros((steps + 1, len(objective.comparator)))
    slopes = np.zeros((steps, len(objective.comparator)))
    for t in range(steps):
        slopes[t] = objective.subgradient(points[t])
        points[t + 1] = points[t] - eta * slopes[t]
    return Path(points, slopes)


def follow(v: Shaped[np.ndarray, "steps dim"], eta: Any) -> Path:
    """The same steps driven by any vectors v_t, subgradients or not; exact on arrays of fractions."""
    return Path(np.concatenate([0 * v[:1], np.cumsum(-eta * v, axis=0)]), v)


@dataclass(frozen=True)
class Ledger:
    """What each step pays and earns: the terms of ½‖w_{t+1} − w*‖² = ½‖w_t − w*‖² − η⟨w_t − w*, v_t⟩ + ½η²‖v_t‖²."""

    eta: Any
    inner: Shaped[np.ndarray, " steps"]
    """⟨w_t − w*, v_t⟩."""
    squares: Shaped[np.ndarray, " steps"]
    """‖v_t‖²."""
    distances: Shaped[np.ndarray, "steps+1"]
    """‖w_t − w*‖², from ‖w*‖² on."""

    @property
    def left(self) -> Any:
        """Σ ⟨w_t − w*, v_t⟩, the lemma's left side."""
        return self.inner.sum()

    @property
    def right(self) -> Any:
        """‖w*‖²/(2η) + (η/2) Σ ‖v_t‖², its right side."""
        return self.distances[0] / (2 * self.eta) + self.eta * self.squares.sum() / 2

    @property
    def remainder(self) -> Any:
        """‖w_{T+1} − w*‖²/(2η), which the lemma drops."""
        return self.distances[-1] / (2 * self.eta)


def ledger(path: Path, comparator: Shaped[np.ndarray, " dim"], eta: Any) -> Ledger:
    """The terms along a path; whatever is exact in it stays exact."""
    apart = path.points - comparator
    return Ledger(eta, (apart[:-1] * path.slopes).sum(1), (path.slopes**2).sum(1), (apart**2).sum(1))


class Chain(NamedTuple):
    """The chain of inequalities from the gap to the bound: each is at most the next."""

    gap: float
    """f(w̄) − f(w*)."""
    mean_gap: float
    """(1/T) Σ f(w_t) − f(w*): Jensen."""
    linear: float
    """(1/T) Σ ⟨w_t − w*, v_t⟩: the affine lower bound."""
    bound: float
    """B²/(2ηT) + ηρ²/2: the lemma."""


def chain(objective: Objective, path: Path, eta: float, B: float) -> Chain:
    """The chain along a path of the method; ‖w*‖ ≤ B."""
    visited, best = path.points[:-1], float(objective.value(objective.comparator))
    return Chain(
        gap=float(objective.value(visited.mean(0))) - best,
        mean_gap=float(objective.value(visited).mean()) - best,
        linear=float(ledger(path, objective.comparator, eta).left) / len(visited),
        bound=guarantee(objective.rho, B, len(visited), eta),
    )


def best_step(rho: float, B: float, steps: int) -> float:
    """η = B/(ρ√T), which makes the guarantee least."""
    return B / (rho * math.sqrt(steps))


def guarantee(rho: float, B: float, steps: int, eta: float) -> float:
    """B²/(2ηT) + ηρ²/2: how far f(w̄) can be above f(w*) at most. With η = c·B/(ρ√T) it is (c + 1/c)/2 · Bρ/√T."""
    return B**2 / (2 * eta * steps) + eta * rho**2 / 2


def steps_needed(rho: float, B: float, accuracy: float) -> int:
    """The least T with Bρ/√T ≤ accuracy; the numbers count as the decimals that they print as."""
    exact = [Fraction(repr(float(number))) for number in (rho, B, accuracy)]
    return max(1, math.ceil((exact[0] * exact[1] / exact[2]) ** 2))


def exponent(steps: Sequence[int], gaps: Sequence[float]) -> float:
    """The slope of log gap over log T, by least squares; nan with fewer than two horizons, or a gap that is not > 0."""
    if len(set(steps)) < 2 or not all(gap > 0 for gap in gaps):
        return math.nan
    return float(np.polyfit(np.log(steps), np.log(gaps), 1)[0])


def affine_slack(
    objective: Objective, w: Float[np.ndarray, "*batch dim"], u: Float[np.ndarray, "*batch dim"]
) -> Float[np.ndarray, "*batch"]:
    """f(u) − f(w) − ⟨v, u − w⟩ with v ∈ ∂f(w): below 0 where the tangent at w lies above f at u.

    As a share of what rounding is relative to: the two values and ρ times the distance of w and u from 0.
    """
    above, at, tangent = objective.value(u), objective.value(w), (objective.subgradient(w) * (u - w)).sum(-1)
    reach = np.linalg.norm(w, axis=-1) + np.linalg.norm(u, axis=-1)
    size = np.abs(above) + np.abs(at) + objective.rho * reach
    return np.asarray((above - at - tangent) / np.where(size > 0, size, 1.0))
