"""What a trial records, what it refuses, and how pictures come in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.scenes.shop import ALONE, TINY, Shop, class_folders
from workings.core.errors import UserError
from workings.core.runs import RunStore
from workings.data.catalogue import load_pictures
from workings.execute.local import carry_out
from workings.studies.scenes.experiment import validate
from workings.studies.scenes.model import scramble
from workings.studies.scenes.pictures import prepare_pictures, proportional
from workings.studies.scenes.study import STUDY, Config


def test_a_training_records_its_curves_its_score_and_what_moves_change(shop: Shop) -> None:
    run = shop.training
    for name in ("train/loss", "validation/loss", "validation/accuracy"):
        assert [epoch for epoch, _ in run.series(name)] == [1, 2]
    for name in ("test/accuracy", "test/loss", "learned/accuracy", "learned/loss"):
        assert [epoch for epoch, _ in run.series(name)] == [2]
    wrong, confusion = run.array("test/wrong"), run.array("test/confusion")
    assert run.metric("test/accuracy") == pytest.approx(1 - wrong.mean())
    assert np.diag(confusion).sum() == (wrong == 0).sum()
    assert confusion.sum() == len(wrong) == 40
    for state in ("untrained", "trained"):
        assert run.array(f"shift/changed/{state}").shape == (4, 40)
        assert run.array(f"shift/variation/{state}").min() >= 0
        assert [row["after"] for row in run.table(f"shift/{state}")][-1] == "output"


def test_a_record_is_small(shop: Shop) -> None:
    files = [p for p in shop.training.folder.rglob("*") if p.is_file() and "checkpoints" not in p.parts]
    assert sum(path.stat().st_size for path in files) < 20_000


# ---- pictures ----


def test_the_course_s_split_is_kept_where_a_set_has_one(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    made: dict[str, Any] = {}
    for split, count in (("train", 40), ("val", 12), ("test", 15)):
        made[f"{split}_images"] = draw.integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)
        made[f"{split}_labels"] = np.arange(count) % 3
    np.savez(tmp_path / "mine.npz", **made)
    config = Config(data=str(tmp_path / "mine.npz"), size=16, test=9)
    data = prepare_pictures(config)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [40, 12, 9]
    assert sorted(map(bytes, data.validation.pixels)) == sorted(map(bytes, made["val_images"]))
    assert torch.bincount(data.test.labels).tolist() == [3, 3, 3]
    fewer = prepare_pictures(replace(config, train=20, validation=6))
    assert [len(split) for split in (fewer.train, fewer.validation)] == [20, 6]


def test_without_one_a_tenth_is_held_out_at_most_and_no_picture_is_in_both() -> None:
    data = prepare_pictures(Config(data="digits", size=8, train=10_000, validation=1_000))
    assert [len(split) for split in (data.train, data.validation, data.test)] == [1_350, 150, 297]
    whole = load_pictures("digits").train_images
    both = np.concatenate([data.train.pixels, data.validation.pixels])
    assert sorted(map(bytes, both)) == sorted(map(bytes, whole))


def test_every_label_belongs_to_its_picture() -> None:
    found = load_pictures("digits")
    known = {bytes(image): int(label) for image, label in zip(found.train_images, found.train_labels, strict=True)}
    config = replace(TINY, colour=False, classes=("7", "2", "4"))
    data = prepare_pictures(config)
    for split in (data.train, data.validation):
        for pixels, label in zip(split.pixels, split.labels.tolist(), strict=True):
            assert known[bytes(pixels)] == int(data.classes[label])
    assert torch.bincount(data.train.labels).tolist() == [21, 22, 21]


@given(st.lists(st.integers(-1, 4), max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_stretch_of_the_order_has_each_class_in_its_proportion(labels: list[int]) -> None:
    values = np.array(labels, dtype=np.int64)
    order = proportional(values)
    wanted = values[values >= 0]
    assert sorted(order.tolist()) == np.flatnonzero(values >= 0).tolist()
    for stop in range(len(order) + 1):
        for label in set(wanted.tolist()):
            share = (wanted == label).sum() / len(wanted)
            # Each class is spaced evenly, and is off by half a place; the stretch's own end is, by one of each class.
            assert abs((values[order[:stop]] == label).sum() - stop * share) <= 0.5 + 5 * 0.5


def test_scrambled_pictures_are_the_same_pictures_scrambled_and_grey_ones_are_refused() -> None:
    right, wrong = (prepare_pictures(replace(TINY, pixel_order=order)) for order in ("right", "scrambled"))  # type: ignore[arg-type]
    assert torch.equal(right.test.labels, wrong.test.labels)
    np.testing.assert_array_equal(wrong.test.pixels, scramble(torch.from_numpy(right.test.pixels)).numpy())
    with pytest.raises(UserError, match=r"digits is grey.*add --colour"):
        prepare_pictures(replace(TINY, colour=False, pixel_order="scrambled"))


def test_what_is_held_out_does_not_depend_on_the_seed() -> None:
    one, other = (prepare_pictures(replace(TINY, seed=seed)) for seed in (0, 1))
    np.testing.assert_array_equal(one.validation.pixels, other.validation.pixels)


@pytest.mark.parametrize(("colour", "channels"), [(True, 3), (False, 1)])
def test_class_folders_of_one_s_own_are_trained_on(
    colour: bool, channels: int, tmp_path: Path, store: RunStore
) -> None:
    folder = class_folders(tmp_path / "mine", colour=colour)
    config = Config(data=str(folder), size=8, width=1, epochs=1, batch=4, normalised=True)
    (made,) = carry_out(STUDY, [config], store, ALONE)
    assert made.run.datasets["pictures"]["id"] == "own:mine"
    assert made.run.table("classes") == {"names": ["kind0", "kind1", "kind2"], "channels": channels}


def test_a_broken_file_is_named_or_left_out(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "mine")
    (folder / "kind1" / "3.png").write_bytes(b"no picture")
    config = Config(data=str(folder), size=8, batch=4)
    with pytest.raises(UserError, match=r"kind1/3\.png is no picture"):
        validate(config)
    validate(replace(config, broken="skip"))


# ---- bad input ----

BAD = [
    ({"batch": 1}, "batch is 1: it lies between 2"),
    ({"batch": 2_000}, "1,350 training pictures, fewer than a batch of 2000"),
    ({"size": 30}, "size is 30: it must be a multiple of 8"),
    ({"size": 0}, "size is 0: it lies between"),
    ({"size": 4_000}, "size is 4,000"),
    ({"width": 0}, "width is 0"),
    ({"width": 100_000}, "width is 100,000"),
    ({"width": 256, "size": 256}, "would have 8,6.* parameters, 400,000,000 at most"),
    ({"kernel": 4}, "kernel is 4: an odd one"),
    ({"kernel": -3}, "kernel is -3: it lies between"),
    ({"convolutions": 0}, "convolutions is 0"),
    ({"train": 0}, "train is 0"),
    ({"validation": 0}, "validation is 0"),
    ({"test": -1}, "test is -1"),
    ({"epochs": 0}, "epochs is 0"),
    ({"learning_rate": 0.0}, "learning_rate is 0.0"),
    ({"learning_rate": float("nan")}, "learning_rate is nan"),
    ({"learning_rate": float("inf")}, "learning_rate is inf"),
    ({"learning_rate": -0.01}, "learning_rate is -0.01"),
    ({"dropout": 1.0}, "dropout is 1.0"),
    ({"dropout": float("nan")}, "dropout is nan"),
    ({"seed": -1}, "seed is -1"),
    ({"classes": ("0",)}, "classes are 0: name two"),
    ({"classes": ("0", "0")}, "classes are 0, 0: name two different"),
    ({"classes": ("0", "zebra")}, "digits has no class 'zebra'.*it has 0, 1"),
    ({"pixel_order": "scrambled"}, "digits is grey.*add --colour"),
    ({"data": "intell"}, "'intell' is neither"),
    ({"data": "intel"}, "is not at hand: put the course's"),
    ({"data": "/no/such/folder"}, "'/no/such/folder' is neither"),
]


@pytest.mark.parametrize(("fields", "told"), BAD, ids=str)
def test_a_setting_that_makes_no_sense_is_refused_in_one_line(
    fields: dict[str, Any], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKINGS_DATA", str(tmp_path))
    with pytest.raises(UserError, match=told) as caught:
        validate(Config(**{"data": "digits", "size": 8, **fields}))
    assert "\n" not in str(caught.value)


def test_a_refusal_leaves_nothing_behind(store: RunStore) -> None:
    with pytest.raises(UserError, match="width is 0"):
        carry_out(STUDY, [replace(TINY, width=0)], store, ALONE)
    assert not store.root.exists() or not list(store.root.rglob("run.json"))
