"""Linear models that interpolate: among all weights that fit, those of least norm.

For a design A (n × p) of rank n there are many W with A W = Y when p > n. The one of least norm is W = Aᵀ(AAᵀ)⁻¹Y, in
the span of the rows of A; gradient descent on ‖AW − Y‖² started at zero never leaves that span, and ends there. Where
no W fits, `minimum_norm` gives the least-squares solution of least norm (A⁺Y).

The designs here are the pixels themselves with a constant, or p random ReLU features of them: max(Gx, 0), G Gaussian.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int


@dataclass(frozen=True)
class LeastNorm:
    """A⁺Y, and what it is like."""

    weights: Float[np.ndarray, "p k"]
    rank: int
    """Of the design: it interpolates whatever labels there are if this is n."""


def minimum_norm(design: Float[np.ndarray, "n p"], targets: Float[np.ndarray, "n k"]) -> LeastNorm:
    """A⁺Y by singular values, which stays accurate where AAᵀ would square the condition number.

    ValueError where a number is not finite.
    """
    rounding = max(design.shape) * np.finfo(np.float64).eps  # singular values below it, relative to the first, are none
    weights, _, rank, _ = scipy.linalg.lstsq(design, targets, cond=rounding, lapack_driver="gelsd")
    return LeastNorm(weights, int(rank))


def one_hot(labels: Int[np.ndarray, " n"], classes: int) -> Float[np.ndarray, "n classes"]:
    """1 for the class, 0 for others, less the mean 1/classes: no class is preferred where nothing is known."""
    return np.asarray(np.eye(classes)[labels] - 1 / classes)


def random_features(pixels: Float[np.ndarray, "n d"], directions: Float[np.ndarray, "d p"]) -> Float[np.ndarray, "n p"]:
    """max(xG, 0)·√(2/p): the mean square of a row's entries does not depend on p."""
    return np.asarray(np.maximum(pixels @ directions, 0) * np.sqrt(2 / directions.shape[1]))


def standardised(
    train: Float[np.ndarray, "n d"], test: Float[np.ndarray, "m d"]
) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "m d"]]:
    """Both less the training pictures' mean picture, over the spread of all pixels and √d: rows of length about 1."""
    mean = train.mean(0)
    scale = float((train - mean).std()) * np.sqrt(train.shape[1]) or 1.0
    return (train - mean) / scale, (test - mean) / scale


def with_constant(design: Float[np.ndarray, "n p"]) -> Float[np.ndarray, "n q"]:
    """A column of ones more. Without it the rows of centred pixels add up to zero, and n of them have rank n − 1."""
    return np.column_stack([design, np.ones(len(design))])


def descend(
    design: Float[np.ndarray, "n p"], targets: Float[np.ndarray, "n k"], start: Float[np.ndarray, "p k"], steps: int
) -> Float[np.ndarray, "p k"]:
    """Gradient descent on ½‖AW − Y‖² with the largest step size that cannot diverge, 1/σ₁²."""
    weights, rate = start.copy(), 1 / float(np.linalg.norm(design, 2)) ** 2
    for _ in range(steps):
        weights -= rate * (design.T @ (design @ weights - targets))
    return weights
