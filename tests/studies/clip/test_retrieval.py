"""Ranks, recall and chance against tables worked by hand, loops that sort, and what must hold for any similarity."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from numpy.typing import NDArray

from workings.studies.clip import retrieval
from workings.studies.clip.retrieval import _check, chance, misses, ranks, ranks_of, recall, recalls

OWNER = np.array([0, 0, 1, 2, 2])
TABLE = np.array(
    [  # captions of:  0    0    1    2    2
        [0.9, 0.2, 0.1, 0.3, 0.0],
        [0.5, 0.4, 0.1, 0.2, 0.6],
        [0.1, 0.3, 0.8, 0.3, 0.5],
    ]
)
"""By hand. Caption 0 finds picture 0 first; caption 1 finds two wrong ones before it; caption 2 is less similar to its
own picture than to 2, and as similar as to 0: third; caption 3 ties with picture 0: second; caption 4: second."""


def test_a_table_worked_by_hand() -> None:
    found = ranks(TABLE, OWNER)
    np.testing.assert_array_equal(found.text_to_image, [1, 3, 3, 2, 2])
    np.testing.assert_array_equal(found.image_to_text, [1, 5, 2], "best own 0.9; own 0.1 is least; 0.5 after 0.8")


def test_its_recall_by_hand() -> None:
    found = ranks(TABLE, OWNER).text_to_image
    assert [recall(found, k) for k in (1, 2, 3)] == [1 / 5, 3 / 5, 1.0]
    told = recalls(found, OWNER)
    assert told.values == {"r1": 0.2, "r5": 1.0, "r10": 1.0, "median": 2.0}
    np.testing.assert_allclose(misses(found, OWNER, 2), [0.5, 1.0, 0.0])


def test_another_caption_of_ones_own_never_stands_in_the_way() -> None:
    found = ranks(np.array([[0.5, 0.5, 0.1], [0.4, 0.4, 0.2]]), np.array([0, 0, 1]))
    np.testing.assert_array_equal(found.image_to_text, [1, 3])


@pytest.mark.parametrize("value", [0.0, 1.0, np.nan, np.inf, -np.inf])
def test_a_model_that_says_the_same_of_everything_comes_last(value: float) -> None:
    found = ranks(np.full((4, 4), value), np.arange(4))
    assert (found.text_to_image == 4).all()
    assert (found.image_to_text == 4).all()


def test_one_wrong_number_among_good_ones_costs_its_query_alone() -> None:
    similarity = np.eye(3)
    similarity[0, 1] = np.nan
    np.testing.assert_array_equal(ranks(similarity, np.arange(3)).text_to_image, [1, 2, 1])


def by_sorting(similarity: NDArray[np.float64], owner: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """The protocol, read aloud: sort what is found, wrong ones first among equals, and look for what is right."""
    by_text = []
    for caption, mine in enumerate(owner):
        order = sorted(range(len(similarity)), key=lambda p: (-similarity[p, caption], p == mine))
        by_text.append(order.index(mine) + 1)
    by_picture = []
    for picture in range(len(similarity)):
        order = sorted(range(len(owner)), key=lambda c: (-similarity[picture, c], owner[c] == picture))
        by_picture.append(min(place for place, c in enumerate(order, start=1) if owner[c] == picture))
    return by_text, by_picture


@st.composite
def similarities(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A few pictures with a few captions each, in any order, and similarities of few values, so that many tie."""
    counts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=6))
    owner = np.array(draw(st.permutations([p for p, n in enumerate(counts) for _ in range(n)])))
    levels = draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.integers(0, levels, (len(counts), len(owner))) / levels, owner


@given(similarities())
def test_counting_agrees_with_sorting(drawn: tuple[NDArray[np.float64], NDArray[np.int64]]) -> None:
    found = ranks(*drawn)
    by_text, by_picture = by_sorting(*drawn)
    assert found.text_to_image.tolist() == by_text
    assert found.image_to_text.tolist() == by_picture


