"""SGD: whether every step of stochastic gradient descent lowers the whole loss (gatech-2024-ps2, question 6).

The sheet's f(w) = ½(w − 2)² + ½(w + 1)² is stepped down one term at a time. A person's own terms are any parabolas in w
that open upwards; for them the set of points where a step raises f is known in closed form.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from workings.core.study import Study

SHEET_TERMS = ("0.5*(w - 2)**2", "0.5*(w + 1)**2")
ETAS = (0.05, 0.2, 0.5, 1.0, 1.5)
"""Step sizes on both sides of 1, below which the whole gradient descends, and below 2, where noise still settles."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One set of terms, one step size, one start."""

    f: tuple[str, ...] = SHEET_TERMS
    """The terms, one flag each: parabolas in w that open upwards. The loss is their sum."""
    eta: float = 0.2
    """Step size, in units of 1/curvature."""
    start: float = -4.0
    """Where the walk starts, in units of w."""
    steps: int = 2_000
    """Steps of each walk; the first half lets it forget its start, the second is measured."""
    walks: int = 256
    """Independent walks, from whose spread the error of the measured noise is known."""
    seed: int = 0
    """Names the order in which terms are drawn."""


def smoke() -> Sequence[Config]:
    """The sheet's terms, one step size, few walks."""
    return [Config(steps=200, walks=16)]


def quick() -> Sequence[Config]:
    """The same as full: it takes seconds."""
    return full()


def full() -> Sequence[Config]:
    """The sheet's terms at several step sizes, and terms of unequal curvature."""
    unequal = ("2*(w - 1)**2", "0.25*(w + 3)**2 + 1", "0.5*w**2")
    return [*(Config(eta=eta) for eta in ETAS), Config(f=unequal, eta=0.1), Config(f=unequal, eta=0.4)]


STUDY = Study(
    package=__package__,
    title="SGD",
    summary="One term a step: exactly where a step of stochastic gradient descent raises the whole loss.",
    sources=("gatech-2024-ps2/6",),
    config=Config,
    presets=(smoke, quick, full),
    instant=full,
    examples=(
        'workings run sgd --f "0.5*(w-2)**2" --f "0.5*(w+1)**2" --eta 0.5 --start 0.5',
        'workings run sgd --f "3*w**2" --f "(w-1)**2" --f "0.1*(w+5)**2" --eta 0.2',
    ),
)
