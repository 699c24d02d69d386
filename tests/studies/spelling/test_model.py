"""The speller's network: its size, and that padding, batching and stepping change nothing."""

import itertools

import pytest
import torch
from torch import Tensor

from workings.studies.spelling.model import AdditiveAttention, Memory, Shape, Speller
from workings.studies.spelling.vocabulary import END, PAD, START, pad
from workings.train.checkpoint import parameters

CLOSE = {"rtol": 0.0, "atol": 1e-6}
"""Float32 rounds to 6e-8; these sums have a few dozen terms of size one."""
VARIANTS = [
    Shape(source=9, target=8, hidden=8, layers=n, attention=a) for n, a in itertools.product((1, 2), (False, True))
]
SOURCES = [[4, 5, 6, 7, 8, 4, 5], [6], [8, 8, 4, 5]]
TARGETS = [[4, 5], [7, 6, 5, 4], [6]]


def speller(shape: Shape) -> Speller:
    torch.manual_seed(0)
    model = Speller(shape, dropout=0.5).eval()
    torch.nn.init.normal_(model.output_bias)  # zeros would hide its absence
    return model


@pytest.fixture(params=VARIANTS, ids=lambda s: f"layers={s.layers} attention={s.attention}")
def model(request: pytest.FixtureRequest) -> Speller:
    return speller(request.param)


def lstm(read: int, hidden: int) -> int:
    """Four gates, each with a matrix for what is read, one for the state, and two biases."""
    return 4 * hidden * (read + hidden + 2)


@pytest.mark.parametrize(
    ("attention", "layers", "expected"), [(False, 1, 257_117), (True, 1, 322_909), (True, 2, 554_333)]
)
def test_the_number_of_parameters_is_the_layers_sum(attention: bool, layers: int, expected: int) -> None:
    hidden, source, target = 128, 107, 93
    encoder = decoder = 0
    for _ in range(layers):
        encoder += 2 * lstm(hidden, hidden // 2)
        decoder += lstm(hidden, hidden)
    by_hand = source * hidden + target * hidden + encoder + decoder + target
    if attention:
        by_hand += 2 * hidden**2 + hidden + 2 * hidden**2 + hidden
    assert parameters(Speller(Shape(attention=attention, layers=layers))) == by_hand == expected


def test_the_output_layer_is_the_decoder_s_embedding(model: Speller) -> None:
    source, target = pad(SOURCES), pad(TARGETS, start=True)
    before = model(source, target)
    with torch.no_grad():
        model.target_embedding.weight[7] += 1.0
    after = model(source, target)
    changed = (before - after).abs().amax(dim=(0, 1)) > 1e-4
    assert changed[7]
    rows_without_it = ~(target == 7).any(1)
    assert not (before - after)[rows_without_it][..., :7].any()


def test_the_output_bias_is_added_to_the_logits(model: Speller) -> None:
    source, target = pad(SOURCES), pad(TARGETS, start=True)
    before = model(source, target)
    with torch.no_grad():
        model.output_bias[3] += 2.0
    shift = (model(source, target) - before).mean(dim=(0, 1))
    torch.testing.assert_close(shift, torch.tensor([0, 0, 0, 2.0, 0, 0, 0, 0]), **CLOSE)


def test_a_batch_of_different_lengths_gives_each_row_what_it_gets_alone(model: Speller) -> None:
    together = model(pad(SOURCES), pad(TARGETS, start=True))
    for row, (source, target) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        alone = model(pad([source]), pad([target], start=True))
        torch.testing.assert_close(together[row, : alone.shape[1]], alone[0], **CLOSE)


def test_more_padding_changes_nothing(model: Speller) -> None:
    source = pad(SOURCES)
    wider = torch.cat([source, torch.full((3, 4), PAD)], dim=1)
    target = pad(TARGETS, start=True)
    torch.testing.assert_close(model(wider, target), model(source, target), **CLOSE)


def test_a_whole_target_gives_what_its_steps_give(model: Speller) -> None:
    source, target = pad(SOURCES), pad(TARGETS, start=True)
    memory = model.encode(source)
    state, steps = memory.state, []
    for column in range(target.shape[1]):
        logits, state, _ = model.step(target[:, column : column + 1], state, memory)
        steps.append(logits)
    torch.testing.assert_close(torch.cat(steps, dim=1), model(source, target), **CLOSE)


def test_a_symbol_s_logits_do_not_depend_on_later_symbols(model: Speller) -> None:
    source = pad(SOURCES[:1])
    one, other = torch.tensor([[START, 4, 5, 6]]), torch.tensor([[START, 4, 7, 7]])
    torch.testing.assert_close(model(source, one)[:, :2], model(source, other)[:, :2], **CLOSE)


def test_the_encoder_reads_in_both_directions(model: Speller) -> None:
    outputs = model.encode(pad([[4, 5, 6]])).outputs[0]
    last_changed = model.encode(pad([[4, 5, 7]])).outputs[0]
    first_changed = model.encode(pad([[7, 5, 6]])).outputs[0]
    assert not torch.allclose(outputs[0], last_changed[0])
    assert not torch.allclose(outputs[2], first_changed[2])


def test_dropout_acts_in_training_alone(model: Speller) -> None:
    source, target = pad(SOURCES), pad(TARGETS, start=True)
    assert torch.equal(model(source, target), model(source, target))
    model.train()
    assert not torch.allclose(model(source, target), model(source, target))


@pytest.fixture
def attending() -> Speller:
    return speller(VARIANTS[1])


def weights_of(model: Speller, source: Tensor, target: Tensor) -> Tensor:
    memory = model.encode(source)
    weights = model.step(target, memory.state, memory)[2]
    assert weights is not None
    return weights


def test_attention_is_a_distribution_over_the_symbols_and_zero_on_padding(attending: Speller) -> None:
    source = pad(SOURCES)
    weights = weights_of(attending, source, pad(TARGETS, start=True))
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:2]), **CLOSE)
    padding = (source == PAD).unsqueeze(1).expand_as(weights)
    assert not weights[padding].any()
    assert bool((weights[~padding] > 0).all()), "the end mark is looked at too"


