"""A trained network at work: what it says of photographs, which run it takes, and the folder it is handed on in."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from studies.scenes.shop import ALONE, TINY, Shop, class_folders
from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.scenes.learner import judged
from workings.studies.scenes.pictures import prepare_pictures
from workings.studies.scenes.study import STUDY, Config
from workings.studies.scenes.tool import classify, export, load


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8)).save(path)
    return str(path)


def test_a_photograph_gets_its_most_probable_classes(shop: Shop, photo: str) -> None:
    told = classify((photo, "china"), top=4)
    assert [shown.photo for shown in told.photos] == [photo, "china"]
    for shown in told.photos:
        chances = [guess.probability for guess in shown.guesses]
        assert len(chances) == 4
        assert chances == sorted(chances, reverse=True)
    assert told.classes == tuple("0123456789")
    assert shop.training.id in told.model
    assert "china" in str(told)


def test_more_classes_than_there_are_are_all_of_them_and_make_one(shop: Shop, photo: str) -> None:
    (shown,) = classify((photo,), top=50).photos
    assert sum(guess.probability for guess in shown.guesses) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("order", ["right", "scrambled"])
def test_a_test_picture_gets_in_use_what_it_got_in_training(order: Any, store: RunStore, tmp_path: Path) -> None:
    """From the file of the picture: resized, ordered and scaled as in training."""
    folder = class_folders(tmp_path / "mine")
    config = Config(data=str(folder), size=8, width=1, epochs=1, batch=4, pixel_order=order)
    (made,) = carry_out(STUDY, [config], store, ALONE)
    export(tmp_path / "model", run=made.run.id)
    model = load(tmp_path / "model")
    data = prepare_pictures(config)
    expected = judged(model.network, data.test).exp().numpy()
    files = [np.asarray(Image.open(path)) for path in sorted(folder.rglob("*.png"))]
    told = model.probabilities(files)
    for row in expected:
        assert np.abs(told - row).max(axis=1).min() < 1e-6


def test_a_run_and_its_model_directory_say_the_same(shop: Shop, photo: str, tmp_path: Path) -> None:
    made = export(tmp_path / "model")
    assert made.run == shop.training.id
    assert made.parameters == shop.training.metric("parameters")
    one, other = classify((photo,)), classify((photo,), model=tmp_path / "model")
    assert one.photos == other.photos
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert (config["study"], config["size"], config["channels"]) == ("scenes", [8, 8], 3)


def test_python_loads_the_module_its_labels_and_how_to_prepare_a_picture(shop: Shop, tmp_path: Path) -> None:
    export(tmp_path / "model")
    model = load(tmp_path / "model")
    pixels = np.full((40, 30, 3), 128, dtype=np.uint8)
    with torch.no_grad():
        told = model.network(model.card.preprocessing(pixels)[None])
    assert told.shape == (1, len(model.card.labels))
    np.testing.assert_allclose(told.exp().numpy(), model.probabilities([pixels]), atol=1e-6)


def test_one_broken_photograph_among_others_is_said_in_its_place(shop: Shop, photo: str, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    told = classify((str(tmp_path / "broken.jpg"), photo))
    assert "cannot be read" in told.photos[0].fault
    assert told.photos[1].guesses
    with pytest.raises(UserError, match="cannot be read"):
        classify((str(tmp_path / "broken.jpg"),))


def test_the_run_is_named_by_id_by_its_first_digits_or_by_its_folder(shop: Shop, photo: str) -> None:
    for name in (shop.training.id, shop.training.id[:8], str(shop.training.folder)):
        assert shop.training.id in classify((photo,), run=name).model


def test_without_a_name_it_is_the_one_that_saw_most_and_knows_best(store: RunStore, photo: str) -> None:
    few, many = (replace(TINY, train=count, epochs=1) for count in (16, 64))
    runs = {c.train: o.run for c, o in zip((many, few), carry_out(STUDY, [many, few], store, ALONE), strict=True)}
    assert runs[64].id in classify((photo,)).model


def test_without_a_training_the_error_says_how_to_make_one(store: RunStore, photo: str, tmp_path: Path) -> None:
    for verb in (lambda: classify((photo,)), lambda: export(tmp_path / "model")):
        with pytest.raises(UserError, match="no network is trained here: `workings run scenes --data FOLDER`"):
            verb()
    assert not (tmp_path / "model").exists()


def test_a_recorded_run_has_no_weights(shop: Shop, photo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Run.read(shop.training.folder, recorded=True)
    monkeypatch.setattr(RunStore, "find", lambda *_: recorded)
    with pytest.raises(UserError, match="recorded, without weights"):
        classify((photo,), run=recorded.id)


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        (lambda shop, path: classify(()), "give the photographs"),
        (lambda shop, path: classify(("china",), top=0), "top is 0"),
        (lambda shop, path: classify(("china",), run="x", model=path), "not both"),
        (lambda shop, path: classify(("china",), run="feedfacefeed"), "names no one run"),
        (lambda shop, path: classify(("china",), run=shop.counts[0].id), "trained no network"),
        (lambda shop, path: classify(("china",), run=str(path)), "holds no run"),
        (lambda shop, path: classify(("china",), model=path / "nowhere"), "is no folder"),
        (lambda shop, path: classify(("china",), model=path), "lacks model.safetensors"),
        (lambda shop, path: classify(("/no/such.jpg",)), "neither a picture file nor a built-in"),
        (lambda shop, path: classify(("chna",)), "did you mean 'china'"),
        (lambda shop, path: export(path / "thesis.tex"), "is a file"),
        (lambda shop, path: export(path), "holds 'thesis.tex' already"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    verb: Callable[[Shop, Path], Any], told: str, shop: Shop, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match=told) as caught:
        verb(shop, place)
    assert "\n" not in str(caught.value)


def test_damaged_weights_and_those_of_another_network_are_refused(shop: Shop, photo: str, tmp_path: Path) -> None:
    folder = shutil.copytree(shop.training.folder, tmp_path / "copy")
    (folder / "checkpoints" / "last.safetensors").write_bytes(b"torn")
    with pytest.raises(UserError, match=r"last\.safetensors holds no weights"):
        classify((photo,), run=str(folder))
    export(tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    config["architecture"]["width"] = 7
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"where the network that config\.json describes"):
        classify((photo,), model=tmp_path / "model")
