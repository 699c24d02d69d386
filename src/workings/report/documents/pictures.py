"""Figures for documents: in both schemes for pages, and as PNG for notebooks."""

import tempfile
from pathlib import Path

from workings.core.evidence import Evidence
from workings.core.figure import FigureSpec
from workings.core.study import Study
from workings.report import cache
from workings.report.documents.blocks import FigureBlock
from workings.report.figures import SCHEMES, kept_figure

DPI = 144
"""Dots an inch of a PNG: sharp on a screen of twice the usual density."""
PAGE = '#set page(width: auto, height: auto, margin: 0pt, fill: white)\n#image("figure.svg")\n'


def drawn(study: Study, spec: FigureSpec, evidence: Evidence) -> FigureBlock:
    """A figure with all that documents show of it; `MissingEvidence` where it lacks something."""
    return FigureBlock(study.id, spec, {scheme: kept_figure(study, spec, evidence, scheme) for scheme in SCHEMES})


def as_png(svg: bytes) -> bytes:
    """An SVG on white, by typst: a tenth of the time that drawing the figure once more would take."""

    def made() -> bytes:
        import typst

        with tempfile.TemporaryDirectory(prefix="workings-") as folder:
            Path(folder, "figure.svg").write_bytes(svg)
            Path(folder, "page.typ").write_text(PAGE, encoding="utf-8")
            return bytes(typst.compile(str(Path(folder, "page.typ")), format="png", ppi=DPI))

    return cache.kept("pngs", (DPI, svg), made)
