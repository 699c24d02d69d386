"""What the sheet, its published answer and we say of gradient methods at a saddle, and how it is decided.

Sets of step sizes come from the evidence as exact intervals; plays on both sides of each threshold have to agree.
"""

import math

from workings.core.claim import Verdict, claim, refuted, supported
from workings.core.evidence import NONE, Evidence
from workings.studies.minimax.ranges import ROUNDING, contracting, converges_between, middle, never_converges
from workings.studies.minimax.study import BILINEAR_GAME, SHEET_GAME

RANGE_RULE = (
    "The exact set of converging step sizes must be the stated interval, and every play with a step size inside must "
    "come nearer to the saddle, every play outside must not. A step size in one set and not in the other refutes."
)


@claim(
    "saddle-point",
    source="nyu-2025-hw3/1a",
    about=NONE,
    basis="symbolic",
    published=True,
    expect="supported",
    statement="The origin is the game's only stationary point, and a saddle: x minimises there, y maximises.",
    rule="All zeros of the gradient are solved for exactly; there must be one, as stated, with f_xx > 0 > f_yy.",
)
def saddle_point(evidence: Evidence) -> Verdict:
    stated = evidence.published["saddle-point"]["point"]
    found = _sheet(evidence, "gda").one().table("stationary")
    if not found["complete"] or len(found["points"]) != 1 or found["points"][0]["point"] != stated:
        others = [place["point"] for place in found["points"]] or found["note"]
        return refuted("The gradient vanishes elsewhere.", witness={"stated": stated, "found": others})
    (f_xx, _), (_, f_yy) = hessian = found["points"][0]["hessian"]
    if not f_xx > 0 > f_yy:
        return refuted("The curvatures are not those of a saddle.", witness={"f_xx": f_xx, "f_yy": f_yy})
    told = f"The gradient vanishes at the origin alone, where f_xx = {f_xx:g} and f_yy = {f_yy:g}."
    return supported(told.replace("-", "−"), hessian=hessian)


@claim(
    "ascent-rule",
    source="nyu-2025-hw3/1b",
    about=NONE,
    basis="exhaustive",
    published=True,
    expect="refuted",
    statement="A step of gradient ascent multiplies y by the published factor, which exceeds one.",
    rule="Refuted by any start and step size at which the published rule and the true step of ascent differ.",
    repair="∂f/∂y = −8y, so ascent multiplies y by 1 − 8η.",
)
def ascent_rule(evidence: Evidence) -> Verdict:
    rate = evidence.published["ascent-rule"]["y_rate"]
    for run in _sheet(evidence, "gda"):
        eta, (y, true) = run.config["eta"], run.array("path")[:2, 1].tolist()
        rule = (1 + rate * eta) * y
        if abs(rule - true) > ROUNDING * abs(y):
            factor = f"1 {'−' if true < y else '+'} {abs(true / y - 1) / eta:g}η"
            return refuted(
                f"Ascent multiplies y by {factor}: the published sign is wrong.",
                witness={"eta": eta, "start": [1.0, y], "y": y, "published_step": rule, "true_step": true},
            )
    return supported("Every step of ascent is as published.", rate=rate)


@claim(
    "step-range",
    source="nyu-2025-hw3/1c",
    about=NONE,
    basis="symbolic",
    published=True,
    expect="supported",
    statement="Simultaneous descent-ascent converges from every start exactly for the published range of step sizes.",
    rule=RANGE_RULE,
)
def step_range(evidence: Evidence) -> Verdict:
    stated = evidence.published["step-range"]
    return converges_between(_sheet(evidence, "gda"), stated["low"], stated["high"])


@claim(
    "step-range-derivation",
    source="nyu-2025-hw3/1c",
    about=NONE,
    basis="symbolic",
    published=True,
    expect="refuted",
    statement="The published derivation, which intersects the conditions on both published factors, yields that range.",
    rule="The step sizes that satisfy both published conditions are solved for; they must be the published range.",
    repair="Both factors are 1 − 8η, so one condition, |1 − 8η| < 1, gives the range.",
)
def step_range_derivation(evidence: Evidence) -> Verdict:
    stated = evidence.published["step-range-derivation"]
    conditions = [contracting(stated[name]) for name in ("x_rate", "y_rate")]
    low, high = max(c[0] for c in conditions), min(c[1] for c in conditions)
    if (low, high) == (stated["low"], stated["high"]):
        return supported("Both conditions together give the published range.", conditions=conditions)
    eta = (stated["low"] + stated["high"]) / 2
    factors = {name: 1 + stated[name] * eta for name in ("x_rate", "y_rate")}
    worst = max(factors.values(), key=abs)
    meet = "no step size satisfies both" if low >= high else f"they give {low:g} < η < {high:g}"
    return refuted(
        f"The published conditions give another set: {meet}. With the right sign of y's factor the range follows.",
        witness={"eta": eta, "published_factor_of_y": factors["y_rate"], "modulus": abs(worst), "needed": "below 1"},
        condition_on_x=conditions[0],
        condition_on_y=conditions[1],
    )


