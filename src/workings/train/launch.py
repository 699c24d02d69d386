"""How this process was started: alone, or as one of several by `torchrun`, which says so in the environment.

Imports no torch: the command line asks before anything heavy is loaded.
"""

import os
from dataclasses import dataclass
from functools import cache

from workings.core.errors import UserError

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun sets; a cluster's scheduler that sets a few of them has started no training."""


@dataclass(frozen=True)
class Launch:
    """This process among those of one training."""

    rank: int = 0
    """Counted from 0 over all machines; process 0 leads: it alone writes and speaks."""
    ranks: int = 1
    local_rank: int = 0
    """Counted from 0 on this machine."""
    local_ranks: int = 1


@cache
def launch() -> Launch:
    """Read the environment once."""
    if not all(name in os.environ for name in VARIABLES):
        return Launch()
    try:
        rank, ranks, local_rank, local_ranks = (int(os.environ[name]) for name in VARIABLES[:4])
    except ValueError:
        given = ", ".join(f"{name}={os.environ[name]}" for name in VARIABLES[:4])
        raise UserError(f"{given}: these are counts that torchrun sets; start with torchrun, or unset them") from None
    return Launch(rank, ranks, local_rank, local_ranks)
