"""Where steps raise the loss, as a map over place and step size: for the report, and for a person's own terms."""

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from workings.studies.sgd.model import Loss

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID = 500
"""Points of the map on each side."""


def map_of_rises(axes: "Axes", loss: Loss, most: float) -> None:
    """Colour, for each term, the places w and step sizes η up to `most` where a step on it raises f."""
    centres = [float(term.c) for term in loss.terms]
    m, room = float(loss.minimiser), 0.6 * (max(centres) - min(centres) or 1.0)
    w = np.linspace(min(centres) - room, max(centres) + room, GRID)
    eta = np.linspace(most / GRID, most, GRID)
    for index, term in enumerate(loss.terms):
        a, c = float(term.a), float(term.c)
        pull = eta[:, None] * a * (w - c)  # the step on this term is w − pull
        rises = pull * (pull / 2 - (w - m)) > 0
        colour = f"C{index % 7}"
        axes.contourf(w, eta, rises, levels=[0.5, 1.5], colors=[colour], alpha=0.35)
        axes.contour(w, eta, rises, levels=[0.5], colors=[colour], linewidths=1.0)
        inwards = -1 if c > m else 1
        axes.annotate(
            f"a step on the term\nleast at {_plain(term.c)}\nraises f",
            (c, most * (0.04 + 0.22 * (index // 2))),
            (8 * inwards, 0),
            textcoords="offset points",
            color=colour,
            ha="left" if inwards > 0 else "right",
            va="bottom",
            fontsize="small",
        )
    axes.axvline(m, color="grey", linewidth=1.2, linestyle="--")
    axes.annotate(
        f"the minimiser {_plain(loss.minimiser)}",
        (m, most),
        (0, 4),
        textcoords="offset points",
        color="grey",
        ha="center",
        fontsize="small",
    )
    axes.set_xlim(w[0], w[-1])
    axes.set_ylim(0, most)
    axes.set_xlabel("place w")
    axes.set_ylabel("step size η, in units of 1/curvature")


def _plain(number: Fraction) -> str:
    return str(number) if number.denominator <= 1000 else f"{float(number):.4g}"
