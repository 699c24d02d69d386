"""The judge: a small classifier of the training pictures, whose features measure the drawn ones.

Published Fréchet distances use Inception's features, learned from colour photographs. Clothes of 28 grey pixels are
better told apart by a network that was trained on them. Two strided convolutions, half as wide as the discriminator's,
then `FEATURES` numbers before their activation, which are nearer to normal, as the Fréchet distance takes them to be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from workings.studies.dcgan.model import DROPOUT, KERNEL, PADDING, SHRINK, STRIDE
from workings.studies.dcgan.pictures import Prepared, to_unit
from workings.studies.dcgan.study import Config
from workings.train.loop import update
from workings.train.runtime import shuffled_batches

FEATURES = 64
"""Few enough for a covariance from a few thousand pictures."""
BATCH = 500
"""Pictures judged together; more takes memory, not time."""


class Classifier(nn.Module):
    """Pictures in [−1, 1] to logits of their classes."""

    def __init__(self, size: int, classes: int) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            *(nn.Conv2d(1, 32, KERNEL, STRIDE, PADDING), nn.ReLU()),
            *(nn.Conv2d(32, 64, KERNEL, STRIDE, PADDING), nn.ReLU()),
            *(nn.Flatten(), nn.Dropout(DROPOUT)),
        )
        self.dense = nn.Linear(64 * (size // SHRINK) ** 2, FEATURES)
        self.head = nn.Sequential(nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(FEATURES, classes))

    def features(self, pictures: Float[Tensor, "batch 1 size size"]) -> Float[Tensor, "batch features"]:
        """What a picture is described by."""
        described: Tensor = self.dense(self.maps(pictures))
        return described

    def forward(self, pictures: Float[Tensor, "batch 1 size size"]) -> Float[Tensor, "batch classes"]:
        """Logits."""
        logits: Tensor = self.head(self.features(pictures))
        return logits


@torch.no_grad()
def judged(classifier: Classifier, pictures: Float[Tensor, "count 1 size size"]) -> tuple[Tensor, Tensor]:
    """Features ``[count, features]`` and the class of each picture, on the CPU."""
    device = classifier.dense.weight.device
    described = [classifier.features(block.to(device)) for block in pictures.split(BATCH)]
    return torch.cat(described).cpu(), torch.cat([classifier.head(block).argmax(1) for block in described]).cpu()


@dataclass
class ClassifierLearner:
    """Adam on the cross-entropy; scored on the held-out pictures after each epoch, none of which chooses anything."""

    config: Config
    data: Prepared
    device: torch.device

    def __post_init__(self) -> None:
        self.model = Classifier(self.config.size, len(self.data.classes)).to(self.device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=self.config.learning_rate)

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The classifier."""
        return {"classifier": self.model}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """Adam."""
        return {"adam": self.optimizer}

    def batches(self, epoch: int) -> Sequence[Tensor]:
        """Indices of training pictures."""
        return shuffled_batches(len(self.data.train), self.config.batch, self.config.seed, epoch)

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        """One step of Adam."""
        pictures, labels = self.data.train[batch].to(self.device), self.data.train_labels[batch].to(self.device)
        loss = nn.functional.cross_entropy(self.model(to_unit(pictures)), labels)
        update(self.optimizer, loss)
        return {"loss": loss}

    def evaluate(self) -> Mapping[str, float]:
        """Accuracy on the held-out pictures."""
        _, classes = judged(self.model, to_unit(self.data.test))
        return {"test/accuracy": float((classes == self.data.test_labels).double().mean())}
