"""Flickr8k, whole and in part: in Kaggle's form and the official one, known by content, fetched from a local server.

The set that the tests make has four small pictures in place of 8,091 photographs.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image

from workings.core.errors import UserError
from workings.data import caption_files, captioned, catalogue, download, flickr8k
from workings.data.catalogue import load_captioned, load_captions
from workings.data.download import Source

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
NAMES = [f"{1000 + n}_00000000a{n}.jpg" for n in range(4)]
CAPTIONS = {name: [f'Picture {n} , said " {m} " .' for m in range(5)] for n, name in enumerate(NAMES)}
LISTS = {"train": NAMES[:2], "valid": NAMES[2:3], "test": NAMES[3:]}
SIZE = 8


def picture(seed: int) -> bytes:
    made = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 9, 3), dtype=np.uint8)).save(made, "JPEG")
    return made.getvalue()


def kaggle() -> str:
    said = [(name, one.replace('"', '""')) for name, sentences in CAPTIONS.items() for one in sentences]
    return "image,caption\n" + "\n".join(f'{name},"{one}"' for name, one in said)


def official() -> dict[str, str]:
    said = CAPTIONS | {flickr8k.ABSENT: ["people waiting for the subway"] * 5}
    tokens = "".join(f"{name}#{at}\t{one}\n" for name, ones in said.items() for at, one in enumerate(ones))
    lists = {flickr8k.LISTS[split]: "".join(f"{name}\n" for name in names) for split, names in LISTS.items()}
    return {flickr8k.TOKENS: tokens, "Flickr8k.lemma.token.txt": "no#0\tmatter\n", **lists}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the set lies, in Kaggle's form; the module takes it for the whole."""
    known = flickr8k.Dataset(flickr8k.CAPTIONS_ID, "Flickr8k (20 captions)", caption_files.content_hash(CAPTIONS))
    for name, value in {"PHOTOGRAPHS": 4, "SENTENCES": 20, "CAPTIONS": known}.items():
        monkeypatch.setattr(flickr8k, name, value)
    monkeypatch.setenv("WORKINGS_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "flickr8k"
    (folder / "Images").mkdir(parents=True)
    (folder / "captions.txt").write_text(kaggle())
    for n, name in enumerate(NAMES):
        (folder / "Images" / name).write_bytes(picture(n))
    return folder


def test_the_whole_is_known_by_its_captions_and_by_every_photograph(folder: Path) -> None:
    found = load_captioned("flickr8k", SIZE)
    assert (found.dataset.id, found.dataset.title) == ("flickr8k", "Flickr8k")
    assert (found.names, found.captions) == (tuple(NAMES), tuple(map(tuple, CAPTIONS.values())))
    assert found.pictures.shape == (4, SIZE, SIZE, 3)
    assert found.splits == {}
    assert load_captioned("flickr8k-part", SIZE).dataset == found.dataset
    assert load_captioned(str(folder), SIZE).dataset == found.dataset
    assert "flickr8k is sound: Flickr8k, content" in catalogue.verify("flickr8k")


@pytest.mark.parametrize("text", ["", "Flickr8k_text"])
def test_the_official_form_is_the_same_and_has_splits(folder: Path, text: str) -> None:
    plain = load_captioned("flickr8k", SIZE)
    (folder / "captions.txt").unlink()
    (folder / "Images").rename(folder / "Flicker8k_Dataset")
    (folder / text).mkdir(exist_ok=True)
    for name, content in official().items():
        (folder / text / name).write_text(content)
    found = load_captioned("flickr8k", SIZE)
    assert (found.names, found.captions, found.dataset.id) == (plain.names, plain.captions, "flickr8k")
    assert {split: indices.tolist() for split, indices in found.splits.items()} == {
        "train": [0, 1],
        "valid": [2],
        "test": [3],
    }
    assert found.dataset.content != plain.dataset.content  # since a training on another split is another


def test_short_of_the_whole_the_error_names_the_part_and_the_download(folder: Path) -> None:
    (folder / "Images" / NAMES[0]).unlink()
    with pytest.raises(UserError, match=r"not whole here \(3 of 4 photographs\): run .*get flickr8k`.* flickr8k-part"):
        load_captioned("flickr8k", SIZE)
    found = load_captioned("flickr8k-part", SIZE)
    assert (found.dataset.id, found.dataset.title) == ("flickr8k-part", "Flickr8k (3 of 4 photographs)")
    assert (found.names, len(found.pictures)) == (tuple(NAMES[1:]), 3)
    assert load_captioned(str(folder), SIZE, broken="skip").dataset.id == "own:flickr8k"


def test_a_part_has_the_splits_that_have_pictures(folder: Path) -> None:
    for name, content in official().items():
        (folder / name).write_text(content)
    (folder / "Images" / NAMES[0]).unlink()
    splits = load_captioned("flickr8k-part", SIZE).splits
    assert {split: indices.tolist() for split, indices in splits.items()} == {"train": [0], "valid": [1], "test": [2]}
    (folder / "Images" / NAMES[3]).unlink()
    assert load_captioned("flickr8k-part", SIZE).splits == {}
    (folder / flickr8k.LISTS["test"]).write_text(NAMES[1])
    with pytest.raises(UserError, match=f"{NAMES[1]} is in two of Flickr8k's split lists"):
        load_captioned("flickr8k-part", SIZE)


def test_a_part_needs_no_more_than_its_own_captions(folder: Path) -> None:
    whole = load_captioned("flickr8k-part", SIZE)
    (folder / "Images" / NAMES[3]).unlink()
    part = load_captioned("flickr8k-part", SIZE)
    (folder / "captions.txt").write_text("\n".join(kaggle().split("\n")[:16]))
    assert load_captioned("flickr8k-part", SIZE).dataset == part.dataset != whole.dataset
    (folder / "Images" / "own.jpg").write_bytes(picture(9))
    with pytest.raises(UserError, match=r"1 fault: own\.jpg has no caption"):
        load_captioned("flickr8k-part", SIZE)
    (folder / "captions.txt").write_text("image,caption\nown.jpg,Mine\n")
    with pytest.raises(UserError, match=r"own\.jpg in .* is no photograph of Flickr8k: use .* --data"):
        load_captioned("flickr8k-part", SIZE)


def test_a_photograph_that_cannot_be_read_makes_it_no_whole(folder: Path) -> None:
    (folder / "Images" / NAMES[2]).write_bytes(picture(2)[:300])
    for name in ("flickr8k", "flickr8k-part"):
        with pytest.raises(UserError, match=f"1 fault: {NAMES[2]} cannot be read"):
            load_captioned(name, SIZE)
    found = load_captioned("flickr8k-part", SIZE, broken="skip")
    assert (found.dataset.title, len(found.skipped)) == ("Flickr8k (3 of 4 photographs)", 1)


def test_altered_captions_are_refused_where_no_others_are(folder: Path) -> None:
    (folder / "captions.txt").write_text(kaggle().replace("Picture 3", "Picture 4", 1))
    for name in ("flickr8k", "flickr8k-part"):
        with pytest.raises(UserError, match=r"are not Flickr8k's \(content .*as your own with --data .*captions\.txt"):
            load_captioned(name, SIZE)
    (folder / flickr8k.TOKENS).write_text(official()[flickr8k.TOKENS])
    assert load_captioned("flickr8k", SIZE).dataset.id == "flickr8k"


def test_captions_alone_are_known_wherever_they_lie(folder: Path, tmp_path: Path) -> None:
    assert load_captions("flickr8k-captions").dataset == flickr8k.CAPTIONS
    (tmp_path / "words.token").write_text(
        "".join(f"{n}#{i}\t{c}\n" for n, cs in CAPTIONS.items() for i, c in enumerate(cs))
    )
    assert load_captions(str(tmp_path / "words.token")).dataset == flickr8k.CAPTIONS
    (folder / "captions.txt").write_text("\n".join(kaggle().split("\n")[:-2]))
    with pytest.raises(UserError, match=r"captions are not at hand: run `workings data get flickr8k-captions`"):
        load_captions("flickr8k-captions")


def test_without_any_files_the_errors_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKINGS_DATA", str(tmp_path))
    with pytest.raises(UserError, match=r"\(0 of 8,091 photographs\): run `workings data get flickr8k` \(1\.1 GB\)$"):
        load_captioned("flickr8k", SIZE)
    with pytest.raises(UserError, match=f"no photograph of Flickr8k is at hand: .*{tmp_path}/flickr8k/Images"):
        load_captioned("flickr8k-part", SIZE)
    assert not any(entry.at_hand for entry in catalogue.entries() if entry.id.startswith("flickr8k"))
    with pytest.raises(UserError, match=r"cannot be fetched from here: put photographs into flickr8k/Images"):
        catalogue.get("flickr8k-part")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def zipped(path: Path, files: dict[str, bytes]) -> Source:
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
            file.writestr(f"__MACOSX/._{name}", b"junk")
    content = path.read_bytes()
    return Source(
        path.name, ("https://127.0.0.1:1/x",), len(content), md5=hashlib.md5(content, usedforsecurity=False).hexdigest()
    )


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server on this machine that has the two archives."""
    monkeypatch.setattr(download, "PAUSE", 0.0)
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    served = tmp_path / "served"
    photographs = {f"{flickr8k.UNPACKED}/{name}": picture(n) for n, name in enumerate(NAMES)}
    text = {name: content.encode() for name, content in official().items()}
    monkeypatch.setattr(flickr8k, "PHOTOGRAPHS_ZIP", zipped(served / "Flickr8k_Dataset.zip", photographs))
    monkeypatch.setattr(flickr8k, "TEXT_ZIP", zipped(served / "Flickr8k_text.zip", text))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_fetched_beside_what_is_there_and_known_by_content(folder: Path, base: str) -> None:
    (folder / "Images" / NAMES[0]).unlink()
    (folder / "captions.txt").write_text(kaggle().replace("Picture", "Photograph"))
    assert "flickr8k-captions is downloaded" in catalogue.get("flickr8k-captions", base)
    assert (folder / "Flickr8k_text" / flickr8k.TOKENS).is_file()
    assert "flickr8k is downloaded" in catalogue.get("flickr8k", base)
    found = load_captioned("flickr8k", SIZE)
    assert (found.dataset.id, {*found.splits}) == ("flickr8k", {"train", "valid", "test"})
    assert {p.name for p in folder.iterdir() if not p.name.endswith(".lock")} == {
        "Images", "captions.txt", "Flickr8k_text", "Flicker8k_Dataset",
    }  # fmt: skip
    assert len([*(folder / "Images").iterdir()]) == 3
    assert f"flickr8k is at hand: {folder / 'Flicker8k_Dataset'}" in catalogue.get("flickr8k")
    (folder / "Flicker8k_Dataset" / NAMES[1]).unlink()
    assert "flickr8k is downloaded" in catalogue.get("flickr8k", base)


def test_another_file_in_its_place_is_not_unpacked(folder: Path, base: str, tmp_path: Path) -> None:
    (folder / "Images" / NAMES[0]).unlink()
    path = tmp_path / "served" / "Flickr8k_Dataset.zip"
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(UserError, match=r"Flickr8k_Dataset\.zip could not be downloaded .* has checksum"):
        catalogue.get("flickr8k", base)
    assert not (folder / "Flicker8k_Dataset").exists()


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The photographs at hand, where this checkout lies beside them."""
    if not (SHARED / "flickr8k").is_dir():
        pytest.skip(f"Flickr8k is not at hand ({SHARED / 'flickr8k'})")
    monkeypatch.setenv("WORKINGS_DATA", str(SHARED))
    return SHARED / "flickr8k"


def test_all_captions_are_recognised_and_counted(real: Path, tmp_path: Path) -> None:
    found = load_captions("flickr8k-captions")
    assert found.dataset == flickr8k.CAPTIONS
    assert (len(found.names), sum(map(len, found.captions))) == (8_091, 40_455)
    lines = [
        f"{n}#{at}\t{said}\n" for n, c in zip(found.names, found.captions, strict=True) for at, said in enumerate(c)
    ]
    (tmp_path / flickr8k.TOKENS).write_text("".join(lines), encoding="utf-8")
    assert load_captions(str(tmp_path / flickr8k.TOKENS)).dataset == flickr8k.CAPTIONS


def test_the_part_at_hand_is_read_once(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load_captioned("flickr8k-part", 16)
    count = len(list((real / "Images").iterdir()))
    assert found.dataset.title == f"Flickr8k ({count:,} of 8,091 photographs)"
    assert found.pictures.shape == (count, 16, 16, 3)
    assert {len(said) for said in found.captions} == {5}
    monkeypatch.setattr(captioned, "decode_all", None)
    assert load_captioned("flickr8k-part", 16).dataset == found.dataset
    if count < flickr8k.PHOTOGRAPHS:
        with pytest.raises(UserError, match=f"not whole here \\({count:,} of 8,091 photographs"):
            load_captioned("flickr8k", 16)
