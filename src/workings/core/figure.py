"""Figures as data: a caption, a text for those who cannot see it, and a function from evidence to a picture.

    @figure("spectral-radius", caption="Each method converges where its curve lies below 1.", alt="…")
    def spectral_radius(evidence: Evidence) -> "Figure":
        ...

A figure draws with whatever style is in force (the report sets it, light or dark) and takes its colours from there. A
number in a title or label comes from the evidence, never from the keyboard. What it lacks is `MissingEvidence`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workings.core.evidence import Evidence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[Evidence], "Figure"]


@dataclass(frozen=True)
class FigureSpec:
    """A figure of a study."""

    id: str
    caption: str
    """One sentence: what to see in it."""
    alt: str
    """What a person who cannot see it would be told."""
    draw: Draw


def figure(id: str, *, caption: str, alt: str) -> Callable[[Draw], FigureSpec]:
    """Turn a drawing function into a `FigureSpec`."""
    return lambda draw: FigureSpec(id, caption, alt, draw)
