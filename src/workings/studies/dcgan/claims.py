"""What the sheet and we say of the DCGAN, and how it is decided.

A training counts as evidence as far as it has come: a verdict names the epoch it speaks of, and a longer run of the
same trial takes the place of a shorter one.
"""

from collections.abc import Mapping
from typing import Any

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.decide import MINIMUM_SEEDS, paired_difference, proportion
from workings.core.evidence import NONE, Evidence, Run

OFTEN = 2.0
"""Drawn pictures may lie near to training ones so many times as often as held-out pictures do. A generator that copies
half of the time exceeds it five times over; blur alone, which brings pictures nearer to each other, need not."""
DRAWN = 0.2
"""A class is drawn if its share is at least so much of its share among real pictures."""


@claim(
    "parameters",
    source="nyu-2025-hw3/3b",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="Both networks have as many parameters as the sheet's layers add up to.",
    rule="The counts over the tensors of the built networks must equal the transcribed sums.",
)
def parameters(evidence: Evidence) -> Verdict:
    run = evidence.where(task="count", dense_norm=False).one()
    return _counts(run, evidence.published["parameters"], ("discriminator", "generator"))


@claim(
    "parameters-with-norm",
    source="nyu-2025-hw3/3c",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="With batch normalisation after the dense layer too, the generator has two more for each of its cells.",
    rule="The count over the tensors of the generator built so must equal the transcribed sum.",
)
def parameters_with_norm(evidence: Evidence) -> Verdict:
    run = evidence.where(task="count", dense_norm=True).one()
    return _counts(run, evidence.published["parameters-with-norm"], ("generator",))


@claim(
    "shapes",
    source="nyu-2025-hw3/3c",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="Every layer gives maps of the size that the sheet states.",
    rule="What each layer of the built networks gives for one picture must equal the transcription, in order.",
)
def shapes(evidence: Evidence) -> Verdict:
    rows = evidence.where(task="count", dense_norm=False).one().table("shapes")
    found = {}
    for network in ("discriminator", "generator"):
        stated = evidence.published["shapes"][network]
        layers = [r for r in rows if r["network"] == network and not r["layer"].endswith("norm")]
        found[network] = [row["gives"] for row in layers]
        if found[network] != stated:
            witness = {"network": network, "built": found[network], "stated": stated}
            return refuted(f"The {network}'s layers give {_chain(found[network])}.", witness=witness)
    told = "; ".join(f"{network} {_chain(sizes)}" for network, sizes in found.items())
    return supported(f"{told[0].upper()}{told[1:]}.", **found)


@claim(
    "reproducible",
    source="nyu-2025-hw3/3d",
    basis="measured",
    statement="The same seed gives the same pictures: two trainings end with the same bytes.",
    rule="The hashes of weights and of pictures of two short trainings from one seed must be equal, and those of a "
    "third, from another seed, must not (else equal hashes would say nothing).",
)
def reproducible(evidence: Evidence) -> Verdict:
    run = evidence.where(task="twice").one()
    first, second, other = run.table("twice")
    steps = int(run.metric("steps"))
    for kind in ("weights", "pictures"):
        if first[kind] != second[kind]:
            witness = {
                "seed": first["seed"],
                "steps": steps,
                f"{kind}_first": first[kind],
                f"{kind}_second": second[kind],
            }
            return refuted(f"After {steps} steps from one seed the {kind} differ.", witness=witness)
    if other["weights"] == first["weights"] or other["pictures"] == first["pictures"]:
        return inconclusive("Another seed gives the same bytes too, so that they are equal says nothing.", steps=steps)
    return supported(
        f"Two trainings of {steps} steps from seed {first['seed']} end with the same bytes, weights and pictures; seed "
        f"{other['seed']} ends with others.",
        steps=steps,
    )


IMPROVES_RULE = (
    "The 95 % interval over seeds (paired, Student's t) of the change in Fréchet distance must lie below zero; above "
    "it refutes. With fewer than three seeds, or before the last of these epochs, inconclusive."
)


