"""How well pictures and sentences find each other: ranks, recall, and how sure one can be of it. Pure functions.

The protocol is Karpathy & Fei-Fei's (CVPR 2015, table 1), on the pictures of one split and all of their captions:

    text to image    each caption is a query among all pictures; its rank is that of its own picture
    image to text    each picture is a query among all captions; its rank is that of the best of its own captions

    R@k              the share of queries of rank k or better
    median rank      half of the queries do as well or better

A rank counts from 1. A wrong answer that is as similar as the right one stands before it, so ties never help, and
neither does a similarity that is not a number. Captions of one picture are not independent, so intervals come from
drawing *pictures* anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from workings.core.decide import Interval

AT = (1, 5, 10)
"""The k of R@k that the literature reports."""
BLOCK = 4_000_000
"""Similarities held at a time: 32 MB in float64, whatever the number of pictures and captions."""
RESAMPLES = 2000
"""Bootstrap draws: the ends of a 95 % interval are then uncertain by some 3 % of its width."""


@dataclass(frozen=True)
class Ranks:
    """The rank of every query."""

    text_to_image: Int[np.ndarray, " captions"]
    image_to_text: Int[np.ndarray, " pictures"]


@dataclass(frozen=True)
class Recall:
    """What a direction's ranks come to, each number with its bootstrap interval."""

    values: Mapping[str, float]
    """``r1``, ``r5``, ``r10`` and ``median``."""
    intervals: Mapping[str, Interval]


def ranks(similarity: Float[np.ndarray, "pictures captions"], owner: Int[np.ndarray, " captions"]) -> Ranks:
    """Ranks in both directions; ``owner`` names each caption's picture, by row.

    Every picture needs a caption: what cannot be found by any query has no rank. ValueError otherwise.
    """
    _check(len(similarity), similarity.shape[1], owner)
    own = similarity[owner, np.arange(len(owner))]
    blocks = ((columns, similarity[:, columns]) for columns in _columns(*similarity.shape))
    return _ranks(blocks, own, owner, len(similarity))


def ranks_of(
    pictures: Float[np.ndarray, "pictures dim"],
    texts: Float[np.ndarray, "captions dim"],
    owner: Int[np.ndarray, " captions"],
) -> Ranks:
    """The same from vectors of unit length, whose inner product is the similarity, in blocks of captions.

    Products are summed in float64 and rounded to float32, so that equal vectors tie whatever the order in which a
    library sums.
    """
    _check(len(pictures), len(texts), owner)
    a, b = pictures.astype(np.float64), texts.astype(np.float64)
    own = np.einsum("cd,cd->c", a[owner], b).astype(np.float32)
    blocks = ((columns, (a @ b[columns].T).astype(np.float32)) for columns in _columns(len(a), len(b)))
    return _ranks(blocks, own, owner, len(a))


def recall(found: Int[np.ndarray, " queries"], k: int) -> float:
    """R@k: the share of queries of rank k or better."""
    return float((found <= k).mean())


def recalls(
    found: Int[np.ndarray, " queries"],
    owner: Int[np.ndarray, " queries"],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Recall:
    """R@1, R@5, R@10 and the median rank, with percentile intervals of a bootstrap over pictures.

    ``owner`` names the picture of each query (for image to text, simply ``arange``). Each resample draws as many
    pictures as there are, with replacement, and takes all queries of a picture as often as it was drawn.
    """
    values = {**{f"r{k}": recall(found, k) for k in AT}, "median": float(np.median(found))}
    rng, (_, picture) = np.random.default_rng(seed), np.unique(owner, return_inverse=True)
    count = int(picture.max()) + 1
    hits = np.stack([np.bincount(picture, found <= k, minlength=count) for k in AT], axis=1)
    asked = np.bincount(picture, minlength=count)
    order = np.argsort(found, kind="stable")
    size, draws = max(1, BLOCK // len(found)), []
    for start in range(0, resamples, size):
        times = rng.multinomial(count, np.full(count, 1 / count), size=min(size, resamples - start))
        shares = (times @ hits) / (times @ asked)[:, None]
        draws.append(np.column_stack([shares, _median(found[order], times[:, picture[order]])]))
    ends = np.quantile(np.concatenate(draws), [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return Recall(values, {name: Interval(*map(float, pair)) for name, pair in zip(values, ends.T, strict=True)})


def chance(k: int, items: int, right: int = 1) -> float:
    """R@k of a blind guess among so many items, of which so many are right: 1 − C(items − right, k) / C(items, k)."""
    return 1 - comb(items - right, k) / comb(items, k) if k < items else 1.0


def misses(found: Int[np.ndarray, " queries"], owner: Int[np.ndarray, " queries"], k: int) -> NDArray[np.float64]:
    """Of each picture, in order, the share of its queries that rank behind k."""
    _, picture = np.unique(owner, return_inverse=True)
    return np.asarray(np.bincount(picture, found > k) / np.bincount(picture), dtype=np.float64)


def _ranks(blocks: Iterator[tuple[slice, NDArray[Any]]], own: NDArray[Any], owner: NDArray[Any], count: int) -> Ranks:
    """Count, block by block, the wrong answers that are not strictly less similar than the right one."""
    own, best = np.where(np.isnan(own), -np.inf, own), np.full(count, -np.inf)
    np.maximum.at(best, owner, own)
    by_text, by_picture = np.ones(len(owner), np.int32), np.ones(count, np.int32)
    for columns, block in blocks:
        mine = owner[columns], np.arange(block.shape[1])
        before = ~(block < own[columns])
        before[mine] = False
        by_text[columns] += before.sum(axis=0, dtype=np.int32)
        before = ~(block < best[:, None])
        before[mine] = False
        by_picture += before.sum(axis=1, dtype=np.int32)
    return Ranks(by_text, by_picture)


def _columns(rows: int, columns: int) -> Iterator[slice]:
    size = max(1, BLOCK // max(rows, 1))
    return (slice(start, min(start + size, columns)) for start in range(0, columns, size))


def _median(found: NDArray[Any], times: NDArray[Any]) -> NDArray[np.float64]:
    """Medians of ranks in rising order, of which each resample ``[resamples, queries]`` takes some so many times."""
    upto = times.cumsum(axis=1)
    total = upto[:, -1:]
    middle = [found[(upto > (total - shift) // 2).argmax(axis=1)] for shift in (1, 0)]
    return np.asarray(np.mean(middle, axis=0), dtype=np.float64)


def _check(pictures: int, captions: int, owner: NDArray[Any]) -> None:
    """ValueError unless each caption has its picture and each picture a caption."""
    if len(owner) != captions:
        raise ValueError(f"{len(owner)} owners for {captions} captions: name the picture of each caption")
    if not np.array_equal(np.unique(owner), np.arange(pictures)):
        raise ValueError(f"the owners are not the pictures 0 to {pictures - 1}: give each picture a caption of its own")
