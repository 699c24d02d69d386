"""Class folders, and zips of them: what is read, what is named, what is left out, and what is kept for next time."""

import io
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workings.core.errors import UserError
from workings.data import cache, cifar10, class_folders, decoding
from workings.data.catalogue import load_pictures

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def picture(seed: int, size: tuple[int, int] = (8, 6), mode: str = "RGB", form: str = "PNG") -> bytes:
    """An encoded picture, another one for each seed; `size` is height and width."""
    made = io.BytesIO()
    shape = (*size, 3) if mode in ("RGB", "CMYK") else size
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    if mode == "I;16":
        Image.fromarray(pixels.astype(np.uint16) * 256).save(made, form)
    else:
        Image.fromarray(pixels).convert(mode).save(made, form)
    return made.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


GOOD = {
    f"{split}/{label}/{n}.png": picture(100 * i + 10 * j + n)
    for i, (split, count) in enumerate((("train", 4), ("test", 2), ("valid", 1)))
    for j, label in enumerate(("cat", "dog"))
    for n in range(count)
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "mine", GOOD)


def test_a_set_is_read_split_by_split(folder: Path) -> None:
    pictures = load_pictures(str(folder))
    assert pictures.train_images.shape == (8, 8, 6, 3)
    assert pictures.train_labels.tolist() == [0] * 4 + [1] * 4
    assert pictures.test_labels.tolist() == [0, 0, 1, 1]
    assert pictures.valid_images is not None
    assert len(pictures.valid_images) == 2
    assert pictures.classes == ("cat", "dog")
    assert (pictures.dataset.id, pictures.size, pictures.channels) == ("own:mine", (8, 6), 3)
    expected = np.asarray(Image.open(io.BytesIO(GOOD["train/dog/2.png"])))
    np.testing.assert_array_equal(pictures.train_images[6], expected)


@pytest.mark.parametrize("top", ["", "archive/", "a/b/"])
def test_a_zip_of_it_is_the_same_set(folder: Path, tmp_path: Path, top: str) -> None:
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as file:
        for name, content in {**GOOD, "__MACOSX/x": b"junk", "train/.DS_Store": b"junk"}.items():
            file.writestr(top + name, content)
    zipped, unpacked = load_pictures(str(tmp_path / "mine.zip")), load_pictures(str(folder))
    assert zipped.dataset.content == unpacked.dataset.content
    np.testing.assert_array_equal(zipped.train_images, unpacked.train_images)


def test_kaggles_layout_is_understood(tmp_path: Path) -> None:
    renamed = {
        name.replace("train/", "seg_train/seg_train/").replace("test/", "seg_test/seg_test/"): content
        for name, content in GOOD.items()
        if not name.startswith("valid")
    }
    pictures = load_pictures(str(write(tmp_path / "intel", renamed | {"seg_pred/seg_pred/1.jpg": b"?"})))
    assert (len(pictures.train_images), len(pictures.test_images), pictures.valid_images) == (8, 4, None)


def test_without_a_test_split_a_sixth_is_set_aside_by_the_bytes_alone(tmp_path: Path) -> None:
    files = {f"{label}/{n}.png": picture(n + 1000 * at) for at, label in enumerate("ab") for n in range(60)}
    pictures = load_pictures(str(write(tmp_path / "one", files)))
    assert len(pictures.train_images) + len(pictures.test_images) == 120
    assert 5 <= len(pictures.test_images) <= 40
    renamed = {name.replace("/", "/x"): content for name, content in files.items()}
    assert load_pictures(str(write(tmp_path / "two", renamed))).dataset.content == pictures.dataset.content


def test_pictures_in_no_class_are_one_class(tmp_path: Path) -> None:
    pictures = load_pictures(str(write(tmp_path / "flat", {f"{n}.png": picture(n, mode="L") for n in range(40)})))
    assert pictures.classes == ("pictures",)
    assert pictures.train_images.ndim == 3


@pytest.mark.parametrize("mode", ["L", "CMYK", "I;16", "P", "1"])
def test_every_kind_of_pixel_finds_its_way_among_colour(folder: Path, mode: str) -> None:
    form = "TIFF" if mode in ("CMYK", "I;16") else "PNG"
    write(folder, {"train/cat/0.png": picture(5, mode=mode, form=form)})
    image = load_pictures(str(folder)).train_images[0]
    assert image.shape == (8, 6, 3)
    if mode in ("L", "I;16"):
        grey = np.random.default_rng(5).integers(0, 256, (8, 6), dtype=np.uint8)
        np.testing.assert_array_equal(image, np.stack([grey] * 3, axis=-1))


