"""The training loop, for every network here.

A `Learner` says what to train; `fit` runs it through its epochs, and keeps metrics, the best and the last weights, and
checkpoints. Interrupted anywhere, a run goes on from its newest checkpoint and ends with bitwise the same weights as
one that never was (CPU, same thread count): the batches follow from (seed, epoch), and the generators are seeded anew
at every step, so nothing random has to be saved.

Under `torchrun` several processes train one network: each takes its share of every batch (`workings.train.team`), the
first alone writes, and all stop together. Mixed precision and averaged weights are the learner's own, from
`workings.train.precision` and `workings.train.average`.
"""

import math
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from workings.core.errors import Diverged, Interrupted, UserError
from workings.core.evidence import METRICS_FILE
from workings.core.progress import Meter, meter
from workings.core.runs import Recorder
from workings.train.checkpoint import (
    BEST,
    LAST,
    Position,
    first_bad_parameter,
    load_weights,
    newest,
    parse,
    save_state,
    save_weights,
)
from workings.train.runtime import derive, reseed
from workings.train.team import Team, team

CHECKPOINT_SECONDS = 20.0
"""What a SIGKILL loses at most; writing a state of a few million numbers takes some hundredths of a second."""


class Stateful(Protocol):
    """Whatever else has a state: a plateau, a gradient scale."""

    def state_dict(self) -> Mapping[str, Any]:
        """The state: nested mappings, lists, tensors, numbers and strings."""

    def load_state_dict(self, state: Mapping[str, Any]) -> object:
        """Take it up again."""


class Learner(Protocol):
    """What is trained, and how one step of it goes.

    A learner may have `extras`, a mapping of names to `Stateful` things, which go into the checkpoints too. What it is
    told by them must follow from steps and evaluations alone. It may have `done`, asked before each epoch: whether
    there is nothing left to train for, which must follow from its extras.
    """

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The networks, by name: their weights are kept."""

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The optimisers, by name: their state is kept."""

    def batches(self, epoch: int) -> Sequence[Any]:
        """The batches of an epoch (from 0), in order; a function of seed and epoch alone."""

    def step(self, batch: Any, at: float) -> Mapping[str, Tensor]:
        """Update the weights on one batch; what it returns is averaged over the epoch and recorded.

        `at` counts the epochs done so far, with their fraction: a schedule is a function of it, and has no state.
        """

    def evaluate(self) -> Mapping[str, float]:
        """Measure after an epoch; recorded as it is."""


def fit(
    learner: Learner,
    recorder: Recorder,
    *,
    title: str,
    epochs: int,
    seed: int,
    minimise: str | None = None,
    every: float = CHECKPOINT_SECONDS,
) -> None:
    """Train to `epochs`, from the newest checkpoint if there is one, and leave the best weights in the modules.

    `minimise` names the metric of `evaluate` by which the best epoch is chosen; without it the last one is kept.
    `Interrupted` after SIGTERM or Ctrl-C, once the checkpoint is written; `Diverged` where a number is not finite.
    """
    training = _Training(learner, recorder, seed, epochs, minimise, every)
    training.resume()
    if training.position > Position(epochs):
        raise UserError(
            f"this run has gone on to epoch {training.position.epoch + 1} already and cannot end after {epochs}: "
            "ask for more epochs, or start it anew with --again"
        )
    steps = len(learner.batches(0))
    done = training.position.epoch * steps + training.position.batch
    with _stop_signals() as stopped, meter(title, epochs * steps, done, silent=not training.team.leads) as bar:
        for epoch in range(training.position.epoch, epochs):
            if getattr(learner, "done", False):
                break
            training.epoch(epoch, stopped, bar)
            scores = training.evaluation(epoch, steps)
            bar.note(" ".join(f"{name} {value:.4f}" for name, value in scores.items()))
            if training.end(epoch, stopped):
                raise _interrupted(f"after epoch {epoch + 1} of {epochs}")
    training.leave()