@given(similarities(), st.randoms(use_true_random=False))
def test_order_of_pictures_and_captions_does_not_matter(
    drawn: tuple[NDArray[np.float64], NDArray[np.int64]], random: "np.random.Generator"
) -> None:
    similarity, owner = drawn
    rows, columns = (np.array(random.sample(range(n), n)) for n in similarity.shape)  # type: ignore[attr-defined]
    moved = ranks(similarity[np.ix_(rows, columns)], np.argsort(rows)[owner][columns])
    found = ranks(similarity, owner)
    np.testing.assert_array_equal(moved.text_to_image, found.text_to_image[columns])
    np.testing.assert_array_equal(moved.image_to_text, found.image_to_text[rows])


@given(similarities(), st.floats(0.1, 5), st.floats(-3, 3))
def test_only_the_order_of_similarities_matters(
    drawn: tuple[NDArray[np.float64], NDArray[np.int64]], scale: float, shift: float
) -> None:
    similarity, owner = drawn
    levels = np.round(np.exp(scale * similarity) + shift, 9)
    found, moved = ranks(np.round(similarity, 9), owner), ranks(levels, owner)
    np.testing.assert_array_equal(found.text_to_image, moved.text_to_image)


@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_a_model_that_knows_everything_has_recall_one(pictures: int, captions: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(pictures, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    owner = np.repeat(np.arange(pictures), captions)
    found = ranks_of(vectors, vectors[owner], owner)
    assert recall(found.text_to_image, 1) == recall(found.image_to_text, 1) == 1


def test_a_model_that_knows_nothing_is_at_chance() -> None:
    rng, owner = np.random.default_rng(0), np.repeat(np.arange(400), 5)
    found = ranks(rng.random((400, 2000)), owner)
    for k in (1, 5, 10):
        spread = np.sqrt(chance(k, 400) / 2000)
        assert abs(recall(found.text_to_image, k) - chance(k, 400)) < 4 * spread
        spread = np.sqrt(chance(k, 2000, 5) / 400)
        assert abs(recall(found.image_to_text, k) - chance(k, 2000, 5)) < 4 * spread


@pytest.mark.parametrize(("k", "items", "right"), [(1, 10, 1), (3, 7, 2), (5, 5, 1), (9, 5, 1), (2, 6, 5), (0, 4, 1)])
def test_chance_is_the_share_of_all_ways_to_guess(k: int, items: int, right: int) -> None:
    ways = list(itertools.combinations(range(items), min(k, items)))
    lucky = sum(any(item < right for item in way) for way in ways)
    assert chance(k, items, right) == pytest.approx(lucky / len(ways))


# ---- from vectors, in blocks ----


@pytest.mark.parametrize("block", [1, 7, 50, 10**6])
def test_blocks_of_any_size_give_the_ranks_of_the_whole(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, owner = np.random.default_rng(1), np.array([0, 1, 2, 3, 4, 0, 2, 2, 4])
    pictures, texts = (rng.normal(size=(n, 3)).astype(np.float32) for n in (5, 9))
    whole = ranks((pictures.astype(float) @ texts.astype(float).T).astype(np.float32), owner)
    monkeypatch.setattr(retrieval, "BLOCK", block)
    found = ranks_of(pictures, texts, owner)
    np.testing.assert_array_equal(found.text_to_image, whole.text_to_image)
    np.testing.assert_array_equal(found.image_to_text, whole.image_to_text)


def test_equal_vectors_tie_wherever_they_stand() -> None:
    """Twins among the pictures: each caption of either comes second, whatever the library rounds."""
    rng = np.random.default_rng(2)
    pictures = np.repeat(rng.normal(size=(500, 129)).astype(np.float32), 2, axis=0)
    pictures /= np.linalg.norm(pictures, axis=1, keepdims=True)
    found = ranks_of(pictures, pictures, np.arange(1000))
    assert set(found.text_to_image) == set(found.image_to_text) == {2}


def test_many_similarities_do_not_need_their_memory_at_once() -> None:
    rng, owner = np.random.default_rng(3), np.repeat(np.arange(2000), 5)
    pictures, texts = (rng.normal(size=(n, 4)).astype(np.float32) for n in (2000, 10_000))
    tracemalloc.start()
    ranks_of(pictures, texts, owner)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 80e6, "all at once would be 160 MB in float64"


@pytest.mark.parametrize(
    ("pictures", "owner", "wrong"),
    [
        (2, [0, 0], "give each picture a caption"),
        (2, [0, 1, 1], "3 owners for 2 captions"),
        (2, [0, 2], "give each picture a caption"),
        (2, [0, -1], "give each picture a caption"),
    ],
)
def test_captions_and_pictures_that_do_not_belong_together_are_refused(
    pictures: int, owner: list[int], wrong: str
) -> None:
    with pytest.raises(ValueError, match=wrong):
        _check(pictures, 2, np.array(owner))
    with pytest.raises((ValueError, TypeCheckError)):
        ranks(np.zeros((pictures, 2)), np.array(owner))
    with pytest.raises((ValueError, TypeCheckError)):
        ranks_of(np.zeros((pictures, 3)), np.zeros((2, 3)), np.array(owner))


# ---- intervals ----


def test_the_interval_is_that_of_drawing_pictures_one_by_one() -> None:
    """Against a loop that draws whole pictures, from another generator: ends agree as far as chance allows."""
    rng, owner = np.random.default_rng(4), np.repeat(np.arange(60), 5)
    found = (rng.integers(1, 4, 60)[owner] + rng.integers(0, 14, 300)).astype(np.int32)
    told, draws = recalls(found, owner, seed=1), []
    for _ in range(3000):
        taken = found.reshape(60, 5)[rng.integers(0, 60, 60)].ravel()
        draws.append([*((taken <= k).mean() for k in (1, 5, 10)), np.median(taken)])
    ends = np.quantile(draws, [0.025, 0.975], axis=0).T
    for name, (low, high) in zip(told.values, ends, strict=True):
        wide = 1.01 if name == "median" else 0.02
        assert told.intervals[name].low == pytest.approx(low, abs=wide)
        assert told.intervals[name].high == pytest.approx(high, abs=wide)
        assert told.intervals[name].contains(told.values[name])


def test_captions_of_a_picture_do_not_count_as_so_many_pictures() -> None:
    """Five captions that always succeed or fail together tell no more than one."""
    once = np.where(np.arange(100) % 2 == 0, 1, 20).astype(np.int32)
    alone = recalls(once, np.arange(100)).intervals["r1"]
    together = recalls(np.repeat(once, 5), np.repeat(np.arange(100), 5)).intervals["r1"]
    apart = recalls(np.repeat(once, 5), np.arange(500)).intervals["r1"]
    assert together == alone
    assert apart.high - apart.low < 0.6 * (alone.high - alone.low)


def test_the_same_seed_gives_the_same_interval_and_another_one_another() -> None:
    found, owner = np.arange(1, 51, dtype=np.int32), np.arange(50)
    assert recalls(found, owner) == recalls(found, owner)
    assert recalls(found, owner, seed=1) != recalls(found, owner)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30), st.integers(0, 100))
@settings(deadline=None, max_examples=40)
def test_intervals_hold_what_they_are_about_within_the_possible(found: list[int], seed: int) -> None:
    told = recalls(np.array(found), np.arange(len(found)), resamples=50, seed=seed)
    for name, interval in told.intervals.items():
        least, most = (min(found), max(found)) if name == "median" else (0, 1)
        assert least <= interval.low <= interval.high <= most
    assert told.values["r1"] <= told.values["r5"] <= told.values["r10"]
