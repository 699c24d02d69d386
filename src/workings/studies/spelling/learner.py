"""What is trained: the sheet's recipe as a `workings.train.loop.Learner`, on pairs of sequences.

Adam on the cross-entropy per written symbol, padding left out; greedy error rates on the validation split choose the
best epoch. Length-sorted batches would be faster; the recipe draws them at random, so this does too.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from workings.data.lexicon import Lexicon, Pair
from workings.studies.spelling.decoding import greedy
from workings.studies.spelling.model import Shape, Speller
from workings.studies.spelling.scoring import character_error_rate, edit_distances, word_error_rate
from workings.studies.spelling.study import Config
from workings.studies.spelling.vocabulary import PAD, Vocabulary, pad
from workings.train.loop import update
from workings.train.runtime import shuffled_batches

EVALUATION_BATCH = 500
"""Words decoded together; more takes memory, not time."""


Sequences = tuple[tuple[str, ...], tuple[str, ...]]
"""What is read and what is to be written."""


class Corpus:
    """A lexicon as pairs of sequences, with the vocabularies of its training pairs."""

    def __init__(self, lexicon: Lexicon, direction: str) -> None:
        self.lexicon = lexicon
        self.train, self.valid, self.test = (
            [_sequences(pair, direction) for pair in split] for split in (lexicon.train, lexicon.valid, lexicon.test)
        )
        self.source = Vocabulary.of(source for source, _ in self.train)
        self.target = Vocabulary.of(target for _, target in self.train)

    @cached_property
    def encoded(self) -> list[tuple[list[int], list[int]]]:
        """The training pairs as numbers."""
        return [(self.source.encode(source), self.target.encode(target)) for source, target in self.train]


@dataclass
class SpellingLearner:
    """The sheet's recipe: Adam, cross-entropy per written symbol, padding left out."""

    config: Config
    corpus: Corpus
    device: torch.device

    def __post_init__(self) -> None:
        shape = shape_of(self.config, len(self.corpus.source), len(self.corpus.target))
        self.model = Speller(shape, self.config.dropout).to(self.device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=self.config.learning_rate)

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The speller."""
        return {"speller": self.model}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """Adam."""
        return {"adam": self.optimizer}

    def batches(self, epoch: int) -> Sequence[Tensor]:
        """Indices of training pairs."""
        return shuffled_batches(len(self.corpus.train), self.config.batch, self.config.seed, epoch)

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        """One step of Adam."""
        pairs = [self.corpus.encoded[i] for i in batch.tolist()]
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * self._decay(at)
        loss = self._loss([p[0] for p in pairs], [p[1] for p in pairs], self.config.smoothing)
        update(self.optimizer, loss, self.config.clip)
        return {"loss": loss}

    @torch.no_grad()
    def evaluate(self) -> Mapping[str, float]:
        """Greedy error rates on the validation split, and its loss."""
        distances, lengths = self.distances(self.corpus.valid, self.greedy(self.corpus.valid))
        return {
            "validation/loss": self._validation_loss(),
            "validation/cer": character_error_rate(distances, lengths),
            "validation/wer": word_error_rate(distances),
        }

    def greedy(self, pairs: Sequence[Sequences]) -> list[tuple[str, ...]]:
        """Greedy spellings."""
        return self.decode(pairs, lambda source: greedy(self.model, source, self.config.max_length))

    @torch.no_grad()
    def decode(self, pairs: Sequence[Sequences], method: Any) -> list[tuple[str, ...]]:
        """Spellings of many sources, in their order, by one decoding method."""
        written: list[tuple[str, ...]] = []
        for start in range(0, len(pairs), EVALUATION_BATCH):
            sources = [self.corpus.source.encode(source) for source, _ in pairs[start : start + EVALUATION_BATCH]]
            written += map(self.corpus.target.decode, method(pad(sources).to(self.device)).tolist())
        return written

    def distances(
        self, pairs: Sequence[Sequences], written: Sequence[Sequence[str]]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Edit distance of each word, and the length of the right answer."""
        right = [target for _, target in pairs]
        return edit_distances(written, right), np.array([len(target) for target in right], dtype=np.int32)

    def _loss(self, sources: Sequence[list[int]], targets: Sequence[list[int]], smoothing: float) -> Tensor:
        source, target = pad(sources).to(self.device), pad(targets, start=True).to(self.device)
        logits = self.model(source, target[:, :-1])
        return nn.functional.cross_entropy(
            logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=PAD, label_smoothing=smoothing
        )

    def _validation_loss(self) -> float:
        """Mean over symbols of the whole split."""
        total = symbols = 0.0
        for start in range(0, len(self.corpus.valid), EVALUATION_BATCH):
            pairs = self.corpus.valid[start : start + EVALUATION_BATCH]
            targets = [self.corpus.target.encode(target) for _, target in pairs]
            count = sum(len(target) + 1 for target in targets)
            total += float(self._loss([self.corpus.source.encode(s) for s, _ in pairs], targets, 0.0)) * count
            symbols += count
        return total / symbols

    def _decay(self, at: float) -> float:
        if self.config.decay_epochs is None:
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * min(at / self.config.decay_epochs, 1.0)))


def _sequences(pair: Pair, direction: str) -> Sequences:
    letters = tuple(pair.word)
    return (pair.phonemes, letters) if direction == "spell" else (letters, pair.phonemes)


def shape_of(config: Config, *sizes: int) -> Shape:
    """The network's shape for vocabularies of these sizes (source, target); the sheet's without them."""
    symbols = dict(zip(("source", "target"), sizes, strict=True)) if sizes else {}
    return Shape(**symbols, hidden=config.hidden, layers=config.layers, attention=config.attention)
