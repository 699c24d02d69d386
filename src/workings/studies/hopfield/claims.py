"""What the sheet, its published answer and we say of the modern Hopfield network, and how it is decided.

The calculus is decided by algebra (differences that must vanish) and beside autograd; the rest is tried on random and
on hostile patterns, by a search for a failure, and on pictures.
"""

import math
from collections.abc import Iterable
from typing import Any

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.decide import proportion
from workings.core.errors import MissingEvidence
from workings.core.evidence import NONE, Evidence, Run

ROUNDING = 1e-12
"""The sheet's own measure for float64; sums of some hundred terms rounded at 1e-16 stay far below it."""
SINGLE = 1e-6
"""The sheet's own measure for float32: ten of its roundings."""
TOGETHER = 1e-9
"""States that have come together are this near, relative to M: a contraction by 0.9 has been applied 500 times."""
SEARCHED = 1e-3
"""A search is worth something if, on a wrong step, it finds a rise of at least this part of the energy's terms."""
FEW = 0.02
"""How near an effective number of patterns has to come to all, to a cluster, or to one, relative to it."""


@claim(
    "convex-part",
    source="ist-2025-hw2/1.1",
    about=NONE,
    basis="symbolic",
    published=True,
    expect="supported",
    statement="E₁ = ½qᵀq + const has the identity as its Hessian, so it is convex.",
    rule="The difference to the stated multiple of I must vanish in symbols, and to rounding beside autograd.",
)
def convex_part(evidence: Evidence) -> Verdict:
    run, scale = _theory(evidence), evidence.published["convex-part"]["hessian_scale"]
    left = _left(run, "convex gradient", "convex Hessian")
    if left:
        return refuted("A difference does not vanish.", witness=left)
    worst = max(run.table("hessians"), key=lambda row: row["convex_off_identity"])
    if scale != 1 or worst["convex_off_identity"] > ROUNDING:
        return refuted("The Hessian is another.", witness={"stated_multiple_of_I": scale, "system": worst})
    return supported(
        f"∇E₁ = q and ∇²E₁ = I in symbols; autograd says the same of {len(run.table('hessians'))} systems.",
        largest_deviation=worst["convex_off_identity"],
    )


@claim(
    "concave-part",
    source="ist-2025-hw2/1.1",
    about=NONE,
    basis="symbolic",
    published=True,
    expect="supported",
    statement="The Hessian of −E₂ is β Xᵀ(diag p − ppᵀ)X, a covariance times β, so E₂ is concave.",
    rule="In symbols the formula must be the second derivative and vᵀ(·)v a sum of squares with weights pᵢpⱼ; beside "
    "autograd the formula, and the sign of the largest eigenvalue of ∇²E₂, must hold to rounding.",
)
def concave_part(evidence: Evidence) -> Verdict:
    run = _theory(evidence)
    left = _left(run, "concave gradient", "concave Hessian", "variance")
    if left:
        return refuted("A difference does not vanish.", witness=left)
    rows = run.table("hessians")
    for name in ("concave_off_formula", "concave_largest_eigenvalue"):
        worst = max(rows, key=lambda row: row[name])
        if worst[name] > ROUNDING:
            return refuted("A system says otherwise.", witness=worst)
    return supported(
        "vᵀ∇²(−E₂)v = β Σ pᵢpⱼ(sᵢ − sⱼ)² over pairs, with s = Xv, in symbols: never negative. In "
        f"{len(rows)} systems no eigenvalue of ∇²E₂ is above 0 by more than rounding.",
        largest_eigenvalue=max(row["concave_largest_eigenvalue"] for row in rows),
        largest_deviation=max(row["concave_off_formula"] for row in rows),
    )


@claim(
    "hessian-keeps-beta",
    source="ist-2025-hw2/1.1",
    about=NONE,
    basis="transcribed",
    published=True,
    expect="refuted",
    statement="The last line of the published Hessian of −E₂ keeps the factor β.",
    rule="The transcribed line, evaluated for two patterns, must be the second derivative there.",
    repair="Write the factor β in front of the last line too.",
)
def hessian_keeps_beta(evidence: Evidence) -> Verdict:
    power, found = evidence.published["hessian-keeps-beta"]["beta_power"], _theory(evidence).table("lost_beta")
    stated = found["beta"] ** power * found["variance"]
    if abs(stated - found["curvature"]) <= ROUNDING:
        return supported("The line is the second derivative.", stated=stated, true=found["curvature"])
    return refuted(
        f"It loses β: for β = {found['beta']:g} it gives {stated:g} where the curvature is {found['curvature']:g}. "
        "Harmless: β > 0 changes no sign.",
        witness={**found, "published_line": stated},
    )


