"""Pictures of drawn scenes: one to four equal shapes in one place of a pale ground, with a soft shadow.

`draw` makes one, `paint` many at once. Only arithmetic that IEEE 754 rounds in one way is used (no sine, no sum, no
matrix product), and of the generator only the raw output, which numpy promises never to change: the same bytes on every
machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import UserError, suggestion
from workings.core.progress import meter
from workings.data.decoding import check_room
from workings.data.drawn_shapes import COLOURS, SHAPES, Reals

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

SMALLEST, LARGEST = 32, 512
"""Pixels along a side: below, small shapes cannot be told apart; above, 22,000 pictures fill a disk."""
RADII = {
    "small": (0.086, 0.076, 0.072, 0.070),
    "medium": (0.117, 0.102, 0.096, 0.093),
    "large": (0.190, 0.138, 0.127, 0.125),
}
"""Of one to four members, as a share of the picture's side; four large ones just fit beside the middle third. No
small member is as large as any medium one, nor that as any large one, so that a size can be read whatever the count."""
LEAST = 0.95
"""Of its radius that a member has at least."""

PLACES = {
    f"{row} {column}".strip() or "centre": (across, down)
    for down, row in enumerate(("top", "", "bottom"))
    for across, column in enumerate(("left", "", "right"))
}
"""The third of the picture, across and down, in which the middle of the group lies."""

COUNTS = ("one", "two", "three", "four")
LAYOUTS = (
    ((0.0, 0.0),),
    ((-0.5, 0.0), (0.5, 0.0)),
    ((0.0, -0.577350), (-0.5, 0.288675), (0.5, 0.288675)),
    ((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)),
)
"""Where the members lie, in steps from neighbour to neighbour, around the middle of the group."""
TILTS = (0.0, 1.0, 1.0, 0.07)
"""Tangent of half the angle by which a layout is turned at most; four in a square would not fit if turned further."""

GAP, LOOSE, MARGIN = 0.036, 0.006, 0.012
"""Between neighbours; how far each may stray; to the picture's edge. Shares of the side."""
EDGE, MIDDLE = 0.25, 0.06
"""Groups at an edge lie within this share of the side from it, where they fit; central ones this near to the centre."""
LEAN = 0.11
"""Tangent of half the angle by which a member is turned at most: 13 degrees, far from making a diamond of a square."""
SHADE = 9
"""Levels by which each of red, green and blue departs from the named colour at most."""
PALE, VARIED = 222.0, 30.0
"""Darkest level of the ground, and the range above it."""
NOISE = 5.0
"""Levels between the brightest and the darkest noise on a ground."""
CHUNK = 16
"""Pictures whose ground is made at a time: more would not fit into a processor's cache."""
RIM, DARKER, LIGHTER = 0.13, 0.22, 0.12
"""Width of the rim in radii, how much darker it is, and how much lighter the top of a shape is than its middle."""
DROP, SOFT, DARK = 0.16, 0.3, 0.2
"""The shadow: how far below and how soft, in radii, and how dark."""


@dataclass(frozen=True)
class Scene:
    """What a picture shows; each word is one of those in `WORDS`."""

    shape: str
    colour: str
    size: str
    place: str
    count: str


WORDS: dict[str, tuple[str, ...]] = {
    "shape": (*SHAPES,),
    "colour": (*COLOURS,),
    "size": (*RADII,),
    "place": (*PLACES,),
    "count": COUNTS,
}
"""The words of each attribute, in the order of `Scene`."""


