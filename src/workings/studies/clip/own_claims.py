"""What we say of small models, on drawn scenes and on the photographs at hand, and how it is decided."""

from collections.abc import Mapping
from typing import Any

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.decide import MINIMUM_SEEDS, paired_difference, proportion
from workings.core.evidence import Evidence, Run
from workings.studies.clip.comparisons import (
    BETTER_RULE,
    FAR,
    FIRST,
    GRID_RULE,
    balanced,
    contest,
    differ,
    drawn_grid,
    larger,
    mean,
    seeds,
    trained,
)
from workings.studies.clip.retrieval import chance, recalls
from workings.studies.clip.study import DRAWN, PHOTOGRAPHS

PART, SCENES = "flickr8k-part", "drawn-scenes"


@claim(
    "generalises-to-held-out-pairs",
    source="own",
    about=SCENES,
    basis="measured",
    statement="On drawn scenes nine captions in ten find their picture first, though no test scene's pair of shape and "
    "colour was seen in training.",
    rule="R@1, text to image, must reach our mark with every seed, and its 95 % interval over seeds (Student's t) lie "
    "above it; below it refutes; else, with fewer than three seeds or too few test scenes, inconclusive.",
)
def generalises_to_held_out_pairs(evidence: Evidence) -> Verdict:
    """R@1 among scenes of held-out pairs, beside the mark."""
    mark, runs = evidence.published["generalises-to-held-out-pairs"], trained(evidence, DRAWN)
    values, scenes = runs.metric(f"text-to-image/r{FIRST}"), int(min(runs.metric("count/test")))
    found = paired_difference([mark["recall"]] * len(values), values)
    numbers = {"recall": values, "scenes": scenes, "above_the_mark": -found.difference}
    told = f"R@{FIRST} {_span(values)} among {scenes:,} test scenes ({seeds(len(values))})"
    told += f"; the mark is {mark['recall']:.0%}"
    if found.verdict == "higher":
        return refuted(f"{told}.", witness={"mark": mark["recall"], **numbers})
    if scenes < mark["scenes"]:
        return inconclusive(f"{told}, among {mark['scenes']:,}.", **numbers)
    if found.verdict == "lower" and min(values) >= mark["recall"]:
        return supported(f"{told}.", **numbers)
    why = "too few seeds to decide" if found.verdict == "underpowered" else "it is not clear of it with every seed"
    return inconclusive(f"{told}: {why}.", **numbers)


@claim(
    "losses-differ",
    source="own",
    about=SCENES,
    basis="measured",
    statement="On drawn scenes the original loss and the softened one retrieve unequally well.",
    rule="Over seeds (paired, Student's t) and over test scenes (paired bootstrap), the 95 % intervals of the "
    "difference in R@1, text to image, must exclude zero on the same side; refuted where both hold zero and end within "
    "our margin; else, or with fewer than three seeds, inconclusive.",
)
def losses_differ(evidence: Evidence) -> Verdict:
    """Both losses on the same scenes and seeds."""
    runs = {loss: trained(evidence, DRAWN, loss=loss) for loss in ("clip", "soft")}
    told = ", ".join(f"{mean(there.metric(f'text-to-image/r{FIRST}')):.1%} {loss}" for loss, there in runs.items())
    margin = evidence.published["losses-differ"]["margin"]
    return differ(contest(runs["clip"], runs["soft"], FIRST), f"R@{FIRST}, text to image: {told}", margin)


@claim(
    "larger-image-encoder-on-drawn",
    source="own",
    about=SCENES,
    basis="measured",
    statement="On drawn scenes a larger image encoder retrieves better.",
    rule=BETTER_RULE + " A caption misses where its scene is not the first. Each against the next smaller." + GRID_RULE,
)
def larger_image_encoder_on_drawn(evidence: Evidence) -> Verdict:
    """Picture towers by size."""
    return larger(drawn_grid(evidence), FIRST, axis=0)


@claim(
    "larger-text-encoder-on-drawn",
    source="own",
    about=SCENES,
    basis="measured",
    statement="On drawn scenes a larger text encoder retrieves better.",
    rule=BETTER_RULE + " A caption misses where its scene is not the first. Each against the next smaller." + GRID_RULE,
)
def larger_text_encoder_on_drawn(evidence: Evidence) -> Verdict:
    """Text towers by size."""
    return larger(drawn_grid(evidence), FIRST, axis=1)


@claim(
    "balanced-scaling-on-drawn",
    source="own",
    about=SCENES,
    basis="measured",
    statement="On drawn scenes encoders of balanced size retrieve best.",
    rule=BETTER_RULE
    + " A caption misses where its scene is not the first. The three pairs of equal rank by size against "
    "the six others." + GRID_RULE,
)
def balanced_scaling_on_drawn(evidence: Evidence) -> Verdict:
    """Pairs of equal rank, and the others."""
    return balanced(drawn_grid(evidence), FIRST)


