"""The trained generator at work: what it draws, which run it takes, and what it says of what it cannot do."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studies.dcgan.shop import Shop
from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.core.runs import RunStore
from workings.studies.dcgan.tool import animate, load, sample, walk


@pytest.fixture(autouse=True)
def _none_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorded training would be shown where a test has none of its own."""
    monkeypatch.setattr("workings.core.runs.recorded_runs", lambda study: ())


def test_a_sheet_of_samples_is_drawn_by_the_generator_here(shop: Shop, tmp_path: Path) -> None:
    made = sample(n=7, seed=3, output=tmp_path / "sheet.png", scale=2)
    assert made.model == shop.training.id
    assert made.pictures == 7
    assert np.asarray(Image.open(tmp_path / "sheet.png")).shape == (48, 48)  # 3 by 3 pictures of 8 pixels, doubled
    assert "7 pictures by run" in str(made)


def test_the_same_seed_draws_the_same_pictures_and_more_of_them_begin_alike(shop: Shop, tmp_path: Path) -> None:
    for name, n, seed in (("a", 4, 1), ("b", 4, 1), ("c", 4, 2), ("d", 9, 1)):
        sample(n=n, seed=seed, output=tmp_path / f"{name}.png", scale=1)
    a, b, c, d = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in "abcd")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    assert np.array_equal(a[:8], d[:8, :16])


def test_the_generator_draws_in_use_what_it_drew_in_training(shop: Shop) -> None:
    from workings.studies.dcgan.examiner import SHEET, SHEET_COLUMNS
    from workings.studies.dcgan.latent import noise
    from workings.studies.dcgan.pictures import sheet

    trained = load()
    pictures = trained.draw(noise(SHEET, trained.config.noise, trained.config.seed, "sheet"))
    kept = np.asarray(Image.open(shop.training.picture("epochs/002")))
    assert np.array_equal(sheet(pictures, SHEET_COLUMNS), kept)


def test_a_walk_moves_in_a_gif_and_lies_in_rows_in_a_png(shop: Shop, tmp_path: Path) -> None:
    assert walk(tmp_path / "walk.gif", stops=2, steps=5, scale=1).pictures == 10
    with Image.open(tmp_path / "walk.gif") as moving:
        assert getattr(moving, "n_frames", 1) > 1
    walk(tmp_path / "walk.png", stops=2, steps=5, scale=1)
    assert np.asarray(Image.open(tmp_path / "walk.png")).shape == (16, 40)


def test_a_training_is_shown_epoch_by_epoch_recorded_ones_too(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert animate(tmp_path / "a.gif").pictures == 2
    recorded = Run.read(shop.training.folder, recorded=True)
    monkeypatch.setattr(RunStore, "find", lambda *_: recorded)
    assert animate(tmp_path / "b.gif", model=recorded.id).model == recorded.id
    with pytest.raises(UserError, match="recorded, without weights"):
        sample(output=tmp_path / "c.png", model=recorded.id)


def test_the_run_is_named_by_id_by_its_first_digits_or_by_its_folder(shop: Shop) -> None:
    for name in (shop.training.id, shop.training.id[:8], str(shop.training.folder)):
        assert load(name).run.id == shop.training.id


@pytest.mark.parametrize("verb", [sample, walk, animate])
def test_without_a_training_the_error_says_how_to_make_one(
    verb: Callable[..., Any], store: RunStore, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no generator is trained here: `workings run dcgan --preset quick`"):
        verb(output=tmp_path / "x.gif")
    assert not list(tmp_path.glob("x*"))


def test_a_count_is_no_generator(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="trained no generator"):
        sample(output=tmp_path / "x.png", model=shop.counts[0].id)
    with pytest.raises(UserError, match="trained no generator"):
        animate(tmp_path / "x.gif", model=shop.counts[0].id)


def test_a_folder_without_a_run_or_without_weights_says_so(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run"):
        load(str(tmp_path))
    folder = shutil.copytree(shop.training.folder, tmp_path / "copy")
    shutil.rmtree(folder / "checkpoints")
    with pytest.raises(UserError, match="its weights are gone"):
        load(str(folder))


@pytest.mark.parametrize(
    ("verb", "arguments", "told"),
    [
        (sample, {"n": 0}, "n is 0: it lies between 1"),
        (sample, {"n": 10**9}, "n is 1,000,000,000"),
        (sample, {"seed": -1}, "seed is -1"),
        (sample, {"scale": 0}, "scale is 0"),
        (sample, {"output": Path("sheet.doc")}, r"sheet\.doc is no file that can be written"),
        (sample, {"model": "feedfacefeed"}, "names no one run"),
        (walk, {"stops": 1}, "stops is 1"),
        (walk, {"steps": 0}, "steps is 0"),
        (walk, {"output": Path("walk")}, "name it .png or .gif"),
        (animate, {"output": Path("a.png")}, "name it .gif"),
        (animate, {"seconds": 0.0}, "seconds is 0.0"),
        (animate, {"seconds": float("nan")}, "seconds is nan"),
    ],
    ids=str,
)
def test_a_request_that_makes_no_sense_is_refused(
    verb: Callable[..., Any], arguments: dict[str, Any], told: str, shop: Shop
) -> None:
    with pytest.raises(UserError, match=told):
        verb(**arguments)


def test_a_place_that_cannot_be_written_is_one_clear_line(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot write to"):
        sample(output=tmp_path / "file" / "sheet.png")
