"""The networks against counts by hand, the library's own losses, and the convolutions they undo."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits, conv2d

from workings.studies.dcgan.latent import noise, round_trip, slerp
from workings.studies.dcgan.model import Discriminator, Generator, Shape, discriminator_loss, generator_loss
from workings.train.checkpoint import parameters

shapes = st.builds(
    Shape,
    size=st.sampled_from([8, 12, 28, 32]),
    width=st.integers(1, 4),
    noise=st.integers(1, 9),
    dense_norm=st.booleans(),
    dense_activation=st.booleans(),
)


@pytest.mark.parametrize(
    ("network", "shape", "count"),
    [
        (Discriminator, Shape(), 212_865),
        (Generator, Shape(), 2_280_384),
        (Generator, Shape(dense_norm=True), 2_305_472),
        (Generator, Shape(dense_activation=False), 2_280_384),
        # By hand at width 1, 8 pixels, 3 numbers of noise: convolutions 25 + 1 and 50 + 2, dense 2·2·2 + 1 …
        (Discriminator, Shape(size=8, width=1), 26 + 52 + 9),
        # … and dense 3·16, convolutions 25·4·2, 25·2·1, 25·1·1, two numbers of normalisation for 2 + 1 channels.
        (Generator, Shape(size=8, width=1, noise=3), 48 + 200 + 50 + 25 + 6),
    ],
)
def test_the_counts_are_those_added_up_by_hand(network: type, shape: Shape, count: int) -> None:
    assert parameters(network(shape)) == count


@given(shape=shapes, batch=st.integers(2, 5), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_noise_becomes_pictures_in_range_and_pictures_become_logits(shape: Shape, batch: int, seed: int) -> None:
    pictures = Generator(shape)(100 * noise(batch, shape.noise, seed, "test"))
    assert pictures.shape == (batch, 1, shape.size, shape.size)
    assert pictures.abs().max() <= 1
    assert Discriminator(shape)(pictures).shape == (batch,)


@pytest.mark.parametrize(("layer", "small", "big"), [("first", 7, 7), ("second", 7, 14), ("last", 14, 28)])
def test_each_transposed_convolution_is_the_transpose_of_a_convolution(layer: str, small: int, big: int) -> None:
    """⟨convolve(x), y⟩ = ⟨x, transpose(y)⟩ for all x and y, and the sizes follow."""
    transpose = getattr(Generator(Shape(width=1)), layer).double()
    stride = big // small
    y = torch.randn(1, transpose.weight.shape[0], small, small, dtype=torch.float64)
    x = torch.randn(1, transpose.weight.shape[1], big, big, dtype=torch.float64)
    convolved = conv2d(x, transpose.weight, stride=stride, padding=2)
    # A thousand products in float64, each rounded to 1e-16 of its size.
    assert float((convolved * y).sum().detach()) == pytest.approx(float((x * transpose(y)).sum().detach()), rel=1e-9)


def test_in_use_a_picture_does_not_depend_on_those_drawn_beside_it() -> None:
    generator = Generator(Shape(size=8, width=2)).eval()
    codes = noise(6, 100, 0, "test")
    # Float32: a batch of another size may be summed in another order.
    torch.testing.assert_close(generator(codes)[:2], generator(codes[:2]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("flag", "linear"), [(False, True), (True, False)])
def test_without_an_activation_the_dense_layer_and_the_first_convolution_are_one_linear_map(
    flag: bool, linear: bool
) -> None:
    generator = Generator(Shape(size=8, width=2, dense_activation=flag)).eval()
    seen: list[torch.Tensor] = []
    generator.first.register_forward_hook(lambda *args: seen.append(args[2]))
    codes = noise(2, 100, 0, "test")
    generator(codes)
    generator(codes.sum(0, keepdim=True).repeat(2, 1))
    adds = torch.allclose(seen[0].sum(0), seen[1][0], atol=1e-4)
    assert adds == linear


@given(logits=st.lists(st.tuples(st.floats(-80, 80), st.floats(-80, 80)), min_size=1, max_size=9))
@settings(deadline=None)
def test_the_losses_are_the_library_s_cross_entropies(logits: list[tuple[float, float]]) -> None:
    real, fake = torch.tensor(logits, dtype=torch.float64).T
    ones, zeros = torch.ones_like(real), torch.zeros_like(real)
    # The library drops terms below 1e-16 of the sum, and so does softplus beyond 20.
    expected = binary_cross_entropy_with_logits(real, ones) + binary_cross_entropy_with_logits(fake, zeros)
    assert float(discriminator_loss(real, fake)) == pytest.approx(float(expected), rel=1e-7, abs=1e-8)
    assert float(generator_loss(fake)) == pytest.approx(
        float(binary_cross_entropy_with_logits(fake, ones)), rel=1e-7, abs=1e-8
    )


@pytest.mark.parametrize("logit", [1e4, -1e4, math.inf, math.nan])
def test_far_out_the_losses_neither_overflow_nor_hide_what_is_not_finite(logit: float) -> None:
    loss = float(generator_loss(torch.tensor([logit])))
    assert math.isnan(loss) if math.isnan(logit) else loss == pytest.approx(max(-logit, 0.0))


def test_at_the_start_neither_network_knows_anything() -> None:
    """Logits of zero cost log 2 each: the value at which neither can tell real from drawn."""
    zeros = torch.zeros(4)
    assert float(discriminator_loss(zeros, zeros)) == pytest.approx(2 * math.log(2))


# ---- noise ----


def test_a_quarter_circle_is_walked_at_constant_speed() -> None:
    """By hand: from (1, 0) to (0, 1) in thirds is 30° and 60°."""
    path = slerp(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1 / 3, 2 / 3, 1.0]))
    half, root = 0.5, math.sqrt(3) / 2
    torch.testing.assert_close(path, torch.tensor([[1.0, 0.0], [root, half], [half, root], [0.0, 1.0]]))


@pytest.mark.parametrize("other", [[2.0, 0.0], [-1.0, 0.0]])
def test_where_there_is_no_arc_the_line_is_straight(other: list[float]) -> None:
    path = slerp(torch.tensor([1.0, 0.0]), torch.tensor(other), torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(path[1], torch.tensor([(1 + other[0]) / 2, 0.0]))


def test_a_walk_keeps_the_length_of_noise_and_comes_back() -> None:
    stops = noise(3, 100, 0, "test")
    walk = round_trip(stops, 5)
    assert walk.shape == (15, 100)
    torch.testing.assert_close(walk[::5], stops)
    lengths = walk.norm(dim=1)
    assert lengths.min() > 0.9 * stops.norm(dim=1).min(), "a straight line would fall to about 0.7 of it"
    steps = (walk.roll(-1, 0) - walk).norm(dim=1)
    assert steps.max() < 1.5 * steps.min()


def test_noise_follows_seed_and_purpose_and_a_longer_draw_begins_like_a_shorter_one() -> None:
    assert torch.equal(noise(3, 20, 1, "a"), noise(5, 20, 1, "a")[:3])
    assert not torch.equal(noise(3, 20, 1, "a"), noise(3, 20, 1, "b"))
    assert not torch.equal(noise(3, 20, 1, "a"), noise(3, 20, 2, "a"))
