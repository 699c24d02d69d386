"""Augmentation in batches: pixel by pixel what the usual transforms give, drawn independently of batches."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import functional as usual

from workings.core.errors import UserError
from workings.data.augment import Album, Draws, Recipe, levels

IMAGES = np.random.default_rng(0).integers(1, 256, (40, 12, 9, 3), dtype=np.uint8)
ALL = torch.arange(len(IMAGES))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draws(count: int, shift: tuple[int, int] = (0, 0), flip: bool = False, turn: float = 0.0) -> Draws:
    return Draws(
        torch.tensor([shift] * count), torch.full((count,), flip), torch.full((count,), turn) if turn else None
    )


@pytest.mark.parametrize("images", [IMAGES, IMAGES[..., 0]], ids=["colour", "grey"])
def test_without_draws_the_pictures_are_as_they_were(images: np.ndarray) -> None:
    expected = torch.from_numpy(images.reshape(40, 12, 9, -1)).permute(0, 3, 1, 2)
    album = Album(images)
    torch.testing.assert_close(album.pixels(ALL), expected)
    torch.testing.assert_close(album.batch(ALL[:7]), expected[:7] / 255)


@settings(max_examples=40, deadline=None)
@given(
    shift=st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
    flip=st.booleans(),
    turn=st.sampled_from([0, 3, -5, 30]),
)
def test_it_is_turn_then_flip_then_crop_of_the_usual_transforms(
    shift: tuple[int, int], flip: bool, turn: float
) -> None:
    picture = torch.from_numpy(IMAGES[3]).permute(2, 0, 1)
    expected = usual.rotate(picture, turn) if turn else picture
    expected = usual.hflip(expected) if flip else expected
    expected = usual.crop(usual.pad(expected, [3]), 3 + shift[0], 3 + shift[1], 12, 9)
    made = Album(IMAGES).pixels(torch.tensor([3]), draws(40, shift, flip, math.radians(turn)))[0]
    # Sources that lie just between two pixels may round either way.
    assert (made == expected).float().mean() > (0.95 if turn else 0.9999)


def test_normalising_is_by_channel_in_grey_levels() -> None:
    mean, std = levels(IMAGES)
    made = Album(IMAGES, mean=mean, std=std).batch(ALL)
    torch.testing.assert_close(made.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(made.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-5, rtol=0)


def test_what_is_drawn_for_a_picture_depends_on_no_batch() -> None:
    album, recipe = Album(IMAGES), Recipe(pad=2, flip=True, degrees=5)
    drawn = recipe.draw(40, generator())
    together = album.batch(ALL, drawn)
    order = torch.randperm(40, generator=generator(1))
    for index in order.split(7):
        torch.testing.assert_close(album.batch(index, drawn), together[index], atol=0, rtol=0)
    again = album.batch(ALL, recipe.draw(40, generator()))
    torch.testing.assert_close(again, together, atol=0, rtol=0)
    assert not torch.equal(album.batch(ALL, recipe.draw(40, generator(2))), together)


def test_a_batch_stays_when_the_next_is_made() -> None:
    album = Album(IMAGES)
    first = album.batch(ALL[:5])
    kept = first.clone()
    album.batch(ALL[5:10])
    torch.testing.assert_close(first, kept, atol=0, rtol=0)


def test_draws_are_uniform_and_within_bounds() -> None:
    drawn = Recipe(pad=2, flip=True, degrees=5).draw(20_000, generator())
    counts = torch.bincount((drawn.shift + 2).reshape(-1), minlength=5)
    # 40,000 draws among five: standard deviation √(40000 · 0.2 · 0.8) = 80; five of them.
    assert (counts - 8000).abs().max() < 400
    assert abs(int(drawn.flip.sum()) - 10_000) < 5 * math.sqrt(20_000 / 4)
    assert drawn.turn is not None
    assert drawn.turn.abs().max() <= math.radians(5)
    nothing = Recipe().draw(9, generator())
    assert (nothing.turn, bool(nothing.flip.any()), bool(nothing.shift.any())) == (None, False, False)


@pytest.mark.parametrize("recipe", [{"pad": -1}, {"degrees": -5}, {"degrees": 400}, {"degrees": math.nan}])
def test_a_recipe_that_is_none_is_refused(recipe: dict[str, float]) -> None:
    with pytest.raises(UserError, match="cannot be padded"):
        Recipe(**recipe)  # type: ignore[arg-type]


@pytest.mark.parametrize(("mean", "std"), [((0.0,), (0.0,)), ((1.0, 2.0), (1.0,)), ((0.0,), (-1.0,))])
def test_a_normalisation_that_does_not_fit_is_refused(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match="do not fit pictures of 3 channels"):
        Album(IMAGES, mean=mean, std=std)


def test_an_empty_batch_is_empty() -> None:
    assert Album(IMAGES).batch(ALL[:0], Recipe(pad=1).draw(40, generator())).shape == (0, 3, 12, 9)
