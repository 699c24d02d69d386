"""Detections of one's own beside the truth: what matches, precision and recall; and the losses' fields drawn."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from workings.core.errors import UserError
from workings.core.files import write_atomic
from workings.drawing import check_file, in_style, save
from workings.studies.iou import rotated
from workings.studies.iou.boxes import Format, read
from workings.studies.iou.experiment import field, read_box, validate
from workings.studies.iou.matching import Pair, work
from workings.studies.iou.matching import match as matched
from workings.studies.iou.model import BLOCK, iou
from workings.studies.iou.study import MEASURES, TITLES, Config

MOST_PAIRS = 2 * 10**9
"""Pairs to compare at most: about half a minute; images or labels part a file into groups with far fewer."""
SHOWN = 20
"""Pairs that are printed; the file holds all."""


@dataclass(frozen=True)
class Matches:
    """What a detector found, missed and made up."""

    pairs: tuple[Pair, ...]
    """By falling score within each image and label."""
    predictions: int
    truth: int
    threshold: float
    saved: str | None = None
    """Where all pairs were written."""

    @property
    def precision(self) -> float | None:
        """Share of the predictions that match; None where there are none."""
        return len(self.pairs) / self.predictions if self.predictions else None

    @property
    def recall(self) -> float | None:
        """Share of the true boxes that are matched; None where there are none."""
        return len(self.pairs) / self.truth if self.truth else None

    def __str__(self) -> str:
        rows = [("prediction", "truth", "IoU", "label", "image")]
        rows += [(str(p.prediction), str(p.truth), f"{p.iou:.4f}", p.label, p.image) for p in self.pairs[:SHOWN]]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        if len(self.pairs) > SHOWN:
            lines.append(f"… and {len(self.pairs) - SHOWN:,} more{'' if self.saved else ' (-o pairs.csv keeps all)'}")
        found = len(self.pairs)
        lines += [
            f"at IoU {self.threshold:g}: {found:,} matched, {self.predictions - found:,} predictions too many, "
            f"{self.truth - found:,} missed",
            f"precision {_rate(self.precision, 'no predictions')}, recall {_rate(self.recall, 'no true boxes')}",
        ]
        return "\n".join([*lines, *([self.saved] if self.saved else [])])


def match(
    predictions: Annotated[Path, tyro.conf.Positional],
    truth: Annotated[Path, tyro.conf.Positional],
    /,
    threshold: float = 0.5,
    boxes: Format = "xyxy",
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None,
) -> Matches:
    """Match detections to the truth, best score first, within each image and label; say what was found and missed.

    Example: workings use iou match predictions.csv truth.csv --threshold 0.5

    Args:
        predictions: A .csv or .json file: x1,y1,x2,y2[,score][,label][,image], with or without a line of names.
        truth: Likewise.
        threshold: IoU from which a detection counts as found.
        boxes: xyxy (corners), xywh (corner and size), rotated (cx,cy,w,h,angle in degrees).
        output: A .csv file for all matched pairs, by their lines.
    """
    if not 0 < threshold <= 1:
        raise UserError(f"threshold is {threshold}: an IoU above 0, up to 1")
    if output is not None and output.suffix.lower() != ".csv":
        raise UserError(f"{output} is no table: name it .csv")
    if output is not None and any(
        output.expanduser().resolve() == p.expanduser().resolve() for p in (predictions, truth)
    ):
        raise UserError(f"{output} is read as input: choose another name for the pairs")
    found, real = read(predictions, boxes), read(truth, boxes)
    some = sum(detection.score is not None for detection in found)
    if 0 < some < len(found):
        raise UserError(f"{predictions} scores {some:,} of {len(found):,} boxes: give all a score, or none")
    if (pairs := work(found, real)) > MOST_PAIRS:
        raise UserError(f"{pairs:,} pairs to compare, {MOST_PAIRS:,} at most: part the boxes by image or label")
    compare, block = (rotated.rotated, rotated.BLOCK) if boxes == "rotated" else (iou, BLOCK)
    result = tuple(matched(found, real, threshold, compare, block))
    if output is not None:
        write_atomic(output.expanduser(), _table(result))
    return Matches(result, len(found), len(real), threshold, None if output is None else str(output))


@dataclass(frozen=True)
class Drawing:
    """A picture of the four losses."""

    path: str
    flat: dict[str, float]
    """By loss, the share of places from which it shows no way."""

    def __str__(self) -> str:
        told = [f"{TITLES[loss]}: no gradient at {share:.0%} of the places" for loss, share in self.flat.items()]
        return "\n".join([self.path, *told])


def fields(
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("field.png"), target: str = "0 0 1 1"
) -> Drawing:
    """Draw each loss, and where it pushes a box of the target's size, over the place of that box.

    Example: workings use iou fields -o field.png

    Args:
        output: A .png, .svg or .pdf file.
        target: The target, x1 y1 x2 y2.
    """
    check_file(output)
    x1, y1, x2, y2 = box = read_box(target, "target")
    validate(Config(a=target, b=target))
    found = {measure: field(measure, box) for measure in MEASURES}
    size = (((x2 - x1) / (y2 - y1)) ** 0.5, ((y2 - y1) / (x2 - x1)) ** 0.5)  # its area is the unit
    from matplotlib.figure import Figure

    from workings.studies.iou.portrait import landscape

    with in_style():
        drawing = Figure(figsize=(8, 8.2), layout="constrained")
        for axes, (measure, parts) in zip(drawing.subplots(2, 2).flat, found.items(), strict=True):
            landscape(axes, *parts, size)
            axes.set_title(f"1 − {TITLES[measure]}", loc="left")
        save(drawing, output)
    flat: dict[str, float] = {
        measure: float((abs(slope) == 0).all(-1).mean()) for measure, (_, _, slope) in found.items()
    }
    return Drawing(str(output), flat)


VERBS = (match, fields)


def _rate(share: float | None, otherwise: str) -> str:
    return f"undefined ({otherwise})" if share is None else f"{share:.4g}"


def _table(pairs: tuple[Pair, ...]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["prediction_line", "truth_line", "iou", "label", "image"])
    rows.writerows([p.prediction, p.truth, repr(p.iou), p.label, p.image] for p in pairs)
    return text.getvalue().encode()
