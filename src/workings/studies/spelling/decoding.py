"""Choosing the letters: greedily, by nucleus sampling, or with a beam; always for a whole batch at once.

Each function takes sources (closed by the end mark, padded) and returns numbers of symbols, ``[batch, written]``, where
everything after the end mark of a row is padding.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workings.studies.spelling.model import Memory, Speller
from workings.studies.spelling.vocabulary import END, PAD, START, UNKNOWN

NEVER_WRITTEN = [PAD, START, UNKNOWN]

Choose = Callable[[Float[Tensor, "rows symbols"], Int[Tensor, " rows"]], Int[Tensor, " rows"]]
"""From the logits of the next symbol, and the rows of the batch that they belong to, to the symbol."""


def greedy(model: Speller, source: Int[Tensor, "batch source"], max_length: int) -> Int[Tensor, "batch written"]:
    """The likeliest symbol at every step."""
    return _write(model, model.encode(source), max_length, lambda logits, _: logits.argmax(-1))


def nucleus(
    model: Speller, source: Int[Tensor, "batch source"], max_length: int, top_p: float, generator: torch.Generator
) -> Int[Tensor, "batch written"]:
    """Sample among the likeliest symbols that together have probability `top_p` (Holtzman et al., 2020).

    Drawn as a race: with exponential waiting times of rates p_i the first to arrive is i with probability p_i. Times
    are drawn for the whole batch at every step, so that a word's sample does not depend on when others end.
    """

    def choose(logits: Float[Tensor, "rows symbols"], rows: Int[Tensor, " rows"]) -> Int[Tensor, " rows"]:
        waits = torch.empty(len(source), logits.shape[1]).exponential_(generator=generator)
        waits = waits.clamp_(min=torch.finfo(waits.dtype).tiny).to(logits.device)
        return (nucleus_probabilities(logits, top_p) / waits[rows]).argmax(-1)

    return _write(model, model.encode(source), max_length, choose)


def nucleus_probabilities(logits: Float[Tensor, "batch symbols"], top_p: float) -> Float[Tensor, "batch symbols"]:
    """The distribution cut to its nucleus: the smallest set of likeliest symbols whose probability reaches `top_p`."""
    ordered, symbols = logits.softmax(-1).sort(dim=-1, descending=True)
    before = ordered.cumsum(-1) - ordered
    # A symbol stays while those before it fall short of p: the one that crosses p is the last to stay.
    kept = ordered * (before < top_p)
    return torch.zeros_like(kept).scatter(-1, symbols, kept / kept.sum(-1, keepdim=True))


def beam(
    model: Speller, source: Int[Tensor, "batch source"], max_length: int, width: int
) -> Int[Tensor, "batch written"]:
    """The best of `width` hypotheses kept at every step, by mean log-probability per symbol, the end mark included."""
    batch = source.shape[0]
    memory = model.encode(source)
    memory = memory.select(torch.arange(batch, device=source.device).repeat_interleave(width))
    state = memory.state
    first_row = torch.arange(batch, device=source.device).unsqueeze(1) * width
    written = source.new_full((batch * width, 1), START)
    # At first all hypotheses of a word are the same: only one of them may be continued.
    total = torch.full((batch, width), -torch.inf, device=source.device)
    total[:, 0] = 0.0
    ended = source.new_zeros(batch, width, dtype=torch.bool)
    length = source.new_zeros(batch, width)
    for _ in range(max_length):
        logits, state, _ = model.step(written[:, -1:], state, memory)
        scores = _allowed(logits[:, -1]).log_softmax(-1).view(batch, width, -1)
        # An ended hypothesis is continued by padding alone, at no cost.
        scores = scores.masked_fill(ended.unsqueeze(-1), -torch.inf)
        scores[..., PAD] = torch.where(ended, 0.0, scores[..., PAD])
        symbols = scores.shape[-1]
        lengths = length + (~ended).long()
        ranked = ((total.unsqueeze(-1) + scores) / lengths.clamp(min=1).unsqueeze(-1)).flatten(1)
        best = ranked.topk(width, dim=-1).indices
        parent, symbol = best // symbols, best % symbols
        total = (total.unsqueeze(-1) + scores).flatten(1).gather(1, best)
        length, ended = lengths.gather(1, parent), ended.gather(1, parent) | (symbol == END)
        rows = (first_row + parent).flatten()
        written = torch.cat([written[rows], symbol.view(-1, 1)], dim=1)
        state = (state[0].index_select(1, rows), state[1].index_select(1, rows))
        if bool(ended.all()):
            break
    # A hypothesis that was cut off unfinished loses to any that ended.
    final = (total / length.clamp(min=1)).masked_fill(~ended & ended.any(1, keepdim=True), -torch.inf)
    return written[(first_row.squeeze(1) + final.argmax(1)), 1:]


def attention_weights(
    model: Speller, source: Int[Tensor, "batch source"], written: Int[Tensor, "batch written"]
) -> Float[Tensor, "batch written source"]:
    """How much each written symbol looked at each source symbol; ValueError for a model without attention."""
    memory = model.encode(source)
    opened = torch.cat([written.new_full((written.shape[0], 1), START), written[:, :-1]], dim=1)
    weights = model.step(opened, memory.state, memory)[2]
    if weights is None:
        raise ValueError("this speller has no attention")
    return weights


def _write(model: Speller, memory: Memory, max_length: int, choose: Choose) -> Int[Tensor, "batch written"]:
    """Write until every row has ended; a row that has leaves the batch."""
    rows = torch.arange(len(memory.padding), device=memory.padding.device)
    written = torch.full((len(rows), max_length), PAD, device=rows.device)
    symbol, state = torch.full_like(rows, START), memory.state
    for place in range(max_length):
        logits, state, _ = model.step(symbol.unsqueeze(1), state, memory)
        symbol = choose(_allowed(logits[:, -1]), rows)
        written[rows, place] = symbol
        going = (symbol != END).nonzero().squeeze(1)
        if len(going) == 0:
            return written[:, : place + 1]
        if len(going) < len(rows):
            memory = memory._replace(state=state).select(going)
            rows, symbol, state = rows[going], symbol[going], memory.state
    return written


def _allowed(logits: Float[Tensor, "batch symbols"]) -> Float[Tensor, "batch symbols"]:
    blocked = torch.zeros_like(logits, dtype=torch.bool)
    blocked[:, NEVER_WRITTEN] = True
    return logits.masked_fill(blocked, -torch.inf)
