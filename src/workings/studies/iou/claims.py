"""What the sheet and we say of IoU, as a measure and as a loss, and how it is decided.

Descents are judged start by start: one has arrived whose IoU is at least the mark that the experiment recorded.
"""

from dataclasses import dataclass

import numpy as np

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.evidence import NONE, Evidence, Run
from workings.studies.iou.study import MEASURES, TITLES


@claim(
    "between-zero-and-one",
    source="nyu-2023-hw/3a",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="The IoU of two boxes whose union has an area lies between the stated bounds.",
    rule="Every pair of small integer boxes, counted in cells, must lie between the bounds and reach both, and so must "
    "every pair drawn at random in floating point. Any pair outside refutes.",
)
def between_zero_and_one(evidence: Evidence) -> Verdict:
    stated = evidence.published["between-zero-and-one"]
    run = evidence.one()
    counted, drawn = run.table("enumerated"), run.table("drawn")
    if (stated["low"], stated["high"]) != (0, 1):
        return refuted(
            "Disjoint boxes have IoU 0, equal ones 1.",
            witness={"a": [0, 0, 1, 1], "disjoint": [2, 0, 3, 1], "equal": [0, 0, 1, 1], "stated": stated},
        )
    if counted["below"] or counted["above"] or counted["outside"] or counted["miscounted"]:
        return refuted("A pair of integer boxes lies outside.", witness=counted)
    if drawn["outside"] or drawn["low"] < 0 or drawn["high"] > 1:
        return refuted("A pair drawn at random lies outside.", witness=drawn)
    exact = counted["ones"] == counted["ones_of_equal"] and counted["zeros"] == counted["zeros_of_disjoint"]
    if not (exact and counted["ones"] and counted["zeros"]):
        return refuted("The bounds are not reached by equal and by disjoint boxes alone.", witness=counted)
    return supported(
        f"It holds for all {counted['with_area']:,} pairs of integer boxes with an area and {drawn['pairs']:,} drawn "
        f"ones; IoU is 1 for equal boxes alone, and 0 for those that share no area.",
        enumerated=counted["with_area"],
        drawn=drawn["pairs"],
        low=drawn["low"],
        high=drawn["high"],
    )


@claim(
    "not-differentiable",
    source="nyu-2023-hw/3b",
    about=NONE,
    basis="symbolic",
    expect="supported",
    statement="IoU is not differentiable in the corners of a box: it has kinks where edges meet, and regions where it "
    "is flat.",
    rule="Where a box begins to touch an equal one, and where the two coincide, the exact slopes on either side must "
    "differ, and every drawn pair that lies apart must have a gradient of zero. Anything else refutes.",
)
def not_differentiable(evidence: Evidence) -> Verdict:
    run = _descent(evidence, "iou")
    slide, smooth = run.table("slide"), run.table("smoothness")
    bent = {name: place for name, place in slide.items() if place["before"] != place["after"]}
    if "equal" not in bent or "touching" not in bent:
        place = slide["equal" if "equal" not in bent else "touching"]
        return refuted("The slopes agree where edges meet.", witness=place)
    if smooth["flat"] != smooth["disjoint"] or slide["apart"]["after"] != 0:
        return refuted("Some boxes that lie apart have a gradient.", witness=slide["apart"])
    a, b, (before, after) = (bent["equal"][key] for key in ("a", "b", "text"))
    return supported(
        f"As a box slides through an equal one, IoU has the slope {_signed(before)} per width before they coincide and "
        f"{_signed(after)} after; all {smooth['disjoint']:,} pairs drawn that lie apart have a gradient of zero.",
        a=a,
        b=b,
        slopes_where_equal=bent["equal"]["text"],
        slopes_where_touching=bent["touching"]["text"],
    )


@claim(
    "unusable-as-loss",
    source="nyu-2023-hw/3b",
    about=NONE,
    basis="sampled",
    expect="refuted",
    statement="Kinks alone prevent minimising 1 − IoU by gradient steps.",
    rule="Refuted by a box that gradient steps of diminishing length take across kinks to the mark, if every "
    "overlapping start of the same trial arrives too; supported if none does.",
    repair="IoU has kinks and is flat where boxes do not overlap; from overlapping starts it can be minimised "
    "with steps that shrink, and from others by a loss that sees the gap.",
)
def unusable_as_loss(evidence: Evidence) -> Verdict:
    run = _descent(evidence, "iou")
    starts, path, config = _starts(run), run.table("path"), run.config
    arrived, landed = starts.arrived[starts.overlapping], path["final"] >= starts.mark
    if not arrived.any() and not landed:
        return supported("No start arrives.", starts=len(arrived), mark=starts.mark)
    if not (arrived.all() and landed and path["crossed"]):
        return inconclusive("Some starts arrive; not all, or across no kink.", arrived=int(arrived.sum()), path=path)
    return refuted(
        f"From each of {len(arrived):,} overlapping starts {config['steps']:,} steps reach IoU {starts.mark:g} or "
        f"more; the witness crosses {path['crossed']:,} kinks on its way from {path['initial']:.3f} to "
        f"{path['final']:.3f}.",
        witness={
            "a": config["a"],
            "b": config["b"],
            "step": "against the gradient of 1 − IoU, of length eta·√(area of b)/√(t + 1) at t = 0, 1, 2, …",
            "eta": config["eta"],
            "gradient_at_a": run.table("pair")["gradient"],
            "steps": config["steps"],
            "kinks_crossed": path["crossed"],
            "iou_before": path["initial"],
            "iou_after": path["final"],
        },
        lowest=float(starts.final[starts.overlapping].min()),
    )


