"""What the sheet, published runs of its notebook and we say of AlexNet, and how it is decided.

Which runs are compared, and how, is in `comparisons`.
"""

from collections.abc import Mapping
from typing import Any

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.decide import MINIMUM_SEEDS, agrees, proportion
from workings.core.evidence import NONE, Evidence
from workings.studies.alexnet.comparisons import TAKEN_BACK, errors, fast, gap, sheet, slowest, without
from workings.studies.alexnet.study import CHANGES

OFFICIAL, JPEG = "cifar10", "cifar10-jpeg"
EITHER = (OFFICIAL, JPEG)


@claim(
    "parameters",
    source="nyu-2023-hw/4",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="The network has as many parameters as the sheet's layers add up to.",
    rule="The count over the tensors of the built network must equal the transcribed sum.",
)
def parameters(evidence: Evidence) -> Verdict:
    stated = evidence.published["parameters"]["value"]
    counted = int(evidence.where(task="count").one().metric("parameters"))
    if counted != stated:
        witness = {"counted": counted, "stated": stated}
        return refuted(f"The network has {counted:,} parameters, not {stated:,}.", witness=witness)
    return supported(f"{counted:,} parameters, as the layers add up to.", parameters=counted)


@claim(
    "dense-layers-hold-most",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="The dense layers hold nine in ten of the parameters, and do less than half of the multiplications.",
    rule="Both shares are counted over the layers of the built network.",
)
def dense_layers_hold_most(evidence: Evidence) -> Verdict:
    rows = evidence.where(task="count").one().table("layers")
    shares = {
        what: sum(row[what] for row in rows if row["name"].startswith("dense")) / sum(row[what] for row in rows)
        for what in ("parameters", "multiplications")
    }
    told = f"{shares['parameters']:.1%} of the parameters, {shares['multiplications']:.1%} of the multiplications"
    if shares["parameters"] < 0.9 or shares["multiplications"] >= 0.5:
        return refuted(f"Dense layers have {told}.", witness=shares, **shares)
    return supported(f"Dense layers have {told}.", **shares)


@claim(
    "accuracy",
    source="nyu-2023-hw/4",
    about=OFFICIAL,
    basis="measured",
    published=True,
    statement="The sheet's recipe reaches the test accuracy of published runs.",
    rule="The 95 % interval (Wilson) of the accuracy over the test pictures must meet the span of published runs; "
    "refuted where it lies outside. Of several seeds the mean counts.",
)
def accuracy(evidence: Evidence) -> Verdict:
    stated = evidence.published["accuracy"]
    low, high = stated["low"], stated["high"]
    numbers = _accuracy(sheet(evidence))
    told = f"{_told(numbers)}; published runs have {low:.1%} to {high:.1%}"
    if numbers["interval"][1] < low or numbers["interval"][0] > high:
        return refuted(f"{told}.", witness={"published": [low, high], **numbers}, **numbers)
    return supported(f"{told}.", **numbers)


@claim(
    "accuracy-on-jpeg",
    source="own",
    about=JPEG,
    basis="measured",
    statement="On CIFAR-10 as JPEG the sheet's recipe gets as many test pictures right as our mark asks, or more.",
    rule="The 95 % interval (Wilson) of the accuracy over the test pictures must begin at our mark or above; refuted "
    "where it ends below. Of several seeds the mean counts.",
)
def accuracy_on_jpeg(evidence: Evidence) -> Verdict:
    mark = evidence.published["accuracy-on-jpeg"]["mark"]
    numbers = _accuracy(sheet(evidence))
    told = f"{_told(numbers)}; the mark is {mark:.0%}"
    if numbers["interval"][0] >= mark:
        return supported(f"{told}.", **numbers)
    if numbers["interval"][1] < mark:
        return refuted(f"{told}.", witness={"mark": mark, **numbers}, **numbers)
    return inconclusive(f"{told}, inside the interval.", **numbers)


@claim(
    "rate-in-range",
    source="nyu-2023-hw/4",
    about=EITHER,
    basis="measured",
    statement="A learning-rate range test comes out at the sheet's learning rate.",
    rule="The sheet's rate must lie between a fourth of the rate at which the smoothed loss is least and that rate: "
    "between the base and the top of Smith's cycle.",
)
def rate_in_range(evidence: Evidence) -> Verdict:
    rate = evidence.published["rate-in-range"]["rate"]
    run = evidence.where(task="range").one()
    base, top = run.metric("range/base"), run.metric("range/top")
    numbers = {"rate": rate, "base": base, "top": top, "suggestion": run.metric("range/suggestion")}
    told = f"The loss is least at a rate of {top:.1e}, so that rates from {base:.1e} on serve; the sheet's is {rate:g}"
    if base <= rate <= top:
        return supported(f"{told}.", **numbers)
    return refuted(f"{told}.", witness=numbers, **numbers)


