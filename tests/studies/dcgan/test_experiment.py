"""What a trial records, what it refuses, and how pictures come in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from studies.dcgan.shop import ALONE, TINY, Shop
from workings.core.errors import UserError
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.dcgan.examiner import is_kept, is_measured
from workings.studies.dcgan.experiment import validate
from workings.studies.dcgan.pictures import cells, prepare_pictures, sheet, to_bytes, to_unit
from workings.studies.dcgan.study import STUDY, Config, full, quick, smoke


def test_a_training_records_its_losses_its_measures_and_what_real_pictures_score(shop: Shop) -> None:
    run = shop.training
    for name in ("train/discriminator", "train/generator", "frechet", "precision", "recall", "near"):
        assert [epoch for epoch, _ in run.series(name)] == [1, 2]
    for name in ("real/frechet", "real/precision", "real/recall", "real/near", "parameters/generator"):
        assert run.metric(name) > 0
    assert run.array("share/002").sum() == pytest.approx(1)
    assert run.array("share/real").sum() == pytest.approx(1)


def test_real_pictures_are_nearer_to_real_ones_than_a_beginner_s(shop: Shop) -> None:
    assert shop.training.metric("real/frechet") < shop.training.metric("frechet")


def test_pictures_of_the_same_noise_are_kept_over_the_epochs(shop: Shop) -> None:
    names = shop.training.names("pictures")
    assert {"epochs/001", "epochs/002", "walk", "neighbours"} <= set(names)
    first, second = (np.asarray(Image.open(shop.training.picture(f"epochs/00{n}"))) for n in (1, 2))
    assert first.shape == second.shape == (32, 80)
    assert not np.array_equal(first, second)


def test_every_stage_of_the_sheet_is_kept_and_measured() -> None:
    assert all(is_kept(epoch) and is_measured(epoch) for epoch in (1, 10, 30, 50))
    assert sum(map(is_measured, range(1, 51))) == 8


def test_the_classifier_is_a_trial_of_its_own_and_named_as_an_input(shop: Shop) -> None:
    judge = shop.store.folder(STUDY.id, shop.training.info["inputs"]["classifier"])
    assert (judge / "checkpoints" / "last.safetensors").is_file()


def test_trainings_of_any_length_seed_or_width_share_one_classifier() -> None:
    needed = [STUDY.needs(config) for config in (TINY, replace(TINY, seed=4, width=3, epochs=9))]  # type: ignore[misc]
    assert needed[0] == needed[1]


def test_without_measures_no_classifier_is_needed(store: RunStore) -> None:
    (made,) = carry_out(STUDY, [replace(TINY, measured=False, epochs=1)], store, ALONE)
    assert made.run.info["inputs"] == {}
    assert made.run.metric("near") >= 0
    assert "frechet" not in made.run.metrics


def test_presets_name_no_trial_twice_and_stages_are_one_run() -> None:
    assert len([*smoke(), *quick(), *full()]) == len({*smoke(), *quick(), *full()})
    assert {c.epochs for c in full() if c.task == "train"} == {10, 30, 50}
    assert {replace(c, epochs=1) for c in full() if c.task == "train"} == {Config(seed=s, epochs=1) for s in range(3)}


# ---- pictures ----


def test_bytes_become_numbers_between_minus_one_and_one_and_come_back() -> None:
    every = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    unit = to_unit(every)
    assert (unit.min(), unit.max()) == (-1, 1)
    assert np.array_equal(to_bytes(unit)[0], every[0, 0].numpy())


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (6, 3), (7, 3), (2, 5)])
def test_a_sheet_holds_its_pictures_row_by_row(count: int, columns: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (count, 4, 4), dtype=np.uint8)
    laid = sheet(pictures, columns)
    assert laid.shape[1] == 4 * columns
    assert np.array_equal(cells(laid, 4)[:count], pictures)
    assert np.array_equal(laid[:4, :4], pictures[0])


@pytest.mark.parametrize("size", [8, 12, 28])
def test_pictures_are_scaled_to_the_size_asked_for(size: int) -> None:
    data = prepare_pictures("digits", size, 50)
    assert data.train.shape == (50, 1, size, size)
    whole = prepare_pictures("digits", 8, 50).train.float()
    # Enlarging keeps the mean grey of a picture with a dark rim, up to rounding and the rim.
    assert float(data.train.float().mean()) == pytest.approx(float(whole.mean()), abs=4)


def test_a_limit_takes_pictures_from_all_over_the_set() -> None:
    labels = prepare_pictures("digits", 8, 60).train_labels
    assert set(labels.tolist()) == set(range(10))


# ---- bad input ----

BAD = [
    ({"batch": 1}, "batch is 1: it lies between 2"),
    ({"batch": 2_000}, "1500 training pictures, fewer than a batch of 2000"),
    ({"size": 30}, "size is 30: it must be a multiple of 4"),
    ({"size": 4}, "size is 4: it lies between"),
    ({"size": 4_000}, "size is 4,000"),
    ({"width": 0}, "width is 0"),
    ({"width": 100_000}, "width is 100,000"),
    ({"noise": 0}, "noise is 0"),
    ({"limit": 0}, "limit is 0"),
    ({"limit": 12, "batch": 10}, "measures need 2 classes and 16 held-out pictures"),
    ({"epochs": 0}, "epochs is 0"),
    ({"learning_rate": 0.0}, "learning_rate is 0.0"),
    ({"learning_rate": float("nan")}, "learning_rate is nan"),
    ({"learning_rate": float("inf")}, "learning_rate is inf"),
    ({"learning_rate": -1e-4}, "learning_rate is -0.0001"),
    ({"seed": -1}, "seed is -1"),
    ({"data": "fashion"}, "'fashion' is neither"),
    ({"data": "/no/such/folder"}, "'/no/such/folder' is neither"),
]


@pytest.mark.parametrize(("fields", "told"), BAD, ids=str)
def test_a_setting_that_makes_no_sense_is_refused_in_one_line(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        validate(Config(**{"data": "digits", **fields}))
    assert "\n" not in str(caught.value)


def test_a_refusal_comes_before_the_classifier_is_trained(store: RunStore) -> None:
    with pytest.raises(UserError, match="width is 0"):
        carry_out(STUDY, [replace(TINY, width=0)], store, ALONE)
    assert not store.root.exists() or not list(store.root.rglob("run.json"))


def test_a_folder_with_one_class_trains_without_measures_and_says_so(tmp_path: Path) -> None:
    folder = write_idx(tmp_path / "mine", classes=1)
    config = replace(TINY, data=str(folder))
    with pytest.raises(UserError, match=r"pictures of 1 class\(es\).*--no-measured"):
        validate(config)
    validate(replace(config, measured=False))


def test_pictures_of_one_s_own_are_trained_on(tmp_path: Path, store: RunStore) -> None:
    folder = write_idx(tmp_path / "mine", classes=3)
    (made,) = carry_out(STUDY, [replace(TINY, data=str(folder), epochs=1)], store, ALONE)
    assert made.run.datasets["pictures"]["id"] == "own:mine"
    assert len(made.run.array("share/001")) == 3


def write_idx(folder: Path, classes: int) -> Path:
    """A folder in the form of FashionMNIST's, with pictures of 10 pixels."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    for name, count in (("train", 60), ("t10k", 40)):
        for kind, values in (
            ("images-idx3", draw.integers(0, 256, (count, 10, 10), dtype=np.uint8)),
            ("labels-idx1", (np.arange(count) % classes).astype(np.uint8)),
        ):
            sizes = np.array(values.shape, dtype=">u4").tobytes()
            head = bytes([0, 0, 8, values.ndim])
            (folder / f"{name}-{kind}-ubyte").write_bytes(head + sizes + values.tobytes())
    return folder