class Draws:
    """Random numbers made from the raw output of PCG64."""

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def raw(self, *shape: int) -> NDArray[np.uint64]:
        """Of 64 bits each."""
        return np.asarray(self._bits.random_raw(shape), dtype=np.uint64)

    def uniform(self, low: float, high: float, *shape: int) -> Numbers:
        """From `low` to `high`."""
        shares = (self.raw(*shape) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return low + (high - low) * shares

    def below(self, limit: int, *shape: int) -> Whole:
        """Whole numbers from 0, below the limit."""
        return (self.raw(*shape) % np.uint64(limit)).astype(np.int64)

    def orders(self, *shape: int) -> Whole:
        """Orders of the last axis, one for each place of the others."""
        return np.argsort(self.raw(*shape), axis=-1, kind="stable")


def draw(scene: Scene, seed: int = 0, size: int = 64) -> Pixels:
    """One picture (size, size, 3) of a scene; another seed moves, turns and shades it a little and changes the ground.

    Raises `UserError` where a word of the scene is none of `WORDS`, the seed is negative, or there is no such size.
    """
    if seed < 0:
        raise UserError(f"seed {seed} is negative: give 0 or above")
    codes = np.array([[position(field, word) for field, word in vars(scene).items()]])
    return np.asarray(paint(codes, seed, size)[0])


def position(attribute: str, word: str) -> int:
    """Where a word stands among those of its attribute; `UserError` where it does not."""
    words = WORDS[attribute]
    if word not in words:
        raise UserError(f"no scene has the {attribute} {word!r}{suggestion(word, words)}: {', '.join(words)}")
    return words.index(word)


def checked(size: int) -> int:
    """The size itself; `UserError` where scenes are not drawn at it."""
    if not isinstance(size, int) or not SMALLEST <= size <= LARGEST:
        raise UserError(f"scenes cannot be drawn at size {size}: give {SMALLEST} to {LARGEST} pixels")
    return size


def paint(codes: Whole, seed: int, size: int) -> Pixels:
    """Pictures (N, size, size, 3) of scenes that are given as (N, 5) positions in `WORDS`, in the order of `Scene`."""
    check_room(len(codes), (checked(size), size), "drawn scenes")
    pixels = _grounds(len(codes), Draws(seed, 1), size)
    group = _placed(codes, Draws(seed, 2))
    colours = np.array(list(COLOURS.values()), dtype=np.float64)[codes[:, 1]]
    colours += Draws(seed, 3).uniform(-SHADE, SHADE, len(codes), 3)
    kinds = codes[:, [0, 2, 4]]
    with meter("drawing scenes", len(codes)) as progress:
        for kind in np.unique(kinds, axis=0):
            chosen = np.flatnonzero((kinds == kind).all(axis=1))
            shape = tuple(SHAPES.values())[kind[0]]
            for cast in (True, False):  # all shadows lie below all shapes
                for member in range(kind[2] + 1):
                    _stamp(pixels, chosen, group, member, shape, colours, cast)
            progress.advance(len(chosen))
    return pixels


def _grounds(count: int, draws: Draws, size: int) -> Pixels:
    """Plain, or from one pale colour to another, with noise that cannot be seen until one looks for it."""
    start, end = draws.uniform(PALE, PALE + VARIED, 2, count, 3)
    end = np.where(draws.below(3, count, 1) > 0, end, start)
    across, down = draws.uniform(-1, 1, 2, count)
    grain = draws.uniform(1, NOISE, count) / 255
    side = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    pixels = np.empty((count, size, size, 3), dtype=np.uint8)
    for at in range(0, count, CHUNK):
        some = slice(at, min(at + CHUNK, count))
        noise = draws.raw(some.stop - at, -(-size * size // 8)).astype("<u8").view(np.uint8)
        noise = noise[:, : size * size].reshape(-1, size, size)
        first, more, dx, dy, strength = (
            values[some].astype(np.float32)[..., None, None] for values in (start, end - start, across, down, grain)
        )
        grains = (noise.astype(np.float32) - 127.5) * strength + 0.5
        share = np.clip(dx * side + dy * side[:, None] + 0.5, 0, 1)
        for channel in range(3):
            pixels[some, ..., channel] = first[:, channel] + more[:, channel] * share + grains
    return pixels


class _Group(NamedTuple):
    """All members of all scenes, (N, 4) each; those beyond a scene's count are not drawn."""

    x: Numbers
    y: Numbers
    radius: Numbers
    cosine: Numbers
    sine: Numbers


def _turn(half: Numbers) -> tuple[Numbers, Numbers]:
    """Cosine and sine from the tangent of half the angle: unlike sine itself, the same on every machine."""
    return (1 - half * half) / (1 + half * half), 2 * half / (1 + half * half)


def _placed(codes: Whole, draws: Draws) -> _Group:
    """Where each member lies and how it is turned, with the middle of the group in the right third both ways."""
    count, many = codes[:, 4], len(codes)
    radius = np.array(list(RADII.values()))[codes[:, 2], count] * draws.uniform(LEAST, 1, many)
    steps = np.zeros((len(LAYOUTS), 4, 2))
    for at, layout in enumerate(LAYOUTS):
        steps[at, : len(layout)] = layout
    cosine, sine = _turn(np.array(TILTS)[count] * draws.uniform(-1, 1, many))
    far = (2 * radius + GAP)[:, None]
    x, y = steps[count, :, 0] * far, steps[count, :, 1] * far
    x, y = x * cosine[:, None] - y * sine[:, None], x * sine[:, None] + y * cosine[:, None]
    stray = np.where(count > 0, LOOSE, 0)[:, None] * draws.uniform(-1, 1, 2, many, 4)
    x, y = x + stray[0], y + stray[1]
    there = np.arange(4) <= count[:, None]
    third = np.array(list(PLACES.values()))[codes[:, 3]]
    spots = [
        _spot(np.where(there, along, 0), radius, third[:, at], draws.uniform(0, 1, many))
        for at, along in enumerate((x, y))
    ]
    lean = _turn(LEAN * draws.uniform(-1, 1, many, 4))
    return _Group(x + spots[0][:, None], y + spots[1][:, None], np.broadcast_to(radius[:, None], x.shape), *lean)


def _spot(along: Numbers, radius: Numbers, third: Whole, share: Numbers) -> Numbers:
    """The middle of each group along one axis: within the picture, near enough to the edge or to the centre."""
    low, high = radius + MARGIN - along.min(axis=1), radius + MARGIN + along.max(axis=1)
    near = low + np.maximum(EDGE - low, MARGIN) * share
    far = 1 - high - np.maximum(EDGE - high, MARGIN) * share
    return np.choose(third, (near, 0.5 + MIDDLE * (2 * share - 1), far))


def _stamp(
    pixels: Pixels,
    chosen: Whole,
    group: _Group,
    member: int,
    shape: Callable[[Reals, Reals], Reals],
    colours: Numbers,
    cast: bool,
) -> None:
    """Draw one member, or the shadow it casts, into all pictures that were chosen, each in a window around it."""
    size = pixels.shape[1]
    x, y, radius, cosine, sine = (values[chosen, member, None] for values in group)
    side = min(size, int(2 * (1 + DROP + SOFT) * radius.max() * size) + 4)
    columns, rows = (np.clip((v * size - side / 2).astype(np.int64), 0, size - side) + np.arange(side) for v in (x, y))
    right = ((columns + 0.5 - x * size) / (radius * size)).astype(np.float32)[:, None, :]
    below = ((rows + 0.5 - y * size) / (radius * size)).astype(np.float32)[:, :, None]
    dots, c, s = ((v[:, None]).astype(np.float32) for v in (radius * size, cosine, sine))
    local = below - DROP if cast else below
    distance = shape(c * right + s * local, c * local - s * right)
    if cast:
        cover = np.clip(0.5 - distance / SOFT, 0, 1) * DARK
        light = np.zeros_like(cover)
    else:
        cover = np.clip(0.5 - distance * dots, 0, 1)
        light = 1 - LIGHTER * below - DARKER * np.clip(0.5 + (distance + RIM) * dots, 0, 1)
    window = ((chosen[:, None] * size + rows)[:, :, None] * size + columns[:, None, :]) * 3
    flat = pixels.reshape(-1)
    for channel in range(3):
        behind = flat[window + channel].astype(np.float32)
        surface = np.clip(light * colours[chosen, channel, None, None].astype(np.float32), 0, 255)
        flat[window + channel] = behind + (surface - behind) * cover + 0.5
