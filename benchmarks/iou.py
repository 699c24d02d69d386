"""IoU of every box with every other: blocks that stay in the cache, against torchvision, NumPy and plain Python."""

import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from pair import Pair

BOXES, FEW, MANY = 1_000, 100, 10_000
"""A million pairs; plain Python does a hundredth of them, scaled up; a hundred million are reduced as they come."""
MEMORY = """
import pathlib, torch
from torchvision.ops import box_iou
from workings.studies.iou.model import pairwise
torch.set_num_threads(1)
def peak():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
boxes = torch.rand({n}, 4).sort(dim=1).values
{work}(boxes[:9], boxes[:9])
pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
before = peak()
{work}(boxes, boxes)
print(peak() - before)
"""
"""The peak of a million pairs beyond what imports and a first call take, in KiB; Linux only."""


def iou() -> Iterator[Pair]:
    """The same boxes and one thread for all; the figures must be the same."""
    import numpy as np
    import torch
    from torchvision.ops import box_iou

    from workings.studies.iou.model import best_match, pairwise

    torch.set_num_threads(1)
    a, b = boxes(BOXES, seed=0), boxes(BOXES, seed=1)
    first, second = torch.tensor(a), torch.tensor(b)
    ours, theirs = (lambda: pairwise(first, second)), (lambda: box_iou(first, second))
    assert torch.allclose(ours(), theirs(), rtol=0, atol=1e-6)
    assert np.allclose(ours()[:FEW, :FEW], plain(a[:FEW], b[:FEW]), rtol=0, atol=1e-6)
    assert np.allclose(ours(), by_rows(first.numpy(), second.numpy()), rtol=0, atol=1e-6)
    small, large = peak_memory("pairwise"), peak_memory("box_iou")
    print(f"(a million pairs take {small / 1024:.0f} MiB at the peak, with torchvision {large / 1024:.0f} MiB)")
    assert small < large
    yield Pair("a million IoUs: blocks / torchvision box_iou", ours, theirs, mark=1, repeats=20)
    yield Pair(
        "a million IoUs: blocks / NumPy, a box at a time",
        ours,
        lambda: by_rows(np.array(a), np.array(b)),
        1,
        repeats=10,
    )
    yield Pair(
        "a million IoUs: blocks / two loops in Python",
        ours,
        lambda: plain(a[:FEW], b[:FEW]),
        mark=100,
        scale=(BOXES / FEW) ** 2,
        repeats=5,
    )
    many, others = torch.tensor(boxes(MANY, seed=2)), torch.tensor(boxes(MANY, seed=3))
    yield Pair(
        "best of 10,000 for each of 10,000: blocks / box_iou.max",
        lambda: best_match(many, others),
        lambda: box_iou(many[: MANY // 10], others).max(1),  # all at once takes 5 GB
        mark=1,
        scale=10,
    )


def boxes(count: int, seed: int) -> list[list[float]]:
    """Corners over a picture of 1000 × 1000, with sides up to 300; in eighths of a pixel, which float32 holds."""
    draw = random.Random(seed)
    corners = [(draw.randrange(8000) / 8, draw.randrange(8000) / 8) for _ in range(count)]
    return [[x, y, x + draw.randint(8, 2400) / 8, y + draw.randint(8, 2400) / 8] for x, y in corners]


def plain(a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
    """The formula in two loops."""
    return [[_iou(p, q) for q in b] for p in a]


def _iou(p: list[float], q: list[float]) -> float:
    width = min(p[2], q[2]) - max(p[0], q[0])
    height = min(p[3], q[3]) - max(p[1], q[1])
    shared = width * height if width > 0 and height > 0 else 0.0
    return shared / ((p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - shared)


def by_rows(a: Any, b: Any) -> Any:
    """One box against all others at a time, as most tutorials have it."""
    import numpy as np

    rows = []
    areas = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    for box in a:
        width = np.maximum(0, np.minimum(box[2], b[:, 2]) - np.maximum(box[0], b[:, 0]))
        height = np.maximum(0, np.minimum(box[3], b[:, 3]) - np.maximum(box[1], b[:, 1]))
        shared = width * height
        rows.append(shared / ((box[2] - box[0]) * (box[3] - box[1]) + areas - shared))
    return np.array(rows)


def peak_memory(work: str) -> int:
    command = [sys.executable, "-c", MEMORY.format(work=work, n=BOXES)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)
