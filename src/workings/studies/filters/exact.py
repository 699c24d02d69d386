"""What can be said of a kernel exactly: sum, variance gain, symmetry, rank, factors, its course over frequency.

Along an axis, weights w₋ₙ … wₙ that are even, w₋ₖ = wₖ, answer a wave of frequency u with the real factor

    h(u) = w₀ + 2 Σₖ wₖ cos ku = p(c),   c = cos u,   p = w₀ + 2 Σₖ wₖ Tₖ   (Chebyshev's polynomials),

so that questions about all frequencies (below 1? falling? negative?) are about a rational polynomial on [−1, 1], and
its roots there are isolated without rounding.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, product
from typing import Any, Literal

from workings.studies.filters.kernels import Kernel

Symmetry = Literal["even", "odd", "neither"]
Course = Literal["constant", "falls", "rises", "turns"]
"""How a response moves as frequency grows from 0 to π."""
Row = tuple[Fraction, ...]
READABLE = 10**6
"""Numerators and denominators up to here are printed; beyond, a decimal says more."""
LISTED = 9
"""Entries of a row that are printed; of a longer one, the ends."""


def total(kernel: Kernel) -> Fraction:
    """Σw: the factor by which a constant picture is multiplied, H(0, 0)."""
    return sum((entry for row in kernel.rows for entry in row), Fraction(0))


def variance_gain(kernel: Kernel) -> Fraction:
    """Σw²: the factor by which the variance of independent noise is multiplied, where the whole window has noise."""
    return sum((entry**2 for row in kernel.rows for entry in row), Fraction(0))


def symmetries(kernel: Kernel) -> dict[Literal["x", "y"], Symmetry]:
    """Under a mirror left to right (x) and top to bottom (y): the same, the negative, or neither. 0 counts as even."""
    mirrored: dict[Literal["x", "y"], Any] = {"x": tuple(row[::-1] for row in kernel.rows), "y": kernel.rows[::-1]}
    negative = tuple(tuple(-entry for entry in row) for row in kernel.rows)
    return {
        axis: "even" if kernel.rows == other else "odd" if negative == other else "neither"
        for axis, other in mirrored.items()
    }


def rank(kernel: Kernel) -> int:
    """Rank over the rationals, by elimination in whole numbers without division (Bareiss 1968)."""
    rows = [_whole(row) for row in kernel.rows]
    found, before = 0, 1
    for column in range(len(rows[0])):
        pivot = next((i for i in range(found, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        top = rows[found]
        for i in range(found + 1, len(rows)):
            head = rows[i][column]
            rows[i] = [
                (top[column] * entry - head * above) // before for entry, above in zip(rows[i], top, strict=True)
            ]
        before, found = top[column], found + 1
        if found == len(rows):
            break
    return found


@dataclass(frozen=True)
class Factors:
    """The kernel scale · column · rowᵀ, both in whole numbers without a common divisor; the scale is positive."""

    scale: Fraction
    column: tuple[int, ...]
    row: tuple[int, ...]

    def __str__(self) -> str:
        scale = "" if self.scale == 1 else f"{written(self.scale)} · "
        return f"{scale}({_listed(self.column)})ᵀ({_listed(self.row)})"


def factors(kernel: Kernel) -> Factors | None:
    """The kernel as one pass down and one along, where its rank is 1; None otherwise."""
    if rank(kernel) != 1:
        return None
    (j, i) = next(at for at in product(*map(range, kernel.shape)) if kernel.rows[at[0]][at[1]])
    row, column = _primitive(kernel.rows[j]), _primitive(tuple(line[i] for line in kernel.rows))
    scale = kernel.rows[j][i] / (column[j] * row[i])
    if scale < 0:
        row = tuple(-entry for entry in row)
    if sum(row) + sum(column) < 0:  # of the two ways to share the sign, the one that people write
        row, column = tuple(-entry for entry in row), tuple(-entry for entry in column)
    return Factors(abs(scale), column, row)


@dataclass(frozen=True)
class Profile:
    """A response along one axis as a polynomial in c = cos u, lowest power first."""

    coefficients: Row

    @classmethod
    def of(cls, weights: Row) -> "Profile":
        """That of an odd number of even weights."""
        middle = len(weights) // 2
        if weights != weights[::-1] or len(weights) % 2 == 0:
            raise ValueError(f"{_listed(weights)} is not even about a middle weight")
        before, now = [Fraction(1)], [Fraction(0), Fraction(1)]  # T₀ and T₁
        found = [Fraction(0)] * (middle + 1)
        found[0] = weights[middle]
        for k in range(1, middle + 1):
            for power, coefficient in enumerate(now):
                found[power] += 2 * weights[middle + k] * coefficient
            shifted = [Fraction(0), *(2 * coefficient for coefficient in now)]
            before, now = now, [a - (before[i] if i < len(before) else 0) for i, a in enumerate(shifted)]
        while len(found) > 1 and found[-1] == 0:
            found.pop()
        return cls(tuple(found))

    def at(self, c: Fraction | int) -> Fraction:
        """p(c)."""
        value = Fraction(0)
        for coefficient in reversed(self.coefficients):
            value = value * c + coefficient
        return value

    @cached_property
    def course(self) -> Course:
        """How it moves from u = 0 (c = 1) to u = π (c = −1), exactly."""
        slope = Profile(tuple(k * a for k, a in enumerate(self.coefficients) if k) or (Fraction(0),))
        signs = {sign for _, _, sign in _pieces(slope)} - {0}
        if not signs:
            return "constant"
        return "turns" if len(signs) == 2 else "falls" if signs == {1} else "rises"

    @cached_property
    def reversed_lobes(self) -> list[tuple[float, float]]:
        """The frequencies u in [0, π] with p < 0, where waves come out upside down; the ends are rounded."""
        lobes = [(math.acos(min(high, 1.0)), math.acos(max(low, -1.0))) for low, high, s in _pieces(self) if s < 0]
        return sorted(lobes)

    @property
    def below_one(self) -> bool:
        """Whether |p| < 1 at every u in (0, π], exactly."""
        first, *others = self.coefficients
        return all(
            _positive_before_one(Profile((1 + sign * first, *(sign * other for other in others)))) for sign in (-1, 1)
        )


def along(kernel: Kernel, axis: Literal["x", "y"]) -> Row:
    """The weights that a wave along that axis meets, H(u, 0) or H(0, v): the sums of the columns, or of the rows."""
    lines = zip(*kernel.rows, strict=True) if axis == "x" else kernel.rows
    return tuple(sum(line, Fraction(0)) for line in lines)


def profiles(kernel: Kernel) -> tuple[Profile, Profile] | None:
    """p and q with H(u, v) = p(cos u) q(cos v), for a kernel that is separable, even about a pixel, and sums to 1.

    As p(1) q(1) = 1, both are scaled to be 1 at frequency 0: p is the response along x, q that along y.
    """
    odd_sides = all(side % 2 for side in kernel.shape)
    even = set(symmetries(kernel).values()) == {"even"}
    if not (odd_sides and even and total(kernel) == 1 and rank(kernel) == 1):
        return None
    return Profile.of(along(kernel, "x")), Profile.of(along(kernel, "y"))


def written(number: Fraction) -> str:
    """A fraction as people write it, or a decimal where it would fill the line."""
    plain = max(abs(number.numerator), number.denominator) <= READABLE
    return (str(number) if plain else f"{float(number):.6g}").replace("-", "−")


def _positive_before_one(profile: Profile) -> bool:
    """Whether p > 0 on [−1, 1)."""
    roots = len(_isolated(profile)) - (profile.at(1) == 0)
    return roots == 0 and all(sign > 0 for _, _, sign in _pieces(profile))


def _isolated(profile: Profile) -> list[tuple[Fraction, Fraction]]:
    """Intervals in [−1, 1], narrower than float64 can tell, that hold one distinct root each."""
    from sympy import Poly, Rational, Symbol

    if len(profile.coefficients) == 1:
        return []
    powers = [Rational(a.numerator, a.denominator) for a in reversed(profile.coefficients)]
    polynomial = Poly(powers, Symbol("c"), domain="QQ").sqf_part()
    found = polynomial.intervals(eps=Rational(1, 10**17), inf=-1, sup=1)
    return [(Fraction(int(a.p), int(a.q)), Fraction(int(b.p), int(b.q))) for (a, b), _ in found]


def _pieces(profile: Profile) -> list[tuple[float, float, int]]:
    """[−1, 1] cut at the roots: ends of each piece, and the sign of p inside, taken at a rational point between."""
    cuts = [(Fraction(-1), Fraction(-1)), *_isolated(profile), (Fraction(1), Fraction(1))]
    pieces = []
    for (_, low), (high, _) in pairwise(cuts):
        if low < high:
            value = profile.at((low + high) / 2)
            pieces.append((float(low), float(high), (value > 0) - (value < 0)))
    return pieces


def _whole(row: Row) -> list[int]:
    common = math.lcm(*(entry.denominator for entry in row))
    return [int(entry * common) for entry in row]


def _primitive(row: Row) -> tuple[int, ...]:
    whole = _whole(row)
    divisor = math.gcd(*whole)
    first = next(entry for entry in whole if entry)
    return tuple(entry // (divisor if first > 0 else -divisor) for entry in whole)


def _listed(entries: tuple[Any, ...]) -> str:
    shown = [written(Fraction(entry)) for entry in entries]
    return " ".join(shown if len(shown) <= LISTED else [*shown[:3], "…", *shown[-3:]])
