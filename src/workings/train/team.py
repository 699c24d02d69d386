"""The processes that train one network together under `torchrun`; alone, everything here does nothing.

Each takes its share of every batch. Gradients are summed, weighted by the shares, so that where the loss is a mean over
examples an update is that of the whole batch but for the order of summation. What is drawn within a step (dropout) each
process draws for itself; what must not depend on the number of processes belongs into the batch.

Batch normalisation uses the statistics of each share, as torch's DDP does: that is another network than one process
trains, the more so the smaller the shares. Its running statistics are averaged after every step, so all processes keep
the same; a running variance lacks what lies between the shares' means.

By hand rather than by DDP, for learners of several networks step them in turn, which DDP's hooks make hard to follow.
"""

import atexit
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _NormBase

from workings.core.errors import UserError
from workings.train.launch import launch

PATIENCE = timedelta(minutes=5)
"""A process that does not answer so long is taken for dead; the longest honest wait is for a checkpoint's write."""


class Team:
    """This process and its fellows. Every method that takes part in a collective must be called by all of them."""

    def __init__(self, rank: int = 0, ranks: int = 1) -> None:
        self.rank, self.ranks = rank, ranks
        self.weight = 1 / ranks
        """This process' share of the present batch, as a fraction; outside the loop all do the same work."""

    @property
    def leads(self) -> bool:
        """Whether this process writes checkpoints and metrics."""
        return self.rank == 0

    @property
    def place(self) -> tuple[int, ...]:
        """What distinguishes the random draws of this process from those of its fellows."""
        return (self.rank,) if self.ranks > 1 else ()

    def share(self, batch: Any) -> Any:
        """This process' part of a batch: a tensor, a list, or a tuple or mapping of them, cut along the first axis.

        Where there are fewer examples than processes, some work on the first example with weight 0.
        """
        if self.ranks == 1:
            return batch
        whole = _size(batch)
        start, stop = (whole * rank // self.ranks for rank in (self.rank, self.rank + 1))
        self.weight = (stop - start) / whole
        return _cut(batch, start, stop) if stop > start else _cut(batch, 0, 1)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Make the gradients those of the whole batch; one that no process has stays None."""
        wanted = [p for p in parameters if p.requires_grad] if self.ranks > 1 else []
        if not wanted:
            return
        present = wanted[0].new_tensor([float(p.grad is not None) for p in wanted])
        parts = [torch.zeros_like(p) if p.grad is None else p.grad * self.weight for p in wanted]
        total = self._sum(torch.cat([*(part.flatten() for part in parts), present]))
        *gradients, present = total.split([*(p.numel() for p in wanted), len(wanted)])
        for parameter, gradient, count in zip(wanted, gradients, present.tolist(), strict=True):
            # A copy keeps the order of the axes in memory (channels_last), which fused optimisers want alike.
            parameter.grad = torch.empty_like(parameter).copy_(gradient.view_as(parameter)) if count else None

    def average_statistics(self, modules: Mapping[str, nn.Module]) -> None:
        """Give all processes the mean of their running statistics of batch normalisation."""
        if self.ranks == 1:
            return
        layers = [m for module in modules.values() for m in module.modules() if isinstance(m, _NormBase)]
        found = [t for m in layers for t in (m.running_mean, m.running_var) if t is not None]
        if found:
            means = self._sum(torch.cat([t.flatten() for t in found])) / self.ranks
            for tensor, mean in zip(found, means.split([t.numel() for t in found]), strict=True):
                tensor.copy_(mean.view_as(tensor))

    def agree(self, values: Mapping[str, Tensor], stop: bool) -> tuple[dict[str, Tensor], bool]:
        """After a step: its values' means over the whole batch, in double precision, and whether any shall stop."""
        mine = {name: value.detach().double() for name, value in values.items()}
        if self.ranks == 1:
            return mine, stop
        device = next(iter(mine.values())).device if mine else torch.device("cpu")
        told = torch.tensor(float(stop), dtype=torch.float64, device=device)
        total = self._sum(torch.stack([*(value * self.weight for value in mine.values()), told]))
        self.weight = 1 / self.ranks
        return dict(zip(mine, total, strict=False)), bool(total[-1] > 0)

    def any(self, here: bool) -> bool:
        """Whether it is so in any process; all wait for each other here."""
        return here if self.ranks == 1 else bool(self._sum(torch.tensor(float(here))) > 0)

    def led(self, decision: bool) -> bool:
        """What the first process decides."""
        return self.any(decision and self.leads)

    def copy(self, modules: Mapping[str, nn.Module]) -> None:
        """Give all processes the weights of the first."""
        if self.ranks > 1:
            for module in modules.values():
                for tensor in module.state_dict().values():
                    carried = tensor.contiguous()  # what is in another order in memory cannot be sent
                    with _answering():
                        distributed.broadcast(carried, 0)
                    tensor.copy_(carried)

    def send(self, content: bytes | None) -> bytes | None:
        """What the first process holds, to all; a folder of checkpoints need not be shared between machines."""
        if self.ranks == 1:
            return content
        size = self._sum(torch.tensor(len(content) if self.leads and content else 0))
        if not int(size):
            return None
        carried = torch.frombuffer(bytearray(content), dtype=torch.uint8) if self.leads and content else None
        carried = torch.empty(int(size), dtype=torch.uint8) if carried is None else carried
        with _answering():
            distributed.broadcast(carried, 0)
        return carried.numpy().tobytes()

    def check(self, modules: Mapping[str, nn.Module]) -> None:
        """Raise where the weights have drifted apart: a learner's step that updates past `average_gradients`."""
        if self.ranks == 1:
            return
        sums = torch.stack([p.detach().double().sum().cpu() for m in modules.values() for p in m.parameters()])
        first = sums.clone()
        with _answering():
            distributed.broadcast(first, 0)
        if self.any(not torch.equal(sums, first)):
            raise UserError(
                f"the weights of the {self.ranks} processes have drifted apart: a step must update by "
                "workings.train.loop.update, or call team().average_gradients before its optimiser's step"
            )

    def _sum(self, tensor: Tensor) -> Tensor:
        with _answering():
            distributed.all_reduce(tensor)
        return tensor


@cache
def team() -> Team:
    """The processes of this training, met at the first call."""
    mine = launch()
    if mine.ranks == 1:
        return Team()
    with _answering():
        distributed.init_process_group(_backend(mine.local_ranks), timeout=PATIENCE)
    atexit.register(distributed.destroy_process_group)
    return Team(mine.rank, mine.ranks)


def _backend(local_ranks: int) -> str:
    """NCCL takes one GPU a process; gloo does the rest."""
    return "cpu:gloo,cuda:nccl" if torch.cuda.device_count() >= local_ranks else "gloo"


@contextmanager
def _answering() -> Iterator[None]:
    """A fellow that died or fell silent, in one line."""
    try:
        yield
    except RuntimeError as error:
        raise UserError(
            "another process of this training has died or does not answer (its own message says why); "
            "the same command goes on from the last checkpoint"
        ) from error


def _size(batch: Any) -> int:
    if isinstance(batch, tuple | Mapping):
        return _size(next(iter(batch.values() if isinstance(batch, Mapping) else batch)))
    if isinstance(batch, Tensor | list):
        return len(batch)
    raise UserError(f"a batch of type {type(batch).__name__} cannot be shared between processes: train in one")


def _cut(batch: Any, start: int, stop: int) -> Any:
    if isinstance(batch, Mapping):
        return {key: _cut(value, start, stop) for key, value in batch.items()}
    if isinstance(batch, tuple):
        return tuple(_cut(value, start, stop) for value in batch)
    return batch[start:stop]
