"""The figures of a chapter: drawn in both schemes, or a word on what they lack and the command that makes it.

What a slice draws with may take seconds to load (torch, matplotlib). So captions are kept beside the pictures, and a
slice's `figures` is loaded only where something has to be drawn.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workings.core.errors import MissingEvidence
from workings.core.evidence import ANY, Evidence
from workings.core.figure import Draw, FigureSpec
from workings.core.study import Study
from workings.report import cache, commands
from workings.report.chapters import Chapter, origin
from workings.report.figures import SCHEMES, kept_figure
from workings.report.formatting import slug

LACKS = "lacks"
"""What is noted in the cache of figures that were drawn, and of those that could not be."""


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
    state, command = cache.of_evidence(evidence), commands.make(chapter.archive, evidence)
    for spec in kept_specs(chapter.study):
        name = slug(f"{chapter.study.id}-{spec.id}")
        missing = lack(chapter.study, spec, evidence, state)
        if missing is None:
            for scheme in SCHEMES:
                picture = kept_figure(chapter.study, spec, evidence, scheme, state=state)
                (folder / f"{name}.{scheme}.svg").write_bytes(picture)
        yield Drawing(spec, name, missing, command, _basis(evidence))


def kept_specs(study: Study) -> list[FigureSpec]:
    """A study's figures, whose module is loaded when the first of them is drawn."""

    def tell() -> bytes:
        return json.dumps([(spec.id, spec.caption, spec.alt) for spec in study.figures]).encode()

    def later(id: str) -> Draw:
        return lambda evidence: next(spec for spec in study.figures if spec.id == id).draw(evidence)

    told = json.loads(cache.kept("captions", (study.id, cache.of_study(study)), tell))
    return [FigureSpec(id, caption, alt, later(id)) for id, caption, alt in told]


def is_drawn(study: Study, figure: str, state: str) -> bool:
    """Whether a figure, by its id, has been drawn (or found to lack something) from the evidence of this key."""
    return cache.holds(LACKS, (figure, cache.of_study(study), state))


def lack(study: Study, spec: FigureSpec, evidence: Evidence, state: str = "") -> str | None:
    """What is missing; None where both schemes are drawn, and kept."""
    if not evidence.runs:
        return f"{evidence.study} has no finished run"
    state = state or cache.of_evidence(evidence)

    def attempt() -> bytes:
        try:
            for scheme in SCHEMES:
                kept_figure(study, spec, evidence, scheme, state=state)
        except MissingEvidence as error:
            return str(error).encode()
        return b""

    return cache.kept(LACKS, (spec.id, cache.of_study(study), state), attempt).decode() or None


def _basis(evidence: Evidence) -> str:
    where = f"preset {evidence.preset}" if evidence.preset else "settings of its own"
    data = f" on {', '.join(evidence.datasets)}" if evidence.datasets else ""
    return f"{origin(evidence.runs)} evidence, {where}{data}".strip()
