"""The learning-rate range test (Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3).

One short training whose rate rises exponentially from far too small to far too large; the loss against it says which
rates serve. The learner comes back as it was. The rate is set just before each optimiser steps, so it rules whatever
schedule the learner has.

Left out on purpose: Smith's own test rises linearly and reads an accuracy's plot by eye. Here the rise is exponential,
since good rates differ by powers of ten between networks, and the reading is a rule.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch.optim import Optimizer

from workings.core.errors import UserError
from workings.train.loop import Learner
from workings.train.runtime import derive, reseed
from workings.train.schedules import set_rate
from workings.train.team import team

MEMORY = 0.9
"""Of the running mean that smooths the loss: about ten batches, so that one odd batch decides nothing."""
BLOWN_UP = 4.0
"""A smoothed loss this many times the least one is going nowhere; the test ends there."""
BASE_PART = 1 / 4
"""Smith's rule of thumb: the base of a cycle is a third or a fourth of its top."""
CONSTANT_PART = 1 / 2
"""Smith after Bengio 2012: the best constant rate is within a factor of two of the largest that converges."""


@dataclass(frozen=True)
class RangeTest:
    """Loss against rate, and what to take from it."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    """At each rate, on one batch each."""
    smoothed: tuple[float, ...]

    @property
    def top(self) -> float | None:
        """The rate at which the smoothed loss is least: beyond it training gets worse. None where it never fell."""
        least = min(range(len(self.smoothed)), key=self.smoothed.__getitem__)
        return self.rates[least] if least else None

    @property
    def base(self) -> float | None:
        """Where a cycle up to `top` should begin."""
        return None if self.top is None else self.top * BASE_PART

    @property
    def suggestion(self) -> float | None:
        """A constant rate."""
        return None if self.top is None else self.top * CONSTANT_PART


def range_test(
    learner: Learner,
    *,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
    seed: int = 0,
    loss: str = "loss",
    optimizers: Sequence[str] = (),
) -> RangeTest:
    """Train `steps` batches at rates from `low` to `high`; `loss` names what the learner's step returns.

    `optimizers` names those whose rate rises (all, without it). `UserError` on a range that is none, or a wrong name.
    """
    if not 0 < low < high < math.inf or steps < 2:
        raise UserError(f"low={low}, high={high}, steps={steps}: a range of rates needs 0 < low < high and 2 steps")
    unknown = [name for name in optimizers if name not in learner.optimizers]
    if unknown:
        raise UserError(f"there is no optimiser {unknown[0]!r}: choose from {', '.join(learner.optimizers)}")
    rising = [learner.optimizers[name] for name in optimizers or learner.optimizers]
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    device = next(next(iter(learner.modules.values())).parameters()).device
    mean = 0.0
    with _unchanged(learner), _ruled(rising, rates):
        for module in learner.modules.values():
            module.train()
        for step, (at, batch) in zip(range(steps), _endless(learner), strict=False):
            rates.append(low * (high / low) ** (step / (steps - 1)))
            reseed(derive(seed, "range", step, *team().place), device)
            values, _ = team().agree(learner.step(team().share(batch), at), stop=False)
            if loss not in values:
                raise UserError(f"the learner's step returns no {loss!r}: choose from {', '.join(values)}")
            losses.append(float(values[loss]))
            mean = MEMORY * mean + (1 - MEMORY) * losses[-1]
            smoothed.append(mean / (1 - MEMORY ** (step + 1)))
            if not math.isfinite(losses[-1]) or smoothed[-1] > BLOWN_UP * min(smoothed):
                break
    if not math.isfinite(losses[-1]):
        rates, losses, smoothed = rates[:-1], losses[:-1], smoothed[:-1]
    if not losses:
        raise UserError(f"the loss is not finite at the smallest rate, {low}: begin lower, or look for a fault")
    return RangeTest(tuple(rates), tuple(losses), tuple(smoothed))


def _endless(learner: Learner) -> Iterator[tuple[float, object]]:
    """The batches of epoch 0, 1, …, with the epochs done."""
    epoch = 0
    while True:
        batches = learner.batches(epoch)
        for index, batch in enumerate(batches):
            yield epoch + index / len(batches), batch
        epoch += 1


@contextmanager
def _ruled(optimizers: Sequence[Optimizer], rates: Sequence[float]) -> Iterator[None]:
    """Let these optimisers step at the last of `rates`."""
    hooks = [o.register_step_pre_hook(lambda o, args, kwargs: set_rate(o, rates[-1])) for o in optimizers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _unchanged(learner: Learner) -> Iterator[None]:
    """Put weights, optimisers, extras, modes and torch's generator back afterwards."""
    parts = [*learner.modules.values(), *learner.optimizers.values(), *getattr(learner, "extras", {}).values()]
    states = [copy.deepcopy(part.state_dict()) for part in parts]
    modes = [(module, module.training) for network in learner.modules.values() for module in network.modules()]
    drawn = torch.get_rng_state()
    try:
        yield
    finally:
        for part, state in zip(parts, states, strict=True):
            part.load_state_dict(state)
        for module, training in modes:
            module.training = training
        for network in learner.modules.values():
            network.zero_grad(set_to_none=True)
        torch.set_rng_state(drawn)
