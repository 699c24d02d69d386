"""Convergence: the subgradient method on convex Lipschitz functions (gatech-2024-ps2, question 3).

Trials run the method on a family of functions and over many horizons T, check the lemma behind the rate on arbitrary
vectors in exact arithmetic, and minimise the proximal model by algebra and by a solver. All of that takes seconds. Only
the search through every convex Lipschitz function (PEPit, the extra `worst-case`) is left to the preset `full`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from workings.core.study import Study

Part = Literal["method", "prox", "lemma", "worst-case"]
Function = Literal["absolute", "norm", "affine", "hinge", "logistic", "worst"]
"""The family; `family` builds each."""
Ties = Literal["first", "mean", "last"]
FUNCTIONS: tuple[Function, ...] = get_args(Function)
TIES: tuple[Ties, ...] = get_args(Ties)

HORIZONS = (4, 16, 64, 256, 1024)
"""Squares, so that the steps of |w − B| land on its kink."""
MISSET = (0.25, 4.0)
"""Step sizes a quarter and four times as long as the bound asks for."""
TIED: tuple[Function, ...] = ("absolute", "worst")
"""Their paths meet kinks, where the oracle's choice matters."""
EXACT: tuple[Part, ...] = ("lemma", "prox")
SEARCHED = (1, 2, 4, 9, 16)
"""Horizons at which PEPit is asked: a second in all."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One function and the horizons at which it is minimised; or one of the three other parts of the question."""

    part: Part = "method"
    """method: run it. prox: the proximal step. lemma: the lemma on arbitrary vectors. worst-case: ask PEPit."""
    function: Function = "absolute"
    """What is minimised. absolute: |w − B|. norm: ‖w − w*‖. affine: a maximum of affine pieces. hinge, logistic: losses
    on data that a line parts. worst: the function on which the bound is attained."""
    f: str = ""
    """In place of function, a convex expression of one's own in one to eight variables of any names."""
    T: tuple[int, ...] = HORIZONS
    """Horizons: how many steps are taken and averaged. Each has its own step size, so each is a run from the start."""
    dimension: int | None = None
    """Variables; left out, 1 for absolute, T for worst, 5 for other functions, 2 for prox and lemma."""
    B: float | None = None
    """Distance from the start, 0, to the minimiser; left out, 1, or where one's own f has its minimum."""
    rho: float | None = None
    """Lipschitz constant of one's own f; left out, the steepest slope found within reach."""
    c: float = 1.0
    """The step size in units of B/(ρ√T), the one that the bound asks for."""
    ties: Ties = "first"
    """Whose slope the oracle answers where several pieces are the largest: the first's, their mean, the last's."""
    seed: int = 0
    """Draws slopes, data, vectors and sample points."""


def smoke() -> Sequence[Config]:
    """One function, the lemma and the proximal step."""
    return [Config(), Config(part="lemma"), Config(part="prox")]


def quick() -> Sequence[Config]:
    """Every function, three dimensions and three seeds where they matter, every choice at a kink, mis-set steps."""
    family = [Config(function=function) for function in FUNCTIONS]
    choices = [Config(function=f, ties=ties) for f in TIED for ties in TIES[1:]]
    draws = [
        Config(function=function, dimension=dimension, seed=seed)
        for function in FUNCTIONS
        if function not in ("absolute", "worst")
        for dimension, seed in ((2, 1), (20, 2))
    ]
    misset = [Config(function=function, c=c) for function in FUNCTIONS for c in MISSET]
    other = [Config(part=part, dimension=d) for part in EXACT for d in (1, 2, 5)]
    return [*family, *choices, *draws, *misset, *other]


def full() -> Sequence[Config]:
    """The same, and PEPit's worst case over all convex Lipschitz functions, for the step as asked and for others."""
    return [*quick(), *(Config(part="worst-case", T=SEARCHED, c=c) for c in (1.0, 0.5, 2.0))]


STUDY = Study(
    package=__package__,
    title="Convergence",
    summary="How fast averaged subgradient steps approach a minimum, and the function on which they are slowest.",
    sources=("gatech-2024-ps2/3",),
    config=Config,
    presets=(smoke, quick, full),
    instant=quick,
    examples=(
        "workings run convergence --function hinge --T 100",
        'workings run convergence --f "abs(w - 3)" --T 16 64 256',
        "workings use convergence bound --rho 2 --B 5 --accuracy 0.1",
    ),
)
