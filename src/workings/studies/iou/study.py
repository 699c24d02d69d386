"""IoU: the overlap of two boxes, as a measure and as a loss (nyu-2023-hw, problem 3).

Trials descend each loss (1 − IoU, GIoU, DIoU, CIoU) from a grid of starts around a target box, with steps of fixed or
diminishing length; all of it is done in seconds. A person's own two boxes take the place of a and b.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from workings.core.study import Study

Measure = Literal["iou", "giou", "diou", "ciou"]
"""How much two boxes agree; `model` has a function of the same name for each. The loss is one minus it."""
MEASURES: tuple[Measure, ...] = get_args(Measure)
TITLES: dict[str, str] = {"iou": "IoU", "giou": "GIoU", "diou": "DIoU", "ciou": "CIoU"}
Schedule = Literal["diminishing", "fixed"]
"""How long the steps of descent are: eta/√(t + 1) at step t, or eta."""
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Two boxes, and how the first is moved towards the second."""

    a: str = "0 0 2 2"
    """The box that moves: x1 y1 x2 y2, opposite corners, lower one first."""
    b: str = "1 1 3 3"
    """The target, likewise; the starts of the grid lie around it."""
    loss: Measure = "iou"
    """What is descended: one minus iou, giou, diou or ciou."""
    schedule: Schedule = "diminishing"
    """Length of step t = 0, 1, 2, …: eta/√(t + 1), or eta at each (fixed)."""
    eta: float = 0.5
    """Length of the first step, in units of the target's side (the root of its area)."""
    steps: int = 500
    """The budget: steps from each start."""
    seed: int = 0
    """Of the boxes drawn at random."""


def smoke() -> Sequence[Config]:
    """Plain IoU and GIoU, diminishing steps."""
    return [Config(loss=loss) for loss in MEASURES[:2]]


def quick() -> Sequence[Config]:
    """The same as full: it takes seconds."""
    return full()


def full() -> Sequence[Config]:
    """Each loss with diminishing steps, and plain IoU with a fixed one too."""
    return [*(Config(loss=loss) for loss in MEASURES), Config(schedule="fixed", eta=0.1)]


STUDY = Study(
    package=__package__,
    title="IoU",
    summary="The overlap of two boxes: its range, its gradient and its kinks, and what it takes to be a loss.",
    sources=("nyu-2023-hw/3",),
    config=Config,
    presets=(smoke, quick, full),
    instant=full,
    threads=1,
    examples=(
        'workings run iou --a "0 0 2 2" --b "1 1 3 3"',
        'workings run iou --a "0 0 1 1" --b "5 5 6 6" --loss giou',
    ),
)
