"""How the spellers' claims are decided: which runs are compared, over seeds and words, and against published figures.

Comparisons pair over seeds and test words (`core.decide.better`); a published figure is one run by others, and is held
against where one more of our runs would fall (`core.decide.agrees`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.core.claim import Verdict, inconclusive, refuted, supported
from workings.core.decide import Agreement, Contest, agrees, better
from workings.core.evidence import Evidence

BETTER_RULE = (
    "Over seeds (paired, Student's t) and over test words (paired bootstrap), the 95 % intervals of the difference in "
    "CER and in WER must all lie on one side of zero; else, or with fewer than three seeds, inconclusive."
)
AGREES_RULE = (
    "Each figure must fall into the 95 % prediction interval for one more of our runs (Student's t over seeds): one "
    "outside refutes; fewer than three seeds, or an interval wider than half the mean, is inconclusive."
)

GREEDY = {"cer": "test/greedy/cer", "wer": "test/greedy/wer", "validation_cer": "validation/cer"}
"""Our metric for each published figure; of a validation series the best epoch counts."""


def recipe(evidence: Evidence, *, attention: bool | None) -> Evidence:
    """The runs of the sheet's recipe, of one variant or of both."""
    fields: dict[str, Any] = {"task": "train", "layers": 1, "direction": "spell", "smoothing": 0.0}
    return evidence.where(**fields, **({} if attention is None else {"attention": attention}))


def stronger(evidence: Evidence) -> Evidence:
    """The runs of the stronger model."""
    return evidence.where(task="train", layers=2, direction="spell")


def parameter_count(evidence: Evidence, name: str, *, attention: bool) -> Verdict:
    """Whether the built network has the transcribed number of parameters."""
    stated = evidence.published[name]["value"]
    counted = int(evidence.where(task="count", attention=attention).one().metric("parameters"))
    if counted != stated:
        return refuted(
            f"The network has {counted:,} parameters, not {stated:,}.", witness={"counted": counted, "stated": stated}
        )
    return supported(f"{counted:,} parameters, as the layers add up to.", parameters=counted)


def contests(first: tuple[Evidence, str], second: tuple[Evidence, str]) -> dict[str, Contest]:
    """Errors in symbols (weighed by length) and in words of two systems on the same test words."""
    lengths = first[0].one().array("test/lengths").astype(float)
    one, other = (
        np.stack([run.array(f"test/{method}/distances")[0] for run in evidence]).astype(float)
        for evidence, method in (first, second)
    )
    return {"cer": better(one, other, weights=lengths), "wer": better((one > 0) * 1.0, (other > 0) * 1.0)}


def misses(evidence: Evidence, *, samples: int) -> NDArray[np.float64]:
    """1 where none of the first nucleus samples of a word is right: ``[seeds, words]``."""
    return np.stack([(run.array("test/nucleus/distances")[:samples] > 0).all(0) for run in evidence]).astype(float)


def ruled(contests: Mapping[str, Contest], first: str, second: str) -> Verdict:
    """Supported where the first has the lower error in every metric, refuted where it has the higher in one."""
    numbers = {metric: contest.numbers() for metric, contest in contests.items()}
    means = {metric: (contest.by_seed.first, contest.by_seed.second) for metric, contest in contests.items()}
    told = "; ".join(f"{m.upper()} {one:.3f} {first}, {other:.3f} {second}" for m, (one, other) in means.items())
    verdicts = {contest.verdict for contest in contests.values()}
    seeds = min(contest.by_seed.seeds for contest in contests.values())
    if "higher" in verdicts:
        metric = next(m for m, contest in contests.items() if contest.verdict == "higher")
        return refuted(
            f"{told}.", witness={"metric": metric, first: means[metric][0], second: means[metric][1]}, **numbers
        )
    if verdicts == {"lower"}:
        return supported(f"{told} (means of {seeds} seeds).", **numbers)
    why = "too few seeds or words to decide" if "underpowered" in verdicts else "an interval holds zero"
    return inconclusive(f"{told}: {why} ({seeds} seed{'s' * (seeds != 1)}).", **numbers)


def held_against_published(evidence: Evidence, name: str, metrics: Mapping[str, str]) -> Verdict:
    """Hold each published figure against our seeds; one that falls outside refutes."""
    stated = evidence.published[name]
    values = {
        figure: [_best(run.series(metric)) for run in evidence]
        if metric.startswith("validation/")
        else evidence.metric(metric)
        for figure, metric in metrics.items()
    }
    found = {figure: agrees(stated[figure], values[figure]) for figure in metrics}
    numbers = {
        figure: {"published": stated[figure], "ours": values[figure], **interval_of(f)} for figure, f in found.items()
    }
    told = "; ".join(f"{figure} {stated[figure]:.3f} published, {f.mean:.3f} here" for figure, f in found.items())
    outside = [figure for figure, f in found.items() if f.verdict == "outside"]
    if outside:
        worst = outside[0]
        witness = {"figure": worst, "published": stated[worst], "ours": values[worst], **interval_of(found[worst])}
        return refuted(f"{told}: {', '.join(outside)} outside our interval.", witness=witness, **numbers)
    if all(f.verdict == "inside" for f in found.values()):
        return supported(f"{told}.", **numbers)
    return inconclusive(f"{told}: too few seeds, or too wide an interval, to decide.", **numbers)


def interval_of(found: Agreement) -> dict[str, Any]:
    """Our mean, and where one more run would fall, for the ledger."""
    return {"mean": found.mean, "interval": None if found.interval is None else found.interval.to_json()}


def _best(series: list[tuple[int, float]]) -> float:
    return min(value for _, value in series)
