"""Device, threads and seeds.

Every random draw of a training comes from a generator seeded by (seed, what it is for, where in the training it is), so
a resumed run needs no saved generator state: it draws what the uninterrupted run would have drawn.
"""

import hashlib
import os
from collections.abc import MutableMapping
from typing import Any

import torch
from torch import Tensor

from workings.core.errors import UserError
from workings.train.launch import launch


def prepare(session: MutableMapping[str, Any]) -> torch.device:
    """Set the threads and choose the device that a session asks for, and note in it what was chosen."""
    started = launch()
    session["threads"] = session.get("threads") or max(1, processors() // started.local_ranks)
    torch.set_num_threads(session["threads"])
    wanted = session.get("device") or "auto"
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and started.ranks > 1 and torch.cuda.is_available():
        wanted = f"cuda:{started.local_rank % torch.cuda.device_count()}"
    try:
        device = torch.empty(0, device=wanted).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"device {wanted!r} cannot be used here ({reason}): use --device cpu or auto") from None
    session["device"] = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    if started.ranks > 1:
        session["processes"] = started.ranks
    return device


def processors() -> int:
    """Processors this process may use (fewer than the machine has, in a container)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def derive(seed: int, *place: str | int) -> int:
    """A 63-bit seed for one place in a run: equal places give equal seeds, others unrelated ones."""
    digest = hashlib.sha256(repr((seed, *place)).encode()).digest()
    return int.from_bytes(digest[:8]) >> 1


def generator(seed: int, *place: str | int) -> torch.Generator:
    """A CPU generator for one place in a run."""
    return torch.Generator().manual_seed(derive(seed, *place))


def reseed(seed: int, device: torch.device) -> None:
    """Seed torch's global generators, from which dropout draws on that device.

    On the CPU its own alone: `torch.manual_seed` prepares for a GPU that may come, at 0.1 ms a call (measured).
    """
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


def shuffled_batches(count: int, size: int, seed: int, epoch: int) -> list[Tensor]:
    """Indices 0 … count − 1 in an order that (seed, epoch) alone decides, in batches; the last may be smaller."""
    order = torch.randperm(count, generator=generator(seed, "order", epoch))
    return list(order.split(size))
