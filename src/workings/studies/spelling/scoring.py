"""How wrong a spelling is: edit distance in symbols, and from it the character and word error rates.

    CER = Σ edit distance / Σ length of the right answer        WER = share of words that are not entirely right

Both are taken over the whole test set, not averaged over words, as in the sheet. Distances come from rapidfuzz.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist


def edit_distances(written: Sequence[Sequence[str]], right: Sequence[Sequence[str]]) -> Int[np.ndarray, " words"]:
    """Levenshtein distance of each pair, in symbols (letters of a word, or phonemes)."""
    return np.asarray(cpdist(list(written), list(right), scorer=Levenshtein.distance, dtype=np.int32))


def character_error_rate(distances: Int[np.ndarray, " words"], lengths: Int[np.ndarray, " words"]) -> float:
    """Errors per symbol of the right answers."""
    return float(distances.sum() / lengths.sum())


def word_error_rate(distances: Int[np.ndarray, "*samples words"]) -> float:
    """Share of words with any error. For several samples a word, ``[samples, words]``, all must be wrong (WER@n)."""
    return float((np.atleast_2d(distances) > 0).all(axis=0).mean())
