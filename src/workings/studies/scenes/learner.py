"""What is trained: plain gradient descent on the negative log-likelihood, as a `workings.train.loop.Learner`.

Weights and pictures lie channels last, which makes a step on a CPU a quarter cheaper (measured); the numbers are the
same but for rounding. A last batch of one picture is left out: normalisation needs two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.optim import Optimizer

from workings.studies.scenes.model import BLOCK, SceneNet, Shape, log_probabilities
from workings.studies.scenes.pictures import Prepared, Split
from workings.studies.scenes.study import Config
from workings.train.loop import update
from workings.train.runtime import derive, reseed, shuffled_batches


@dataclass
class SceneLearner:
    """The sheet's recipe."""

    config: Config
    data: Prepared
    device: torch.device

    def __post_init__(self) -> None:
        self.net = build(self.config, self.data).to(self.device).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=self.config.learning_rate, fused=True)
        self.album = self.data.train.album(self.device)
        self.labels = self.data.train.labels.to(self.device)

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The network."""
        return {"net": self.net}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """Gradient descent, which has no state."""
        return {"sgd": self.optimizer}

    def batches(self, epoch: int) -> Sequence[Tensor]:
        """Indices of training pictures."""
        drawn = shuffled_batches(len(self.data.train), self.config.batch, self.config.seed, epoch)
        return [batch for batch in drawn if len(batch) > 1]

    def step(self, batch: Int64[Tensor, " batch"], at: float) -> Mapping[str, Tensor]:
        """One step down the gradient."""
        pictures = self.album.batch(batch).contiguous(memory_format=torch.channels_last)
        loss = nn.functional.nll_loss(self.net(pictures), self.labels[batch.to(self.device)])
        update(self.optimizer, loss)
        return {"loss": loss}

    def evaluate(self) -> Mapping[str, float]:
        """Loss and accuracy on the validation split."""
        return {f"validation/{name}": value for name, value in scores(self.net, self.data.validation).items()}


def build(config: Config, data: Prepared) -> SceneNet:
    """The network with the weights that a training starts from."""
    reseed(derive(config.seed, "weights"), torch.device("cpu"))
    return SceneNet(shape_of(config, len(data.classes), data.channels))


def shape_of(config: Config, classes: int = 6, channels: int = 3) -> Shape:
    """The network's shape; without pictures, for the sheet's six classes in colour."""
    return Shape(
        classes=classes,
        channels=channels,
        size=config.size,
        width=config.width,
        kernel=config.kernel,
        convolutions=config.convolutions,
        normalised=config.normalised,
        normalise_first=config.normalise_first,
        pooled=config.pooled,
        downsample=config.downsample,
        dropout=config.dropout,
        drop_channels=config.drop_channels,
    )


def judged(net: SceneNet, split: Split) -> Float[Tensor, "count classes"]:
    """Log-probabilities of all pictures of a split, on the CPU."""
    album = split.album(next(net.parameters()).device)
    parts = torch.arange(len(split)).split(BLOCK)
    return torch.cat([log_probabilities(net, album.batch(part)) for part in parts])


def scores(net: SceneNet, split: Split) -> dict[str, float]:
    """Mean loss in nats, and accuracy."""
    told = judged(net, split)
    loss = nn.functional.nll_loss(told, split.labels)
    return {"loss": float(loss), "accuracy": float((told.argmax(1) == split.labels).double().mean())}
