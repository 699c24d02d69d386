"""How fast each method converges: the 2×2 companion matrix of each curvature, its roots, the best parameters.

Along an eigenvector of A with eigenvalue λ the update of `model` is a recurrence on (w(t), w(t−1)),

    M = [[T, −D], [1, 0]],   T = 1 + β − (1 + γ) ηλ,   D = β − γ ηλ,   z² − T z + D = 0,

and the method converges from every start if and only if each root z, of each λ, lies inside the unit circle.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from workings.studies.descent.model import Array, lookahead
from workings.studies.descent.study import Method


def companion(
    method: Method, eta: float, beta: float, curvatures: Float[np.ndarray, "*lambdas"]
) -> Float[np.ndarray, "*lambdas 2 2"]:
    """M for each curvature λ: (w(t+1), w(t)) = M (w(t), w(t−1))."""
    x, gamma = eta * np.asarray(curvatures, dtype=np.float64), lookahead(method, beta)
    matrix = np.zeros((*x.shape, 2, 2))
    matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 0] = 1 + beta - (1 + gamma) * x, gamma * x - beta, 1
    return matrix


def log_moduli(
    method: Method, eta: Float[np.ndarray, "*batch"] | float, beta: float, curvatures: Float[np.ndarray, "*batch"]
) -> Float[np.ndarray, "*batch"]:
    """log |z| of the larger root, by broadcasting η against the curvatures; −inf where both roots are 0.

    Worked in d = 1 − z, with d² − (1 − β + (1 + γ)x) d + x = 0 and x = ηλ: no digits are lost where z is close to 1,
    so that even condition numbers like 1e16 have a rate.
    """
    x, gamma = np.asarray(eta * curvatures, dtype=np.float64), lookahead(method, beta)
    total = 1 - beta + (1 + gamma) * x
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        root = np.sqrt(np.maximum(total**2 - 4 * x, 0))
        large = (total + root) / 2
        small = np.where(large > 0, x / large, 0)
        real = np.maximum(_log_distance_from_one(large), _log_distance_from_one(small))
        return np.where(total**2 < 4 * x, np.log1p(np.maximum(x - total, -1)) / 2, real)


def spectral_radius(
    method: Method, eta: Float[np.ndarray, "*batch"] | float, beta: float, curvatures: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, "*batch"]:
    """The largest |z| over all curvatures, for each η."""
    logs = log_moduli(method, np.asarray(eta, dtype=np.float64)[..., None], beta, curvatures)
    return np.asarray(np.exp(logs.max(-1)))


class Tuning(NamedTuple):
    """A method's best parameters for curvatures from μ to L, and the rate they bring."""

    eta: float
    beta: float
    gap: float
    """1 − rate: kept as such, since the rate of an ill-conditioned loss is 1 to all printed digits."""

    @property
    def rate(self) -> float:
        """By what the distance is multiplied at each step, in the long run."""
        return 1 - self.gap

    @property
    def log_rate(self) -> float:
        """Its logarithm, with the digits that the rate itself may have lost; −inf where one step is enough."""
        return math.log1p(-self.gap) if self.gap < 1 else -math.inf


def tuned(method: Method, curvatures: Float[np.ndarray, " dim"]) -> Tuning:
    """The best fixed parameters (Lessard, Recht & Packard 2016) for positive curvatures.

    The plain "nesterov" is the textbook's choice for any smooth, strongly convex function (Nesterov 2018, §2.2).
    """
    low, high = float(np.min(curvatures)), float(np.max(curvatures))
    kappa = high / low
    root, wide = kappa**0.5, (3 * kappa + 1) ** 0.5
    choices: dict[Method, Tuning] = {
        "gd": Tuning(2 / (low + high), 0.0, 2 / (kappa + 1)),
        "heavy-ball": Tuning(4 / (low**0.5 + high**0.5) ** 2, ((root - 1) / (root + 1)) ** 2, 2 / (root + 1)),
        "nesterov": Tuning(1 / high, (root - 1) / (root + 1), 1 / root),
        "nesterov-tuned": Tuning(4 / (3 * high + low), (wide - 2) / (wide + 2), 2 / wide),
    }
    return choices[method]


def threshold(method: Method, beta: Any, curvatures: Sequence[Any]) -> Any:
    """The method converges exactly for 0 < η < this, with 0 ≤ β < 1; fractions give a fraction.

    By Schur and Cohn |D| < 1 and |T| < 1 + D. With x = ηλ > 0 and y = 1 + β, that is x < 2y for heavy-ball and
    x < 2y/(y + β) for Nesterov's method; β = 0 gives 2 for both. The largest curvature decides.
    """
    gamma = beta if method.startswith("nesterov") else 0
    return 2 * (1 + beta) / ((1 + 2 * gamma) * max(curvatures))


def exactly(number: float) -> Fraction:
    """The decimal that a number prints as: 0.1 is 1/10, as it was typed."""
    return Fraction(repr(float(number)))


def _log_distance_from_one(d: Array) -> Array:
    """log |1 − d|."""
    return np.where(d < 0.5, np.log1p(-np.minimum(d, 0.5)), np.log(np.abs(1 - d)))
