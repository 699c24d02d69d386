"""The modern Hopfield network (Ramsauer et al. 2021; ist-2025-hw2, question 1): a memory that settles on its patterns.

Rows x₁ … x_N of X are stored patterns, q is the state, p = softmax(βXq) the weights, M the largest pattern norm:

    E(q) = −lse(β, Xq) + ½qᵀq + β⁻¹ log N + ½M²,    lse(β, z) = β⁻¹ log Σ exp(β zᵢ)           (the sheet)
    E = E₁ + E₂,  E₁ = ½qᵀq + β⁻¹ log N + ½M²,  E₂ = −lse(β, Xq)                              (1.1)
    ∇E₁ = q,  ∇²E₁ = I,  ∇E₂ = −Xᵀp,  ∇²E₂ = −β Xᵀ(diag p − ppᵀ)X                             (1.1)
    q ← Xᵀ softmax(βXq)                                                                       (1.2)

Functions keep the type and the device of their tensors, and are differentiable. What overflows there comes out as inf
or nan; `AssociativeMemory` refuses it. Left out on purpose: learned projections, several heads, layers around it.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

BLOCK = 20_000_000
"""Scores held in memory at a time by the memory: 80 MB in float32."""
SETTLED = 1e-5
"""A state has settled when a step moves it by less than this part of M: a hundred roundings of float32."""


def lse(beta: float, z: Float[Tensor, "*batch patterns"]) -> Float[Tensor, "*batch"]:
    """β⁻¹ log Σ exp(β zᵢ), a smooth maximum over the last axis."""
    return torch.logsumexp(beta * z, -1) / beta


def weights(
    X: Float[Tensor, "patterns dim"], q: Float[Tensor, "*batch dim"], beta: float
) -> Float[Tensor, "*batch patterns"]:
    """p = softmax(βXq): how much each pattern has a say."""
    return torch.softmax(beta * (q @ X.T), -1)


def update(
    X: Float[Tensor, "patterns dim"], q: Float[Tensor, "*batch dim"], beta: float
) -> Float[Tensor, "*batch dim"]:
    """One step of the concave-convex procedure: q ← Xᵀ softmax(βXq)."""
    return weights(X, q, beta) @ X


def energy(X: Float[Tensor, "patterns dim"], q: Float[Tensor, "*batch dim"], beta: float) -> Float[Tensor, "*batch"]:
    """E(q) ≥ 0, exact to rounding of ½‖q‖² + ½M² for every β, also where β⁻¹ log N drowns everything else."""
    return _kinetic(q) + _kinetic(X).max() - _log_mean_exp(beta, q @ X.T)


def convex_part(
    X: Float[Tensor, "patterns dim"], q: Float[Tensor, "*batch dim"], beta: float
) -> Float[Tensor, "*batch"]:
    """E₁(q) = ½qᵀq + β⁻¹ log N + ½M²."""
    return _kinetic(q) + math.log(len(X)) / beta + _kinetic(X).max()


def concave_part(
    X: Float[Tensor, "patterns dim"], q: Float[Tensor, "*batch dim"], beta: float
) -> Float[Tensor, "*batch"]:
    """E₂(q) = −lse(β, Xq)."""
    return -lse(beta, q @ X.T)


def gradient(
    X: Float[Tensor, "patterns dim"], q: Float[Tensor, "*batch dim"], beta: float
) -> Float[Tensor, "*batch dim"]:
    """∇E = ∇E₁ + ∇E₂ = q − Xᵀp: a step of the update is a step of gradient descent of size one."""
    return q - update(X, q, beta)


def convex_hessian(q: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim dim"]:
    """∇²E₁ = I, wherever q is."""
    return torch.eye(q.shape[-1], dtype=q.dtype, device=q.device).expand(*q.shape, q.shape[-1])


def concave_hessian(
    X: Float[Tensor, "patterns dim"], q: Float[Tensor, "*batch dim"], beta: float
) -> Float[Tensor, "*batch dim dim"]:
    """∇²E₂ = −β Xᵀ(diag p − ppᵀ)X = −β Σ pᵢ (xᵢ − x̄)(xᵢ − x̄)ᵀ with x̄ = Xᵀp: minus β times a covariance.

    Computed in the second form, which is symmetric and has no cancellation.
    """
    p = weights(X, q, beta)
    centred = X - (p @ X).unsqueeze(-2)
    covariance: Tensor = (centred.mT * p.unsqueeze(-2)) @ centred
    return -beta * covariance


def hessian(
    X: Float[Tensor, "patterns dim"], q: Float[Tensor, "*batch dim"], beta: float
) -> Float[Tensor, "*batch dim dim"]:
    """∇²E = I − β Xᵀ(diag p − ppᵀ)X."""
    return convex_hessian(q) + concave_hessian(X, q, beta)


def effective_patterns(p: Float[Tensor, "*batch patterns"]) -> Float[Tensor, "*batch"]:
    """exp of the weights' entropy: 1 where one pattern has all the say, N where all have the same."""
    entropy: Tensor = torch.special.entr(p).sum(-1)
    return entropy.exp()


class Retrieval(NamedTuple):
    """Where queries have settled, or were when their steps ran out."""

    state: Float[Tensor, "*batch dim"]
    energy: Float[Tensor, "steps *batch"]
    """By step, the start first; a state that has settled keeps its energy."""
    settled: Tensor
    """Whether the last step moved it by less than the tolerance, for each query."""


