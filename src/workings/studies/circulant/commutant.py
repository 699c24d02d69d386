"""What commutes with a permutation: exactly, by counting cycles of index pairs; and by a null space, to check.

P moves entry j to π(j), so that P_{π(j), j} = 1. Then C P = P C says that

    C_{π(i), π(j)} = C_{ij}  for all i and j:

C is constant along each cycle of (i, j) → (π(i), π(j)), and free from one cycle to the next. The cycles' indicator
matrices are a basis with entries 0 and 1, and their number is the dimension. For the shift, π(i) = i + 1 mod n, the
cycles are the n wrapped diagonals, the powers I, S, …, Sⁿ⁻¹, which span the circulants. In general cycles of π of
lengths a and b meet in gcd(a, b) cycles of pairs.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

GAP = 1e-6
"""Singular values of the commutator map are |ζ − 1| for roots of unity ζ of order up to n²: 0, or above 2 sin(π/n²),
which is 0.02 for n = 16. Rounding leaves 1e-15 of the zeros; this lies between."""


def cycle_shift(n: int) -> tuple[int, ...]:
    """π of the shift S: each place i goes to i + 1, the last to 0."""
    return tuple((i + 1) % n for i in range(n))


def pair_cycles(permutation: Sequence[int]) -> Int[np.ndarray, "n n"]:
    """For each pair (i, j) the number of its cycle under (i, j) → (π(i), π(j)), counted from 0 in reading order.

    O(n² log n), with integers alone. ValueError where `permutation` does not hold each of 0 … n−1 once.
    """
    n = len(permutation)
    if n == 0 or sorted(permutation) != list(range(n)):
        raise ValueError(
            f"{list(permutation)} is no permutation of 0 … {n - 1}: write where each place goes, once each"
        )
    to = np.asarray(permutation, dtype=np.intp)
    ahead = (n * to[:, None] + to).ravel()
    least = np.arange(n * n)
    for _ in range(int(n * n).bit_length()):  # after r rounds: the least pair among the next 2^r of the cycle
        least = np.minimum(least, least[ahead])
        ahead = ahead[ahead]
    return np.asarray(np.unique(least, return_inverse=True)[1].reshape(n, n), dtype=np.int64)


def commutant_dimension(n: int, permutation: Sequence[int] | None = None) -> int:
    """The dimension of all n×n matrices that commute with the shift (or another permutation), exactly."""
    return int(pair_cycles(cycle_shift(n) if permutation is None else permutation).max()) + 1


def commutant_basis(n: int, permutation: Sequence[int] | None = None) -> Int[np.ndarray, "dim n n"]:
    """A basis of them, with entries 0 and 1. For the shift: I, S⁻¹, …, S, in order of the first row."""
    cycles = pair_cycles(cycle_shift(n) if permutation is None else permutation)
    return np.asarray(cycles == np.arange(cycles.max() + 1)[:, None, None], dtype=np.int64)


def matrix(permutation: Sequence[int]) -> Int[np.ndarray, "n n"]:
    """P, with P_{π(j), j} = 1."""
    found = np.zeros((len(permutation),) * 2, dtype=np.int64)
    found[list(permutation), np.arange(len(permutation))] = 1
    return found


def commutator(C: np.ndarray, P: np.ndarray) -> np.ndarray:
    """C P − P C; exact for integers and, where P is a permutation, for floats too, since P only moves entries."""
    return np.asarray(C @ P - P @ C)


def nullity(P: np.ndarray) -> int:
    """The dimension of {C : C P = P C} by singular values of the map vec C → vec(C P − P C); O(n⁶), for checking."""
    eye: Float[np.ndarray, "n n"] = np.eye(len(P))
    values = np.linalg.svd(np.kron(eye, P.T) - np.kron(P, eye), compute_uv=False)
    return int((values < GAP).sum())
