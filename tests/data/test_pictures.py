"""Labelled pictures: the built-in digits, and idx files sound and broken."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torchvision
from numpy.typing import NDArray

from workings.core.errors import UserError
from workings.data import digits, fashion_mnist
from workings.data.catalogue import load_pictures
from workings.data.pictures import content_hash

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def idx(values: NDArray[np.uint8]) -> bytes:
    """An idx file, packed by hand from its description."""
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small set in idx form: 6 and 2 pictures of 3 × 4."""
    folder = tmp_path / "mine"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for split, count in (("train", 6), ("t10k", 2)):
        images = draw.integers(0, 256, (count, 3, 4), dtype=np.uint8)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(idx(images))
        labels = np.arange(count, dtype=np.uint8) % 3
        (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return folder


def test_the_digits_are_scikit_learns() -> None:
    pictures = load_pictures("digits")
    assert pictures.train_images.shape == (digits.TRAIN, 8, 8)
    assert pictures.size == (8, 8)
    assert pictures.train_images.max() == 255
    assert pictures.train_labels[:10].tolist() == list(range(10))
    assert len(pictures.test_images) == len(pictures.test_labels) == 297


def test_idx_files_of_ones_own_are_read(folder: Path) -> None:
    pictures = load_pictures(str(folder))
    assert pictures.dataset.id == "own:mine"
    assert pictures.train_images.shape == (6, 3, 4)
    assert pictures.test_labels.tolist() == [0, 1]
    assert pictures.classes == ("0", "1", "2")


def test_compression_and_place_do_not_change_what_a_set_is(folder: Path) -> None:
    before = load_pictures(str(folder)).dataset.content
    plain = folder / "train-images-idx3-ubyte"
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert load_pictures(str(folder)).dataset.content == before
    assert load_pictures(str(folder.rename(folder.with_name("yours")))).dataset.content == before


def test_one_pixel_or_one_shape_makes_another_set() -> None:
    values = np.zeros((2, 6), np.uint8)
    other = values.copy()
    other[1, 3] = 1
    assert len({content_hash(values), content_hash(other), content_hash(values.reshape(3, 4))}) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no idx file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "no idx file"),
        (struct.pack(">BBBBI", 0, 0, 13, 1, 6), "no idx file"),  # floats
        (struct.pack(">BBBBI", 0, 0, 8, 3, 6), "damaged"),
        (struct.pack(">BBBBIII", 0, 0, 8, 3, 2**31, 2**31, 28) + bytes(99), "damaged"),
        (idx(np.zeros((6, 3, 4), np.uint8))[:-1], "cut off"),
        (idx(np.zeros((6, 3, 4), np.uint8)) + b"x", "cut off"),
        (gzip.compress(idx(np.zeros((6, 3, 4), np.uint8)))[:-12], "cannot be read"),
        (gzip.compress(b"")[:6], "cannot be read"),
        (idx(np.zeros((5, 3, 4), np.uint8)), "do not fit together"),
        (idx(np.zeros((6, 12), np.uint8)), "do not fit together"),
    ],
)
def test_a_broken_file_is_named(folder: Path, content: bytes, message: str) -> None:
    (folder / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        load_pictures(str(folder))
    assert str(folder) in str(error.value)


def test_a_missing_file_and_a_wrong_name_are_named(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UserError, match=r"holds no t10k-labels-idx1-ubyte\.gz"):
        load_pictures(str(folder))
    with pytest.raises(UserError, match="did you mean 'fashion-mnist'"):
        load_pictures("fashion-mnst")


def test_other_files_in_the_place_of_fashion_mnist_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKINGS_DATA", str(folder.parent))
    folder.rename(folder.parent / fashion_mnist.FOLDER)
    with pytest.raises(UserError, match="are not FashionMNIST's"):
        load_pictures("fashion-mnist")


def test_without_the_files_the_error_says_where_to_put_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKINGS_DATA", str(tmp_path))
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "nowhere")
    with pytest.raises(
        UserError,
        match=rf"not at hand: run `workings data get .*put its four idx files into {tmp_path}/fashion_mnist",
    ):
        load_pictures("fashion-mnist")


def test_fashion_mnist_is_what_torchvision_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not (SHARED / "fashion_mnist").is_dir():
        pytest.skip(f"FashionMNIST is not at hand ({SHARED / 'fashion_mnist'})")
    monkeypatch.setenv("WORKINGS_DATA", str(SHARED))
    pictures = load_pictures("fashion-mnist")
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (SHARED / "fashion_mnist").glob("*.gz"):
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    theirs = torchvision.datasets.FashionMNIST(str(tmp_path), train=False)
    np.testing.assert_array_equal(pictures.test_images, theirs.data.numpy())
    np.testing.assert_array_equal(pictures.test_labels, theirs.targets.numpy())
    assert list(pictures.classes) == [
        name[0].lower() + name[1:] if name != "T-shirt/top" else name for name in theirs.classes
    ]


def test_the_digits_are_those_that_scikit_learn_loads() -> None:
    from sklearn.datasets import load_digits

    bunch, digits = load_digits(), load_pictures("digits")
    images = np.concatenate([digits.train_images, digits.test_images])
    np.testing.assert_allclose(images / 255, bunch.images / 16, atol=0.5 / 255)
    np.testing.assert_array_equal(np.concatenate([digits.train_labels, digits.test_labels]), bunch.target)