def retrieve(
    X: Float[Tensor, "patterns dim"],
    q: Float[Tensor, "*batch dim"],
    beta: float,
    steps: int = 100,
    tolerance: float = SETTLED,
) -> Retrieval:
    """Repeat the update until a step moves no state by more than `tolerance` · M, or for `steps` steps.

    A state that has settled stays as it is: the others alone are computed further.
    """
    state, half_m2 = q.reshape(-1, X.shape[1]).clone(), _kinetic(X).max()
    small = tolerance * (2 * half_m2).sqrt()
    moving, similar = torch.arange(len(state), device=q.device), state @ X.T
    energies = [_kinetic(state) + half_m2 - _log_mean_exp(beta, similar)]
    for _ in range(steps):
        if not len(moving):
            break
        moved = torch.softmax(beta * similar, -1) @ X
        still = (moved - state[moving]).norm(dim=-1) > small
        state[moving], similar, latest = moved, moved @ X.T, energies[-1].clone()
        latest[moving] = _kinetic(moved) + half_m2 - _log_mean_exp(beta, similar)
        energies.append(latest)
        moving, similar = moving[still], similar[still]
    settled = torch.ones(len(state), dtype=torch.bool, device=q.device)
    settled[moving] = False
    batch = q.shape[:-1]
    return Retrieval(
        state.reshape(q.shape), torch.stack(energies).reshape(len(energies), *batch), settled.reshape(batch)
    )


class AssociativeMemory:
    """Patterns that can be called back from a part, or from a noisy copy.

        memory = AssociativeMemory(pictures, beta=8.0)
        memory = memory.store(more)
        restored = memory.retrieve(damaged).state

    `beta` is in units of 1/similarity. Raises ValueError where there is no pattern, where lengths differ, where
    something is not finite, or where β times a similarity would leave the range of the patterns' type.
    """

    def __init__(self, patterns: Float[Tensor, "patterns dim"], beta: float) -> None:
        if patterns.ndim != 2 or not patterns.numel():
            raise ValueError(f"patterns have shape {list(patterns.shape)}: give [patterns, dim], at least one of each")
        if not bool(torch.isfinite(patterns).all()):
            raise ValueError("a pattern holds nan or inf: give finite numbers")
        if not 0 < beta < math.inf:
            raise ValueError(f"beta is {beta}: give a positive number")
        self.patterns, self.beta = patterns, float(beta)
        self._in_range(patterns)

    def __len__(self) -> int:
        return len(self.patterns)

    def store(self, patterns: Float[Tensor, "more dim"]) -> "AssociativeMemory":
        """A memory that holds these patterns too."""
        self._fits(patterns)
        return AssociativeMemory(torch.cat([self.patterns, patterns.to(self.patterns)]), self.beta)

    def weights(self, queries: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch patterns"]:
        """How much each pattern has a say at these states."""
        return weights(self.patterns, self._checked(queries), self.beta)

    def energy(self, queries: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch"]:
        """E at these states."""
        return energy(self.patterns, self._checked(queries), self.beta)

    def nearest(self, queries: Float[Tensor, "*batch dim"]) -> Int[Tensor, "*batch"]:
        """The number of the pattern with the largest weight."""
        return (self._checked(queries) @ self.patterns.T).argmax(-1)

    def retrieve(self, queries: Float[Tensor, "*batch dim"], steps: int = 100, tolerance: float = SETTLED) -> Retrieval:
        """Let queries settle, in blocks that fit into memory; energies are padded with their last value."""
        flat = self._checked(queries).reshape(-1, queries.shape[-1])
        blocks = flat.split(max(1, BLOCK // len(self)))
        found = [retrieve(self.patterns, block, self.beta, steps, tolerance) for block in blocks]
        longest = max(len(one.energy) for one in found)
        energies = [torch.cat([e, e[-1:].expand(longest - len(e), -1)]) for e in (one.energy for one in found)]
        batch = queries.shape[:-1]
        return Retrieval(
            torch.cat([one.state for one in found]).reshape(queries.shape),
            torch.cat(energies, dim=1).reshape(longest, *batch),
            torch.cat([one.settled for one in found]).reshape(batch),
        )

    def _checked(self, queries: Tensor) -> Tensor:
        """Queries in the patterns' type, on their device."""
        self._fits(queries)
        queries = queries.to(self.patterns)
        if not bool(torch.isfinite(queries).all()):
            raise ValueError("a query holds nan or inf: give finite numbers")
        self._in_range(queries)
        return queries

    def _fits(self, vectors: Tensor) -> None:
        if vectors.shape[-1:] != self.patterns.shape[-1:]:
            raise ValueError(
                f"vectors of shape {list(vectors.shape)} do not fit patterns of {self.patterns.shape[-1]} numbers"
            )

    def _in_range(self, vectors: Tensor) -> None:
        """A similarity is at most the product of two norms; the energy needs its squares as well."""
        if not vectors.numel():
            return
        largest = max(float(vectors.double().norm(dim=-1).max()), float(self.patterns.double().norm(dim=-1).max()))
        limit = torch.finfo(self.patterns.dtype).max / 8
        if not max(1.0, self.beta) * largest**2 < limit:
            raise ValueError(
                f"beta {self.beta:g} times a norm of {largest:.3g} squared leaves the range of "
                f"{self.patterns.dtype}: scale the patterns down"
            )


def _kinetic(q: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch"]:
    """½qᵀq."""
    return (q * q).sum(-1) / 2


def _log_mean_exp(beta: float, z: Float[Tensor, "*batch patterns"]) -> Float[Tensor, "*batch"]:
    """lse(β, z) − β⁻¹ log N, to rounding for small β too; for large β the error is N roundings of β⁻¹ at most."""
    top = z.amax(-1, keepdim=True)
    return top.squeeze(-1) + torch.log1p(torch.expm1(beta * (z - top)).mean(-1)) / beta