@claim(
    "improves-with-training",
    source="nyu-2025-hw3/3e",
    about="fashion-mnist",
    basis="measured",
    statement="Pictures get better from the first to the last of the epochs at which the sheet asks for them.",
    rule=IMPROVES_RULE,
)
def improves_with_training(evidence: Evidence) -> Verdict:
    stages = evidence.published["improves-with-training"]["epochs"]
    return _improvement(_trainings(evidence), stages[0], stages[-1])


@claim(
    "improves-on-digits",
    source="own",
    about="digits",
    basis="measured",
    statement="On the built-in digits small networks draw better pictures after the last measured epoch than after the "
    "first.",
    rule=IMPROVES_RULE,
)
def improves_on_digits(evidence: Evidence) -> Verdict:
    runs = _trainings(evidence)
    epochs = [epoch for epoch, _ in runs.one().series("frechet")]
    return _improvement(runs, epochs[0], epochs[-1])


@claim(
    "does-not-copy",
    source="own",
    basis="measured",
    statement="The generator draws pictures of its own, not training pictures.",
    rule="Near is what is nearer to a training picture, by pixels, than all but a twentieth of held-out pictures are. "
    "At the last measured epoch of every run the 95 % interval (Wilson) of the share of near pictures among drawn ones "
    "must end below twice that of held-out ones; one that begins above refutes. Before the sheet's first stage, "
    "inconclusive.",
)
def does_not_copy(evidence: Evidence) -> Verdict:
    runs = _trainings(evidence)
    worst = max(runs, key=lambda run: run.metric("near"))
    epoch, share = worst.series("near")[-1]
    count, real = int(worst.metric("compared/pictures")), worst.metric("real/near")
    interval = proportion(round(share * count), count)
    numbers = {"share": share, "of_held_out": real, "interval": interval.to_json(), "pictures": count, "epoch": epoch}
    told = (
        f"After {epoch} epochs {share:.1%} of drawn pictures are as near to a training picture as the nearest "
        f"{real:.0%} of held-out pictures ({_seeds(runs)})"
    )
    if epoch < _first_stage(evidence):
        return inconclusive(f"{told}: too early to tell.", **numbers)
    if interval.low > OFTEN * real:
        return refuted(f"{told}.", witness={"seed": worst.config["seed"], **numbers}, **numbers)
    if interval.high < OFTEN * real:
        return supported(f"{told}.", **numbers)
    return inconclusive(f"{told}: the interval holds {OFTEN * real:.0%}.", **numbers)


@claim(
    "covers-all-classes",
    source="own",
    basis="measured",
    statement="The generator draws every class of the pictures it learns from.",
    rule="The judge names the class. At the last measured epoch of every run the 95 % interval (Wilson) of each "
    "class's share must lie above a fifth of its share among held-out pictures; one that lies below refutes. Before "
    "the sheet's first stage, inconclusive.",
)
def covers_all_classes(evidence: Evidence) -> Verdict:
    runs = _trainings(evidence).where(measured=True)
    rows = [row for run in runs for row in _classes(run)]
    rarest = min(rows, key=lambda row: row["share"] / row["least"])
    told = (
        f"After {rarest['epoch']} epochs the rarest class, {rarest['class']}, has {rarest['share']:.1%} of the drawn "
        f"pictures, where {rarest['of_real']:.1%} of real ones are taken for it ({_seeds(runs)})"
    )
    if min(row["epoch"] for row in rows) < _first_stage(evidence):
        return inconclusive(f"{told}: too early to tell.", **rarest)
    if any(row["interval"][1] < row["least"] for row in rows):
        return refuted(f"{told}.", witness=rarest)
    if all(row["interval"][0] > row["least"] for row in rows):
        return supported(f"{told}.", **rarest)
    return inconclusive(f"{told}: its interval holds {rarest['least']:.1%}.", **rarest)


