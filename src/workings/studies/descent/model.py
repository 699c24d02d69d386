"""A quadratic loss and the methods that descend on it (nyu-2023-hw, problem 1):

    L(w) = ½ wᵀA w,   ∇L(w) = A w,   A symmetric positive definite: the minimiser is 0, and so is the minimum.

One update serves every method, with step size η, momentum β, and γ that says how far ahead the gradient is taken:

    w(t+1) = w(t) + β Δ − η ∇L(w(t) + γ Δ),   Δ = w(t) − w(t−1)

Gradient descent has β = γ = 0, heavy-ball (Polyak 1964) γ = 0, Nesterov's method (1983) γ = β. How fast each converges
is worked out in `spectrum.py`. Left out on purpose: noise, step sizes that change, linear terms (they move the
minimiser and nothing else).
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from workings.studies.descent.study import Method

Array = NDArray[np.float64]
Curvature = Literal["positive definite", "flat somewhere", "falls somewhere"]


class Quadratic:
    """L(w) = ½ wᵀA w. Raises ValueError where A is not square, symmetric and finite; any sign of curvature will do."""

    def __init__(self, A: Sequence[Sequence[float]] | Array) -> None:
        self.A: Array = np.asarray(A, dtype=np.float64)
        if self.A.ndim != 2 or self.A.size == 0 or self.A.shape[0] != self.A.shape[1]:
            raise ValueError(f"the matrix has shape {self.A.shape}: it must be square, n rows of n numbers")
        if not np.isfinite(self.A).all():
            raise ValueError(f"the matrix {self.A.tolist()} must be finite in every entry")
        lopsided = np.argwhere(self.A != self.A.T)
        if len(lopsided):
            i, j = lopsided[0]
            raise ValueError(
                f"the matrix is not symmetric: entry ({i + 1}, {j + 1}) is {self.A[i, j]:g} and ({j + 1}, {i + 1}) is "
                f"{self.A[j, i]:g}; give (A + Aᵀ)/2, which is the same loss"
            )

    @property
    def n(self) -> int:
        """How many weights there are."""
        return len(self.A)

    @cached_property
    def curvature(self) -> Curvature:
        """Whether A is positive definite, merely semi-definite, or falls along some direction; decided exactly."""
        return curvature([[Fraction(repr(float(entry))) for entry in row] for row in self.A])

    @cached_property
    def diagonal(self) -> bool:
        """Whether the coordinates do not mix, so that the curvatures stand on the diagonal, exactly."""
        return not (self.A - np.diag(np.diag(self.A))).any()

    @cached_property
    def curvatures(self) -> Float[np.ndarray, " dim"]:
        """The eigenvalues of A: in the order of the coordinates where A is diagonal, else ascending."""
        return np.diag(self.A).copy() if self.diagonal else np.linalg.eigvalsh(self.A)

    def value(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch"]:
        """L(w)."""
        return np.asarray((w @ self.A * w).sum(-1) / 2)

    def gradient(self, w: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim"]:
        """∇L(w) = A w."""
        return np.asarray(w @ self.A)


def curvature(A: list[list[Fraction]]) -> Curvature:
    """The sign of a symmetric matrix of fractions, by elimination (Lagrange's reduction to squares): exact.

    Each pivot is the curvature along one more direction. A pivot of 0 is a flat direction if nothing else is left in
    its row; otherwise L falls along some mixture of the two.
    """
    A, found = [row[:] for row in A], "positive definite"
    for k, row in enumerate(A):
        pivot, rest = row[k], range(k + 1, len(A))
        if pivot < 0 or (pivot == 0 and any(row[j] for j in rest)):
            return "falls somewhere"
        if pivot == 0:
            found = "flat somewhere"
            continue
        for i in rest:
            share = A[i][k] / pivot
            if share:
                A[i] = [entry - share * other for entry, other in zip(A[i], row, strict=True)]
    return found  # type: ignore[return-value]


def lookahead(method: Method, beta: float) -> float:
    """γ: how far ahead of w, in units of its last move, the gradient is taken."""
    return beta if method.startswith("nesterov") else 0.0


def simulate(
    loss: Quadratic, method: Method, eta: float, beta: float, start: Float[np.ndarray, "*batch dim"], steps: int
) -> Float[np.ndarray, "{steps}+1 *batch dim"]:
    """The points from `start` on, by time on the first axis; the start counts as its own past.

    Divergence shows in the result, without a warning, as arithmetic gives it: inf, then nan.
    """
    path, gamma = np.empty((steps + 1, *start.shape)), lookahead(method, beta)
    path[0] = start
    with np.errstate(all="ignore"):
        for t in range(steps):
            path[t + 1] = _step(loss.A, eta, beta, gamma, path[t], path[max(t - 1, 0)])
    return path


def distances(
    loss: Quadratic, method: Method, eta: float, beta: float, start: Float[np.ndarray, " dim"], longest: int
) -> Float[np.ndarray, " times"]:
    """‖w(t)‖ from t = 0 on, for `longest` steps or until it has changed enough to read a rate off it.

    Enough is the factor `FAR` either way, and `FARTHEST` within the first `FEW` steps.
    """
    w, before, gamma = start, start, lookahead(method, beta)
    found = [float(np.linalg.norm(start))]
    with np.errstate(all="ignore"):
        for t in range(longest):
            w, before = _step(loss.A, eta, beta, gamma, w, before), w
            found.append(math.sqrt(float(w @ w)))
            enough = FAR if t >= FEW else FARTHEST
            if not found[0] / enough < found[-1] < found[0] * enough:
                break
    return np.array(found)


FAR, FARTHEST = 1e12, 1e40
"""Decades enough to measure a rate over; the latter, squared, from whatever start, stays within float64."""
FEW = 400
"""Steps too few to part a rate from the swing of complex roots."""


def _step(A: Array, eta: float, beta: float, gamma: float, w: Array, before: Array) -> Array:
    """Where w goes next; `before` is where it was one step ago."""
    if beta == 0:
        return w - eta * (w @ A)
    moved = w - before
    return w + beta * moved - eta * ((w + gamma * moved) @ A)
