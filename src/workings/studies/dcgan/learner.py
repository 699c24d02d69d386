"""What is trained: one GAN step as a `workings.train.loop.Learner`, with two networks and two optimisers.

A step draws one batch of fakes. First the discriminator learns from real and fake pictures; then the generator learns
from what the discriminator, now a step wiser, makes of the same fakes. The discriminator has no batch normalisation, so
real and fake pictures go through it as one batch. While the generator learns, the discriminator's weights are frozen:
it passes a gradient on, and none is computed for weights that are not going to move.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.optim import Optimizer

from workings.studies.dcgan.model import Discriminator, Generator, Shape, discriminator_loss, generator_loss
from workings.studies.dcgan.pictures import to_unit
from workings.studies.dcgan.study import Config
from workings.train.loop import update
from workings.train.runtime import derive, reseed, shuffled_batches

Look = Callable[[Generator, int], Mapping[str, float]]
"""What is done with the generator after so many epochs."""


def no_look(generator: Generator, epoch: int) -> Mapping[str, float]:
    """Nothing."""
    return {}


@dataclass
class GanLearner:
    """The sheet's recipe: cross-entropy on logits, Adam for both."""

    config: Config
    pictures: UInt8[Tensor, "train 1 size size"]
    device: torch.device
    look: Look = no_look
    epoch: int = 0
    """The epoch under way; `batches` sets it, which the loop calls before each."""

    def __post_init__(self) -> None:
        shape = shape_of(self.config)
        reseed(derive(self.config.seed, "weights"), torch.device("cpu"))
        self.generator, self.discriminator = Generator(shape).to(self.device), Discriminator(shape).to(self.device)
        self.adams = {
            name: torch.optim.Adam(module.parameters(), lr=self.config.learning_rate, fused=True)
            for name, module in self.modules.items()
        }

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """Both networks."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """An Adam for each."""
        return dict(self.adams)

    def batches(self, epoch: int) -> Sequence[Tensor]:
        """Indices of training pictures; a last batch that is not full is left out."""
        self.epoch = epoch
        drawn = shuffled_batches(len(self.pictures), self.config.batch, self.config.seed, epoch)
        return [batch for batch in drawn if len(batch) == self.config.batch]

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        """Both networks, one step each."""
        real = to_unit(self.pictures[batch].to(self.device))
        fake = self.generator(torch.randn(len(batch), self.config.noise, device=self.device))
        on_real, on_fake = self.discriminator(torch.cat([real, fake.detach()])).chunk(2)
        its_loss = discriminator_loss(on_real, on_fake)
        update(self.adams["discriminator"], its_loss)
        with frozen(self.discriminator):
            loss = generator_loss(self.discriminator(fake))
        update(self.adams["generator"], loss)
        return {"discriminator": its_loss, "generator": loss}

    def evaluate(self) -> Mapping[str, float]:
        """Look at what the generator draws."""
        return self.look(self.generator, self.epoch + 1)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """What is computed inside passes gradients through the module, and gives its weights none."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)


def shape_of(config: Config) -> Shape:
    """The networks' shape."""
    return Shape(
        size=config.size,
        width=config.width,
        noise=config.noise,
        dense_norm=config.dense_norm,
        dense_activation=config.dense_activation,
    )
