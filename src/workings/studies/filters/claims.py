"""What makes each filter of the sheet work, and where averaging noise away harms; and how it is decided.

Exact properties come from the evidence as fractions and as the course of polynomials over all frequencies; answers to
a constant picture, a grid of frequencies and measured noise have to agree.
"""

from fractions import Fraction
from math import pi
from typing import Any

import numpy as np

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.decide import agrees, paired_difference
from workings.core.evidence import NONE, Evidence
from workings.studies.filters.readings import (
    as_foretold,
    by_photograph,
    entries,
    frequency,
    inspected,
    minus,
    span,
    wave,
)
from workings.studies.filters.study import PHOTOGRAPHS

EDGES = ("laplacian", "laplacian-8", "sobel-x", "sobel-y")
BLURS = ("box", "binomial", "binomial-5")
AVERAGES = ("box", "binomial")
GAINS = {"box": Fraction(1, 9), "binomial": Fraction(36, 256)}
"""Σw² by hand: nine ninths squared, and (1² + 2² + 1²)² sixteenths squared."""
ROUNDING = 32 * 2.0**-52
"""Nine products with cosines, each good to a unit or two of rounding of values up to 3."""
FAMILY = 0.05
"""Chance of any false verdict among all comparisons of one claim; each takes its share (Bonferroni)."""


@claim(
    "edge-ignores-flat",
    source="nyu-2023-hw/2a",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="An edge filter sums to 0 and answers 0 on a constant picture, except at a border padded with zeros.",
    rule="Each sum must be 0 in fractions. The recorded answers must be 0 everywhere under the other borders; under "
    "zeros, 0 wherever the window lies inside, and not 0 somewhere at the border.",
)
def edge_ignores_flat(evidence: Evidence) -> Verdict:
    corners = {}
    for name in EDGES:
        run = inspected(evidence, name)
        weight = run.table("kernel")["sum"]
        if Fraction(weight) != 0:
            return refuted(f"{name} sums to {weight}.", witness={"kernel": entries(run), "sum": weight})
        for border in ("reflect", "replicate", "circular", "zeros"):
            answers = run.array(f"flat/{border}")
            inside = answers[1:-1, 1:-1] if border == "zeros" else answers
            if inside.any():
                return refuted(
                    f"{name} answers a constant picture.",
                    witness={"kernel": entries(run), "border": border, "answer": float(np.abs(inside).max())},
                )
        if not answers.any():
            return refuted("Zeros beyond the edge go unnoticed.", witness={"kernel": entries(run), "border": "zeros"})
        corners[name] = float(answers[0, 0])
    shown = ", ".join(f"{name} {minus(f'{value:g}')}" for name, value in corners.items())
    return supported(
        f"All {len(EDGES)} sum to 0 and answer exactly 0; with zeros beyond the edge a frame lights up (in its corner: "
        f"{shown}).",
        corner_under_zeros=corners,
    )