@claim(
    "zero-shot-on-drawn",
    source="own",
    about=SCENES,
    basis="measured",
    statement="On drawn scenes the model names shape, colour, and both together, though nobody trained it to.",
    rule="Chance is the share of the commonest class. With every seed the 95 % interval (Wilson) of each accuracy must "
    "lie above it; one that lies below refutes; else, or with fewer than three seeds, inconclusive.",
)
def zero_shot_on_drawn(evidence: Evidence) -> Verdict:
    """Accuracies beside chance."""
    runs = trained(evidence, DRAWN)
    rows = [_accuracy(run, what) for run in runs for what in ("shape", "colour", "pair")]
    worst = min(rows, key=lambda row: row["interval"][0] - row["chance"])
    told = "; ".join(
        f"{what} {mean([row['accuracy'] for row in rows if row['what'] == what]):.1%}, by chance "
        f"{mean([row['chance'] for row in rows if row['what'] == what]):.1%}"
        for what in ("shape", "colour", "pair")
    )
    told = f"Named right: {told} ({seeds(len(runs))})"
    return _against(rows, "chance", worst, told, len(runs))


@claim(
    "unseen-pairs-among-all",
    source="own",
    about=SCENES,
    basis="measured",
    statement="Asked among the captions of all scenes that there can be, the model still names the unseen pair of "
    "shape and colour of nine scenes in ten.",
    rule="A picture is what the nearest caption says. With every seed the 95 % interval (Wilson) of the share of "
    "pictures whose pair it names must lie above our mark; one that lies below refutes; else, or with fewer than three "
    "seeds, inconclusive.",
    repair="Among scenes of unseen pairs alone the caption is found; where seen pairs may be named too, they win.",
)
def unseen_pairs_among_all(evidence: Evidence) -> Verdict:
    """Accuracy on pairs, beside the mark of `generalises-to-held-out-pairs`."""
    mark, runs = evidence.published["generalises-to-held-out-pairs"]["recall"], trained(evidence, DRAWN)
    rows = [{**_accuracy(run, "pair"), "mark": mark} for run in runs]
    told = f"Pairs named right: {_span([row['accuracy'] for row in rows])} ({seeds(len(runs))}); the mark is {mark:.0%}"
    worst = min(rows, key=lambda row: row["interval"][0])
    return _against(rows, "mark", worst, told, len(runs))


@claim(
    "photographs-above-chance",
    source="own",
    about=PART,
    basis="measured",
    statement="A small model that has seen a few hundred photographs finds new ones by their captions, among the first "
    "ten, more often than chance does.",
    rule="With every seed the 95 % interval of R@10 (bootstrap over test pictures) "
    "must lie above chance; one that lies below refutes; else, or with fewer than three seeds, inconclusive.",
)
def photographs_above_chance(evidence: Evidence) -> Verdict:
    """R@10 beside chance."""
    runs = trained(evidence, PHOTOGRAPHS)
    rows = [_recall(run) for run in runs]
    worst = min(rows, key=lambda row: row["interval"][0] - row["chance"])
    intervals = ", ".join(f"{row['accuracy']:.1%} [{row['interval'][0]:.1%}, {row['interval'][1]:.1%}]" for row in rows)
    told = f"R@{FAR}, text to image: {intervals}, by chance {worst['chance']:.1%} ({seeds(len(runs))})"
    return _against(rows, "chance", worst, told, len(runs))


def _against(rows: list[dict[str, Any]], what: str, worst: Mapping[str, Any], told: str, count: int) -> Verdict:
    """Rows of intervals, and chance or a mark: supported where all lie above it, refuted where one lies below."""
    if worst["interval"][1] < worst[what]:
        return refuted(f"{told}.", witness=worst, rows=rows)
    if count < MINIMUM_SEEDS:
        return inconclusive(f"{told}: too few seeds to decide.", rows=rows)
    if all(row["interval"][0] > row[what] for row in rows):
        return supported(f"{told}.", rows=rows)
    return inconclusive(f"{told}: an interval holds {'chance' if what == 'chance' else 'it'}.", rows=rows)


def _accuracy(run: Run, what: str) -> dict[str, Any]:
    share, count = run.metric(f"zero-shot/{what}"), int(run.metric("count/test"))
    interval = proportion(round(share * count), count).to_json()
    by_chance = run.metric(f"zero-shot/{what}/chance")
    return {"what": what, "seed": run.config["seed"], "accuracy": share, "interval": interval, "chance": by_chance}


def _recall(run: Run) -> dict[str, Any]:
    found = recalls(run.array("ranks/text-to-image"), run.array("query/picture"))
    pictures = int(run.metric("count/test"))
    return {
        "seed": run.config["seed"],
        "accuracy": found.values[f"r{FAR}"],
        "interval": found.intervals[f"r{FAR}"].to_json(),
        "chance": chance(FAR, pictures),
        "pictures": pictures,
    }


def _span(values: list[float]) -> str:
    low, high = f"{min(values):.1%}", f"{max(values):.1%}"
    return low if low == high else f"{low} to {high}"
