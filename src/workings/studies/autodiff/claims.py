"""What the sheet asks of two functions, and what we say of the engine that answers, with how each is decided.

The sheet's functions, point and step come from the transcription; a run on others decides nothing.
"""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np

from workings.core.claim import Verdict, claim, refuted, supported
from workings.core.decide import proportion
from workings.core.evidence import ANY, NONE, Evidence, Run

ROUNDING = 32 * 2.0**-52
"""Relative error that float64 may gather in some ten operations, each off by half a unit of the last place."""
DIFFERENCES = 1e-6
"""What central differences of step 1e-4 leave open, with room; a wrong rule is off by about 1."""
TENTH_OF_GUESSING = math.log(10) / 10
"""Nats: guessing one of ten digits costs log 10."""
MOST = 0.5
"""More than half of the held-out digits: far above guessing, and no matter of how well the recipe was chosen."""


@claim(
    "value",
    source="gatech-2024-ps2/4a",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="At the sheet's point the engine gives the sheet's functions their true values.",
    rule="The engine's values, and those at the ends of the graph, must be sympy's thirty digits to within rounding.",
)
def value(evidence: Evidence) -> Verdict:
    run, exact = _sheet(evidence), _symbols(evidence).table("exact")["value"]
    trace = run.table("trace")
    routes = {
        "the engine": run.table("derivatives")["value"],
        "the graph": [trace["nodes"][place]["value"] for place in trace["outputs"]],
    }
    for route, found in routes.items():
        for f, got, true in zip(run.config["f"], found, exact, strict=True):
            if _apart(got, true):
                return refuted(f"{route} gives f another value.", witness={"f": f, "found": got, "exact": true})
    return supported(f"f = {_row(run.table('derivatives')['value'])} at w = {_point(run)}.", exact=exact)


@claim(
    "forward-equals-reverse",
    source="gatech-2024-ps2/4d",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="Forward and reverse mode give the sheet's functions one Jacobian, and it is the true one.",
    rule="Forward and reverse sweeps of the tape, dual numbers, and the tangents and adjoints on the graph must all be "
    "sympy's thirty digits to within rounding.",
)
def forward_equals_reverse(evidence: Evidence) -> Verdict:
    run, exact = _sheet(evidence), _symbols(evidence).table("exact")["jacobian"]
    for route, jacobian in _routes(run):
        for (i, j), got in np.ndenumerate(jacobian):
            if _apart(got, exact[i][j]):
                where = {"f": run.config["f"][i], "variable": run.table("derivatives")["variables"][j]}
                return refuted(f"{route} differs.", witness={**where, "found": got, "exact": exact[i][j]})
    rows = ", ".join(_row(row) for row in run.table("derivatives")["reverse"])
    return supported(f"J = [{rows}] by {len([*_routes(run)])} routes.", exact=exact)


@claim(
    "numerical-close",
    source="gatech-2024-ps2/4b",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="Numerical differentiation with the sheet's step is as close to the truth as Taylor's theorem demands.",
    rule="Each entry of forward differences must be within Δ/2 · max |∂²f|, of central ones within Δ²/6 · max |∂³f|, "
    "and rounding; the maxima are over the points of the step at which the engine took those derivatives.",
)
def numerical_close(evidence: Evidence) -> Verdict:
    run = _sheet(evidence)
    found = run.table("derivatives")
    true, worst = np.array(found["reverse"]), {}
    for scheme, entries in found["differences"].items():
        error, bound = np.abs(np.array(entries) - true), np.array(found["bounds"][scheme], dtype=np.float64)
        for (i, j), off in np.ndenumerate(error):
            if not off <= bound[i, j]:
                where = {"f": run.config["f"][i], "variable": found["variables"][j], "scheme": scheme}
                numbers = {"difference": entries[i][j], "derivative": true[i, j], "allowed": bound[i, j]}
                return refuted(f"An entry by {scheme} differences is further off.", witness={**where, **numbers})
        worst[scheme] = {"error": float(error.max()), "allowed": float(bound.flat[error.argmax()])}
    told = ", ".join(
        f"{s} differences err by {w['error']:.3g} at most (allowed {w['allowed']:.3g})" for s, w in worst.items()
    )
    return supported(f"With Δ = {run.config['delta']:g}, {told}.", **worst)


@claim(
    "worked-example",
    source="gatech-2024-ps2/4",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="The sheet's worked example (x + y)(y + 1) has the derivatives y + 1 by x and x + 2y + 1 by y.",
    rule="Every route must give these whole numbers exactly at the point of the run.",
)
def worked_example(evidence: Evidence) -> Verdict:
    run = evidence.where(part="formulas", f=evidence.published["worked-example"]["f"]).one()
    x, y = run.config["at"]
    wanted = [[y + 1, x + 2 * y + 1]]
    for route, jacobian in _routes(run):
        if jacobian.tolist() != wanted:
            return refuted(f"{route} differs.", witness={"x": x, "y": y, "found": jacobian.tolist(), "true": wanted})
    return supported(
        f"At {_point(run)} it is {(x + y) * (y + 1):g}, with derivatives {_row(wanted[0])}, by every route."
    )


