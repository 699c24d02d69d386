"""Losses against tables worked by hand, other people's code, slow loops and finite differences."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from torch import Tensor, nn

from workings.studies.clip.model import (
    FIRST_TEMPERATURE,
    LEAST_TEMPERATURE,
    Projection,
    TwoTowers,
    clip_loss,
    soft_loss,
)

ONE = torch.tensor(1.0)
SIZES = st.integers(1, 9)


def vectors(rows: int, columns: int, seed: int = 0) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shared_out(pictures: int, seed: int, most: int = 4) -> tuple[Tensor, Tensor]:
    """Captions for pictures, one to `most` each: whose they are, and that as a table."""
    chance = np.random.default_rng(seed)
    owner = torch.tensor([p for p in range(pictures) for _ in range(chance.integers(1, most + 1))])
    return owner, owner[None, :] == torch.arange(pictures)[:, None]


# ---- the contrastive loss ----


def test_two_pairs_at_right_angles_by_hand() -> None:
    """Cosines 1 and 0 at scale ln 3: the right one of two has probability 3/4, both ways."""
    loss = clip_loss(2 * torch.eye(2), 5 * torch.eye(2), torch.eye(2, dtype=torch.bool), torch.tensor(math.log(3)))
    assert float(loss) == pytest.approx(math.log(4 / 3))


def test_two_captions_of_one_picture_by_hand() -> None:
    """Scale ln 2. Picture 0 has captions 0 and 1, picture 1 has caption 2; cosines (1, 0, 0) and (0, 1, 1).

    Of pictures: 2, 1, 1 of 4, half ln 2 and half ln 4, and 1, 2, 2 of 5: ln 5/2. Of captions: 2/3, 1/3 and 2/3.
    """
    texts = torch.tensor([[3.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    positives = torch.tensor([[True, True, False], [False, False, True]])
    loss = clip_loss(torch.eye(2), texts, positives, torch.tensor(math.log(2)))
    of_pictures = ((math.log(2) + math.log(4)) / 2 + math.log(5 / 2)) / 2
    of_texts = (math.log(3 / 2) + math.log(3) + math.log(3 / 2)) / 3
    assert float(loss) == pytest.approx((of_pictures + of_texts) / 2)


@settings(max_examples=30, deadline=None)
@given(n=SIZES, d=SIZES, seed=st.integers(0, 2**20), scale=st.floats(0.1, 100.0))
def test_with_one_caption_each_it_is_radford_s(n: int, d: int, seed: int, scale: float) -> None:
    """Figure 3 of the paper, in torch's words."""
    pictures, texts = vectors(n, d, seed), vectors(n, d, seed + 1)
    ours = clip_loss(pictures, texts, torch.eye(n, dtype=torch.bool), torch.tensor(scale))
    logits = torch.tensor(
        [[scale * float(nn.functional.cosine_similarity(p, t, dim=0)) for t in texts] for p in pictures]
    ).double()
    labels = torch.arange(n)
    theirs = (nn.functional.cross_entropy(logits, labels) + nn.functional.cross_entropy(logits.T, labels)) / 2
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(n=SIZES, d=st.integers(1, 6), seed=st.integers(0, 2**20))
def test_with_several_captions_each_it_is_what_a_slow_loop_says(n: int, d: int, seed: int) -> None:
    owner, positives = shared_out(n, seed)
    pictures, texts = vectors(n, d, seed), vectors(len(owner), d, seed + 1)
    cosine = [[float(nn.functional.cosine_similarity(p, t, dim=0)) for t in texts] for p in pictures]
    own = [[c for c in range(len(owner)) if owner[c] == p] for p in range(n)]
    of_pictures = [
        sum(math.log(sum(math.exp(s) for s in cosine[p])) - cosine[p][c] for c in own[p]) / len(own[p])
        for p in range(n)
    ]
    of_texts = [
        math.log(sum(math.exp(cosine[p][c]) for p in range(n))) - cosine[int(owner[c])][c] for c in range(len(owner))
    ]
    expected = (sum(of_pictures) / n + sum(of_texts) / len(owner)) / 2
    assert float(clip_loss(pictures, texts, positives, ONE)) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 9), seed=st.integers(0, 2**20))