@claim(
    "descent-both",
    source="nyu-2025-hw3/1d",
    about=NONE,
    basis="symbolic",
    published=True,
    expect="supported",
    statement="When both players descend, y runs away for every step size, unless it starts at zero.",
    rule="No step size may converge or stay bounded from every start, and each play must multiply y by the published "
    "factor at every step.",
)
def descent_both(evidence: Evidence) -> Verdict:
    rate = evidence.published["descent-both"]["y_rate"]
    plays = [run for run in _sheet(evidence, "descent") if run.config["start"][1] != 0]
    for run in plays:
        eta, (y, after) = run.config["eta"], run.array("path")[:2, 1].tolist()
        if abs(after - (1 + rate * eta) * y) > ROUNDING * abs(after):
            return refuted("y is multiplied by another factor.", witness={"eta": eta, "y": y, "after": after})
    steps = plays[0].table("steps")
    bounded = steps.get("bounded", steps["converging"])
    if bounded["intervals"]:
        eta = middle(*bounded["intervals"][0])
        return refuted("Some step sizes keep y bounded.", witness={"eta": eta, "bounded_for": bounded["text"]})
    factors = {f"η = {run.config['eta']:g}": 1 + rate * run.config["eta"] for run in plays}
    return supported(f"y grows by 1 + {rate:g}η at every step, which exceeds one for every η > 0.", factors=factors)


@claim(
    "special-cases-named",
    source="nyu-2025-hw3/1d",
    about=NONE,
    basis="transcribed",
    published=True,
    expect="refuted",
    statement="The published answer names the special cases in which descent on both converges after all.",
    rule="If plays from y = 0 converge, the transcribed list of cases must hold that start.",
    repair="Name y₀ = 0: from there descent on both converges for 0 < η < 1/4.",
)
def special_cases_named(evidence: Evidence) -> Verdict:
    named = evidence.published["special-cases-named"]["cases"]
    run = _sheet(evidence, "descent").where(start=[1.0, 0.0]).one()
    found = run.table("steps")["from_start"]
    if not found["intervals"] or "y0 = 0" in named:
        return supported("There is no further case to name.", named=named, from_y0=found["text"])
    x = run.array("path")[:2, 0].tolist()
    return refuted(
        f"It names {len(named) or 'none'}; started at y = 0, descent on both converges for {found['text']}.",
        witness={
            "eta": run.config["eta"],
            "start": run.config["start"],
            "x_after_one_step": x[1],
            "y_after_one_step": 0.0,
        },
        from_y0=found["text"],
    )


@claim(
    "one-step",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="With η = 1/8, descent-ascent reaches the saddle in a single step, simultaneous or alternating.",
    rule="The first move of both plays must land on the origin exactly.",
)
def one_step(evidence: Evidence) -> Verdict:
    for method in ("gda", "alternating"):
        run = _sheet(evidence, method).where(eta=0.125).one()
        landed = run.array("path")[1].tolist()
        if any(landed):
            return refuted(f"{method} lands elsewhere.", witness={"method": method, "eta": 0.125, "landed": landed})
    return supported("Both land on the origin: each factor 1 − 8η is zero.")


@claim(
    "extragradient-range",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="On the sheet's game extragradient converges exactly for 0 < η < 1/8.",
    rule=RANGE_RULE,
)
def extragradient_range(evidence: Evidence) -> Verdict:
    return converges_between(_sheet(evidence, "extragradient"), 0, 1 / 8)


@claim(
    "optimistic-range",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="On the sheet's game optimistic descent-ascent converges exactly for 0 < η < 1/12.",
    rule=RANGE_RULE,
)
def optimistic_range(evidence: Evidence) -> Verdict:
    return converges_between(_sheet(evidence, "optimistic"), 0, 1 / 12)


@claim(
    "bilinear-gda",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="On f = xy simultaneous descent-ascent diverges for every η > 0: |λ|² = 1 + η².",
    rule="No step size may converge or stay bounded, and the spectral radius of each play must be √(1 + η²).",
)
def bilinear_gda(evidence: Evidence) -> Verdict:
    runs = _bilinear(evidence, "gda")
    for run in runs:
        eta, radius = run.config["eta"], run.metric("spectral_radius")
        if abs(radius - math.sqrt(1 + eta**2)) > ROUNDING:
            return refuted("The spectral radius is another.", witness={"eta": eta, "radius": radius})
    return never_converges(runs, bounded=None)


@claim(
    "bilinear-alternating",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="On f = xy alternating descent-ascent stays bounded for 0 < η < 2 and never converges.",
    rule="No step size may converge, and those that stay bounded must be exactly the stated ones.",
)
def bilinear_alternating(evidence: Evidence) -> Verdict:
    return never_converges(_bilinear(evidence, "alternating"), bounded=(0.0, 2.0))


@claim(
    "bilinear-extragradient",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="On f = xy extragradient converges exactly for 0 < η < 1.",
    rule=RANGE_RULE,
)
def bilinear_extragradient(evidence: Evidence) -> Verdict:
    return converges_between(_bilinear(evidence, "extragradient"), 0, 1)


@claim(
    "bilinear-optimistic",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="On f = xy optimistic descent-ascent converges exactly for 0 < η < 1/√3.",
    rule=RANGE_RULE,
)
def bilinear_optimistic(evidence: Evidence) -> Verdict:
    return converges_between(_bilinear(evidence, "optimistic"), 0, 1 / math.sqrt(3))


def _sheet(evidence: Evidence, method: str) -> Evidence:
    return evidence.where(f=SHEET_GAME, method=method)


def _bilinear(evidence: Evidence, method: str) -> Evidence:
    return evidence.where(f=BILINEAR_GAME, method=method)
