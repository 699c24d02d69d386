"""Scenes: which of six kinds of landscape does a photograph show? (ist-2025-hw2, question 2)

Trials compare learning rates, the flattened network with the normalised and pooled one, pixels in order with pixels
scrambled, pooling with strides, and small kernels with large ones; counts need no training. The course's photographs
are not for everyone to have: six classes of CIFAR-10, enlarged, stand in, and what they show are claims of their own.
Left out on purpose: augmentation, momentum and schedules, which the sheet has not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from workings.core.config import length, source
from workings.core.study import Dataset, Study

SEEDS = (0, 1, 2)
"""Three: the fewest for which a Student interval over seeds is of any use."""
RATES = (0.1, 0.01, 1e-3)
"""The sheet's learning rates."""
STAND_IN = ("airplane", "automobile", "deer", "horse", "ship", "truck")
"""Of CIFAR-10's classes those photographed outdoors with their surroundings in view: sky, street, wood, pasture
and sea. Like glaciers and mountains, or streets and buildings, two pairs of them are easily taken for each other."""
DISTANCES, DIRECTIONS = (1, 2, 3, 4), ((1, 0), (-1, 0), (0, 1), (0, -1))
"""Moves of a picture: pixels (up to half of the 8 that a position of the last maps stands for), and which way."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One training, or one count. The defaults are the sheet's recipe."""

    task: Literal["train", "count", "kernels"] = "train"
    """train a network; only count its layers; or count small kernels against large ones that see as far."""
    data: str = source("intel", role="pictures")
    """Labelled pictures: intel, cifar10, cifar10-jpeg, fashion-mnist, digits, or a folder, zip or npz of one's own."""
    classes: tuple[str, ...] = ()
    """The classes to tell apart; all that the pictures have, where none is named."""
    train: int = 12_630
    """Training pictures at most, from all classes alike."""
    validation: int = 1_404
    """Validation pictures at most; a set without them gives up a tenth of its training pictures at most."""
    test: int = 3_000
    """Test pictures at most, from all classes alike."""
    broken: Literal["refuse", "skip"] = "refuse"
    """What is done about files that are no sound pictures."""
    size: int = 48
    """Height and width in pixels, to which pictures of another size are brought; a multiple of 8."""
    colour: bool = False
    """Show grey pictures in three channels, as if they had colour."""
    pixel_order: Literal["right", "scrambled"] = "right"
    """scrambled: reshape height × width × channel into channel × height × width, as the course's skeleton does."""
    width: int = 32
    """Channels of the first block; the second has twice, the third four times as many. Dense layers follow suit."""
    kernel: int = 3
    """Height and width of every convolution."""
    convolutions: int = 1
    """Convolutions in a block, one after another."""
    normalised: bool = False
    """Batch normalisation in the blocks and after both hidden dense layers."""
    normalise_first: bool = True
    """Normalise before the ReLU, not after it; public solutions differ."""
    pooled: bool = False
    """Average each channel over the picture, in place of flattening."""
    downsample: Literal["max", "stride"] = "max"
    """How a block halves its maps: max pooling, or a stride of 2 in its last convolution."""
    dropout: float = 0.1
    """Probability, after each block and after the first dense layer."""
    drop_channels: bool = False
    """In the blocks drop whole channels, not single numbers; public solutions differ."""
    learning_rate: float = 0.01
    """Step size of plain gradient descent on batches."""
    batch: int = 8
    """Pictures in a batch."""
    seed: int = 0
    """Seed of weights, order and dropout. Which pictures are for what does not depend on it."""
    epochs: int = length(40)
    """Passes through the training pictures."""


def instant() -> Sequence[Config]:
    """Both networks of the sheet, counted; what pooling and normalising do to the count by themselves; kernels."""
    networks = [Config(task="count", normalised=n, pooled=p) for n in (False, True) for p in (False, True)]
    return [*networks, Config(task="kernels")]


def smoke() -> Sequence[Config]:
    """Everything once, in seconds, on a few built-in digits. Shows that it runs, not what it can."""
    tiny = replace(DIGITS, train=96, validation=40, test=60, size=8, width=2, epochs=2)
    return _comparisons(tiny, tiny, DIGIT_RATES, (0,))


def quick() -> Sequence[Config]:
    """The built-in digits, narrow networks, three seeds, in a few minutes."""
    return _comparisons(DIGITS, DIGITS, DIGIT_RATES, SEEDS)


def full() -> Sequence[Config]:
    """The sheet's recipe for ten epochs on the stand-in, three seeds; kernels on fewer and smaller of its pictures."""
    stand_in = Config(data="cifar10-jpeg", classes=STAND_IN, epochs=10)
    return _comparisons(stand_in, _smaller(stand_in), RATES, SEEDS)


def intel() -> Sequence[Config]:
    """The sheet's recipe on the course's photographs, 40 epochs, three seeds, for those who have them."""
    return _comparisons(Config(), _smaller(Config()), RATES, SEEDS)


DIGITS = Config(data="digits", colour=True, size=16, width=8, epochs=8)
"""A quarter of the width and a third of the size, on the built-in digits: what a laptop trains in seconds."""
DIGIT_RATES = (1.0, 0.1, 0.01)
"""Ten times the sheet's, for a tenth of its steps."""


def _smaller(config: Config) -> Config:
    """For kernels, which cost a multiple: a ninth of the multiplications a picture, half the pictures."""
    return replace(config, size=32, width=16, train=6_000, validation=600)


def _comparisons(sheet: Config, kernels: Config, rates: Sequence[float], seeds: Sequence[int]) -> list[Config]:
    """What is compared, all of it with one seed before any with the next. Only the first network sees all rates."""
    high, middle, low = rates
    plain = replace(sheet, learning_rate=middle)
    recipes = [
        plain,
        replace(plain, normalised=True, pooled=True),
        replace(sheet, learning_rate=high),
        replace(sheet, learning_rate=low),
        replace(plain, pixel_order="scrambled"),
        replace(plain, downsample="stride"),
        *(
            replace(kernels, learning_rate=middle, kernel=kernel, convolutions=convolutions, normalised=normalised)
            for normalised in (False, True)
            for kernel, convolutions in ((3, 3), (7, 1))
        ),
    ]
    return [replace(recipe, seed=seed) for seed in seeds for recipe in recipes]


def datasets(config: Config) -> Mapping[str, Dataset]:
    """The pictures, unless there is only counting to do."""
    from workings.data.catalogue import load_pictures

    if config.task != "train":
        return {}
    return {"pictures": load_pictures(config.data, config.size, config.broken).dataset}


STUDY = Study(
    package=__package__,
    title="Scenes",
    summary="Convolutional networks tell landscapes apart: learning rates, normalising and pooling, kernels, pixels.",
    sources=("ist-2025-hw2/2",),
    config=Config,
    presets=(smoke, quick, full, intel),
    instant=instant,
    data=datasets,
    examples=(
        "workings run scenes --preset full --seed 0",
        "workings run scenes --data MY_FOLDER --normalised --pooled --epochs 20",
        "workings use scenes classify photo.jpg",
    ),
)
