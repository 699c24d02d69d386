"""CLIP: pictures and sentences in one space (nyu-2025-hw3, question 2).

Two towers, one for pictures and one for sentences, each with a projection to common dimensions, learn from captioned
pictures alone which sentence belongs to which picture. `full` is the sheet's: the three published pairs of towers, and
the grid that tells the towers' shares apart, on Flickr8k with pretrained weights. `drawn` needs no download: small
towers from scratch on drawn scenes, both losses, and a grid of sizes. `at_hand` adds what can be had from the part of
Flickr8k that is at hand. Left out on purpose: text that a model writes, and pictures that it makes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from workings.core.config import length, source
from workings.core.study import Dataset, Study

SEEDS = (0, 1, 2)
"""Three: the fewest for which a Student interval over seeds is of any use."""
PAIRS: Mapping[str, tuple[str, str]] = {
    "A": ("resnet50", "distilbert-base-uncased"),
    "B": ("resnet18", "bert-base-uncased"),
    "C": ("resnet34", "roberta-base"),
}
"""The published answer's three models: who reads the pictures, who the sentences."""
CONVOLUTIONS = ("conv-16", "conv-32", "conv-64")
TRANSFORMERS = ("transformer-64", "transformer-128", "transformer-256")
"""Small towers of our own, by their width."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One training, one count of towers, or one count of words. The defaults are small towers on drawn scenes."""

    task: Literal["train", "count", "words"] = "train"
    """train two towers; count the parameters of the published ones; or count words in captions."""
    data: str = source("drawn-scenes", role="captioned")
    """Captioned pictures: drawn-scenes, flickr8k, flickr8k-part (what there is of it), or a folder of one's own."""
    captions: str = source("", role="captions")
    """The captions of a folder of one's own: a CSV, JSON or Parquet file; empty where one lies in the folder."""
    broken: Literal["refuse", "skip"] = "refuse"
    """What is done about pictures of one's own that cannot be read: refuse the set, or leave them out."""
    limit: int = 1_000_000
    """Training pictures at most, spread evenly over the set."""
    size: int = 64
    """Height and width in pixels, to which pictures are cropped and scaled."""
    image_tower: str = "conv-32"
    """conv-WIDTH is a small tower of our own; any other name is torchvision's (resnet50, efficientnet_b0, …)."""
    text_tower: str = "transformer-128"
    """transformer-WIDTH is a small tower of our own; else a name or folder that transformers' AutoModel knows."""
    scratch: bool = False
    """Start the named towers from random weights, not from pretrained ones; our own small towers always do."""
    frozen: Literal["none", "pictures", "text", "both"] = "none"
    """Towers that are left as they are; only what stands on them learns, and their features are computed once."""
    projection: int = 256
    """Dimensions of the common space."""
    dropout: float = 0.1
    """In the projections, while they learn."""
    loss: Literal["clip", "soft"] = "clip"
    """clip: each picture's own caption is right, the temperature is learnt; soft: the class's softened targets."""
    each: int = 1
    """Captions of a picture in a batch: 1 draws one anew in each epoch; more share one pass of the picture."""
    batch: int = 128
    """Pictures in a batch."""
    tokens: int = 64
    """Tokens of a caption at most; shorter ones are padded to the longest of their batch only."""
    head_rate: float = 1e-3
    """AdamW's step size for projections and temperature."""
    image_rate: float = 1e-3
    """AdamW's step size for the tower that reads pictures."""
    text_rate: float = 1e-3
    """AdamW's step size for the tower that reads sentences."""
    weight_decay: float = 1e-3
    """Of the projections' weights."""
    schedule: Literal["cycle", "plateau"] = "cycle"
    """cycle: rates rise once, and fall to nothing within `cycle` epochs; plateau: they fall where progress ends."""
    cycle: int = 4
    """Epochs of that rise and fall."""
    seed: int = 0
    """Seed of weights, captions drawn, order and dropout."""
    epochs: int = length(4)
    """Passes through the training pictures."""


