"""What the first page shows of all there is: a few figures, and the corrections to what was published.

Nothing is chosen by its outcome: preferred ids come first, in the order of their lists here, and where they are absent
(not drawn yet, or no longer refuted) others take their place.
"""

from collections.abc import Mapping, Sequence

from workings.core.claim import Kind
from workings.core.ledger import Finding
from workings.core.study import Study
from workings.report.chapters import Chapter
from workings.report.drawings import Drawing

FIGURES = (
    "minimax.phase-portrait",
    "circulant.every-shift",
    "hopfield.recalled",
    "iou.gradient-fields",
    "filters.four-filters",
    "spelling.attention",
)
"""The figures that say most at a glance."""
CORRECTIONS = ("minimax.ascent-rule", "minimax.step-range-derivation")
"""The corrections that anyone can check in their head."""
MOST_FIGURES = 6
MOST_CORRECTIONS = 5
"""The page of errata has them all."""


def figures(book: Sequence[Chapter], drawings: Mapping[str, Sequence[Drawing]]) -> list[tuple[Study, Drawing]]:
    """The preferred figures that are drawn, then the first one of each study that has none among them."""
    studies = {chapter.study.id: chapter.study for chapter in book}
    drawn = {f"{id}.{d.spec.id}": (studies[id], d) for id in studies for d in drawings[id] if d.missing is None}
    chosen = [drawn[name] for name in FIGURES if name in drawn]
    for study in studies.values():
        own = [entry for entry in drawn.values() if entry[0] is study]
        if own and all(other is not study for other, _ in chosen):
            chosen.append(own[0])
    return chosen[:MOST_FIGURES]


def corrections(book: Sequence[Chapter]) -> list[Finding]:
    """The refuted statements of published answers: preferred ones first, slips of wording last."""
    rank = {name: place for place, name in enumerate(CORRECTIONS)}
    wrong = [
        finding
        for chapter in book
        for finding in chapter.findings
        if finding.verdict.kind is Kind.REFUTED and finding.claim.published
    ]
    return sorted(
        wrong, key=lambda f: (rank.get(f.id, len(rank)), f.claim.basis == "transcribed", f.claim.source, f.id)
    )
