"""Stochastic gradient descent on a sum of parabolas, exactly (gatech-2024-ps2, question 6).

    f(w) = Σᵢ qᵢ(w),   qᵢ(w) = ½ aᵢ (w − cᵢ)² + bᵢ,  aᵢ > 0;      a step on term i:  w ← w − η aᵢ (w − cᵢ)

With A = Σ aᵢ and the minimiser m = Σ aᵢ cᵢ / A, a step on term i changes f by

    Δf = ηaᵢ A · (w − cᵢ) · (½ηaᵢ (w − cᵢ) − (w − m)),

a parabola in w whose sign is known everywhere: `raises`. All of it is rational arithmetic (Fraction); the walks, which
are random, are float64.

Left out on purpose: several dimensions, batches, step sizes that shrink, momentum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float, Int

from workings.expressions import ExpressionError, parse

Ends = tuple[Fraction | None, Fraction | None]
"""An open interval; None where it has no end on that side."""


@dataclass(frozen=True)
class Parabola:
    """½ a (w − c)² + b."""

    a: Fraction
    """Curvature, positive."""
    c: Fraction
    """Where it is least."""
    b: Fraction = Fraction(0)
    """Its value there."""

    @classmethod
    def parse(cls, text: str) -> "Parabola":
        """Read a formula in w; an `ExpressionError` where it is none, ValueError where it is no upward parabola."""
        import sympy

        formula = parse(text, ["w"], owner="term")
        w = sympy.Symbol("w", real=True)
        try:
            coefficients = sympy.Poly(sympy.nsimplify(formula.sympy()), w).all_coeffs()
        except (sympy.PolynomialError, ExpressionError):
            coefficients = []
        if len(coefficients) != 3 or not coefficients[0].is_positive:
            raise ValueError(f"{text!r} is no parabola that opens upwards: write terms such as 0.5*(w - 2)**2")
        if not all(number.is_Rational for number in coefficients):
            raise ValueError(f"{text!r} has numbers that are no fractions: write 3.14 in place of pi")
        square, linear, constant = (Fraction(int(number.p), int(number.q)) for number in coefficients)
        centre = -linear / (2 * square)
        return cls(2 * square, centre, constant - square * centre**2)

    def __call__(self, w: Fraction) -> Fraction:
        """The value at w."""
        return self.a * (w - self.c) ** 2 / 2 + self.b

    def step(self, w: Fraction, eta: Fraction) -> Fraction:
        """One step of descent on this term alone."""
        return w - eta * self.a * (w - self.c)


@dataclass(frozen=True)
class Loss:
    """The sum of the terms."""

    terms: tuple[Parabola, ...]

    @property
    def curvature(self) -> Fraction:
        """A = Σ aᵢ."""
        return sum((term.a for term in self.terms), Fraction(0))

    @property
    def minimiser(self) -> Fraction:
        """m = Σ aᵢ cᵢ / A."""
        return sum((term.a * term.c for term in self.terms), Fraction(0)) / self.curvature

    def __call__(self, w: Fraction) -> Fraction:
        """The value at w."""
        return sum((term(w) for term in self.terms), Fraction(0))


def raises(loss: Loss, term: Parabola, eta: Fraction) -> tuple[Ends, ...]:
    """Where a step on `term` raises the whole loss: open intervals of w, exactly, for any η > 0.

    Δf > 0 lies between its two roots, c and (m − ½ηa c)/(1 − ½ηa), while ηa < 2; outside them beyond; and on a
    half-line at ηa = 2, where the second root has gone to infinity. A term that is least at m raises f only beyond.
    """
    half, c, m = eta * term.a / 2, term.c, loss.minimiser
    if half == 1:
        return () if c == m else ((c, None),) if m > c else ((None, c),)
    low, high = sorted((c, (m - half * c) / (1 - half)))
    if half > 1:
        return ((None, low), (high, None))
    return ((low, high),) if low < high else ()


def contains(intervals: Sequence[Ends], w: Fraction) -> bool:
    """Whether one of the open intervals holds w."""
    return any((low is None or low < w) and (high is None or w < high) for low, high in intervals)


def mean_square_noise(loss: Loss, eta: Fraction) -> Fraction | None:
    """E (w − m)² of the stationary walk that draws its terms evenly; None where it has none.

    The walk u ← (1 − ηaᵢ) u + ηaᵢ (cᵢ − m) has mean 0 and E u² = η² E aᵢ²(cᵢ − m)² / (1 − E (1 − ηaᵢ)²), as long as the
    denominator is positive, that is for η < 2 E a / E a².
    """
    n, m = len(loss.terms), loss.minimiser
    drift = 1 - sum(((1 - eta * term.a) ** 2 for term in loss.terms), Fraction(0)) / n
    push = eta**2 * sum(((term.a * (term.c - m)) ** 2 for term in loss.terms), Fraction(0)) / n
    return push / drift if drift > 0 else None


def walks(
    loss: Loss, eta: float, start: float, order: Int[np.ndarray, "steps walks"]
) -> Float[np.ndarray, "steps_and_start walks"]:
    """Walks of plain float64 steps, start included; `order` says which term each step takes."""
    a = np.array([float(term.a) for term in loss.terms])[order]
    c = np.array([float(term.c) for term in loss.terms])[order]
    path = np.empty((len(order) + 1, order.shape[1]))
    path[0] = start
    with np.errstate(over="ignore", invalid="ignore"):  # a walk that leaves the numbers is what it is
        for t in range(len(order)):
            path[t + 1] = path[t] - eta * a[t] * (path[t] - c[t])
    return path


def full_batch(loss: Loss, eta: float, start: float, steps: int) -> Float[np.ndarray, " steps_and_start"]:
    """Descent on the whole loss from the same start: w − m shrinks by 1 − ηA a step."""
    factor, m = 1 - eta * float(loss.curvature), float(loss.minimiser)
    with np.errstate(over="ignore"):
        return np.asarray(m + (start - m) * factor ** np.arange(steps + 1.0))
