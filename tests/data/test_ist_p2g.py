"""The course's lexicon: recognised by content alone, refused where altered, and counted."""

import shutil
from pathlib import Path

import pytest

from workings.core.errors import UserError
from workings.core.study import Trial
from workings.data import catalogue, ist_p2g
from workings.data.catalogue import load_lexicon as load
from workings.data.lexicon import Lexicon
from workings.studies.spelling.study import STUDY, Config

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The course's files, where this checkout lies beside them."""
    if not (SHARED / ist_p2g.FOLDER).is_dir():
        pytest.skip(f"the course's lexicon is not at hand ({SHARED / ist_p2g.FOLDER})")
    monkeypatch.setenv("WORKINGS_DATA", str(SHARED))
    return SHARED / ist_p2g.FOLDER


@pytest.fixture
def course(files: Path) -> Lexicon:
    return load(ist_p2g.ID)


def test_without_the_files_the_error_says_where_to_put_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKINGS_DATA", str(tmp_path / "mine"))
    with pytest.raises(UserError, match=rf"not at hand: put its train\.tsv.*{tmp_path}/mine/ist_p2g.*--data cmudict"):
        load(ist_p2g.ID)


def test_other_files_in_its_place_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKINGS_DATA", str(tmp_path))
    folder = tmp_path / ist_p2g.FOLDER
    folder.mkdir()
    for split in ("train", "valid", "test"):
        (folder / f"{split}.tsv").write_text("k æ t\tcat\n", encoding="utf-8")
    with pytest.raises(UserError, match=rf"not the course's.*as your own with --data {folder}"):
        load(ist_p2g.ID)


def test_one_altered_letter_is_enough_to_refuse_them(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(files, tmp_path / ist_p2g.FOLDER)
    text = (copy / "test.tsv").read_text(encoding="utf-8")
    (copy / "test.tsv").write_text(text.rstrip("\n")[:-1] + "x\n", encoding="utf-8")
    monkeypatch.setenv("WORKINGS_DATA", str(tmp_path))
    with pytest.raises(UserError, match="not the course's"):
        load(ist_p2g.ID)
    assert load(str(copy)).dataset.id == "own:ist_p2g"


def test_a_copy_anywhere_is_the_same_dataset_and_the_same_trial(files: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(files, tmp_path / "my words")
    assert load(str(copy)).dataset == ist_p2g.KNOWN
    assert Trial.of(STUDY, Config(data=str(copy))).id == Trial.of(STUDY, Config()).id


def test_the_split_has_the_sheet_s_sizes(course: Lexicon) -> None:
    assert [len(course.train), len(course.valid), len(course.test)] == [10_000, 1_000, 1_000]


def test_the_training_file_has_103_phonemes_and_89_letters(course: Lexicon) -> None:
    assert len({p for pair in course.train for p in pair.phonemes}) == 103
    assert len({letter for pair in course.train for letter in pair.word}) == 89


def test_held_out_files_hold_3_phonemes_and_4_letters_that_training_never_shows(course: Lexicon) -> None:
    held_out = [*course.valid, *course.test]
    phonemes, letters = (
        {p for pair in course.train for p in pair.phonemes},
        {letter for pair in course.train for letter in pair.word},
    )
    assert len({p for pair in held_out for p in pair.phonemes} - phonemes) == 3
    assert len({letter for pair in held_out for letter in pair.word} - letters) == 4


def test_some_held_out_words_occur_in_training_with_another_pronunciation(course: Lexicon) -> None:
    train, valid = ({pair.word for pair in split} for split in (course.train, course.valid))
    assert sum(pair.word in train for pair in course.test) == 45
    assert sum(pair.word in train for pair in course.valid) == 42
    assert sum(pair.word in valid for pair in course.test) == 7
    assert not {*course.test, *course.valid} & {*course.train}


def test_the_catalogue_tells_whether_it_is_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKINGS_DATA", str(tmp_path))
    entry = next(entry for entry in catalogue.entries() if entry.id == ist_p2g.ID)
    assert not entry.at_hand
    (tmp_path / ist_p2g.FOLDER).mkdir()
    assert entry.at_hand


def test_getting_what_cannot_be_fetched_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKINGS_DATA", str(tmp_path))
    with pytest.raises(UserError, match="cannot be fetched from here: put the course's"):
        catalogue.get(ist_p2g.ID)


def test_verifying_names_the_content(files: Path) -> None:
    assert "content 7a746d6a9798e24c" in catalogue.verify(ist_p2g.ID)


def test_an_unknown_dataset_gets_a_suggestion() -> None:
    with pytest.raises(UserError, match="did you mean 'ist-p2g'"):
        catalogue.verify("ist-p2")
