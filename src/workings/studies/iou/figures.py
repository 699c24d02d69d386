"""What the evidence looks like: where each loss shows the way, which starts arrive, where the kinks are."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.studies.iou.portrait import landscape, pictograms, slide, starts
from workings.studies.iou.study import MEASURES, TITLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure(
    "gradient-fields",
    caption="Each loss (dark is low) over the centre of a box of the target's size; arrows show which way it "
    "pushes, and in the grey it does not. The square is the target.",
    alt="Four maps of a loss over the place of a box. For plain IoU arrows point inwards within a square twice as wide "
    "as the target, and all around it is grey, without arrows. For GIoU, DIoU and CIoU arrows fill the whole map.",
)
def gradient_fields(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(2, 2, figsize=(7.6, 7.8), sharex=True, sharey=True)
    for axes, measure in zip(panels.flat, MEASURES, strict=True):
        run = _descent(evidence, measure)
        axis, loss, slope = (run.array(f"field/{name}") for name in ("axis", "loss", "slope"))
        landscape(axes, axis, loss, slope)
        # The term that CIoU adds compares shapes.
        axes.set_title(f"1 − {TITLES[measure]}" + (": for equal shapes, as DIoU" if measure == "ciou" else ""))
    _label(drawing, "centre of the moving box, in sides of the target")
    drawing.suptitle("Where boxes part, plain IoU goes flat; its kin still point the way", x=0.02, ha="left")
    return drawing


@figure(
    "starts-that-arrive",
    caption="Steps of diminishing length until a box of the target's size arrives, over the centre it starts from; "
    "grey where it never does. The square is the target.",
    alt="Four maps of starting places around a target. For plain IoU a square of starts that overlap the target "
    "arrives, and all else is grey. For the others every start arrives: quickly for DIoU and CIoU, for GIoU "
    "more slowly the farther away it is.",
)
def starts_that_arrive(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(2, 2, figsize=(7.6, 7.0), sharex=True, sharey=True)
    meshes = []
    for axes, measure in zip(panels.flat, MEASURES, strict=True):
        run = _descent(evidence, measure)
        grid = run.table("grid")
        n, reach, shape = grid["centres"], grid["reach"], grid["shapes"].index([1.0, 1.0])
        reached = run.array("starts/reached")[shape * n * n : (shape + 1) * n * n].reshape(n, n)
        meshes.append(starts(axes, np.linspace(-reach, reach, n), reached, run.config["steps"]))
        axes.set_title(TITLES[measure])
    drawing.colorbar(meshes[0], ax=panels, label="steps until it arrives", shrink=0.7, aspect=30, format="%d")
    _label(drawing, "centre of the start, in sides of the target")
    drawing.suptitle("Overlap, and IoU will do; from afar it takes a loss that sees the gap", x=0.02, ha="left")
    return drawing


@figure(
    "kinks",
    caption="A box (filled) slides through an equal one (outlined). Dashed: the slopes on either side of two kinks.",
    alt="IoU rises along a curve to one, where the boxes coincide, and falls again, with a sharp peak; it is zero "
    "where the boxes lie apart, with a corner where they begin to touch.",
)
def kinks(evidence: Evidence) -> "Figure":
    run = _descent(evidence, "iou")
    drawing, (above, axes) = plt.subplots(2, 1, figsize=(7.4, 4.8), sharex=True, height_ratios=[1, 6])
    places = run.table("slide")
    slide(axes, run.array("slide/at"), run.array("slide/iou"), places)
    pictograms(above, sorted({sign * place["at"] for place in places.values() for sign in (-1, 1)}))
    for kink, spot in (("equal", (14, -4)), ("touching", (-68, 42))):
        place, (before, after) = places[kink], (number.replace("-", "−") for number in places[kink]["text"])
        told = f"{kink}:\nslope {before} before,\n{after} after"
        axes.annotate(
            told if kink == "touching" else told.replace("\n", " "),
            (place["at"], place["iou"]),
            xytext=spot,
            textcoords="offset points",
            color="C1",
            va="center",
        )
    drawing.suptitle("IoU breaks where edges meet, and is flat where boxes part", x=0.02, ha="left")
    return drawing


@figure(
    "steps",
    caption="What is missing to an IoU of one, step by step, from the witness's start: steps of a fixed length, and "
    "diminishing ones.",
    alt="One minus IoU over steps, on logarithmic axes. With a fixed step it falls and then goes back and forth at the "
    "same height; with diminishing steps it goes back and forth too, and keeps falling.",
)
def steps(evidence: Evidence) -> "Figure":
    drawing, axes = plt.subplots(figsize=(7.4, 4.2))
    for colour, schedule in (("C1", "fixed"), ("C0", "diminishing")):
        run = _descent(evidence, "iou", schedule)
        missing = 1 - run.array("path/iou").astype(float)
        axes.loglog(np.arange(len(missing)) + 1, missing, color=colour, linewidth=0.9)
        end = (len(missing), np.exp(np.log(missing[-2:]).mean()))
        axes.annotate(schedule, end, xytext=(6, 0), textcoords="offset points", color=colour, va="center")
    mark = run.table("grid")["converged"]
    axes.axhline(1 - mark, color="grey", linewidth=1, linestyle="--")
    axes.text(1, (1 - mark) * 0.96, f"IoU {mark:g}: arrived", color="grey", va="top")
    axes.set_xlabel("step")
    axes.set_ylabel("1 − IoU")
    drawing.suptitle("Kinks hold up steps of a fixed length; ever shorter ones get through", x=0.02, ha="left")
    return drawing


def _label(drawing: "Figure", text: str) -> None:
    drawing.supxlabel(text, fontsize=plt.rcParams["axes.labelsize"])


def _descent(evidence: Evidence, measure: str, schedule: str = "diminishing") -> Run:
    return evidence.where(loss=measure, schedule=schedule).one()