@claim(
    "quantifier-binds-its-index",
    source="ist-2025-hw2/1.1",
    about=NONE,
    basis="transcribed",
    published=True,
    expect="refuted",
    statement="The published quantifier runs over the index that its formula uses.",
    rule="The two transcribed letters must be the same.",
    repair="Quantify over the index that the formula uses.",
)
def quantifier_binds_its_index(evidence: Evidence) -> Verdict:
    _theory(evidence)
    said = evidence.published["quantifier-binds-its-index"]
    if said["index"] == said["quantified"]:
        return supported("They are the same letter.", **said)
    return refuted(
        f"The formula is in {said['index']}, the quantifier says ∀{said['quantified']}. Harmless: ∀{said['index']} is "
        "meant, and what follows is right.",
        witness={"index_of_the_formula": said["index"], "index_of_the_quantifier": said["quantified"]},
    )


@claim(
    "energy-never-rises",
    source="ist-2025-hw2/1.2",
    about=NONE,
    basis="sampled",
    published=True,
    expect="supported",
    statement="The concave-convex step q ← Xᵀ softmax(βXq) never raises the energy.",
    rule="No step, on random or hostile patterns and starts or where a search climbs to, may raise E by more than "
    "1e-12 of ½‖q‖² + ½M²; and the same search must find a rise on a step that forgets β.",
)
def energy_never_rises(evidence: Evidence) -> Verdict:
    run = _theory(evidence)
    climbs = run.table("search")
    tried = [*run.table("descents"), *(row for row in climbs if row["step"] == "as published")]
    worst = max(tried, key=lambda row: row["rise"])
    if worst["rise"] > ROUNDING:
        return refuted("A step raises the energy.", witness=worst)
    control = max(row["rise"] for row in climbs if row["step"] != "as published")
    if control < SEARCHED:
        return inconclusive("The search finds no rise where there is one, so it shows nothing.", control=control)
    paths = sum(row["paths"] for row in run.table("descents"))
    low, high = (pick(row["beta"] for row in run.table("descents")) for pick in (min, max))
    return supported(
        f"Over {paths:,} paths with β from {low:.0e} to {high:.0e} the largest rise is {worst['rise']:.1e} of the "
        f"energy's terms: rounding. The search that looks for more finds none, and finds {control:.2g} on a step that "
        "forgets β.",
        largest_rise=worst["rise"],
        control=control,
    )


@claim(
    "descends-by-half-the-step",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="Each step lowers the energy by at least half the square of its length.",
    rule="E(q′) − E(q) + ½‖q′ − q‖² must not exceed 1e-12 of ½‖q‖² + ½M² at any step of any path.",
)
def descends_by_half_the_step(evidence: Evidence) -> Verdict:
    worst = max(_theory(evidence).table("descents"), key=lambda row: row["excess"])
    if worst["excess"] > ROUNDING:
        return refuted("A step lowers it by less.", witness=worst)
    return supported(f"Nothing above rounding: {worst['excess']:.1e} at most.", largest_excess=worst["excess"])


@claim(
    "update-is-attention",
    source="ist-2025-hw2/1.3",
    about=NONE,
    basis="sampled",
    published=True,
    expect="supported",
    statement="With K = V = X, identity projections and β = 1/√D, one step is cross-attention.",
    rule="It must agree with both of torch's attentions within 1e-6 (float32) and 1e-12 (float64) of M.",
)
def update_is_attention(evidence: Evidence) -> Verdict:
    power, rows = evidence.published["update-is-attention"]["beta_power_of_dim"], _theory(evidence).table("attention")
    if power != -0.5:
        example = {"dim": 4, "stated_beta": 4.0**power, "scale_of_attention": 0.5}
        return refuted("Attention divides by √D.", witness=example)
    limits = {"float32": SINGLE, "float64": ROUNDING}
    worst = {kind: max((r for r in rows if r["type"] == kind), key=lambda row: row["off"]) for kind in limits}
    for kind, limit in limits.items():
        if worst[kind]["off"] > limit:
            return refuted("They differ.", witness=worst[kind])
    most = {kind: row["off"] for kind, row in worst.items()}
    told = ", ".join(f"{off:.1e} ({kind})" for kind, off in most.items())
    return supported(f"At most {told} of M apart, in {len(rows)} comparisons.", **most)


@claim(
    "single-fixed-point",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="Where β·diam² < 4, diam the largest distance of two patterns, every start ends at the same state; for "
    "two patterns the bound is sharp.",
    rule="Starts near and far must come together below the bound, and must not for the pair ±1 above it.",
)
def single_fixed_point(evidence: Evidence) -> Verdict:
    rows = _theory(evidence).table("fixed_points")
    for row in rows:
        if (row["apart"] <= TOGETHER) != (row["level"] < 4):
            return refuted("A system says otherwise.", witness=row)
    below, above = ([row for row in rows if (row["level"] < 4) == side] for side in (True, False))
    return supported(
        f"At β·diam² = {below[0]['level']:g} all starts end within {max(r['apart'] for r in below):.0e} of M; the pair "
        f"±1 at {above[0]['level']:g} has ends {above[0]['apart']:.2f} apart.",
        rows=rows,
    )


