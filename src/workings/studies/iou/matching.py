"""Matching detections to the truth, as COCO and VOC do: by falling score, each to the best box that is still free.

A detection is matched to the box of the same image and label with which its IoU is largest among those not yet taken,
if that is at least the threshold. Without scores, the order of the file counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workings.studies.iou.boxes import Detection
from workings.studies.iou.model import BLOCK, Compare, iou, pairwise


@dataclass(frozen=True)
class Pair:
    """A detection and the box it was matched to, by their lines."""

    prediction: int
    truth: int
    label: str
    image: str
    iou: float


def greedy(
    predictions: Float[Tensor, "n k"],
    truth: Float[Tensor, "m k"],
    threshold: float,
    compare: Compare = iou,
    block: int = BLOCK,
) -> tuple[Int[Tensor, " n"], Float[Tensor, " n"]]:
    """For each prediction, in the order given, the index of its box, or −1; and their IoU, or 0.

    Memory: a few blocks of pairs. Of equally good boxes the first is taken.
    """
    index, value = torch.full((len(predictions),), -1), torch.zeros(len(predictions), dtype=predictions.dtype)
    free = torch.ones(len(truth), dtype=torch.bool)
    rows = max(1, block // max(1, len(truth)))
    for start in range(0, len(predictions) if len(truth) else 0, rows):
        matrix = pairwise(predictions[start : start + rows], truth, compare, block)
        promising = (matrix >= threshold).any(1).nonzero().flatten().tolist()
        for row in promising:
            best = int(torch.where(free, matrix[row], -1).argmax())
            if free[best] and matrix[row, best] >= threshold:
                free[best] = False
                index[start + row], value[start + row] = best, matrix[row, best]
    return index, value


def match(
    predictions: Sequence[Detection], truth: Sequence[Detection], threshold: float, compare: Compare, block: int
) -> list[Pair]:
    """Pairs in order of falling score, image by image and label by label."""
    pairs: list[Pair] = []
    boxes = _groups(truth)
    for key, found in _groups(sorted(predictions, key=lambda p: -(p.score or 0))).items():
        real = boxes.get(key, [])
        if not real:
            continue
        ours, theirs = (torch.tensor([d.box for d in side], dtype=torch.float64) for side in (found, real))
        index, value = greedy(ours, theirs, threshold, compare, block)
        pairs += [
            Pair(found[i].line, real[j].line, found[i].label, found[i].image, v)
            for i, (j, v) in enumerate(zip(index.tolist(), value.tolist(), strict=True))
            if j >= 0
        ]
    return pairs


def work(predictions: Iterable[Detection], truth: Iterable[Detection]) -> int:
    """How many pairs a matching compares."""
    boxes = _groups(truth)
    return sum(len(found) * len(boxes.get(key, [])) for key, found in _groups(predictions).items())


def _groups(detections: Iterable[Detection]) -> dict[tuple[str, str], list[Detection]]:
    groups: dict[tuple[str, str], list[Detection]] = defaultdict(list)
    for detection in detections:
        groups[detection.image, detection.label].append(detection)
    return groups
