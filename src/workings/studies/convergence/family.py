"""The family of convex Lipschitz functions: values, one subgradient each, ρ, and a minimiser at distance B.

Where several pieces are the largest, any mixture of their slopes is a subgradient, and the oracle has to choose
(`ties`): the first piece's, the mean, the last piece's. For `absolute` and `worst` the first is the one that resists.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.special import expit

from workings.studies.convergence.model import Array, Objective
from workings.studies.convergence.study import Function, Ties

ACTIVE = 1e-12
"""Pieces this near to the largest, relative to the terms they are summed from, count as equal: a path of a thousand
float64 steps is off by about 1000 · 2⁻⁵³. The slope of such a piece is a subgradient up to the same rounding."""
PIECES, SAMPLES = 20, 20
"""How many affine pieces, and how many data points, a drawn function has."""
USUAL_DIMENSION = 5


def build(function: Function, steps: int, dimension: int | None, B: float, ties: Ties, seed: int) -> Objective:
    """A function of the family; `steps` is the horizon, which `worst` depends on."""
    if function == "absolute":
        return MaxAffine(np.array([[1.0], [-1.0]]), np.array([-B, B]), np.array([B]), ties)
    if function == "worst":
        return Worst(steps, B, ties)
    rng = np.random.default_rng(seed)
    dimension = dimension or USUAL_DIMENSION
    target = B * _unit(rng.normal(size=dimension))
    if function == "norm":
        return Norm(target, ties)
    if function == "affine":
        slopes = _around_zero(rng, dimension)
        return MaxAffine(slopes, -slopes @ target, target, ties)
    along, across = 1 + np.abs(rng.normal(size=(SAMPLES, 1))), rng.normal(size=(SAMPLES, dimension))
    across -= np.outer(across @ target, target) / B**2
    signed = (along * target / B + across) / B  # ⟨signed, target⟩ = along ≥ 1: the target parts the data with margin 1
    return Hinge(signed, target, ties) if function == "hinge" else Logistic(signed, target)


@dataclass(frozen=True)
class MaxAffine:
    """f(w) = max_i ⟨a_i, w⟩ + b_i, ρ = max_i ‖a_i‖; a minimiser is where pieces meet whose slopes surround zero."""

    slopes: Float[np.ndarray, "pieces dim"]
    offsets: Float[np.ndarray, " pieces"]
    comparator: Float[np.ndarray, " dim"]
    ties: Ties

    @property
    def rho(self) -> float:
        """The steepest piece's slope."""
        return float(np.linalg.norm(self.slopes, axis=1).max())

    def value(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch"]:
        """f(w)."""
        return np.asarray((w @ self.slopes.T + self.offsets).max(-1))

    def subgradient(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim"]:
        """The slope of a piece that is the largest at w."""
        size = np.abs(w) @ np.abs(self.slopes.T) + np.abs(self.offsets)
        chosen: Array = choose(w @ self.slopes.T + self.offsets, size.max(-1, keepdims=True), self.ties) @ self.slopes
        return chosen


@dataclass(frozen=True)
class Worst:
    """f(w) = max(max_i w_i, ‖w‖ − B(1 + 1/√T)) in T dimensions, ρ = 1: the bound is attained (Drori & Teboulle 2016).

    The minimiser is −(B/√T)(1, …, 1), with f* = −B/√T. An oracle that answers a new axis at each step keeps one
    coordinate of every iterate at 0, so that no average of them falls below 0.
    """

    steps: int
    B: float
    ties: Ties
    rho: float = 1.0

    @property
    def comparator(self) -> Float[np.ndarray, " dim"]:
        """−(B/√T)(1, …, 1)."""
        return np.full(self.steps, -self.B / np.sqrt(self.steps))

    def value(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch"]:
        """f(w)."""
        return np.asarray(np.maximum(w.max(-1), self._cone(w)))

    def subgradient(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim"]:
        """An axis along which w is largest, unless the cone is higher."""
        axis = choose(w, np.abs(w).max(-1, keepdims=True), self.ties)
        norm = np.linalg.norm(w, axis=-1, keepdims=True)
        outside = (self._cone(w) > w.max(-1))[..., None]
        return np.asarray(np.where(outside, w / np.where(norm > 0, norm, 1.0), axis))

    def _cone(self, w: Array) -> Array:
        return np.asarray(np.linalg.norm(w, axis=-1) - self.B * (1 + 1 / np.sqrt(self.steps)))


@dataclass(frozen=True)
class Norm:
    """f(w) = ‖w − w*‖, ρ = 1. At w* itself the oracle answers w*/‖w*‖ (first), 0 (mean) or −w*/‖w*‖ (last)."""

    comparator: Float[np.ndarray, " dim"]
    ties: Ties
    rho: float = 1.0

    def value(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch"]:
        """f(w)."""
        return np.asarray(np.linalg.norm(w - self.comparator, axis=-1))

    def subgradient(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim"]:
        """The direction away from w*."""
        apart, reach = w - self.comparator, float(np.linalg.norm(self.comparator))
        distance = np.linalg.norm(apart, axis=-1, keepdims=True)
        there = distance <= ACTIVE * reach
        at = {"first": 1, "mean": 0, "last": -1}[self.ties] * self.comparator / reach
        return np.asarray(np.where(there, at, apart / np.where(there, 1.0, distance)))


@dataclass(frozen=True)
class Hinge:
    """f(w) = mean_i max(0, 1 − ⟨z_i, w⟩) with z_i = y_i x_i; ρ = mean ‖z_i‖. At a kink: −z_i, −z_i/2 or 0."""

    signed: Float[np.ndarray, "samples dim"]
    comparator: Float[np.ndarray, " dim"]
    ties: Ties

    @property
    def rho(self) -> float:
        """A bound: no slope is longer than the data's mean length."""
        return float(np.linalg.norm(self.signed, axis=1).mean())

    def value(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch"]:
        """f(w); 0 where every margin is at least 1."""
        return np.asarray(np.maximum(0, 1 - w @ self.signed.T).mean(-1))

    def subgradient(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim"]:
        """The mean of −z_i over the points inside the margin."""
        short = 1 - w @ self.signed.T
        at = {"first": 1.0, "mean": 0.5, "last": 0.0}[self.ties]
        weight = np.where(np.abs(short) <= ACTIVE, at, short > 0)
        return np.asarray(-(weight @ self.signed) / len(self.signed))


@dataclass(frozen=True)
class Logistic:
    """f(w) = mean_i log(1 + exp(−⟨z_i, w⟩)); ρ = mean ‖z_i‖. A line parts the data, so f has no minimiser: f falls
    towards 0 for ever, and `comparator` is a direction that parts them, at distance B."""

    signed: Float[np.ndarray, "samples dim"]
    comparator: Float[np.ndarray, " dim"]

    @property
    def rho(self) -> float:
        """A bound: the logistic slope is below 1."""
        return float(np.linalg.norm(self.signed, axis=1).mean())

    def value(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch"]:
        """f(w)."""
        return np.asarray(np.logaddexp(0, -w @ self.signed.T).mean(-1))

    def subgradient(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim"]:
        """∇f(w)."""
        return np.asarray(-(expit(-w @ self.signed.T) @ self.signed) / len(self.signed))


def choose(pieces: Array, size: Array, ties: Ties) -> Array:
    """Weights over the pieces (last axis): those within rounding of the largest share 1 as `ties` says."""
    active = pieces >= pieces.max(-1, keepdims=True) - ACTIVE * size
    if ties == "mean":
        return np.asarray(active / active.sum(-1, keepdims=True))
    count = pieces.shape[-1]
    index = active.argmax(-1) if ties == "first" else count - 1 - active[..., ::-1].argmax(-1)
    return np.asarray(np.arange(count) == index[..., None], dtype=np.float64)


def _around_zero(rng: np.random.Generator, dimension: int) -> Array:
    """Slopes of length at most 1, the last such that a mixture of all is 0: then their meeting point is a minimum."""
    slopes = np.stack([_unit(slope) for slope in rng.normal(size=(PIECES - 1, dimension))])
    return np.vstack([slopes, -slopes.mean(0)])


def _unit(vector: NDArray[np.float64]) -> Array:
    return np.asarray(vector / np.linalg.norm(vector))
