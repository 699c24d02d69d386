"""Descent: gradient descent on a quadratic, and what momentum adds (nyu-2023-hw, problem 1).

Trials follow the sheet's loss ½(a w₁² + b w₂²) with step sizes on both sides of the threshold, and every method at its
best parameters over condition numbers from 4 to 4096; all of it is mathematics, done in seconds. A person's own loss is
two curvatures, or a matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from workings.core.study import Study

Method = Literal["gd", "heavy-ball", "nesterov", "nesterov-tuned"]
"""How w moves; `model` says how each is written, `spectrum` which parameters are best."""
METHODS: tuple[Method, ...] = get_args(Method)

SHEET_LOSS = "(a*w1**2 + b*w2**2)/2"
"""The sheet's loss, for a, b > 0."""
CONDITION_NUMBERS = tuple(4.0**k for k in range(1, 7))
"""Powers of four, whose roots are whole: the best parameters of every method but one are then fractions."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One loss, one method with its parameters, one start."""

    a: float = 10.0
    """Curvature along w₁ of the sheet's loss ½(a w₁² + b w₂²)."""
    b: float = 1.0
    """Curvature along w₂."""
    matrix: str = ""
    """In place of a and b: A of ½wᵀAw, symmetric, rows parted by semicolons, as in "2 1; 1 3"."""
    method: Method = "gd"
    """gd: gradient descent. heavy-ball: Polyak's momentum. nesterov: looks ahead, by default with step 1/L.
    nesterov-tuned: the same with the best parameters for quadratics, step 4/(3L + μ)."""
    eta: float | None = None
    """Step size, in units of 1/curvature; None takes the method's best for this loss."""
    beta: float | None = None
    """Momentum, from 0 up to 1, for all methods but gd; None takes the method's best for this loss."""
    start: tuple[float, ...] = ()
    """Where w starts, as in 1,1; nothing stands for ones."""
    steps: int = 200
    """Steps of the path that is kept."""


def smoke() -> Sequence[Config]:
    """The sheet's loss under every method at its best."""
    return [Config(method=method) for method in METHODS]


def quick() -> Sequence[Config]:
    """The same as full: it takes seconds."""
    return full()


def full() -> Sequence[Config]:
    """Step sizes inside, at and outside the sheet's range; then every method at its best over condition numbers."""
    steps = {
        (10.0, 1.0): (0.02, None, 0.15, 0.2, 0.21),
        (1.0, 4.0): (0.4, 0.5, 0.6),
        (100.0, 1.0): (0.019, 0.02, 0.021),
        (3.0, 3.0): (None, 0.7),
    }
    sheet = [Config(a=a, b=b, eta=eta) for (a, b), etas in steps.items() for eta in etas]
    matrix = [Config(matrix="2 1; 1 3", method=method) for method in METHODS]
    best = [Config(a=kappa, b=1.0, method=method) for method in METHODS for kappa in CONDITION_NUMBERS]
    return [*sheet, *matrix, *best]


STUDY = Study(
    package=__package__,
    title="Descent",
    summary="Gradient descent on a quadratic: which step sizes converge, how fast, and what momentum adds.",
    sources=("nyu-2023-hw/1",),
    config=Config,
    presets=(smoke, quick, full),
    instant=full,
    examples=(
        "workings run descent --a 100 --b 1 --eta 0.019",
        'workings run descent --matrix "2 1; 1 3" --method heavy-ball --start 1,-1',
    ),
)
