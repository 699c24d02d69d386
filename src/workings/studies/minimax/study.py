"""Minimax: gradient methods at a saddle point (nyu-2025-hw3, question 1).

Trials play the sheet's game 4x² − 4y² and the bilinear game xy under every method, with step sizes on both sides of
each threshold; all of it is mathematics, done in seconds. A person's own game is a formula, or three matrices.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from workings.core.study import Study

Method = Literal["gda", "alternating", "descent", "extragradient", "optimistic"]
"""How both players move; `model` has a function of the same name for each."""
METHODS: tuple[Method, ...] = get_args(Method)

SHEET_GAME, BILINEAR_GAME = "4*x**2 - 4*y**2", "x*y"


@dataclass(frozen=True, kw_only=True)
class Config:
    """One game, one method, one step size, one start."""

    f: str = SHEET_GAME
    """The game: an expression in x, which minimises, and y, which maximises."""
    a: str = ""
    """In place of f, with b and c: A of ½xᵀAx + xᵀBy − ½yᵀCy, rows parted by semicolons, as in "2 0; 0 3"."""
    b: str = ""
    """B of that game, as many rows as A and as many columns as C."""
    c: str = ""
    """C of that game."""
    method: Method = "gda"
    """gda: simultaneous descent-ascent. alternating: y sees the new x. descent: both descend. extragradient.
    optimistic."""
    eta: float = 0.1
    """Step size, in units of 1/curvature."""
    start: tuple[float, ...] = (1.0, 1.0)
    """Where play starts: all of x, then all of y."""
    steps: int = 60
    """Moves to simulate."""


def smoke() -> Sequence[Config]:
    """The sheet's game under every method, one step size."""
    return [Config(method=method) for method in METHODS]


def quick() -> Sequence[Config]:
    """The same as full: it takes seconds."""
    return full()


def full() -> Sequence[Config]:
    """Both games under every method, with a step size below and one above each threshold, and the special cases."""
    sheet = {
        "gda": (0.1, 0.125, 0.3),
        "alternating": (0.1, 0.125, 0.3),
        "descent": (0.1, 0.3),
        "extragradient": (0.1, 0.2),
        "optimistic": (0.05, 0.1),
    }
    bilinear = {
        "gda": (0.1, 0.5),
        "alternating": (0.5, 2.1),
        "descent": (0.1,),
        "extragradient": (0.5, 1.1),
        "optimistic": (0.5, 0.6),
    }
    trials = [
        Config(f=game, method=method, eta=eta)
        for game, etas in ((SHEET_GAME, sheet), (BILINEAR_GAME, bilinear))
        for method in METHODS
        for eta in etas[method]
    ]
    # The case that the sheet asks for: descent on both, started where y has nowhere to go.
    return [*trials, Config(method="descent", start=(1.0, 0.0))]


STUDY = Study(
    package=__package__,
    title="Minimax",
    summary="Gradient methods at a saddle point: which converge, from where, and for which step sizes.",
    sources=("nyu-2025-hw3/1",),
    config=Config,
    presets=(smoke, quick, full),
    instant=full,
    examples=(
        'workings run minimax --f "x*y + 0.1*x**2" --method extragradient --eta 0.5',
        'workings run minimax --a "2 0; 0 3" --b "1; 0" --c "4" --start 1 1 1',
    ),
)
