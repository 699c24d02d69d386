"""A claim of every kind."""

from workings.core.claim import Opinion, Verdict, claim, inconclusive, refuted, supported
from workings.core.evidence import Evidence


@claim(
    "ten-pips",
    source="toy-2025/1a",
    basis="exhaustive",
    about="none",
    published=True,
    expect="supported",
    statement="A toy fruit has ten pips.",
    rule="Supported where the count is the published one.",
)
def ten_pips(evidence: Evidence) -> Verdict:
    counted = evidence.where(task="count").one().metric("pips")
    if counted == evidence.published["ten-pips"]["value"]:
        return supported("There are as many.", counted=counted)
    return refuted("There are not.", witness={"counted": counted})


@claim(
    "pips-are-odd",
    source="toy-2025/1b",
    basis="exhaustive",
    about="none",
    expect="refuted",
    statement="The number of pips is odd.",
    rule="Refuted by an even count.",
)
def pips_are_odd(evidence: Evidence) -> Verdict:
    counted = evidence.where(task="count").one().metric("pips")
    if counted % 2:
        return supported("It is odd.")
    return refuted("It is even.", witness={"counted": counted, "half": counted / 2})


@claim(
    "error-falls",
    source="toy-2025/10",
    basis="measured",
    statement="The error falls with the epochs.",
    rule="Supported where the last error of every run is below its first.",
)
def error_falls(evidence: Evidence) -> Verdict:
    series = [run.series("error") for run in evidence.where(task="measure")]
    if any(len(s) < 2 for s in series):
        return inconclusive("A run has one epoch.")
    if all(s[-1][1] < s[0][1] for s in series):
        return supported("It falls.", last=[s[-1][1] for s in series])
    return refuted("It does not.", witness={"series": [list(s) for s in series]})


@claim(
    "apples-err-little",
    source="toy-2025/2",
    basis="measured",
    about="apples",
    published=True,
    statement="The error on apples is under seven.",
    rule="Supported where the mean error is below the published bound.",
)
def apples_err_little(evidence: Evidence) -> Verdict:
    errors = evidence.where(task="measure").metric("error")
    mean, bound = sum(errors) / len(errors), evidence.published["apples-err-little"]["value"]
    if mean < bound:
        return supported("It is.", mean=mean, bound=bound)
    return refuted("It is not.", witness={"mean": mean, "bound": bound})


APPLES_ARE_PRETTY = Opinion("apples-are-pretty", "Apples are pretty.", "toy-2025/2", "Beauty is not measured.")
