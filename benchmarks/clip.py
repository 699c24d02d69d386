"""CLIP: captions padded to their batch against all to 200 tokens; five captions a picture against a pass for each."""

from collections.abc import Iterator
from typing import Any

from pair import Pair

LENGTH, SPREAD = 11.8, 3.9
"""Words of a caption of Flickr8k: mean and standard deviation of all 40,455."""
BATCH, USUAL = 32, 200
"""The sheet's batch, and the tokens to which it pads."""
PICTURES, EACH = 8, 5


def text_tower() -> Iterator[Pair]:
    """A step through DistilBERT's architecture on captions as long as Flickr8k's: forward and backward, no optimiser.

    Both read the same captions, and give the same but for rounding.
    """
    import torch

    from workings.studies.clip.tokens import learn
    from workings.studies.clip.towers import text_tower as tower
    from workings.train.runtime import processors

    torch.set_num_threads(processors())
    said = _captions(BATCH)
    encoded = learn(said).encode(said, USUAL)
    tokens, mask = encoded.batch(torch.arange(BATCH), torch.device("cpu"))
    rest = (0, USUAL - tokens.shape[1])
    padded = torch.nn.functional.pad(tokens, rest), torch.nn.functional.pad(mask, rest)
    # In `eval`, without dropout, so that both compute the same; gradients are computed all the same.
    model = tower("distilbert-base-uncased", scratch=True, vocabulary=30_522).eval()

    def step(*given: Any) -> Any:
        made = model(*given)
        made.sum().backward()
        model.zero_grad(set_to_none=True)
        return made

    step(tokens[:2], mask[:2])
    torch.testing.assert_close(step(tokens, mask)[:4], model(*(part[:4] for part in padded)), atol=1e-4, rtol=1e-3)
    told = f"a step of DistilBERT, {BATCH} captions: to {tokens.shape[1]} tokens / to {USUAL}"
    yield Pair(told, lambda: step(tokens, mask), lambda: step(*padded), mark=5, repeats=1)


def five_captions() -> Iterator[Pair]:
    """The sheet's model A at its full size: all five captions of a picture in one batch, against one in each of five.

    Either learner sees each picture's five captions, in batches of as many pictures, with its optimiser's steps; from
    random weights, at 224 pixels. The pass of a picture through its tower is what is saved.
    """
    import torch

    from workings.studies.clip.learner import ClipLearner
    from workings.train.runtime import processors

    torch.set_num_threads(processors())

    def learner(each: int) -> ClipLearner:
        made = ClipLearner(_config(each), _pictures(), torch.device("cpu"))
        made.model.train()
        return made

    def epochs(of: ClipLearner, count: int) -> None:
        for epoch in range(count):
            for batch in of.batches(epoch):
                of.step(batch, 0.5)

    together, apart = learner(EACH), learner(1)
    told = f"{EACH} captions of {PICTURES} pictures, model A: together / one at a time"
    yield Pair(told, lambda: epochs(together, 1), lambda: epochs(apart, EACH), mark=2, repeats=2)


def _captions(count: int) -> list[str]:
    """Sentences of some 50 words, as long as Flickr8k's."""
    import numpy as np

    draw = np.random.default_rng(0)
    words = [f"{first}{rest}" for first in "bdfklmnprst" for rest in ("an", "elo", "itu", "ora", "usk")]
    shape = (LENGTH / SPREAD) ** 2  # of a gamma distribution: a few captions are much longer, as there
    lengths = draw.gamma(shape, LENGTH / shape, count).round().clip(1, 40).astype(int)
    return [" ".join(draw.choice(words, length)) for length in lengths]


def _config(each: int) -> Any:
    from dataclasses import replace

    from workings.studies.clip.study import SHEET

    return replace(SHEET, loss="clip", each=each, scratch=True, batch=PICTURES)


def _pictures() -> Any:
    """Pictures of noise, with captions."""
    import numpy as np

    from workings.core.study import Dataset
    from workings.data.captioned import Captioned
    from workings.studies.clip.pictures import Look, Prepared

    pixels = np.random.default_rng(0).integers(0, 256, (PICTURES, 224, 224, 3), dtype=np.uint8)
    said, names = _captions(EACH * PICTURES), tuple(map(str, range(PICTURES)))
    own = tuple(tuple(said[EACH * at : EACH * (at + 1)]) for at in range(PICTURES))
    captioned = Captioned(Dataset("noise", "Noise", "0"), names, own, pixels)
    every = np.arange(PICTURES)
    return Prepared(captioned, every, every[:1], every[:1], Look(224, (127.5,) * 3, (74.0,) * 3))
