"""How models are compared: which runs, over seeds and test pictures, prompt by prompt, and tower by tower."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workings.core.claim import Verdict, inconclusive, refuted, supported
from workings.core.config import identity
from workings.core.decide import Contest, better, paired_difference
from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.studies.clip.retrieval import misses
from workings.studies.clip.study import CONVOLUTIONS, PAIRS, SHEET, SHORT, TRANSFORMERS, Config

Floats: TypeAlias = NDArray[np.float64]

BETTER_RULE = (
    "Over seeds (paired, Student's t) and over test pictures (paired bootstrap, all captions of a picture together), "
    "the 95 % intervals of the difference in the share of captions that miss must lie on the stated side of zero; on "
    "the other side they refute; else, or with fewer than three seeds, inconclusive."
)
PROMPT_RULE = (
    "Counted is which of the first eight pictures have a caption with every key word of the prompt. A model fails with "
    "fewer than a quarter of them. Every 95 % interval over seeds (Student's t) must lie on the stated side; one on "
    "the other side refutes; else, or with fewer than three seeds, inconclusive."
)
GRID_RULE = " Compared are averages over pairs of the grid, in which every tower stands with every other, equally long."
FAR, FIRST = 10, 1
"""A caption misses where its picture is not among so many: on photographs, and on drawn scenes, which are easier."""
Demand: TypeAlias = tuple[str, Sequence[float], Sequence[float]]
"""What it says; values by seed; and those, or the mark, that they must lie above."""


def trained(evidence: Evidence, config: Config, **changes: Any) -> Evidence:
    """The runs of this training, with these changes, from whatever seed."""
    wanted = replace(config, **changes)
    try:
        return evidence.where(**{name: value for name, value in identity(wanted).items() if name != "seed"})
    except MissingEvidence:
        towers = f"{wanted.image_tower} + {wanted.text_tower}, {wanted.loss} loss, as on {wanted.data}"
        raise MissingEvidence(f"no training of {towers}, is finished") from None


def pair(evidence: Evidence, name: str) -> Evidence:
    """The runs of one of the published models by the class's recipe."""
    pictures, text = PAIRS[name]
    return trained(evidence, SHEET, image_tower=pictures, text_tower=text)


def missed(evidence: Evidence, k: int) -> Floats:
    """Of each test picture, the share of its captions that do not find it among the first k: ``[seeds, pictures]``."""
    rows = [misses(run.array("ranks/text-to-image"), run.array("query/picture"), k) for run in evidence]
    if not rows or len({len(row) for row in rows}) > 1:
        raise MissingEvidence("the runs share no seed, or were tested on different numbers of pictures")
    return np.stack(rows)


def contest(first: Evidence, second: Evidence, k: int) -> Contest:
    """Two models on the same test pictures, over the seeds that both have."""
    one, other = first.beside(second)
    return better(missed(one, k), missed(other, k))


@dataclass(frozen=True)
class Grid:
    """Every picture tower with every text tower, the smaller before the larger, over the seeds that all have."""

    pictures: tuple[str, ...]
    texts: tuple[str, ...]
    runs: Mapping[tuple[str, str], Evidence]

    def missed(self, k: int) -> Floats:
        """``[picture towers, text towers, seeds, pictures]``"""
        return np.array([[missed(self.runs[one, other], k) for other in self.texts] for one in self.pictures])

    def recall(self, k: int) -> Floats:
        """R@k, text to image: ``[picture towers, text towers, seeds]``."""
        names = [[self.runs[one, other] for other in self.texts] for one in self.pictures]
        return np.array([[runs.metric(f"text-to-image/r{k}") for runs in row] for row in names])


def published_grid(evidence: Evidence) -> Grid:
    """The published towers by the class's recipe."""
    pictures, texts = zip(*PAIRS.values(), strict=True)
    return _grid(evidence, SHEET, pictures, texts)


def drawn_grid(evidence: Evidence) -> Grid:
    """Small towers on drawn scenes."""
    return _grid(evidence, SHORT, CONVOLUTIONS, TRANSFORMERS)