@claim(
    "three-regimes",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="As β grows, patterns in clusters are answered by the average of all, then by the average of their "
    "cluster, then by themselves.",
    rule="The median effective number of patterns must come within 2 % of all, then of a cluster's size, then of one.",
)
def three_regimes(evidence: Evidence) -> Verdict:
    found = _theory(evidence).table("regimes")
    spans = {}
    for size in (found["patterns"], found["members"], 1):
        near = [b for b, n in zip(found["beta"], found["effective"], strict=True) if abs(n - size) <= FEW * size]
        if not near:
            nearest = min(found["effective"], key=lambda n: abs(math.log(n / size)))
            return refuted(f"No β leaves {size} patterns.", witness={"wanted": size, "nearest": nearest})
        spans[size] = near
    ordered = [b for near in spans.values() for b in near]
    if ordered != sorted(ordered):
        return refuted("The regimes come in another order.", witness={str(size): near for size, near in spans.items()})
    told = "; ".join(f"{size} up to β = {near[-1]:.2g}" for size, near in list(spans.items())[:-1])
    return supported(f"Patterns that have a say: {told}; 1 from β = {spans[1][0]:.2g} on.")


@claim(
    "capacity-grows-exponentially",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="With β fixed, the number of random patterns that come back from noise grows exponentially with D.",
    rule="Each two dimensions must multiply it at least by two, in every seed, and it must be above the 0.138 D of the "
    "classical network.",
)
def capacity_grows_exponentially(evidence: Evidence) -> Verdict:
    runs = [run for run in _capacities(evidence) if run.config["beta"] == 1 and not run.config["correlation"]]
    held = {(run.config["seed"], run.config["dim"]): run.metric("capacity") for run in runs}
    dims = sorted({dim for _, dim in held})
    if len(dims) < 3:
        raise MissingEvidence("fewer than three dimensions were tried")
    for (seed, dim), count in held.items():
        wider = held.get((seed, dim + 2), math.inf)
        if wider < 2 * count or count <= CLASSICAL * dim:
            return refuted("It grows by less.", witness={"seed": seed, "dim": dim, "held": count, "two_more": wider})
    mean = {dim: _mean(count for (_, d), count in held.items() if d == dim) for dim in dims}
    rate = math.log(mean[dims[-1]] / mean[dims[0]]) / (dims[-1] - dims[0])
    return supported(
        f"From {mean[dims[0]]:.0f} patterns at D = {dims[0]} to {mean[dims[-1]]:,.0f} at D = {dims[-1]}: "
        f"a factor {math.exp(rate):.2f} for each dimension.",
        held={str(dim): count for dim, count in mean.items()},
    )


CLASSICAL = 0.138
"""Patterns per dimension that the classical Hopfield network holds (Amit, Gutfreund, Sompolinsky 1985)."""


@claim(
    "half-a-picture-recalls",
    source="own",
    about=("digits", "fashion-mnist"),
    basis="measured",
    statement="A stored picture whose left half is hidden comes back more often than not.",
    rule="Wilson's 95 % interval for the share that comes back must lie above one half for every dataset.",
)
def half_a_picture_recalls(evidence: Evidence) -> Verdict:
    told, numbers = [], {}
    verdict = supported
    for run in evidence.where(task="recall", mask="left", noise=0.0):
        count, name = int(run.metric("queries")), run.datasets["pictures"]["id"]
        back = round(count * run.metric("came_back"))
        interval = proportion(back, count)
        told.append(f"{back} of {count} {name} among {run.config['patterns']:,} stored")
        numbers[name] = {"came_back": back / count, "interval": interval.to_json()}
        if interval.high < 0.5:
            return refuted("Fewer than half do.", witness={"dataset": name, "came_back": back, "of": count})
        if interval.low <= 0.5:
            verdict = inconclusive
    beta = evidence.where(task="recall", mask="left", noise=0.0).one().config["beta"]
    return verdict(f"At β = {beta:g}: {', '.join(told)}.", **numbers)


def _theory(evidence: Evidence) -> Run:
    return evidence.where(task="theory").one()


def _capacities(evidence: Evidence) -> Evidence:
    return evidence.where(task="capacity")


def _left(run: Run, *names: str) -> dict[str, Any]:
    """The first of these differences that does not vanish in symbols, with its system; empty where all do."""
    for row in run.table("symbolic"):
        for name in names:
            if row["left"][name] != "0":
                return {"difference": name, "patterns": row["patterns"], "dim": row["dim"], "left": row["left"][name]}
    return {}


def _mean(values: Iterable[float]) -> float:
    kept = list(values)
    return sum(kept) / len(kept)
