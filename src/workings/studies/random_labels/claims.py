"""What the paper and we say of networks and random labels, and how it is decided.

Where a claim is about networks, it is decided for every one that the evidence holds. The theorem and the linear models
have their claims in `exact_claims`; the paper's own figures are decided by runs at its size alone.
"""

from typing import Any

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.decide import MINIMUM_SEEDS, agrees, paired_difference
from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.studies.random_labels.arms import (
    PLAIN,
    chance,
    corruption,
    fitted_after,
    gap,
    mean,
    named,
    of_labels,
    of_networks,
    percent,
    points,
    pooled,
    regulariser,
    trainings,
)
from workings.studies.random_labels.exact_claims import (
    descent_finds_least_norm,
    finite_sample_construction,
    least_norm_interpolates,
    thresholds_matter,
    worst_where_it_just_fits,
)
from workings.studies.random_labels.study import REGULARISERS

__all__ = [
    "descent_finds_least_norm",
    "finite_sample_construction",
    "least_norm_interpolates",
    "thresholds_matter",
    "worst_where_it_just_fits",
]

FITS = 0.99
"""Training accuracy from which labels count as fitted in a verdict: below the least of the paper's table."""
HALF = 0.5
"""Training accuracy below which they count as not fitted, whatever more epochs would bring."""
MARGIN = 0.05
"""Half of chance among ten classes: a network within that of chance has learned nothing of use."""
WHOLE = 50_000
"""Training pictures of CIFAR-10: the paper's size."""
TREND = 0.05
"""Two-sided probability of Kendall's τ below which a trend is no accident."""


@claim(
    "fits-random-labels",
    source="gatech-2024-ps2/7a",
    basis="measured",
    expect="supported",
    statement="Networks fit random labels, and then say nothing of held-out pictures.",
    rule="Without regularisers every run on random labels must end with 99 % training accuracy or more; one below "
    "refutes. For each network the 95 % interval (Wilson) of test accuracy, over pictures and seeds, must hold chance "
    "and lie within 5 points of it; one that excludes chance and leaves that margin refutes, anything else leaves it "
    "open.",
)
def fits_random_labels(evidence: Evidence) -> Verdict:
    numbers: dict[str, Any] = {}
    doubts = []
    for network, runs in of_networks(trainings(evidence, labels="random", **PLAIN)).items():
        lowest = min(runs, key=lambda run: run.metric("train/accuracy"))
        train, expected, interval = lowest.metric("train/accuracy"), chance(lowest), pooled(runs)
        test = mean(runs, "test/accuracy")
        numbers[network] = {"seeds": len(runs), "train": train, "test": test, "interval": interval.to_json()}
        if train < FITS:
            witness = {"network": network, "seed": lowest.config["seed"], "train": train, "epochs": lowest.reached}
            return refuted(f"{named(network)} gets no further than {percent(train)}.", witness=witness, **numbers)
        outside = max(expected - interval.low, interval.high - expected) > MARGIN
        if not interval.contains(expected) and outside:
            witness = {"network": network, "chance": expected, "test": test, "interval": interval.to_json()}
            return refuted(
                f"{named(network)} does not score at chance on held-out pictures but {percent(test)}.", witness=witness
            )
        if outside or not interval.contains(expected):
            doubts.append(f"{named(network)} {percent(test)}, [{percent(interval.low)}, {percent(interval.high)}]")
    told = "; ".join(f"{named(n)} {percent(v['train'])}, then {percent(v['test'])}" for n, v in numbers.items())
    if doubts:
        return inconclusive(
            f"The labels are fitted; whether the test is at chance is open: {'; '.join(doubts)}.", **numbers
        )
    return supported(f"Fitted, and at chance on held-out pictures: {told}.", **numbers)


