"""What the sheet, the published answer and we say of the spellers, and how it is decided.

Comparisons pair over seeds and test words (`core.decide.better`); a published figure is one run by others, and is held
against where one more of our runs would fall (`core.decide.agrees`).
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workings.core.claim import Opinion, Verdict, claim, inconclusive, refuted, supported
from workings.core.decide import Agreement, Contest, agrees, better
from workings.core.evidence import NONE, Evidence

COURSE = "ist-p2g"
Metric = Literal["cer", "wer"]

BETTER_RULE = (
    "Over seeds (paired, Student's t) and over test words (paired bootstrap), the 95 % intervals of the difference in "
    "CER and in WER must all lie on one side of zero; else, or with fewer than three seeds, inconclusive."
)
AGREES_RULE = (
    "Each figure must fall into the 95 % prediction interval for one more of our runs (Student's t over seeds): one "
    "outside refutes; fewer than three seeds, or an interval wider than half the mean, is inconclusive."
)


@claim(
    "parameters-plain",
    source="ist-2025-hw2/3.1a",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="Without attention the network has as many parameters as the sheet's layers add up to.",
    rule="The count over the built network's tensors, tied ones once, must equal the transcribed sum.",
)
def parameters_plain(evidence: Evidence) -> Verdict:
    return _parameters(evidence, "parameters-plain", attention=False)


@claim(
    "parameters-attention",
    source="ist-2025-hw2/3.1b",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="With attention the network has as many parameters as the sheet's layers add up to.",
    rule="The count over the built network's tensors, tied ones once, must equal the transcribed sum.",
)
def parameters_attention(evidence: Evidence) -> Verdict:
    return _parameters(evidence, "parameters-attention", attention=True)


@claim(
    "attention-helps",
    source="ist-2025-hw2/3.1b",
    basis="measured",
    published=True,
    statement="Attention lowers both the character and the word error rate.",
    rule=BETTER_RULE,
)
def attention_helps(evidence: Evidence) -> Verdict:
    plain, attending = recipe(evidence, attention=False).beside(recipe(evidence, attention=True))
    contests = _contests((attending, "greedy"), (plain, "greedy"))
    return _ruled(contests, "with attention", "without")


@claim(
    "sampling-costs-accuracy",
    source="ist-2025-hw2/3.1c",
    basis="measured",
    published=True,
    statement="One nucleus sample is worse than greedy decoding, in CER and in WER.",
    rule=BETTER_RULE,
)
def sampling_costs_accuracy(evidence: Evidence) -> Verdict:
    attending = recipe(evidence, attention=True)
    return _ruled(_contests((attending, "greedy"), (attending, "nucleus")), "greedy", "one nucleus sample")


@claim(
    "three-samples-beat-one",
    source="ist-2025-hw2/3.1c",
    basis="measured",
    published=True,
    statement="Of three nucleus samples one is right more often than a single sample is.",
    rule="As for other comparisons, on WER@3 against the WER of one sample. WER@3 cannot be higher (the single sample "
    "is one of the three), so only the size of the difference is in question.",
)
def three_samples_beat_one(evidence: Evidence) -> Verdict:
    attending = recipe(evidence, attention=True)
    contest = better(_misses(attending, samples=3), _misses(attending, samples=1))
    return _ruled({"wer": contest}, "three samples", "one")


@claim(
    "three-samples-beat-greedy",
    source="own",
    basis="measured",
    statement="Of three nucleus samples one is right more often than the greedy spelling is.",
    rule="As for other comparisons, on WER@3 against the WER of greedy decoding.",
)
def three_samples_beat_greedy(evidence: Evidence) -> Verdict:
    attending = recipe(evidence, attention=True)
    greedy = np.stack([run.array("test/greedy/distances")[0] > 0 for run in attending]).astype(float)
    return _ruled({"wer": better(_misses(attending, samples=3), greedy)}, "three samples", "greedy")


@claim(
    "beam-helps",
    source="own",
    basis="measured",
    statement="A beam of five spells better than greedy decoding, in CER and in WER.",
    rule=BETTER_RULE,
)
def beam_helps(evidence: Evidence) -> Verdict:
    attending = recipe(evidence, attention=True)
    return _ruled(_contests((attending, "beam"), (attending, "greedy")), "with a beam", "greedy")


@claim(
    "published-plain",
    source="ist-2025-hw2/3.1a",
    about=COURSE,
    basis="measured",
    published=True,
    statement="The published error rates without attention are what the sheet's recipe gives.",
    rule=AGREES_RULE,
)
def published_plain(evidence: Evidence) -> Verdict:
    return _published(recipe(evidence, attention=False), "published-plain", GREEDY)


@claim(
    "published-attention",
    source="ist-2025-hw2/3.1b",
    about=COURSE,
    basis="measured",
    published=True,
    statement="The published error rates with attention are what the sheet's recipe gives.",
    rule=AGREES_RULE,
)
def published_attention(evidence: Evidence) -> Verdict:
    return _published(recipe(evidence, attention=True), "published-attention", GREEDY)


@claim(
    "published-nucleus",
    source="ist-2025-hw2/3.1c",
    about=COURSE,
    basis="measured",
    published=True,
    statement="The published error rates of nucleus sampling are what the sheet's recipe gives.",
    rule=AGREES_RULE,
)
def published_nucleus(evidence: Evidence) -> Verdict:
    metrics = {"cer": "test/nucleus/cer", "wer": "test/nucleus/wer", "wer_at_3": "test/nucleus/wer@3"}
    return _published(recipe(evidence, attention=True), "published-nucleus", metrics)


@claim(
    "beats-published",
    source="own",
    about=COURSE,
    basis="measured",
    statement="On the same data and split a stronger model beats every published CER by a clear margin.",
    rule="The 95 % prediction interval for one more run of the stronger model, decoded with a beam, must end below the "
    "lowest published CER less the margin; refuted where it begins above the lowest published CER.",
)
def beats_published(evidence: Evidence) -> Verdict:
    lowest, margin = min(evidence.published["beats-published"]["cer"]), evidence.published["beats-published"]["margin"]
    values = stronger(evidence).metric("test/beam/cer")
    found = agrees(lowest, values)
    numbers = {"cer": values, "lowest_published": lowest, "margin": margin, **_interval(found)}
    if found.interval is None or len(values) < 3:
        return inconclusive(f"{len(values)} seed(s) of the stronger model are too few; three decide.", **numbers)
    if found.interval.high < lowest - margin:
        return supported(f"CER {found.mean:.3f} on average, against {lowest:.3f} at best in public.", **numbers)
    if found.interval.low > lowest:
        return refuted(
            f"CER {found.mean:.3f} on average, above the {lowest:.3f} that is public.",
            witness={"cer": found.mean, "lowest_published": lowest},
            **numbers,
        )
    return inconclusive(f"CER {found.mean:.3f} on average, too close to {lowest:.3f} to tell.", **numbers)


@claim(
    "repeated-words",
    source="own",
    about=COURSE,
    basis="exhaustive",
    expect="supported",
    statement="The course's split is not clean: some held-out words also occur in training, with another "
    "pronunciation, and some symbols occur only in held-out words.",
    rule="The counts over the files must equal those transcribed.",
)
def repeated_words(evidence: Evidence) -> Verdict:
    stated = evidence.published["repeated-words"]
    run = recipe(evidence, attention=None).one()
    metrics = {
        "test_in_train": "repeated/test-in-train",
        "validation_in_train": "repeated/validation-in-train",
        "test_in_validation": "repeated/test-in-validation",
        "unseen_phonemes": "unseen/source",
        "unseen_letters": "unseen/target",
    }
    counted = {name: int(run.metric(metric)) for name, metric in metrics.items()}
    for name, count in counted.items():
        if count != stated[name]:
            return refuted(f"{name} is {count}.", witness={name: count, "stated": stated[name]}, **counted)
    return supported(
        f"{counted['test_in_train']} test and {counted['validation_in_train']} validation words also occur in train.",
        **counted,
    )


GREEDY = {"cer": "test/greedy/cer", "wer": "test/greedy/wer", "validation_cer": "validation/cer"}
"""Our metric for each published figure; of a validation series the best epoch counts."""

WRITES_LIKE_PEOPLE = Opinion(
    "mistakes-look-human",
    statement="The mistakes of the speller with attention look like those that people make.",
    source="ist-2025-hw2/3.1",
    why="No measure of likeness to people's mistakes is given, nor any record of such mistakes.",
)


def recipe(evidence: Evidence, *, attention: bool | None) -> Evidence:
    """The runs of the sheet's recipe, of one variant or of both."""
    fields: dict[str, Any] = {"task": "train", "layers": 1, "direction": "spell", "smoothing": 0.0}
    return evidence.where(**fields, **({} if attention is None else {"attention": attention}))


