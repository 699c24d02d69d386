"""Drawing figures in the report's one style, once for light pages and once for dark ones.

Text becomes paths, so that a figure looks alike where its fonts are missing; the same evidence gives the same bytes.
"""

import io
import sys

from workings.core.evidence import Evidence
from workings.core.figure import FigureSpec
from workings.core.study import Study
from workings.drawing import SCHEMES, Scheme, in_style
from workings.report import cache

__all__ = ["SCHEMES", "Scheme", "kept_figure", "render", "without_windows"]


def without_windows() -> None:
    """Let nothing drawn from now on open a window, unless the process has chosen a way of showing figures already."""
    import matplotlib

    if "matplotlib.pyplot" not in sys.modules:
        matplotlib.use("agg")


def kept_figure(study: Study, spec: FigureSpec, evidence: Evidence, scheme: Scheme, state: str = "") -> bytes:
    """A figure as `render` draws it; drawn once for the same code and evidence (`state` is its key, where at hand)."""
    key = (spec.id, scheme, cache.of_study(study), state or cache.of_evidence(evidence))
    return cache.kept("figures", key, lambda: render(spec, evidence, scheme))


def render(spec: FigureSpec, evidence: Evidence, scheme: Scheme) -> bytes:
    """Draw a figure as SVG on a transparent ground; `MissingEvidence` passes through."""
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
            drawn.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
        finally:
            for number in set(plt.get_fignums()) - known:
                plt.close(number)
    return target.getvalue()