def _grid(evidence: Evidence, config: Config, pictures: Sequence[str], texts: Sequence[str]) -> Grid:
    runs = {
        (one, other): trained(evidence, config, image_tower=one, text_tower=other)
        for one, other in product(pictures, texts)
    }
    first = next(iter(runs.values()))
    for cell in runs.values():
        first, _ = first.beside(cell)
    shared = {at: first.beside(cell)[1] for at, cell in runs.items()}
    if not len(first) or len({run.reached for cell in shared.values() for run in cell}) > 1:
        raise MissingEvidence("the pairs of the grid share no seed, or were not trained for as many epochs")

    def by_size(names: Sequence[str], part: str, place: int) -> tuple[str, ...]:
        size = {at[place]: cell.one().metric(f"parameters/{part}") for at, cell in shared.items()}
        return tuple(sorted(names, key=size.__getitem__))

    return Grid(by_size(pictures, "pictures", 0), by_size(texts, "text", 1), shared)


def larger(found: Grid, k: int, *, axis: int) -> Verdict:
    """Whether each next larger tower, of pictures (axis 0) or of text (axis 1), misses less, whatever the other is."""
    names = (found.pictures, found.texts)[axis]
    errors = found.missed(k).mean(axis=1 - axis)
    steps = {f"{names[at]} beside {names[at - 1]}": better(errors[at], errors[at - 1]) for at in range(1, len(names))}
    shares = (f"{1 - errors[at].mean():.1%} with {name}" for at, name in enumerate(names))
    return ruled(steps, f"R@{k}, text to image, over all towers of the other kind: {', '.join(shares)}")


def balanced(found: Grid, k: int) -> Verdict:
    """Whether towers of equal rank by size miss less, together, than those of unequal rank.

    Each tower takes part in one pair of three on either side of the balance, so that what it is good for by itself
    cancels: only how towers suit each other is left.
    """
    errors = found.missed(k)
    same = np.eye(len(errors), dtype=bool)
    one, other = errors[same].mean(axis=0), errors[~same].mean(axis=0)
    told = (
        f"R@{k}, text to image: {1 - one.mean():.1%} over pairs of equal rank, {1 - other.mean():.1%} over the others"
    )
    return ruled({"pairs of unequal rank": better(one, other)}, told)


def ruled(contests: Mapping[str, Contest], told: str, **numbers: Any) -> Verdict:
    """Supported where the first has the lower error in every contest, refuted where it has the higher in one."""
    count = min(c.by_seed.seeds for c in contests.values())
    kept = {name: c.numbers() for name, c in contests.items()} | numbers
    verdicts = {c.verdict for c in contests.values()}
    if "higher" in verdicts:
        name, lost = next((n, c) for n, c in contests.items() if c.verdict == "higher")
        witness = {"against": name, "misses": lost.first, "of_the_other": lost.second}
        return refuted(f"{told} ({seeds(count)}).", witness=witness, **kept)
    if verdicts == {"lower"}:
        return supported(f"{told} ({seeds(count)}).", **kept)
    why = "too few seeds or pictures to decide" if "underpowered" in verdicts else "an interval holds zero"
    return inconclusive(f"{told}: {why} ({seeds(count)}).", **kept)


def differ(contest: Contest, told: str, margin: float) -> Verdict:
    """Supported where either misses less; refuted where the intervals hold zero and end within the margin."""
    numbers, count = contest.numbers(), contest.by_seed.seeds
    intervals = [found.interval for found in (contest.by_seed, contest.by_item)]
    if contest.verdict in ("lower", "higher"):
        return supported(f"{told} ({seeds(count)}).", **numbers)
    near = all(i is not None and i.contains(0.0) and -margin <= i.low and i.high <= margin for i in intervals)
    if contest.verdict == "undecided" and near:
        witness = {"misses": contest.first, "of_the_other": contest.second, "margin": margin}
        return refuted(f"{told}: no difference beyond {margin:.1%} ({seeds(count)}).", witness=witness, **numbers)
    why = "too few seeds to decide" if contest.verdict == "underpowered" else "an interval holds zero, and is wide"
    return inconclusive(f"{told}: {why} ({seeds(count)}).", **numbers)


