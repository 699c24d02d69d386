"""AlexNet end to end: our learner's steps against the loop of a tutorial."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pair import Pair
from pictures import Usual

PICTURES, TEST, BATCH = 1_024, 32, 256
"""Four steps: each takes about a second of one processor."""


def alexnet_steps() -> Iterator[Pair]:
    """The sheet's recipe: an album and a fused Adam, against PIL, a DataLoader and Adam as it comes.

    Both train the same network on the same pictures in batches of the same size, with the same augmentation, and on all
    processors. The tutorial's loop asks for loss and accuracy at every step (``.item()``), as tutorials do. Most of
    either's time are the same convolutions and products, so the ratio cannot be large.
    """
    import numpy as np
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from torchvision import transforms

    from workings.studies.alexnet.learner import AlexNetLearner
    from workings.studies.alexnet.pictures import Prepared
    from workings.studies.alexnet.study import Config
    from workings.train.runtime import processors

    torch.set_num_threads(processors())
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (PICTURES, 32, 32, 3), dtype=np.uint8)
    labels = draw.integers(0, 10, PICTURES)
    few, named = (images[:TEST], labels[:TEST]), tuple(map(str, range(10)))
    data = Prepared(images, labels, *few, *few, named, (127.5,) * 3, (74.0,) * 3)
    learner = AlexNetLearner(Config(batch=BATCH), data, torch.device("cpu"))
    learner.network.train()

    def ours() -> None:
        for at, batch in enumerate(learner.batches(0)):
            learner.step(batch, float(at))

    change = transforms.Compose(
        [
            transforms.ToPILImage(),
            transforms.RandomRotation(5),
            transforms.RandomHorizontalFlip(0.5),
            transforms.RandomCrop(32, padding=2),
            transforms.ToTensor(),
            transforms.Normalize([0.5] * 3, [0.29] * 3),
        ]
    )
    loader: Any = DataLoader(Labelled(images, labels, change), batch_size=BATCH, shuffle=True)
    network = _network()
    adam, criterion = torch.optim.Adam(network.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def theirs() -> None:
        loss_of_epoch = accuracy_of_epoch = 0.0
        for x, y in loader:
            adam.zero_grad()
            predicted = network(x)
            loss = criterion(predicted, y)
            accuracy = (predicted.argmax(1) == y).float().mean()
            loss.backward()
            adam.step()
            loss_of_epoch += loss.item()
            accuracy_of_epoch += accuracy.item()

    yield Pair("four steps of AlexNet, pictures included: ours / a tutorial's", ours, theirs, mark=1.3, repeats=5)


class Labelled(Usual):
    """Pictures with their labels."""

    def __init__(self, images: Any, labels: Any, transform: Any) -> None:
        super().__init__(images, transform)
        self.labels = labels

    def __getitem__(self, at: int) -> Any:
        return super().__getitem__(at), int(self.labels[at])


def _network() -> Any:
    """The sheet's network, as a tutorial writes it."""
    from torch import nn

    parts: list[nn.Module] = []
    sizes = [3, 64, 192, 384, 256, 256]
    for at, (before, after) in enumerate(pairwise(sizes)):
        parts += [nn.Conv2d(before, after, 3, 2 if at == 0 else 1, 1)]
        parts += [nn.MaxPool2d(2)] if at in (0, 1, 4) else []
        parts += [nn.ReLU(inplace=True)]
    parts += [nn.Flatten(), nn.Dropout(0.5), nn.Linear(1024, 4096), nn.ReLU(inplace=True)]
    parts += [nn.Dropout(0.5), nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Linear(4096, 10)]
    return nn.Sequential(*parts)