def update(
    optimizer: Optimizer, loss: Tensor, clip: float | None = None, scaler: torch.amp.GradScaler | None = None
) -> None:
    """One step down the gradient of `loss`; `clip` bounds the norm of the whole gradient.

    `scaler` is that of a `Precision`, where its device needs one.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer.zero_grad(set_to_none=True)
    (loss if scaler is None else scaler.scale(loss)).backward()
    team().average_gradients(parameters)
    if scaler is not None:
        scaler.unscale_(optimizer)
    if clip is not None:
        nn.utils.clip_grad_norm_(parameters, clip)
    if scaler is None:
        optimizer.step()
    else:
        scaler.step(optimizer)  # leaves out a step whose gradients overflowed, and lowers the scale
        scaler.update()


@dataclass
class _Training:
    """A learner on its way: what the loop itself has to remember, beside weights, optimisers and extras."""

    learner: Learner
    recorder: Recorder
    seed: int
    epochs: int
    minimise: str | None
    every: float
    position: Position = field(default_factory=Position)
    sums: dict[str, Tensor] = field(default_factory=dict)
    """Sums over the batches done of the present epoch."""
    best: float = math.inf
    team: Team = field(default_factory=team)

    def resume(self) -> None:
        """Take up the newest checkpoint; the first process reads it for all."""
        content = self.team.send(newest(self.recorder.checkpoints) if self.team.leads else None)
        if content is None:
            # An earlier start that left no sound checkpoint may have left metrics; this one measures them again.
            (self.recorder.folder / METRICS_FILE).unlink(missing_ok=True)
            self.team.copy(self.learner.modules)
            return
        self.position, state = parse(content)
        for name, module in self.learner.modules.items():
            module.load_state_dict(state["modules"][name])
        for name, optimizer in self.learner.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
            _arrange(optimizer)
        for name, extra in _extras(self.learner).items():
            extra.load_state_dict(state["extras"][name])
        self.recorder.rewind(self.position.epoch)
        self.sums = {name: total.to(_device(self.learner)) for name, total in state["sums"].items()}
        self.best = math.inf if state["best"] is None else state["best"]

    def epoch(self, epoch: int, stopped: list[int], bar: Meter) -> None:
        """The batches of an epoch that are not done yet."""
        batches = self.learner.batches(epoch)
        device = _device(self.learner)
        saved = time.monotonic()
        for module in self.learner.modules.values():
            module.train()
        for index in range(self.position.batch, len(batches)):
            stop = self._step(batches[index], epoch, index, len(batches), stopped, device)
            bar.advance()
            if stop or time.monotonic() - saved > self.every:
                self._checkpoint()
                saved = time.monotonic()
            if stop:
                self.team.any(True)  # all wait until the checkpoint is written
                raise _interrupted(f"in epoch {epoch + 1} after {index + 1} of {len(batches)} batches")

    def evaluation(self, epoch: int, steps: int) -> dict[str, float]:
        """Measure, record, and keep the weights if they are the best so far. Every process measures by itself."""
        for module in self.learner.modules.values():
            module.eval()
        self.team.check(self.learner.modules)
        reseed(derive(self.seed, "evaluation", epoch), _device(self.learner))
        scores = {f"train/{name}": float(total) / steps for name, total in self.sums.items()}
        scores.update(self.learner.evaluate())
        for name, value in scores.items():
            if not math.isfinite(value):
                raise _diverged(self.learner, name, value, f"after epoch {epoch + 1}")
            self.recorder.metric(name, value, step=epoch + 1)
        if self.minimise and scores[self.minimise] < self.best:
            self.best = scores[self.minimise]
            self._save(BEST)
        return scores

    def end(self, epoch: int, stopped: list[int]) -> bool:
        """Close an epoch with a checkpoint; whether a signal asked to stop."""
        self.position, self.sums = Position(epoch + 1), {}
        self._checkpoint()
        return self.team.any(bool(stopped))

    def leave(self) -> None:
        """Keep the last weights, and put the best into the modules."""
        self._save(LAST)
        if self.minimise:
            if self.team.leads:
                load_weights(self.recorder.checkpoints / f"{BEST}.safetensors", self.learner.modules)
            self.team.copy(self.learner.modules)

    def _step(self, batch: Any, epoch: int, index: int, count: int, stopped: list[int], device: torch.device) -> bool:
        """One batch; whether a signal asked to stop, here or in another process."""
        share = self.team.share(batch)
        reseed(derive(self.seed, "step", epoch, index, *self.team.place), device)
        values = self.learner.step(share, epoch + index / count)
        self.team.average_statistics(self.learner.modules)
        numbers, stop = self.team.agree(values, bool(stopped))
        for name, number in numbers.items():
            if not math.isfinite(float(number)):
                raise _diverged(self.learner, name, float(number), f"epoch {epoch + 1}, batch {index + 1}")
            self.sums[name] = self.sums.get(name, torch.zeros_like(number)) + number
        self.position = Position(epoch, index + 1)
        return stop

    def _checkpoint(self) -> None:
        """Metrics first: a checkpoint is never ahead of what was recorded."""
        if not self.team.leads:
            return
        self.recorder.flush()
        state = {
            "modules": {name: module.state_dict() for name, module in self.learner.modules.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.learner.optimizers.items()},
            "extras": {name: extra.state_dict() for name, extra in _extras(self.learner).items()},
            "sums": self.sums,
            "best": None if math.isinf(self.best) else self.best,
        }
        save_state(self.recorder.checkpoints, self.position, state)

    def _save(self, name: str) -> None:
        if self.team.leads:
            save_weights(self.recorder.checkpoints, name, self.learner.modules)


def _arrange(optimizer: Optimizer) -> None:
    """Bring what an optimiser keeps into its parameters' order in memory, which a fused step takes for granted.

    Checkpoints are written in the usual order, and weights may lie channels last.
    """
    for parameter, kept in optimizer.state.items():
        for name, value in kept.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                kept[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _extras(learner: Learner) -> Mapping[str, Stateful]:
    return getattr(learner, "extras", {})


def _device(learner: Learner) -> torch.device:
    return next(next(iter(learner.modules.values())).parameters()).device


def _interrupted(where: str) -> Interrupted:
    return Interrupted(f"stopped {where}; the checkpoint is written, and the same command goes on from there")


def _diverged(learner: Learner, name: str, value: float, where: str) -> Diverged:
    bad = first_bad_parameter(learner.modules)
    culprit = f"the first parameter that is not finite is {bad}" if bad else "every parameter is still finite"
    return Diverged(f"{where}: {name} is {value}; {culprit}. A smaller learning rate or clipping may help")


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collect SIGTERM and Ctrl-C in a list instead of dying of them; a second Ctrl-C stops at once."""
    received: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        if received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(number)

    try:
        before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    except ValueError:  # not the main thread: signals go elsewhere
        yield received
        return
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