@dataclass(frozen=True)
class Answers:
    """What the three published models bring up for prompts, over the seeds that all have."""

    runs: Mapping[str, Evidence]

    def shares(self, prompt: str) -> dict[str, list[float]]:
        """Of each model, the share of its first pictures that fit, by seed."""
        return {name: [fitting_share(run, prompt) for run in runs] for name, runs in self.runs.items()}

    def told(self, prompt: str) -> str:
        """In words."""
        means = ", ".join(f"{name} {mean(values):.0%}" for name, values in self.shares(prompt).items())
        among = [answer(run, prompt)["fitting"] for run in self.runs["A"]]
        return f"“{prompt}”: {means} of the first pictures fit, where {_span(among)} of the test pictures do"


def answers(evidence: Evidence) -> Answers:
    """Of A, B and C."""
    runs = {name: pair(evidence, name) for name in PAIRS}
    for name, other in product(PAIRS, PAIRS):
        runs[name], runs[other] = runs[name].beside(runs[other])
    if not len(runs["A"]):
        raise MissingEvidence("the three models share no seed")
    return Answers(runs)


def answer(run: Run, prompt: str) -> Mapping[str, Any]:
    """What a run brings up for a prompt."""
    rows: list[Mapping[str, Any]] = run.table("prompts")
    found = next((row for row in rows if row["prompt"] == prompt), None)
    if found is None:
        raise MissingEvidence(f"run {run.id} was not asked for {prompt!r}")
    return found


def fitting_share(run: Run, prompt: str) -> float:
    """The share of the first pictures that fit."""
    hits = answer(run, prompt)["hits"]
    return float(np.mean([hit["fits"] for hit in hits]))


def demanded(demands: Sequence[Demand], told: str) -> Verdict:
    """Supported where the first lies above the second in every demand, over seeds; refuted where below in one."""
    found = [(name, paired_difference(second, first)) for name, first, second in demands]
    count = min(c.seeds for _, c in found)
    kept = {name: {"gap": -c.difference, "seeds": c.seeds, "interval": _turned(c.interval)} for name, c in found}
    verdicts = {c.verdict for _, c in found}
    if "higher" in verdicts:
        name, one, other = next(d for d, (_, c) in zip(demands, found, strict=True) if c.verdict == "higher")
        witness = {"demanded": name, "first": list(one), "second": list(other)}
        return refuted(f"{told}: not so, {name} ({seeds(count)}).", witness=witness, **kept)
    if verdicts == {"lower"}:
        return supported(f"{told} ({seeds(count)}).", **kept)
    why = "too few seeds to decide" if "underpowered" in verdicts else "an interval over seeds holds the mark"
    return inconclusive(f"{told}: {why} ({seeds(count)}).", **kept)


def above(name: str, values: Sequence[float], mark: float) -> Demand:
    """The demand that a model's share lies above a mark."""
    return f"{name} above {mark:.0%}", values, [mark] * len(values)


def below(name: str, values: Sequence[float], mark: float) -> Demand:
    """The demand that it lies below."""
    return f"{name} below {mark:.0%}", [mark] * len(values), values


def seeds(count: int) -> str:
    """In words."""
    return f"{count} seed{'s' * (count != 1)}"


def mean(values: Sequence[float]) -> float:
    """Of at least one value."""
    return sum(values) / len(values)


def on(evidence: Evidence, *datasets: str) -> Evidence:
    """The runs that saw one of these datasets; raises `MissingEvidence` where there is none."""
    kept = tuple(run for run in evidence if any(d["id"] in datasets for d in run.datasets.values()))
    if not kept:
        raise MissingEvidence(f"no run on {' or '.join(datasets)} is finished")
    return replace(evidence, runs=kept)


def _turned(interval: Any) -> list[float] | None:
    return None if interval is None else [-interval.high, -interval.low]


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"
