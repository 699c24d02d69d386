"""Drawing figures in the report's one style, once for light pages and once for dark ones.

Text becomes paths, so that a figure looks alike where its fonts are missing; the same evidence gives the same bytes.
"""

import io
import sys
from pathlib import Path
from typing import Literal, get_args

from workings.core.evidence import Evidence
from workings.core.figure import FigureSpec

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
STYLES = Path(__file__).parent / "style"


def without_windows() -> None:
    """Let nothing drawn from now on open a window, unless the process has chosen a way of showing figures already."""
    import matplotlib

    if "matplotlib.pyplot" not in sys.modules:
        matplotlib.use("agg")


def render(spec: FigureSpec, evidence: Evidence, scheme: Scheme) -> bytes:
    """Draw a figure as SVG on a transparent ground; `MissingEvidence` passes through."""
    import matplotlib.pyplot as plt

    with plt.style.context([STYLES / "shared.mplstyle", STYLES / f"{scheme}.mplstyle"]):
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
