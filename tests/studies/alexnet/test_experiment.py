"""What a trial records, what it refuses, how pictures come in, and that an interrupted training ends the same."""

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from studies.alexnet.shop import ALONE, TINY, Shop, write_photos
from workings.core.errors import Interrupted, UserError
from workings.core.runs import Recorder, RunStore
from workings.execute.local import carry_out
from workings.studies.alexnet.examination import SHOWN, confusion, side_by_side, surest_mistakes
from workings.studies.alexnet.experiment import validate
from workings.studies.alexnet.learner import AlexNetLearner
from workings.studies.alexnet.pictures import prepare_pictures
from workings.studies.alexnet.study import STUDY, Config, fast, full, instant, jpeg, quick, quickened, smoke
from workings.train.loop import fit
from workings.train.runtime import reseed

CPU = torch.device("cpu")


def test_a_training_records_curves_mistakes_and_filters(shop: Shop) -> None:
    run = shop.training
    for name in ("train/loss", "train/accuracy", "validation/loss", "validation/accuracy", "seconds"):
        assert [epoch for epoch, _ in run.series(name)] == [1, 2]
    counts, wrong = run.array("confusion"), run.array("wrong")
    assert counts.sum() == len(wrong) == run.metric("test/pictures") == 120
    assert np.trace(counts) == (wrong == 0).sum()
    assert run.metric("test/accuracy") == pytest.approx(1 - wrong.mean())
    rows = run.table("mistakes")
    assert len(rows) == SHOWN
    assert np.asarray(Image.open(run.picture("mistakes"))).shape == (16, SHOWN * 16)
    assert all(wrong[row["picture"]] for row in rows)
    assert [row["probability"] for row in rows] == sorted((row["probability"] for row in rows), reverse=True)
    assert run.array("filters").shape == (2, 1, 3, 3)


def test_a_range_test_records_its_curve(shop: Shop) -> None:
    run = shop.range
    assert run.metric("range/base") == pytest.approx(run.metric("range/top") / 4)
    assert len(run.array("range/rates")) == len(run.array("range/losses")) == len(run.array("range/smoothed"))


def test_what_is_recorded_is_small(shop: Shop) -> None:
    kept = [p for p in shop.training.folder.rglob("*") if p.is_file() and "checkpoints" not in p.parts]
    assert sum(path.stat().st_size for path in kept) < 300_000


def test_presets_name_no_trial_twice_and_the_fast_one_is_part_of_the_full_one() -> None:
    for preset in (smoke, quick, fast, jpeg, full):
        assert len(set(preset())) == len(preset())
    assert set(fast()) < set(full())
    assert [replace(config, data="cifar10") for config in jpeg()] == list(full())
    assert [config.task for config in instant()] == ["count"]
    assert {config.epochs for config in full() if config.cycle is None} >= {25}


def test_the_fast_recipe_makes_a_third_of_the_sheet_s_steps_or_fewer() -> None:
    assert all(3 * config.epochs / config.batch <= 25 / 256 for config in fast())


# ---- examination ----


def test_confusions_are_counted_by_row_and_column() -> None:
    counts = confusion(torch.tensor([0, 0, 1, 2, 2]), torch.tensor([0, 1, 1, 0, 2]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]


def test_the_surest_mistakes_come_first_and_right_answers_never() -> None:
    logits = torch.tensor([[9.0, 0.0], [3.0, 0.0], [0.0, 5.0], [2.0, 1.9]])
    assert surest_mistakes(logits, torch.tensor([0, 1, 0, 1])) == [2, 1, 3]
    assert surest_mistakes(logits, torch.tensor([0, 0, 1, 0])) == []


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 3)])
def test_pictures_lie_side_by_side(shape: tuple[int, ...]) -> None:
    pictures = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    laid = side_by_side(pictures)
    assert laid.shape[:2] == (4, 15)
    assert np.array_equal(laid[:, 5:10], pictures[1])


# ---- pictures ----


def test_a_tenth_is_held_out_as_the_seed_says_and_the_rest_stays() -> None:
    data, other = (prepare_pictures(replace(TINY, seed=seed)) for seed in (0, 1))
    assert (len(data.train), len(data.valid), len(data.test)) == (108, 12, 120)
    assert not np.array_equal(data.valid, other.valid)
    assert np.array_equal(data.test, other.test)
    whole = {p.tobytes() for p in np.concatenate([data.train, data.valid])}
    assert whole == {p.tobytes() for p in np.concatenate([other.train, other.valid])}


def test_photographs_of_one_s_own_give_classes_channels_and_size(tmp_path: Path, store: RunStore) -> None:
    config = replace(TINY, data=str(write_photos(tmp_path / "mine")), limit=1000, epochs=1)
    (made,) = carry_out(STUDY, [config], store, ALONE)
    card = made.run.table("card")
    assert card["classes"] == ["class 0", "class 1", "class 2"]
    assert card["channels"] == len(card["mean"]) == 3
    assert made.run.datasets["pictures"]["id"] == "own:mine"
    assert made.run.array("filters").shape == (2, 3, 3, 3)


def test_a_broken_photograph_is_refused_by_name_or_left_out(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "mine")
    (folder / "class 0" / "torn.png").write_bytes(b"no picture")
    config = replace(TINY, data=str(folder))
    with pytest.raises(UserError, match=r"torn\.png"):
        validate(config)
    validate(replace(config, broken="skip"))


# ---- the learner ----


def learner(config: Config = TINY) -> AlexNetLearner:
    return AlexNetLearner(config, prepare_pictures(config), CPU)


