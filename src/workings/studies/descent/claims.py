"""What the sheet asks of descent on a quadratic, what we add about momentum, and how each is decided.

The sheet's four answers are derived for any a, b > 0 (table ``algebra``), and plays with numbers have to agree.
"""

import math
from typing import Any

import numpy as np

from workings.core.claim import Verdict, claim, refuted, supported
from workings.core.errors import MissingEvidence
from workings.core.evidence import NONE, Evidence, Run
from workings.studies.descent.measure import slope
from workings.studies.descent.study import CONDITION_NUMBERS, METHODS

ROUNDING = 1e-12
"""How far a number may move when it is written as float64 and taken through some two hundred multiplications."""
READ = 0.01
"""How closely a rate can be read off a play: the relative error of 1 − ρ that swings and a factor tᵏ leave."""
SEARCHED = 1e-6
"""How closely the search finds the best step: a kink between two straight lines, bracketed to its last digits."""
TEND = 0.05
"""How near an exponent over finite condition numbers must come to its limit."""


@claim(
    "minimiser",
    source="nyu-2023-hw/1a",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="The gradient is (a w₁, b w₂), and the origin is the only minimiser, where the loss is 0.",
    rule="The derivatives are taken and their zeros solved for symbolically, for any a, b > 0: there must be one, the "
    "origin, with a positive definite Hessian and value 0.",
)
def minimiser(evidence: Evidence) -> Verdict:
    found = _algebra(evidence)
    if found["minimisers"] != [["0", "0"]] or found["minimum"] != ["0"] or not found["positive_definite"]:
        return refuted("The minimum is another.", witness={k: found[k] for k in ("minimisers", "minimum")})
    if found["gradient"] != ["a*w1", "b*w2"]:
        return refuted("The gradient is another.", witness={"gradient": found["gradient"]})
    return supported(
        "The gradient vanishes at the origin alone; the loss is 0 there and curves upwards every way.",
        gradient=found["gradient"],
    )


@claim(
    "updates",
    source="nyu-2023-hw/1b",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="A step of gradient descent multiplies w₁ by ρ₁ = 1 − ηa and w₂ by ρ₂ = 1 − ηb.",
    rule="The symbolic step divided by w must be these factors, and every step of every play on the sheet's loss must "
    "multiply the weights so, within rounding.",
)
def updates(evidence: Evidence) -> Verdict:
    runs, found = _sheet(evidence), _algebra(evidence)
    if found["factors"] != ["-a*eta + 1", "-b*eta + 1"]:
        return refuted("The symbolic factors are others.", witness={"factors": found["factors"]})
    moves = 0
    for run in runs:
        eta, (a, b) = run.metric("eta"), (run.config["a"], run.config["b"])
        path, rho = run.array("path"), np.array([1 - eta * a, 1 - eta * b])
        off = np.argwhere(np.abs(path[1:] - rho * path[:-1]) > ROUNDING * np.abs(path[:-1]))
        if len(off):
            t, i = map(int, off[0])
            witness = {"eta": eta, "a": a, "b": b, "before": path[t].tolist(), "after": path[t + 1].tolist()}
            return refuted(f"Step {t + 1} multiplies w{i + 1} by another factor.", witness=witness)
        moves += len(path) - 1
    return supported(f"ρ₁ = 1 − ηa and ρ₂ = 1 − ηb; all {moves:,} steps of {len(runs)} plays agree.")