DRAWN = Config()
"""Small towers, from scratch, on drawn scenes."""
SHORT = replace(DRAWN, limit=8_000, cycle=2, epochs=2)
"""The budget of each pair of towers in the grid of sizes."""
SHEET = Config(
    data="flickr8k",
    size=224,
    image_tower="resnet50",
    text_tower="distilbert-base-uncased",
    loss="soft",
    batch=32,
    tokens=200,
    image_rate=1e-4,
    text_rate=1e-5,
    schedule="plateau",
)
"""The class's recipe, as far as it does not depend on the towers."""
PHOTOGRAPHS = Config(
    data="flickr8k-part",
    size=32,
    image_tower="conv-8",
    text_tower="transformer-32",
    projection=64,
    dropout=0.5,
    batch=64,
    cycle=15,
    epochs=15,
)
"""One small model for the photographs at hand. Of the recipes tried, larger ones among them, this alone lowered the
loss on held-out photographs."""


def instant() -> Sequence[Config]:
    """The published towers, counted."""
    return [Config(task="count")]


def smoke() -> Sequence[Config]:
    """Everything once, in seconds, on a few drawn scenes. Shows that it runs, not what it can."""
    small = replace(DRAWN, limit=64, size=32, image_tower="conv-8", text_tower="transformer-16", batch=16)
    small = replace(small, projection=16, cycle=1, epochs=1)
    return [small, replace(small, loss="soft", schedule="plateau"), replace(small, each=2)]


def quick() -> Sequence[Config]:
    """Both losses, one seed, on drawn scenes, in a few minutes."""
    return [replace(DRAWN, loss=loss, limit=5_000) for loss in ("clip", "soft")]


def drawn() -> Sequence[Config]:
    """Drawn scenes: three seeds of either loss, and towers of three sizes each, every one with every other."""
    losses = [replace(DRAWN, loss=loss, seed=seed) for seed in SEEDS for loss in ("clip", "soft")]
    grid = [
        replace(SHORT, image_tower=pictures, text_tower=text, seed=seed)
        for seed in SEEDS
        for pictures, text in product(CONVOLUTIONS, TRANSFORMERS)
    ]
    return [*losses, *grid]


def at_hand() -> Sequence[Config]:
    """All that takes no pretrained weights: `drawn`, a small model of photographs, and the published pairs at first."""
    words = [Config(task="words", data="flickr8k-captions")]
    small = [replace(PHOTOGRAPHS, seed=seed) for seed in SEEDS]
    pairs = [replace(pair, data="flickr8k-part", scratch=True, epochs=1) for pair in _pairs(SEEDS[:1])]
    return [*words, *small, *pairs, *drawn()]


def full() -> Sequence[Config]:
    """The sheet's recipe on Flickr8k with pretrained weights: the published pairs, then each tower with each other."""
    return list(dict.fromkeys([*_pairs(SEEDS), *_grid(SEEDS)]))


def _pairs(seeds: Sequence[int]) -> Sequence[Config]:
    return [
        replace(SHEET, image_tower=pictures, text_tower=text, seed=seed)
        for seed in seeds
        for pictures, text in PAIRS.values()
    ]


def _grid(seeds: Sequence[int]) -> Sequence[Config]:
    """Which of two towers made a difference cannot be told from pairs in which both change."""
    pictures, texts = zip(*PAIRS.values(), strict=True)
    return [
        replace(SHEET, image_tower=image, text_tower=text, seed=seed)
        for seed in seeds
        for image, text in product(pictures, texts)
    ]


def datasets(config: Config) -> Mapping[str, Dataset]:
    """The captioned pictures, or the captions alone. What makes no sense is refused before they are read."""
    if config.task == "count":
        return {}
    from workings.data.catalogue import load_captions
    from workings.studies.clip.experiment import check_fields
    from workings.studies.clip.pictures import load

    check_fields(config)
    return {"captioned": load_captions(config.data).dataset if config.task == "words" else load(config).dataset}


STUDY = Study(
    package=__package__,
    title="CLIP on Flickr8k",
    summary="Two encoders learn which sentence belongs to which picture; then words search photographs.",
    sources=("nyu-2025-hw3/2",),
    config=Config,
    presets=(smoke, quick, drawn, at_hand, full),
    instant=instant,
    data=datasets,
    examples=(
        "workings run clip",
        "workings run clip --data my_photos --captions captions.csv --size 128 --each 5",
        "workings use clip index PHOTOS",
        'workings use clip search "two dogs in the snow"',
    ),
)