@claim(
    "rules-agree",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="Every rule of the table is right: its derivative, its transpose, and the derivative of that.",
    rule="On random arguments of random shapes, forward mode must agree with differences, reverse mode with forward "
    "mode by duality, and the derivative of reverse mode with differences again.",
)
def rules_agree(evidence: Evidence) -> Verdict:
    rows = evidence.where(part="rules").one().table("rules")
    limits = {"forward": DIFFERENCES, "transpose": ROUNDING, "second": DIFFERENCES}
    for row in rows:
        for kind, limit in limits.items():
            if not row[kind] <= limit:
                told = {"primitive": row["name"], "check": kind, "deviation": row[kind], "allowed": limit}
                return refuted(f"The rule of {row['name']} is off.", witness=told)
    worst = {kind: max(row[kind] for row in rows) for kind in limits}
    return supported(f"All {len(rows)} rows pass; differences are off by {worst['forward']:.1g} at most.", **worst)


@claim(
    "second-order",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="The Hessians of the sheet's functions come out symmetric and true, forward or reverse over reverse.",
    rule="Both must be sympy's thirty digits, and their own transposes, to within rounding.",
)
def second_order(evidence: Evidence) -> Verdict:
    run = _symbols(evidence)
    exact, engine = run.table("exact")["hessian"], run.table("engine")
    for way in ("hessian", "hessian, reverse over reverse"):
        found = np.array(engine[way])
        for (k, i, j), got in np.ndenumerate(found):
            if _apart(got, exact[k][i][j]) or _apart(got, str(found[k, j, i])):
                told = {"f": run.config["f"][k], "entry": [i, j], "found": got, "mirrored": found[k, j, i]}
                return refuted(f"An entry of the {way} is off.", witness={**told, "exact": exact[k][i][j]})
    return supported(f"All {found.size} entries agree, both ways.", exact=exact)


@claim(
    "cheaper-mode",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="A full Jacobian is cheaper in reverse where outputs are fewer than inputs, forwards where they are "
    "more, and costs the same where they are as many.",
    rule="The multiplications of A·tanh(B·x) and its Jacobian are counted for each pair of sizes; all must obey.",
)
def cheaper_mode(evidence: Evidence) -> Verdict:
    rows = evidence.where(part="cost").one().table("cost")
    for row in rows:
        n, m = row["inputs"], row["outputs"]
        forward, reverse = (row[mode]["multiplications"] for mode in ("forward", "reverse"))
        if np.sign(forward - reverse) != np.sign(n - m):
            told = {"inputs": n, "outputs": m, "forward": forward, "reverse": reverse}
            return refuted("A pair of sizes disobeys.", witness=told)
    extreme = max(rows, key=lambda row: row["forward"]["multiplications"] / row["reverse"]["multiplications"])
    ratio = extreme["forward"]["multiplications"] / extreme["reverse"]["multiplications"]
    n, m = extreme["inputs"], extreme["outputs"]
    return supported(
        f"So it is for all {len(rows)} pairs; with {n} inputs and {m} output{'s' * (m > 1)} reverse takes one "
        f"multiplication for {ratio:.0f} of forward mode's.",
        ratio=ratio,
    )


@claim(
    "network-learns",
    source="own",
    about=ANY,
    basis="measured",
    expect="supported",
    statement="The engine's gradients train a network: it comes to read handwritten digits that it was not shown.",
    rule="The training loss must end below a tenth of what guessing costs, log 10, and Wilson's 95 % interval for the "
    "share of held-out digits that are read rightly must lie above one half.",
)
def network_learns(evidence: Evidence) -> Verdict:
    run = evidence.where(part="network").one()
    loss, accuracy, count = (run.metric(name) for name in ("loss", "accuracy", "held_out"))
    interval = proportion(round(accuracy * count), round(count))
    told = (
        f"After {run.series('loss')[-1][0]} epochs the loss is {loss:.3f} nats, and {accuracy:.1%} of digits are read."
    )
    if not (loss < TENTH_OF_GUESSING and interval.low > MOST):
        wanted = {"loss": f"below {TENTH_OF_GUESSING:.3f}", "accuracy": f"above {MOST}"}
        return refuted(told, witness={"loss": loss, "accuracy": accuracy, "wanted": wanted})
    return supported(told, loss=loss, accuracy=accuracy, interval=interval.to_json())


def _sheet(evidence: Evidence) -> Run:
    """The run on the sheet's functions, point and step, as transcribed."""
    stated = evidence.published["functions"]
    return evidence.where(part="formulas", f=stated["f"], at=stated["at"], delta=stated["delta"]).one()


def _symbols(evidence: Evidence) -> Run:
    stated = evidence.published["functions"]
    return evidence.where(part="symbols", f=stated["f"], at=stated["at"]).one()


def _routes(run: Run) -> Iterator[tuple[str, np.ndarray]]:
    """The Jacobian by every exact route, with a name for each."""
    derivatives, trace = run.table("derivatives"), run.table("trace")
    yield "Forward mode", np.array(derivatives["forward"])
    yield "Reverse mode", np.array(derivatives["reverse"])
    yield "Dual numbers", np.array(derivatives["dual"])
    yield "The graph forwards", np.array([trace["nodes"][end]["tangents"] for end in trace["outputs"]])
    yield "The graph in reverse", np.array([node["adjoints"] for node in trace["nodes"][: trace["inputs"]]]).T


def _apart(found: float, exact: str) -> bool:
    """Whether a number is further from an exact one than rounding explains (in units of 1, for numbers below it)."""
    true = Decimal(exact)
    return not abs(Decimal(found) - true) <= Decimal(ROUNDING) * max(abs(true), Decimal(1))


def _row(numbers: Any) -> str:
    return f"({', '.join(f'{number:.6g}' for number in numbers)})".replace("-", "−")


def _point(run: Run) -> str:
    return f"({', '.join(f'{x:g}' for x in run.config['at'])})"
