"""The training loop's overhead."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pair import Pair

EXAMPLES, BATCH = 48_000, 32


def loop_overhead() -> Iterator[Pair]:
    """`fit`, with its seeds, checks, metrics and checkpoint, against the plainest loop on the same small network."""
    import torch
    from torch import nn

    from workings.core.runs import Recorder
    from workings.train.loop import fit, update
    from workings.train.runtime import generator, shuffled_batches

    torch.set_num_threads(1)
    x = torch.randn(EXAMPLES, 256, generator=generator(0, "x"))
    y = torch.randint(10, (EXAMPLES,), generator=generator(0, "y"))

    class Classifier:
        def __init__(self) -> None:
            self.network = nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
            self.adam = torch.optim.Adam(self.network.parameters())
            self.modules, self.optimizers = {"network": self.network}, {"adam": self.adam}

        def batches(self, epoch: int) -> list[torch.Tensor]:
            return shuffled_batches(EXAMPLES, BATCH, 0, epoch)

        def step(self, batch: torch.Tensor, at: float) -> dict[str, torch.Tensor]:
            loss = nn.functional.cross_entropy(self.network(x[batch]), y[batch])
            update(self.adam, loss)
            return {"loss": loss}

        def evaluate(self) -> dict[str, float]:
            return {}

    def ours() -> None:
        with TemporaryDirectory() as folder:
            fit(Classifier(), Recorder(Path(folder)), title="bench", epochs=1, seed=0)

    def plainest() -> None:
        learner = Classifier()
        for batch in torch.randperm(EXAMPLES).split(BATCH):
            loss = nn.functional.cross_entropy(learner.network(x[batch]), y[batch])
            learner.adam.zero_grad()
            loss.backward()
            learner.adam.step()

    yield Pair(f"an epoch of a small MLP, batch {BATCH}: fit / a plain loop", ours, plainest, mark=0.8, repeats=5)
