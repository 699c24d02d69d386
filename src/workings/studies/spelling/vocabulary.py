"""Symbols and their numbers. A vocabulary comes from the training pairs alone; what it lacks is `UNKNOWN`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Int
from torch import Tensor

PAD, START, END, UNKNOWN = range(4)
SPECIAL = ("<pad>", "<start>", "<end>", "<unknown>")


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of one side, numbered from 4 in alphabetical order after the special ones."""

    symbols: tuple[str, ...]

    @classmethod
    def of(cls, sequences: Iterable[Sequence[str]]) -> "Vocabulary":
        """Every symbol that occurs."""
        return cls(tuple(sorted({symbol for sequence in sequences for symbol in sequence})))

    def __len__(self) -> int:
        return len(SPECIAL) + len(self.symbols)

    def encode(self, sequence: Sequence[str]) -> list[int]:
        """Numbers of the symbols; unseen ones become `UNKNOWN`."""
        return [self._numbers.get(symbol, UNKNOWN) for symbol in sequence]

    def decode(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """Symbols up to the end mark; an unknown one is written �."""
        found = []
        for number in numbers:
            if number == END:
                break
            found.append(self.symbols[number - len(SPECIAL)] if number >= len(SPECIAL) else "�")
        return tuple(found)

    def unknown(self, sequence: Sequence[str]) -> list[str]:
        """The symbols of a sequence that the training pairs never showed."""
        return [symbol for symbol in sequence if symbol not in self._numbers]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {symbol: n for n, symbol in enumerate(self.symbols, start=len(SPECIAL))}


def pad(sequences: Sequence[Sequence[int]], start: bool = False) -> Int[Tensor, "batch length"]:
    """Sequences as rows, each closed by the end mark, padded to the longest; with `start`, opened by the start mark."""
    rows = [[*([START] if start else []), *row, END] for row in sequences]
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[PAD] * (longest - len(row))] for row in rows])
