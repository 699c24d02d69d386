"""Two-player games and the five ways to play them (nyu-2025-hw3, question 1): min over x, max over y of f(x, y).

Everything is said through the vector field of the two players,

    F(z) = (∇ₓf, −∇ᵧf),  z = (x, y),        J(z) = F′(z) = [[f_xx, f_xy], [−f_yx, −f_yy]],

in which both players descend: z ← z − ηF(z) is gradient descent for x and ascent for y. A stationary point is a zero
of F. Stationary points are found in `stationary.py`; which step sizes η converge is worked out in `spectrum.py`.

Left out on purpose: noise, momentum, step sizes that change, constraints.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from workings.expressions import Expression, parse
from workings.studies.minimax.derivatives import gradient, hessian, value
from workings.studies.minimax.study import Method

Array = NDArray[np.float64]


@runtime_checkable
class Game(Protocol):
    """min over x ∈ ℝⁿ, max over y ∈ ℝᵐ of f(x, y); a point is z = (x, y), on the last axis."""

    @property
    def n(self) -> int:
        """How many variables minimise: the first n of z."""

    @property
    def m(self) -> int:
        """How many variables maximise: the last m of z."""

    def value(self, z: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch"]:
        """f(z)."""

    def field(self, z: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim"]:
        """F(z) = (∇ₓf, −∇ᵧf)."""

    def jacobian(self, z: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim dim"]:
        """J(z) = F′(z)."""


@dataclass(frozen=True)
class ExpressionGame:
    """A game of one x and one y, from a formula."""

    f: Expression
    n: int = 1
    m: int = 1

    @classmethod
    def parse(cls, text: str) -> "ExpressionGame":
        """Read f(x, y), or raise an `ExpressionError` that points at the fault."""
        return cls(parse(text, ["x", "y"], owner="game"))

    def value(self, z: Float[np.ndarray, "*batch 2"]) -> Float[np.ndarray, "*batch"]:
        """f(z)."""
        return value(self.f, z)

    def field(self, z: Float[np.ndarray, "*batch 2"]) -> Float[np.ndarray, "*batch 2"]:
        """F(z) = (∂f/∂x, −∂f/∂y)."""
        return gradient(self.f, z) * [1.0, -1.0]

    def jacobian(self, z: Float[np.ndarray, "*batch 2"]) -> Float[np.ndarray, "*batch 2 2"]:
        """J(z) = [[f_xx, f_xy], [−f_yx, −f_yy]]."""
        return hessian(self.f, z) * [[1.0], [-1.0]]


class QuadraticGame:
    """f(x, y) = ½ xᵀA x + xᵀB y − ½ yᵀC y + aᵀx + bᵀy.

    With the minus before C, a positive definite A and C make the strict saddle. The gradients are

        ∇ₓf = A x + B y + a,   ∇ᵧf = Bᵀx − C y + b,   so   F(z) = J z + (a, −b),   J = [[A, B], [−Bᵀ, C]].

    A is n×n and C m×m, both symmetric; B is n×m. Raises ValueError where they are not, or not finite.
    """

    def __init__(
        self, A: ArrayLike, B: ArrayLike, C: ArrayLike, a: ArrayLike | None = None, b: ArrayLike | None = None
    ) -> None:
        self.A, self.B, self.C = _matrix("A", A), _matrix("B", B), _matrix("C", C)
        self.n, self.m = len(self.A), len(self.C)
        for name, square in (("A", self.A), ("C", self.C)):
            _expect(square.shape[0] == square.shape[1], name, square, "square")
            lopsided = np.argwhere(square != square.T)
            if len(lopsided):
                i, j = lopsided[0]
                raise ValueError(
                    f"{name} is not symmetric: entry ({i}, {j}) is {square[i, j]:g} and ({j}, {i}) is "
                    f"{square[j, i]:g}; give ({name} + {name}ᵀ)/2, which is the same game"
                )
        _expect(self.B.shape == (self.n, self.m), "B", self.B, f"{self.n}×{self.m}, as A and C have it")
        self.a = np.zeros(self.n) if a is None else _vector("a", a, self.n)
        self.b = np.zeros(self.m) if b is None else _vector("b", b, self.m)

    def value(self, z: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch"]:
        """f(z)."""
        x, y = z[..., : self.n], z[..., self.n :]
        quadratic = ((x @ self.A) * x).sum(-1) / 2 + ((x @ self.B) * y).sum(-1) - ((y @ self.C) * y).sum(-1) / 2
        return np.asarray(quadratic + x @ self.a + y @ self.b)

    def field(self, z: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim"]:
        """F(z) = J z + (a, −b)."""
        field: Array = z @ self._jacobian.T + np.concatenate([self.a, -self.b])
        return field

    def jacobian(self, z: Float[np.ndarray, "*batch dim"]) -> Float[np.ndarray, "*batch dim dim"]:
        """J, the same everywhere."""
        return np.broadcast_to(self._jacobian, (*z.shape[:-1], *self._jacobian.shape))

    def exact_jacobian(self) -> NDArray[np.object_]:
        """J in fractions: each entry is the decimal that it prints as (0.1 is 1/10, as it was typed)."""
        return np.array([[Fraction(repr(float(entry))) for entry in row] for row in self._jacobian], dtype=object)

    @property
    def _jacobian(self) -> Array:
        return np.block([[self.A, self.B], [-self.B.T, self.C]])


def _matrix(name: str, entries: ArrayLike) -> Array:
    matrix = np.asarray(entries, dtype=np.float64)
    _expect(matrix.ndim == 2 and matrix.size > 0, name, matrix, "a matrix: a list of rows of equal length")
    _expect(bool(np.isfinite(matrix).all()), name, matrix, "finite in every entry")
    return matrix


def _vector(name: str, entries: ArrayLike, length: int) -> Array:
    vector = np.asarray(entries, dtype=np.float64)
    _expect(vector.shape == (length,), name, vector, f"a list of {length} numbers")
    _expect(bool(np.isfinite(vector).all()), name, vector, "finite in every entry")
    return vector


def _expect(holds: bool, name: str, found: Array, wanted: str) -> None:
    if not holds:
        raise ValueError(f"{name} must be {wanted}; it has shape {found.shape} and is {found.tolist()}")


class State(NamedTuple):
    """Where the players stand, and where they stood one step before (the start counts as its own past)."""

    z: Float[np.ndarray, "*batch dim"]
    before: Float[np.ndarray, "*batch dim"]


def gda(game: Game, eta: float, state: State) -> Array:
    """Simultaneous descent-ascent: z ← z − ηF(z)."""
    return state.z - eta * game.field(state.z)


def alternating(game: Game, eta: float, state: State) -> Array:
    """Alternating descent-ascent: x ← x − ηFₓ(x, y), then y ← y − ηFᵧ(x, y), which sees the new x."""
    z, x = state.z.copy(), slice(None, game.n)
    y = slice(game.n, None)
    z[..., x] -= eta * game.field(z)[..., x]
    z[..., y] -= eta * game.field(z)[..., y]
    return z


def descent(game: Game, eta: float, state: State) -> Array:
    """Plain descent on both: z ← z − η∇f(z), ∇f = (Fₓ, −Fᵧ)."""
    return state.z - eta * game.field(state.z) * players(game.n, game.m)


def extragradient(game: Game, eta: float, state: State) -> Array:
    """Extragradient (Korpelevich 1976): z ← z − ηF(z − ηF(z))."""
    ahead = state.z - eta * game.field(state.z)
    return state.z - eta * game.field(ahead)


def optimistic(game: Game, eta: float, state: State) -> Array:
    """Optimistic descent-ascent (Popov 1980; Daskalakis et al. 2018): z ← z − 2ηF(z) + ηF(z before)."""
    return state.z - 2 * eta * game.field(state.z) + eta * game.field(state.before)


_STEPS: Mapping[Method, Callable[[Game, float, State], Array]] = {
    "gda": gda,
    "alternating": alternating,
    "descent": descent,
    "extragradient": extragradient,
    "optimistic": optimistic,
}


def players(n: int, m: int) -> Array:
    """+1 for each variable that minimises, −1 for each that maximises: F = players · ∇f."""
    return np.concatenate([np.ones(n), -np.ones(m)])


def step(game: Game, method: Method, eta: float, state: State) -> State:
    """One step of a method with step size η."""
    return State(_STEPS[method](game, eta, state), state.z)


def simulate(
    game: Game, method: Method, eta: float, start: Float[np.ndarray, "*batch dim"], steps: int
) -> Float[np.ndarray, "{steps}+1 *batch dim"]:
    """The points from `start` on, by time on the first axis.

    Divergence shows in the result, without a warning: the point that leaves the range of float64 is kept as
    arithmetic gave it, with inf or nan in it, and every later point of that start is nan.
    """
    state = State(start := np.asarray(start, dtype=np.float64), start)
    path = np.full((steps + 1, *start.shape), np.nan)
    path[0] = start
    with np.errstate(all="ignore"):
        for t in range(1, steps + 1):
            state = step(game, method, eta, state)
            path[t] = state.z
            lost = ~np.isfinite(state.z).all(-1, keepdims=True)
            if lost.all():
                break
            state = State(np.where(lost, np.nan, state.z), state.before)
    return path