def stronger(evidence: Evidence) -> Evidence:
    """The runs of the stronger model."""
    return evidence.where(task="train", layers=2, direction="spell")


def _parameters(evidence: Evidence, name: str, *, attention: bool) -> Verdict:
    stated = evidence.published[name]["value"]
    counted = int(evidence.where(task="count", attention=attention).one().metric("parameters"))
    if counted != stated:
        return refuted(
            f"The network has {counted:,} parameters, not {stated:,}.", witness={"counted": counted, "stated": stated}
        )
    return supported(f"{counted:,} parameters, as the layers add up to.", parameters=counted)


def _contests(first: tuple[Evidence, str], second: tuple[Evidence, str]) -> dict[str, Contest]:
    """Errors in symbols (weighed by length) and in words of two systems on the same test words."""
    lengths = first[0].one().array("test/lengths").astype(float)
    one, other = (
        np.stack([run.array(f"test/{method}/distances")[0] for run in evidence]).astype(float)
        for evidence, method in (first, second)
    )
    return {"cer": better(one, other, weights=lengths), "wer": better((one > 0) * 1.0, (other > 0) * 1.0)}


def _misses(evidence: Evidence, *, samples: int) -> NDArray[np.float64]:
    """1 where none of the first nucleus samples of a word is right: ``[seeds, words]``."""
    return np.stack([(run.array("test/nucleus/distances")[:samples] > 0).all(0) for run in evidence]).astype(float)


def _ruled(contests: Mapping[str, Contest], first: str, second: str) -> Verdict:
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


def _published(evidence: Evidence, name: str, metrics: Mapping[str, str]) -> Verdict:
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
        figure: {"published": stated[figure], "ours": values[figure], **_interval(f)} for figure, f in found.items()
    }
    told = "; ".join(f"{figure} {stated[figure]:.3f} published, {f.mean:.3f} here" for figure, f in found.items())
    outside = [figure for figure, f in found.items() if f.verdict == "outside"]
    if outside:
        worst = outside[0]
        witness = {"figure": worst, "published": stated[worst], "ours": values[worst], **_interval(found[worst])}
        return refuted(f"{told}: {', '.join(outside)} outside our interval.", witness=witness, **numbers)
    if all(f.verdict == "inside" for f in found.values()):
        return supported(f"{told}.", **numbers)
    return inconclusive(f"{told}: too few seeds, or too wide an interval, to decide.", **numbers)


def _interval(found: Agreement) -> dict[str, Any]:
    return {"mean": found.mean, "interval": None if found.interval is None else found.interval.to_json()}


def _best(series: list[tuple[int, float]]) -> float:
    return min(value for _, value in series)
