"""The training loop's overhead: against the plainest loop, and against what people use instead of one."""

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pair import Pair

EXAMPLES, BATCH, FEATURES, CLASSES = 48_000, 32, 256, 10
SMALL = 16_000
"""Examples of an epoch beside Lightning."""


def loop_overhead() -> Iterator[Pair]:
    """`fit`, with its seeds, checks, metrics and checkpoint, against the plainest loop on the same small network."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    x, y = _pictures(EXAMPLES)

    def plainest() -> None:
        network = _network()
        adam = torch.optim.Adam(network.parameters())
        for batch in torch.randperm(EXAMPLES).split(BATCH):
            loss = nn.functional.cross_entropy(network(x[batch]), y[batch])
            adam.zero_grad()
            loss.backward()
            adam.step()

    name = f"an epoch of a small MLP, batch {BATCH}: fit / a plain loop"
    yield Pair(name, lambda: _fit(x, y), plainest, mark=0.8, repeats=5)


def lightning_trainer() -> Iterator[Pair]:
    """`fit`, with recorder and bar, against Lightning's Trainer with its logger, bar and checkpoint, as it comes.

    Twice: with the optimiser that Lightning's own example takes, where most of our time is torch's; and with the fused
    one that our learners have, which is what a user of ours runs instead.
    """
    import torch

    try:
        import lightning
    except ImportError:
        print("lightning is not installed: the pair with its Trainer is left out (it comes with the extra dev)")
        return
    from torch.utils.data import DataLoader, TensorDataset

    torch.set_num_threads(1)
    x, y = _pictures(SMALL)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    def theirs() -> None:
        loader = DataLoader(TensorDataset(x, y), BATCH, shuffle=True)
        with TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer = lightning.Trainer(
                max_epochs=1, accelerator="cpu", default_root_dir=folder, enable_model_summary=False
            )
            trainer.fit(_module(lightning.LightningModule), loader)

    name = f"an epoch of a small MLP, batch {BATCH}: fit / Lightning"
    yield Pair(f"{name}, same Adam", lambda: _fit(x, y), theirs, mark=1.5, repeats=5)
    yield Pair(name, lambda: _fit(x, y, fused=True), theirs, mark=2.5, repeats=5)


def _fit(x: Any, y: Any, *, fused: bool = False) -> None:
    """An epoch as a study trains it; `fused` as our learners have their optimisers."""
    import torch
    from torch import nn

    from workings.core.runs import Recorder
    from workings.train.loop import fit, update
    from workings.train.runtime import shuffled_batches

    class Classifier:
        def __init__(self) -> None:
            self.network = _network()
            self.adam = torch.optim.Adam(self.network.parameters(), fused=fused)
            self.modules, self.optimizers = {"network": self.network}, {"adam": self.adam}

        def batches(self, epoch: int) -> list[torch.Tensor]:
            return shuffled_batches(len(x), BATCH, 0, epoch)

        def step(self, batch: torch.Tensor, at: float) -> dict[str, torch.Tensor]:
            loss = nn.functional.cross_entropy(self.network(x[batch]), y[batch])
            update(self.adam, loss)
            return {"loss": loss}

        def evaluate(self) -> dict[str, float]:
            return {}

    with TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder))
        fit(Classifier(), recorder, title="bench", epochs=1, seed=0)
        recorder.flush()


def _module(base: Any) -> Any:
    """The same network and step as Lightning wants them; `self.log` is its way to a mean over the epoch."""
    import torch
    from torch import nn

    class Module(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = _network()

        def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> torch.Tensor:
            loss = nn.functional.cross_entropy(self.network(batch[0]), batch[1])
            self.log("loss", loss, on_step=False, on_epoch=True, prog_bar=True)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters())

    return Module()


def _network() -> Any:
    from torch import nn

    return nn.Sequential(nn.Linear(FEATURES, FEATURES), nn.ReLU(), nn.Linear(FEATURES, CLASSES))


def _pictures(count: int) -> tuple[Any, Any]:
    import torch

    from workings.train.runtime import generator

    x = torch.randn(count, FEATURES, generator=generator(0, "x"))
    return x, torch.randint(CLASSES, (count,), generator=generator(0, "y"))
