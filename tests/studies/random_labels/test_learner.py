"""The training: when it ends, that it goes on where it was interrupted, and what it is shown."""

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from studies.random_labels.shop import ALONE, TINY, Shop
from workings.core.errors import Interrupted
from workings.core.evidence import read_rows
from workings.core.runs import Recorder, RunStore
from workings.execute.local import carry_out
from workings.studies.random_labels.learner import FITTED, HELD, Fit, LabelLearner
from workings.studies.random_labels.pictures import corrupt, prepare_pictures, rearrange
from workings.studies.random_labels.study import STUDY, Config, Network, Pixels
from workings.train.loop import fit

CPU = torch.device("cpu")
EASY = replace(TINY, limit=40, learning_rate=0.05, batch=8, epochs=20)
"""Fits its 40 labels in fewer epochs than it may take."""


def trained(config: Config, folder: Path, kind: type[LabelLearner] = LabelLearner, stop: int = -1) -> LabelLearner:
    folder.mkdir(exist_ok=True)
    learner = kind(config, prepare_pictures(config), CPU)
    if isinstance(learner, Stopped):
        learner.left = stop
    recorder = Recorder(folder)
    fit(learner, recorder, title="test", epochs=config.epochs, seed=config.seed)
    recorder.flush()
    return learner


class Stopped(LabelLearner):
    """Gets SIGTERM at its n-th step."""

    left = 0

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        self.left -= 1
        return super().step(batch, at)


def outcome(folder: Path) -> tuple[bytes, list[dict[str, Any]]]:
    return (folder / "checkpoints" / "last.safetensors").read_bytes(), read_rows(folder / "metrics.jsonl")


def test_it_ends_once_the_labels_have_been_fitted_for_a_while(tmp_path: Path) -> None:
    learner = trained(EASY, tmp_path / "a")
    series = [row["value"] for row in read_rows(tmp_path / "a" / "metrics.jsonl") if row["name"] == "train/accuracy"]
    assert len(series) < EASY.epochs
    assert all(value >= FITTED for value in series[-HELD:])
    assert learner.fitted.first <= len(series)
    assert learner.done
    longer = trained(replace(EASY, epochs=EASY.epochs + 5), tmp_path / "b")
    assert outcome(tmp_path / "b") == outcome(tmp_path / "a")
    assert longer.fitted.first == learner.fitted.first


@pytest.mark.parametrize("network", ["mlp-1x512", "alexnet", "inception"])
@pytest.mark.parametrize("stop", [0, 4, 7])
def test_interrupted_anywhere_it_ends_with_the_same_bytes_and_the_same_numbers(
    stop: int, network: Network, tmp_path: Path
) -> None:
    config = replace(EASY, network=network, augment=True, dropout=0.2, labels="random", epochs=2)
    trained(config, tmp_path / "a")
    with pytest.raises(Interrupted):
        trained(config, tmp_path / "b", Stopped, stop)
    trained(config, tmp_path / "b")
    assert outcome(tmp_path / "b") == outcome(tmp_path / "a")


def test_asked_for_more_after_the_end_it_is_the_same_run_and_changes_nothing(store: RunStore) -> None:
    (one,) = carry_out(STUDY, [EASY], store, ALONE)
    weights = (one.run.folder / "checkpoints" / "last.safetensors").read_bytes()
    (two,) = carry_out(STUDY, [replace(EASY, epochs=40)], store, ALONE)
    assert two.run.id == one.run.id
    assert two.run.metrics == one.run.metrics
    assert (two.run.folder / "checkpoints" / "last.safetensors").read_bytes() == weights


@given(st.lists(st.sampled_from([0.0, 0.5, 0.9989, 0.999, 1.0]), max_size=12))
def test_what_ends_it_is_a_row_of_fitted_epochs(series: list[float]) -> None:
    told = Fit()
    for at, accuracy in enumerate(series, 1):
        told.told(accuracy)
        fitted = [value >= FITTED for value in series[:at]]
        assert told.done == (at >= HELD and all(fitted[-HELD:]))
        assert told.first == (fitted.index(True) + 1 if any(fitted) else 0)
    again = Fit()
    again.load_state_dict(told.state_dict())
    assert again == told


@pytest.mark.parametrize("name", ["mlp-1x512", "alexnet", "inception"])
def test_every_network_learns_a_few_labels(name: Network, tmp_path: Path) -> None:
    config = replace(TINY, network=name, limit=30, learning_rate=0.05, batch=5, epochs=10)
    trained(config, tmp_path / "a")
    losses = [row["value"] for row in read_rows(tmp_path / "a" / "metrics.jsonl") if row["name"] == "train/loss"]
    assert losses[-1] < 0.8 * losses[0]


