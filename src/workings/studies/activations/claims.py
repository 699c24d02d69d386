"""What the sheet and we say of zero-centred activations, and how it is decided.

Statements about odd functions are held against every function of the evidence whose oddness is proven, and against what
oddness forces on any smooth function; those about training against the sigmoid and its centred twin.
"""

import numpy as np

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.errors import MissingEvidence
from workings.core.evidence import NONE, Evidence, Run
from workings.studies.activations.comparisons import SPEED_RULE, WIDE, alike, as_wide, eases, faster
from workings.studies.activations.functions import (
    ROUNDING,
    forced,
    functions,
    keeps_sign,
    meets,
    odd_functions,
)
from workings.studies.activations.study import SIGMOID, TWIN


@claim(
    "odd-has-zero-slope",
    source="gatech-2024-ps2/2",
    about=NONE,
    basis="symbolic",
    expect="refuted",
    statement="An odd activation that is differentiable has slope zero at zero.",
    rule="Refuted by any function that is proven odd, differentiable at zero by symbols, and has another slope there.",
    repair="An odd function that is differentiable at 0 has g(0) = 0 and an even derivative; its second "
    "derivative, where it exists, is 0 there.",
)
def odd_has_zero_slope(evidence: Evidence) -> Verdict:
    stated = evidence.published["odd-has-zero-slope"]["slope"]
    smooth = [g for g in odd_functions(evidence) if g.row["differentiable"]]
    others = [g for g in smooth if abs(g.row["right"]["slope"] - stated) > ROUNDING]
    if not others:
        return supported(f"All {len(smooth)} odd differentiable functions have that slope.")
    g, h = others[0], 0.1
    names = ", ".join(other.name for other in others)
    return refuted(
        f"{g.name} is odd, and its slope at zero is {g.row['right']['slope']:g}. So it is with {len(others)} of "
        f"{len(smooth)} odd functions here: {names}.".replace("-", "−"),
        witness={
            "g": g.row["formula"],
            "x": 0.0,
            "slope": g.row["right"]["slope"],
            "stated": stated,
            "(g(0.1) − g(−0.1))/0.2": (g.at(h) - g.at(-h)) / (2 * h),
        },
    )


@claim(
    "odd-symmetric-about-y-axis",
    source="gatech-2024-ps2/2",
    about=NONE,
    basis="symbolic",
    expect="refuted",
    statement="The graph of an odd function is symmetric about the y-axis.",
    rule="That symmetry asks for g(−x) = g(x). Refuted by any function that is proven odd and does otherwise at an x.",
    repair="Odd functions are symmetric about the origin; even ones about the y-axis.",
)
def odd_symmetric_about_y_axis(evidence: Evidence) -> Verdict:
    factor = evidence.published["odd-symmetric-about-y-axis"]["mirrored"]
    odd = odd_functions(evidence)
    for g in odd:
        here, there = g.at(1.0), g.at(-1.0)
        if abs(there - factor * here) > ROUNDING:
            return refuted(
                f"{g.name} takes 1 to {here:.4g} and −1 to {there:.4g}: it is symmetric about the origin.".replace(
                    "-", "−"
                ),
                witness={"g": g.row["formula"], "x": 1.0, "g(x)": here, "g(−x)": there, "needed": factor * here},
            )
    return supported(f"All {len(odd)} odd functions are mirrored so.", factor=factor)


@claim(
    "odd-vanishes-at-zero",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="An odd function that is defined at zero vanishes there.",
    rule="g(x) + g(−x) = 0 must force it at x = 0, and every function that is proven odd must have the value 0 there.",
)
def odd_vanishes_at_zero(evidence: Evidence) -> Verdict:
    multiple = forced(evidence)["multiples"]["value"]
    for g in odd_functions(evidence):
        if abs(g.row["value"]) > ROUNDING:
            return refuted(f"{g.name} does not.", witness={"g": g.row["formula"], "x": 0.0, "g(x)": g.row["value"]})
    if not multiple:
        return inconclusive("Every odd function here does, but no proof says that all must.")
    return supported(
        f"At x = 0 oddness says {multiple} g(0) = 0; all {len(odd_functions(evidence))} odd functions here agree."
    )


