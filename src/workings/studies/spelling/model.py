"""The speller: a bidirectional LSTM reads the phonemes, another LSTM writes the letters (ist-2025-hw2, question 3.1).

Encoder: embedding, biLSTM with half the width in each direction. Decoder: embedding, LSTM started from the encoder's
last states, output layer tied to the decoder's embedding E, with a bias of its own. With attention (question 3.1b), for
the decoder's output s at one step and the encoder's outputs h_1 … h_n:

    e_i = vᵀ tanh(W_s s + W_h h_i)        additive scores
    c   = Σ_i softmax(e)_i h_i            context
    s̃   = tanh(W_o [c; s] + b_o)          and s̃ takes the place of s
    logits = E s̃ + b

The context is not fed back into the LSTM, so a whole target is read at once in training. Choosing letters is left to
`decoding`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from workings.studies.spelling.vocabulary import PAD, SPECIAL

COURSE_SYMBOLS = (103, 89)
"""Distinct phonemes and letters in the course's training file (counted; a test counts them again)."""

State = tuple[Tensor, Tensor]
"""Hidden and cell state of the decoder, each ``[layers, batch, hidden]``."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What decides the number of parameters."""

    source: int = COURSE_SYMBOLS[0] + len(SPECIAL)
    target: int = COURSE_SYMBOLS[1] + len(SPECIAL)
    hidden: int = 128
    layers: int = 1
    attention: bool = False


class Memory(NamedTuple):
    """What the encoder hands over."""

    outputs: Float[Tensor, "batch source hidden"]
    padding: Bool[Tensor, "batch source"]
    """True where there is no symbol."""
    state: State
    keys: Float[Tensor, "batch source hidden"] | None
    """W_h h for each output h, which every step of the attention needs; None without attention."""

    def select(self, rows: Int[Tensor, " rows"]) -> "Memory":
        """The memory of some rows of the batch, repeated where they are repeated."""
        hidden, cell = (part.index_select(1, rows) for part in self.state)
        keys = None if self.keys is None else self.keys[rows]
        return Memory(self.outputs[rows], self.padding[rows], (hidden, cell), keys)


class AdditiveAttention(nn.Module):
    """Bahdanau, Cho and Bengio (2015), on the decoder's output; no bias but in the last layer."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(hidden, hidden, bias=False)
        self.key = nn.Linear(hidden, hidden, bias=False)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.output = nn.Linear(2 * hidden, hidden)

    def forward(
        self, queries: Float[Tensor, "batch target hidden"], memory: Memory
    ) -> tuple[Float[Tensor, "batch target hidden"], Float[Tensor, "batch target source"]]:
        """The attended outputs, and how much each looks at each source symbol (rows sum to 1)."""
        assert memory.keys is not None
        summed = self.query(queries).unsqueeze(2) + memory.keys.unsqueeze(1)
        weights = self._scores(summed).masked_fill(memory.padding.unsqueeze(1), -torch.inf).softmax(-1)
        context = weights @ memory.outputs
        return torch.tanh(self.output(torch.cat([context, queries], dim=-1))), weights

    def _scores(self, summed: Float[Tensor, "batch target source hidden"]) -> Float[Tensor, "batch target source"]:
        """vᵀ tanh(·), in place on the largest tensor of a step; without a gradient, less a constant.

        tanh x = 2σ(2x) − 1, and the softmax that follows ignores what is the same everywhere. σ takes an eighth of the
        time of tanh on a CPU (measured), and that is most of the time of decoding.
        """
        squashed = summed.tanh_() if summed.requires_grad else summed.mul_(2).sigmoid_().mul_(2)
        scores: Tensor = self.score(squashed)
        return scores.squeeze(-1)


class Speller(nn.Module):
    """Encoder and decoder; `forward` gives the logits of a known target, `step` those of the next symbol."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        between = dropout if shape.layers > 1 else 0.0
        self.source_embedding = nn.Embedding(shape.source, shape.hidden, padding_idx=PAD)
        self.target_embedding = nn.Embedding(shape.target, shape.hidden, padding_idx=PAD)
        self.encoder = nn.LSTM(
            shape.hidden, shape.hidden // 2, shape.layers, bidirectional=True, batch_first=True, dropout=between
        )
        self.decoder = nn.LSTM(shape.hidden, shape.hidden, shape.layers, batch_first=True, dropout=between)
        self.attention = AdditiveAttention(shape.hidden) if shape.attention else None
        self.output_bias = nn.Parameter(torch.zeros(shape.target))
        self.dropout = nn.Dropout(dropout)

    def encode(self, source: Int[Tensor, "batch source"]) -> Memory:
        """Read the sources, each closed by the end mark and padded."""
        padding = source == PAD
        lengths = (~padding).sum(1).cpu()
        packed = pack_padded_sequence(
            self.dropout(self.source_embedding(source)), lengths, batch_first=True, enforce_sorted=False
        )
        outputs, (hidden, cell) = self.encoder(packed)
        padded, _ = pad_packed_sequence(outputs, batch_first=True, total_length=source.shape[1])
        attended = self.dropout(padded)
        keys = None if self.attention is None else self.attention.key(attended)
        return Memory(attended, padding, (self._join(hidden), self._join(cell)), keys)

    def forward(
        self, source: Int[Tensor, "batch source"], target: Int[Tensor, "batch target"]
    ) -> Float[Tensor, "batch target symbols"]:
        """Logits of the symbol after each symbol of `target` (which opens with the start mark)."""
        memory = self.encode(source)
        return self.step(target, memory.state, memory)[0]

    def step(
        self, target: Int[Tensor, "batch target"], state: State, memory: Memory
    ) -> tuple[Float[Tensor, "batch target symbols"], State, Float[Tensor, "batch target source"] | None]:
        """Logits after each of these symbols, the state to go on from, and the attention if there is any."""
        outputs, state = self.decoder(self.dropout(self.target_embedding(target)), state)
        weights = None
        if self.attention is not None:
            outputs, weights = self.attention(outputs, memory)
        logits = nn.functional.linear(self.dropout(outputs), self.target_embedding.weight, self.output_bias)
        return logits, state, weights

    def _join(self, states: Float[Tensor, "directions batch half"]) -> Float[Tensor, "layers batch hidden"]:
        """Set the two directions of each layer side by side."""
        return torch.cat([states[0::2], states[1::2]], dim=-1)
