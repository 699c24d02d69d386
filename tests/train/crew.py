"""Several processes that train together, as torchrun starts them, without its seconds of starting.

They are forked from a server that has imported torch and computed nothing, so each is there within a tenth of a second.
"""

import multiprocessing
import os
import socket
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from workings.core.errors import Interrupted, UserError

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["torch._dynamo", "workings.train.loop", "workings.train.average"])
PATIENCE = 300.0
"""Seconds after which a test gives processes up; the machine may be busy."""


def start(work: Callable[..., None], *args: Any, ranks: int = 2, told: Path | None = None) -> list[BaseProcess]:
    """Start `work` in so many processes; what each tells on standard error goes to ``told/RANK``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    crew = [CONTEXT.Process(target=_member, args=(r, ranks, port, told, work, args)) for r in range(ranks)]
    for member in crew:
        member.start()
    return crew


def codes(crew: list[BaseProcess]) -> list[int | None]:
    """Wait, and return the exit statuses."""
    try:
        for member in crew:
            member.join(PATIENCE)
        return [member.exitcode for member in crew]
    finally:
        for member in crew:
            member.kill()


def _member(
    rank: int, ranks: int, port: int, told: Path | None, work: Callable[..., None], args: tuple[Any, ...]
) -> None:
    if ranks > 1:
        names = {"RANK": rank, "WORLD_SIZE": ranks, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": ranks, "MASTER_PORT": port}
        os.environ |= {name: str(value) for name, value in names.items()} | {"MASTER_ADDR": "127.0.0.1"}
    import torch

    torch.set_num_threads(1)
    if told is not None:
        told.mkdir(exist_ok=True)
        os.dup2(os.open(told / str(rank), os.O_CREAT | os.O_WRONLY), 2)
    try:
        work(*args)
    except UserError as error:
        print(f"workings: {error}", file=sys.stderr)
        sys.exit(2)
    except Interrupted as error:
        print(f"workings: {error}", file=sys.stderr)
        sys.exit(130)
