"""Relay: three steps, at each of which something may happen.

Runners leave a note on the desk (a folder that `RELAY_DESK` names) when they set out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workings.core.config import length
from workings.core.study import Study


@dataclass(frozen=True, kw_only=True)
class Config:
    """One runner."""

    seed: int = 0
    """His number."""
    mishap: Literal["none", "refuses", "diverges", "stumbles", "falls", "waits"] = "none"
    """What happens: an error of three kinds; his process is killed once, after the second step; he waits for a sign."""
    steps: int = length(3)
    """How far he goes."""


def smoke() -> Sequence[Config]:
    """One runner."""
    return [Config()]


def quick() -> Sequence[Config]:
    """One of each sort that arrives or errs."""
    return [Config(), Config(mishap="refuses"), Config(seed=1), Config(mishap="diverges"), Config(mishap="stumbles")]


def full() -> Sequence[Config]:
    """Two that wait for a sign."""
    return [Config(seed=seed, mishap="waits") for seed in range(3)]


STUDY = Study(
    package=__package__,
    title="Relay",
    summary="Runners.",
    sources=("relay-2025/1",),
    config=Config,
    presets=(smoke, quick, full),
)
