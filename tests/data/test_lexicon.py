"""A person's own lexicon: what is read, how it is split, and what a bad file is told."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workings.core.errors import UserError
from workings.core.study import Dataset
from workings.data.catalogue import load_lexicon as load
from workings.data.lexicon import SPLITS, Lexicon, Pair, content_hash, read, read_pairs, split_by_word

CHAPLET = Pair(("t͡ʃ", "æ", "p", "l", "ə", "t"), "chaplet")
CAT = Pair(("k", "æ", "t"), "cat")
ROWS = [("t͡ʃ æ p l ə t", "chaplet"), ("k æ t", "cat")]


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        "t͡ʃ æ p l ə t\tchaplet\nk æ t\tcat\n",
        "t͡ʃ æ p l ə t,chaplet\nk æ t,cat\n",
        "\ufefft͡ʃ æ p l ə t\tchaplet\nk æ t\tcat\n",
        "t͡ʃ æ p l ə t\tchaplet\r\nk æ t\tcat\r\n",
        "\n\nt͡ʃ æ p l ə t\tchaplet\n   \n\t\nk æ t\tcat\n\n",
        "t͡ʃ æ p l ə t\tchaplet\nk æ t\tcat",
        "  t͡ʃ  æ p l ə t \t chaplet \nk æ t\tcat \n",
    ],
    ids=["tabs", "commas", "byte-order mark", "CRLF", "empty lines", "no last line end", "spaces around"],
)
def test_two_columns_are_read_however_they_are_written(content: str, tmp_path: Path) -> None:
    assert read_pairs(written(tmp_path / "words.tsv", content)) == [CHAPLET, CAT]


def test_a_comma_or_a_quote_may_be_part_of_a_word_where_tabs_separate(tmp_path: Path) -> None:
    path = written(tmp_path / "words.tsv", 'a b\tone, two\nc\t"quoted\n')
    assert [pair.word for pair in read_pairs(path)] == ["one, two", '"quoted']


@pytest.mark.parametrize(
    "row", ["chaplet", "k æ t\tcat\tnoun", "\tcat", "k æ t\t", "k æ t cat"], ids=lambda row: repr(row)
)
def test_a_row_that_is_no_pair_is_named_by_file_and_line(row: str, tmp_path: Path) -> None:
    path = written(tmp_path / "words.tsv", f"k æ t\tcat\n\n{row}\n")
    with pytest.raises(UserError) as caught:
        read_pairs(path)
    assert f"{path}, line 3: expected a pronunciation, a tab and a word, found {row!r}" in str(caught.value)


def test_a_giant_row_is_not_repeated_in_full(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read_pairs(written(tmp_path / "words.tsv", "x" * 300_000))
    assert len(str(caught.value)) < 400


def test_a_file_that_is_not_utf_8_is_told_so_and_where(tmp_path: Path) -> None:
    path = written(tmp_path / "words.tsv", b"k \xe6 t\tcat\n")
    with pytest.raises(UserError, match=r"words\.tsv is not UTF-8 text \(byte 2\): save it as UTF-8"):
        read_pairs(path)


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_a_file_without_pairs_is_told_so(content: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"words\.tsv holds no pairs"):
        read_pairs(written(tmp_path / "words.tsv", content))


def test_a_single_file_with_too_few_words_names_the_empty_split(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"words\.tsv leaves no pairs for (valid|test).*some dozens of words"):
        read(written(tmp_path / "words.tsv", "k æ t\tcat\n"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, split in enumerate(SPLITS):
        written(tmp_path / f"{split}.tsv", f"a b\tword{number}\n")
    return tmp_path


def test_a_folder_s_own_split_is_kept(folder: Path) -> None:
    lexicon = read(folder)
    assert [split[0].word for split in (lexicon.train, lexicon.valid, lexicon.test)] == ["word0", "word1", "word2"]


@pytest.mark.parametrize("split", SPLITS)
def test_a_folder_without_one_of_its_splits_names_it(split: str, folder: Path) -> None:
    (folder / f"{split}.tsv").unlink()
    with pytest.raises(UserError, match=rf"holds no {split}\.tsv"):
        read(folder)


def test_a_changed_file_is_read_again(folder: Path) -> None:
    before = read(folder).dataset
    written(folder / "test.tsv", "a b c\tanother\n")
    assert read(folder).dataset.content != before.content


def test_an_own_lexicon_is_named_after_its_file_and_known_by_its_content(folder: Path, tmp_path: Path) -> None:
    dataset = read(folder).dataset
    assert dataset.id == f"own:{folder.stem}"
    assert len(dataset.content) == 16


@pytest.mark.parametrize(
    ("name", "hint"), [("cmudcit", "did you mean 'cmudict'"), ("/no/such/file", "two-column file")]
)
def test_a_name_that_is_no_lexicon_gets_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UserError, match=hint):
        load(name)


# ---- splitting one file ----

PAIRS = st.lists(
    st.builds(Pair, st.lists(st.sampled_from("abc"), min_size=1, max_size=2).map(tuple), st.text("abAB", max_size=3)),
    max_size=60,
)


@given(pairs=PAIRS)
def test_a_split_loses_nothing_and_no_word_is_in_two_of_them(pairs: list[Pair]) -> None:
    splits = split_by_word(pairs)
    assert sorted(pair for split in splits for pair in split) == sorted(pairs)
    words = [{pair.word.casefold() for pair in split} for split in splits]
    assert sum(map(len, words)) == len(set.union(*words))


@given(pairs=PAIRS, order=st.randoms(use_true_random=False))
def test_a_split_does_not_depend_on_the_order_of_the_file(pairs: list[Pair], order: object) -> None:
    shuffled = list(pairs)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert split_by_word(shuffled) == split_by_word(pairs)


def test_a_twelfth_of_the_words_is_for_validation_and_as_many_for_test() -> None:
    splits = split_by_word(Pair(("a",), f"word{n}") for n in range(12_000))
    # Standard deviation √(12000 · 1/12 · 11/12) = 30: four of them, on both sides.
    assert all(abs(len(split) - 1_000) < 120 for split in splits[1:])


def test_the_order_of_a_split_is_no_alphabet() -> None:
    train = split_by_word(Pair(("a",), f"word{n:03}") for n in range(200))[0]
    assert list(train) != sorted(train, key=lambda pair: pair.word)


# ---- knowing a lexicon by its content ----


def as_tabs(rows: Sequence[tuple[str, str]]) -> str:
    return "".join(f"{p}\t{w}\n" for p, w in rows)


def as_commas(rows: Sequence[tuple[str, str]]) -> str:
    return "".join(f"{p},{w}\n" for p, w in rows)


def as_windows(rows: Sequence[tuple[str, str]]) -> str:
    return "\ufeff" + "\r\n".join(f" {p.replace(' ', '  ')}\t{w}" for p, w in rows)


@pytest.mark.parametrize("form", [as_commas, as_windows])
def test_the_content_s_name_is_independent_of_separators_and_line_ends(
    form: Callable[[Sequence[tuple[str, str]]], str], tmp_path: Path
) -> None:
    names = [content_hash([read_pairs(written(tmp_path / f"{f.__name__}.txt", f(ROWS)))]) for f in (as_tabs, form)]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    "other",
    [
        [[CAT, CHAPLET], []],
        [[CHAPLET], [CAT]],
        [[CHAPLET], []],
        [[CHAPLET, Pair(("k", "æt"), "cat")], []],
        [[CHAPLET, Pair(("k", "æ", "t"), "Cat")], []],
    ],
    ids=["order", "split", "fewer", "symbols", "case"],
)
def test_other_content_has_another_name(other: list[list[Pair]]) -> None:
    assert content_hash(other) != content_hash([[CHAPLET, CAT], []])


def test_a_limited_lexicon_keeps_a_tenth_as_many_held_out_pairs() -> None:
    splits = [[Pair(("a",), f"{name}{n}") for n in range(300)] for name in SPLITS]
    whole = Lexicon(Dataset("own:x", "x", "0"), *map(tuple, splits))
    small = whole.limited(100)
    assert [len(small.train), len(small.valid), len(small.test)] == [100, 10, 10]
    assert small.valid == tuple(splits[1][:10])