@claim(
    "odd-has-even-slope",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="The derivative of an odd function is even, so oddness says nothing of the slope at zero.",
    rule="The derivative of g(x) + g(−x) must be g′(x) − g′(−x), 0 at x = 0 whatever g′(0); and the slopes of every "
    "function that is proven odd must agree at x and −x.",
)
def odd_has_even_slope(evidence: Evidence) -> Verdict:
    general = forced(evidence)
    for g in odd_functions(evidence):
        gap = np.abs(g.slopes - g.slopes[::-1])
        worst = int(gap.argmax())
        if gap[worst] > ROUNDING * np.abs(g.slopes).max():
            x, here, there = (float(a[worst]) for a in (g.grid, g.slopes, g.slopes[::-1]))
            return refuted(
                f"{g.name}: not so.", witness={"g": g.row["formula"], "x": x, "g′(x)": here, "g′(−x)": there}
            )
    if not general["slope_is_even"] or general["multiples"]["slope"]:
        return inconclusive("Every odd function here has an even slope, but no proof says that all must.")
    found = sorted({round(g.row["right"]["slope"], 3) for g in odd_functions(evidence) if g.row["differentiable"]})
    return supported(
        f"g′(x) = g′(−x) follows for every differentiable odd g. At zero the slopes here are "
        f"{', '.join(f'{slope:g}' for slope in found)}.".replace("-", "−")
    )


@claim(
    "odd-has-zero-curvature",
    source="own",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="What does vanish at zero is the second derivative of an odd function, where it exists.",
    rule="The second derivative of g(x) + g(−x) must force it at x = 0; and every function that is proven odd must "
    "have a second derivative of 0 there, or one-sided ones that differ.",
)
def odd_has_zero_curvature(evidence: Evidence) -> Verdict:
    without = []
    for g in odd_functions(evidence):
        left, right = (g.row[side]["curvature"] for side in ("left", "right"))
        if left is None or right is None or abs(left - right) > ROUNDING:
            without.append(f"{g.name} ({left:g} and {right:g})".replace("-", "−") if left is not None else g.name)
        elif abs(right) > ROUNDING:
            return refuted(f"{g.name} bends there.", witness={"g": g.row["formula"], "x": 0.0, "g″(x)": right})
    if not forced(evidence)["multiples"]["curvature"]:
        return inconclusive("Every odd function here agrees, but no proof says that all must.")
    told = (
        f" It does not exist for {', '.join(without)}: other values from the left and from the right."
        if without
        else ""
    )
    return supported(f"It is 0 for {len(odd_functions(evidence)) - len(without)} odd functions here.{told}")


@claim(
    "positive-means-odd",
    source="gatech-2024-ps2/2",
    about=NONE,
    basis="symbolic",
    expect="refuted",
    statement="To be odd is to give positive outputs for positive inputs and negative ones for negative inputs.",
    rule="Refuted by a function that is proven odd and does not keep the sign, or one that keeps it and is proven not "
    "to be odd.",
    repair="Odd means g(−x) = −g(x) for every x; the sign of g says nothing about it.",
)
def positive_meansodd_functions(evidence: Evidence) -> Verdict:
    known = list(functions(evidence))
    turned = [g for g in known if g.odd and not keeps_sign(g)]
    skew = [g for g in known if g.row["odd"]["holds"] is False and keeps_sign(g)]
    if not turned and not skew:
        return supported("The two agree for every function here.")
    g = next((g for g in turned if g.at(1.0) <= 0), (turned + skew)[0])
    also = f" {skew[0].name} keeps the sign and is not odd." if skew else ""
    return refuted(
        f"{g.name} is {'odd' if g.odd else 'not odd'} and takes 1 to {g.at(1.0):.4g}.{also}".replace("-", "−"),
        witness={"g": g.row["formula"], "x": 1.0, "g(x)": g.at(1.0), "g(−x)": g.at(-1.0)},
    )


