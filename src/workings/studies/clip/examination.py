"""What a trained model finds among the test pictures: recorded as metrics, ranks and tables, drawn scenes as pictures.

Recorded: ``count/test`` pictures and ``count/queries`` captions; per direction ``/r1``, ``/r5``, ``/r10``, ``/median``;
the arrays ``ranks/text-to-image``, ``ranks/image-to-text``, ``query/picture`` and ``heat``; the tables ``heat``,
``failures`` and ``prompts``; of drawn scenes ``zero-shot/ATTRIBUTE``, ``/pair``, ``/all``, each ``/chance``,
``/averaged/ATTRIBUTE`` and ``/bare/ATTRIBUTE``, and the pictures ``heat``, ``failures`` and ``prompts``. Of photographs
only names are kept, never pictures, nor what people wrote of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from workings.core.runs import Recorder
from workings.data.drawn_scenes import WORDS, Scene, describe
from workings.studies.clip.learner import ClipLearner
from workings.studies.clip.prompts import PHOTOGRAPHS, fits
from workings.studies.clip.retrieval import AT, Ranks, ranks_of, recall

TOGETHER = 256
"""Pictures or captions embedded at a time; more takes memory, not time."""
HEAT, WORST, PROMPTS, TOP = 10, 12, 5, 8
"""Pictures in the table of similarities; failures that are shown; prompts, and hits of each."""
PAIR = ("shape", "colour")
"""The attributes of which the test scenes show pairs that were never seen."""
Vectors = NDArray[np.float32]


def examine(learner: ClipLearner, recorder: Recorder) -> None:
    """Measure and record."""
    learner.model.eval()
    found = Examination(learner)
    recorder.metric("count/test", len(found.pictures))
    recorder.metric("count/queries", len(found.texts))
    for direction, ranks in (
        ("text-to-image", found.ranks.text_to_image),
        ("image-to-text", found.ranks.image_to_text),
    ):
        for k in AT:
            recorder.metric(f"{direction}/r{k}", recall(ranks, k))
        recorder.metric(f"{direction}/median", float(np.median(ranks)))
        recorder.array(f"ranks/{direction}", _small(ranks))
    recorder.array("query/picture", _small(found.owner))
    pictures: dict[str, NDArray[np.int64]] = {}
    for name, part in (("heat", found.heat), ("failures", found.failures), ("prompts", found.prompts)):
        table, pictures[name] = part()
        recorder.table(name, table)
    recorder.array("heat", found.pictures[:HEAT] @ found.texts[found.first[:HEAT]].T)
    if found.drawn:
        for name, places in pictures.items():
            if len(places):
                recorder.picture(name, found.tiles(places))
        for name, value in found.zero_shot().items():
            recorder.metric(f"zero-shot/{name}", value)
    told = {f"R@{k}, text to image": f"{recall(found.ranks.text_to_image, k):.3f}" for k in AT}
    recorder.table("result", {**told, "among pictures": len(found.pictures)})


@dataclass
class Examination:
    """The test pictures and all of their captions, embedded."""

    learner: ClipLearner

    def __post_init__(self) -> None:
        self.test = self.learner.data.test
        index, owner = self.learner.sentences.all_of(self.test)
        self.sentences = [self.learner.sentences.texts[int(i)] for i in index]
        self.owner: NDArray[np.int64] = owner.numpy()
        self.first = np.searchsorted(self.owner, np.arange(len(self.test)))
        """Of each picture, the place of its first caption."""
        self.pictures = unit(self.learner.embed_pictures, torch.from_numpy(self.test))
        self.texts = unit(self.learner.embed_texts, index)

    @cached_property
    def ranks(self) -> Ranks:
        """Of all queries, in both directions."""
        return ranks_of(self.pictures, self.texts, self.owner)

    @property
    def drawn(self) -> bool:
        """Whether the pictures are drawn, with attributes, and may be shown."""
        return bool(self.learner.data.captioned.attributes)

    def heat(self) -> tuple[Any, NDArray[np.int64]]:
        """The first pictures, with their first captions."""
        places = np.arange(min(HEAT, len(self.test)))
        captions = [self.sentences[self.first[place]] for place in places] if self.drawn else []
        return {"names": self._names(places), "captions": captions}, places[None, :]

    def failures(self) -> tuple[Any, NDArray[np.int64]]:
        """The captions that found their picture latest: which was wanted, which came first."""
        worst = np.argsort(-self.ranks.text_to_image, kind="stable")[:WORST]
        worst = worst[self.ranks.text_to_image[worst] > 1]
        wanted = self.owner[worst]
        near = self.texts[worst] @ self.pictures.T
        near[np.arange(len(worst)), wanted] = -np.inf  # equal pictures tie, and the wrong one counts as found
        found = near.argmax(axis=1)
        rows = [
            {
                "name": name,
                "rank": int(self.ranks.text_to_image[query]),
                "found": other,
                "caption": self.sentences[query] if self.drawn else "",
            }
            for query, name, other in zip(worst, self._names(wanted), self._names(found), strict=True)
        ]
        return rows, np.stack([wanted, found], axis=1)

    def prompts(self) -> tuple[Any, NDArray[np.int64]]:
        """The pictures nearest to each prompt, and which of them fit it."""
        asked = self._drawn_prompts() if self.drawn else self._photographs_prompts()
        near = self.pictures @ self._embedded(list(asked)).T
        order = np.argsort(-near, axis=0, kind="stable")[:TOP].T
        rows = [
            {
                "prompt": prompt,
                "fitting": sum(map(fit, range(len(self.test)))),
                "hits": [
                    {"name": name, "similarity": round(float(near[at, row]), 4), "fits": fit(int(at))}
                    for name, at in zip(self._names(order[row]), order[row], strict=True)
                ],
            }
            for row, (prompt, fit) in enumerate(asked.items())
        ]
        return rows, order

    def zero_shot(self) -> dict[str, float]:
        """Accuracy on what no caption names alone: each attribute, the pair of shape and colour, and all at once.

        A picture is what the nearest says of the plain captions of all scenes there can be, those of pairs that were
        seen among them. ``averaged`` takes for each class the mean of the captions that leave open what else is true,
        as is usual; ``bare`` says a shape and a colour and nothing else, which no caption does.
        """
        axes, shape = tuple(WORDS), tuple(map(len, WORDS.values()))
        full = self._embedded([describe(Scene(*words)) for words in product(*WORDS.values())])
        nearest = np.unravel_index((self.pictures @ full.T).argmax(1), shape)
        right = {axis: found == self._true(axis) for axis, found in zip(axes, nearest, strict=True)}
        scores = {axis: right[axis].mean() for axis in axes}
        scores["pair"], scores["all"] = (np.all([right[a] for a in kept], axis=0).mean() for kept in (PAIR, axes))
        bare = self._embedded([f"a {colour} {kind}" for kind, colour in product(*(WORDS[axis] for axis in PAIR))])
        for name, sentences, those in (("averaged", full, axes), ("bare", bare, PAIR)):
            grid = sentences.reshape(*(len(WORDS[axis]) for axis in those), -1)
            for at, axis in enumerate(those):
                classes = grid.mean(tuple(other for other in range(len(those)) if other != at))
                found = (self.pictures @ classes.T).argmax(1)
                scores[f"{name}/{axis}"] = (found == self._true(axis)).mean()
        for axis, classes in (*((axis, self._true(axis)) for axis in PAIR), ("pair", self._true_pairs())):
            scores[f"{axis}/chance"] = np.bincount(classes).max() / len(classes)  # who always says the commonest
        return {name: float(score) for name, score in scores.items()}

    def _true_pairs(self) -> NDArray[np.int64]:
        shape, colour = map(self._true, PAIR)
        return shape * len(WORDS["colour"]) + colour

    def _true(self, axis: str) -> NDArray[np.int64]:
        """What is true of each test picture, as a position in `WORDS`."""
        given = self.learner.data.captioned.attributes[axis]
        return np.array([WORDS[axis].index(given[at]) for at in self.test])

    def tiles(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pictures in rows and columns, side by side."""
        pixels = np.asarray(self.learner.data.captioned.pictures[self.test[places]])
        rows, columns, height, width, channels = pixels.shape
        return pixels.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)

    def _names(self, places: NDArray[np.int64]) -> list[str]:
        return [self.learner.data.captioned.names[self.test[place]] for place in places]

    def _photographs_prompts(self) -> Mapping[str, Callable[[int], bool]]:
        captions = self.learner.data.captioned.captions

        def judge(patterns: Any) -> Callable[[int], bool]:
            return lambda place: fits(captions[self.test[place]], patterns)

        return {prompt: judge(patterns) for prompt, patterns in PHOTOGRAPHS.items()}

    def _drawn_prompts(self) -> Mapping[str, Callable[[int], bool]]:
        """Two large shapes in the centre, in colours that they never had: the first pairs among the test scenes."""
        given = self.learner.data.captioned.attributes
        pairs = dict.fromkeys((given["shape"][i], given["colour"][i]) for i in self.test)

        def judge(pair: tuple[str, str]) -> Callable[[int], bool]:
            return lambda place: (given["shape"][self.test[place]], given["colour"][self.test[place]]) == pair

        asked = list(pairs)[:PROMPTS]
        return {describe(Scene(*pair, "large", "centre", "two")): judge(pair) for pair in asked}

    def _embedded(self, sentences: list[str]) -> Vectors:
        encoded = self.learner.vocabulary.encode(sentences, self.learner.longest)

        def embed(part: Tensor) -> Tensor:
            return self.learner.model.embed_text(*encoded.batch(part, self.learner.device))

        return unit(embed, torch.arange(len(sentences)))


def _small(counts: NDArray[Any]) -> NDArray[Any]:
    """The same counts in as few bytes as hold them."""
    return counts.astype(np.int16 if counts.max(initial=0) <= np.iinfo(np.int16).max else np.int32)


@torch.no_grad()
def unit(embed: Callable[[Tensor], Tensor], index: Tensor) -> Vectors:
    """All of these, a part at a time, each of unit length."""
    parts = [normalize(embed(part).float(), dim=1).cpu() for part in index.split(TOGETHER)]
    made: Vectors = torch.cat(parts).numpy()
    return made
