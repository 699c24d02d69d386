"""Lexicons: words with their pronunciations, split into train, validation and test.

`read` takes a person's own file: two columns, the pronunciation with its symbols separated by spaces, then the word,
one pair a line, separated by a tab (or a comma). A folder holds ``train``, ``valid`` and ``test`` files of that form; a
single file is split here. By its id a lexicon is loaded in `catalogue`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from workings.core.errors import UserError
from workings.core.study import Dataset

HELD_OUT = 12
"""One word in twelve is for validation and one for test: the proportions of the course's split."""
SPLITS = ("train", "valid", "test")


class Pair(NamedTuple):
    """A pronunciation and a spelling."""

    phonemes: tuple[str, ...]
    word: str


@dataclass(frozen=True)
class Lexicon:
    """Pairs in three splits, and what evidence says of them."""

    dataset: Dataset
    train: tuple[Pair, ...]
    valid: tuple[Pair, ...]
    test: tuple[Pair, ...]

    def limited(self, train: int) -> "Lexicon":
        """The first `train` training pairs, and a tenth as many pairs of each held-out split."""
        return Lexicon(self.dataset, self.train[:train], self.valid[: train // 10], self.test[: train // 10])


def read(path: Path, known: tuple[Dataset, ...] = ()) -> Lexicon:
    """A person's own lexicon, from a file or a folder; one of the `known` is recognised by its content."""
    return _read(path.absolute(), _stamp(path), known)


@lru_cache(maxsize=4)
def _read(path: Path, stamp: tuple[int, ...], known: tuple[Dataset, ...]) -> Lexicon:
    if path.is_dir():
        files = [_split_file(path, split) for split in SPLITS]
        splits = tuple(tuple(read_pairs(file)) for file in files)
    else:
        splits = split_by_word(read_pairs(path))
    for name, pairs in zip(SPLITS, splits, strict=True):
        if not pairs:
            raise UserError(f"{path} leaves no pairs for {name}: a lexicon of one file needs some dozens of words")
    content = content_hash(splits)
    own = Dataset(f"own:{path.stem}", f"{path.name} (a lexicon of one's own)", content)
    return Lexicon(next((d for d in known if d.content == content), own), *splits)


def _split_file(folder: Path, split: str) -> Path:
    for suffix in (".tsv", ".txt", ".csv"):
        if (folder / f"{split}{suffix}").is_file():
            return folder / f"{split}{suffix}"
    raise UserError(f"{folder} holds no {split}.tsv: a lexicon's folder holds {', '.join(f'{s}.tsv' for s in SPLITS)}")


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a two-column file; a row that is none is a `UserError` that names file and line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    separator = "\t" if "\t" in text else ","
    pairs = []
    for number, line in enumerate(text.splitlines(), start=1):
        cells = [cell.strip() for cell in line.split(separator)]
        if not any(cells):
            continue
        if len(cells) != 2 or not all(cells):
            raise UserError(f"{path}, line {number}: expected a pronunciation, a tab and a word, found {line[:80]!r}")
        pairs.append(Pair(tuple(cells[0].split()), cells[1]))
    if not pairs:
        raise UserError(f"{path} holds no pairs: a line is a pronunciation, a tab and a word")
    return pairs


def split_by_word(pairs: Iterable[Pair]) -> tuple[tuple[Pair, ...], ...]:
    """Train, validation and test, by a hash of the word: all pronunciations of a word fall into one split.

    The order within a split is by the same hash, so that the first pairs of it are a fair sample.
    """
    splits: tuple[list[tuple[int, Pair]], ...] = ([], [], [])
    for pair in pairs:
        number = int.from_bytes(hashlib.sha256(pair.word.casefold().encode()).digest()[:8])
        share, order = number % HELD_OUT, number // HELD_OUT
        splits[{0: 1, 1: 2}.get(share, 0)].append((order, pair))
    return tuple(tuple(pair for _, pair in sorted(split)) for split in splits)


def content_hash(splits: Sequence[Sequence[Pair]]) -> str:
    """Hash of the pairs themselves, in order: independent of file names, separators and line ends."""
    digest = hashlib.sha256()
    for pairs in splits:
        for pair in pairs:
            digest.update(f"{' '.join(pair.phonemes)}\t{pair.word}\n".encode())
        digest.update(b"\f")
    return digest.hexdigest()[:16]


def _stamp(path: Path) -> tuple[int, ...]:
    """Changes when a file does, so that a cached lexicon is never an old one."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return tuple(n for f in files if f.is_file() for n in (f.stat().st_mtime_ns, f.stat().st_size))
