"""Ask for a guarantee, for the exact worst case, or for both sides of the lemma on vectors of one's own."""

from dataclasses import dataclass
from fractions import Fraction

from workings.core.errors import UserError
from workings.core.typed import matrix, row
from workings.studies.convergence.experiment import LARGEST, LONGEST_SEQUENCE
from workings.studies.convergence.model import best_step, follow, guarantee, ledger, steps_needed
from workings.studies.convergence.search import LONGEST, worst_gap
from workings.studies.convergence.sequences import exact


@dataclass(frozen=True)
class Plan:
    """How many steps, and of which size, are enough for every convex function with these constants."""

    steps: int
    eta: float
    guarantee: float
    """Bρ/√T, the gap that is not exceeded."""

    def __str__(self) -> str:
        return f"T = {self.steps:,} steps of size η = {self.eta:.6g}: f(w̄) − f(w*) ≤ {self.guarantee:.6g}"


def bound(rho: float, accuracy: float, B: float = 1.0) -> Plan:
    """Say how many steps are enough, and which step size.

    Example: workings use convergence bound --rho 2 --B 5 --accuracy 0.1

    Args:
        rho: The function's Lipschitz constant: no slope is steeper.
        accuracy: How far f(w̄) may stay above f(w*).
        B: How far from the start the minimiser is at most.
    """
    for name, number in (("rho", rho), ("accuracy", accuracy), ("B", B)):
        _in_range(name, number)
    steps = steps_needed(rho, B, accuracy)
    eta = best_step(rho, B, steps)
    return Plan(steps, eta, guarantee(rho, B, steps, eta))


@dataclass(frozen=True)
class WorstCase:
    """The largest gap that some convex ρ-Lipschitz function leaves, and the lemma's bound on it."""

    steps: int
    eta: float
    worst: float
    bound: float

    def __str__(self) -> str:
        return (
            f"T = {self.steps}, η = {self.eta:.6g}: worst gap {self.worst:.6g} (PEPit), bound {self.bound:.6g} "
            f"({self.worst / self.bound:.2%} of it is attained)"
        )


def worst_case(T: int = 4, B: float = 1.0, rho: float = 1.0, c: float = 1.0) -> WorstCase:
    """Find the exact worst case over all convex ρ-Lipschitz functions, by PEPit (extra `worst-case`).

    Example: workings use convergence worst-case --T 4

    Args:
        T: Steps.
        B: How far from the start the minimiser is at most.
        rho: Lipschitz constant.
        c: The step size in units of B/(ρ√T).
    """
    if not 1 <= T <= LONGEST:
        raise UserError(f"T is {T}: give a number of steps from 1 to {LONGEST}, which PEPit solves in seconds")
    for name, number in (("B", B), ("rho", rho), ("c", c)):
        _in_range(name, number)
    eta = c * best_step(rho, B, T)
    # Solved for B = ρ = 1, where the programme is well scaled: the gap grows as Bρ.
    worst = B * rho * worst_gap(T, c * best_step(1.0, 1.0, T))
    return WorstCase(T, eta, worst, guarantee(rho, B, T, eta))


@dataclass(frozen=True)
class Sides:
    """Both sides of the lemma in exact fractions, and what it drops: left = right − remainder."""

    left: str
    right: str
    remainder: str

    def __str__(self) -> str:
        return (
            f"Σ⟨w_t − w*, v_t⟩ = {self.left}\n‖w*‖²/(2η) + (η/2)Σ‖v_t‖² = {self.right}\n"
            f"‖w_(T+1) − w*‖²/(2η) = {self.remainder}, the difference"
        )


def lemma(v: str, w_star: str, eta: float) -> Sides:
    """Work out both sides of the lemma for vectors of one's own, exactly.

    Example: workings use convergence lemma --v "1 0; 0 2; -1 1" --w-star "3 1" --eta 0.5

    Args:
        v: v₁ to v_T, a row each, parted by semicolons.
        w_star: The comparator, as many numbers as a row of v.
        eta: The step size.
    """
    vectors, comparator = matrix(v, "v"), row(w_star, "w-star")
    _in_range("eta", eta)
    if len(vectors) > LONGEST_SEQUENCE:
        raise UserError(f"v has {len(vectors)} rows: {LONGEST_SEQUENCE} at most are worked out in exact fractions")
    if len(comparator) != len(vectors[0]):
        raise UserError(f"w-star has {len(comparator)} numbers and each v_t {len(vectors[0])}: give both the same")
    size = _exactly(eta)
    sides = ledger(
        follow(exact([[repr(x) for x in v_t] for v_t in vectors]), size), exact([repr(x) for x in comparator]), size
    )
    return Sides(str(sides.left), str(sides.right), str(sides.remainder))


VERBS = (bound, worst_case, lemma)


def _exactly(number: float) -> Fraction:
    """The decimal that was typed."""
    return Fraction(repr(number))


def _in_range(name: str, number: float) -> None:
    if not 1 / LARGEST <= number <= LARGEST:
        raise UserError(f"{name} is {number:g}: give a number from {1 / LARGEST:g} to {LARGEST:g}")
