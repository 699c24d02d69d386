"""A model directory gives back what was put in, and refuses in one line whatever does not fit."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from workings.core.errors import UserError
from workings.data.decoding import resized
from workings.train import directory
from workings.train.directory import Card, Preprocessing, load, save

LOOK = Preprocessing(size=(8, 6), channels=3, mean=(120.0, 110.0, 100.0), std=(60.0,))
CARD = Card("toy", 2, {"width": 5}, ("cat", "dog", "a bird"), LOOK, {"run": "0123"})


class Net(nn.Module):
    def __init__(self, width: int, classes: int, inputs: int = 3 * 8 * 6) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(inputs, width), nn.BatchNorm1d(width))
        self.head = nn.Linear(width, classes)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.layers(pictures))
        return logits


def build(card: Card) -> Net:
    return Net(classes=len(card.labels), **card.architecture)


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net(5, 3).eval()


@pytest.fixture
def folder(tmp_path: Path, net: Net) -> Path:
    save(tmp_path / "model", net, CARD)
    return tmp_path / "model"


def test_what_is_saved_is_loaded(folder: Path, net: Net) -> None:
    model = load(folder, "toy", build)
    assert model.card == CARD
    assert not model.network.training
    for name, tensor in net.state_dict().items():
        assert torch.equal(model.network.state_dict()[name], tensor)
    pictures = [np.random.default_rng(i).integers(0, 256, (20 + i, 30, 3), dtype=np.uint8) for i in range(3)]
    with torch.no_grad():
        expected = net(torch.stack([LOOK(p) for p in pictures])).softmax(1).numpy()
    np.testing.assert_array_equal(model.probabilities(pictures), expected)
    assert model.probabilities([]).shape == (0, 3)


def test_files_are_plain_and_saving_again_replaces_them(folder: Path, net: Net) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(directory.FILES)
    config = json.loads((folder / "config.json").read_text())
    assert config["parameters"] == sum(p.numel() for p in net.parameters())
    assert (config["study"], config["size"], config["channels"]) == ("toy", [8, 6], 3)
    save(folder, net, replace(CARD, labels=("a", "b", "c")))
    assert load(folder, "toy", build).card.labels == ("a", "b", "c")


@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.sampled_from([1, 3]))
@settings(max_examples=40, deadline=None)
def test_a_picture_is_fitted_as_training_pictures_are(height: int, width: int, colour: bool, channels: int) -> None:
    shape = (height, width, 3) if colour else (height, width)
    pixels = np.random.default_rng(height * 41 + width).integers(0, 256, shape, dtype=np.uint8)
    look = Preprocessing(size=(8, 6), channels=channels, mean=(0.0,), std=(1.0,))
    seen = look(pixels)
    assert seen.shape == (channels, 8, 6)
    if colour == (channels == 3):
        expected = resized(pixels, (8, 6)).reshape(8, 6, channels).transpose(2, 0, 1)
        np.testing.assert_array_equal(seen.numpy(), expected)
    elif not colour:  # grey is shown to a network of colour thrice
        assert bool((seen == seen[0]).all())


def test_values_worked_by_hand() -> None:
    look = Preprocessing(size=(1, 2), channels=3, mean=(10.0, 20.0, 30.0), std=(10.0, 10.0, 5.0))
    picture = np.array([[[10, 30, 40], [20, 20, 20]]], dtype=np.uint8)
    assert look(picture).tolist() == [[[0, 1]], [[1, 0]], [[2, -2]]]
    scrambled = replace(look, mean=(0.0,), std=(1.0,), order="reshaped")
    assert scrambled(picture).tolist() == [[[10, 30]], [[40, 20]], [[20, 20]]]


def edit_json(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(change(content)))

    return edit


def edit_weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        change(tensors)
        save_file(tensors, folder / "model.safetensors")

    return edit


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "lacks model.safetensors"),
    "no labels": (lambda f: (f / "labels.json").unlink(), "lacks labels.json"),
    "no preprocessing": (lambda f: (f / "preprocessing.json").unlink(), "lacks preprocessing.json"),
    "no config": (lambda f: (f / "config.json").unlink(), "lacks config.json"),
    "cut off": (cut, "no weights that can be read"),
    "a pickle": (lambda f: (f / "model.safetensors").write_bytes(b"\x80\x04K*."), "no weights that can be read"),
    "no JSON": (lambda f: (f / "labels.json").write_text("[cat"), "labels.json cannot be read as JSON"),
    "no UTF-8": (lambda f: (f / "labels.json").write_bytes(b"\xff\xfe"), "labels.json cannot be read as JSON"),
    "config is a list": (edit_json("config.json", lambda c: [c]), "describes no model"),
    "no study": (edit_json("config.json", lambda c: {**c, "study": None}), "is a model of None"),
    "another study": (edit_json("config.json", lambda c: {**c, "study": "scenes"}), "is a model of 'scenes'"),
    "wider": (edit_json("config.json", lambda c: {**c, "architecture": {"width": 6}}), r"\[5, 144\].*\[6, 144\]"),
    "huge": (edit_json("config.json", lambda c: {**c, "architecture": {"width": 10**9}}), "1000000000, 144"),
    "negative": (edit_json("config.json", lambda c: {**c, "architecture": {"width": -1}}), "no network of toy"),
    "unknown word": (edit_json("config.json", lambda c: {**c, "architecture": {"depth": 1}}), "no network of toy"),
    "architecture is a word": (edit_json("config.json", lambda c: {**c, "architecture": "vgg"}), "cannot be followed"),
    "parameters": (edit_json("config.json", lambda c: {**c, "parameters": 7}), "counts 7 parameters"),
    "one label": (edit_json("labels.json", lambda labels: labels[:1]), r"\[3, 5\].*\[1, 5\]"),
    "labels twice": (edit_json("labels.json", lambda labels: ["cat"] * 3), "no list of different names"),
    "labels are numbers": (edit_json("labels.json", lambda labels: [1, 2, 3]), "no list of different names"),
    "no labels at all": (edit_json("labels.json", lambda labels: []), "no list of different names"),
    "std is 0": (edit_json("preprocessing.json", lambda p: {**p, "std": [0.0]}), "std"),
    "mean is NaN": (edit_json("preprocessing.json", lambda p: {**p, "mean": [float("nan")]}), "finite"),
    "mean is a word": (edit_json("preprocessing.json", lambda p: {**p, "mean": "grey"}), "cannot be followed"),
    "two means": (edit_json("preprocessing.json", lambda p: {**p, "mean": [1, 2]}), "do not fit 3 channels"),
    "no size": (edit_json("preprocessing.json", lambda p: {k: v for k, v in p.items() if k != "size"}), "size"),
    "size 0": (edit_json("preprocessing.json", lambda p: {**p, "size": [0, 6]}), "each from 1"),
    "other size": (edit_json("preprocessing.json", lambda p: {**p, "size": [9, 6]}), "they are of two models"),
    "order": (edit_json("preprocessing.json", lambda p: {**p, "order": "sideways"}), "transposed or reshaped"),
    "NaN": (edit_weights(lambda t: t["head.bias"].fill_(float("nan"))), "head.bias holds NaN"),
    "infinity": (edit_weights(lambda t: t["head.weight"].fill_(float("inf"))), "head.weight holds NaN or infinity"),
    "shape": (edit_weights(lambda t: t.update({"head.bias": torch.zeros(4)})), r"head.bias is \[4\]"),
    "type": (edit_weights(lambda t: t.update({"head.bias": torch.zeros(3).double()})), "float64"),
    "tensor missing": (edit_weights(lambda t: t.pop("head.bias")), "lacks head.bias"),
    "tensor too many": (edit_weights(lambda t: t.update(more=torch.zeros(1))), "holds more, for which"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_is_refused_in_one_line(fault: str, folder: Path) -> None:
    alter, words = FAULTS[fault]
    alter(folder)
    with pytest.raises(UserError, match=words) as caught:
        load(folder, "toy", build)
    assert "\n" not in str(caught.value)


def test_labels_and_size_must_fit_what_the_network_does(folder: Path) -> None:
    edit_json("labels.json", lambda labels: [*labels, "fish"])(folder)
    with pytest.raises(UserError, match="names 4 classes, the network gives"):
        load(folder, "toy", lambda card: Net(5, 3))
    edit_json("preprocessing.json", lambda p: {**p, "size": [9, 6]})(folder)
    edit_json("config.json", lambda c: {**c, "size": [9, 6]})(folder)
    with pytest.raises(UserError, match="cannot read pictures"):
        load(folder, "toy", build=lambda card: Net(5, 3))


def test_folders_that_hold_something_else_are_left_alone(tmp_path: Path, net: Net) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match=r"holds 'thesis.tex' already"):
        save(tmp_path, net, CARD)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(UserError, match="is a file"):
        save(tmp_path / "thesis.tex", net, CARD)
    with pytest.raises(UserError, match="is no folder"):
        load(tmp_path / "nowhere", "toy", build)
    assert not directory.is_directory(tmp_path)
