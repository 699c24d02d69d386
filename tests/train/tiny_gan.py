"""A generative adversarial network small enough to train hundreds of times: points on a circle, two optimisers.

Everything a checkpoint must hold is in it: two networks, batch normalisation, an averaged generator, a plateau.
The noise comes with the batches, so that it does not depend on the number of processes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from workings.core.runs import Recorder
from workings.train.average import WeightAverage
from workings.train.loop import fit, update
from workings.train.runtime import generator, shuffled_batches
from workings.train.schedules import Plateau, cosine, set_rate

POINTS, BATCH, SEED, NOISE = 64, 16, 3, 2
RATE = 0.01


class Gan:
    """Non-saturating loss; `normalised` and `dropout` are what makes the number of processes matter."""

    def __init__(self, *, normalised: bool = True, dropout: float = 0.2, dtype: torch.dtype = torch.float32) -> None:
        angles = 2 * torch.pi * torch.rand(POINTS, generator=generator(SEED, "angles"), dtype=dtype)
        self.real = torch.stack([angles.cos(), angles.sin()], dim=1)
        torch.manual_seed(SEED)
        middle = nn.BatchNorm1d(8) if normalised else nn.Identity()
        self.generator = nn.Sequential(nn.Linear(NOISE, 8), middle, nn.Tanh(), nn.Linear(8, 2)).to(dtype)
        self.critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Dropout(dropout), nn.Linear(8, 1)).to(dtype)
        self.average = WeightAverage(self.generator, 0.9)
        self.plateau = Plateau(patience=1)
        self.optimizers = {
            "generator": torch.optim.Adam(self.generator.parameters(), RATE, betas=(0.5, 0.999)),
            "critic": torch.optim.SGD(self.critic.parameters(), RATE, momentum=0.9),
        }
        self.modules: Mapping[str, nn.Module] = {
            "generator": self.generator,
            "critic": self.critic,
            "average": self.average,
        }
        self.extras = {"plateau": self.plateau}

    def batches(self, epoch: int) -> Sequence[tuple[Tensor, Tensor]]:
        draw = generator(SEED, "noise", epoch)
        noise = torch.randn(POINTS, NOISE, generator=draw, dtype=self.real.dtype)
        return [(indices, noise[indices]) for indices in shuffled_batches(POINTS, BATCH, SEED, epoch)]

    def step(self, batch: tuple[Tensor, Tensor], at: float) -> Mapping[str, Tensor]:
        real, fake = self.real[batch[0]], self.generator(batch[1])
        set_rate(self.optimizers["generator"], RATE * cosine(at, 1000, warmup=0.5))
        set_rate(self.optimizers["critic"], RATE * self.plateau.scale)
        softplus = nn.functional.softplus
        critic = (softplus(-self.critic(real)) + softplus(self.critic(fake.detach()))).mean()
        update(self.optimizers["critic"], critic)
        loss = softplus(-self.critic(fake)).mean()
        update(self.optimizers["generator"], loss)
        self.average.follow(self.generator)
        return {"critic": critic, "generator": loss}

    @torch.no_grad()
    def evaluate(self) -> Mapping[str, float]:
        noise = torch.randn(32, NOISE).to(self.real.dtype)
        radius = float((self.average.network(noise).norm(dim=1) - 1).abs().mean())
        self.plateau.told(radius)
        return {"radius": radius}


def train(gan: Gan, folder: Path, epochs: int = 3, every: float = 3600.0) -> None:
    recorder = Recorder(folder)
    fit(gan, recorder, title="gan", epochs=epochs, seed=SEED, minimise="radius", every=every)
    recorder.flush()
