"""A folder of one's own captioned pictures: what is read, what is named, what is left out, and what is kept."""

import io
import os
import shutil
import struct
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from workings.core.errors import UserError
from workings.data import cache, captioned, catalogue, decoding
from workings.data.catalogue import load_captioned, load_captions

SIZE = 8


def picture(seed: int, size: tuple[int, int] = (8, 8), form: str = "PNG", grey: bool = False) -> bytes:
    """An encoded picture, another one for each seed; `size` is height and width."""
    made = io.BytesIO()
    shape = size if grey else (*size, 3)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(made, form)
    return made.getvalue()


def pixels(seed: int, grey: bool = False) -> NDArray[np.uint8]:
    """What `picture` draws, as it is."""
    decoded = np.asarray(Image.open(io.BytesIO(picture(seed, grey=grey))))
    return np.stack([decoded] * 3, axis=-1) if grey else decoded


def giant(side: int) -> bytes:
    """A PNG that says it has so many pixels along a side, and holds none of them."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(b""), b"IEND")
    packed = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def write(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


SAID = "image,caption\nb.png,A bay .\na.png,A dog .\na.png,A brown dog .\nc.jpg,A café .\n"
GOOD: dict[str, bytes | str] = {
    "a.png": picture(1),
    "b.png": picture(2, grey=True),
    "c.jpg": picture(3, (30, 60), "JPEG"),
    "captions.csv": SAID,
    "README.txt": "about these pictures",
    ".DS_Store": "junk",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "mine", GOOD)


def load(folder: Path, **rest: object) -> captioned.Captioned:
    return load_captioned(str(folder), SIZE, **rest)  # type: ignore[arg-type]


def test_pictures_come_with_their_captions_by_name(folder: Path) -> None:
    found = load(folder)
    assert found.names == ("a.png", "b.png", "c.jpg")
    assert found.captions == (("A dog .", "A brown dog ."), ("A bay .",), ("A café .",))
    assert (found.pictures.shape, found.pictures.dtype) == ((3, SIZE, SIZE, 3), np.uint8)
    np.testing.assert_array_equal(found.pictures[:2], [pixels(1), pixels(2, grey=True)])
    assert (found.dataset.id, found.dataset.title) == ("own:mine", "mine (captioned pictures of one's own)")
    assert (found.splits, found.attributes, found.skipped) == ({}, {}, ())


def test_a_picture_is_cropped_about_its_centre_and_scaled(tmp_path: Path) -> None:
    wide = np.zeros((20, 60, 3), dtype=np.uint8)
    wide[:, 15:45] = (10, 200, 30)  # wider than the crop: pixels at its edge mix with their neighbours
    made = io.BytesIO()
    Image.fromarray(wide).save(made, "PNG")
    found = load(write(tmp_path / "one", {"a.png": made.getvalue(), "captions.csv": "image,caption\na.png,A\n"}))
    assert (found.pictures == (10, 200, 30)).all()


def test_names_may_leave_folders_out_or_give_them(tmp_path: Path) -> None:
    files = {"Images/x/a.png": picture(1), "Images/y/a.png": picture(2), "Images/b.png": picture(3)}
    said = "path,text\nx/a.png,A\nImages/y/a.png,B\nb.png,C\n"
    found = load(write(tmp_path / "mine", {**files, "captions.csv": said}))
    assert found.names == ("Images/y/a.png", "b.png", "x/a.png")
    np.testing.assert_array_equal(found.pictures, [pixels(2), pixels(3), pixels(1)])


@pytest.mark.parametrize(("on_disk", "in_file"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_is_the_same_in_either_form_of_unicode(on_disk: str, in_file: str, tmp_path: Path) -> None:
    name = "Çafé/größe 犬.png"
    spelt = {form: unicodedata.normalize(form, name) for form in ("NFC", "NFD")}
    files: dict[str, bytes | str] = {spelt[on_disk]: picture(1), "captions.csv": f"image,caption\n{spelt[in_file]},A\n"}
    assert load(write(tmp_path / "mine", files)).names == (spelt["NFC"],)


def test_captions_may_lie_elsewhere(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(folder)
    shutil.copy(folder / "captions.csv", folder / "other.tsv")
    (folder / "captions.csv").rename(tmp_path / "words.csv")
    assert load(folder, captions=str(tmp_path / "words.csv")).dataset == first.dataset
    monkeypatch.chdir(tmp_path)
    assert load(folder, captions="words.csv").dataset == first.dataset
    assert load(folder, captions="other.tsv").dataset == first.dataset
    with pytest.raises(UserError, match=r"no file of captions 'none\.csv', neither here nor in .*mine: write"):
        load(folder, captions="none.csv")


FAULTS: dict[str, tuple[dict[str, bytes | str], str]] = {
    "no caption": ({"d.png": picture(4)}, "d.png has no caption"),
    "no picture": ({"captions.csv": SAID + "e.png,A pier .\n"}, "e.png has captions, and is not there"),
    "empty caption": ({"captions.csv": SAID + "a.png,\n"}, "line 6 has an empty caption for 'a.png'"),
    "climbs out": ({"captions.csv": SAID + "../a.png,A\n"}, r"line 6 names '\.\./a\.png', which lies outside"),
    "empty": ({"a.png": b""}, "a.png is empty"),
    "text": ({"a.png": "no picture at all"}, "a.png is no picture"),
    "cut off": ({"a.png": picture(1, (90, 90))[:5000]}, "a.png cannot be read"),
    "cut JPEG": ({"c.jpg": picture(1, (90, 90), "JPEG")[:2000]}, "c.jpg cannot be read"),
    "giant": ({"a.png": giant(30_000)}, "a.png has more than 64 million pixels"),
    "large": ({"a.png": giant(9_000)}, "a.png has 9,000 × 9,000 pixels"),
    "twice": ({"x/b.png": picture(5), "y/b.png": picture(6), "b.png": b"", "captions.csv": SAID + "z/b.png,A\n"},
              "z/b.png has captions, and is not there"),
    "two of a name": ({"x/d.png": picture(5), "y/d.png": picture(6), "captions.csv": SAID + "d.png,A\n"},
                      "d.png is there 2 times: x/d.png, y/d.png"),
    "two names of one": ({"captions.csv": SAID + "x/f.png,A\nf.png,B\n", "x/f.png": picture(7)},
                         "f.png is the same picture as x/f.png"),
    "two forms of one": ({"é.png": picture(5), "e\u0301.png": picture(6), "captions.csv": SAID + "é.png,A\n"},
                         "é.png is there 2 times"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_named_and_refused_or_left_out(
    folder: Path, kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, told = FAULTS[kind]
    write(folder, files)
    with pytest.raises(UserError, match=f"faults?: .*{told}.*or leave out .* broken=skip") as error:
        load(folder)
    assert "\n" not in str(error.value)
    found = load(folder, broken="skip")
    assert 2 <= len(found.names) == len(found.captions) == len(found.pictures) <= 4
    assert any(told.replace("\\", "") in fault for fault in found.skipped)
    assert f"{len(found.skipped)} left out: " in capsys.readouterr().err
    monkeypatch.setattr(captioned, "decode_all", None)
    assert load(folder, broken="skip").skipped == found.skipped


def test_many_faults_are_counted(folder: Path) -> None:
    write(folder, {f"x{n}.png": picture(n) for n in range(9)})
    with pytest.raises(UserError, match=r"9 faults: x0\.png has no caption; x1.*; x2.*; and 6 more; repair them"):
        load(folder)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "holds no captions: write a captions.csv"),
        ({"a.png": picture(1)}, "holds no captions: write"),
        ({"captions.csv": "image,caption\n"}, "holds no captions: write"),
        ({"captions.csv": SAID}, "3 faults: b.png has captions, and is not there"),
        ({"a.csv": SAID, "b.csv": SAID}, r"several files that may be captions \(a\.csv, b\.csv\).*--captions"),
    ],
)
def test_a_folder_that_is_no_set_is_told_so(tmp_path: Path, files: dict[str, bytes | str], told: str) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(UserError, match=told):
        load(write(tmp_path / "mine", files))


def test_nothing_that_is_left_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no picture that has a caption: b\.png has captions"):
        load(write(tmp_path / "mine", {"captions.csv": SAID}), broken="skip")


@pytest.mark.parametrize("name", ["", " ", "no/such/folder", "drawn-scene", "flickr8k-captions", __file__])
def test_a_name_that_is_no_set_is_told_so(name: str) -> None:
    with pytest.raises(UserError, match="neither a set of captioned pictures"):
        load_captioned(name, SIZE)


@pytest.mark.parametrize("size", [0, -1, 100_000, 2.5])
def test_a_size_that_no_picture_has_is_refused(folder: Path, size: object) -> None:
    with pytest.raises(UserError, match=r"of size .* cannot be made"):
        load_captioned(str(folder), size)  # type: ignore[arg-type]


def test_flags_that_make_no_sense_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="broken='ignore' is not understood"):
        load(folder, broken="ignore")
    with pytest.raises(UserError, match="comes with its own captions"):
        load_captioned("drawn-scenes", SIZE, captions="captions.csv")


def test_more_than_fits_into_memory_is_refused_before_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 10)
    with pytest.raises(UserError, match=r"would take .* of this machine's"):
        load(folder)


def test_the_second_time_no_picture_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(folder)
    for reader in ("decode_all", "_bytes"):
        monkeypatch.setattr(captioned, reader, None)
    second = load(folder)
    assert isinstance(second.pictures.base, np.memmap)
    assert (second.dataset, second.names, second.captions) == (first.dataset, first.names, first.captions)
    np.testing.assert_array_equal(second.pictures, first.pictures)


def test_the_content_is_that_of_names_files_and_captions(folder: Path, tmp_path: Path) -> None:
    contents = [load(folder).dataset.content]
    assert load_captioned(str(folder), 9).dataset.content == contents[0]
    moved = Path(shutil.move(folder, tmp_path / "elsewhere"))
    head, bay, *dogs, cafe = SAID.splitlines()
    write(moved, {"captions.csv": "\n".join([head, cafe, *dogs, bay])})
    assert load(moved).dataset.content == contents[0]
    changes: list[dict[str, bytes | str]] = [
        {"a.png": picture(9)},
        {"captions.csv": SAID.replace("bay", "quay")},
        {"captions.csv": "\n".join([head, bay, *dogs[::-1], cafe])},
        {"z.png": picture(9), "captions.csv": SAID.replace("a.png", "z.png")},
    ]
    for changed in changes:
        contents.append(load(write(moved, changed), broken="skip").dataset.content)
    assert len({*contents}) == len(contents)


def test_a_spoilt_cache_is_done_without(folder: Path, home: Path) -> None:
    first = load(folder)
    expected = np.array(first.pictures)
    for path in cache.folder().rglob("*.npy"):
        path.write_bytes(path.read_bytes()[:50])
    np.testing.assert_array_equal(load(folder).pictures, expected)
    for path in cache.folder().rglob("*.json"):
        path.write_text("{")
    assert load(folder).dataset == first.dataset
    shutil.rmtree(home)
    home.write_text("a file where the store should be")
    assert load(folder).dataset == first.dataset


def test_a_folder_that_cannot_be_written_to_is_read(folder: Path) -> None:
    folder.chmod(0o500)
    try:
        assert len(load(folder).names) == 3
    finally:
        folder.chmod(0o700)


def test_a_link_is_followed_and_a_pipe_is_not_waited_for(folder: Path, tmp_path: Path) -> None:
    (folder / "a.png").rename(tmp_path / "kept.png")
    (folder / "a.png").symlink_to(tmp_path / "kept.png")
    (folder / "round").symlink_to(folder)
    assert len(load(folder).names) == 3
    (folder / "b.png").unlink()
    os.mkfifo(folder / "b.png")
    with pytest.raises(UserError, match=r"b\.png cannot be read"):
        load(folder)


def test_one_giant_is_not_decoded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LARGEST", 1000)
    with pytest.raises(UserError, match=r"c\.jpg has 60 × 30 pixels"):
        load(folder)


def test_captions_alone(folder: Path, tmp_path: Path) -> None:
    found = load_captions(str(folder / "captions.csv"))
    assert found.names == ("b.png", "a.png", "c.jpg")
    assert found.captions == (("A bay .",), ("A dog .", "A brown dog ."), ("A café .",))
    assert (found.dataset.id, found.dataset.title) == ("own:captions", "captions.csv (captions of one's own)")
    assert load_captions(str(folder)) == found
    (tmp_path / "bad.csv").write_text("image,caption\na.png,\n")
    with pytest.raises(UserError, match="1 caption cannot be used: line 2 has an empty caption"):
        load_captions(str(tmp_path / "bad.csv"))
    for name in ("", "no/such.csv", "flickr8k", "flickr8k-caption"):
        with pytest.raises(UserError, match="neither flickr8k-captions nor a file of captions"):
            load_captions(name)


def test_the_catalogue_has_them() -> None:
    entries = {entry.id: entry for entry in catalogue.entries()}
    assert {"drawn-scenes", "flickr8k", "flickr8k-part", "flickr8k-captions"} <= {*entries}
    assert entries["drawn-scenes"].at_hand
    assert [i for i, e in entries.items() if e.download and i.startswith("flickr")] == ["flickr8k", "flickr8k-captions"]