def test_the_order_of_a_batch_does_not_matter(n: int, seed: int) -> None:
    owner, positives = shared_out(n, seed)
    pictures, texts = vectors(n, 5, seed), vectors(len(owner), 5, seed + 1)
    chance = torch.Generator().manual_seed(seed)
    rows, columns = torch.randperm(n, generator=chance), torch.randperm(len(owner), generator=chance)
    one = clip_loss(pictures, texts, positives, ONE)
    other = clip_loss(pictures[rows], texts[columns], positives[rows][:, columns], ONE)
    torch.testing.assert_close(one, other)
    torch.testing.assert_close(soft_loss(pictures, vectors(n, 5)), soft_loss(pictures[rows], vectors(n, 5)[rows]))


def test_only_directions_count() -> None:
    pictures, texts, own = vectors(4, 3), vectors(4, 3, 1), torch.eye(4, dtype=torch.bool)
    lengths = torch.rand(4, 1, dtype=torch.float64) + 0.1
    torch.testing.assert_close(
        clip_loss(pictures, texts, own, ONE), clip_loss(pictures * lengths, texts / lengths, own, ONE)
    )


def test_one_pair_alone_is_always_right() -> None:
    own = torch.ones(1, 1, dtype=torch.bool)
    assert float(clip_loss(vectors(1, 3), vectors(1, 3, 1), own, ONE)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0])
def test_gradients_are_those_of_finite_differences(scale: float) -> None:
    owner, positives = shared_out(4, 0)
    given_ = [vectors(4, 3), vectors(len(owner), 3, 1), torch.tensor(scale, dtype=torch.float64)]
    inputs = tuple(value.requires_grad_() for value in given_)
    assert torch.autograd.gradcheck(lambda p, t, s: clip_loss(p, t, positives, s), inputs)


@pytest.mark.parametrize("value", [0.0, 1e30, 1e-30])
def test_vectors_of_any_length_have_a_finite_loss_and_gradient(value: float) -> None:
    pictures = torch.full((3, 4), value, requires_grad=True)
    loss = clip_loss(pictures, torch.ones(3, 4), torch.eye(3, dtype=torch.bool), torch.tensor(100.0))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == pytest.approx(math.log(3), rel=1e-5)
    assert pictures.grad is not None
    assert bool(torch.isfinite(pictures.grad).all())


# ---- the softened one ----


def softmax(row: list[float]) -> list[float]:
    powers = [math.exp(value - max(row)) for value in row]
    return [power / sum(powers) for power in powers]