def test_the_rate_rises_once_and_falls_to_next_to_nothing() -> None:
    config = quickened(TINY, epochs=4)
    taught = learner(config)
    batch = taught.batches(0)[0]
    rates = []
    for at in (0.0, 1.2, 3.9, 5.0):
        taught.step(batch, at)
        rates.append(taught.optimizer.param_groups[0]["lr"] / config.learning_rate)
    assert rates[0] == pytest.approx(1 / 25)
    assert rates[1] == pytest.approx(1)
    assert rates[2] < 0.01
    assert rates[3] == pytest.approx(4e-6)


def test_without_a_cycle_the_rate_stays() -> None:
    taught = learner()
    taught.step(taught.batches(0)[0], 0.7)
    assert taught.optimizer.param_groups[0]["lr"] == TINY.learning_rate


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_a_step_is_the_plain_step_of_its_optimiser(name: str) -> None:
    """The library's own loop, with its unfused optimisers, ends with the same weights."""
    config = replace(TINY, optimizer=name, weight_decay=0.01, smoothing=0.1, learning_rate=1e-3)  # type: ignore[arg-type]
    ours, theirs = learner(config), learner(config)
    kinds: dict[str, Any] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    more = {"momentum": 0.9, "nesterov": True} if name == "sgd" else {}
    plain = kinds[name](theirs.network.parameters(), lr=1e-3, weight_decay=0.01, **more)
    for index, batch in enumerate(ours.batches(0)[:3]):
        reseed(index, CPU)
        ours.step(batch, 0.0)
        reseed(index, CPU)
        theirs.draws = ours.draws
        logits = theirs.network(theirs.train.batch(batch, theirs.draws))
        loss = nn.CrossEntropyLoss(label_smoothing=0.1)(logits, theirs.labels[batch])
        plain.zero_grad()
        loss.backward()
        plain.step()
    for one, other in zip(ours.network.parameters(), theirs.network.parameters(), strict=True):
        # Adam divides by the root of tiny squares: a few roundings of a step of 1e-3.
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_held_out_pictures_are_seen_as_they_are_whatever_was_drawn() -> None:
    taught = learner()
    taught.network.eval()
    first = taught.evaluate()
    taught.batches(5)
    second = taught.evaluate()
    assert {k: v for k, v in first.items() if k != "seconds"} == {k: v for k, v in second.items() if k != "seconds"}


class Stopped(AlexNetLearner):
    """Gets SIGTERM at its n-th step."""

    left = 0

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        self.left -= 1
        return super().step(batch, at)


@pytest.mark.parametrize("config", [TINY, quickened(TINY, epochs=2)], ids=["sheet", "fast"])
@pytest.mark.parametrize("stop", [0, 4, 5, 7])
def test_interrupted_anywhere_it_ends_with_the_same_bytes(stop: int, config: Config, tmp_path: Path) -> None:
    data = prepare_pictures(config)

    def train(kind: type[AlexNetLearner], folder: Path) -> bytes:
        folder.mkdir(exist_ok=True)
        taught = kind(config, data, CPU)
        if isinstance(taught, Stopped):
            taught.left = stop
        fit(taught, Recorder(folder), title="test", epochs=2, seed=0, minimise="validation/loss")
        return b"".join((folder / "checkpoints" / f"{name}.safetensors").read_bytes() for name in ("best", "last"))

    undisturbed = train(AlexNetLearner, tmp_path / "a")
    with pytest.raises(Interrupted):
        train(Stopped, tmp_path / "b")
    assert train(AlexNetLearner, tmp_path / "b") == undisturbed


# ---- bad input ----

BAD = [
    ({"batch": 0}, "batch is 0: it lies between 1"),
    ({"batch": 10**9}, "batch is 1,000,000,000"),
    ({"size": 30}, "size is 30: it must be a multiple of 16"),
    ({"size": 0}, "size is 0: it lies between"),
    ({"size": 4_096}, "size is 4,096"),
    ({"width": 0}, "width is 0"),
    ({"width": 100_000}, "width is 100,000"),
    ({"limit": 0}, "limit is 0"),
    ({"limit": 12}, "gives 12 training pictures"),
    ({"epochs": 0}, "epochs is 0"),
    ({"cycle": 0}, "cycle is 0"),
    ({"pad": -1}, "pad is -1"),
    ({"pad": 32}, "pad is 32: below the size, 32"),
    ({"degrees": 200.0}, "degrees is 200.0"),
    ({"smoothing": 1.0}, "smoothing is 1.0"),
    ({"dropout": 1.0}, "dropout is 1.0"),
    ({"weight_decay": -0.1}, "weight_decay is -0.1"),
    ({"learning_rate": 0.0}, "learning_rate is 0.0"),
    ({"learning_rate": float("nan")}, "learning_rate is nan"),
    ({"learning_rate": float("inf")}, "learning_rate is inf"),
    ({"seed": -1}, "seed is -1"),
    ({"data": "cifar"}, r"'cifar' is neither.*did you mean"),
    ({"data": "/no/such/folder"}, "'/no/such/folder' is neither"),
]


@pytest.mark.parametrize(("fields", "told"), BAD, ids=str)
def test_a_setting_that_makes_no_sense_is_refused_in_one_line(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        validate(Config(**{"data": "digits", **fields}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "fields", [{"width": 0}, {"learning_rate": float("nan")}, {"data": "/no/such/folder"}], ids=str
)
def test_a_refusal_leaves_no_trace(fields: dict[str, Any], store: RunStore) -> None:
    with pytest.raises(UserError):
        carry_out(STUDY, [replace(TINY, **fields)], store, ALONE)
    assert not store.root.exists() or not list(store.root.rglob("run.json"))


def test_one_class_is_nothing_to_learn(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"of 1 class|one class"):
        validate(replace(TINY, data=str(write_photos(tmp_path / "mine", classes=1, each=40))))
