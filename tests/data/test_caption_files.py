"""Captions in every form that people have them in, and everything that can be wrong with them."""

import json
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from workings.core.errors import UserError
from workings.data import caption_files
from workings.data.caption_files import content_hash, find, read

SAID = {
    "a.jpg": ["A dog , running .", 'A sign says " Kiss " .'],
    "Ü/b.png": ["Ein Café .", "A bay ; a boat | a pier ."],
}
PAIRS = [(name, said) for name, sentences in SAID.items() for said in sentences]


def quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def table(separator: str, columns: tuple[str, ...] = ("image", "caption")) -> str:
    rows = [separator.join(columns), *(separator.join((name, quoted(said))) for name, said in PAIRS)]
    return "\n".join(rows)


def tokens() -> str:
    return "".join(f"{name}#{at}\t{said}\n" for name, sentences in SAID.items() for at, said in enumerate(sentences))


def coco() -> str:
    names = list(SAID)
    images = [{"id": 70 + at, "file_name": name, "width": 5} for at, name in enumerate(names)]
    return json.dumps(
        {
            "info": {},
            "images": images,
            "annotations": [{"id": 1, "image_id": 70 + names.index(n), "caption": c} for n, c in PAIRS],
        }
    )


FORMS = {
    "a.csv": table(","),
    "quoted header.csv": table(",").replace("image,caption", '"image","caption"'),
    "excel.csv": "\ufeff" + table(";").replace("\n", "\r\n"),
    "spaced.csv": "\n\n" + table(", "),
    "captions.txt": table(","),
    "a.tsv": table("\t", ("File_Name", "Text")),
    "plain.tsv": "image\tcaption\n" + "\n".join("\t".join(pair) for pair in PAIRS),
    "more.csv": "n,comment,path\n" + "\n".join(f"{at},{quoted(c)},./{n}" for at, (n, c) in enumerate(PAIRS)),
    "backslash.csv": table(",").replace("Ü/b", "Ü\\b"),
    "decomposed.csv": table(",").replace("Ü", "U\u0308").replace("é", "e\u0301"),
    "Flickr8k.token.txt": tokens(),
    "results.token": tokens().replace("\n", "\r\n"),
    "list.json": json.dumps([{"image": n, "caption": c} for n, c in PAIRS]),
    "lists.json": json.dumps([{"filename": n, "captions": c} for n, c in SAID.items()]),
    "object.json": json.dumps(SAID),
    "coco.json": coco(),
    "a.jsonl": "\n".join(json.dumps({"file_name": n, "text": c}) for n, c in PAIRS) + "\n",
    "a.ndjson": "\n".join(json.dumps({"file_name": n, "sentences": c}) for n, c in SAID.items()),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_says_the_same(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FORMS[name].encode())
    listing = read(tmp_path / name)
    assert listing.captions == SAID
    assert listing.faults == []
    assert content_hash(listing.captions) == content_hash(SAID)


@pytest.mark.parametrize("kind", ["string", "large_string", "list", "dictionary"])
def test_parquet_says_the_same(kind: str, tmp_path: Path) -> None:
    names, said = zip(*PAIRS, strict=True)
    columns: dict[str, object] = {"other": [1.5] * len(PAIRS), "image": names, "caption": said}
    if kind == "large_string":
        columns["caption"] = pyarrow.array(said, pyarrow.large_string())
    if kind == "dictionary":
        columns["image"] = pyarrow.array(names).dictionary_encode()
    if kind == "list":
        columns = {"image": list(SAID), "captions": list(SAID.values())}
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == (SAID, [])


BAD: dict[str, tuple[str, str | bytes, str]] = {
    "empty": ("a.csv", "", "is empty: write a captions.csv"),
    "blank": ("a.csv", " \n\n\t\n", "is empty"),
    "not UTF-8": ("a.csv", "image,caption\na.jpg,Café".encode("latin-1"), r"is not UTF-8 text \(byte 23\)"),
    "header alone": ("a.csv", "image,caption\n", "holds no captions: write"),
    "columns": (
        "a.csv",
        "picture,words\na,b\n",
        r"has the columns 'picture', 'words'; expected one of image, image_name",
    ),
    "no header": ("a.csv", "a.jpg,A dog\n", "has the columns 'a.jpg', 'A dog'"),
    "one column": ("a.txt", "A dog\n", "has the columns 'A dog'"),
    "open quote": ("a.csv", 'image,caption\na.jpg,"A dog\nb.jpg,B\n', "line 2: unexpected end of data; double quotes"),
    "stray quote": ("a.csv", 'image,caption\n\na.jpg,"A" dog\n', "line 3: .*double quotes inside quotes"),
    "endless cell": ("a.csv", "image,caption\na.jpg," + "x" * 200_000, "line 2: field larger than"),
    "no JSON": ("a.json", "{", r"is no JSON \(Expecting"),
    "deep JSON": ("a.json", "[" * 100_000, "is no JSON"),
    "huge number": ("a.json", "1" * 5_000, "is no JSON"),
    "JSON number": ("a.json", "5", "is JSON of another form"),
    "JSON of objects": ("a.json", '{"a.jpg": {"caption": "x"}}', "is JSON of another form"),
    "JSON list": ("a.json", '["a.jpg"]', "entry 1: expected .* found 'a.jpg'"),
    "JSON columns": ("a.json", '[{"picture": "a.jpg", "caption": "x"}]', "has the columns 'picture', 'caption'"),
    "JSON twice": ("a.json", '{"a.jpg": ["x"], "a.jpg": ["y"]}', "names 'a.jpg' twice"),
    "JSON empty": ("a.json", "[]", "holds no captions"),
    "line no JSON": ("a.jsonl", '{"image": "a", "text": "b"}\n{', "line 2, is no JSON"),
    "COCO twice": (
        "a.json",
        '{"images": [{"id": 1, "file_name": "a"}, {"id": 2, "file_name": "a"}], "annotations": []}',
        "has the image 'a' .* twice",
    ),
    "COCO lost": (
        "a.json",
        '{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 2, "caption": "x"}]}',
        "annotation 1 belongs to none",
    ),
    "COCO image": ("a.json", '{"images": [{"id": 1}], "annotations": []}', "has an id and a file_name"),
    "no Parquet": ("a.parquet", "image,caption", "cannot be read as Parquet"),
    "empty Parquet": ("a.parquet", "", "cannot be read as Parquet"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_cannot_be_understood_is_told_in_one_line(kind: str, tmp_path: Path) -> None:
    name, content, told = BAD[kind]
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UserError, match=told) as error:
        read(tmp_path / name)
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_parquet_of_pictures_is_told_so(tmp_path: Path) -> None:
    columns = {"image": [{"bytes": b"x", "path": "a.jpg"}], "caption": ["A dog"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"the columns image, caption hold struct.*, not text"):
        read(tmp_path / "a.parquet")


def test_a_folder_or_nothing_is_no_file_of_captions(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(UserError, match="is no file of captions"):
            read(path)


def test_a_file_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caption_files, "LARGEST", 10)
    (tmp_path / "a.csv").write_text(table(","))
    with pytest.raises(UserError, match="is larger than"):
        read(tmp_path / "a.csv")


FAULTS = {
    "a.csv": (
        "image,caption\na.jpg,\na.jpg, \t \n",
        ["line 2 has an empty caption for 'a.jpg'", "line 3 has an empty"],
    ),
    "b.csv": ("image,caption\n,A dog\n", ["line 2 names no picture"]),
    "c.csv": ("image,caption\na.jpg,A dog, running\na.jpg\n", ["line 2 has 3 cells, the header 2 (a", "line 3 has 1"]),
    "d.csv": (
        "image,caption\n../a.jpg,A\nb/../../a.jpg,A\n",
        ["line 2 names '../a.jpg', which lies out", "line 3 names"],
    ),
    "e.csv": (
        "image,caption\n/etc/a.jpg,A\nC:\\a.jpg,A\n",
        ["line 2 names '/etc/a.jpg', which", "line 3 names 'C:/a.jpg'"],
    ),
    "f.json": ('[{"image": 5, "caption": "x"}]', ["entry 1 names no picture"]),
    "g.json": (
        '{"a.jpg": [], "b.jpg": [""], "c.jpg": [7]}',
        ["entry 1 has no", "entry 2 has an empty", "entry 3 has an"],
    ),
    "h.json": ('{"images": [{"id": 1, "file_name": "a"}], "annotations": []}', ["image 1 has no caption for 'a'"]),
    "i.token": ("a.jpg#0\tA\nb.jpg@0@B\n", ["line 2 is no name#0, tab and caption: 'b.jpg@0@B'"]),
    "j.csv": ("image,caption\n\x1b[2J/../x,A\n", ["line 2 names '\ufffd[2J/../x'"]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_caption_that_cannot_be_used_is_named_with_its_place(name: str, tmp_path: Path) -> None:
    text, told = FAULTS[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    faults = read(tmp_path / name).faults
    assert len(faults) == len(told)
    assert all(fault.startswith(start) for fault, start in zip(faults, told, strict=True)), faults


def test_half_a_character_becomes_a_question_mark(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a.jpg": ["x\\ud800"]}')
    assert read(tmp_path / "a.json").captions == {"a.jpg": ["x?"]}


def test_the_file_of_captions_is_found_in_its_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no captions: write a captions.csv.*--captions"):
        find(tmp_path)
    (tmp_path / "README.txt").touch()
    (tmp_path / "metadata.jsonl").touch()
    assert find(tmp_path).name == "metadata.jsonl"
    (tmp_path / "other.csv").touch()
    with pytest.raises(UserError, match=r"several files .*metadata\.jsonl, other\.csv.*--captions"):
        find(tmp_path)
    (tmp_path / "captions.txt").touch()
    assert find(tmp_path).name == "captions.txt"
    (tmp_path / "captions.parquet").touch()
    with pytest.raises(UserError, match=r"several files"):
        find(tmp_path)


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: bool(text.strip()))


NAMES = st.from_regex(r"[a-zäöü]{1,8}\.jpg", fullmatch=True)


@given(st.dictionaries(NAMES, st.lists(WORDS, min_size=1, max_size=3), min_size=1))
def test_csv_and_json_agree_on_any_text(tmp_path_factory: pytest.TempPathFactory, said: dict[str, list[str]]) -> None:
    folder = tmp_path_factory.getbasetemp()
    rows = [f"{name},{quoted(text)}" for name, texts in said.items() for text in texts]
    (folder / "a.csv").write_text("\n".join(["image,caption", *rows]), encoding="utf-8")
    (folder / "a.json").write_text(json.dumps(said), encoding="utf-8")
    assert read(folder / "a.csv") == read(folder / "a.json")