@claim(
    "step-range",
    source="nyu-2023-hw/1c",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="Gradient descent converges from every start exactly for 0 < η < 2/max(a, b).",
    rule="The set where both |ρ| < 1, solved for symbolically, must be this one; a play with a step size inside must "
    "measure a rate below one, a play outside a rate above, and a play at the end itself must come no nearer.",
)
def step_range(evidence: Evidence) -> Verdict:
    runs, found = _sheet(evidence), _algebra(evidence)["range"]
    if found not in (["0", "Min(2/a, 2/b)"], ["0", "2/Max(a, b)"]):
        return refuted("The range is another.", witness={"range": found})
    counts = {"inside": 0, "at the end": 0, "outside": 0}
    for run in runs:
        eta, high = run.metric("eta"), 2 / max(run.config["a"], run.config["b"])
        place = "at the end" if math.isclose(eta, high, rel_tol=ROUNDING) else "inside" if eta < high else "outside"
        measured, first = run.metric("rate/measured"), run.array("path")[:, int(run.config["b"] > run.config["a"])]
        says = {
            "inside": measured < 1,
            "at the end": bool(abs(first[-1]) >= (1 - ROUNDING * len(first)) * abs(first[0])),
            "outside": measured > 1,
        }
        if not says[place] or not math.isclose(run.table("range")["ends"][1], high, rel_tol=ROUNDING):
            witness = {"a": run.config["a"], "b": run.config["b"], "eta": eta, "threshold": high, "rate": measured}
            return refuted(f"A play {place} says otherwise.", witness=witness)
        counts[place] += 1
    told = ", ".join(f"{count} {place}" for place, count in counts.items())
    return supported(f"It converges exactly for 0 < η < 2/max(a, b); plays agree, {told}.", **counts)


@claim(
    "slow-when-ill-conditioned",
    source="nyu-2023-hw/1d",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="Where a/b is large, every step size that converges is slow: it leaves ρ₂ close to 1.",
    rule="At the threshold 2/a, the least ρ₂ that the range allows must tend to 1 as a/b grows, symbolically; and the "
    "steps that plays at the best η take must grow with κ as a power within TEND of 1.",
)
def slow_when_ill_conditioned(evidence: Evidence) -> Verdict:
    algebra = _algebra(evidence)
    least, limit = algebra["factor_at_threshold"], algebra["factor_at_threshold_when_ill_conditioned"]
    if limit != "1":
        return refuted("Some step size stays fast.", witness={"limit_of_the_slow_factor": limit})
    steps, power = _scaling(evidence, "gd")
    (mild, few), (worst, many) = steps[0], steps[-1]
    if abs(power - 1) > TEND:
        return refuted("Steps grow otherwise.", witness={"kappa": [mild, worst], "steps": [few, many], "power": power})
    return supported(
        f"ρ₂ stays above {least.replace('-', '−')} for κ = a/b; at the best step κ = {mild:g} takes {few:,.0f} "
        f"steps to a millionth, κ = {worst:g} takes {many:,.0f}: the exponent of κ is {power:.2f}.",
        power=power,
    )


@claim(
    "best-fixed-step",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="The best fixed step of gradient descent is 2/(a + b), with rate (κ − 1)/(κ + 1).",
    rule="A numerical search of the spectral radius over the converging step sizes must end there, for every loss.",
)
def best_fixed_step(evidence: Evidence) -> Verdict:
    runs = evidence.where(method="gd")
    for run in runs:
        best = run.table("best")
        low, high = best["low"], best["high"]
        eta, rate = 2 / (low + high), (high - low) / (high + low)
        if abs(best["searched_eta"] / eta - 1) > SEARCHED or abs(best["searched_rate"] - rate) > SEARCHED:
            witness = {"curvatures": [low, high], "eta": best["searched_eta"], "rate": best["searched_rate"]}
            return refuted("The search finds another.", witness=witness, formula=[eta, rate])
    kappas = sorted({run.metric("kappa") for run in runs})
    return supported(f"The search agrees for {len(kappas)} condition numbers, {kappas[0]:g} to {kappas[-1]:g}.")


@claim(
    "predicted-rates",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="At their best parameters all methods close in at the rate that their spectral radius predicts.",
    rule="The rate read off each play's tail must match: 1 − ρ within the share READ of itself.",
)
def predicted_rates(evidence: Evidence) -> Verdict:
    worst = 0.0
    runs = [run for run in evidence if run.config["eta"] is None]
    for run in runs:
        predicted, measured = run.metric("rate/predicted"), run.metric("rate/measured")
        error = abs(measured - predicted) / (1 - predicted)
        if not error <= READ:
            witness = {"method": run.config["method"], "kappa": run.metric("kappa"), "predicted": predicted}
            return refuted("A play goes at another rate.", witness=witness | {"measured": measured})
        worst = max(worst, error)
    return supported(f"{len(runs)} plays agree; the largest error of 1 − ρ is {worst:.1%} of it.", largest_error=worst)


