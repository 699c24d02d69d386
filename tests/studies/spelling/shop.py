"""Made-up words, and a store with spellers that were trained on them."""

import random
from dataclasses import dataclass
from pathlib import Path

from workings.core.evidence import Run
from workings.core.runs import RunStore

LETTERS = "abcdefgh"
"""Each is written for one phoneme: its capital."""


def write_lexicon(path: Path, words: int, seed: int = 0) -> Path:
    """A two-column file of made-up words of two to six letters."""
    draw = random.Random(seed)
    spelled = sorted({"".join(draw.choices(LETTERS, k=draw.randint(2, 6))) for _ in range(words)})
    path.write_text("".join(f"{' '.join(word.upper())}\t{word}\n" for word in spelled), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Shop:
    """A store with trained spellers in it."""

    store: RunStore
    speller: Run
    pronouncer: Run
    count: Run