@claim(
    "random-labels-take-longer",
    source="gatech-2024-ps2/7a",
    basis="measured",
    statement="Random labels take longer to fit than true ones.",
    rule="For each network with three seeds of both: the 95 % interval over seeds (paired, Student's t) of the "
    "difference in epochs until 99.9 % of the training labels are right must lie above zero; below it refutes. A run "
    "that never gets there leaves it open.",
)
def random_labels_take_longer(evidence: Evidence) -> Verdict:
    numbers: dict[str, Any] = {}
    told = []
    for network, runs in of_networks(trainings(evidence, **PLAIN)).items():
        pairs = of_labels(runs)
        if pairs is None or len(pairs[0]) < MINIMUM_SEEDS:
            continue
        random, true = ([fitted_after(run) for run in group] for group in pairs)
        numbers[network] = {"random": random, "true": true, "seeds": len(random)}
        if None in random or None in true:
            return inconclusive(f"Not every run of {named(network)} came to fit.", **numbers)
        found = paired_difference([float(t or 0) for t in random], [float(t or 0) for t in true])
        numbers[network]["interval"] = found.interval and found.interval.to_json()
        numbers[network]["ratio"] = found.first / found.second
        told.append(f"{named(network)} {found.first:.0f} epochs against {found.second:.0f}")
        if found.verdict == "lower":
            return refuted(f"{named(network)} fits random labels sooner.", witness=numbers[network])
        if found.verdict != "higher":
            return inconclusive(f"{named(network)}: over the seeds the difference is not clear.", **numbers)
    if not numbers:
        raise MissingEvidence("no network was trained on both kinds of labels with three seeds")
    longest = max(entry["ratio"] for entry in numbers.values())
    return supported(f"{'; '.join(told)}: up to {longest:.1f} times as long.", **numbers)


@claim(
    "random-pixels-fit-too",
    source="gatech-2024-ps2/7a",
    basis="measured",
    statement="Shuffled pixels, random pixels and noise in place of pictures are fitted too.",
    rule="Each of the three must end with 99 % training accuracy or more. One that has not when its epochs are over "
    "leaves it open, below half it refutes.",
)
def random_pixels_fit_too(evidence: Evidence) -> Verdict:
    runs = [evidence.where(task="train", pixels=how).one() for how in ("shuffled", "random", "gaussian")]
    return _all_fit({f"{run.config['pixels']} pixels": run for run in runs})


PREVENTS_RULE = (
    "It must end with 99 % training accuracy or more on random labels. One that has not when its epochs are over "
    "leaves it open, below half it refutes."
)


@claim(
    "penalties-do-not-prevent-it",
    source="gatech-2024-ps2/7a",
    basis="measured",
    statement="Weight decay or dropout, at their usual strength, do not keep a network from fitting random labels "
    "within its epochs.",
    rule=f"{PREVENTS_RULE} Both are asked, each alone.",
)
def penalties_do_not_prevent_it(evidence: Evidence) -> Verdict:
    return _all_fit({name: _regularised(evidence, name) for name in ("weight decay", "dropout")})


@claim(
    "augmentation-does-not-prevent-it",
    source="gatech-2024-ps2/7a",
    basis="measured",
    statement="Random crops and mirror images do not keep a network from fitting random labels within its epochs.",
    rule=PREVENTS_RULE,
)
def augmentation_does_not_prevent_it(evidence: Evidence) -> Verdict:
    return _all_fit({"augmentation": _regularised(evidence, "augmentation")})


@claim(
    "regularisers-are-not-needed",
    source="gatech-2024-ps2/7a",
    basis="measured",
    statement="Networks generalise without any regulariser, and gain less by one than they have without.",
    rule="For true labels and each network the 95 % interval (Wilson) of test accuracy without regularisers must lie "
    "above chance (below it, or holding it, refutes), and the best regularised run must add less to it than lies "
    "between it and chance; else it is left open.",
)
def regularisers_are_not_needed(evidence: Evidence) -> Verdict:
    numbers: dict[str, Any] = {}
    runs = trainings(evidence, labels="true")
    regularised = [run for run in runs if regulariser(run)]
    if not regularised:
        raise MissingEvidence("no regularised run on true labels is finished")
    for network, plain in of_networks(runs.where(**PLAIN)).items():
        test, interval, expected = mean(plain, "test/accuracy"), pooled(plain), chance(plain.one())
        best = max(
            (run.metric("test/accuracy") for run in regularised if run.config["network"] == network), default=test
        )
        numbers[network] = {"test": test, "interval": interval.to_json(), "chance": expected, "gain": best - test}
        if interval.low <= expected:
            witness = {"network": network, **numbers[network]}
            return refuted(f"Without regularisers {named(network)} scores {percent(test)}: chance.", witness=witness)
    told = "; ".join(f"{named(n)} {percent(v['test'])}" for n, v in numbers.items())
    gain = max(value["gain"] for value in numbers.values())
    sentence = f"Without regularisers: {told}; the best regularised run changes that by {gain * 100:+.1f} points."
    if any(value["gain"] >= value["test"] - value["chance"] for value in numbers.values()):
        return inconclusive(sentence, **numbers)
    return supported(sentence, **numbers)