@claim(
    "momentum",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="With momentum the steps to a given accuracy grow with the root of κ, without it with κ itself.",
    rule="The exponents fitted to the steps of plays over the upper half of the condition numbers must lie within TEND "
    "of ½ for heavy-ball and both of Nesterov's settings, and of 1 for gradient descent.",
)
def momentum(evidence: Evidence) -> Verdict:
    powers = {method: _scaling(evidence, method)[1] for method in METHODS}
    for method, power in powers.items():
        steps, limit = _scaling(evidence, method)[0], 1.0 if method == "gd" else 0.5
        if abs(power - limit) > TEND:
            witness = {"method": method, "steps_by_kappa": steps, "power": power, "stated": limit}
            return refuted(f"The steps of {method} grow otherwise.", witness=witness)
    told = ", ".join(f"{method} {power:.2f}" for method, power in powers.items())
    return supported(f"The exponents of κ are: {told}.", powers=powers)


@claim(
    "heavy-ball-defective",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="At its best parameters heavy-ball is defective: its distance falls as t·ρᵗ, not as ρᵗ.",
    rule="At both ends of the spectrum the companion matrix must have a double root with one eigenvector, "
    "symbolically; and the power of t fitted to its plays must be within TEND of 1, for gradient descent of 0.",
)
def heavy_ball_defective(evidence: Evidence) -> Verdict:
    kappas = set(CONDITION_NUMBERS[len(CONDITION_NUMBERS) // 2 :])
    heavy = [run for run in _best(evidence, "heavy-ball") if run.config["a"] in kappas]
    plain = [run for run in _best(evidence, "gd") if run.config["a"] in kappas]
    for end, found in heavy[0].table("double-root").items():
        if (found["discriminant"], found["rank"], found["nilpotent"]) != ("0", 1, True):
            return refuted(f"At the curvature {end} the root is simple.", witness={"end": end, **found})
    for run, power in [*((run, 1.0) for run in heavy), *((run, 0.0) for run in plain)]:
        measured = run.metric("rate/power")
        if not abs(measured - power) <= TEND:
            witness = {"method": run.config["method"], "kappa": run.metric("kappa"), "power_of_t": measured}
            return refuted("A play follows another law.", witness=witness, stated=power)
    powers = {f"κ = {run.metric('kappa'):g}": run.metric("rate/power") for run in heavy}
    root = heavy[0].table("double-root")["mu"]["double_root"].replace("-", "−")
    return supported(
        f"With L = p², μ = q² the two ends have the double roots ±{root}, each with one eigenvector; in the plays "
        f"the fitted power of t is {min(powers.values()):.3f} or more.",
        power_of_t=powers,
    )


def _sheet(evidence: Evidence) -> Evidence:
    """Gradient descent on the sheet's loss, with whatever numbers."""
    return evidence.where(method="gd", matrix="")


def _algebra(evidence: Evidence) -> dict[str, Any]:
    """The sheet's answers for any a, b > 0; evidence about another loss than the sheet's is none."""
    found: dict[str, Any] = _sheet(evidence).one().table("algebra")
    stated = evidence.published["loss"]["formula"]
    if found["loss"] != stated:
        raise MissingEvidence(f"the sheet's loss is {stated}, and the runs are about {found['loss']}")
    return found


def _best(evidence: Evidence, method: str) -> Evidence:
    """A method at its best parameters over the condition numbers."""
    return evidence.where(method=method, matrix="", b=1.0, eta=None)


def _scaling(evidence: Evidence, method: str) -> tuple[list[tuple[float, float]], float]:
    """(κ, steps) of the plays in ascending order, and the exponent of κ over the upper half of them."""
    runs = sorted((_kappa(run), run.metric("steps/measured")) for run in _best(evidence, method))
    upper = np.array([pair for pair in runs if pair[0] >= CONDITION_NUMBERS[len(CONDITION_NUMBERS) // 2]])
    return runs, slope(upper[:, 0], upper[:, 1])


def _kappa(run: Run) -> float:
    return float(run.metric("kappa"))