@claim(
    "fast-reaches-it",
    source="own",
    about=EITHER,
    basis="measured",
    statement="Another recipe for the same network gets as far as the sheet's in a third of the time or less.",
    rule="The difference in test error must lie below our margin with the whole of its 95 % intervals (paired, "
    "Student's t), over test pictures and over seeds (the sheet's mean stands for a seed it lacks), and the slowest of "
    "three seeds must take a third of the sheet's processor seconds at most. An interval beyond the margin, or more "
    "time, refutes; fewer than three seeds, or other machines, are inconclusive.",
)
def fast_reaches_it(evidence: Evidence) -> Verdict:
    mark = evidence.published["fast-reaches-it"]
    theirs, ours = sheet(evidence), fast(evidence)
    slow, quick = slowest([theirs.one()]), slowest(tuple(ours))
    by_item, by_seed = gap(ours, theirs)
    numbers: dict[str, Any] = {
        "accuracy": [1 - float(errors(runs).mean()) for runs in (ours, theirs)],
        "difference_in_error": by_item.difference,
        "interval_over_pictures": by_item.interval and by_item.interval.to_json(),
        "interval_over_seeds": by_seed.interval and by_seed.interval.to_json(),
        "seconds": [quick.seconds, slow.seconds],
        "times": slow.seconds / quick.seconds,
        "seeds": [len(ours), len(theirs)],
    }
    told = (
        f"Test accuracy {numbers['accuracy'][0]:.1%} ({_seeds(ours)}) in 1/{numbers['times']:.2g} of the time that the "
        f"sheet's recipe takes to {numbers['accuracy'][1]:.1%} ({_seeds(theirs)})"
    )
    if by_item.interval is None or by_seed.interval is None or len(ours) < MINIMUM_SEEDS:
        return inconclusive(f"{told}; {MINIMUM_SEEDS} seeds of the fast recipe decide.", **numbers)
    if quick.machine != slow.machine:
        return inconclusive(f"{told}, but on another machine, so that the times say little.", **numbers)
    if min(by_item.interval.low, by_seed.interval.low) > mark["margin"] or numbers["times"] < mark["times"]:
        return refuted(f"{told}.", witness={k: numbers[k] for k in ("accuracy", "seconds")}, **numbers)
    if max(by_item.interval.high, by_seed.interval.high) < mark["margin"]:
        return supported(f"{told}.", **numbers)
    return inconclusive(f"{told}: an interval holds the margin of {mark['margin']:.1%}.", **numbers)


BACK_RULE = (
    "Taken back alone, {what} must bring the test accuracy of each of its seeds below the 95 % prediction interval for "
    "one more run of the fast recipe (Student's t over its seeds); one above it refutes. Inside it, or with fewer than "
    "three seeds of the fast recipe, inconclusive."
)


@claim(
    "cycle-pays",
    source="own",
    about=EITHER,
    basis="measured",
    statement="Of the fast recipe, the rate that rises and falls is worth its place: a constant one gets less far.",
    rule=BACK_RULE.format(what="the cycle"),
)
def cycle_pays(evidence: Evidence) -> Verdict:
    return _pay(evidence, ["cycle"])


@claim(
    "every-change-pays",
    source="own",
    about=EITHER,
    basis="measured",
    statement="Each change of the fast recipe is worth its place.",
    rule=BACK_RULE.format(what="each change"),
)
def every_change_pays(evidence: Evidence) -> Verdict:
    return _pay(evidence, list(CHANGES))


def _pay(evidence: Evidence, changes: list[str]) -> Verdict:
    """What the taking back of each of these changes costs, beside what seeds do."""
    all_of_them = [1 - value for value in errors(fast(evidence)).mean(1).tolist()]
    costs: dict[str, Mapping[str, Any]] = {}
    for change in changes:
        values = [1 - value for value in errors(without(evidence, change)).mean(1).tolist()]
        found = [agrees(value, all_of_them) for value in values]
        places = {
            "inside" if f.verdict != "outside" else "below" if v < f.mean else "above"
            for f, v in zip(found, values, strict=True)
        }
        costs[change] = {
            "accuracy": values,
            "costs": found[0].mean - sum(values) / len(values),
            "place": places.pop() if len(places) == 1 else "inside",
        }
    one_more = agrees(all_of_them[0], all_of_them).interval
    numbers = {"accuracy": all_of_them, "one_more_run": one_more and one_more.to_json(), "without": costs}
    ranked = sorted(costs, key=lambda change: -costs[change]["costs"])
    told = "; ".join(f"with {TAKEN_BACK[c]} {100 * costs[c]['costs']:+.1f} points of error" for c in ranked)
    told = told[0].upper() + told[1:]
    if len(all_of_them) < MINIMUM_SEEDS:
        return inconclusive(f"{told}; {MINIMUM_SEEDS} seeds of the fast recipe decide.", **numbers)
    harmful = [change for change in ranked if costs[change]["place"] == "above"]
    if harmful:
        witness = {"change": harmful[0], "with_it": all_of_them, "without_it": costs[harmful[0]]["accuracy"]}
        return refuted(f"{told}.", witness=witness, **numbers)
    idle = [change for change in ranked if costs[change]["place"] == "inside"]
    if idle:
        listed = ", ".join(TAKEN_BACK[change] for change in idle)
        return inconclusive(f"{told}; seeds differ by as much as is lost by {listed}.", **numbers)
    return supported(f"{told}; more than seeds differ by.", **numbers)


def _accuracy(runs: Evidence) -> dict[str, Any]:
    """The mean accuracy, and its interval over the test pictures of one run."""
    values = runs.metric("test/accuracy")
    pictures = int(runs.one().metric("test/pictures"))
    mean = sum(values) / len(values)
    interval = proportion(round(mean * pictures), pictures)
    return {
        "accuracy": mean,
        "interval": interval.to_json(),
        "pictures": pictures,
        "by_seed": values,
        "epochs": runs.one().reached,
    }


def _told(numbers: Mapping[str, Any]) -> str:
    low, high = numbers["interval"]
    seeds = len(numbers["by_seed"])
    return (
        f"Test accuracy {numbers['accuracy']:.1%} after {numbers['epochs']} epochs ({low:.1%} to {high:.1%} over "
        f"{numbers['pictures']:,} pictures, {seeds} seed{'s' * (seeds != 1)})"
    )


def _seeds(runs: Evidence) -> str:
    return f"{len(runs)} seed{'s' * (len(runs) != 1)}"
