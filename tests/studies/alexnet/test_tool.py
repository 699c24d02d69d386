"""The trained network at work: what it says of photographs, what it hands on, and what it cannot do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from studies.alexnet.shop import Shop
from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.core.runs import RunStore
from workings.data.catalogue import load_pictures
from workings.studies.alexnet.tool import classify, export, load, mistakes


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A digit, enlarged, in colour and wider than it is high."""
    path = tmp_path / "digit.png"
    pixels = load_pictures("digits", 64).test_images[0]
    Image.fromarray(np.pad(pixels, ((0, 0), (20, 20)))).convert("RGB").save(path)
    return path


def test_photographs_of_any_size_get_their_likeliest_classes(shop: Shop, photo: Path) -> None:
    told = classify((str(photo), "chelsea"), top=4)
    assert [p.photo for p in told.photos] == [str(photo), "chelsea"]
    for each in told.photos:
        values = [guess.probability for guess in each.guesses]
        assert len(values) == 4
        assert values == sorted(values, reverse=True)
    everything = classify((str(photo),), top=99).photos[0].guesses
    assert sum(guess.probability for guess in everything) == pytest.approx(1, abs=1e-4)
    assert "digit.png" in str(told)


def test_in_use_a_test_picture_gets_the_answer_that_it_got_in_training(shop: Shop) -> None:
    run = shop.training
    model = load(run.id)
    found = load_pictures("digits", 16)
    kept = np.unique(np.linspace(0, len(found.test_labels) - 1, 120).round().astype(int))
    answers = model.probabilities(list(found.test_images[kept])).argmax(1)
    assert np.array_equal(answers != found.test_labels[kept], run.array("wrong") == 1)


def test_a_model_directory_says_what_its_run_says(shop: Shop, photo: Path, tmp_path: Path) -> None:
    made = export(tmp_path / "model", run=shop.training.id)
    assert made.run == shop.training.id
    assert "10 classes" in str(made)
    by_run = classify((str(photo),), run=shop.training.id).photos
    assert classify((str(photo),), model=tmp_path / "model").photos == by_run
    model = load(tmp_path / "model")
    assert model.card.labels == tuple(str(digit) for digit in range(10))
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["parameters"] == shop.training.metric("parameters")


def test_the_run_is_named_by_id_by_its_first_digits_or_by_its_folder(shop: Shop) -> None:
    for name in (shop.training.id, shop.training.id[:8], str(shop.training.folder)):
        assert load(name).card.origin["run"] == shop.training.id


def test_without_a_name_it_is_the_best_on_held_out_pictures(shop: Shop) -> None:
    best = min((shop.training, shop.fast), key=lambda run: min(v for _, v in run.series("validation/loss")))
    assert load().card.origin["run"] == best.id


def test_mistakes_are_named_and_shown_recorded_runs_too(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = mistakes(run=shop.training.id, output=tmp_path / "mistakes.png")
    assert len(told.mistakes) == 12
    assert "taken for" in str(told)
    assert np.asarray(Image.open(tmp_path / "mistakes.png")).shape == (16 * 4, 12 * 16 * 4)
    recorded = Run.read(shop.training.folder, recorded=True)
    monkeypatch.setattr(RunStore, "find", lambda *_: recorded)
    assert mistakes(run=recorded.id).run == recorded.id
    with pytest.raises(UserError, match="recorded, without weights"):
        load(recorded.id)


@pytest.mark.parametrize("verb", [lambda: classify(("chelsea",)), lambda: export(Path("m")), mistakes])
def test_without_a_training_the_error_says_how_to_make_one(
    verb: Callable[[], Any], store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workings.core.runs.recorded_runs", lambda _: ())
    with pytest.raises(UserError, match="no AlexNet is trained here: `workings run alexnet"):
        verb()
    assert not Path("m").exists()


def edit(folder: Path, name: str, **changes: Any) -> None:
    content = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**content, **changes}))


def poison(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["dense.2.bias"][:] = torch.nan
    save_file(tensors, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("alter", "told"),
    [
        (lambda f: (f / "labels.json").unlink(), "lacks labels.json"),
        (lambda f: (f / "labels.json").write_text('["a", "b"]'), "does not fit 2 labels"),
        (lambda f: edit(f, "config.json", study="scenes"), "is a model of 'scenes'"),
        (lambda f: edit(f, "config.json", architecture={"width": 7}), "does not fit"),
        (lambda f: edit(f, "config.json", size=[32, 32]), "of two models"),
        (poison, "dense.2.bias holds NaN"),
    ],
)
def test_a_model_directory_that_does_not_fit_is_refused(
    alter: Callable[[Path], object], told: str, shop: Shop, tmp_path: Path
) -> None:
    export(tmp_path / "model", run=shop.training.id)
    alter(tmp_path / "model")
    with pytest.raises(UserError, match=told) as caught:
        load(tmp_path / "model")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda d: classify(), "give the photographs to look at"),
        (lambda d: classify(("chelsea",), top=0), "top is 0"),
        (lambda d: classify(("no-such.jpg",)), "neither a picture file"),
        (lambda d: classify(("chelsea",), run="feedfacefeed"), "names no one run"),
        (lambda d: classify(("chelsea",), model=d / "nowhere"), "is no folder"),
        (lambda d: classify(("chelsea",), model=d), "lacks model.safetensors"),
        (lambda d: classify(("chelsea",), run="a", model=d), "not both"),
        (lambda d: load(str(d)), "holds no run"),
        (lambda d: mistakes(output=Path("x.doc")), "name it .png"),
        (lambda d: mistakes(run="feedfacefeed"), "names no one run"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    call: Callable[[Path], object], told: str, shop: Shop, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=told) as caught:
        call(tmp_path)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_pictures_and_places_that_are_taken_are_refused(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(UserError, match="cannot be read as a picture"):
        classify((str(tmp_path / "torn.jpg"),))
    with pytest.raises(UserError, match=r"holds 'torn.jpg' already"):
        export(tmp_path)
    with pytest.raises(UserError, match="cannot write to"):
        mistakes(output=tmp_path / "torn.jpg" / "sheet.png")


def test_counts_and_range_tests_are_no_networks(shop: Shop) -> None:
    for run in (shop.count, shop.range):
        with pytest.raises(UserError, match="trained no AlexNet"):
            load(run.id)
        with pytest.raises(UserError, match="trained no AlexNet"):
            mistakes(run=run.id)


def test_a_run_without_its_weights_says_so(shop: Shop, tmp_path: Path) -> None:
    folder = shutil.copytree(shop.training.folder, tmp_path / "copy")
    shutil.rmtree(folder / "checkpoints")
    with pytest.raises(UserError, match="its weights are gone"):
        load(str(folder))