@claim(
    "odd-where-positive",
    source="gatech-2024-ps2/2",
    about=NONE,
    basis="symbolic",
    expect="refuted",
    statement="To ask for g(−x) = −g(x) only where g(x) > 0, as the sheet does, picks out the odd functions.",
    rule="Refuted by a function that meets the sheet's condition wherever it applies and is proven not to be odd.",
    repair="Ask for g(−x) = −g(x) at every x, not only where g(x) > 0.",
)
def odd_where_positive(evidence: Evidence) -> Verdict:
    positive_only = evidence.published["odd-where-positive"]["only_where_positive"]
    passing = [
        g for g in functions(evidence) if g.row["odd"]["holds"] is False and meets(g, positive_only=positive_only)
    ]
    if not passing:
        return supported("No function here meets the condition without being odd.")
    g = next((g for g in passing if np.ptp(g.values) == 0), passing[0])
    others = ", ".join(other.name for other in passing if other is not g)
    also = f" So it is with {others}." if others else ""
    return refuted(
        f"{g.name} is nowhere positive, so it meets the condition, and it is not odd.{also}".replace("-", "−"),
        witness={"g": g.row["formula"], "x": 1.0, "g(x)": g.at(1.0), "g(−x)": g.at(-1.0), "needed": -g.at(1.0)},
    )


@claim(
    "centring-eases-vanishing",
    source="gatech-2024-ps2/2",
    about=NONE,
    basis="measured",
    statement="Zero-centring eases vanishing gradients.",
    rule="In deep random networks of the sigmoid and of its centred twin with the same weights, the logarithm of what "
    "is left of the gradient in the first layer is paired over seeds; under every initialisation the 95 % interval "
    "(Student's t) must lie on one side of zero.",
)
def centring_eases_vanishing(evidence: Evidence) -> Verdict:
    return eases(_deep(evidence, TWIN, SIGMOID), TWIN, SIGMOID)


@claim(
    "centring-speeds-convergence",
    source="gatech-2024-ps2/2",
    about="digits",
    basis="measured",
    statement="Zero-centring speeds convergence.",
    rule=f"The sigmoid and its centred twin are trained from the same weights. {SPEED_RULE}",
)
def centring_speeds_convergence(evidence: Evidence) -> Verdict:
    return faster(_trained(evidence, TWIN), _trained(evidence, SIGMOID), ("centred", "not centred"))


@claim(
    "centring-speeds-from-one-function",
    source="own",
    about="digits",
    basis="measured",
    statement="Zero-centring speeds convergence even where both networks begin as the same function.",
    rule="As for the sheet's claim, but the biases of the sigmoid begin shifted, so that both compute the same. "
    + SPEED_RULE,
)
def centring_speeds_from_one_function(evidence: Evidence) -> Verdict:
    return faster(_trained(evidence, TWIN), _trained(evidence, SIGMOID, "function"), ("centred", "not centred"))


@claim(
    "same-function-same-signal",
    source="own",
    about="digits",
    basis="measured",
    expect="supported",
    statement="A sigmoid network and its centred twin that compute the same function pass back the same gradients.",
    rule="Begun as the same function, both must have the same loss and leave the same share of the gradient in the "
    "first layer, to the rounding of float32, for every seed.",
)
def same_function_same_signal(evidence: Evidence) -> Verdict:
    return alike(_trained(evidence, TWIN), _trained(evidence, SIGMOID, "function"), _trained(evidence, SIGMOID))


@claim(
    "wide-limit-predicts",
    source="own",
    about=NONE,
    basis="measured",
    statement="How fast gradients shrink or grow in a random network is what the mean square slope says.",
    rule="The measured factor of a layer, a geometric mean over layers and seeds, must lie within "
    f"{WIDE:.0%} of that of the limit of wide layers, for every activation and initialisation.",
)
def wide_limit_predicts(evidence: Evidence) -> Verdict:
    return as_wide(list(evidence.where(task="depth")))


def _deep(evidence: Evidence, *names: str) -> list[Run]:
    found = [run for run in evidence.where(task="depth") if set(names) <= set(run.table("functions"))]
    if not found:
        raise MissingEvidence(f"no deep network of {' and '.join(names)} was followed")
    return found


def _trained(evidence: Evidence, f: str, start: str = "weights") -> Run:
    return evidence.where(task="train", f=[f], start=start).one()
