"""Decoding: each method against a slower one that is plainly right."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from workings.studies.spelling.decoding import attention_weights, beam, greedy, nucleus, nucleus_probabilities
from workings.studies.spelling.model import Shape, Speller
from workings.studies.spelling.vocabulary import END, PAD, START, UNKNOWN, pad

LETTERS = [4, 5, 6]
"""The alphabet of the tiny models: three letters after the special symbols."""
SOURCES = [[4, 5, 6, 7], [6], [8, 8, 4], [5, 7, 4, 6, 8]]
SEEDS = range(6)


def speller(seed: int, attention: bool = True) -> Speller:
    """Untrained, with weights large enough that its choices differ, and an end mark likely enough to be written."""
    torch.manual_seed(seed)
    model = Speller(Shape(source=9, target=4 + len(LETTERS), hidden=8, attention=attention)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
        model.output_bias.normal_()
        model.output_bias[END] += 0.5
    return model


@torch.no_grad()
def next_log_probabilities(model: Speller, source: list[int], prefix: list[int]) -> dict[int, float]:
    """Of the end mark and each letter after a prefix, by reading the whole prefix anew."""
    logits = model(pad([source]), torch.tensor([[START, *prefix]]))[0, -1].double()
    allowed = {symbol: float(logits[symbol]) for symbol in (END, *LETTERS)}
    total = math.log(sum(math.exp(x) for x in allowed.values()))
    return {symbol: x - total for symbol, x in allowed.items()}


def one_at_a_time(model: Speller, source: list[int], max_length: int) -> list[int]:
    """Greedy decoding of one word, as slowly and plainly as can be."""
    written: list[int] = []
    while len(written) < max_length and END not in written:
        choices = next_log_probabilities(model, source, written)
        written.append(max(choices, key=lambda symbol: choices[symbol]))
    return written


def rows(written: Tensor) -> list[list[int]]:
    """What was written, without the padding after the end mark, which must be nothing else."""
    found = []
    for row in written.tolist():
        length = row.index(END) + 1 if END in row else len(row)
        assert row[length:] == [PAD] * (len(row) - length)
        found.append(row[:length])
    return found


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_greedy_in_a_batch_equals_a_word_at_a_time(seed: int, attention: bool) -> None:
    model = speller(seed, attention)
    assert rows(greedy(model, pad(SOURCES), 12)) == [one_at_a_time(model, source, 12) for source in SOURCES]


def test_the_tiny_models_write_words_of_different_lengths() -> None:
    """Otherwise the comparisons here would show little."""
    lengths = {len(row) for seed in SEEDS for row in rows(greedy(speller(seed), pad(SOURCES), 12))}
    assert len(lengths) >= 4
    assert 12 in lengths, "one that is cut off unfinished"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_beam_of_one_is_greedy(seed: int) -> None:
    model = speller(seed)
    assert rows(beam(model, pad(SOURCES), 12, width=1)) == rows(greedy(model, pad(SOURCES), 12))


def best_of_all(model: Speller, source: list[int], max_length: int) -> list[int]:
    """The finished spelling with the highest mean log-probability per symbol, by trying every one."""
    scores: dict[tuple[int, ...], float] = {}
    for length in range(max_length):
        for letters in itertools.product(LETTERS, repeat=length):
            spelling = [*letters, END]
            steps = [next_log_probabilities(model, source, spelling[:i])[s] for i, s in enumerate(spelling)]
            scores[tuple(spelling)] = sum(steps) / len(steps)
    return list(max(scores, key=lambda spelling: scores[spelling]))


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_a_beam_that_holds_everything_finds_the_best_of_all(seed: int) -> None:
    model = speller(seed)
    # 4 symbols hold at most 3³ unfinished and 1 + 3 + 9 + 27 finished spellings before the last choice.
    found = rows(beam(model, pad(SOURCES[:2]), 4, width=40 + 27))
    assert found == [best_of_all(model, source, 4) for source in SOURCES[:2]]


def test_a_wider_beam_can_beat_greedy() -> None:
    """So the test above is not met by greedy decoding."""
    found = [
        (rows(beam(speller(s), pad(SOURCES[:2]), 4, 67)), rows(greedy(speller(s), pad(SOURCES[:2]), 4)))
        for s in SEEDS[:3]
    ]
    assert any(best != first for best, first in found)


@pytest.mark.parametrize("width", [2, 5])
def test_a_beam_of_a_batch_equals_a_beam_of_each_word(width: int) -> None:
    model = speller(1)
    together = rows(beam(model, pad(SOURCES), 12, width))
    assert together == [rows(beam(model, pad([source]), 12, width))[0] for source in SOURCES]


def reluctant_to_end() -> Speller:
    model = speller(0)
    with torch.no_grad():
        model.output_bias[END] = -100.0
    return model


@pytest.mark.parametrize("width", [1, 3])
def test_a_beam_that_never_ends_is_cut_at_the_longest_length(width: int) -> None:
    written = beam(reluctant_to_end(), pad(SOURCES), 7, width)
    assert written.shape == (len(SOURCES), 7)
    assert set(written.unique().tolist()) <= set(LETTERS)


def fond_of_special_symbols() -> Speller:
    model = speller(2)
    with torch.no_grad():
        model.output_bias[[PAD, START, UNKNOWN]] = 100.0
    return model


@pytest.mark.parametrize(
    "decode",
    [
        lambda model, source: greedy(model, source, 9),
        lambda model, source: beam(model, source, 9, 3),
        lambda model, source: nucleus(model, source, 9, 1.0, torch.Generator().manual_seed(0)),
    ],
    ids=["greedy", "beam", "nucleus"],
)
def test_padding_start_and_unknown_are_never_written(decode) -> None:
    for row in rows(decode(fond_of_special_symbols(), pad(SOURCES))):
        assert set(row) <= {END, *LETTERS}


# ---- the nucleus ----

PROBABILITIES = [0.05, 0.5, 0.15, 0.3]


@pytest.mark.parametrize(
    ("top_p", "expected"),
    [
        (0.01, [0, 1, 0, 0]),  # never empty: the likeliest stays
        (0.49, [0, 1, 0, 0]),
        (0.51, [0, 5 / 8, 0, 3 / 8]),  # 0.3 crosses 0.51 and stays
        (0.79, [0, 5 / 8, 0, 3 / 8]),
        (0.81, [0, 10 / 19, 3 / 19, 6 / 19]),  # 0.15 crosses 0.81 and stays
        (0.96, [0.05, 0.5, 0.15, 0.3]),
        (1.0, [0.05, 0.5, 0.15, 0.3]),
    ],
)
def test_the_nucleus_is_the_smallest_set_that_reaches_p(top_p: float, expected: list[float]) -> None:
    found = nucleus_probabilities(torch.tensor([PROBABILITIES]).log(), top_p)
    torch.testing.assert_close(found, torch.tensor([expected]).float(), rtol=0.0, atol=1e-6)


def test_each_row_has_a_nucleus_of_its_own() -> None:
    logits = torch.tensor([[0.97, 0.01, 0.01, 0.01], [0.25, 0.25, 0.25, 0.25]]).log()
    assert (nucleus_probabilities(logits, 0.8) > 0).sum(1).tolist() == [1, 4]


def test_what_is_forbidden_stays_outside_even_of_the_whole_nucleus() -> None:
    logits = torch.tensor([[0.0, -torch.inf, 0.0]])
    assert nucleus_probabilities(logits, 1.0).tolist() == [[0.5, 0.0, 0.5]]


def test_letters_are_drawn_as_often_as_the_nucleus_says() -> None:
    model, draws, top_p = speller(3), 4000, 0.8
    probabilities = {s: math.exp(x) for s, x in next_log_probabilities(model, SOURCES[0], []).items()}
    kept: dict[int, float] = {}
    for symbol in sorted(probabilities, key=lambda s: -probabilities[s]):
        if sum(kept.values()) < top_p:
            kept[symbol] = probabilities[symbol]
    assert 2 <= len(kept) < len(probabilities), "the cut shows"
    first = nucleus(model, pad([SOURCES[0]] * draws), 1, top_p, torch.Generator().manual_seed(0))[:, 0]
    assert set(first.tolist()) == set(kept)
    for symbol, probability in kept.items():
        share = probability / sum(kept.values())
        # Four standard deviations of a count of independent draws.
        assert abs(int((first == symbol).sum()) - draws * share) < 4 * math.sqrt(draws * share * (1 - share))


def test_samples_follow_their_generator_alone() -> None:
    model, source = speller(3), pad(SOURCES * 5)
    one, same, other = (nucleus(model, source, 8, 0.9, torch.Generator().manual_seed(s)).tolist() for s in (1, 1, 2))
    assert one == same
    assert one != other


# ---- attention maps ----


def test_the_attention_of_a_spelling_is_that_of_each_step_that_wrote_it() -> None:
    model, source = speller(1), pad(SOURCES[:1])
    written = greedy(model, source, 12)
    maps = attention_weights(model, source, written)
    memory = model.encode(source)
    state, symbol = memory.state, torch.tensor([[START]])
    for step in range(written.shape[1]):
        _, state, weights = model.step(symbol, state, memory)
        torch.testing.assert_close(maps[:, step], weights[:, 0])
        symbol = written[:, step : step + 1]


def test_a_speller_without_attention_has_no_map() -> None:
    with pytest.raises(ValueError, match="no attention"):
        attention_weights(speller(0, attention=False), pad(SOURCES), torch.full((4, 1), 4))
