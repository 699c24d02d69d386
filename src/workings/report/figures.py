"""Drawing figures in the report's one style, once for light pages and once for dark ones.

Text becomes paths, so that a figure looks alike where its fonts are missing; the same evidence gives the same bytes.
"""

import io
import sys
from typing import Literal

from workings.core.evidence import Evidence
from workings.core.figure import FigureSpec
from workings.core.study import Study
from workings.drawing import SCHEMES, Scheme, in_style
from workings.report import cache

__all__ = ["SCHEMES", "Kind", "Scheme", "kept_figure", "render", "without_windows"]

Kind = Literal["svg", "png"]
DPI = 144
"""Dots an inch of a PNG: sharp on a screen of twice the usual density."""


def without_windows() -> None:
    """Let nothing drawn from now on open a window, unless the process has chosen a way of showing figures already."""
    import matplotlib

    if "matplotlib.pyplot" not in sys.modules:
        matplotlib.use("agg")


def kept_figure(
    study: Study, spec: FigureSpec, evidence: Evidence, scheme: Scheme, kind: Kind = "svg", state: str = ""
) -> bytes:
    """A figure as `render` draws it; drawn once for the same code and evidence (`state` is its key, where at hand)."""
    key = (spec.id, scheme, cache.of_study(study), state or cache.of_evidence(evidence))
    return cache.kept(f"figures-{kind}", key, lambda: render(spec, evidence, scheme, kind))


def render(spec: FigureSpec, evidence: Evidence, scheme: Scheme, kind: Kind = "svg") -> bytes:
    """Draw a figure on a transparent ground (a PNG on white); `MissingEvidence` passes through."""
    without_windows()
    import matplotlib.pyplot as plt

    with in_style(scheme):
        known = set(plt.get_fignums())
        try:
            drawn = spec.draw(evidence)
            for axes in drawn.axes:
                if axes.images:  # a grid would lie over the picture
                    axes.grid(visible=False)
            target = io.BytesIO()
            if kind == "svg":
                drawn.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
            else:
                drawn.savefig(target, format="png", dpi=DPI, facecolor="white", transparent=False)
        finally:
            for number in set(plt.get_fignums()) - known:
                plt.close(number)
    return target.getvalue()
