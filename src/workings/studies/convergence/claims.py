"""What the sheet and we say of the proximal step, the lemma and the rate, and how it is decided."""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from workings.core.claim import Verdict, claim, refuted, supported
from workings.core.evidence import ANY, NONE, Evidence, Run

ROUNDING = 1e-11
"""How far a float64 sum over a path may be off, relative to its terms: a thousand steps of a thousand coordinates leave
some 1e-13; a statement that is false here is false by per cents."""
LEFT_OVER = 1e-4
"""Gradient left where BFGS stops: 1e-5 a coordinate by its own rule, and as much by its finite differences."""
SOLVED = 1e-3
"""Relative accuracy of a semidefinite programme's value: the solver stops at 1e-5 or so of its scaled residuals."""


@claim(
    "prox-is-gradient-step",
    source="gatech-2024-ps2/3.1",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="⟨g, w − w_t⟩ + (λ/2)‖w − w_t‖² is least at w_t − g/λ alone: a gradient step with η = 1/λ.",
    rule="In any dimension the model's gradient must vanish there, with curvature λ; and a solver that sees values "
    "alone must end there, up to its own stopping rule. A draw where it ends elsewhere refutes.",
)
def prox_is_gradient_step(evidence: Evidence) -> Verdict:
    stated, runs = evidence.published["prox-is-gradient-step"]["step_times_lambda"], evidence.where(part="prox")
    for run in runs:
        found = run.table("symbolic")
        if found["gradient_at_step"] != "0" or found["curvature_along_h"] != "lambda*h":
            return refuted("The model's gradient does not vanish there.", witness=found)
        for draw in run.table("searches"):
            left = math.hypot(
                *(
                    draw["lambda"] * (w - at) + stated * g
                    for w, at, g in zip(draw["found"], draw["w_t"], draw["g"], strict=True)
                )
            )
            if left > LEFT_OVER:
                return refuted("A solver ends elsewhere.", witness={**draw, "step_times_lambda": stated})
    count = sum(len(run.table("searches")) for run in runs)
    return supported(
        f"The model's gradient, `{found['gradient']}`, vanishes at w_t − g/λ alone; {count} searches end there.",
        searches=count,
    )


@claim(
    "telescoping-lemma",
    source="gatech-2024-ps2/3.2",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="For any vectors v_t, Σ⟨w_t − w*, v_t⟩ ≤ ‖w*‖²/(2η) + (η/2)Σ‖v_t‖², and the two sides differ by "
    "‖w_{T+1} − w*‖²/(2η).",
    rule="On every sequence, in exact fractions, the inequality must hold and the difference be as stated. One "
    "sequence refutes.",
)
def telescoping_lemma(evidence: Evidence) -> Verdict:
    stated, runs = evidence.published["telescoping-lemma"], evidence.where(part="lemma")
    tight = 0
    rows = [(run, row) for run in runs for row in run.table("sequences")]
    for _, row in rows:
        left, distance, squares, last, eta = (
            Fraction(row[name]) for name in ("left", "distance", "squares", "last", "eta")
        )
        right = Fraction(stated["of_distance"]) * distance / eta + Fraction(stated["of_squares"]) * eta * squares
        if left > right or right - left != last / (2 * eta):
            words = "The left side is larger." if left > right else "The sides differ by another amount."
            return refuted(words, witness={**row, "right": str(right)})
        tight += left == right
    dimensions = sorted({run.config["dimension"] or 2 for run in runs})
    return supported(
        f"It holds exactly on {len(rows)} sequences in {', '.join(map(str, dimensions))} dimensions, with equality on "
        f"{tight}; the difference is the dropped term on all.",
        sequences=len(rows),
        with_equality=tight,
        dimensions=dimensions,
    )


@claim(
    "affine-lower-bound",
    source="gatech-2024-ps2/3.3",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="A convex function lies above each of its tangents: f(u) ≥ f(w) + ⟨v, u − w⟩ for v ∈ ∂f(w).",
    rule="For every function, pairs of points are drawn along the path and about w*; a tangent above f by more than "
    "rounding refutes.",
)
def affine_lower_bound(evidence: Evidence) -> Verdict:
    runs = evidence.where(part="method")
    for run in runs:
        slack = run.metric("slack")
        if slack < -ROUNDING:
            return refuted("A tangent lies above its function.", witness={**_named(run), "relative_slack": slack})
    least = min(run.metric("slack") for run in runs)
    return supported(f"No tangent is above its function, in {len(runs)} runs of the family.", least_slack=least)


