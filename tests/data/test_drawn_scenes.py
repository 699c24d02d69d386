"""Drawn scenes: a picture shows what its scene says, a caption says it, and the splits keep their promise."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from workings.core.errors import UserError
from workings.data import drawn_pictures, drawn_scenes
from workings.data.catalogue import load_captioned
from workings.data.drawn_scenes import WORDS, Scene, describe, draw
from workings.data.drawn_shapes import COLOURS, SHAPES

SCENES = st.builds(Scene, *(st.sampled_from(words) for words in WORDS.values()))
SEEDS = st.integers(0, 2**64)
ENOUGH = settings(max_examples=150, deadline=None)
DARK = 165
"""Shadows leave every channel of the ground above this; every colour has one below it."""


CRUMB = 0.1
"""A part that is smaller than this share of the largest is no member: the tip of a crescent, thinner than a pixel."""


def members(mask: NDArray[np.bool_]) -> int:
    """How many shapes there are."""
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(labels.ravel())[1:]
    return int((areas > CRUMB * areas.max()).sum())


def shown(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where there is a shape, told from the pixels alone."""
    return np.asarray(pixels.min(axis=2) < DARK)


@given(SCENES, SEEDS, st.sampled_from([64, 97]))
@example(Scene("crescent", "red", "small", "top right", "two"), 34_359_738_367, 97)
@ENOUGH
def test_a_picture_shows_its_scene(scene: Scene, seed: int, size: int) -> None:
    pixels = draw(scene, seed, size)
    assert pixels.shape == (size, size, 3)
    assert pixels.dtype == np.uint8
    mask = shown(pixels)
    assert not mask[[0, -1]].any() | mask[:, [0, -1]].any(), "something is cut off"
    parts = members(mask)
    assert parts == WORDS["count"].index(scene.count) + 1
    down, across = (int(3 * middle / size) for middle in ndimage.center_of_mass(mask))
    assert drawn_pictures.PLACES[scene.place] == (across, down)
    found = np.median(pixels[mask], axis=0)
    lights = np.linspace(0.75, 1.1, 15)[:, None]  # a surface is darker at its rim and lighter at its top
    distances = {name: np.linalg.norm(found - lights * colour, axis=1).min() for name, colour in COLOURS.items()}
    assert min(distances, key=lambda name: distances[name]) == scene.colour


@given(SCENES, st.tuples(SEEDS, SEEDS, SEEDS))
@ENOUGH
def test_sizes_can_be_told_apart_whatever_the_seeds(scene: Scene, seeds: tuple[int, int, int]) -> None:
    sizes = zip(WORDS["size"], seeds, strict=True)
    areas = [int(shown(draw(replace(scene, size=size), seed)).sum()) for size, seed in sizes]
    assert areas == sorted(set(areas))


def test_a_size_can_be_read_whatever_the_count() -> None:
    radii = drawn_pictures.RADII
    for smaller, larger in (("small", "medium"), ("medium", "large")):
        assert max(radii[smaller]) < drawn_pictures.LEAST * min(radii[larger])


@given(SCENES, SEEDS)
@ENOUGH
def test_a_scene_is_the_same_at_every_size_and_time_but_not_at_every_seed(scene: Scene, seed: int) -> None:
    pixels = draw(scene, seed, 64)
    assert np.array_equal(pixels, draw(scene, seed, 64))
    assert not np.array_equal(pixels, draw(scene, seed + 1, 64))
    halves = pixels.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    assert np.abs(halves - draw(scene, seed, 32)).mean() < 3


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_fills_its_circle_and_no_more(shape: str) -> None:
    grid = np.linspace(-2, 2, 401, dtype=np.float32)
    x, y = np.meshgrid(grid, grid)
    distance = SHAPES[shape](x, y)
    far = np.hypot(x, y)[distance < 0]
    assert 0.85 < far.max() < 1.05
    steps = np.hypot(*np.gradient(distance, 0.01))  # no faster than a distance: else its edge would be jagged
    assert np.quantile(steps, 0.99) < 1.02
    oracle = ndimage.distance_transform_edt(distance > 0) * 0.01
    near = (distance > 0) & (oracle < 0.1)
    assert np.abs(distance - oracle)[near].mean() < 0.02


