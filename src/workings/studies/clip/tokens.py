"""Sentences as numbers: a WordPiece vocabulary learnt from the captions, or the tokenizer of a pretrained tower.

Either way it is one `tokenizers.Tokenizer`, whose JSON goes with the model. Captions are encoded once, and padded to
the longest of their batch, not to the longest that there could be.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Bool, Int
from numpy.typing import NDArray
from torch import Tensor

from workings.core.errors import UserError
from workings.studies.clip.encoders import PAD, tokenizer_of
from workings.studies.clip.towers import LONGEST, own_width

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCABULARY = 8_000
"""Pieces at most: Flickr8k's captions have about as many different words."""
UNKNOWN = "[UNK]"
SPECIAL = ("[PAD]", UNKNOWN, "[CLS]", "[SEP]")


@dataclass(frozen=True)
class Encoded:
    """Captions as tokens, one after another."""

    values: Int[Tensor, " tokens"]
    starts: Int[Tensor, " captions"]
    """Where each begins."""
    lengths: Int[Tensor, " captions"]
    pad: int

    def batch(
        self, index: Int[Tensor, " batch"], device: torch.device
    ) -> tuple[Int[Tensor, "batch length"], Bool[Tensor, "batch length"]]:
        """These captions, padded to the longest of them, and where they are not padded."""
        lengths = self.lengths[index]
        place = torch.arange(int(lengths.max()))
        mask = place < lengths[:, None]
        found = self.values[(self.starts[index][:, None] + place).clamp(max=len(self.values) - 1)]
        return found.masked_fill(~mask, self.pad).to(device), mask.to(device)

    def __len__(self) -> int:
        return len(self.starts)


class Tokens:
    """A tokenizer, with what a tower has to know of it."""

    def __init__(self, tokenizer: "Tokenizer", pad: int) -> None:
        self.tokenizer, self.pad = tokenizer, pad

    @property
    def count(self) -> int:
        """Different tokens."""
        return int(self.tokenizer.get_vocab_size())

    def encode(self, sentences: Sequence[str], longest: int) -> Encoded:
        """All sentences, each cut to `longest` tokens."""
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(longest)
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(list(sentences))]
        lengths = np.array([len(row) for row in ids], dtype=np.int64)
        values: NDArray[np.int64] = np.fromiter((i for row in ids for i in row), np.int64, int(lengths.sum()))
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if len(ids) else lengths
        return Encoded(torch.from_numpy(values), torch.from_numpy(starts), torch.from_numpy(lengths), self.pad)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return {"pad": self.pad, "tokenizer": self.tokenizer.to_str()}

    @classmethod
    def from_json(cls, made: Any) -> "Tokens":
        """The tokenizer that was kept; ValueError where it is none."""
        from tokenizers import Tokenizer

        try:
            return cls(Tokenizer.from_str(made["tokenizer"]), int(made["pad"]))
        except Exception as error:  # the library raises Exception itself
            raise ValueError(f"no tokenizer ({' '.join(str(error).split())[:120]})") from None


def learn(captions: Sequence[str], limit: int = VOCABULARY) -> Tokens:
    """WordPiece (Wu et al. 2016) from captions, in lower case, as BERT cuts words; the same captions, the same pieces.

    The trainer numbers letters inside words as it meets them, in an order that changes from call to call, and breaks
    ties by these numbers: so they are given to it in order, as if they were special, and forgotten afterwards.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import models, processors, trainers

    learner = _cutter(models.WordPiece(unk_token=UNKNOWN))
    letters = sorted(set().union(*(learner.normalizer.normalize_str(caption) for caption in captions)))
    given = [*SPECIAL, *(f"##{letter}" for letter in letters)]
    trainer = trainers.WordPieceTrainer(
        vocab_size=limit, special_tokens=given, initial_alphabet=letters, show_progress=False
    )
    learner.train_from_iterator(captions, trainer)
    tokenizer = _cutter(models.WordPiece(learner.get_vocab(), unk_token=UNKNOWN))
    marks = [(mark, SPECIAL.index(mark)) for mark in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    return Tokens(tokenizer, PAD)


def _cutter(model: Any) -> Any:
    from tokenizers import Tokenizer, normalizers, pre_tokenizers

    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def of_tower(name: str, captions: Sequence[str], *, scratch: bool) -> Tokens:
    """The tokenizer that the tower of that name was pretrained with; one learnt from captions where it was not."""
    if scratch or own_width("transformer", name):
        return learn(captions)
    found = tokenizer_of(name)
    if not getattr(found, "is_fast", False) or found.pad_token_id is None:
        raise UserError(f"the tokenizer of {name!r} has no fast form, or no token to pad with: take another text tower")
    return Tokens(found.backend_tokenizer, int(found.pad_token_id))


def most_tokens(name: str, tower: Any) -> int:
    """Tokens for which a text tower has positions."""
    if own_width("transformer", name):
        return LONGEST
    places = int(getattr(tower.encoder.config, "max_position_embeddings", 0))
    table = getattr(getattr(tower.encoder, "embeddings", None), "position_embeddings", None)
    first = getattr(table, "padding_idx", None)  # RoBERTa and its kin count positions from the one behind padding's
    return (places if first is None else places - first - 1) if places > 0 else LONGEST
