"""Claims of every verdict, one of them with hostile text."""

from workings.core.claim import Opinion, Verdict, claim, inconclusive, refuted, supported
from workings.core.evidence import Evidence


@claim(
    "converges",
    statement="Every step with 0 < η < 1 brings x closer to 0.",
    source="toy-sheet/1",
    rule="Supported where the last loss is below the first in every run.",
    basis="measured",
    expect="supported",
)
def converges(evidence: Evidence) -> Verdict:
    losses = evidence.metric("loss")
    return supported(
        "Every run ends lower than it began.",
        mean_loss=sum(losses) / len(losses),
        interval=(min(losses), max(losses)),
        runs=len(losses),
        loss={"low": min(losses), "high": max(losses)},
        parameters=int(evidence.one().metric("parameters")),
    )


@claim(
    "factor",
    statement="Each step multiplies x by 1 + 2η.",
    source="toy-sheet/1b",
    rule="Refuted by any step size whose true factor differs from the published one by more than rounding.",
    basis="exhaustive",
    about="none",
    published=True,
    expect="refuted",
)
def factor(evidence: Evidence) -> Verdict:
    eta = evidence.one().config["eta"]
    return refuted(
        "The factor is 1 − 2η: the published sign is wrong.",
        witness={"eta": eta, "published_factor": 1 + 2 * eta, "true_factor": evidence.one().metric("contraction")},
    )


@claim(
    "hostile",
    statement="<script>alert('statement')</script> & <b>bold</b>",
    source="own",
    rule="None: <img src=x onerror=alert(1)>",
    basis="sampled",
)
def hostile(evidence: Evidence) -> Verdict:
    return inconclusive("<script>alert('sentence')</script>")


@claim(
    "elsewhere",
    statement="The published loss on the other course's points is 0.25.",
    source="toy-sheet/2",
    rule="Refuted where the interval over seeds leaves 0.25 out.",
    basis="measured",
    about="other-course",
    published=True,
)
def elsewhere(evidence: Evidence) -> Verdict:
    return supported("It is.")


@claim(
    "accuracy",
    statement="Validation accuracy passes one half.",
    source="toy-sheet/2",
    rule="Supported where every seed passes one half.",
    basis="measured",
)
def accuracy(evidence: Evidence) -> Verdict:
    return supported(f"It is {evidence.metric('validation/accuracy')}.")


BEAUTY = Opinion(
    "beauty", "The parabola is the most beautiful of curves.", "toy-sheet/2", "Beauty is not measured here."
)
