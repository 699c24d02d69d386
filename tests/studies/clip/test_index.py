"""The index of a folder: only what is new is embedded, whatever happens to files, processes and disks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from studies.clip.colours import Colours, album, shoot
from workings.core.errors import Interrupted, UserError
from workings.studies.clip.search import update as updating
from workings.studies.clip.search import vectors as near
from workings.studies.clip.search import writer as writing
from workings.studies.clip.search.index import Index
from workings.studies.clip.search.update import Indexed, update


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return album(tmp_path / "photos")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "index"


def counts(told: Indexed) -> dict[str, int]:
    kinds = ("added", "changed", "moved", "removed", "unchanged")
    return {kind: getattr(told, kind) for kind in kinds if getattr(told, kind)}


def content(place: Path) -> dict[str, list[float]]:
    """Name and vector of every picture."""
    index = Index(place)
    return {
        name: index.vectors[entry.row].round(6).tolist()
        for name, entry in sorted(index.entries().items())
        if entry.row is not None
    }


def test_a_second_index_embeds_nothing_and_opens_nothing(
    photos: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Colours()
    assert counts(update(photos, place, model)) == {"added": 12}
    assert model.embedded == 12
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("a file was opened"))
    told = update(photos, place, model)
    monkeypatch.undo()
    assert counts(told) == {"unchanged": 12}
    assert told.embedded == 0
    assert model.embedded == 12
    assert before == {path.name: path.read_bytes() for path in place.iterdir()}


def test_vectors_and_names_are_plain_files(photos: Path, place: Path) -> None:
    model = Colours()
    update(photos, place, model)
    about = json.loads((place / "index.json").read_text())
    lines = [json.loads(line) for line in (place / "files-0.jsonl").read_text(encoding="utf-8").splitlines()]
    vectors = np.fromfile(place / "vectors-0.f32", dtype="<f4").reshape(-1, about["dimensions"])
    assert about["fingerprint"] == model.fingerprint
    assert about["pictures"] == len(lines) == len(vectors) == 12
    line = next(line for line in lines if line["name"] == "été 夏/green 0001.png")
    pixels = np.asarray(Image.open(photos / line["name"]).convert("RGB").crop((5, 0, 35, 30)).resize((16, 16)))
    assert vectors[line["row"]] == pytest.approx(model.pictures(pixels[None])[0], abs=0.02)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)


def test_what_was_added_changed_moved_copied_touched_and_removed_is_told(photos: Path, place: Path) -> None:
    model = Colours()
    update(photos, place, model)
    (photos / "winter" / "red 0000.png").rename(photos / "moved.png")
    shutil.copy(photos / "moved.png", photos / "copy.png")
    shoot(photos / "winter" / "blue 0002.png", "yellow", seed=77)
    os.utime(photos / "winter" / "red 0004.png", ns=(1, 1))
    (photos / "winter" / "blue 0006.png").unlink()
    shoot(photos / "new" / "NEW.JPG", "red", seed=78)
    told = update(photos, place, model)
    assert counts(told) == {"added": 2, "changed": 1, "moved": 1, "removed": 1, "unchanged": 9}
    assert told.embedded == 2
    assert model.embedded == 14
    fresh = Colours()
    update(photos, place.with_name("other"), fresh)
    assert content(place) == content(place.with_name("other"))
    assert Index(place).names_of(Index(place).entries()["copy.png"].row or 0) == ["copy.png", "moved.png"]


def test_a_folder_that_moved_as_a_whole_is_not_embedded_again(photos: Path, place: Path) -> None:
    model = Colours()
    update(photos, place, model)
    (photos / "winter").rename(photos / "hiver")
    assert counts(update(photos, place, model)) == {"moved": 6, "unchanged": 6}
    assert model.embedded == 12


def spoil(photos: Path) -> dict[str, str]:
    """Broken files of every kind, each with what is said of it."""
    whole = shoot(photos / "a.jpg", size=(200, 200)).read_bytes()
    (photos / "a.jpg").unlink()
    (photos / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (photos / "text.png").write_text("a shopping list")
    (photos / "empty.png").write_bytes(b"")
    Image.new("1", (30_000, 30_000)).save(photos / "huge été.png")
    return {
        "truncated.jpg": "cannot be read",
        "text.png": "is no picture",
        "empty.png": "is empty",
        "huge été.png": "pixels",
    }


def test_broken_files_are_named_and_not_tried_again_until_they_change(
    photos: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, broken = Colours(), spoil(photos)
    told = update(photos, place, model)
    assert counts(told) == {"added": 12}
    assert {fault.file for fault in told.broken} == set(broken)
    assert all(broken[fault.file] in fault.reason for fault in told.broken)
    assert "4 cannot be used:\n  empty.png is empty" in str(told)
    opened: list[str] = []
    examine = updating.examine
    monkeypatch.setattr(
        updating, "examine", lambda folder, names, *rest: opened.extend(names) or examine(folder, names, *rest)
    )  # type: ignore[func-returns-value]
    assert update(photos, place, model).broken == told.broken
    assert opened == []
    shoot(photos / "text.png", "green", seed=5)
    mended = update(photos, place, model)
    assert opened == ["text.png"]
    assert len(mended.broken) == 3
    assert mended.pictures == 13


def test_what_cannot_be_opened_is_told_and_keeps_what_was_known(
    photos: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stand-in, since tests may run as root, who opens everything."""
    model = Colours()
    update(photos, place, model)
    listing = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("winter"):
            raise PermissionError(13, "Permission denied", str(path))
        return listing(path)

    monkeypatch.setattr(os, "scandir", closed)
    told = update(photos, place, model)
    assert [str(fault) for fault in told.broken] == ["winter cannot be opened (Permission denied)"]
    assert told.pictures == 12
    assert counts(told) == {"unchanged": 6}


