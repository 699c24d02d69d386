"""What is said of the theorem's network and of linear models of least norm, and how it is decided."""

from typing import Any

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.decide import proportion
from workings.core.evidence import Evidence, Run
from workings.studies.random_labels.arms import percent

RIGHT = 0.5
"""A network that is off by less says the right label once rounded."""
LOST = 100.0
"""Two decimal digits: more than another direction or other labels make (measured)."""
INTERPOLATES = 1e-6
"""Largest residual of a linear model that interpolates. Targets are of size 1 and rounding leaves 1e-12 where the
design is square; what does not fit is off by tenths."""
ARRIVED = 1e-4
"""Relative distance at which gradient descent has arrived; it set out from a distance of 1 or more."""
ON = ("fashion-mnist", "digits")
"""Pictures on which both are computed."""


@claim(
    "finite-sample-construction",
    source="gatech-2024-ps2/7a",
    about=ON,
    basis="exhaustive",
    expect="supported",
    statement="A two-layer ReLU network of 2n + d weights represents any labels on n distinct points of d dimensions.",
    rule="Built on random labels of real pictures, its numbers are counted; in fractions it must say every label "
    "exactly, and in float64 every label once rounded.",
)
def finite_sample_construction(evidence: Evidence) -> Verdict:
    """Count, then compare in fractions and in float64."""
    run = evidence.where(task="construct").one()
    points, dimension, size = (int(run.metric(name)) for name in ("points", "dimension", "size"))
    wrong, checked = run.metric("exact/error"), int(run.metric("exact/points"))
    row = _errors(run, "previous")[-1]
    numbers = {"points": points, "dimension": dimension, "size": size, "error": row["error"], "exact_error": wrong}
    witness = {
        "pictures": points,
        "pixels": dimension,
        "numbers": size,
        "error": wrong,
        "error_in_float64": row["error"],
    }
    if size != 2 * points + dimension:
        return refuted(f"The network has {size:,} numbers, not 2n + d = {2 * points + dimension:,}.", witness=witness)
    if wrong or row["error"] >= RIGHT:
        return refuted("The network does not say every label.", witness=witness, **numbers)
    if checked != points or row["points"] != points:
        return inconclusive(f"Only {checked:,} of {points:,} pictures were checked.", **numbers)
    return supported(
        f"2 · {points:,} + {dimension} = {size:,} numbers say the random labels of {points:,} pictures of {dimension} "
        f"pixels: exactly in fractions, to {row['error']:.1g} in float64.",
        **numbers,
    )


@claim(
    "thresholds-matter",
    source="own",
    about=ON,
    basis="measured",
    expect="supported",
    statement="With thresholds half-way between the projections, the construction loses digits that it keeps with "
    "thresholds at the projections.",
    rule="On all pictures of the run the largest error in float64 at midpoints must be at least 100 times that at the "
    "previous projection; a smaller one than that refutes, anything between leaves it open.",
)
def thresholds_matter(evidence: Evidence) -> Verdict:
    """Compare the largest errors of both choices."""
    run = evidence.where(task="construct").one()
    near, far = (_errors(run, kind)[-1] for kind in ("previous", "midpoints"))
    numbers = {
        "points": near["points"],
        "previous": near["error"],
        "midpoints": far["error"],
        "wrong_at_midpoints": far["wrong"],
        "cancellation": [near["cancellation"], far["cancellation"]],
    }
    told = f"On {near['points']:,} pictures midpoints err by {far['error']:.2g}, projections by {near['error']:.2g}"
    if far["error"] >= LOST * near["error"] > 0:
        return supported(f"{told}, {far['error'] / near['error']:,.0f} times less.", **numbers)
    if far["error"] < near["error"]:
        return refuted(f"{told}.", witness=numbers)
    return inconclusive(f"{told}: no two digits apart.", **numbers)