@torch.no_grad()
def test_attention_is_the_sheet_s_equation_written_out(attending: Speller) -> None:
    """v·tanh(W_s s + W_h h), softmax, context, tanh(W_o [c; s] + b_o): one symbol at a time, in plain loops."""
    attention = attending.attention
    assert attention is not None
    memory = attending.encode(pad([SOURCES[0]]))
    query = torch.randn(1, 1, 8)
    attended, weights = attention(query, memory)
    s = query[0, 0]
    scores = [
        float(attention.score.weight[0] @ torch.tanh(attention.query.weight @ s + attention.key.weight @ h))
        for h in memory.outputs[0]
    ]
    shares = torch.tensor(scores).exp() / torch.tensor(scores).exp().sum()
    context = sum(share * h for share, h in zip(shares, memory.outputs[0], strict=True))
    expected = torch.tanh(attention.output.weight @ torch.cat([context, s]) + attention.output.bias)
    torch.testing.assert_close(weights[0, 0], shares, **CLOSE)
    torch.testing.assert_close(attended[0, 0], expected, **CLOSE)


def test_rows_of_a_memory_can_be_chosen_and_repeated(model: Speller) -> None:
    memory = model.encode(pad(SOURCES))
    chosen = memory.select(torch.tensor([2, 0, 2]))
    assert isinstance(chosen, Memory)
    for part, whole in zip((chosen.outputs, chosen.padding), (memory.outputs, memory.padding), strict=True):
        assert torch.equal(part, torch.stack([whole[2], whole[0], whole[2]]))
    for part, whole in zip(chosen.state, memory.state, strict=True):
        assert torch.equal(part, torch.stack([whole[:, 2], whole[:, 0], whole[:, 2]], dim=1))


def test_a_source_is_closed_by_the_end_mark_and_padded() -> None:
    assert pad([[5], [6, 7]], start=True).tolist() == [[START, 5, END, PAD], [START, 6, 7, END]]


def test_attention_is_the_same_with_and_without_a_gradient() -> None:
    torch.manual_seed(0)
    attention = AdditiveAttention(16)
    outputs = 3 * torch.randn(5, 7, 16)
    padding = torch.arange(7) >= torch.tensor([7, 3, 1, 6, 4]).unsqueeze(1)
    memory = Memory(outputs, padding, (torch.zeros(1, 5, 16), torch.zeros(1, 5, 16)), attention.key(outputs))
    queries = torch.randn(5, 4, 16)
    with_gradient = attention(queries, memory)
    with torch.no_grad():
        without = attention(queries, memory)
    # Float32 carries seven digits; tanh by way of the logistic function spends one of them.
    for one, other in zip(with_gradient, without, strict=True):
        torch.testing.assert_close(one.detach(), other, atol=1e-6, rtol=1e-5)
