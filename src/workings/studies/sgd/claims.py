"""What the sheet asks of stochastic gradient descent, and what is true instead."""

from fractions import Fraction

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.evidence import NONE, Evidence, Run
from workings.studies.sgd.study import SHEET_TERMS

STANDARD_ERRORS = 4.0
"""A walk's noise may be off by this many standard errors: by chance that happens once in 16,000 comparisons."""
ROUNDING = 1e-9
"""Relative: where every step lands at a term's minimum, the walks have no spread, only float64's rounding."""
TIGHT = 0.05
"""Relative standard error above which agreement would mean nothing."""


@claim(
    "every-step-descends",
    source="gatech-2024-ps2/6",
    about=NONE,
    basis="exhaustive",
    expect="refuted",
    statement="Every step of stochastic gradient descent, with a step size that lowers the sampled term, lowers the "
    "whole loss.",
    rule="Refuted by any step with 0 < η < 2 that lowers its own term and raises f; from the minimiser each step is "
    "tried, exactly.",
    repair="Steps lower f on average while w is far from the minimum; near it, single steps raise f.",
)
def every_step_descends(evidence: Evidence) -> Verdict:
    for run in _sheet(evidence):
        start = Fraction(run.table("loss")["minimiser"])
        for row in run.table("raises"):
            told = {key: Fraction(value) for key, value in row["at_minimiser"].items()}
            if told["rise"] > 0 and told["term_after"] < told["term_before"]:
                least = Fraction(run.table("loss")["least"])
                return refuted(
                    f"From the minimiser w = {start} every step goes up: with η = {run.config['eta']:g} the step on "
                    f"`{row['term']}` lowers that term and raises f by {told['rise']}.",
                    witness={
                        "w": float(start),
                        "eta": run.config["eta"],
                        "term": row["term"],
                        "w_after": float(told["after"]),
                        "f_before": float(least),
                        "f_after": float(least + told["rise"]),
                        "term_before": float(told["term_before"]),
                        "term_after": float(told["term_after"]),
                    },
                )
    return supported("No step from the minimiser raises f.")


@claim(
    "rises-in-closed-form",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="A step on a term raises f exactly between that term's own minimum and a second point, which the step "
    "size sets.",
    rule="At every one of the rational points the sign of the change of f, in exact arithmetic, must be the one that "
    "the closed form gives; every set must be one interval with the term's minimum as an end.",
)
def rises_in_closed_form(evidence: Evidence) -> Verdict:
    cases = 0
    for run in evidence:
        checked, centres = run.table("checked"), [term["centre"] for term in run.table("loss")["terms"]]
        cases += checked["cases"]
        if checked["disagreements"]:
            return refuted("The closed form is wrong.", witness={"eta": run.config["eta"], **checked})
        for row, centre in zip(run.table("raises"), centres, strict=True):
            if len(row["intervals"]) != 1 or float(Fraction(centre)) not in row["intervals"][0]:
                return refuted("A set is of another kind.", witness={"term": row["term"], "found": row["exact"]})
    shown = _sheet(evidence).one()
    sets = {row["term"]: row["exact"] for row in shown.table("raises")}
    told = ", ".join(f"on `{term}`: `{where}`" for term, where in sets.items())
    return supported(f"It holds at {cases:,} exact points; at η = {shown.config['eta']:g}, {told}.", cases=cases)


@claim(
    "noise-ball",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="With a fixed step size the walk does not settle at the minimum but stays about it, with a mean square "
    "distance known in closed form.",
    rule="At every step size the mean square distance over independent walks must be within four standard errors of "
    "the prediction; an error above a twentieth of it decides nothing.",
)
def noise_ball(evidence: Evidence) -> Verdict:
    numbers = {}
    for run in evidence:
        predicted, measured, error = (run.metric(f"noise/{name}") for name in ("predicted", "measured", "error"))
        if abs(measured - predicted) > STANDARD_ERRORS * error + ROUNDING * predicted:
            where = {"eta": run.config["eta"], "terms": run.config["f"]}
            return refuted("A walk stays elsewhere.", witness=where | {"predicted": predicted, "measured": measured})
        if error > TIGHT * predicted:
            return inconclusive(f"At η = {run.config['eta']:g} there are too few walks to tell.", error=error)
        numbers[_label(run)] = {"predicted": predicted, "measured": measured, "error": error}
    worst = max(abs(n["measured"] / n["predicted"] - 1) for n in numbers.values())
    told = f"Measured and predicted distances differ by {worst:.1%} at most in {len(numbers)} cases; none is 0."
    return supported(told, **numbers)


@claim(
    "full-batch-descends",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="A step on the whole of the sheet's f lowers it from every point but the minimiser exactly for "
    "0 < η < 1.",
    rule="The distance to the minimiser must shrink by a factor of modulus below one for each step size inside the "
    "range, and must not for the others; along the recorded descent f must fall accordingly.",
)
def full_batch_descends(evidence: Evidence) -> Verdict:
    factors = {}
    for run in _sheet(evidence):
        eta, factor = run.config["eta"], run.metric("full_batch/factor")
        away = abs(run.array("full_batch") - float(Fraction(run.table("loss")["minimiser"])))
        falls = bool(away[1] < away[0])
        if (abs(factor) < 1) != (0 < eta < 1) or falls != (0 < eta < 1):
            return refuted("The range is another.", witness={"eta": eta, "factor": factor, "descends": falls})
        factors[f"η = {eta:g}"] = factor
    inside = [float(name.removeprefix("η = ")) for name, factor in factors.items() if abs(factor) < 1]
    tried = ", ".join(f"{eta:g}" for eta in inside)
    told = f"It descends at η = {tried}, and not at the other {len(factors) - len(inside)} that were tried."
    return supported(told, factors=factors)


def _sheet(evidence: Evidence) -> Evidence:
    return evidence.where(f=list(SHEET_TERMS))


def _label(run: Run) -> str:
    terms = len(run.config["f"])
    return f"{terms} terms, η = {run.config['eta']:g}"
