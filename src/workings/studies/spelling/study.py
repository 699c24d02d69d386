"""Spelling: from phonemes to letters with an encoder and a decoder (ist-2025-hw2, question 3).

Trials compare a speller without attention to one with it, on the same data and seeds; counts of parameters need no
training. Left out of the presets: the reverse direction, which ``--direction pronounce`` trains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from workings.core.config import length, source
from workings.core.study import Dataset, Study

SEEDS = (0, 1, 2)
"""Three: the fewest for which a Student interval over seeds is of any use."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One training, or one count of parameters. The defaults are the sheet's recipe."""

    task: Literal["train", "count"] = "train"
    """train the speller, or only count its parameters for the sheet's symbols (then nothing below `layers` matters)."""
    attention: bool = False
    """Let the decoder attend to the encoder's outputs (question 3.1b)."""
    hidden: int = 128
    """Width of embeddings, decoder and encoder (half of it in each direction)."""
    layers: int = 1
    """LSTM layers on either side; the sheet has one."""
    data: str = source("ist-p2g", role="lexicon")
    """A lexicon: ist-p2g, cmudict, or the path of a two-column file (pronunciation, then word)."""
    direction: Literal["spell", "pronounce"] = "spell"
    """spell: phonemes to letters. pronounce: letters to phonemes."""
    limit: int = 10_000
    """Training pairs at most; held-out splits are cut to a tenth of it. The course has 10,000 and 1,000."""
    dropout: float = 0.3
    """On the embeddings and on the final outputs of encoder and decoder."""
    learning_rate: float = 0.003
    """Adam's step size."""
    batch: int = 64
    """Pairs in a batch."""
    smoothing: float = 0.0
    """Label smoothing: the share of each target spread over all symbols."""
    clip: float | None = None
    """Bound on the norm of the gradient; the sheet has none."""
    decay_epochs: int | None = None
    """Epochs over which the learning rate falls to zero along a cosine; None keeps it."""
    max_length: int = 50
    """Symbols written at most."""
    top_p: float = 0.8
    """Nucleus sampling draws among the likeliest symbols that together have this probability."""
    seed: int = 0
    """Seed of weights, order, dropout and samples."""
    epochs: int = length(20)
    """Passes through the training pairs."""


def instant() -> Sequence[Config]:
    """The two networks of the sheet, counted."""
    return [Config(task="count", attention=attention) for attention in (False, True)]


def smoke() -> Sequence[Config]:
    """Both variants in seconds: small, on a little of the CMU dictionary. Shows that it runs, not what it can."""
    small = Config(data="cmudict", limit=300, hidden=32, epochs=2)
    return [small, replace(small, attention=True)]


def quick() -> Sequence[Config]:
    """Both variants on a part of the CMU dictionary, three seeds each, in three minutes."""
    small = Config(data="cmudict", limit=4_000, epochs=8)
    return [replace(small, attention=attention, seed=seed) for attention, seed in product((False, True), SEEDS)]


def full() -> Sequence[Config]:
    """The sheet's recipe on the course's data, three seeds each, and the stronger model beside it."""
    recipe = [Config(attention=attention, seed=seed) for attention, seed in product((False, True), SEEDS)]
    return [*recipe, *strong()]


def strong() -> Sequence[Config]:
    """The same data and split, a better model: wider, deeper, regularised, trained for longer, decoded with a beam."""
    better = Config(
        attention=True, hidden=256, layers=2, dropout=0.4, smoothing=0.1, clip=1.0, decay_epochs=30, epochs=30
    )
    return [replace(better, seed=seed) for seed in SEEDS]


def datasets(config: Config) -> Mapping[str, Dataset]:
    """The lexicon, unless there is only counting to do."""
    from workings.data.catalogue import load_lexicon

    return {"lexicon": load_lexicon(config.data).dataset} if config.task == "train" else {}


STUDY = Study(
    package=__package__,
    title="Spelling by ear",
    summary="An encoder and a decoder spell words from their phonemes, with and without attention.",
    sources=("ist-2025-hw2/3",),
    config=Config,
    presets=(smoke, quick, full),
    instant=instant,
    data=datasets,
    threads=1,  # measured: the recurrent steps are too small for a second thread to pay
    examples=(
        "workings run spelling --preset full",
        "workings run spelling --attention --data my_words.tsv --epochs 10",
        'workings use spelling spell "K AE T"',
    ),
)
