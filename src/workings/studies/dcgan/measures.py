"""How good drawn pictures are, from features of real and drawn ones: pure functions of two clouds of points.

    Fréchet distance    ‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½)          Dowson & Landau 1982; Heusel and others 2017
    precision           share of drawn pictures within the real manifold   Kynkäänniemi and others 2019
    recall              share of real pictures within the drawn manifold

The manifold of a cloud is the union of balls about its points, each reaching to the point's k-th nearest neighbour. The
Fréchet distance falls with the number of points, so it is only compared at equal numbers. Which features is left to the
caller: here those of our own classifier, so no figure compares with published ones, which come from Inception.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

NEIGHBOURS = 3
"""k, as in Kynkäänniemi and others."""
BLOCK = 500
"""Rows of a matrix of distances held at a time: bounds the memory."""


def frechet(first: Float[np.ndarray, "one dim"], second: Float[np.ndarray, "other dim"]) -> float:
    """Squared Fréchet distance of the normal distributions with the clouds' means and covariances, in float64.

    Tr (Σ₁Σ₂)^½ is the sum of the singular values of A B, with A and B the symmetric roots of Σ₁ and Σ₂: it is real and
    needs no root of a matrix that is not symmetric.
    """
    a, b = first.astype(np.float64), second.astype(np.float64)
    one, other = np.atleast_2d(np.cov(a, rowvar=False)), np.atleast_2d(np.cov(b, rowvar=False))
    shared = np.linalg.svd(_root(one) @ _root(other), compute_uv=False).sum()
    gap = a.mean(0) - b.mean(0)
    return float(max(gap @ gap + np.trace(one) + np.trace(other) - 2 * shared, 0.0))


def precision_recall(
    real: Float[Tensor, "real dim"], drawn: Float[Tensor, "drawn dim"], k: int = NEIGHBOURS
) -> tuple[float, float]:
    """Precision and recall, both in [0, 1]; each cloud must have more than k points."""
    precision = within(drawn, real, reach(real, k)).double().mean()
    recall = within(real, drawn, reach(drawn, k)).double().mean()
    return float(precision), float(recall)


def reach(points: Float[Tensor, "points dim"], k: int) -> Float[Tensor, " points"]:
    """Distance from each point to its k-th nearest other one."""
    blocks = [_distances(block, points).kthvalue(k + 1, dim=1).values for block in points.split(BLOCK)]
    return torch.cat(blocks)


def within(
    points: Float[Tensor, "asked dim"], centres: Float[Tensor, "centres dim"], radii: Float[Tensor, " centres"]
) -> Bool[Tensor, " asked"]:
    """Whether each point lies in any of the balls."""
    return torch.cat([(_distances(block, centres) <= radii).any(1) for block in points.split(BLOCK)])


def nearest(
    points: Float[Tensor, "asked dim"], among: Float[Tensor, "others dim"]
) -> tuple[Float[Tensor, " asked"], Int[Tensor, " asked"]]:
    """Euclidean distance to the nearest of the others, and which one it is."""
    found = [_distances(block, among, exact=False).min(1) for block in points.split(BLOCK)]
    index = torch.cat([block.indices for block in found])
    return (points - among[index]).norm(dim=1), index


def _distances(
    some: Float[Tensor, "some dim"], others: Float[Tensor, "others dim"], *, exact: bool = True
) -> Float[Tensor, "some others"]:
    """Euclidean distances. The exact way gives a point distance 0 to itself, the quick one, by products, may not."""
    return torch.cdist(some, others, compute_mode=f"{'donot_' if exact else ''}use_mm_for_euclid_dist")


def _root(covariance: Float[np.ndarray, "dim dim"]) -> Float[np.ndarray, "dim dim"]:
    """The symmetric square root of a positive semi-definite matrix; rounding below zero is cut off."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(values.clip(min=0))) @ vectors.T)