@claim(
    "averaged-iterate",
    source="gatech-2024-ps2/3.3",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="f(w̄) − f(w*) ≤ (1/T) Σ f(w_t) − f(w*) ≤ (1/T) Σ⟨w_t − w*, v_t⟩.",
    rule="Both inequalities must hold at every horizon of every run, up to rounding. One that fails refutes.",
)
def averaged_iterate(evidence: Evidence) -> Verdict:
    rows = list(_rows(evidence.where(part="method")))
    for run, row in rows:
        room = ROUNDING * row["bound"]
        if not row["gap"] <= row["mean_gap"] + room <= row["linear"] + 2 * room:
            return refuted("The chain breaks.", witness={**_named(run), **row})
    return supported(f"It holds at all {len(rows)} horizons.", horizons=len(rows))


@claim(
    "average-iterate-bound",
    source="gatech-2024-ps2/3.3",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="For convex ρ-Lipschitz f and η = B/(ρ√T), f(w̄) − f(w*) ≤ Bρ/√T.",
    rule="No function of the family may leave a larger gap at any horizon, up to rounding. One that does refutes.",
)
def average_iterate_bound(evidence: Evidence) -> Verdict:
    constant = evidence.published["average-iterate-bound"]["constant"]
    shares: dict[str, list[float]] = {}
    for run, row in _rows(evidence.where(part="method", c=1.0)):
        share = row["gap"] / _unit(row)
        if share > constant * (1 + ROUNDING):
            return refuted("A gap is larger.", witness={**_named(run), **row, "stated_bound": constant * _unit(row)})
        shares.setdefault(run.config["function"], []).append(share)
    tightest = {function: max(found) for function, found in shares.items()}
    told = ", ".join(f"{function} {share:.0%}" for function, share in tightest.items())
    return supported(f"It holds at every horizon. Of the bound are used, at most: {told}.", share_of_bound=tightest)


@claim(
    "rate-exponent",
    source="gatech-2024-ps2/3.3",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="Over all convex ρ-Lipschitz functions the worst gap falls as T to the power −1/2, and not faster.",
    rule="The gap on the worst function must be Bρ/√T at every horizon, so that log gap over log T has the stated "
    "slope; and no function of the family may leave a larger one.",
)
def rate_exponent(evidence: Evidence) -> Verdict:
    stated, usual = evidence.published["rate-exponent"]["exponent"], evidence.where(part="method", c=1.0)
    worst = usual.where(function="worst", ties="first").one()
    for run, row in _rows(usual):
        share = row["gap"] / _unit(row)
        if share > 1 + ROUNDING or (run is worst and share < 1 - ROUNDING):
            return refuted("A gap is not Bρ/√T.", witness={**_named(run), **row, "expected": _unit(row)})
    slope = worst.metric("exponent")
    if abs(slope - stated) > ROUNDING:
        return refuted("The worst gap falls with another power.", witness={"slope": slope, "stated": stated})
    slopes = {_label(run): run.metrics["exponent"] for run in usual if "exponent" in run.metrics}
    steepest = min(slopes, key=lambda name: slopes[name])
    return supported(
        f"On the worst function the gap is Bρ/√T at every horizon, slope {slope:.3f}; single functions can be faster "
        f"({steepest}: {slopes[steepest]:.3f}).".replace("-", "−"),
        slopes=slopes,
    )


@claim(
    "one-dimension-suffices",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="|w − B| in one variable attains Bρ/√T too, where T is a square and the oracle answers +1 at the kink.",
    rule="At every horizon that is a square the gap must be Bρ/√T, up to rounding.",
)
def one_dimension_suffices(evidence: Evidence) -> Verdict:
    return _gap_is(evidence.where(part="method", function="absolute", ties="first", c=1.0), "Bρ/√T", 0.5)


@claim(
    "faster-on-one-function",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="On the same |w − B|, where the oracle answers −1 at the kink, the gap is Bρ/T.",
    rule="At every horizon that is a square the gap must be Bρ/T, up to rounding.",
)
def faster_on_one_function(evidence: Evidence) -> Verdict:
    return _gap_is(evidence.where(part="method", function="absolute", ties="last", c=1.0), "Bρ/T", 1.0)


