"""A learner small enough to train hundreds of times: a line with dropout, fitted by Adam, measured with a draw."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from workings.core.runs import Recorder
from workings.train.loop import fit, update
from workings.train.runtime import generator, shuffled_batches

POINTS, BATCH, SEED = 24, 8, 7
STEPS = POINTS // BATCH
"""Batches in an epoch."""


class Line:
    """y = x·(1, −2, ½), by a network with dropout. The hooks are told which step or evaluation is about to happen."""

    def __init__(
        self,
        before_step: Callable[["Line", int], None] = lambda line, step: None,
        before_evaluation: Callable[["Line", int], None] = lambda line, evaluation: None,
        scores: Sequence[float] = (),
    ) -> None:
        self.before_step, self.before_evaluation, self.scores = before_step, before_evaluation, list(scores)
        self.x = torch.randn(POINTS, 3, generator=generator(SEED, "points"))
        self.y = self.x @ torch.tensor([[1.0], [-2.0], [0.5]])
        torch.manual_seed(SEED)
        self.network = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.3), nn.Linear(4, 1))
        self.adam = torch.optim.Adam(self.network.parameters(), lr=0.05)
        self.steps = self.evaluations = 0
        self.times: list[float] = []

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        return {"line": self.network}

    @property
    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {"adam": self.adam}

    def batches(self, epoch: int) -> Sequence[Tensor]:
        return shuffled_batches(POINTS, BATCH, SEED, epoch)

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        self.before_step(self, self.steps)
        self.steps += 1
        self.times.append(at)
        loss = (self.network(self.x[batch]) - self.y[batch]).square().mean()
        update(self.adam, loss)
        return {"loss": loss}

    @torch.no_grad()
    def evaluate(self) -> Mapping[str, float]:
        self.before_evaluation(self, self.evaluations)
        self.evaluations += 1
        error = float((self.network(self.x) - self.y).square().mean())
        return {"error": self.scores.pop(0) if self.scores else error, "drawn": float(torch.rand(()))}


def train(line: Line, folder: Path, epochs: int = 3, every: float = 3600.0) -> None:
    """What an experiment does: note a fact, fit, bring the metrics to the disk."""
    recorder = Recorder(folder)
    recorder.metric("parameters", 21)
    fit(line, recorder, title="line", epochs=epochs, seed=SEED, minimise="error", every=every)
    recorder.flush()


def kept(folder: Path) -> dict[str, bytes]:
    """What a finished training leaves for others to read."""
    files = ("metrics.jsonl", "checkpoints/last.safetensors", "checkpoints/best.safetensors")
    return {name: (folder / name).read_bytes() for name in files}


def weights(line: Line) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in line.network.parameters()]
