"""The training loop, for every network here.

A `Learner` says what to train; `fit` runs it through its epochs, and keeps metrics, the best and the last weights, and
checkpoints. Interrupted anywhere, a run goes on from its newest checkpoint and ends with bitwise the same weights as
one that never was (CPU, same thread count): the batches follow from (seed, epoch), and the generators are seeded anew
at every step, so nothing random has to be saved.

Left out on purpose: several processes, mixed precision.
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
from workings.core.runs import Recorder
from workings.train.checkpoint import (
    BEST,
    LAST,
    Position,
    first_bad_parameter,
    load_state,
    load_weights,
    save_state,
    save_weights,
)
from workings.train.progress import Meter, meter
from workings.train.runtime import derive, reseed

CHECKPOINT_SECONDS = 20.0
"""What a SIGKILL loses at most; writing a state of a few million numbers takes some hundredths of a second."""


class Learner(Protocol):
    """What is trained, and how one step of it goes."""

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


@dataclass
class Progress:
    """What the loop itself has to remember, beside weights and optimisers."""

    position: Position = field(default_factory=Position)
    sums: dict[str, Tensor] = field(default_factory=dict)
    """Sums over the batches done of the present epoch."""
    best: float = math.inf


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
    progress = _resume(learner, recorder)
    if progress.position > Position(epochs):
        raise UserError(
            f"this run has gone on to epoch {progress.position.epoch + 1} already and cannot end after {epochs}: "
            "ask for more epochs, or start it anew with --again"
        )
    steps = len(learner.batches(0))
    done = progress.position.epoch * steps + progress.position.batch
    with _stop_signals() as stopped, meter(title, epochs * steps, done) as bar:
        for epoch in range(progress.position.epoch, epochs):
            _epoch(learner, recorder, progress, epoch, seed, every, stopped, bar)
            scores = {f"train/{name}": float(total) / steps for name, total in progress.sums.items()}
            _evaluation(learner, recorder, progress, epoch, scores, seed, minimise)
            bar.note(" ".join(f"{name} {value:.4f}" for name, value in scores.items()))
            progress.position, progress.sums = Position(epoch + 1), {}
            _checkpoint(learner, recorder, progress)
            if stopped:
                raise _interrupted(f"after epoch {epoch + 1} of {epochs}")
    save_weights(recorder.checkpoints, LAST, learner.modules)
    if minimise:
        load_weights(recorder.checkpoints / f"{BEST}.safetensors", learner.modules)


def update(optimizer: Optimizer, loss: Tensor, clip: float | None = None) -> None:
    """One step down the gradient of `loss`; `clip` bounds the norm of the whole gradient."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if clip is not None:
        nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], clip)
    optimizer.step()


def _epoch(
    learner: Learner,
    recorder: Recorder,
    progress: Progress,
    epoch: int,
    seed: int,
    every: float,
    stopped: list[int],
    bar: Meter,
) -> None:
    """The batches of an epoch that are not done yet."""
    batches = learner.batches(epoch)
    saved = time.monotonic()
    for module in learner.modules.values():
        module.train()
    for index in range(progress.position.batch, len(batches)):
        reseed(derive(seed, "step", epoch, index), _device(learner))
        for name, value in learner.step(batches[index], epoch + index / len(batches)).items():
            number = value.detach().double()
            if not math.isfinite(float(number)):
                raise _diverged(learner, name, float(number), f"epoch {epoch + 1}, batch {index + 1}")
            progress.sums[name] = progress.sums.get(name, torch.zeros_like(number)) + number
        progress.position = Position(epoch, index + 1)
        bar.advance()
        if stopped or time.monotonic() - saved > every:
            _checkpoint(learner, recorder, progress)
            saved = time.monotonic()
        if stopped:
            raise _interrupted(f"in epoch {epoch + 1} after {index + 1} of {len(batches)} batches")


def _evaluation(
    learner: Learner,
    recorder: Recorder,
    progress: Progress,
    epoch: int,
    scores: dict[str, float],
    seed: int,
    minimise: str | None,
) -> None:
    """Measure, record, and keep the weights if they are the best so far."""
    for module in learner.modules.values():
        module.eval()
    reseed(derive(seed, "evaluation", epoch), _device(learner))
    scores.update(learner.evaluate())
    for name, value in scores.items():
        if not math.isfinite(value):
            raise _diverged(learner, name, value, f"after epoch {epoch + 1}")
        recorder.metric(name, value, step=epoch + 1)
    if minimise and scores[minimise] < progress.best:
        progress.best = scores[minimise]
        save_weights(recorder.checkpoints, BEST, learner.modules)


def _checkpoint(learner: Learner, recorder: Recorder, progress: Progress) -> None:
    """Metrics first: a checkpoint is never ahead of what was recorded."""
    recorder.flush()
    state = {
        "modules": {name: module.state_dict() for name, module in learner.modules.items()},
        "optimizers": {name: optimizer.state_dict() for name, optimizer in learner.optimizers.items()},
        "sums": progress.sums,
        "best": None if math.isinf(progress.best) else progress.best,
    }
    save_state(recorder.checkpoints, progress.position, state)


def _resume(learner: Learner, recorder: Recorder) -> Progress:
    found = load_state(recorder.checkpoints)
    if found is None:
        # An earlier start that left no sound checkpoint may have left metrics; this one measures them again.
        (recorder.folder / METRICS_FILE).unlink(missing_ok=True)
        return Progress()
    position, state = found
    for name, module in learner.modules.items():
        module.load_state_dict(state["modules"][name])
    for name, optimizer in learner.optimizers.items():
        optimizer.load_state_dict(state["optimizers"][name])
    recorder.rewind(position.epoch)
    sums = {name: total.to(_device(learner)) for name, total in state["sums"].items()}
    return Progress(position, sums, math.inf if state["best"] is None else state["best"])


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
