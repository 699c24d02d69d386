"""What the sheet, the published answer and we say of the spellers.

How comparisons are decided, and how a published figure is held against our seeds, is in `comparisons`.
"""

import numpy as np

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.decide import MINIMUM_SEEDS, agrees, better
from workings.core.evidence import NONE, Evidence
from workings.studies.spelling.comparisons import (
    AGREES_RULE,
    BETTER_RULE,
    GREEDY,
    contests,
    held_against_published,
    interval_of,
    misses,
    parameter_count,
    recipe,
    ruled,
    stronger,
)

COURSE, BUILT_IN = "ist-p2g", "cmudict"


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
    return parameter_count(evidence, "parameters-plain", attention=False)


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
    return parameter_count(evidence, "parameters-attention", attention=True)


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
    found = contests((attending, "greedy"), (plain, "greedy"))
    return ruled(found, "with attention", "without")


@claim(
    "attention-helps-cmudict",
    source="own",
    about=BUILT_IN,
    basis="measured",
    statement="On a part of the CMU dictionary, the built-in data, attention helps as it does on the course's.",
    rule=BETTER_RULE,
)
def attention_helps_cmudict(evidence: Evidence) -> Verdict:
    return attention_helps.check(evidence)


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
    return ruled(contests((attending, "greedy"), (attending, "nucleus")), "greedy", "one nucleus sample")


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
    contest = better(misses(attending, samples=3), misses(attending, samples=1))
    return ruled({"wer": contest}, "three samples", "one")


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
    return ruled({"wer": better(misses(attending, samples=3), greedy)}, "three samples", "greedy")


@claim(
    "beam-helps",
    source="own",
    basis="measured",
    statement="A beam of five spells better than greedy decoding, in CER and in WER.",
    rule=BETTER_RULE,
)
def beam_helps(evidence: Evidence) -> Verdict:
    attending = recipe(evidence, attention=True)
    return ruled(contests((attending, "beam"), (attending, "greedy")), "with a beam", "greedy")


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
    return held_against_published(recipe(evidence, attention=False), "published-plain", GREEDY)


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
    return held_against_published(recipe(evidence, attention=True), "published-attention", GREEDY)


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
    return held_against_published(recipe(evidence, attention=True), "published-nucleus", metrics)


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
    numbers = {"cer": values, "lowest_published": lowest, "margin": margin, **interval_of(found)}
    if found.interval is None or found.seeds < MINIMUM_SEEDS:
        told = f"{found.seeds} seed(s) of the stronger model are too few; {MINIMUM_SEEDS} decide."
        return inconclusive(told, **numbers)
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