@claim(
    "best-step-size",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="η = B/(ρ√T) makes the lemma's bound least; a step c times as long makes it (c + 1/c)/2 times as large.",
    rule="Algebra must find that step and that factor, and no run with a mis-set step may exceed the larger bound.",
)
def best_step_size(evidence: Evidence) -> Verdict:
    for run in evidence.where(part="lemma"):
        found = run.table("step")
        if (found["step"], found["dearer"]) != ("B/(sqrt(T)*rho)", "c/2 + 1/(2*c)"):
            return refuted("Algebra finds another step.", witness=found)
    misset = [(run, row) for run, row in _rows(evidence.where(part="method")) if run.config["c"] != 1]
    for run, row in misset:
        c = run.config["c"]
        bound = (c + 1 / c) / 2 * _unit(row)
        if row["gap"] > bound * (1 + ROUNDING):
            return refuted("A gap is larger.", witness={**_named(run), **row, "c": c, "stated_bound": bound})
    dearer = {f"c = {c:g}": (c + 1 / c) / 2 for c in sorted({run.config["c"] for run, _ in misset})}
    told = ", ".join(f"{factor:g} times as large with {c}" for c, factor in dearer.items())
    return supported(f"The bound is least at η = `{found['step']}`; it is {told}.", factors=dearer)


@claim(
    "no-function-is-worse",
    source="own",
    about=ANY,
    basis="exhaustive",
    expect="supported",
    statement="Over all convex ρ-Lipschitz functions, of any dimension, PEPit finds Bρ/√T to be the worst gap.",
    rule="The semidefinite programme's value must be Bρ/√T at every horizon, up to the solver's accuracy; with mis-set "
    "steps it must not exceed the lemma's bound.",
)
def no_function_is_worse(evidence: Evidence) -> Verdict:
    runs, shares = evidence.where(part="worst-case"), dict[str, dict[str, float]]()
    exactly = [row["worst"] * math.sqrt(row["T"]) for _, row in _rows(runs.where(c=1.0), "worst")]
    for run, row in _rows(runs, "worst"):
        c, share = run.config["c"], row["worst"] / row["bound"]
        if share > 1 + SOLVED or (c == 1 and share < 1 - SOLVED):
            return refuted("PEPit finds another worst gap.", witness={"c": c, "B": 1.0, "rho": 1.0, **row})
        shares.setdefault(f"c = {c:g}", {})[f"T = {row['T']}"] = share
    furthest = max(abs(share - 1) for share in exactly)
    return supported(
        f"At {len(exactly)} horizons its worst gap differs from Bρ/√T by {furthest:.0e} of it at most.".replace(
            "-", "−"
        ),
        share_of_bound=shares,
    )


def _rows(runs: Evidence, table: str = "horizons") -> Iterator[tuple[Run, Mapping[str, Any]]]:
    """Each horizon of each run."""
    return ((run, row) for run in runs for row in run.table(table))


def _unit(row: Mapping[str, Any]) -> float:
    """Bρ/√T."""
    return float(row["B"] * row["rho"] / math.sqrt(row["T"]))


def _gap_is(runs: Evidence, words: str, power: float) -> Verdict:
    """Whether the gap is Bρ/T^power at every square horizon."""
    squares = [(run, row) for run, row in _rows(runs) if math.isqrt(row["T"]) ** 2 == row["T"]]
    for run, row in squares:
        expected = row["B"] * row["rho"] / row["T"] ** power
        if abs(row["gap"] - expected) > ROUNDING * _unit(row):
            return refuted(f"The gap is not {words}.", witness={**_named(run), **row, "expected": expected})
    horizons = [row["T"] for _, row in squares]
    slope = runs.one().metric("exponent")
    return supported(
        f"The gap is {words} at T = {', '.join(map(str, horizons))}: slope {slope:.3f}.".replace("-", "−"), slope=slope
    )


def _named(run: Run) -> dict[str, Any]:
    """What function a run minimised, for a witness."""
    return {name: run.config[name] for name in ("function", "dimension", "ties", "seed")}


def _label(run: Run) -> str:
    chosen = {name: run.config[name] for name in ("dimension", "seed") if run.config[name]}
    ties = {} if run.config["ties"] == "first" else {"ties": run.config["ties"]}
    return ", ".join([run.config["function"], *(f"{name} {value}" for name, value in {**ties, **chosen}.items())])