def _counts(run: Run, stated: Mapping[str, Any], networks: tuple[str, ...]) -> Verdict:
    counted = {network: int(run.metric(f"parameters/{network}")) for network in networks}
    for network, count in counted.items():
        if count != stated[network]:
            witness = {"network": network, "counted": count, "stated": stated[network]}
            return refuted(f"The {network} has {count:,} parameters, not {stated[network]:,}.", witness=witness)
    told = " and ".join(f"{count:,} parameters in the {network}" for network, count in counted.items())
    return supported(f"{told}, as the layers add up to.", **counted)


def _chain(sizes: list[list[int]]) -> str:
    return " → ".join("×".join(map(str, size)) for size in sizes)


def _trainings(evidence: Evidence) -> Evidence:
    return evidence.where(task="train")


def _first_stage(evidence: Evidence) -> int:
    return int(evidence.published["improves-with-training"]["epochs"][0])


def _seeds(runs: Evidence) -> str:
    return f"{len(runs)} seed{'s' * (len(runs) != 1)}"


def _classes(run: Run) -> list[dict[str, Any]]:
    """Of each class that real pictures have: its share among drawn and real ones at the last measured epoch."""
    epoch, _ = run.series("frechet")[-1]
    drawn, real = run.array(f"share/{epoch:03d}"), run.array("share/real")
    count = int(run.metric("measured/pictures"))
    return [
        {
            "seed": run.config["seed"],
            "epoch": epoch,
            "class": name,
            "share": float(share),
            "of_real": float(expected),
            "least": DRAWN * float(expected),
            "interval": proportion(round(share * count), count).to_json(),
        }
        for name, share, expected in zip(run.table("classes"), drawn, real, strict=True)
        if expected > 0
    ]


def _improvement(runs: Evidence, first: int, last: int) -> Verdict:
    """The change in Fréchet distance between two epochs, over seeds."""
    distances = [dict(run.series("frechet")) for run in runs]
    floor = runs.one().metric("real/frechet")
    there = [series for series in distances if {first, last} <= series.keys()]
    if len(there) < MINIMUM_SEEDS:
        return _so_far(distances, first, last, floor, len(there))
    before, after = ([series[epoch] for series in there] for epoch in (first, last))
    change = paired_difference(after, before)
    numbers = {
        "epochs": [first, last],
        "frechet": [change.second, change.first],
        "real_against_real": floor,
        "change": change.difference,
        "interval": change.interval and change.interval.to_json(),
        "seeds": change.seeds,
        **{name: [_mean(runs, name, epoch) for epoch in (first, last)] for name in ("precision", "recall")},
    }
    told = (
        f"Fréchet distance {change.second:.1f} after {first} epoch{'s' * (first != 1)}, {change.first:.1f} after "
        f"{last} ({change.seeds} seeds); real pictures against real ones have {floor:.1f}"
    )
    if change.verdict == "lower":
        return supported(f"{told}.", **numbers)
    if change.verdict == "higher":
        return refuted(f"{told}.", witness={"epochs": [first, last], "before": before, "after": after}, **numbers)
    return inconclusive(f"{told}: the interval over seeds holds zero.", **numbers)


def _so_far(distances: list[dict[int, float]], first: int, last: int, floor: float, seeds: int) -> Verdict:
    """What can be said before three seeds are through."""
    longest = max(distances, key=lambda series: max(series))
    reached = max(longest)
    start = first if first in longest and first < reached else min(longest)
    told = f"Fréchet distance {longest[start]:.1f} at epoch {start}, {longest[reached]:.1f} at epoch {reached}"
    why = (
        f"{seeds} seed{'s' * (seeds != 1)} of {MINIMUM_SEEDS} went to epoch {last}"
        if seeds
        else f"no run has gone to epoch {last} yet"
    )
    return inconclusive(
        f"So far {told} (real against real {floor:.1f}); {why}.",
        frechet={str(epoch): value for epoch, value in longest.items()},
        real_against_real=floor,
        seeds=seeds,
    )


def _mean(runs: Evidence, name: str, epoch: int) -> float:
    values = [value for run in runs for at, value in run.series(name) if at == epoch]
    return sum(values) / len(values)
