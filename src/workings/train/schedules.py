"""Schedules of the learning rate: the factor by which the rate set at first is multiplied.

A factor is a function of the epochs done, with their fraction, so it has no state and a resumed run needs none. Only
`Plateau` depends on what was measured; a learner names it among its `extras`, and it goes into the checkpoints.

`cosine` and `one_cycle` need the length. A study that uses its own `epochs` for it makes other trials of other lengths:
it marks `epochs` as no length field, or takes the length as a field of its own (as `decay_epochs` of `spelling`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch.optim import Optimizer


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Give all parameters this learning rate from now on."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def cosine(done: float, length: float, warmup: float = 0.0) -> float:
    """Linearly from 0 to 1 within `warmup` epochs, then half a cosine down to 0 at `length`.

    Loshchilov & Hutter 2017, without their restarts.
    """
    if done < warmup:
        return done / warmup
    return _half_cosine(1.0, 0.0, (done - warmup) / (length - warmup))


def steps(done: float, milestones: Sequence[float], factor: float = 0.1) -> float:
    """`factor` once for each milestone (in epochs) that is passed."""
    return math.prod(factor for milestone in milestones if done >= milestone)


def one_cycle(done: float, length: float, rise: float = 0.3, start: float = 1 / 25, end: float = 4e-6) -> float:
    """From `start` up to 1 within the fraction `rise` of the length, then down to `end`, both by half a cosine.

    Smith & Topin 2018. The peak is the rate set at first. The defaults are torch's `OneCycleLR`'s.
    """
    peak = rise * length
    if done < peak:
        return _half_cosine(start, 1.0, done / peak)
    return _half_cosine(1.0, end, (done - peak) / (length - peak))


@dataclass
class Plateau:
    """Multiplies the rate by `factor` after more than `patience` measurements that bring nothing better.

    `told(score)` after each evaluation; `scale` is the factor of now. Better means less by more than the part
    `threshold` of the best.
    """

    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    scale: float = 1.0
    best: float = field(default=math.inf)
    waited: int = 0

    def told(self, score: float) -> None:
        """Take note of a measurement; the smaller the better."""
        if score < self.best * (1 - math.copysign(self.threshold, self.best)):
            self.best, self.waited = score, 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            self.scale, self.waited = self.scale * self.factor, 0

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"scale": self.scale, "best": None if math.isinf(self.best) else self.best, "waited": self.waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.scale, self.waited = state["scale"], state["waited"]
        self.best = math.inf if state["best"] is None else state["best"]


def _half_cosine(first: float, last: float, part: float) -> float:
    """From `first` at 0 to `last` at 1, and no further."""
    return last + (first - last) * (1 + math.cos(math.pi * min(part, 1.0))) / 2
