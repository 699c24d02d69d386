"""How much the answer changes when a picture is moved by a few pixels (question 2.4).

A picture is moved circularly by 1 to 4 pixels up, down, left and right. Of each distance are told: the share of
pictures whose most probable class changes, and how far the probabilities move (total variation: half the sum of the
absolute changes, 0 for none, 1 for all). The audit of `workings.nn.equivariance` adds how far each layer is from moving
along with its picture.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from workings.nn.equivariance import OUTPUT, Audit, audit
from workings.studies.scenes.model import BLOCKS, SceneNet, log_probabilities
from workings.studies.scenes.study import DIRECTIONS, DISTANCES

MOST = 500
"""Pictures moved at most, and of them"""
AUDITED = 32
"""so many audited layer by layer: the maps of all layers are kept meanwhile."""


def moved(
    net: SceneNet, pictures: Float[Tensor, "count channels size size"]
) -> tuple[UInt8[NDArray[Any], "distances count"], Float[NDArray[Any], " distances"]]:
    """In how many of the four directions the class of each picture changes, and the mean total variation."""
    rest = log_probabilities(net, pictures)
    changes, variations = [], []
    for distance in DISTANCES:
        told = [
            log_probabilities(net, torch.roll(pictures, (distance * down, distance * right), (2, 3)))
            for down, right in DIRECTIONS
        ]
        changes.append(sum((one.argmax(1) != rest.argmax(1)).to(torch.uint8) for one in told))
        gaps = torch.stack([(one.exp() - rest.exp()).abs().sum(1) / 2 for one in told])
        variations.append(float(gaps.mean()))
    return torch.stack([torch.as_tensor(change) for change in changes]).numpy(), np.array(variations)


def layers(net: SceneNet, pictures: Float[Tensor, "count channels size size"]) -> list[dict[str, Any]]:
    """After each block and of the output: the mean shift error, all over and away from borders."""
    shifts = [(d * down, d * right) for d in DISTANCES for down, right in DIRECTIONS]
    found: Audit = audit(net, pictures, shifts=shifts)
    last = len(list(net.blocks[0].children())) - 1
    ends = {f"blocks.{number}.{last}": f"block {number + 1}" for number in range(BLOCKS)}
    names = {**ends, OUTPUT: "output"}
    return [
        {"after": names[row.name], "error": row.mean, "interior": _mean(row.interior)}
        for row in found.layers
        if row.name in names
    ]


def _mean(errors: tuple[float, ...]) -> float | None:
    there = [error for error in errors if np.isfinite(error)]
    return sum(there) / len(there) if there else None