@claim(
    "least-norm-interpolates",
    source="gatech-2024-ps2/7a",
    about=ON,
    basis="exhaustive",
    expect="supported",
    statement="A linear model whose design has as much rank as there are pictures fits any labels, random ones too.",
    rule="Every model of the runs whose rank is the number of pictures must leave no residual but rounding, and say "
    "every label; there must be one on true labels and one on random ones.",
)
def least_norm_interpolates(evidence: Evidence) -> Verdict:
    """Look at every design of full rank."""
    told: list[str] = []
    numbers: dict[str, Any] = {}
    for labels in ("true", "random"):
        run = evidence.where(task="minimum-norm", labels=labels).one()
        count = int(run.metric("pictures"))
        full = [row for row in run.table("models") if row["rank"] == count]
        for row in full:
            if row["residual"] > INTERPOLATES or row["train"] < 1:
                return refuted(
                    "A design of full rank does not fit.", witness={"pictures": count, "labels": labels, **row}
                )
        if not full:
            return inconclusive(f"No design has the rank of the {count} pictures.", rows=len(run.table("models")))
        numbers[labels] = {"models": len(full), "residual": max(r["residual"] for r in full), "test": full[-1]["test"]}
        residual, test = numbers[labels]["residual"], percent(full[-1]["test"])
        told.append(f"{len(full)} designs fit {labels} labels to {residual:.0e} (test accuracy of the largest {test})")
    return supported(f"{'; '.join(told)}.", **numbers)


@claim(
    "descent-finds-least-norm",
    source="gatech-2024-ps2/7a",
    about=ON,
    basis="measured",
    expect="supported",
    statement="Of all linear models that fit, gradient descent from zero finds the one of least norm; from elsewhere "
    "it does not.",
    rule="Started at zero it must end at the solution of least norm, to a relative distance of 1e-4. Started elsewhere "
    "it must fit as well, with a greater norm, off by that part of the start which no picture sees.",
)
def descent_finds_least_norm(evidence: Evidence) -> Verdict:
    """Compare where both descents ended."""
    found = evidence.where(task="minimum-norm").one().table("descent")
    near, far, norm = found["from_zero"], found["from_elsewhere"], found["norm_from_elsewhere"]
    if near > ARRIVED:
        return refuted("Descent from zero ends elsewhere.", witness=found)
    if far > ARRIVED or found["residual"] > ARRIVED or norm <= found["norm"]:
        return refuted("Descent from elsewhere does not keep what no picture sees.", witness=found)
    return supported(
        f"After {found['steps']:,} steps descent from zero is within {near:.0e} of the model of least norm, "
        f"{found['norm']:.2f}; from elsewhere it fits too, with norm {norm:.2f}.",
        **found,
    )


@claim(
    "worst-where-it-just-fits",
    source="own",
    about=ON,
    basis="measured",
    statement="A linear model of least norm is worst where it just begins to fit, and gets better with more features "
    "than pictures.",
    rule="On true labels: the 95 % intervals (Wilson) of test accuracy with as many features as pictures and with the "
    "most features must not meet, the latter being higher, and the one below must be lower than with fewer features. "
    "The other order refutes, intervals that meet leave it open.",
)
def worst_where_it_just_fits(evidence: Evidence) -> Verdict:
    """Compare three numbers of features."""
    run = evidence.where(task="minimum-norm", labels="true").one()
    count, tested = int(run.metric("pictures")), int(run.metric("pictures/test"))
    rows = [row for row in run.table("models") if row["design"] == "features"]
    square = next(row for row in rows if row["size"] == count)
    before = max((row for row in rows if row["size"] < count), key=lambda row: row["test"])
    best = rows[-1]
    low, middle, high = (proportion(round(row["test"] * tested), tested) for row in (before, square, best))
    numbers = {"pictures": count, "features": [row["size"] for row in (before, square, best)]}
    numbers |= {
        "test": [row["test"] for row in (before, square, best)],
        "norm": [row["norm"] for row in (before, square, best)],
    }
    told = f"With {before['size']:,}, {square['size']:,} and {best['size']:,} features for {count} pictures the test " \
        f"accuracy is {percent(before['test'])}, {percent(square['test'])} and {percent(best['test'])}"  # fmt: skip
    if middle.high < min(low.low, high.low):
        return supported(f"{told}.", **numbers)
    if middle.low > max(low.high, high.high):
        return refuted(f"{told}.", witness=numbers)
    return inconclusive(f"{told}: their intervals meet.", **numbers)


def _errors(run: Run, thresholds: str) -> list[dict[str, Any]]:
    """By number of points."""
    return [row for row in run.table("errors") if row["thresholds"] == thresholds]
