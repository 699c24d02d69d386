"""The linear iteration near a stationary point: its matrix, its spectral radius, and the step sizes that converge.

Near a stationary point F(z) ≈ J z (z counted from it), and each method is a linear map z ← M(η) z, a polynomial in η:

    gda            M = I − ηJ
    alternating    M = I − ηJ + η²LJ          L = [[0, 0], [J_yx, 0]]: y sees the new x
    descent        M = I − ηPJ                P = diag(+1 … −1 …): PJ is the Hessian of f
    extragradient  M = I − ηJ + η²J²
    optimistic     M = [[I − 2ηJ, ηJ], [I, 0]]   on the pair (z now, z before)

For a quadratic game this is the method itself, and "converges" below means from every start; for any other it means
from every start near enough to the point. `jacobian` is exact where its entries are integers, fractions or sympy
rationals (dtype int or object); an array of floats is taken to be approximate, and its answers are bracketed.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from workings.studies.minimax.model import Array, players
from workings.studies.minimax.steps import Interval, StepSet
from workings.studies.minimax.study import Method

Matrix = NDArray[Any]

EXACT_SIZE = 8
"""The largest (rows of M) · (degree of M in η) that goes to algebra: up to three seconds there, twenty at 12."""
GRID = 2_000
"""Step sizes scanned, where the answer is bracketed: half of them evenly spaced, half by equal ratios down to 1e-9."""
TOLERANCE = 1e-10
"""Half the width of a bracket, relative to the largest step size scanned: ten digits of a float64's sixteen, since a
double eigenvalue moves by the root of rounding."""
ROUNDING = 1e-12
"""How near to 1 a spectral radius is taken for 1: some thousand roundings of float64."""


def update_coefficients(jacobian: Matrix, n: int, method: Method) -> list[Matrix]:
    """M₀, M₁, …: the update matrix is M(η) = Σ ηᵏ Mₖ. Exact entries stay exact. `n` variables minimise."""
    J, size = jacobian, len(jacobian)
    one = np.eye(size, dtype=J.dtype)
    zero = np.zeros_like(one)
    if method == "gda":
        return [one, -J]
    if method == "alternating":
        L = zero.copy()
        L[n:, :n] = J[n:, :n]
        return [one, -J, L @ J]
    if method == "descent":
        return [one, -players(n, size - n).astype(int)[:, None] * J]
    if method == "extragradient":
        return [one, -J, J @ J]
    return [np.block([[one, zero], [one, zero]]), np.block([[-2 * J, J], [zero, zero]])]


def update_matrix(jacobian: Matrix, n: int, method: Method, eta: Any) -> Matrix:
    """M(η), exact for exact arguments."""
    first, *rest = update_coefficients(jacobian, n, method)
    return reduce(lambda total, term: total + term[1] * eta ** term[0], enumerate(rest, start=1), first)


def spectrum(jacobian: Matrix, n: int, method: Method, eta: float) -> NDArray[np.complex128]:
    """The eigenvalues of M(η), largest modulus first."""
    values = np.linalg.eigvals(update_matrix(_floats(jacobian), n, method, eta)).astype(np.complex128)
    return np.array(sorted(values, key=abs, reverse=True))


def spectral_radius(
    jacobian: Matrix, n: int, method: Method, eta: float | Float[np.ndarray, "*batch"]
) -> Float[np.ndarray, "*batch"]:
    """ρ(M(η)), for one step size or an array of them: the iteration converges iff ρ < 1."""
    etas = np.asarray(eta, dtype=np.float64)[..., None, None]
    return np.asarray(np.abs(np.linalg.eigvals(update_matrix(_floats(jacobian), n, method, etas))).max(-1))


def converging_steps(jacobian: Matrix, n: int, method: Method) -> StepSet:
    """All η > 0 for which the iteration converges from every start."""
    exact = _exact(update_coefficients(jacobian, n, method))
    if exact is not None:
        from workings.studies.minimax import boundaries

        return boundaries.converging(exact)
    return _scan(_floats(jacobian), n, method)


def bounded_steps(jacobian: Matrix, n: int, method: Method) -> StepSet:
    """All η > 0 for which the iteration stays bounded from every start. Exact entries only: rounding decides it."""
    exact = _exact(update_coefficients(jacobian, n, method))
    if exact is None:
        raise ValueError(
            "whether an iteration stays bounded is decided for small games with exact entries (rows of the update "
            f"matrix times its degree in η at most {EXACT_SIZE}); give the Jacobian in integers or fractions"
        )
    from workings.studies.minimax import boundaries

    return boundaries.bounded(exact)


def contraction_steps(rate: Any) -> StepSet:
    """All real η, negative ones too, with |1 + rate·η| < 1: where one coordinate u ← (1 + rate·η) u contracts."""
    from workings.studies.minimax import boundaries

    return boundaries.converging([np.array([[1]], dtype=object), np.array([[rate]], dtype=object)], positive=False)


def restrict(jacobian: Matrix, n: int, keep: Sequence[int]) -> tuple[Matrix, int]:
    """The game on the subspace of the variables `keep`, as (Jacobian, how many minimise), for starts that lie in it.

    Raises ValueError unless the iteration stays in the subspace: the other variables must not be set in motion.
    """
    kept = sorted(set(keep))
    others = [i for i in range(len(jacobian)) if i not in kept]
    for i in others:
        for j in kept:
            if jacobian[i, j] != 0:
                raise ValueError(f"variable {j} moves variable {i} (entry {jacobian[i, j]}): keep both or neither")
    return jacobian[np.ix_(kept, kept)], sum(i < n for i in kept)


def _exact(coefficients: list[Matrix]) -> list[Matrix] | None:
    """The update matrices where algebra can take them: small, with rational entries; else None."""
    if coefficients[0].dtype.kind not in "iO" or len(coefficients[0]) * (len(coefficients) - 1) > EXACT_SIZE:
        return None
    import sympy

    exact = [
        np.array([[sympy.sympify(entry) for entry in row] for row in matrix], dtype=object) for matrix in coefficients
    ]
    return exact if all(entry.is_Rational for matrix in exact for entry in matrix.flat) else None


def _floats(jacobian: Matrix) -> Array:
    return np.array(jacobian, dtype=np.float64)


def _scan(jacobian: Array, n: int, method: Method) -> StepSet:
    """Bracket the set: scan ρ(M(η)) over all η that can converge, then bisect each crossing of 1.

    Step sizes at which ρ is 1 to within rounding decide nothing, and are passed over.
    """
    top = _largest_step(jacobian, n, method)
    if not top > 0:
        return StepSet((), exact=False)
    end = 1.01 * top
    etas = np.union1d(np.geomspace(1e-9 * top, end, GRID // 2), np.linspace(top / GRID, end, GRID // 2))
    excess = spectral_radius(jacobian, n, method, etas) - 1
    decided = np.abs(excess) > ROUNDING
    etas, stable = etas[decided], excess[decided] < 0
    edges = np.flatnonzero(stable[1:] != stable[:-1])
    crossings = [_bisect(jacobian, n, method, etas[i], etas[i + 1], TOLERANCE * top) for i in edges]
    cells = list(pairwise([0.0, *crossings, end]))
    kept = cells[0 if stable.any() and stable[0] else 1 :: 2]  # stable and unstable cells take turns
    return StepSet(tuple(Interval(*cell) for cell in kept), exact=False, tolerance=TOLERANCE * top)


def _bisect(jacobian: Array, n: int, method: Method, low: float, high: float, tolerance: float) -> float:
    """The crossing between two step sizes, to within ± `tolerance`."""
    stable_low = spectral_radius(jacobian, n, method, low) < 1
    while high - low > 2 * tolerance:
        middle = (low + high) / 2
        low, high = (
            (middle, high) if (spectral_radius(jacobian, n, method, middle) < 1) == stable_low else (low, middle)
        )
    return float((low + high) / 2)


def _largest_step(jacobian: Array, n: int, method: Method) -> float:
    """A step size beyond which the method cannot converge.

    With s = η|λ| for J's largest eigenvalue (the Hessian's, for descent): |1 − ηλ| < 1 needs s < 2, so does
    |1 − ηλ + η²λ²| < 1 (s² < 2 + s), and optimistic's two eigenvalues have the product −ηλ: s < 1. Alternating needs
    |tr M| < N, with tr M = N − ηt − η²b, t = tr J, b = −Σ J_yx J_xy.
    """
    if method == "alternating":
        t, b = np.trace(jacobian), -np.sum(jacobian[n:, :n] * jacobian[:n, n:].T)
        roots = np.roots([b, t, -2 * len(jacobian)])
        return max((float(root.real) for root in roots if root.imag == 0), default=0.0)
    matrix = jacobian * players(n, len(jacobian) - n)[:, None] if method == "descent" else jacobian
    largest = np.abs(np.linalg.eigvals(matrix)).max()
    return 2 / float(largest) if largest > 0 else 0.0
