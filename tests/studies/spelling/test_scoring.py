"""Error rates against jiwer, and against a table worked by hand."""

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workings.studies.spelling.scoring import character_error_rate, edit_distances, word_error_rate

BY_HAND = [
    ("kitten", "sitting", 3),  # k→s, e→i, +g
    ("cat", "cat", 0),
    ("", "cat", 3),
    ("cat", "", 3),
    ("ca", "ac", 2),  # no transpositions
    ("café", "cafe", 1),
]


def test_distances_are_those_counted_by_hand() -> None:
    written, right, expected = zip(*BY_HAND, strict=True)
    assert edit_distances(written, right).tolist() == list(expected)


def test_a_phoneme_of_two_signs_is_one_symbol() -> None:
    assert edit_distances([("t͡ʃ", "æ")], [("æ",)]).tolist() == [1]


def test_rates_are_taken_over_the_whole_set() -> None:
    distances, lengths = np.array([3, 0, 1]), np.array([3, 5, 2])
    assert character_error_rate(distances, lengths) == pytest.approx(4 / 10)
    assert word_error_rate(distances) == pytest.approx(2 / 3)


def test_of_several_samples_one_right_one_is_enough() -> None:
    samples = np.array([[0, 2, 1, 1], [3, 0, 1, 2], [0, 1, 2, 4]])
    assert word_error_rate(samples) == 0.5
    assert [word_error_rate(sample) for sample in samples] == [0.75, 0.75, 0.75]


WORDS = st.text("abcdé", min_size=1, max_size=8)


@given(pairs=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=20))
def test_rates_are_jiwer_s(pairs: list[tuple[str, str]]) -> None:
    right, written = (list(side) for side in zip(*pairs, strict=True))
    distances = edit_distances([tuple(w) for w in written], [tuple(r) for r in right])
    lengths = np.array([len(word) for word in right])
    assert character_error_rate(distances, lengths) == pytest.approx(jiwer.cer(right, written))
    assert word_error_rate(distances) == pytest.approx(jiwer.wer(right, written))
