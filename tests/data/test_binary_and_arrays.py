"""CIFAR's binary records and npz files, in the true formats, sound and broken."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workings.core.errors import UserError
from workings.data import arrays, cifar10
from workings.data.catalogue import load_pictures


def record(label: int, red: int, green: int, blue: int) -> bytes:
    """A record of one colour, with a white pixel at row 2, column 5."""
    planes = [bytearray([value] * 1024) for value in (red, green, blue)]
    for plane in planes:
        plane[2 * 32 + 5] = 255
    return bytes([label]) + b"".join(planes)


@pytest.fixture
def cifar(tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for at, name in enumerate(cifar10.FILES):
        (folder / name).write_bytes(record(at, 10 * at, 1, 2) + record(9, 3, 4, 5))
    return folder


def test_records_become_pictures(cifar: Path) -> None:
    pictures = load_pictures(str(cifar))
    assert pictures.train_images.shape == (10, 32, 32, 3)
    assert pictures.train_labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert pictures.train_images[4, 0, 0].tolist() == [20, 1, 2]
    assert pictures.train_images[4, 2, 5].tolist() == [255, 255, 255]
    assert pictures.test_labels.tolist() == [5, 9]
    assert pictures.dataset.id == "own:cifar-10-batches-bin"
    assert load_pictures(str(cifar.parent)).dataset == pictures.dataset


def test_the_official_content_is_recognised_by_the_files_digests(cifar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = load_pictures(str(cifar)).dataset.content
    monkeypatch.setattr(cifar10, "KNOWN", cifar10.Dataset("cifar10", "CIFAR-10", content))
    cifar10._read.cache_clear()
    monkeypatch.setenv("WORKINGS_DATA", str(cifar.parent))
    assert cifar10.load().dataset.id == "cifar10"
    cifar10._read.cache_clear()


def test_other_files_in_its_place_are_refused(cifar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKINGS_DATA", str(cifar.parent))
    with pytest.raises(UserError, match="are not CIFAR-10's"):
        load_pictures("cifar10")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is cut off: 0 bytes"),
        (record(1, 2, 3, 4)[:-1], "is cut off: 3,072 bytes"),
        (record(1, 2, 3, 4) + record(10, 2, 3, 4), "record 1 has label 10, expected 0 to 9"),
        (None, r"holds no data_batch_3\.bin"),
    ],
)
def test_a_broken_batch_is_named(cifar: Path, content: bytes | None, told: str) -> None:
    path = cifar / "data_batch_3.bin"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(UserError, match=told):
        load_pictures(str(cifar))


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x04")
    with pytest.raises(UserError, match="pickles, which are never opened: run `workings data get cifar10`"):
        load_pictures(str(tmp_path))


@pytest.mark.parametrize("name", ["cifar10", "cifar10-jpeg", "intel"])
def test_a_set_that_is_not_at_hand_says_how_to_get_it(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("WORKINGS_DATA", str(tmp_path))
    with pytest.raises(UserError, match="is not at hand: "):
        load_pictures(name)


# ---- npz ----


def good() -> dict[str, Any]:
    draw = np.random.default_rng(0)
    made: dict[str, Any] = {}
    for split, count in (("train", 6), ("val", 2), ("test", 3)):
        made[f"{split}_images"] = draw.integers(0, 256, (count, 5, 4, 3), dtype=np.uint8)
        made[f"{split}_labels"] = np.arange(count) % 3
    return made


def npz(folder: Path, content: dict[str, Any]) -> str:
    np.savez(folder / "mine.npz", **content)
    return str(folder / "mine.npz")


def test_arrays_are_read_in_every_layout(tmp_path: Path) -> None:
    content = good()
    pictures = load_pictures(npz(tmp_path, content))
    np.testing.assert_array_equal(pictures.train_images, content["train_images"])
    assert pictures.valid_labels is not None
    assert pictures.valid_labels.tolist() == [0, 1]
    assert pictures.classes == ("0", "1", "2")
    turned = {
        name.replace("val_", "dev_"): value.transpose(0, 3, 1, 2).astype(np.float32)
        if value.ndim == 4
        else value[:, None]
        for name, value in content.items()
    }
    again = load_pictures(npz(tmp_path, turned))
    assert again.dataset.content == pictures.dataset.content


def test_intels_shapes_are_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content: dict[str, Any] = {}
    for split, shape in arrays.SHAPES.items():
        name = "val" if split == "valid" else split
        content[f"{name}_images"] = np.zeros(shape, dtype=np.uint8)
        content[f"{name}_labels"] = np.arange(shape[0]) % 6
    np.savez_compressed(tmp_path / "intel_landscapes.npz", **content)
    monkeypatch.setattr(arrays, "checked_zip", lambda file, packed: None)  # black pictures pack like a bomb
    monkeypatch.setenv("WORKINGS_DATA", str(tmp_path))
    assert load_pictures("intel").classes == arrays.CLASSES
    assert load_pictures("intel").dataset.id == "intel"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"train_images": None}, "holds no train_images"),
        ({"test_labels": None}, "holds test_images and no test_labels"),
        ({"train_labels": np.arange(5)}, "6 train_images and labels of shape"),
        ({"train_labels": np.array([0, 1, 2, 0, 1, -1])}, "train_labels holds -1"),
        ({"train_labels": np.array([0, 1, 2, 0, 1, 0.5])}, "train_labels holds 0.5"),
        ({"train_labels": np.array([0, 1, 2, 0, 1, np.nan])}, "train_labels holds nan"),
        ({"train_labels": np.array(list("catdog"))}, "train_labels holds <U1"),
        ({"train_images": np.full((6, 5, 4, 3), 300)}, "train_images holds 300"),
        ({"train_images": np.zeros((6, 60))}, r"has shape \(6, 60\)"),
        ({"train_images": np.zeros((6, 9, 9, 3), np.uint8)}, "differ in the size"),
        ({"train_images": np.array([None] * 6, dtype=object)}, "Python objects, which are never unpickled"),
        ({"train_images": np.zeros((0, 5, 4, 3), np.uint8)}, "has shape"),
    ],
)
def test_arrays_that_are_no_set_are_told_so(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    content = {name: value for name, value in {**good(), **change}.items() if value is not None}
    with pytest.raises(UserError, match=told) as error:
        load_pictures(npz(tmp_path, content))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("spoil", ["text", "empty", "cut", "header", "bomb"])
def test_a_file_that_is_no_npz_is_told_so(tmp_path: Path, spoil: str) -> None:
    path = Path(npz(tmp_path, good()))
    data = path.read_bytes()
    path.write_bytes({"text": b"hello", "empty": b"", "cut": data[: len(data) // 2]}.get(spoil, data))
    if spoil in ("header", "bomb"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            head = io.BytesIO()
            facts = {"descr": "|u1", "fortran_order": False, "shape": (10**13, 5, 4, 3)}
            np.lib.format.write_array_header_1_0(head, facts)
            file.writestr("train_images.npy", head.getvalue() + (bytes(99 << 20) if spoil == "bomb" else b""))
    with pytest.raises(UserError, match=r"no npz file|cut off|cannot be read|damaged|times as many"):
        load_pictures(str(path))