@claim(
    "gap-grows-with-corruption",
    source="gatech-2024-ps2/7a",
    basis="measured",
    statement="The more labels are corrupted, the wider the gap between training and test accuracy.",
    rule="For each network that was trained at several corruptions with one seed: Kendall's τ of gap and corruption "
    "must be above zero with a two-sided probability below 5 %; below zero with such a one it refutes, else it is "
    "open.",
)
def gap_grows_with_corruption(evidence: Evidence) -> Verdict:
    from scipy.stats import kendalltau

    numbers: dict[str, Any] = {}
    clear = True
    for network, runs in of_networks(trainings(evidence, seed=0, **PLAIN)).items():
        sweep = sorted((corruption(run), gap(run)) for run in runs)
        if len(sweep) < 3:  # true and random labels alone are no sweep
            continue
        found = kendalltau(*zip(*sweep, strict=True))
        numbers[network] = {"tau": float(found.statistic), "p": float(found.pvalue), "gap": [sweep[0][1], sweep[-1][1]]}
        if found.pvalue < TREND and found.statistic < 0:
            return refuted(f"{named(network)}: the gap shrinks.", witness={"corruption_and_gap": sweep})
        clear &= bool(found.pvalue < TREND)
    if not numbers:
        raise MissingEvidence("no network was trained at several corruptions")
    told = "; ".join(f"{named(n)} {points(v['gap'][0])} to {points(v['gap'][1])} points" for n, v in numbers.items())
    if not clear:
        return inconclusive(f"The gap from the least to the most corruption: {told}, without a clear trend.", **numbers)
    return supported(f"The gap from the least to the most corruption: {told}.", **numbers)


PAPER_RULE = (
    "Runs on all 50,000 pictures of the official CIFAR-10, without regularisers, three seeds at least: for each "
    "network the published test accuracy must lie in the 95 % prediction interval for one more run; outside refutes. "
    "Another set of pictures, or a part of them, decides nothing."
)


@claim(
    "paper-true-labels",
    source="gatech-2024-ps2/7a",
    about="cifar10",
    basis="measured",
    published=True,
    statement="On true labels the paper's networks reach its test accuracy on CIFAR-10.",
    rule=PAPER_RULE,
)
def paper_true_labels(evidence: Evidence) -> Verdict:
    return _as_published(evidence, "true")


@claim(
    "paper-random-labels",
    source="gatech-2024-ps2/7a",
    about="cifar10",
    basis="measured",
    published=True,
    statement="On random labels the paper's networks reach its test accuracy on CIFAR-10.",
    rule=PAPER_RULE,
)
def paper_random_labels(evidence: Evidence) -> Verdict:
    return _as_published(evidence, "random")


def _as_published(evidence: Evidence, labels: str) -> Verdict:
    whole = [run for run in trainings(evidence, labels=labels, **PLAIN) if run.metric("pictures/train") >= WHOLE]
    numbers: dict[str, Any] = {}
    for network, rows in evidence.published["paper"].items():
        stated = rows[labels]["test"] if isinstance(rows, dict) else None
        tests = [run.metric("test/accuracy") for run in whole if run.config["network"] == network]
        if stated is None or not tests:
            continue
        found = agrees(stated, tests)
        numbers[network] = found.numbers()
        if found.verdict == "outside":
            return refuted(f"{network} scores {percent(found.mean)}, not {percent(stated)}.", witness=found.numbers())
    if not numbers or any(value["verdict"] != "inside" for value in numbers.values()):
        return inconclusive(
            f"Too few runs on all {WHOLE:,} pictures: {MINIMUM_SEEDS} seeds a network decide.", **numbers
        )
    return supported(f"{', '.join(numbers)}: the published figure looks like one more of our seeds.", **numbers)


def _regularised(evidence: Evidence, name: str) -> Run:
    """The run on random labels under that regulariser alone."""
    return trainings(evidence, labels="random", **{**PLAIN, **REGULARISERS[name]}).one()


def _all_fit(runs: dict[str, Run]) -> Verdict:
    """Whether each of these runs ends with its labels fitted."""
    reached = {name: run.metric("train/accuracy") for name, run in runs.items()}
    told = ", ".join(f"{name} {percent(value)}" for name, value in reached.items())
    numbers = {name: {"train": value, "fitted_after": fitted_after(runs[name])} for name, value in reached.items()}
    worst = min(reached, key=lambda name: reached[name])
    if reached[worst] < HALF:
        witness = {"run": worst, "train": reached[worst], "epochs": runs[worst].reached}
        epochs = runs[worst].reached
        return refuted(f"Training accuracy: {told}, after {epochs} epochs at most.", witness=witness, **numbers)
    if reached[worst] < FITS:
        return inconclusive(f"Training accuracy: {told}; {worst} had not fitted when its epochs were over.", **numbers)
    return supported(f"Training accuracy: {told}.", **numbers)
