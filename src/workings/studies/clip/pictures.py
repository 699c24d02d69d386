"""The captioned pictures of a trial: loaded, split by picture, and cut to what is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from workings.core.errors import UserError
from workings.data.augment import levels
from workings.data.captioned import Captioned
from workings.data.catalogue import load_captioned
from workings.studies.clip.study import Config
from workings.studies.clip.towers import own_width

TEST_SHARE = 0.2
"""The sheet's: four fifths of the pictures to learn from, one fifth to be tested on."""
VALID_SHARE = 0.1
"""Of what is there to learn from, held out for the schedule and the choice of the best epoch."""
SPLIT_SEED = 0
"""Of the split of a set that comes without one."""
LEAST = 10
"""Pictures at least, without which no split has one of each."""
LEVELS_FROM = 2_000
"""Pictures by which all are normalised; more would change the third digit."""
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation that torchvision's weights were trained with, of pixels from 0 to 1."""
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Look:
    """How bytes become what a tower reads: x = (grey level − mean) / std, channel by channel."""

    size: int
    """Height and width in pixels."""
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, pixels: NDArray[np.uint8], device: torch.device) -> Float[Tensor, "batch 3 height width"]:
        """Pictures (batch, height, width, 3), as they lie in memory: channels last."""
        mean, std = (torch.tensor(values, device=device).view(-1, 1, 1) for values in (self.mean, self.std))
        given = torch.from_numpy(np.ascontiguousarray(pixels)).to(device).permute(0, 3, 1, 2)
        return (given - mean) / std


@dataclass(frozen=True)
class Prepared:
    """Pictures and captions, in three splits."""

    captioned: Captioned
    train: Indices
    valid: Indices
    test: Indices
    look: Look

    @property
    def splits(self) -> Mapping[str, Indices]:
        """By name."""
        return {"train": self.train, "valid": self.valid, "test": self.test}


@dataclass(frozen=True)
class Sentences:
    """All captions of a set, one after another, and whose they are."""

    texts: tuple[str, ...]
    first: Int[Tensor, " pictures"]
    """Index of each picture's first caption; the others follow."""
    counts: Int[Tensor, " pictures"]
    """Captions of each picture."""
    alike: Int[Tensor, " captions"]
    """A number for each caption, the same where the words are: two pictures may share a caption."""

    @classmethod
    def of(cls, captioned: Captioned) -> "Sentences":
        """In the order of the pictures."""
        counts = torch.tensor([len(captions) for captions in captioned.captions])
        texts = tuple(caption for captions in captioned.captions for caption in captions)
        number: dict[str, int] = {}
        alike = torch.tensor([number.setdefault(text, len(number)) for text in texts])
        return cls(texts, counts.cumsum(0) - counts, counts, alike)

    def all_of(self, pictures: Indices) -> tuple[Int[Tensor, " captions"], Int[Tensor, " captions"]]:
        """Every caption of these pictures, and to which of them (by place in `pictures`) it belongs."""
        index = torch.from_numpy(pictures)
        owner = torch.repeat_interleave(torch.arange(len(index)), self.counts[index])
        within = torch.arange(len(owner)) - torch.repeat_interleave(
            self.counts[index].cumsum(0) - self.counts[index], self.counts[index]
        )
        return self.first[index][owner] + within, owner


def load(config: Config) -> Captioned:
    """The set that a configuration names; `UserError` where nothing can be learnt from it."""
    found = load_captioned(config.data, config.size, config.captions, config.broken)
    if len(found.names) < LEAST:
        raise UserError(f"{config.data} holds {len(found.names)} captioned pictures: {LEAST} are the fewest to split")
    return found


def prepare(config: Config) -> Prepared:
    """Load, and split: as the set says, or a fifth for test. No picture is in two splits.

    The split is the set's, whatever the training's seed: models and seeds are compared on the same pictures.
    """
    found = load(config)
    if found.splits:
        train, valid, test = (found.splits[name] for name in ("train", "valid", "test"))
    else:
        order = np.random.default_rng(SPLIT_SEED).permutation(len(found.names))
        tested = max(1, round(TEST_SHARE * len(order)))
        held = tested + max(1, round(VALID_SHARE * (len(order) - tested)))
        test, valid, train = (np.sort(part) for part in np.split(order, [tested, held]))
    kept = np.unique(np.linspace(0, len(train) - 1, min(len(train), config.limit)).round().astype(np.int64))
    return Prepared(found, train[kept], valid, test, _look(config, found, train))


def _look(config: Config, found: Captioned, train: Indices) -> Look:
    if not own_width("conv", config.image_tower) and not config.scratch:
        mean, std = (tuple(255 * value for value in values) for values in IMAGENET)
        return Look(config.size, mean, std)
    few = np.sort(train[np.linspace(0, len(train) - 1, min(len(train), LEVELS_FROM)).astype(np.int64)])
    return Look(config.size, *levels(np.asarray(found.pictures[few])))
