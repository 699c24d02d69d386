"""How the networks are compared: which runs, over seeds and test pictures, and against published figures."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.core.claim import Verdict, inconclusive, refuted, supported
from workings.core.decide import Comparison, Contest, agrees, better, paired_difference
from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.studies.scenes.study import DIRECTIONS

BETTER_RULE = (
    "Over seeds (paired, Student's t) and over test pictures (paired bootstrap), the 95 % intervals of the difference "
    "in error rate must lie on the stated side of zero; on the other side they refute; else, or with fewer than three "
    "seeds, inconclusive."
)
SEEDS_RULE = (
    "The 95 % interval over seeds (paired, Student's t) of the difference must lie on the stated side of zero; on the "
    "other side it refutes; else, or with fewer than three seeds, inconclusive."
)
AGREES_RULE = (
    "Each figure must fall into the 95 % prediction interval for one more of our runs (Student's t over seeds): one "
    "outside refutes; fewer than three seeds, or an interval wider than half the mean, is inconclusive."
)
SHEET = {
    "task": "train",
    "kernel": 3,
    "convolutions": 1,
    "normalised": False,
    "pooled": False,
    "downsample": "max",
    "pixel_order": "right",
}
"""What the first network is, but for its learning rate."""
POOLED = {"normalised": True, "pooled": True}
"""What makes it the second."""
SMALL, LARGE = {"kernel": 3, "convolutions": 3}, {"kernel": 7, "convolutions": 1}
"""What makes blocks that see equally far."""

LEARNED = 1.5
"""Times the accuracy of chance from which a network counts as having learned something."""


def networks(evidence: Evidence, **changes: Any) -> Evidence:
    """The runs of the first network at the middle rate, with these changes."""
    return evidence.where(**{**SHEET, "learning_rate": rates(evidence)[1], **changes})


def rates(evidence: Evidence) -> list[float]:
    """The three learning rates of the first network, from the lowest; until all are there, nothing is compared."""
    found = sorted({run.config["learning_rate"] for run in evidence.where(**SHEET)})
    if len(found) != 3:
        raise MissingEvidence(f"the first network is finished at {len(found)} learning rates, not at three")
    return found


def errors(evidence: Evidence) -> NDArray[np.float64]:
    """1 where a test picture was mistaken: ``[seeds, pictures]``."""
    return np.stack([run.array("test/wrong") for run in evidence]).astype(float)


def contest(first: Evidence, second: Evidence) -> Contest:
    """The error rates of two networks on the same test pictures, over the seeds that both have."""
    one, other = first.beside(second)
    return better(errors(one), errors(other))


def accuracy(evidence: Evidence) -> float:
    """Mean test accuracy over seeds."""
    return mean(evidence.metric("test/accuracy"))


def seeds(count: int) -> str:
    """In words."""
    return f"{count} seed{'s' * (count != 1)}"


def ruled(contests: Mapping[str, Contest], told: str, **numbers: Any) -> Verdict:
    """Supported where the first has the lower error in every contest, refuted where it has the higher in one."""
    count = min(c.by_seed.seeds for c in contests.values())
    kept = {name: c.numbers() for name, c in contests.items()} | numbers
    verdicts = {c.verdict for c in contests.values()}
    if "higher" in verdicts:
        name, lost = next((n, c) for n, c in contests.items() if c.verdict == "higher")
        witness = {"against": name, "error": lost.by_seed.first, "of_the_other": lost.by_seed.second}
        return refuted(f"{told} ({seeds(count)}).", witness=witness, **kept)
    if verdicts == {"lower"}:
        return supported(f"{told} ({seeds(count)}).", **kept)
    why = "too few seeds or pictures to decide" if "underpowered" in verdicts else "an interval holds zero"
    return inconclusive(f"{told}: {why} ({seeds(count)}).", **kept)


def lower(first: list[float], second: list[float], told: str, **numbers: Any) -> Verdict:
    """Supported where the first's values lie below the second's over seeds, refuted where they lie above."""
    found: Comparison = paired_difference(first, second)
    kept = {
        "mean": [found.first, found.second],
        "difference": found.difference,
        "interval": found.interval and found.interval.to_json(),
        "seeds": found.seeds,
        **numbers,
    }
    if found.verdict == "lower":
        return supported(f"{told} ({seeds(found.seeds)}).", **kept)
    if found.verdict == "higher":
        return refuted(f"{told} ({seeds(found.seeds)}).", witness={"first": first, "second": second}, **kept)
    why = "too few seeds to decide" if found.verdict == "underpowered" else "the interval over seeds holds zero"
    return inconclusive(f"{told}: {why} ({seeds(found.seeds)}).", **kept)


def held_against(figures: Mapping[str, tuple[float, list[float]]]) -> Verdict:
    """Hold each published figure against the values of our seeds; one outside refutes."""
    found = {name: agrees(stated, values) for name, (stated, values) in figures.items()}
    told = "; ".join(f"{name} {f.published:.3f} published, {f.mean:.3f} here" for name, f in found.items())
    numbers = {name: f.numbers() for name, f in found.items()}
    outside = [name for name, f in found.items() if f.verdict == "outside"]
    if outside:
        return refuted(f"{told}: {', '.join(outside)} outside.", witness=numbers[outside[0]], **numbers)
    if all(f.verdict == "inside" for f in found.values()):
        return supported(f"{told}.", **numbers)
    return inconclusive(f"{told}: too few seeds, or too wide an interval, to decide.", **numbers)


def gap(run: Run) -> float:
    """How much better a network knows the pictures it learned from than new ones, in accuracy."""
    return run.metric("learned/accuracy") - run.metric("test/accuracy")


def share_changed(run: Run) -> NDArray[np.float64]:
    """Of each moved picture, the share of its moves that change its class."""
    changed = run.array("shift/changed/trained")
    return np.asarray(changed.mean(axis=0) / len(DIRECTIONS), dtype=np.float64)


def variation(evidence: Evidence, state: str) -> float:
    """How far the probabilities move with the picture, untrained or trained: mean over moves and seeds."""
    return mean(run.array(f"shift/variation/{state}").mean() for run in evidence)


def sizes(evidence: Evidence, *, normalised: bool) -> tuple[Evidence, Evidence]:
    """Networks of small kernels and of large ones, over the seeds that both have."""
    return networks(evidence, normalised=normalised, **SMALL).beside(networks(evidence, normalised=normalised, **LARGE))


def losses(evidence: Evidence, *, normalised: bool) -> Verdict:
    """Whether small kernels end with the lower training loss."""
    small, large = sizes(evidence, normalised=normalised)
    first, second = (runs.metric("train/loss") for runs in (small, large))
    told = f"Training loss {mean(first):.3f} with three 3×3, {mean(second):.3f} with one 7×7"
    return lower(first, second, told, test_accuracy=[accuracy(small), accuracy(large)])


def counted(evidence: Evidence, name: str, **fields: Any) -> Verdict:
    """Whether the built network has the transcribed number of parameters."""
    stated = evidence.published[name]["value"]
    count = int(evidence.where(task="count", **fields).one().metric("parameters"))
    if count != stated:
        witness = {"counted": count, "stated": stated}
        return refuted(f"The network has {count:,} parameters, not {stated:,}.", witness=witness)
    return supported(f"{count:,} parameters, as the layers add up to.", parameters=count)


def parts_of_difference(evidence: Evidence) -> dict[str, int]:
    """How far the counts of the two networks differ, and what each change does by itself."""
    plain, pooled, both = (
        evidence.where(task="count", normalised=normalised, pooled=pooled).one()
        for normalised, pooled in ((False, False), (False, True), (True, True))
    )
    first, alone, second = (int(run.metric("parameters")) for run in (plain, pooled, both))
    normalising = int(both.metric("parameters/normalisation"))
    return {"difference": first - second, "pooling_saves": first - alone, "normalisation_adds": normalising}


def kernel_rows(evidence: Evidence) -> list[dict[str, Any]]:
    """The counted stacks of kernels."""
    rows: list[dict[str, Any]] = evidence.where(task="kernels").one().table("kernels")
    return rows


def cheaper(rows: list[dict[str, Any]], stated: Mapping[str, Any]) -> Verdict:
    """Whether small kernels see as far as a large one with fewer weights, as many as stated."""
    for row in rows:
        expected = stated[row["stack"]] * row["channels"] ** 2
        if row["weights"] != expected:
            return refuted("The weights are others.", witness={**row, "stated": expected})
    sees = {row["sees"] for row in rows}
    if len(sees) > 1 or stated["small"] >= stated["large"]:
        return refuted("The large kernel sees farther, or is no dearer.", witness={"rows": rows[:2]})
    told = f"Both see {sees.pop()} pixels; {stated['small']} C² weights against {stated['large']} C²."
    return supported(told, channels=sorted({row["channels"] for row in rows}))


def idle(*networks: Evidence) -> Verdict | None:
    """The verdict where a network has learned nothing, so that nothing can be said of what it has learned."""
    for runs in networks:
        chance = 1 / len(runs.one().table("classes")["names"])
        if accuracy(runs) < LEARNED * chance:
            told = f"a network is right on {accuracy(runs):.1%} of test pictures, where chance is {chance:.1%}"
            return inconclusive(f"Nothing can be told: {told}.", accuracy=accuracy(runs), chance=chance)
    return None


def mean(values: Iterable[float]) -> float:
    """Of at least one value."""
    listed = [float(value) for value in values]
    return sum(listed) / len(listed)
