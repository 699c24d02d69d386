"""Figures for documents: in both schemes for pages, and as PNG for notebooks."""

from workings.core.evidence import Evidence
from workings.core.figure import FigureSpec
from workings.core.study import Study
from workings.report.documents.blocks import FigureBlock
from workings.report.figures import SCHEMES, kept_figure, without_windows


def drawn(study: Study, spec: FigureSpec, evidence: Evidence) -> FigureBlock:
    """A figure with all that documents show of it; `MissingEvidence` where it lacks something."""
    without_windows()
    svg: dict[str, bytes] = {scheme: kept_figure(study, spec, evidence, scheme) for scheme in SCHEMES}
    return FigureBlock(study.id, spec, svg, kept_figure(study, spec, evidence, "light", "png"))