def test_the_step_is_that_of_momentum_and_decay_written_out() -> None:
    config = replace(TINY, weight_decay=0.1, decay=0.5)
    learner = LabelLearner(config, prepare_pictures(config), CPU)
    weight = next(learner.network.parameters())
    velocity, expected = torch.zeros_like(weight), weight.detach().clone()
    for epoch in (0, 1, 2):
        batch = torch.arange(10)
        with torch.no_grad():
            weight.copy_(expected)
        loss = torch.nn.functional.cross_entropy(learner.network(learner.train.batch(batch)), learner.labels[batch])
        gradient = torch.autograd.grad(loss, weight)[0] + 0.1 * expected
        velocity = 0.9 * velocity + gradient
        learner.step(batch, epoch + 0.25)
        expected = expected - config.learning_rate * 0.5**epoch * velocity
        torch.testing.assert_close(weight.detach(), expected)


def test_the_recorded_accuracy_is_that_of_the_kept_weights(shop: Shop) -> None:
    from workings.train.checkpoint import load_weights

    learner = LabelLearner(TINY, prepare_pictures(TINY), CPU)
    load_weights(shop.training.folder / "checkpoints" / "last.safetensors", learner.modules)
    learner.network.eval()
    shown = learner.train.batch(torch.arange(60))
    right = (learner.network(shown).argmax(1) == learner.labels).double().mean()
    assert shop.training.metric("train/accuracy") == pytest.approx(float(right))


# ---- what it is shown ----


@pytest.mark.parametrize(("probability", "low", "high"), [(0.0, 0.0, 0.0), (0.5, 0.42, 0.48), (1.0, 0.88, 0.92)])
def test_labels_are_redrawn_uniformly_and_may_stay_what_they_were(probability: float, low: float, high: float) -> None:
    labels = np.zeros(20_000, dtype=np.int64)
    drawn = corrupt(labels, 10, probability, np.random.default_rng(0))
    assert low <= (drawn != 0).mean() <= high
    if probability == 1:
        assert np.abs(np.bincount(drawn, minlength=10) - 2000).max() < 200


def test_more_corruption_adds_false_labels_and_changes_none() -> None:
    labels = np.arange(1000) % 7
    some, more = (corrupt(labels, 7, p, np.random.default_rng(3)) for p in (0.3, 0.6))
    touched = some != labels
    assert np.array_equal(some[touched], more[touched])


COLOUR = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)


@pytest.mark.parametrize("how", ["shuffled", "random"])
@pytest.mark.parametrize("images", [COLOUR, COLOUR[..., 0]])
def test_moved_pixels_are_the_same_pixels(how: Pixels, images: np.ndarray[Any, Any]) -> None:
    train, test = rearrange(images, images, how, np.random.default_rng(1))
    for before, after in zip(images, train, strict=True):
        pixels = [sorted(map(tuple, picture.reshape(20, -1).tolist())) for picture in (before, after)]
        assert pixels[0] == pixels[1]
    assert not np.array_equal(train, images)
    assert np.array_equal(train, test) == (how == "shuffled")


def test_one_permutation_moves_all_pictures_alike() -> None:
    place = np.arange(20, dtype=np.uint8).reshape(1, 4, 5).repeat(3, 0)
    train, test = rearrange(place, place[:1], "shuffled", np.random.default_rng(1))
    assert np.array_equal(train[0], train[2])
    assert np.array_equal(train[:1], test)


def test_noise_has_the_mean_and_spread_of_the_pictures() -> None:
    images = np.random.default_rng(0).normal([100, 120, 140], [10, 20, 30], (50, 16, 16, 3)).clip(0, 255)
    noise, other = rearrange(images.astype(np.uint8), images[:2].astype(np.uint8), "gaussian", np.random.default_rng(1))
    np.testing.assert_allclose(noise.mean((0, 1, 2)), images.mean((0, 1, 2)), atol=1)
    np.testing.assert_allclose(noise.std((0, 1, 2)), images.std((0, 1, 2)), atol=1)
    assert other.shape == (2, 16, 16, 3)


def test_held_out_labels_stay_true_and_seeds_differ() -> None:
    plain, one, two = (
        prepare_pictures(replace(TINY, labels=labels, seed=seed))
        for labels, seed in (("true", 0), ("random", 0), ("random", 1))
    )
    assert np.array_equal(plain.test_labels, one.test_labels)
    assert not np.array_equal(one.labels, two.labels)
    assert plain.redrawn == 0
    assert one.redrawn == np.mean(one.labels != plain.labels) > 0.7
    assert set(plain.labels.tolist()) == set(range(10))
