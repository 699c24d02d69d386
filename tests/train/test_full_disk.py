"""A disk full in the middle of a checkpoint: one clear line, nothing lost, and on it goes when there is room."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import torch
from torch import nn

from train.tiny_gan import Gan, train
from train.tiny_learner import kept
from workings.core.errors import UserError

EPOCHS = 3


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """The system refuses a write in its middle, as a full disk does (Python ignores the signal that comes with it)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB in memory, where the system lets us have one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = False
    with suppress(OSError):
        words = ["mount", "-t", "tmpfs", "-o", "size=64k", "workings-test", str(place)]
        mounted = subprocess.run(words, capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("mounting a small disk is not permitted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


class Guarded(Gan):
    """Calls back at the given step."""

    def __init__(self, step: int, call: Callable[[], object]) -> None:
        super().__init__()
        self.left, self.call = step, call

    def step(self, batch: tuple[torch.Tensor, torch.Tensor], at: float):  # type: ignore[no-untyped-def]
        if self.left == 0:
            self.call()
        self.left -= 1
        return super().step(batch, at)


def undisturbed(folder: Path) -> dict[str, bytes]:
    train(Gan(), folder, EPOCHS)
    return kept(folder)


def states(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoints/state-*"))


def refused(gan: Gan, folder: Path) -> None:
    """One line that names file and reason, the checkpoints of before, and no half-written file."""
    with pytest.raises(UserError, match=r"cannot write to .*state-.*(No space left|File too large).*make room") as told:
        train(gan, folder, EPOCHS, every=0.0)
    assert "\n" not in str(told.value)
    assert not list(folder.rglob("*.tmp"))


def test_a_write_that_breaks_off_costs_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    limit: list[contextmanager] = []  # type: ignore[type-arg]

    def fill() -> None:
        limit.append(no_file_longer_than(3000))  # type: ignore[arg-type]
        limit[0].__enter__()  # type: ignore[attr-defined]

    try:
        refused(Guarded(6, fill), folder)
    finally:
        limit[0].__exit__(None, None, None)  # type: ignore[attr-defined]
    assert len(states(folder)) == 2
    again = Guarded(-1, lambda: None)
    train(again, folder, EPOCHS)
    assert again.left == -1 - (EPOCHS * 4 - 6), "it goes on from the last checkpoint, of the sixth batch"
    assert kept(folder) == undisturbed(tmp_path / "other")


def test_a_full_disk_costs_nothing(small_disk: Path, tmp_path: Path) -> None:
    folder, filler = small_disk / "run", small_disk / "filler"

    def fill() -> None:
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(b"x" * 512):
                pass

    refused(Guarded(6, fill), folder)
    assert len(states(folder)) == 2
    filler.unlink()
    train(Gan(), folder, EPOCHS)
    assert kept(folder) == undisturbed(tmp_path / "other")


@pytest.mark.parametrize("cut", [0, 7, 100, -1])
def test_the_newest_checkpoint_torn_the_one_before_is_used_and_the_end_is_the_same(cut: int, tmp_path: Path) -> None:
    class Broken(Gan):
        def batches(self, epoch: int):  # type: ignore[no-untyped-def]
            if epoch == 2:
                raise KeyboardInterrupt
            return super().batches(epoch)

    with pytest.raises(KeyboardInterrupt):
        train(Broken(), tmp_path / "run", EPOCHS)
    newest = tmp_path / "run/checkpoints" / states(tmp_path / "run")[-1]
    os.truncate(newest, cut % newest.stat().st_size)
    with pytest.warns(UserWarning, match=f"{newest.name} is damaged: going on from the checkpoint before it"):
        train(Gan(), tmp_path / "run", EPOCHS)
    assert kept(tmp_path / "run") == undisturbed(tmp_path / "other")


@pytest.mark.parametrize("module", [nn.Linear(2, 2)])
def test_a_checkpoint_that_may_not_be_read_is_passed_over(module: nn.Module, tmp_path: Path) -> None:
    from workings.train.checkpoint import Position, load_state, save_state

    for epoch in (1, 2):
        save_state(tmp_path, Position(epoch), {"module": module.state_dict()})
    newest = max(tmp_path.iterdir())
    newest.unlink()
    newest.mkdir()  # even root cannot read a folder as a file
    with pytest.warns(UserWarning, match="cannot be read"):
        found = load_state(tmp_path)
    assert found is not None
    assert found[0] == Position(1)
