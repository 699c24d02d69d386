"""The step against one by hand; batches; and that a training interrupted ends the same."""

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from studies.scenes.shop import ALONE, TINY
from workings.core.errors import Interrupted
from workings.core.runs import Recorder, RunStore
from workings.execute.local import carry_out
from workings.studies.scenes.learner import SceneLearner, build, scores
from workings.studies.scenes.pictures import prepare_pictures
from workings.studies.scenes.study import STUDY
from workings.train.loop import fit

CPU = torch.device("cpu")


@pytest.mark.parametrize("normalised", [False, True])
def test_a_step_moves_each_weight_against_its_gradient_times_the_rate(normalised: bool) -> None:
    config = replace(TINY, dropout=0.0, learning_rate=0.3, normalised=normalised)
    data = prepare_pictures(config)
    learner, plain = SceneLearner(config, data, CPU), build(config, data).train()
    batch = torch.tensor([3, 1, 4, 15, 9])
    loss = learner.step(batch, 0.0)["loss"]
    pictures = torch.from_numpy(data.train.pixels[batch.numpy()]).permute(0, 3, 1, 2) / 256
    expected = nn.functional.cross_entropy(plain(pictures), data.train.labels[batch])  # of probabilities: the same
    expected.backward()
    torch.testing.assert_close(loss, expected)
    for mine, theirs in zip(learner.net.parameters(), plain.parameters(), strict=True):
        assert theirs.grad is not None
        torch.testing.assert_close(mine.detach(), theirs.detach() - 0.3 * theirs.grad)


def test_each_picture_comes_once_an_epoch_in_an_order_of_seed_and_epoch() -> None:
    learner = SceneLearner(TINY, prepare_pictures(TINY), CPU)
    one, same, other = (torch.cat(list(learner.batches(epoch))) for epoch in (1, 1, 2))
    assert sorted(one.tolist()) == list(range(64))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_last_batch_of_one_picture_is_left_out() -> None:
    config = replace(TINY, train=33, normalised=True)
    learner = SceneLearner(config, prepare_pictures(config), CPU)
    assert [len(batch) for batch in learner.batches(0)] == [8] * 4
    learner.net.train()
    for batch in learner.batches(0):
        learner.step(batch, 0.0)


def test_scores_are_the_mean_loss_and_the_share_of_right_answers() -> None:
    data = prepare_pictures(TINY)
    net = build(TINY, data)
    found = scores(net, data.validation)
    pictures = torch.from_numpy(data.validation.pixels).permute(0, 3, 1, 2) / 256
    told = net.eval()(pictures).detach()
    right = [int(row.argmax()) == label for row, label in zip(told, data.validation.labels.tolist(), strict=True)]
    assert found["accuracy"] == pytest.approx(sum(right) / len(right))
    assert found["loss"] == pytest.approx(float(nn.functional.nll_loss(told, data.validation.labels)), rel=1e-5)


class Stopped(SceneLearner):
    """Gets SIGTERM at its n-th step."""

    left = 0

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        self.left -= 1
        return super().step(batch, at)


@pytest.mark.parametrize("stop", [0, 5, 8, 13])
def test_interrupted_anywhere_it_ends_with_the_same_bytes(stop: int, tmp_path: Path) -> None:
    config = replace(TINY, normalised=True, pooled=True)
    data = prepare_pictures(config)

    def train(kind: type[SceneLearner], folder: Path) -> bytes:
        folder.mkdir(exist_ok=True)
        learner = kind(config, data, CPU)
        if isinstance(learner, Stopped):
            learner.left = stop
        fit(learner, Recorder(folder), title="test", epochs=2, seed=0)
        return (folder / "checkpoints" / "last.safetensors").read_bytes()

    undisturbed = train(SceneLearner, tmp_path / "a")
    with pytest.raises(Interrupted):
        train(Stopped, tmp_path / "b")
    assert train(SceneLearner, tmp_path / "b") == undisturbed


def test_asked_for_more_epochs_a_training_goes_on_and_ends_as_if_asked_at_once(store: RunStore, tmp_path: Path) -> None:
    (one,) = carry_out(STUDY, [replace(TINY, epochs=1)], store, ALONE)
    (two,) = carry_out(STUDY, [TINY], store, ALONE)
    (at_once,) = carry_out(STUDY, [TINY], RunStore(tmp_path / "at once"), ALONE)
    assert one.run.id == two.run.id
    assert (two.run.folder / "checkpoints/last.safetensors").read_bytes() == (
        at_once.run.folder / "checkpoints/last.safetensors"
    ).read_bytes()
    assert two.run.series("validation/loss") == at_once.run.series("validation/loss")
    assert two.run.metric("test/loss") == at_once.run.metric("test/loss")
