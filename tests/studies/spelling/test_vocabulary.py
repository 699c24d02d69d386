"""Symbols and their numbers."""

from hypothesis import given
from hypothesis import strategies as st

from workings.studies.spelling.vocabulary import END, PAD, SPECIAL, UNKNOWN, Vocabulary

SEQUENCES = st.lists(st.lists(st.text("abcæʃ", min_size=1, max_size=2).map(str), max_size=5), max_size=5)


def test_symbols_are_numbered_in_order_after_the_four_special_ones() -> None:
    vocabulary = Vocabulary.of([("t", "a"), ("a", "t͡ʃ")])
    assert vocabulary.symbols == ("a", "t", "t͡ʃ")
    assert vocabulary.encode(["t͡ʃ", "a", "t"]) == [6, 4, 5]
    assert len(vocabulary) == 7


@given(sequences=SEQUENCES)
def test_what_was_shown_comes_back(sequences: list[list[str]]) -> None:
    vocabulary = Vocabulary.of(sequences)
    for sequence in sequences:
        numbers = vocabulary.encode(sequence)
        assert not vocabulary.unknown(sequence)
        assert vocabulary.decode([*numbers, END, PAD, PAD]) == tuple(sequence)


def test_what_was_not_shown_is_unknown_and_named() -> None:
    vocabulary = Vocabulary.of([("a", "b")])
    assert vocabulary.encode(["a", "z", "b"]) == [4, UNKNOWN, 5]
    assert vocabulary.unknown(["a", "z", "b", "z"]) == ["z", "z"]
    assert vocabulary.decode([4, UNKNOWN]) == ("a", "�")


def test_a_symbol_that_looks_like_a_special_one_is_a_symbol() -> None:
    vocabulary = Vocabulary.of([(SPECIAL[END],)])
    assert vocabulary.decode(vocabulary.encode([SPECIAL[END]])) == (SPECIAL[END],)
