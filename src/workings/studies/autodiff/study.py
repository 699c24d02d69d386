"""Autodiff: derivatives of programs, forwards and in reverse (gatech-2024-ps2, question 4).

Trials: the sheet's two functions and its worked example with values and Jacobians by every route; the same by symbols;
every primitive's rule; what a Jacobian costs by shape; a network trained with the engine. All of it takes seconds. A
person's own formulas go through the first or the second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workings.core.study import Dataset, Study

Part = Literal["formulas", "symbols", "rules", "cost", "network"]

SHEET_FUNCTIONS = ("cos(w1)*cos(w2) + sigmoid(w2)", "log(w1 + w2) + w1**2*w2")
WORKED_EXAMPLE = ("(x + y)*(y + 1)",)
DIGITS = "digits"
"""The pictures that the network learns to read."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Formulas, a point, a step of numerical differentiation."""

    f: tuple[str, ...] = SHEET_FUNCTIONS
    """Formulas; each --f adds one. Their variables are taken together, in natural order: w1, w2, w10."""
    at: tuple[float, ...] = (1.0, 2.0)
    """The point: a number for each variable, as in --at 1,2."""
    delta: float = 0.01
    """Step of the numerical differences, in the variables' own unit."""
    part: Part = "formulas"
    """formulas: values and Jacobians by every route. symbols: the same, and Hessians, beside sympy's. The others need
    no formula. rules: every primitive against differences. cost: multiplications of a Jacobian. network: one is
    trained."""


def smoke() -> Sequence[Config]:
    """The sheet's functions."""
    return [Config()]


def quick() -> Sequence[Config]:
    """The same as full: it takes seconds."""
    return full()


def full() -> Sequence[Config]:
    """The sheet's functions and its worked example, and what holds for the engine as a whole."""
    return [
        Config(),
        Config(f=WORKED_EXAMPLE),
        Config(part="symbols"),
        Config(part="rules"),
        Config(part="cost"),
        Config(part="network"),
    ]


def datasets(config: Config) -> Mapping[str, Dataset]:
    """Formulas need no data; the network does."""
    if config.part != "network":
        return {}
    from workings.data.catalogue import load_pictures

    return {"pictures": load_pictures(DIGITS).dataset}


STUDY = Study(
    package=__package__,
    title="Automatic differentiation",
    summary="An engine of our own: one table of primitives, forward and reverse mode, and the graph they walk.",
    sources=("gatech-2024-ps2/4",),
    config=Config,
    presets=(smoke, quick, full),
    instant=full,
    data=datasets,
    examples=(
        'workings run autodiff --f "cos(w1)*cos(w2)+sigmoid(w2)" --f "log(w1+w2)+w1**2*w2" --at 1,2',
        'workings run autodiff --part symbols --f "x**2*erf(y)" --at 0.5,-1',
    ),
)
