"""Claims and verdicts: a statement, the rule fixed before the run, and a pure check of the evidence.

    @claim("ascent-rule", source="nyu-2025-hw3/1b", basis="exhaustive", published=True, expect="refuted",
           statement="Ascent multiplies y by 1 + 8η at each step.",
           rule="Refuted by any start and step size whose true ascent step differs from the rule.")
    def ascent_rule(evidence: Evidence) -> Verdict:
        ...
        return refuted("Ascent multiplies y by 1 − 8η.", witness={"eta": 0.1, "y": 1.0, "rule": 1.8, "true": 0.2})

A check reads evidence and nothing else. What it cannot find there makes the verdict *not run*; evidence from data the
claim does not speak about makes it *inconclusive*. Both are settled here, once, by `decide`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from workings.core.errors import MissingEvidence
from workings.core.evidence import ANY, NONE, Evidence

Basis = Literal["symbolic", "exhaustive", "sampled", "measured", "transcribed"]
"""What a verdict rests on: algebra, every case, random cases, trained systems, or the wording of a document."""


class Kind(StrEnum):
    """The four verdicts."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    NOT_RUN = "not-run"


@dataclass(frozen=True)
class Verdict:
    """What the evidence says of a claim."""

    kind: Kind
    sentence: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """Effect sizes, spreads and intervals by name."""
    witness: Mapping[str, Any] | None = None
    """A counter-example that anyone can evaluate; every refutation has one."""

    def __post_init__(self) -> None:
        if (self.kind is Kind.REFUTED) != (self.witness is not None):
            raise ValueError(f"a refutation, and nothing else, carries a witness: {self}")


def supported(sentence: str, **numbers: Any) -> Verdict:
    """The evidence bears the claim out."""
    return Verdict(Kind.SUPPORTED, sentence, numbers)


def refuted(sentence: str, *, witness: Mapping[str, Any], **numbers: Any) -> Verdict:
    """The evidence contradicts the claim, and the witness shows where."""
    return Verdict(Kind.REFUTED, sentence, numbers, witness)


def inconclusive(sentence: str, **numbers: Any) -> Verdict:
    """The evidence is there and does not decide."""
    return Verdict(Kind.INCONCLUSIVE, sentence, numbers)


def not_run(sentence: str) -> Verdict:
    """There is no evidence."""
    return Verdict(Kind.NOT_RUN, sentence)


Check = Callable[[Evidence], Verdict]


@dataclass(frozen=True)
class Claim:
    """A checkable statement of a sheet, of its published answer, or of our own."""

    id: str
    statement: str
    source: str
    """Sheet and question, as in ``nyu-2025-hw3/1b``; ``own`` where the statement is ours."""
    rule: str
    """What would decide it, fixed before the run."""
    basis: Basis
    check: Check
    about: tuple[str, ...] = (ANY,)
    """Ids of the datasets it speaks about, or `ANY`, or `NONE` for exact statements."""
    published: bool = False
    """Whether a published answer states it."""
    expect: Literal["supported", "refuted"] | None = None
    """The verdict it must reach where the truth is known; None where it has to be measured."""
    repair: str = ""
    """The smallest change that makes a wrong statement right, for the errata."""


@dataclass(frozen=True)
class Opinion:
    """A statement of the sources that no evidence could decide, and why."""

    id: str
    statement: str
    source: str
    why: str


def claim(
    id: str,
    *,
    statement: str,
    source: str,
    rule: str,
    basis: Basis,
    about: str | tuple[str, ...] = ANY,
    published: bool = False,
    expect: Literal["supported", "refuted"] | None = None,
    repair: str = "",
) -> Callable[[Check], Claim]:
    """Turn a check into a `Claim`."""

    def bind(check: Check) -> Claim:
        datasets = (about,) if isinstance(about, str) else about
        return Claim(id, statement, source, rule, basis, check, datasets, published, expect, repair)

    return bind


def decide(claim: Claim, evidence: Evidence, preset: str = "full") -> Verdict:
    """The verdict on a claim: *not run* without evidence, *inconclusive* on foreign data, else what the check says.

    `preset` is the one that makes the evidence, where there is none.
    """
    remedy = f"`workings run {evidence.study} --preset {preset}` makes the evidence"
    if not evidence.runs:
        return not_run(f"No run has finished: {remedy}.")
    foreign = set(evidence.datasets) - set(claim.about)
    if not {ANY, NONE} & set(claim.about) and foreign:
        seen, wanted = (", ".join(sorted(ids)) for ids in (foreign, claim.about))
        return inconclusive(f"The claim speaks about {wanted}; the evidence is from {seen}, which cannot decide it.")
    try:
        return claim.check(evidence)
    except MissingEvidence as missing:
        return not_run(f"{str(missing)[0].upper()}{str(missing)[1:]}: {remedy}.")
