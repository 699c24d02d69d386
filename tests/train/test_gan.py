"""A learner of two optimisers, with everything that has a state, resumes bit by bit."""

import os
import signal
from pathlib import Path

import pytest
import torch

from train.tiny_gan import BATCH, POINTS, Gan, train
from train.tiny_learner import kept
from workings.core.errors import Interrupted

EPOCHS, STEPS = 4, POINTS // BATCH


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    train(Gan(), folder, EPOCHS)
    return kept(folder)


class Stopped(Gan):
    """Told to stop in the given step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.left = step

    def step(self, batch: tuple[torch.Tensor, torch.Tensor], at: float):  # type: ignore[no-untyped-def]
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().step(batch, at)


@pytest.mark.parametrize("step", range(EPOCHS * STEPS))
def test_stopped_anywhere_it_ends_with_the_same_bytes(step: int, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        train(Stopped(step), tmp_path, EPOCHS)
    train(Gan(), tmp_path, EPOCHS)
    assert kept(tmp_path) == undisturbed


def test_stopped_at_every_batch_it_ends_with_the_same_bytes(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    for _ in range(EPOCHS * STEPS):
        with pytest.raises(Interrupted):
            train(Stopped(0), tmp_path, EPOCHS)
    train(Gan(), tmp_path, EPOCHS)
    assert kept(tmp_path) == undisturbed


@pytest.mark.parametrize("forgotten", ["plateau", "momentum", "average", "statistics"])
def test_whatever_a_checkpoint_forgot_would_show(forgotten: str, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    """So the tests above would notice."""
    with pytest.raises(Interrupted):
        train(Stopped(2 * STEPS + 1), tmp_path, EPOCHS)

    class Forgetful(Gan):
        def batches(self, epoch: int):  # type: ignore[no-untyped-def]
            if epoch == 2:  # after the checkpoint was read, and before the first step
                if forgotten == "plateau":
                    self.plateau.scale = 0.5
                elif forgotten == "momentum":
                    self.optimizers["critic"].state.clear()
                elif forgotten == "average":
                    self.average.network[0].weight.zero_()
                else:
                    self.generator[1].running_var.fill_(1.0)
            return super().batches(epoch)

    train(Forgetful(), tmp_path, EPOCHS)
    assert kept(tmp_path) != undisturbed


def test_the_averaged_network_s_weights_are_kept_beside_the_network_s(undisturbed: dict[str, bytes]) -> None:
    last = undisturbed["checkpoints/last.safetensors"]
    assert b"average.network.0.weight" in last
    assert b"generator.0.weight" in last
