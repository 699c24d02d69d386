"""The ledger: every claim with its verdict, and what the verdict rests on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workings.core.claim import Claim, Kind, Verdict, decide
from workings.core.errors import UserError, suggestion
from workings.core.evidence import Archive, Evidence
from workings.core.study import Study


@dataclass(frozen=True)
class Finding:
    """One line of the ledger."""

    study: Study
    claim: Claim
    verdict: Verdict
    evidence: Evidence
    stale: int
    """How many runs of another version of the study were left aside."""

    @property
    def id(self) -> str:
        """Study and claim, as in ``minimax.ascent-rule``."""
        return f"{self.study.id}.{self.claim.id}"

    @property
    def contradicts(self) -> bool:
        """The verdict came out the other way round than the study expects."""
        decided = self.verdict.kind in (Kind.SUPPORTED, Kind.REFUTED)
        return decided and self.claim.expect is not None and self.verdict.kind != self.claim.expect

    @property
    def open(self) -> bool:
        """Inconclusive or not run."""
        return self.verdict.kind in (Kind.INCONCLUSIVE, Kind.NOT_RUN)

    def to_json(self) -> dict[str, Any]:
        """The machine-readable line: `workings check --json`."""
        return {
            "id": self.id,
            "study": self.study.id,
            "source": self.claim.source,
            "statement": self.claim.statement,
            "rule": self.claim.rule,
            "published": self.claim.published,
            "expect": self.claim.expect,
            "verdict": str(self.verdict.kind),
            "summary": self.verdict.sentence,
            "numbers": dict(self.verdict.numbers),
            "basis": self.claim.basis,
            "about": list(self.claim.about),
            "datasets": list(self.evidence.datasets),
            "recorded": self.evidence.recorded,
            "preset": self.evidence.preset,
            "witness": None if self.verdict.witness is None else dict(self.verdict.witness),
            "runs": [run.id for run in self.evidence.runs],
            "stale_runs": self.stale,
        }


def judge(archive: Archive, claims: Sequence[Claim]) -> list[Finding]:
    """The verdict on each of these claims of one study."""
    findings = []
    for claim in claims:
        evidence = archive.evidence(claim.about)
        verdict = decide(claim, evidence, archive.study.preset_about(claim.about))
        findings.append(Finding(archive.study, claim, verdict, evidence, len(archive.stale)))
    return findings


def select(studies: Mapping[str, Study], selectors: Iterable[str]) -> dict[str, list[Claim]]:
    """The claims that selectors name, by study id.

    A selector is a study (``minimax``), a claim (``minimax.ascent-rule``) or a sheet, with or without its question
    (``nyu-2025-hw3``, ``nyu-2025-hw3/1b``). No selector names everything;
    one that names nothing is a `UserError`.
    """
    selectors = list(selectors)
    chosen: dict[str, list[Claim]] = {}
    used: set[str] = set()
    for study in studies.values():
        for claim in study.claims:
            hits = {s for s in selectors if _names(s, study, claim)}
            used |= hits
            if hits or not selectors:
                chosen.setdefault(study.id, []).append(claim)
    for selector in selectors:
        if selector not in used:
            known = _known(studies)
            raise UserError(
                f"nothing is called {selector!r}{suggestion(selector, known)}: "
                "name a study, a claim (STUDY.CLAIM) or a sheet, as `workings list` shows them"
            )
    return chosen


def _names(selector: str, study: Study, claim: Claim) -> bool:
    sheet = claim.source == selector or claim.source.startswith((f"{selector}/", f"{selector}."))
    return sheet or selector in (study.id, f"{study.id}.{claim.id}") or _is_question(selector, claim.source)


def _is_question(selector: str, source: str) -> bool:
    """``nyu-2025-hw3/1`` names question 1 with its parts 1a, 1b, and not question 10."""
    rest = source.removeprefix(selector)
    return "/" in selector and rest != source and not rest[:1].isdigit()


def _known(studies: Mapping[str, Study]) -> list[str]:
    claims = [f"{study.id}.{claim.id}" for study in studies.values() for claim in study.claims]
    sheets = [claim.source for study in studies.values() for claim in study.claims]
    return [*studies, *claims, *sheets, *(sheet.partition("/")[0] for sheet in sheets)]
