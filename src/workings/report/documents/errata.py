"""The errata: every statement of a sheet or a published answer that evidence refutes, its witness, and the repair."""

from collections.abc import Callable, Sequence

from workings.core.claim import Kind
from workings.core.ledger import Finding
from workings.report.documents.blocks import Block, ClaimBlock
from workings.report.formatting import source


def refuted(findings: Sequence[Finding]) -> list[Finding]:
    """The refuted statements that are not our own, by sheet and question."""
    wrong = [f for f in findings if f.verdict.kind is Kind.REFUTED and f.claim.source != "own"]
    return sorted(wrong, key=lambda finding: finding.claim.source)


def errata(findings: Sequence[Finding], place: Callable[[Block], str]) -> str:
    """The list as Markdown: a heading for each sheet, then each statement with its verdict."""
    parts: list[str] = []
    sheet = ""
    for finding in refuted(findings):
        if (name := finding.claim.source.partition("/")[0]) != sheet:
            sheet = name
            parts.append(f"\n\n## {source(sheet)} {{#{sheet}}}\n\n")
        parts.append(f"{place(ClaimBlock(finding))}\n\n")
    return "".join(parts) or "Nothing has been refuted yet."
