"""Drawn scenes with captions, the built-in set: 22,000 pictures that are made here, from a seed, and never downloaded.

A scene is a group of one to four equal shapes; it has a shape, a colour, a size, a place and a count. Each picture has
five captions, every one of which says all five, so that no caption fits two scenes that differ. Twenty of the hundred
pairs of shape and colour are met in the test split only, two of each shape and two of each colour: who has learnt what
a star is, and what green is, knows a green star. The pictures are drawn in `drawn_pictures`.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workings.core.study import Dataset
from workings.data import cache
from workings.data.captioned import Captioned
from workings.data.drawn_pictures import WORDS, Draws, Pixels, Scene, Whole, checked, draw, paint, position
from workings.data.pictures import content_hash

__all__ = ["ID", "TITLE", "WORDS", "Scene", "describe", "draw", "held_out", "load", "scenes"]

ID = "drawn-scenes"
TITLE = "Drawn scenes with captions"
VERSION = 1
"""Raised when the same seed would make other pictures or other words."""
SEED = 6
TRAIN, VALID, TEST = 20_000, 1_000, 1_000
EACH = 5
"""Captions of a picture."""

PLURALS = {"cross": "crosses", "hourglass": "hourglasses"}
SIZES = {
    "small": ("small", "little", "tiny"),
    "medium": ("medium-sized", "mid-sized", "middle-sized"),
    "large": ("large", "big"),
}
PLACES = {
    "top left": ("at the top left", "in the top left corner", "in the upper left"),
    "top": ("at the top", "at the upper edge", "in the middle of the upper part"),
    "top right": ("at the top right", "in the top right corner", "in the upper right"),
    "left": ("on the left", "at the left edge", "on the left side"),
    "centre": ("in the centre", "in the middle", "at the centre"),
    "right": ("on the right", "at the right edge", "on the right side"),
    "bottom left": ("at the bottom left", "in the bottom left corner", "in the lower left"),
    "bottom": ("at the bottom", "at the lower edge", "in the middle of the lower part"),
    "bottom right": ("at the bottom right", "in the bottom right corner", "in the lower right"),
}
COUNTS = {
    "one": (("one", "is"), ("a", "is"), ("a single", "is")),
    "two": (("two", "are"), ("a pair of", "is")),
    "three": (("three", "are"), ("a group of three", "is")),
    "four": (("four", "are"), ("a group of four", "is")),
}
"""With the verb that goes with it."""
GROUPS = (
    "{count} {size} {colour} {shape}",
    "{count} {size} {shape} in {colour}",
    "{count} {size} {shape}, painted {colour},",
    "{count} {colour} {shape} of {plain} size",
)
SENTENCES = (
    "{group} {place}",
    "a picture of {group} {place}",
    "a drawing of {group} {place}",
    "an image with {group} {place}",
    "the picture shows {group} {place}",
    "there {verb} {group} {place}",
    "{place} there {verb} {group}",
    "{place}, {group}",
    "{place} you can see {group}",
    "{group} can be seen {place}",
)


def describe(scene: Scene, wording: int = 0) -> str:
    """A caption that says all five attributes; `wording` is a number from 0, the plainest way, and chooses another.

    Example: ``describe(Scene("star", "red", "small", "left", "three"))`` is "three small red stars on the left".
    Raises `UserError` where a word of the scene is none of `WORDS`.
    """
    for attribute, word in vars(scene).items():
        position(attribute, word)
    return _said(scene, wording)


def _said(scene: Scene, wording: int) -> str:
    wording, at = divmod(wording, len(SENTENCES))
    sentence = SENTENCES[at]
    wording, at = divmod(wording, len(GROUPS))
    group = GROUPS[at]
    wording, at = divmod(wording, len(PLACES[scene.place]))
    place = PLACES[scene.place][at]
    wording, at = divmod(wording, len(SIZES[scene.size]))
    size = SIZES[scene.size][at]
    count, verb = COUNTS[scene.count][wording % len(COUNTS[scene.count])]
    shape = scene.shape if scene.count == "one" else PLURALS.get(scene.shape, f"{scene.shape}s")
    said = group.format(count=count, size=size, plain=scene.size, colour=scene.colour, shape=shape)
    if count == "a" and said[2] in "aeiou":
        said = f"an{said[1:]}"
    return sentence.format(group=said, place=place, verb=verb).removesuffix(",")


def held_out(codes: Whole) -> NDArray[np.bool_]:
    """Whether the shape and colour of each scene, given as positions in `WORDS`, are a pair of the test split only."""
    return np.asarray((codes[:, 1] - 3 * codes[:, 0]) % 10 % 5 == 1)


def scenes() -> tuple[Whole, Mapping[str, Whole]]:
    """All scenes of the set as positions in `WORDS`, (22,000, 5), and the indices of its splits.

    Those to learn from are drawn with replacement; those of the test split differ from each other.
    """
    every = np.indices([len(words) for words in WORDS.values()]).reshape(len(WORDS), -1).T
    seen, unseen = every[~held_out(every)], every[held_out(every)]
    draws = Draws(SEED, 4)
    known = seen[draws.below(len(seen), TRAIN + VALID)]
    codes = np.concatenate([known, unseen[draws.orders(len(unseen))[:TEST]]])
    train, valid, test = np.split(np.arange(len(codes)), [TRAIN, TRAIN + VALID])
    return codes, {"train": train, "valid": valid, "test": test}


def captions(shown: Sequence[Scene]) -> tuple[tuple[str, ...], ...]:
    """Five of each scene: the plain one, and four more, each another sentence."""
    draws = Draws(SEED, 5)
    sentences = 1 + draws.orders(len(shown), len(SENTENCES) - 1)[:, : EACH - 1]
    wordings = sentences + len(SENTENCES) * draws.below(10_000, len(shown), EACH - 1)
    return tuple(
        (_said(scene, 0), *(_said(scene, wording) for wording in row))
        for scene, row in zip(shown, wordings.tolist(), strict=True)
    )


def load(size: int = 64) -> Captioned:
    """The whole set; drawn at that size once, then mapped into memory from where it was kept."""
    return _load(checked(size))


@lru_cache(maxsize=2)
def _load(size: int) -> Captioned:
    codes, splits = scenes()
    shown = [Scene(*(words[at] for words, at in zip(WORDS.values(), row, strict=True))) for row in codes.tolist()]
    said = captions(shown)
    name = f"{ID}-{VERSION}-{size}"
    facts = cache.note(name) or {}
    pictures = (cache.arrays(name) or {}).get("pictures")
    if pictures is None or pictures.shape != (len(codes), size, size, 3) or "content" not in facts:
        pictures = paint(codes, SEED, size)
        facts = {"content": content(codes, said, pictures)}
        cache.keep_arrays(name, {"pictures": pictures})
        cache.keep_note(name, facts)
        pictures = (cache.arrays(name) or {}).get("pictures", pictures)
    return Captioned(
        Dataset(ID, f"{TITLE}, {size} × {size}", facts["content"]),
        names=tuple(f"scene-{number:05d}" for number in range(1, len(codes) + 1)),
        captions=said,
        pictures=pictures,
        splits=splits,
        attributes=dict(
            zip(WORDS, map(tuple, zip(*(vars(scene).values() for scene in shown), strict=True)), strict=True)
        ),
    )


def content(codes: Whole, said: Sequence[Sequence[str]], pictures: Pixels) -> str:
    """What scenes are known by: the generator's version, what they show, what is said of them, and every pixel."""
    text = "\n".join("\t".join(row) for row in said).encode()
    return content_hash(np.array([VERSION], dtype=np.int64), codes, np.frombuffer(text, dtype=np.uint8), pictures)
