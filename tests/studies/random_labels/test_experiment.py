"""What a trial records, what it refuses, and pictures of one's own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studies.random_labels.shop import ALONE, TINY, Shop
from workings.core.errors import UserError
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.random_labels.experiment import validate
from workings.studies.random_labels.study import STUDY, Config, full, instant, quick, smoke


def test_a_training_records_its_curves_and_what_it_was_told(shop: Shop) -> None:
    run = shop.training
    for name in ("train/loss", "train/accuracy", "test/accuracy"):
        assert [epoch for epoch, _ in run.series(name)] == [1, 2, 3]
    assert run.metric("pictures/train") == 60
    assert run.metric("classes") == 10
    assert run.metric("redrawn") == 0
    assert "fit/epoch" not in run.metrics
    assert run.table("result")["labels fitted after"] == "not within 3 epochs"


def test_a_construction_records_its_size_and_its_errors(shop: Shop) -> None:
    run = shop.construction
    assert run.metric("size") == 2 * 200 + 64
    assert run.metric("exact/error") == 0
    assert [row["points"] for row in run.table("errors")[::2]] == [4, 16, 64, 200]
    z, y = run.array("example/projections"), run.array("example/labels")
    for kind in ("previous", "midpoints"):
        b, w = run.array(f"example/{kind}")
        np.testing.assert_allclose(np.maximum(z[:, None] - b, 0) @ w, y, atol=1e-9)


def test_linear_models_fit_from_as_many_features_as_pictures(shop: Shop) -> None:
    for run in shop.least:
        for row in run.table("models"):
            if row["design"] == "features":
                assert (row["residual"] < 1e-6) == (row["size"] >= 80)


def test_records_are_small(shop: Shop) -> None:
    for run in (shop.training, *shop.exact):
        kept = [p for p in run.folder.rglob("*") if p.is_file() and "checkpoints" not in p.parts]
        assert sum(path.stat().st_size for path in kept) < 100_000


def test_presets_hold_what_each_other_need() -> None:
    assert set(instant()) <= set(quick())
    assert not set(instant()) & set(full()), "`full` is on true data, or instant trials would pass for it"
    for preset in (smoke, quick, full):
        assert len(set(preset())) == len(preset())
        for config in preset():
            if config.data == "digits":
                validate(config)
    headline = [c for c in full() if c.network == "alexnet" and c.labels == "random" and c.task == "train"]
    assert {c.seed for c in headline} == {0, 1, 2}


# ---- bad input ----

BAD = [
    ({"limit": 1}, "limit is 1: it lies between 2"),
    ({"limit": 2_000_000}, "limit is 2,000,000"),
    ({"task": "construct", "limit": 200_000}, "construct takes 100,000 pictures at most"),
    ({"task": "minimum-norm", "limit": 2_001}, "minimum-norm takes 2,000 pictures at most"),
    ({"task": "minimum-norm", "limit": 39}, "linear models are fitted to 40 pictures at least"),
    ({"tested": 0}, "tested is 0"),
    ({"batch": 0}, "batch is 0"),
    ({"epochs": 0}, "epochs is 0"),
    ({"epochs": 10**6}, "epochs is 1,000,000"),
    ({"seed": -1}, "seed is -1"),
    ({"size": -8}, "size is -8"),
    ({"size": 500}, "size is 500"),
    ({"size": 4}, "pictures of 4 × 4 pixels; a side of 8 to 128"),
    ({"corruption": 0.5}, "corruption is 0.5 and labels are true"),
    ({"corruption": 1.5, "labels": "partial"}, "corruption is 1.5: give a number from 0 to 1"),
    ({"corruption": float("nan"), "labels": "partial"}, "corruption is nan"),
    ({"dropout": 1.0}, "dropout is 1.0: give a number from 0 to below 1"),
    ({"dropout": -0.1}, "dropout is -0.1"),
    ({"weight_decay": -1e-4}, "weight_decay is -0.0001"),
    ({"learning_rate": 0.0}, "learning_rate is 0.0"),
    ({"learning_rate": float("inf")}, "learning_rate is inf"),
    ({"decay": 0.0}, "decay is 0.0"),
    ({"decay": 1.1}, "decay is 1.1"),
    ({"data": "cifar"}, "'cifar' is neither"),
    ({"data": "/no/such/folder"}, "'/no/such/folder' is neither"),
    ({"data": ""}, "'' is neither"),
]


@pytest.mark.parametrize(("fields", "told"), BAD, ids=str)
def test_a_setting_that_makes_no_sense_is_refused_in_one_line(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        validate(Config(**{"data": "digits", "limit": 100, **fields}))
    assert "\n" not in str(caught.value)


def test_a_refusal_leaves_nothing_behind(store: RunStore) -> None:
    with pytest.raises(UserError, match="corruption"):
        carry_out(STUDY, [replace(TINY, corruption=0.5)], store, ALONE)
    assert not store.root.exists() or not list(store.root.rglob("run.json"))


def class_folders(folder: Path, classes: int = 3, side: int = 12, each: int = 4) -> Path:
    """train/CLASS/N.png and test/CLASS/N.png."""
    draw = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in "abcdefgh"[:classes]:
            place = folder / split / name
            place.mkdir(parents=True)
            for number in range(each):
                Image.fromarray(draw.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(place / f"{number}.png")
    return folder


def test_pictures_of_one_s_own_are_trained_on(tmp_path: Path, store: RunStore) -> None:
    own = replace(TINY, data=str(class_folders(tmp_path / "mine")), batch=4, network="alexnet", augment=True)
    (made,) = carry_out(STUDY, [own], store, ALONE)
    assert made.run.datasets["pictures"]["id"] == "own:mine"
    assert made.run.metric("classes") == 3


def test_a_broken_file_is_refused_or_left_out(tmp_path: Path, store: RunStore) -> None:
    folder = class_folders(tmp_path / "mine")
    (folder / "train" / "a" / "0.png").write_bytes(b"no picture")
    own = replace(TINY, data=str(folder), batch=4)
    with pytest.raises(UserError, match=r"0\.png"):
        validate(own)
    (made,) = carry_out(STUDY, [replace(own, broken="skip")], store, ALONE)
    assert made.run.metric("pictures/train") == 11


def test_one_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"1 class\(es\)"):
        validate(replace(TINY, data=str(class_folders(tmp_path / "mine", classes=1))))


def test_equal_pictures_with_two_labels_cannot_be_constructed_on(tmp_path: Path, store: RunStore) -> None:
    folder = class_folders(tmp_path / "mine")
    with Image.open(folder / "train" / "a" / "0.png") as picture:  # other bytes, or the folders would be refused
        picture.save(folder / "train" / "b" / "0.png", compress_level=0)
    config = Config(task="construct", data=str(folder), limit=12)
    with pytest.raises(UserError, match="are equal, and have the labels 0 and 1"):
        carry_out(STUDY, [config], store, ALONE)
    (made,) = carry_out(STUDY, [replace(config, labels="random")], store, ALONE)
    assert made.run.metric("equal/pictures") == 1
    assert made.run.metric("exact/error") == 0