def test_an_unreadable_file_is_tried_again_though_it_did_not_change(
    photos: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, read = Colours(), Path.read_bytes

    def closed(path: Path) -> bytes:
        if path.name == "red 0000.png":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", closed)
    told = update(photos, place, model)
    assert [fault.file for fault in told.broken] == ["winter/red 0000.png"]
    monkeypatch.undo()
    assert counts(update(photos, place, model)) == {"added": 1, "unchanged": 11}


def test_a_name_that_is_no_text_is_told(photos: Path, place: Path) -> None:
    (photos / os.fsdecode(b"caf\xe9.png")).write_bytes((photos / "winter" / "red 0000.png").read_bytes())
    told = update(photos, place, Colours())
    assert told.pictures == 12
    assert str(told.broken[0]) == "caf\N{REPLACEMENT CHARACTER}.png has a name that is no UTF-8: rename it"
    json.dumps(asdict(told), ensure_ascii=False).encode()


def test_hidden_files_links_in_a_circle_and_other_files_are_passed_over(photos: Path, place: Path) -> None:
    shoot(photos / ".thumbnails" / "x.png")
    shoot(photos / "._red.png")
    (photos / "notes.txt").write_text("nothing to see")
    (photos / "circle").symlink_to(photos)
    (photos / "dead.png").symlink_to(photos / "nowhere.png")
    told = update(photos, place, Colours())
    assert (told.pictures, told.broken) == (12, ())


SLOW = """
import sys
from pathlib import Path
from studies.clip.colours import Colours
from workings.studies.clip.search import update as updating
updating.BATCH, updating.SHARD = 4, 8
model = Colours(slow=0.01)
told = updating.update(Path(sys.argv[1]), Path(sys.argv[2]), model)
print(told.pictures, model.embedded)
"""


def slow(photos: Path, place: Path) -> "subprocess.Popen[str]":
    tests = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", SLOW, str(photos), str(place)],
        env={**os.environ, "PYTHONPATH": str(tests)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def lines(place: Path) -> int:
    files = place / "files-0.jsonl"
    return files.read_bytes().count(b"\n") if files.is_file() else 0


def test_killed_half_way_it_finishes_without_embedding_anything_twice(tmp_path: Path, place: Path) -> None:
    photos = album(tmp_path / "many", 200)
    first = slow(photos, place)
    while lines(place) < 60 and first.poll() is None:
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    kept = lines(place)
    assert 60 <= kept < 200
    with (place / "files-0.jsonl").open("ab") as file, (place / "vectors-0.f32").open("ab") as vectors:
        file.write(b'{"name": "torn')  # what a kill within a write would have left
        vectors.write(b"123")
    assert len(content(place)) == kept
    second = slow(photos, place)
    out, err = second.communicate(timeout=60)
    assert err == ""
    pictures, embedded = map(int, out.split())
    assert (pictures, embedded) == (200, 200 - kept)
    fresh = Colours()
    update(photos, place.with_name("fresh"), fresh)
    assert content(place) == content(place.with_name("fresh"))


def test_ctrl_c_keeps_what_is_done(photos: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updating, "BATCH", 2)

    class Impatient(Colours):
        def pictures(self, pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> near.Vectors:
            if self.embedded == 6:
                self.embedded += 100
                raise KeyboardInterrupt
            return super().pictures(pixels)

    with pytest.raises(Interrupted, match="of 12 files are done and kept; the same command goes on"):
        update(photos, place, Impatient())
    model = Colours()
    told = update(photos, place, model)
    assert model.embedded == 4
    assert told.pictures == 12


def test_a_second_process_is_told(photos: Path, place: Path) -> None:
    place.mkdir()
    with FileLock(place / ".lock"), pytest.raises(UserError, match="is being written by another process: wait"):
        update(photos, place, Colours())


def test_another_model_is_refused_and_again_forgets(photos: Path, place: Path) -> None:
    first, second = Colours(), Colours("turned", seed=1)
    update(photos, place, first, "0123456789ab")
    with pytest.raises(UserError, match=r"made with colours \[.*this is turned .*--model 0123456789ab, or .* --again"):
        update(photos, place, second)
    assert len(content(place)) == 12
    assert counts(update(photos, place, second, again=True)) == {"added": 12}
    assert Index(place).about.model == "turned"
    assert sorted(path.name for path in place.iterdir()) == [".lock", "files-1.jsonl", "index.json", "vectors-1.f32"]


def test_of_an_emptied_folder_nothing_is_forgotten(photos: Path, place: Path, tmp_path: Path) -> None:
    """A disk that is not mounted looks like one."""
    update(photos, place, Colours())
    shutil.rmtree(photos)
    photos.mkdir()
    with pytest.raises(UserError, match=r"holds no pictures: .* is left as it is"):
        update(photos, place, Colours())
    assert len(content(place)) == 12


def test_an_untidy_index_is_rewritten_and_strangers_files_stay(photos: Path, place: Path) -> None:
    model = Colours()
    update(photos, place, model)
    (place / "files-of-mine.jsonl").write_text("mine")
    before = content(place)
    for path in sorted((photos / "winter").iterdir())[:4]:
        path.unlink()
    assert counts(update(photos, place, model)) == {"removed": 4, "unchanged": 8}
    assert {p.name for p in place.iterdir()} == {
        *(".lock", "index.json", "files-1.jsonl", "vectors-1.f32", "files-of-mine.jsonl")
    }
    assert (place / "vectors-1.f32").stat().st_size == 8 * 8 * 4
    assert content(place) == {name: vector for name, vector in before.items() if (photos / name).is_file()}
    shoot(photos / "more.png", seed=99)
    assert counts(update(photos, place, model)) == {"added": 1, "unchanged": 8}


def test_beyond_a_size_searches_are_approximate_and_say_so(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near, "FLAT", 50)
    monkeypatch.setattr(updating, "FLAT", 50)
    photos, model = album(tmp_path / "many", 80), Colours()
    told = update(photos, place, model)
    assert told.recall is not None
    assert set(told.recall) == {"sentences", "pictures"}
    assert "searches are approximate" in str(told)
    index = Index(place)
    assert index.inverted(10) is not None
    assert index.inverted(near.FEW + 1) is None
    found = index.nearest(model.texts(["blue"]), 5)
    assert all("blue" in index.names_of(row)[0] for row in found.rows[0].tolist())
    shoot(photos / "one more.png", "blue", seed=500)
    update(photos, place, model)
    assert Index(place).about.inverted == index.about.inverted
    for path in place.glob("*.faiss"):
        path.unlink()
    with pytest.raises(UserError, match="is damaged"):
        Index(place).nearest(model.texts(["blue"]), 5)
    update(photos, place, model)
    assert Index(place).nearest(model.texts(["blue"]), 5).rows.shape == (1, 5)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda p: (p / "index.json").write_text("{"), "index.json"),
        (lambda p: (p / "index.json").write_text("[]"), "index.json"),
        (lambda p: (p / "index.json").write_text('{"version": 99}'), "version 99, this program reads 1"),
        (lambda p: (p / "vectors-0.f32").write_bytes(b"12"), "holds 0 vectors, files-0.jsonl names 12"),
        (lambda p: (p / "vectors-0.f32").unlink(), "holds 0 vectors"),
        (lambda p: (p / "files-0.jsonl").unlink(), "names 0"),
        (lambda p: (p / "files-0.jsonl").write_text("no json\n"), "files-0.jsonl"),
        (lambda p: (p / "files-0.jsonl").write_text('{"size": 3}\n'), "a line without a name"),
        (lambda p: (p / "files-0.jsonl").write_bytes(b"\xff\x00\n" * 9), "files-0.jsonl"),
    ],
)
def test_a_damaged_index_is_told_and_made_again(
    harm: Callable[[Path], object], told: str, photos: Path, place: Path
) -> None:
    update(photos, place, Colours())
    harm(place)
    for read in (Index, lambda p: update(photos, p, Colours())):
        with pytest.raises(UserError, match=told) as caught:
            read(place)
        assert "--again" in str(caught.value)
    assert update(photos, place, Colours(), again=True).pictures == 12


def test_where_nothing_can_be_written_it_says_so(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"cannot write to .*: .*; make room or rights there, or choose another place"):
        update(photos, tmp_path / "file" / "index", Colours())


def test_a_full_disk_costs_nothing_that_was_committed(
    photos: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updating, "SHARD", 4)
    monkeypatch.setattr(updating, "BATCH", 4)
    sync, calls = os.fsync, [0]

    def full(handle: int) -> None:
        calls[0] += 1
        if calls[0] == 7:  # after index.json's two and those of two commits
            raise OSError(28, "No space left on device")
        sync(handle)

    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        update(photos, place, Colours())
    monkeypatch.undo()
    kept = len(content(place))
    model = Colours()
    assert update(photos, place, model).pictures == 12
    assert model.embedded == 12 - kept
    assert 0 < kept < 12


def test_a_model_that_makes_no_numbers_is_refused(photos: Path, place: Path) -> None:
    class Diverged(Colours):
        def pictures(self, pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> near.Vectors:
            return super().pictures(pixels) * np.float32(np.nan)

    with pytest.raises(UserError, match="colours makes no finite vectors"):
        update(photos, place, Diverged())