@settings(max_examples=30, deadline=None)
@given(n=SIZES, d=st.integers(1, 6), seed=st.integers(0, 2**20))
def test_the_soft_loss_is_what_a_slow_loop_says(n: int, d: int, seed: int) -> None:
    """Row i of the targets is a distribution; the other direction takes their columns, as the class does."""
    p, t = vectors(n, d, seed).tolist(), vectors(n, d, seed + 1).tolist()

    def dot(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    targets = [softmax([(dot(p[i], p[j]) + dot(t[i], t[j])) / 2 for j in range(n)]) for i in range(n)]
    rows = [softmax([dot(t[i], p[j]) for j in range(n)]) for i in range(n)]
    columns = [softmax([dot(t[j], p[i]) for j in range(n)]) for i in range(n)]
    of_rows = -sum(targets[i][j] * math.log(rows[i][j]) for i in range(n) for j in range(n)) / n
    of_columns = -sum(targets[j][i] * math.log(columns[i][j]) for i in range(n) for j in range(n)) / n
    assert float(soft_loss(torch.tensor(p), torch.tensor(t))) == pytest.approx((of_rows + of_columns) / 2, abs=1e-5)


def test_soft_targets_get_no_gradient() -> None:
    """The gradient is that of the same loss with its targets as plain numbers."""
    pictures, texts = vectors(4, 3).requires_grad_(), vectors(4, 3, 1).requires_grad_()
    with torch.no_grad():
        fixed = torch.tensor((pictures @ pictures.T + texts @ texts.T).numpy() / 2).softmax(1)
    ours = torch.autograd.grad(soft_loss(pictures, texts), [pictures, texts])
    logits = texts @ pictures.T
    loss = -(fixed * logits.log_softmax(1)).sum() / 8 - (fixed * logits.log_softmax(0)).sum() / 8
    for mine, theirs in zip(ours, torch.autograd.grad(loss, [pictures, texts]), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_far_apart_the_soft_loss_is_the_hard_one() -> None:
    """Where every pair is alike only to itself, the targets are hard."""
    far = 6 * torch.eye(5)
    labels = torch.arange(5)
    torch.testing.assert_close(soft_loss(far, far), nn.functional.cross_entropy(far @ far.T, labels))


# ---- the parts ----


def two() -> TwoTowers:
    return TwoTowers(nn.Flatten(), Counting(), (12, 1), 8)


class Counting(nn.Module):
    """How many tokens a sentence has."""

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return mask.sum(1, keepdim=True).float()


def test_the_temperature_starts_at_seven_hundredths_and_stops_at_a_hundredth() -> None:
    model = two()
    assert model.scale.item() == pytest.approx(1 / FIRST_TEMPERATURE)
    for value, expected in ((0.0, 1.0), (-2.0, math.exp(-2)), (5.0, 100.0), (1e9, 100.0)):
        with torch.no_grad():
            model.log_scale.fill_(value)
        assert model.scale.item() == pytest.approx(expected, rel=1e-5)
    assert 1 / model.scale.item() == pytest.approx(LEAST_TEMPERATURE, rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(features=st.integers(1, 12), d=st.integers(2, 12), batch=st.integers(1, 5))
def test_a_projection_is_the_sheet_s(features: int, d: int, batch: int) -> None:
    head = Projection(features, d, 0.1).double().eval()
    weights = {name: value.detach().numpy() for name, value in head.named_parameters()}
    assert sum(value.size for value in weights.values()) == features * d + d + d * d + d + 2 * d
    x = vectors(batch, features).numpy()
    first = x @ weights["first.weight"].T + weights["first.bias"]
    gelu = np.array([[v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in row] for row in first])
    total = gelu @ weights["second.weight"].T + weights["second.bias"] + first
    normed = (total - total.mean(1, keepdims=True)) / np.sqrt(total.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(head(torch.tensor(x)).detach().numpy(), normed, atol=1e-9)


def test_dropout_is_for_learning_only() -> None:
    head, x = Projection(4, 64, 0.5), torch.randn(2, 4)
    assert not torch.equal(head(x), head(x))
    head.eval()
    assert torch.equal(head(x), head(x))


def test_both_towers_lead_into_one_space() -> None:
    model = two()
    assert model.embed_pictures(torch.zeros(3, 3, 2, 2)).shape == (3, 8)
    assert model.embed_text(torch.zeros(5, 7, dtype=torch.long), torch.ones(5, 7, dtype=torch.bool)).shape == (5, 8)


OWN = torch.eye(3, dtype=torch.bool)
WRONG: list[tuple[Any, ...]] = [
    (torch.zeros(3, 4), torch.zeros(3, 5), OWN, ONE),
    (torch.zeros(3, 4), torch.zeros(4, 4), OWN, ONE),
    (torch.zeros(2, 4), torch.zeros(3, 4), OWN, ONE),
    (torch.zeros(3, 4), torch.zeros(3, 4), OWN.float(), ONE),
    (torch.zeros(3, 4), torch.zeros(3, 4), OWN, torch.ones(1)),
    (torch.zeros(3, 4, dtype=torch.long), torch.zeros(3, 4), OWN, ONE),
    (np.zeros((3, 4)), torch.zeros(3, 4), OWN, ONE),
]


@pytest.mark.parametrize("given_", WRONG, ids=range(len(WRONG)))
def test_shapes_and_kinds_that_do_not_fit_are_refused(given_: tuple[Any, ...]) -> None:
    with pytest.raises(TypeCheckError):
        clip_loss(*given_)


def test_the_soft_loss_takes_pairs_only() -> None:
    with pytest.raises(TypeCheckError):
        soft_loss(torch.zeros(3, 4), torch.zeros(2, 4))
