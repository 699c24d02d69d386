"""What is trained: the sheet's recipe and its variations as a `workings.train.loop.Learner`.

Pictures lie in memory as bytes and are augmented a batch at a time (`workings.data.augment`); what is drawn for one
follows from (seed, epoch, picture), so that two processes that share a batch see what one would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer

from workings.data.augment import Album, Draws, Recipe
from workings.studies.alexnet.model import AlexNet, Shape, initialise
from workings.studies.alexnet.pictures import Prepared
from workings.studies.alexnet.study import Config
from workings.train.loop import update
from workings.train.precision import Precision
from workings.train.runtime import derive, generator, reseed, shuffled_batches
from workings.train.schedules import one_cycle, set_rate

MOMENTUM = 0.9
EVALUATION_BATCH = 500
"""Pictures classified together; more takes memory, not time."""


@dataclass
class AlexNetLearner:
    """A network, an optimiser, and the pictures of one split."""

    config: Config
    data: Prepared
    device: torch.device
    draws: Draws | None = None
    """An epoch's chance; `batches` draws it, which the loop calls before each."""
    began: float = field(default_factory=lambda: 0.0)

    def __post_init__(self) -> None:
        self.recipe = Recipe(pad=self.config.pad, flip=self.config.flip, degrees=self.config.degrees)
        normal = {"mean": self.data.mean, "std": self.data.std}
        self.train = Album(self.data.train, **normal, device=self.device)
        self.valid = Album(self.data.valid, **normal, device=self.device)
        self.labels = torch.from_numpy(self.data.train_labels).to(self.device)
        self.valid_labels = torch.from_numpy(self.data.valid_labels).to(self.device)
        reseed(derive(self.config.seed, "weights"), torch.device("cpu"))
        self.network = AlexNet(shape_of(self.config, self.data), self.config.dropout)
        initialise(self.network, self.config.start)
        self.network.to(self.device)
        self.optimizer = _optimizer(self.config, self.network)
        self.precision = Precision(self.device)

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The network."""
        return {"network": self.network}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """Its optimiser."""
        return {"optimizer": self.optimizer}

    @property
    def extras(self) -> Mapping[str, Precision]:
        """The scale of gradients in half precision, on a GPU that needs one."""
        return {"precision": self.precision}

    def batches(self, epoch: int) -> Sequence[Tensor]:
        """Indices of training pictures."""
        count = self.train.count
        self.draws = self.recipe.draw(count, generator(self.config.seed, "augmentation", epoch))
        self.began = _clock(self.device)
        return shuffled_batches(count, self.config.batch, self.config.seed, epoch)

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        """One step of the optimiser: the loss it went down (smoothed), and the share of right answers."""
        if self.config.cycle is not None:
            set_rate(self.optimizer, self.config.learning_rate * one_cycle(at, self.config.cycle))
        labels = self.labels[batch.to(self.device)]
        with self.precision.forward():
            logits = self.network(self.train.batch(batch, self.draws))
            loss = nn.functional.cross_entropy(logits, labels, label_smoothing=self.config.smoothing)
        update(self.optimizer, loss, scaler=self.precision.scaler)
        return {"loss": loss, "accuracy": (logits.argmax(1) == labels).double().mean()}

    def evaluate(self) -> Mapping[str, float]:
        """Loss (not smoothed) and accuracy on the held-out pictures, and what the epoch's steps took."""
        seconds = _clock(self.device) - self.began
        logits = classify(self.network, self.valid)
        labels = self.valid_labels
        return {
            "validation/loss": float(nn.functional.cross_entropy(logits, labels)),
            "validation/accuracy": float((logits.argmax(1) == labels).double().mean()),
            "seconds": seconds,
        }


@torch.no_grad()
def classify(network: AlexNet, album: Album) -> Float[Tensor, "count class"]:
    """Logits of all pictures of an album, as they are."""
    index: Int[Tensor, " count"] = torch.arange(album.count)
    return torch.cat([network(album.batch(part)) for part in index.split(EVALUATION_BATCH)])


def shape_of(config: Config, data: Prepared) -> Shape:
    """The network's shape for these pictures."""
    channels = 1 if data.train.ndim == 3 else 3
    return Shape(size=config.size, channels=channels, classes=len(data.classes), width=config.width)


def _optimizer(config: Config, network: AlexNet) -> Optimizer:
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            network.parameters(), lr=rate, momentum=MOMENTUM, nesterov=True, weight_decay=decay, fused=True
        )
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind(network.parameters(), lr=rate, weight_decay=decay, fused=True)


def _clock(device: torch.device) -> float:
    """Seconds of this process' processors, which other work on the machine does not lengthen; of the clock on a GPU."""
    return process_time() if device.type == "cpu" else perf_counter()
