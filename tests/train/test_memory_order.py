"""Weights that lie channels last, stepped by fused optimisers: a resumed training is the undisturbed one."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from workings.core.errors import Interrupted
from workings.core.runs import Recorder
from workings.train.loop import fit, update
from workings.train.runtime import generator, shuffled_batches

SEED, PICTURES = 3, 12
Make = Callable[[nn.Module], Optimizer]
OPTIMISERS: dict[str, Make] = {
    "sgd": lambda net: torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, fused=True),
    "adam": lambda net: torch.optim.Adam(net.parameters(), lr=0.01, fused=True),
    "adamw": lambda net: torch.optim.AdamW(net.parameters(), lr=0.01, fused=True, amsgrad=True),
    "plain": lambda net: torch.optim.Adam(net.parameters(), lr=0.01, fused=False),
}


class Convolutions:
    """Two convolutions, whose weights have more than one order in memory."""

    def __init__(self, make: Make, stop_at: int | None = None) -> None:
        torch.manual_seed(SEED)
        self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3), nn.Flatten())
        self.net.to(memory_format=torch.channels_last)
        self.optimizer = make(self.net)
        self.pictures = torch.randn(PICTURES, 3, 6, 6, generator=generator(SEED, "pictures"))
        self.steps, self.stop_at = 0, stop_at

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        return {"net": self.net}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        return {"optimizer": self.optimizer}

    def batches(self, epoch: int) -> Sequence[Tensor]:
        return shuffled_batches(PICTURES, 4, SEED, epoch)

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        if self.steps == self.stop_at:
            raise Interrupted("as if killed")
        self.steps += 1
        loss = self.net(self.pictures[batch]).square().mean()
        update(self.optimizer, loss)
        return {"loss": loss}

    def evaluate(self) -> Mapping[str, float]:
        return {}


def weights(learner: Convolutions, folder: Path) -> bytes:
    folder.mkdir(exist_ok=True)
    fit(learner, Recorder(folder), title="convolutions", epochs=3, seed=SEED)
    return (folder / "checkpoints" / "last.safetensors").read_bytes()


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_resumed_after_an_epoch_it_ends_with_the_same_bytes(kind: str, tmp_path: Path) -> None:
    undisturbed = weights(Convolutions(OPTIMISERS[kind]), tmp_path / "one")
    with pytest.raises(Interrupted):
        weights(Convolutions(OPTIMISERS[kind], stop_at=5), tmp_path / "two")
    assert weights(Convolutions(OPTIMISERS[kind]), tmp_path / "two") == undisturbed
