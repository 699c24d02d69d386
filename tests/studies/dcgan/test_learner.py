"""The step: who learns from what, what is computed for nothing, and that a training interrupted ends the same."""

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from studies.dcgan.shop import ALONE, TINY
from workings.core.errors import Interrupted
from workings.core.runs import Recorder, RunStore
from workings.execute.local import carry_out
from workings.studies.dcgan.learner import GanLearner, frozen
from workings.studies.dcgan.model import discriminator_loss, generator_loss
from workings.studies.dcgan.pictures import prepare_pictures, to_unit
from workings.studies.dcgan.study import STUDY
from workings.train.loop import fit
from workings.train.runtime import reseed

CPU = torch.device("cpu")


@pytest.fixture
def learner() -> GanLearner:
    return GanLearner(TINY, prepare_pictures("digits", 8, 100).train, CPU)


def plain_step(learner: GanLearner, batch: Tensor) -> None:
    """The step as tutorials write it: the generator's loss goes back through all of the discriminator."""
    d, g = learner.adams["discriminator"], learner.adams["generator"]
    real = to_unit(learner.pictures[batch])
    fake = learner.generator(torch.randn(len(batch), TINY.noise))
    d.zero_grad()
    discriminator_loss(learner.discriminator(real), learner.discriminator(fake.detach())).backward()
    d.step()
    g.zero_grad()
    generator_loss(learner.discriminator(fake)).backward()
    g.step()


def weight_gradients(learner: GanLearner) -> list[str]:
    """Names of the discriminator's weights, one for each time a gradient of it is computed from now on."""
    seen: list[str] = []
    for name, weight in learner.discriminator.named_parameters():
        weight.register_hook(lambda _, name=name: seen.append(name))
    return seen


def test_a_step_computes_each_discriminator_weight_gradient_once(learner: GanLearner) -> None:
    names = [name for name, _ in learner.discriminator.named_parameters()]
    seen = weight_gradients(learner)
    learner.step(torch.arange(10), 0.0)
    assert sorted(seen) == sorted(names)
    plain_step(learner, torch.arange(10))
    assert sorted(seen) == sorted(3 * names), "the plain step computes them twice, the second time for nothing"


def test_a_step_takes_fewer_operations_than_the_plain_step(learner: GanLearner) -> None:
    def count(step: object) -> int:
        with FlopCounterMode(display=False) as counter:
            step(torch.arange(10))  # type: ignore[operator]
        return counter.get_total_flops()

    ours = count(lambda batch: learner.step(batch, 0.0))
    plain = count(lambda batch: plain_step(learner, batch))
    d = learner.discriminator
    # A weight gradient takes as many operations as the layer's forward pass: 2 · outputs · inputs each.
    maps = 2 * (4 * 4 * d.first.weight.numel() + 2 * 2 * d.second.weight.numel())
    assert plain - ours == 10 * (maps + 2 * d.dense.weight.numel())


def test_the_generator_s_part_leaves_the_discriminator_as_it_is(learner: GanLearner) -> None:
    learner.adams["discriminator"].step = lambda *_: None  # type: ignore[method-assign,assignment]
    before = {name: value.clone() for name, value in learner.discriminator.state_dict().items()}
    drawing = learner.generator.last.weight.clone()
    learner.step(torch.arange(10), 0.0)
    assert all(torch.equal(before[name], value) for name, value in learner.discriminator.state_dict().items())
    assert not torch.equal(drawing, learner.generator.last.weight)


def test_the_discriminator_s_part_leaves_the_generator_s_weights_as_they_are(learner: GanLearner) -> None:
    learner.adams["generator"].step = lambda *_: None  # type: ignore[method-assign,assignment]
    before = [weight.clone() for weight in learner.generator.parameters()]
    learner.step(torch.arange(10), 0.0)
    assert all(torch.equal(a, b) for a, b in zip(before, learner.generator.parameters(), strict=True))


def test_without_dropout_the_step_is_the_plain_step(learner: GanLearner) -> None:
    """One batch of real and drawn pictures gives the gradients of two; both steps then end with the same weights."""
    other = GanLearner(TINY, learner.pictures, CPU)
    for one in (learner, other):
        one.discriminator.dropout.p = 0.0
    reseed(1, CPU)
    learner.step(torch.arange(10), 0.0)
    reseed(1, CPU)
    plain_step(other, torch.arange(10))
    for name, module in learner.modules.items():
        for key, value in module.state_dict().items():
            # Adam's first step moves each weight by the step size, whatever its gradient; rounding is far below it.
            torch.testing.assert_close(other.modules[name].state_dict()[key], value, rtol=1e-4, atol=1e-5)


def test_a_frozen_module_thaws_even_after_an_error(learner: GanLearner) -> None:
    def halt() -> None:
        with frozen(learner.discriminator):
            assert not any(weight.requires_grad for weight in learner.discriminator.parameters())
            raise ValueError("halt")

    with pytest.raises(ValueError, match="halt"):
        halt()
    assert all(weight.requires_grad for weight in learner.discriminator.parameters())


def test_batches_are_full_each_picture_comes_once_and_their_order_follows_seed_and_epoch() -> None:
    learner = GanLearner(replace(TINY, batch=30), prepare_pictures("digits", 8, 100).train, CPU)
    one, same, other = (torch.cat(list(learner.batches(epoch))) for epoch in (1, 1, 2))
    assert [len(batch) for batch in learner.batches(0)] == [30, 30, 30]
    assert len(set(one.tolist())) == 90
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


class Stopped(GanLearner):
    """Gets SIGTERM at its n-th step."""

    left = 0

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        self.left -= 1
        return super().step(batch, at)


@pytest.mark.parametrize("stop", [0, 3, 9, 10, 14])
def test_interrupted_anywhere_both_networks_end_with_the_same_bytes(stop: int, tmp_path: Path) -> None:
    pictures = prepare_pictures("digits", 8, 100).train
    seen: list[int] = []

    def train(kind: type[GanLearner], folder: Path) -> bytes:
        folder.mkdir(exist_ok=True)
        learner = kind(TINY, pictures, CPU, lambda _, epoch: seen.append(epoch) or {})
        if isinstance(learner, Stopped):
            learner.left = stop
        fit(learner, Recorder(folder), title="test", epochs=2, seed=0)
        return (folder / "checkpoints" / "last.safetensors").read_bytes()

    undisturbed = train(GanLearner, tmp_path / "a")
    with pytest.raises(Interrupted):
        train(Stopped, tmp_path / "b")
    assert train(GanLearner, tmp_path / "b") == undisturbed
    assert set(seen) == {1, 2}


def test_asked_for_more_epochs_a_training_goes_on_and_ends_as_if_asked_at_once(store: RunStore, tmp_path: Path) -> None:
    long = replace(TINY, measured=False)
    (one,) = carry_out(STUDY, [replace(long, epochs=1)], store, ALONE)
    (two,) = carry_out(STUDY, [long], store, ALONE)
    (at_once,) = carry_out(STUDY, [long], RunStore(tmp_path / "at once"), ALONE)
    assert one.run.id == two.run.id
    assert two.run.reached == 2
    for name in ("checkpoints/last.safetensors", "pictures/epochs/001.png", "pictures/epochs/002.png"):
        assert (two.run.folder / name).read_bytes() == (at_once.run.folder / name).read_bytes()
    assert two.run.series("train/generator") == at_once.run.series("train/generator")