def test_a_size_brings_all_pictures_to_it(folder: Path) -> None:
    write(folder, {"train/cat/0.png": picture(5, (40, 20)), "test/dog/0.jpg": picture(6, (300, 400), form="JPEG")})
    with pytest.raises(UserError, match=r"differ in size .*: say to which size"):
        load_pictures(str(folder))
    pictures = load_pictures(str(folder), size=12)
    assert pictures.size == (12, 12)
    assert pictures.dataset.title.endswith("resized to 12 × 12")
    assert load_pictures(str(folder), size=(10, 12)).dataset.content != pictures.dataset.content


BAD = {
    "text.jpg": (b"no picture at all", "is no picture"),
    "empty.jpg": (b"", "is empty"),
    "cut.png": (picture(1, (90, 90))[:5000], "cannot be read"),
    "cut.jpg": (picture(1, (90, 90), form="JPEG")[:2000], "cannot be read"),
    "README": (b"about these pictures", "is no picture"),
    "page.png": (b"<html>404 Not Found</html>", "is no picture"),
    "code.pkl": (b"\x80\x04cos\nsystem\n", "is no picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_broken_file_is_named_and_refused_or_left_out(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, {f"train/cat/{name}": BAD[name][0]})
    told = f"1 of {len(GOOD) + 1} files cannot be used: train/cat/{name} {BAD[name][1]}"
    with pytest.raises(UserError, match=told) as error:
        load_pictures(str(folder))
    assert "\n" not in str(error.value)
    pictures = load_pictures(str(folder), broken="skip")
    assert len(pictures.train_images) == 8
    assert [fault.split()[0] for fault in pictures.skipped] == [f"train/cat/{name}"]
    assert f"1 files left out: train/cat/{name}" in capsys.readouterr().err


def test_the_same_picture_under_two_labels_is_mislabelled(folder: Path) -> None:
    write(folder, {"train/dog/again.png": GOOD["train/cat/1.png"]})
    with pytest.raises(UserError, match=r"train/cat/1\.png is there as cat and dog"):
        load_pictures(str(folder))
    assert len(load_pictures(str(folder), broken="skip").train_images) == 7


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"train/Cat/9.png": picture(9)}, "two classes of one name, 'cat' and 'Cat'"),
        ({"test/fox/9.png": picture(9)}, "'fox' for test, and none to train on"),
        ({"train/fox/9.png": b""}, "cannot be used: train/fox/9.png is empty"),
        ({"train/9.png": picture(9)}, "lies in no class's folder"),
        ({"9.png": picture(9)}, "lies outside train/"),
        ({"other/cat/9.png": picture(9)}, "lies outside train/"),
    ],
)
def test_what_lies_in_the_wrong_place_is_named(folder: Path, files: dict[str, bytes], told: str) -> None:
    with pytest.raises(UserError, match=told):
        load_pictures(str(write(folder, files)))


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "holds no pictures"),
        ({"train/cat/1.png": picture(1)}, "leaves no pictures for test"),
        ({"test/cat/1.png": picture(1)}, "none to train on"),
        ({".hidden/1.png": picture(1)}, "holds no pictures"),
    ],
)
def test_a_folder_that_is_no_set_is_told_so(tmp_path: Path, files: dict[str, bytes], told: str) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(UserError, match=told):
        load_pictures(str(write(tmp_path / "set", files)))


def test_a_class_without_a_sound_picture_is_not_lost_silently(folder: Path) -> None:
    write(folder, {"train/fox/9.png": b""})
    with pytest.raises(UserError, match="has no sound picture of fox"):
        load_pictures(str(folder), broken="skip")


@pytest.mark.parametrize("size", [0, -1, 100_000, (8, 0), (1, 2, 3), 2.5])
def test_a_size_that_no_picture_has_is_refused(folder: Path, size: object) -> None:
    with pytest.raises(UserError, match=r"of size .* cannot be made"):
        load_pictures(str(folder), size=size)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "no/such/set", "didgits"])
def test_a_name_that_is_no_set_is_told_so(name: str) -> None:
    with pytest.raises(UserError, match="neither a set of pictures"):
        load_pictures(name)


