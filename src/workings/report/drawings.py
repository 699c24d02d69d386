"""The figures of a chapter: drawn in both schemes, or a word on what they lack and the command that makes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workings.core.errors import MissingEvidence
from workings.core.evidence import ANY, Evidence
from workings.core.figure import FigureSpec
from workings.core.study import Study
from workings.report import commands
from workings.report.chapters import Chapter, origin
from workings.report.figures import SCHEMES, kept_figure, without_windows
from workings.report.formatting import slug


@dataclass(frozen=True)
class Drawing:
    """A figure as the page shows it."""

    spec: FigureSpec
    file: str
    """Its name in ``figure/``, without scheme and suffix."""
    missing: str | None
    """What it lacks, where it could not be drawn."""
    command: str | None
    """What makes the evidence it lacks, where a preset does."""
    basis: str
    """The evidence it shows: preset, and whether fresh or recorded."""


def draw(chapter: Chapter, folder: Path) -> Iterator[Drawing]:
    """Draw each figure into ``folder``."""
    if not chapter.study.has("figures"):
        return
    evidence = chapter.archive.evidence((ANY,))
    command = commands.make(chapter.study, evidence)
    without_windows()
    for spec in chapter.study.figures:
        name = slug(f"{chapter.study.id}-{spec.id}")
        yield Drawing(spec, name, _lack(chapter.study, spec, evidence, folder / name), command, _basis(evidence))


def _lack(study: Study, spec: FigureSpec, evidence: Evidence, path: Path) -> str | None:
    """Draw both schemes, and return None, or what is missing."""
    if not evidence.runs:
        return f"{evidence.study} has no finished run"
    try:
        for scheme in SCHEMES:
            path.with_name(f"{path.name}.{scheme}.svg").write_bytes(kept_figure(study, spec, evidence, scheme))
    except MissingEvidence as error:
        return str(error)
    return None


def _basis(evidence: Evidence) -> str:
    where = f"preset {evidence.preset}" if evidence.preset else "settings of its own"
    data = f" on {', '.join(evidence.datasets)}" if evidence.datasets else ""
    return f"{origin(evidence.runs)} evidence, {where}{data}".strip()