@pytest.mark.parametrize(("first", "second"), [(a, b) for a in SHAPES for b in SHAPES if a < b])
def test_shapes_differ_at_32_pixels(first: str, second: str) -> None:
    """Laid over each other, a fifth of the ink of the two is on one of them only."""
    scenes = [Scene(shape, "black", "medium", "centre", "one") for shape in (first, second)]
    inks = [np.clip(205.0 - draw(scene, 3, 32), 0, None) for scene in scenes]
    assert np.abs(inks[0] - inks[1]).sum() / np.maximum(*inks).sum() > 0.2


@pytest.mark.parametrize(
    ("scene", "wording", "caption"),
    [
        (Scene("star", "red", "small", "top left", "three"), 0, "three small red stars at the top left"),
        (Scene("cross", "blue", "medium", "centre", "two"), 0, "two medium-sized blue crosses in the centre"),
        (Scene("hourglass", "orange", "large", "left", "four"), 10, "four large hourglasses in orange on the left"),
        (
            Scene("heart", "orange", "large", "bottom", "one"),
            395,
            "there is an orange heart of large size at the bottom",
        ),
        (Scene("heart", "black", "small", "right", "one"), 27, "on the right, one small heart, painted black"),
        (Scene("ring", "pink", "small", "top", "two"), 366, "at the top there is a pair of small pink rings"),
    ],
)
def test_captions_in_words(scene: Scene, wording: int, caption: str) -> None:
    assert describe(scene, wording) == caption


@given(SCENES, st.integers(0, 10**6))
def test_captions_are_english(scene: Scene, wording: int) -> None:
    said = describe(scene, wording)
    words = re.findall("[a-z-]+", said)
    plural = scene.shape + ("es" if scene.shape.endswith("s") else "s")
    assert [word for word in words if word in COLOURS] == [scene.colour]
    assert words.count(scene.shape if scene.count == "one" else plural) == 1
    assert (plural in words) == (scene.count != "one")
    assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|[0-9]|  | ,|,,|,$|[{}]|\bis (two|three|four)\b|\bare an?\b", said)


def test_no_wording_fits_two_scenes() -> None:
    """Every size, place and count in every wording; that shape and colour are in there was shown above."""
    meant: dict[str, Scene] = {}
    for rest in product(WORDS["size"], WORDS["place"], WORDS["count"]):
        scene = Scene("star", "orange", *rest)
        for wording in range(10 * 4 * 3 * 3 * 3):
            assert meant.setdefault(describe(scene, wording), scene) == scene
    assert len(meant) > 25_000


def test_the_splits_keep_their_promise() -> None:
    codes, splits = drawn_scenes.scenes()
    assert {split: len(at) for split, at in splits.items()} == {"train": 20_000, "valid": 1_000, "test": 1_000}
    assert np.array_equal(np.concatenate([*splits.values()]), np.arange(22_000))
    pairs = {split: {(int(s), int(c)) for s, c in codes[at, :2]} for split, at in splits.items()}
    assert len(np.unique(codes[splits["test"]], axis=0)) == 1_000
    assert not pairs["test"] & (pairs["train"] | pairs["valid"])
    assert len(pairs["train"]) == 80
    for axis in (0, 1):
        assert Counter(pair[axis] for pair in pairs["test"]) == dict.fromkeys(range(10), 2)
        assert Counter(pair[axis] for pair in pairs["train"]) == dict.fromkeys(range(10), 8)
    for at, words in enumerate(WORDS.values()):  # every value about as often as any other, in no order
        for split in splits.values():
            counts = np.bincount(codes[split, at], minlength=len(words)) / len(split) * len(words)
            assert 0.6 < counts.min() <= counts.max() < 1.4
        assert abs(np.corrcoef(codes[splits["test"], at], np.arange(1_000))[0, 1]) < 0.1