def test_more_than_fits_into_memory_is_refused_before_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    with pytest.raises(UserError, match=r"would take .* of this machine's"):
        load_pictures(str(folder), size=64)


def test_a_giant_picture_is_named_and_not_decoded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LARGEST", 40)
    with pytest.raises(UserError, match="has 6 × 8 pixels"):
        load_pictures(str(folder))


def test_a_flag_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="broken='ignore' is not understood"):
        load_pictures(str(folder), broken="ignore")  # type: ignore[arg-type]


def test_a_zip_that_climbs_out_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("../train/cat/1.png", picture(1))
    with pytest.raises(UserError, match="climbs out"):
        load_pictures(str(tmp_path / "a.zip"))


def test_the_second_time_nothing_is_decoded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_pictures(str(folder))
    monkeypatch.setattr(class_folders, "decode_all", None)
    second = load_pictures(str(folder))
    assert second.dataset == first.dataset
    np.testing.assert_array_equal(second.train_images, first.train_images)
    np.testing.assert_array_equal(second.test_labels, first.test_labels)


def test_a_changed_file_is_read_again_and_a_moved_set_is_the_same(folder: Path, tmp_path: Path) -> None:
    first = load_pictures(str(folder))
    moved = shutil.move(folder, tmp_path / "elsewhere")
    assert load_pictures(str(moved)).dataset.content == first.dataset.content
    write(Path(moved), {"train/cat/0.png": picture(77)})
    assert load_pictures(str(moved)).dataset.content != first.dataset.content


def test_a_spoilt_cache_is_done_without(folder: Path) -> None:
    first = load_pictures(str(folder))
    for path in cache.folder().rglob("*.npy"):
        path.write_bytes(path.read_bytes()[:50])
    np.testing.assert_array_equal(load_pictures(str(folder)).train_images, first.train_images)
    for path in cache.folder().rglob("*.json"):
        path.write_text("{")
    assert load_pictures(str(folder)).dataset == first.dataset


def test_a_cache_that_cannot_be_written_is_done_without(folder: Path, home: Path) -> None:
    home.write_text("a file where the store should be")
    assert len(load_pictures(str(folder)).train_images) == 8


def test_a_cache_does_not_grow_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 4000)
    for size in (8, 9, 10, 11):
        load_pictures(str(folder), size=size)
    assert len(list(cache.folder().glob("*.npy"))) == 6


def test_validation_is_drawn_by_the_seed() -> None:
    digits = load_pictures("digits")
    held = digits.with_validation(100, seed=1)
    assert held.valid_images is not None
    assert (len(held.train_images), len(held.valid_images)) == (1400, 100)
    joined = np.concatenate([held.train_images, held.valid_images]).reshape(1500, -1)
    assert sorted(map(bytes, joined)) == sorted(map(bytes, digits.train_images.reshape(1500, -1)))
    assert held.with_validation(5) is held
    for count in (0, -1, 1500):
        with pytest.raises(UserError, match="cannot be held out"):
            digits.with_validation(count)


def test_the_jpeg_cifar_is_known_by_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    path = SHARED / "cifar10" / "cifar10-jpeg.zip"
    if not path.is_file():
        pytest.skip(f"CIFAR-10 (JPEG) is not at hand ({path})")
    monkeypatch.setenv("WORKINGS_DATA", str(SHARED))
    pictures = cifar10.load_jpeg()
    assert pictures.dataset == cifar10.JPEG
    assert pictures.train_images.shape == (50_000, 32, 32, 3)
    assert pictures.classes == cifar10.CLASSES
    assert np.bincount(pictures.test_labels).tolist() == [1000] * 10
    with zipfile.ZipFile(path) as file:
        expected = np.asarray(Image.open(io.BytesIO(file.read("test/frog/0007.jpg"))))
    np.testing.assert_array_equal(pictures.test_images[6007], expected)


def test_a_class_behind_a_link_is_read_and_a_circle_is_not_run_round(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / "train" / "cat", tmp_path / "cats")
    (folder / "train" / "cat").symlink_to(tmp_path / "cats")
    (tmp_path / "cats" / "round").symlink_to(folder)
    (tmp_path / "cats" / "lost.png").symlink_to(tmp_path / "nowhere")
    pictures = load_pictures(str(folder), broken="skip")
    assert len(pictures.train_images) == 8
    assert [fault.split()[0] for fault in pictures.skipped] == ["train/cat/lost.png"]
