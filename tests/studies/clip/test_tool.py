"""The verbs on a folder of photographs: what they find, what they write, and what they refuse."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studies.clip.colours import Colours, album, shoot
from workings.cli import main
from workings.core.errors import UserError
from workings.studies.clip import tool
from workings.studies.clip.search.finding import place_of


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> dict[str | None, Colours]:
    """The models that can be loaded, by name; None is the best here."""
    known: dict[str | None, Colours] = {None: Colours(), "turned": Colours("turned", seed=1)}

    def load(model: str | None) -> Colours:
        if model not in known:
            raise UserError(f"{model} is no model")
        return known[model]

    def export(run: str | None, folder: Path) -> Colours:
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        return load(run)

    monkeypatch.setitem(sys.modules, "workings.studies.clip.embedder", SimpleNamespace(load=load, export=export))
    return known


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return album(tmp_path / "photos")


@pytest.fixture
def indexed(photos: Path, models: dict[str | None, Colours]) -> Path:
    tool.index(photos)
    return photos


def test_the_index_lies_in_the_run_store_never_among_the_photographs(
    indexed: Path, home: Path, tmp_path: Path, models: dict[str | None, Colours]
) -> None:
    assert {path.suffix for path in indexed.rglob("*") if path.is_file()} == {".png"}
    assert (home / "indexes" / place_of(indexed).name / "index.json").is_file()
    told = tool.index(indexed, into=tmp_path / "elsewhere")
    assert told.index == str(tmp_path / "elsewhere")
    assert told.added == 12


def test_words_find_photographs(indexed: Path, models: dict[str | None, Colours]) -> None:
    found = tool.search(("something", " blue"), top=3)
    assert found.query == "something blue"
    assert [hit.rank for hit in found.hits] == [1, 2, 3]
    assert all("blue" in hit.file for hit in found.hits)
    expected = (
        Colours().texts(["blue"])[0]
        @ Colours().pictures(
            np.stack([np.asarray(Image.open(indexed / found.hits[0].file).crop((5, 0, 35, 30)).resize((16, 16)))])
        )[0]
    )
    assert found.hits[0].similarity == pytest.approx(expected, abs=1e-2)
    assert "3 of 12 pictures, by colours" in str(found)
    assert len(tool.search(("red",), top=99).hits) == 12


def test_a_picture_finds_its_like_and_not_itself_nor_its_copies(
    indexed: Path, tmp_path: Path, models: dict[str | None, Colours]
) -> None:
    shutil.copy(indexed / "winter" / "red 0000.png", indexed / "copy.png")
    tool.index(indexed)
    models.clear()  # of a picture that is in the index no model is needed
    found = tool.like(indexed / "winter" / "red 0000.png", top=12)
    assert len(found.hits) == 11
    assert {hit.file for hit in found.hits[:2]} == {"winter/red 0004.png", "winter/red 0008.png"}
    assert tool.like(Path("winter/red 0000.png"), top=12).hits == found.hits
    models[None] = Colours()
    strange = tool.like(shoot(tmp_path / "strange.png", "yellow", seed=321), top=3)
    assert all("yellow" in hit.file for hit in strange.hits)


def test_copies_share_a_rank(indexed: Path) -> None:
    shutil.copy(indexed / "winter" / "red 0000.png", indexed / "copy.png")
    tool.index(indexed)
    found = tool.search(("red",), top=12)
    (hit,) = [hit for hit in found.hits if hit.copies]
    assert (hit.file, hit.copies) == ("copy.png", ("winter/red 0000.png",))
    assert "(and 1 with the same bytes)" in str(found)


def test_files_that_are_gone_are_passed_over_and_told(indexed: Path) -> None:
    for path in (indexed / "winter").glob("red*"):
        path.unlink()
    found = tool.search(("red",), top=3)
    assert len(found.hits) == 3
    assert len(found.gone) == 3
    assert "are gone since: `workings use clip index" in str(found)


@pytest.mark.parametrize("name", ["out/sheet.html", "out/sheet.png", "out/results.json"])
def test_what_was_found_is_written_as_the_suffix_says(name: str, indexed: Path, tmp_path: Path) -> None:
    found = tool.search(("green",), top=2, output=tmp_path / name)
    content = (tmp_path / name).read_bytes()
    assert found.output == str(tmp_path / name)
    if name.endswith("json"):
        assert [hit["file"] for hit in json.loads(content)["hits"]] == [hit.file for hit in found.hits]
    else:
        assert content.startswith(b"<!doctype html>" if name.endswith("html") else b"\x89PNG")
    tool.like(indexed / found.hits[0].file, top=2, output=tmp_path / name)
    assert (tmp_path / name).read_bytes() != content


def test_which_index_is_meant(indexed: Path, tmp_path: Path, models: dict[str | None, Colours]) -> None:
    other = album(tmp_path / "other", 4)
    tool.index(other)
    with pytest.raises(UserError, match=r"there are 2 indexes, name one by --photos: .*pictures") as caught:
        tool.search(("red",))
    assert f"{other} (4 pictures)" in str(caught.value)
    assert tool.search(("red",), photos=other).pictures == 4
    assert tool.search(("red",), index=place_of(indexed)).pictures == 12
    with pytest.raises(UserError, match="not both"):
        tool.search(("red",), photos=other, index=place_of(indexed))
    with pytest.raises(UserError, match="has no index: `workings use clip index"):
        tool.search(("red",), photos=tmp_path)


def test_labels_are_told_apart_by_the_mean_of_their_sentences(indexed: Path, models: dict[str | None, Colours]) -> None:
    names = [str(indexed / "winter" / "red 0000.png"), str(indexed / "été 夏" / "green 0001.png")]
    told = tool.classify(tuple(names), labels=("red,blue", "green"), template=("a {}", "the {} one"))
    assert [photo.guesses[0].label for photo in told.photos] == ["red", "green"]
    for photo in told.photos:
        assert sum(guess.probability for guess in photo.guesses) == pytest.approx(1, abs=1e-5)
    model = Colours()
    similar = model.pictures(np.asarray(Image.open(names[0]).crop((5, 0, 35, 30)).resize((16, 16)))[None]) @ np.stack(
        [model.texts([label])[0] for label in ("red", "blue", "green")], axis=1
    )
    shares = np.exp(model.scale * similar[0]) / np.exp(model.scale * similar[0]).sum()
    assert {g.label: g.probability for g in told.photos[0].guesses}["red"] == pytest.approx(shares[0], abs=0.02)
    assert "red 0000.png" in str(told)
    assert tool.classify(("chelsea",), labels=("red", "blue")).photos[0].photo == "chelsea"


def test_an_index_remembers_its_model(photos: Path, models: dict[str | None, Colours]) -> None:
    tool.index(photos, model="turned")
    assert tool.search(("red",)).model == "turned"
    assert tool.index(photos).unchanged == 12
    models["turned"] = Colours("another", seed=2)
    for ask in (lambda: tool.search(("red",)), lambda: tool.index(photos)):
        with pytest.raises(UserError, match=r"was made with turned .*, this is another .*--model turned.*--again"):
            ask()
    assert tool.index(photos, model="turned", again=True).model == "another"


def test_the_best_run_is_remembered_by_its_id(photos: Path, models: dict[str | None, Colours]) -> None:
    best = models["0123456789ab"] = models[None]
    best.origin = {"run": "0123456789ab"}  # type: ignore[attr-defined]
    tool.index(photos)
    models[None] = Colours("better", seed=3)
    assert tool.search(("red",)).model == "colours"


def test_a_model_directory_is_written(tmp_path: Path, models: dict[str | None, Colours]) -> None:
    told = tool.export(tmp_path / "model", run="turned")
    assert (told.model, told.files) == ("turned", ("config.json",))
    assert "turned; config.json" in str(told)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda p: tool.search(()), "the query is empty"),
        (lambda p: tool.search((" ", "")), "the query is empty"),
        (lambda p: tool.search(("red",), top=0), "top is 0: ask for 1"),
        (lambda p: tool.search(("red",), top=-3), "top is -3"),
        (lambda p: tool.search(("red",), output=p / "s.pdf"), "name it .html, .png or .json"),
        (lambda p: tool.search(("red",), output=p / "winter" / "red 0000.png" / "s.png"), "cannot write to"),
        (lambda p: tool.search(("red",), output=p / "winter" / "red 0000.png" / "s.html"), "cannot write to"),
        (lambda p: tool.search(("red",), index=p), "holds no index: `workings use clip index"),
        (lambda p: tool.search(("red",), model="unknown"), "unknown is no model"),
        (lambda p: tool.search(("red",), model="turned"), "was made with colours .*, this is turned"),
        (lambda p: tool.like(p / "none.png"), "none.png is not there, nor in"),
        (lambda p: tool.like(p / "winter"), "winter is not there"),
        (lambda p: tool.like(Path(__file__)), "is no picture: name a picture"),
        (lambda p: tool.classify(()), "give the photographs"),
        (lambda p: tool.classify(("chelsea",)), "0 labels: give two at least"),
        (lambda p: tool.classify(("chelsea",), labels=("dog",)), "1 label: give two"),
        (lambda p: tool.classify(("chelsea",), labels=("dog,,cat",)), "'dog,,cat' is empty"),
        (lambda p: tool.classify(("chelsea",), labels=("dog,cat", "dog")), "the label 'dog' is given twice"),
        (lambda p: tool.classify(("chelsea",), labels=("a,b",), template=("a photo",)), "'a photo' has no {}"),
        (lambda p: tool.classify((__file__,), labels=("a,b",)), "is no picture: name a picture"),
        (lambda p: tool.classify(("chelse",), labels=("a,b",)), "did you mean 'chelsea'"),
        (lambda p: tool.index(p / "nowhere"), "nowhere is not there: name a folder"),
        (lambda p: tool.index(p / "winter" / "red 0000.png"), "is no folder: name a folder"),
        (lambda p: tool.index(p, into=p / "winter" / "red 0000.png"), "cannot write to"),
        (lambda p: tool.index(p / "winter", into=place_of(p)), "is the index of .*, not of .*winter"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(ask: Callable[[Path], Any], told: str, indexed: Path) -> None:
    with pytest.raises(UserError, match=told) as caught:
        ask(indexed)
    assert "\n" not in str(caught.value)


def test_before_anything_is_indexed_it_says_how(models: dict[str | None, Colours], tmp_path: Path, home: Path) -> None:
    with pytest.raises(UserError, match="there is no index here: `workings use clip index PHOTOS` makes one"):
        tool.search(("red",))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no pictures"):
        tool.index(tmp_path / "empty")
    (tmp_path / "empty" / "broken.png").write_bytes(b"")
    assert tool.index(tmp_path / "empty").pictures == 0
    assert tool.search(("red",)).hits == ()
    assert "no picture is left" in str(tool.search(("red",)))


def test_from_the_command_line(
    photos: Path, models: dict[str | None, Colours], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*words: str) -> str:
        assert main(["use", "clip", *words]) == 0
        return capsys.readouterr().out

    assert "12 pictures of" in said("index", str(photos))
    assert len(json.loads(said("search", "two", "red", "things", "--top", "3", "--json"))["hits"]) == 3
    page = tmp_path / "sheet.html"
    assert f"sheet: {page}" in said("search", "red things", "--top=2", "--to", str(page))
    assert page.is_file()
    assert "rank" in said("like", str(photos / "winter" / "red 0000.png"), "--photos", str(photos))
    red = str(photos / "winter" / "red 0000.png")
    told = said("classify", red, "chelsea", "--labels", "red,blue", "--template", "a {}", "--template", "the {}")
    assert "red 0000.png" in told
    assert main(["use", "clip", "search", "--top", "0", "red"]) == 2
    assert capsys.readouterr().err == "workings: top is 0: ask for 1 picture at least\n"
    assert main(["use", "clip", "index", str(photos), "--agian"]) == 2
    assert "12 added" in said("index", str(photos), "--again")