def test_no_caption_of_the_set_fits_two_scenes() -> None:
    codes, _ = drawn_scenes.scenes()
    words = list(WORDS.values())
    shown = [Scene(*(words[at][code] for at, code in enumerate(row))) for row in codes.tolist()]
    said = drawn_scenes.captions(shown)
    meant: dict[str, Scene] = {}
    for scene, captions in zip(shown, said, strict=True):
        assert len(set(captions)) == 5
        assert captions[0] == describe(scene)
        for caption in captions:
            assert meant.setdefault(caption, scene) == scene


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A small set of the same kind, forgotten afterwards."""
    for name, count in (("TRAIN", 300), ("VALID", 20), ("TEST", 40)):
        monkeypatch.setattr(drawn_scenes, name, count)
    drawn_scenes._load.cache_clear()
    yield
    drawn_scenes._load.cache_clear()


@pytest.mark.usefixtures("few")
def test_the_set_is_drawn_once_and_known_by_its_content(home: Path) -> None:
    first = load_captioned("drawn-scenes", 32)
    assert first.pictures.shape == (360, 32, 32, 3)
    assert first.names[0] == "scene-00001"
    assert first.names[-1] == "scene-00360"
    assert isinstance(first.pictures.base, np.memmap)
    assert len({picture.tobytes() for picture in first.pictures}) == 360
    scene = Scene(**{field: values[7] for field, values in first.attributes.items()})
    assert first.captions[7][0] == describe(scene)
    drawn_scenes._load.cache_clear()
    again = load_captioned("drawn-scenes", 32)
    assert again.dataset == first.dataset
    assert np.array_equal(again.pictures, first.pictures)
    assert load_captioned("drawn-scenes", 33).dataset.content != first.dataset.content


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("damage", ["lost", "cut off", "another", "note"])
def test_what_is_damaged_in_the_cache_is_drawn_again(home: Path, damage: str) -> None:
    before = drawn_scenes.load(32).dataset
    (kept,) = (home / "cache" / "pictures").glob("*.npy")
    if damage == "lost":
        kept.unlink()
    elif damage == "note":
        (note,) = (home / "cache" / "pictures" / "places").iterdir()
        note.write_text("[")
    elif damage == "another":
        np.save(kept, np.zeros((3, 32, 32, 3), dtype=np.uint8))
    else:
        kept.write_bytes(kept.read_bytes()[:99])
    drawn_scenes._load.cache_clear()
    assert drawn_scenes.load(32).dataset == before


def test_the_generator_is_the_one_whose_version_it_bears() -> None:
    """Another hash, with nothing else at fault: raise `VERSION`, since evidence was made with other pictures."""
    codes, _ = drawn_scenes.scenes()
    some = codes[::500]
    said = drawn_scenes.captions([Scene(*(WORDS[f][c] for f, c in zip(WORDS, row, strict=True))) for row in some])
    known = {1: "803638c4d9ea8368"}
    assert known[drawn_scenes.VERSION] == drawn_scenes.content(some, said, drawn_pictures.paint(some, 0, 32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": "stars"}, "no scene has the shape 'stars' .did you mean 'star'"),
        ({"colour": "mauve"}, "no scene has the colour 'mauve'"),
        ({"size": ""}, "no scene has the size ''"),
        ({"place": "nowhere"}, "no scene has the place 'nowhere'"),
        ({"count": "five"}, "no scene has the count 'five'"),
        ({"seed": -1}, "seed -1 is negative"),
        ({"pixels": 31}, "cannot be drawn at size 31: give 32 to 512"),
        ({"pixels": 100_000}, "cannot be drawn at size 100000"),
        ({"pixels": 64.5}, "cannot be drawn at size 64.5"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change: dict[str, str], message: str) -> None:
    scene = {"shape": "star", "colour": "red", "size": "small", "place": "top", "count": "two"}
    rest = {"seed": 0, "pixels": 64, **change}
    seed, pixels = rest.pop("seed"), rest.pop("pixels")
    with pytest.raises(UserError, match=message):
        draw(Scene(**{**scene, **rest}), seed, pixels)  # type: ignore[arg-type]


def test_a_caption_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(UserError, match="no scene has the place"):
        describe(Scene("star", "red", "small", "nowhere", "two"))
    with pytest.raises(UserError, match="32 to 512"):
        drawn_scenes.load(16)