@claim(
    "blur-is-low-pass",
    source="nyu-2023-hw/2b",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="A blur sums to 1 and is low-pass: |H| < 1 at all frequencies but 0. The binomial falls steadily, never "
    "below 0; the box turns the finest waves upside down.",
    rule="H factors into polynomials in cos u and cos v, of which all is solved for exactly; H on a grid must agree.",
)
def blur_is_low_pass(evidence: Evidence) -> Verdict:
    for name in BLURS:
        run = inspected(evidence, name)
        weight, grid = run.table("kernel")["sum"], run.array("response")
        if Fraction(weight) != 1:
            return refuted(f"{name} sums to {weight}.", witness={"kernel": entries(run), "sum": weight})
        parts = (run.table("kernel")["profiles"] or {}).values()
        height = np.hypot(*grid)
        middle = np.zeros(height.shape, dtype=bool)
        middle[height.shape[0] // 2, height.shape[1] // 2] = True
        if not parts or not all(part["below_one"] for part in parts) or height[~middle].max() >= 1:
            return refuted(f"{name} lets a wave pass whole.", witness=wave(run, np.where(middle, 0, height)))
        steady = all(part["course"] == "falls" and not part["reversed_lobes"] for part in parts)
        if name != "box" and not (steady and grid[0].min() >= -ROUNDING):
            return refuted(f"{name} does not fall steadily to 0.", witness=wave(run, -grid[0]))
    box = inspected(evidence, "box")
    along = box.table("kernel")["profiles"]["x"]
    if not along["reversed_lobes"] or box.array("response")[0].min() >= 0:
        return refuted("The box turns no wave upside down.", witness=wave(box, -box.array("response")[0]))
    ((low, _),) = along["reversed_lobes"]
    return supported(
        f"All sum to 1 and weaken every wave. The binomials fall steadily to 0; the box turns waves beyond "
        f"{low / pi:.3g}π upside down, at π by the factor {minus(along['at_pi'])}.",
        reversed_from=low,
        at_pi=along["at_pi"],
    )


@claim(
    "sharpen-is-horizontal",
    source="nyu-2023-hw/2c",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="The kernel −1 3 −1 along x sums to 1, leaves vertical frequencies alone, H(0, v) = 1, and raises "
    "horizontal ones: H(u, 0) ≥ 1, the more the finer.",
    rule="H factors into polynomials in cos u and cos v, of which all is solved for exactly; H on a grid must agree.",
)
def sharpen_is_horizontal(evidence: Evidence) -> Verdict:
    run = inspected(evidence, "sharpen-x")
    facts, grid = run.table("kernel"), run.array("response")[0]
    if Fraction(facts["sum"]) != 1:
        return refuted(f"It sums to {facts['sum']}.", witness={"kernel": entries(run), "sum": facts["sum"]})
    middle = len(grid) // 2
    along, down = grid[middle, middle:], grid[:, middle]
    parts = facts["profiles"] or {"x": {"course": "turns"}, "y": {"course": "turns"}}
    if parts["y"]["course"] != "constant" or np.abs(down - 1).max() > ROUNDING:
        worst = int(np.abs(down - 1).argmax())
        witness = {"kernel": entries(run), "u": 0.0, "v": frequency(worst, len(grid)), "H": float(down[worst])}
        return refuted("Vertical frequencies are changed.", witness=witness)
    if parts["x"]["course"] != "rises" or np.diff(along).min() < 0 or along.min() < 1 - ROUNDING:
        witness = {"kernel": entries(run), "u": pi, "v": 0.0, "H": float(along[-1])}
        return refuted("Horizontal frequencies are not raised steadily.", witness=witness)
    linear = " + ".join(
        f"{a}·cos(u){f'^{k}' if k > 1 else ''}" if k else a for k, a in enumerate(parts["x"]["coefficients"])
    )
    told = linear.replace("+ -", "− ")
    return supported(
        f"H(0, v) = 1 for all v, and H(u, 0) = {told} rises steadily from {along[0]:g} to {parts['x']['at_pi']}.",
        at_pi=parts["x"]["at_pi"],
    )


@claim(
    "denoise-variance",
    source="nyu-2023-hw/2d",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="An averaging filter multiplies the variance of independent noise by Σw² where its window has noise all "
    "over: 1/9 for the box, 36/256 = 9/64 for the binomial.",
    rule="Σw² must be that fraction exactly, and lie in the interval for the variance measured on noise.",
)
def denoise_variance(evidence: Evidence) -> Verdict:
    told = []
    for name, stated in GAINS.items():
        run = inspected(evidence, name)
        gain, measured = Fraction(run.table("kernel")["variance_gain"]), run.metric("variance/measured")
        low, high = run.metric("variance/low"), run.metric("variance/high")
        if gain != stated or not low <= stated <= high:
            witness = {
                "kernel": entries(run),
                "sum_of_squares": str(gain),
                "measured": measured,
                "interval": [low, high],
            }
            return refuted(f"{name} multiplies variance by another factor.", witness=witness)
        told.append(f"{name} {gain} (measured {measured:.4f}, {low:.4f} to {high:.4f})")
    return supported(f"{'; '.join(told)}: exact, and in the interval.", gains={k: str(v) for k, v in GAINS.items()})


@claim(
    "denoiser-harms-below",
    source="nyu-2023-hw/2d",
    about=PHOTOGRAPHS,
    basis="measured",
    statement="Averaging harms a photograph with little noise and pays, by PSNR, only above a level that the clean "
    "photograph's blur foretells: √(B / (1 − Σw²)), where B is the mean squared change by the filter.",
    rule="On every photograph and for both averages the foretold level must lie in the prediction interval of the "
    "seeds, and at every level tried PSNR must fall below it and rise above it.",
)
def denoiser_harms_below(evidence: Evidence) -> Verdict:
    levels: dict[str, dict[str, float]] = {name: {} for name in AVERAGES}
    for photograph, runs in by_photograph(evidence):
        for name in AVERAGES:
            found = [run.table("crossings")[name] for run in runs]
            agreement = agrees(found[0]["predicted"], [row["psnr"] for row in found])
            where = {"photograph": photograph, "filter": name, "foretold": found[0]["predicted"]}
            if agreement.verdict == "underpowered":
                return inconclusive(f"{len(runs)} seeds on {photograph} are too few.", **where)
            wrong = [row for run in runs for row in run.table("gaussian") if not as_foretold(row, name, agreement.mean)]
            if agreement.verdict == "outside" or wrong:
                witness = {**where, "measured": [row["psnr"] for row in found], "levels_against_it": wrong[:1]}
                return refuted("Averaging pays from another level than foretold.", witness=witness)
            levels[name][photograph] = agreement.mean
    told = "; ".join(f"the {name} from {span(found)} grey levels on" for name, found in levels.items())
    return supported(f"As foretold on all photographs, by PSNR: {told}, and harms below.", pays_from=levels)


@claim(
    "ssim-forgives-blur",
    source="own",
    about=PHOTOGRAPHS,
    basis="measured",
    statement="By SSIM averaging pays from a lower level of noise on than by PSNR.",
    rule="On every photograph and for both averages the level by SSIM must be lower, paired by seed (Student's t, the "
    "chance of error shared among all comparisons).",
)
def ssim_forgives_blur(evidence: Evidence) -> Verdict:
    cases = [(photograph, runs, name) for photograph, runs in by_photograph(evidence) for name in AVERAGES]
    lower, against, undecided = {}, [], []
    for photograph, runs, name in cases:
        found = [run.table("crossings")[name] for run in runs]
        case: dict[str, Any] = {"photograph": photograph, "filter": name}
        if any(row["ssim"] is None for row in found):
            undecided.append(case)
            continue
        first, second = [row["ssim"] for row in found], [row["psnr"] for row in found]
        comparison = paired_difference(first, second, confidence=1 - FAMILY / len(cases))
        if comparison.verdict == "lower":
            lower[f"{name} on {photograph}"] = [comparison.first, comparison.second]
        elif comparison.verdict == "higher":
            against.append({**case, "pays_from_by_ssim": first, "pays_from_by_psnr": second})
        else:
            undecided.append(case)
    told = f"By SSIM averaging pays earlier in {len(lower)} of {len(cases)} cases"
    if against:
        (case, *_), means = against, ("pays_from_by_ssim", "pays_from_by_psnr")
        ssim, psnr = (float(np.mean(case[name])) for name in means)
        return refuted(
            f"{told}, but not on {case['photograph']}: there the {case['filter']} pays from {ssim:.3g} grey levels on "
            f"by SSIM, {psnr:.3g} by PSNR.",
            witness=case,
            lower=lower,
            undecided=undecided,
        )
    return inconclusive(f"{told}.", undecided=undecided) if undecided else supported(f"{told}.", lower=lower)


@claim(
    "median-beats-average-on-impulses",
    source="nyu-2023-hw/2d",
    about=PHOTOGRAPHS,
    basis="measured",
    statement="Where pixels turn black or white, the median of nine pixels comes nearer to the clean photograph than "
    "their average, box or binomial, at every density tried.",
    rule="On every photograph and at every density its mean squared error must be lower than that of both, paired by "
    "seed (Student's t, the chance of error shared among all comparisons).",
)
def median_beats_average(evidence: Evidence) -> Verdict:
    cases = [
        (photograph, name, i, [run.table("impulses")[i] for run in runs])
        for photograph, runs in by_photograph(evidence)
        for name in AVERAGES
        for i in range(len(runs[0].table("impulses")))
    ]
    undecided, lost = [], []
    for photograph, name, _, rows in cases:
        median, average = ([row["scores"][which]["mse"] for row in rows] for which in ("median", name))
        verdict = paired_difference(median, average, confidence=1 - FAMILY / len(cases)).verdict
        case = {"photograph": photograph, "density": rows[0]["density"], "filter": name}
        if verdict == "higher":
            lost.append({**case, "mse_of_median": median, "mse_of_average": average})
        elif verdict != "lower":
            undecided.append(case)
    won = f"in {len(cases) - len(lost) - len(undecided)} of {len(cases)} comparisons"
    if lost:
        cases_lost = ", ".join(f"{x['photograph']} at {100 * x['density']:g} % ({x['filter']})" for x in lost)
        told = f"The median wins {won}, and loses on {cases_lost}."
        return refuted(told, witness=lost[0], lost=len(lost), undecided=undecided)
    if undecided:
        return inconclusive(f"The median wins {won}; the others are not decided.", undecided=undecided)
    return supported(f"The median wins {won}.", comparisons=len(cases))