@claim(
    "smooth-almost-everywhere",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="Off its kinks, a set of measure zero, 1 − IoU has the gradient that reverse mode gives; so have the "
    "losses of GIoU and DIoU.",
    rule="Refuted by a pair drawn at random that is no kink's neighbour and at which reverse mode and central "
    "differences differ.",
)
def smooth_almost_everywhere(evidence: Evidence) -> Verdict:
    compared, largest = 0, 0.0
    for measure in MEASURES[:3]:
        table = _descent(evidence, measure).table("smoothness")
        if table["differing"]:
            return refuted(
                "A pair has another gradient.",
                witness={"loss": measure, "boxes": table["example"], "difference": table["largest"]},
            )
        compared, largest = compared + table["pairs"] - table["near_kink"], max(largest, table["largest"])
    return supported(f"{compared:,} gradients differ from central differences by {largest:.1g} at most.")


@claim(
    "ciou-gradient-is-partial",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="The gradient that CIoU is descended by, with α held constant, is not the gradient of its loss.",
    rule="Supported by a pair drawn at random, away from kinks, at which it differs from central differences.",
)
def ciou_gradient_is_partial(evidence: Evidence) -> Verdict:
    table = _descent(evidence, "ciou").table("smoothness")
    if not table["differing"]:
        return refuted("It is the gradient.", witness={"pairs": table["pairs"], "largest_difference": table["largest"]})
    return supported(
        f"It differs at {table['differing']:,} of {table['pairs']:,} pairs, by up to {table['largest']:.2g}.",
        boxes=table["example"],
    )


@claim(
    "fixed-step-may-not-settle",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="With steps of a fixed length, descent on 1 − IoU need not settle, even from boxes that overlap.",
    rule="Supported by an overlapping start that ends below the mark with its IoU still going up and down, while the "
    "same start arrives with diminishing steps.",
)
def fixed_step_may_not_settle(evidence: Evidence) -> Verdict:
    fixed, other = (_starts(_descent(evidence, "iou", schedule)) for schedule in ("fixed", "diminishing"))
    restless = fixed.overlapping & ~fixed.arrived & (fixed.swing > 0)
    telling = np.flatnonzero(restless & other.arrived)
    count = int(fixed.overlapping.sum())
    if not len(telling):
        return refuted(
            "Every overlapping start settles.", witness={"starts": count, "lowest": float(fixed.final.min())}
        )
    return supported(
        f"{restless.sum():,} of {count:,} overlapping starts end below IoU {fixed.mark:g}, still moving; IoU swings by "
        f"{np.median(fixed.swing[restless]):.2g} over the last steps.",
        start=fixed.box[telling[0]].tolist(),
        ends_at=float(fixed.final[telling[0]]),
        with_diminishing_steps=float(other.final[telling[0]]),
    )


@claim(
    "flat-when-apart",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="From a box that lies apart from its target, gradient steps on 1 − IoU never move.",
    rule="Refuted by a start that lies apart and is moved by any step.",
)
def flat_when_apart(evidence: Evidence) -> Verdict:
    starts = _starts(_descent(evidence, "iou"))
    if (moved := np.flatnonzero(starts.apart & starts.moved)).size:
        return refuted("Some start moves.", witness={"start": starts.box[moved[0]].tolist(), "target": "side 1, at 0"})
    return supported(f"None of {starts.apart.sum():,} starts that lie apart moves.")


@claim(
    "others-close-the-gap",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="From boxes that lie apart, GIoU, DIoU and CIoU arrive, by steps of the same diminishing lengths.",
    rule="Refuted by a start of the grid that lies apart and does not arrive within the budget.",
)
def others_close_the_gap(evidence: Evidence) -> Verdict:
    medians = {}
    for measure in MEASURES[1:]:
        starts = _starts(run := _descent(evidence, measure))
        if (lost := np.flatnonzero(starts.apart & ~starts.arrived)).size:
            start, final = starts.box[lost[0]].tolist(), float(starts.final[lost[0]])
            return refuted("Some start does not arrive.", witness={"loss": measure, "start": start, "iou": final})
        medians[measure] = int(np.median(starts.reached[starts.apart]))
    told = ", ".join(f"{steps} with {TITLES[measure]}" for measure, steps in medians.items())
    return supported(
        f"All {starts.apart.sum():,} arrive within {run.config['steps']:,} steps; half of them within {told}.",
        **medians,
    )


@dataclass(frozen=True)
class Starts:
    """The starts of a trial, and what became of them."""

    mark: float
    box: np.ndarray
    apart: np.ndarray
    moved: np.ndarray
    reached: np.ndarray
    initial: np.ndarray
    final: np.ndarray
    swing: np.ndarray

    @property
    def overlapping(self) -> np.ndarray:
        """Which share an area with the target."""
        return self.initial > 0

    @property
    def arrived(self) -> np.ndarray:
        """Which end at the mark or above it."""
        return self.final >= self.mark


def _starts(run: Run) -> Starts:
    names = ("box", "apart", "moved", "reached", "initial", "final", "swing")
    return Starts(run.table("grid")["converged"], *(run.array(f"starts/{name}") for name in names))


def _descent(evidence: Evidence, measure: str, schedule: str = "diminishing") -> Run:
    return evidence.where(loss=measure, schedule=schedule).one()


def _signed(number: str) -> str:
    return number.replace("-", "−") if number.startswith("-") else f"+{number}"
