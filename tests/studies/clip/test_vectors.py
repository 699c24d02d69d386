"""The nearest of many vectors: against a plain sort, with rows left out, and through an inverted file."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workings.core.errors import UserError
from workings.studies.clip.search import vectors as near

NONE = np.empty(0, dtype=np.int64)


def unit(count: int, dimensions: int, seed: int = 0, around: int = 0) -> near.Vectors:
    """Vectors of unit length, in so many heaps."""
    draw = np.random.default_rng(seed)
    made = draw.standard_normal((count, dimensions))
    if around:
        heaps = draw.standard_normal((around, dimensions))
        made = heaps[draw.integers(0, around, count)] + 0.5 * made
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def sorted_rows(vectors: near.Vectors, query: near.Vectors, without: near.Rows) -> list[int]:
    similar = [float(np.dot(vector.astype(np.float64), query.astype(np.float64))) for vector in vectors]
    kept = [row for row in range(len(vectors)) if row not in set(without.tolist())]
    return sorted(kept, key=lambda row: -similar[row])


@given(
    count=st.integers(0, 60),
    queries=st.integers(1, 4),
    k=st.integers(1, 70),
    piece=st.integers(1, 40),
    left_out=st.sets(st.integers(0, 59)),
    seed=st.integers(0, 99),
)
def test_all_are_compared_in_pieces_of_any_size(
    count: int, queries: int, k: int, piece: int, left_out: set[int], seed: int
) -> None:
    vectors, asked = unit(count, 5, seed), unit(queries, 5, seed + 1)
    without = np.array(sorted(row for row in left_out if row < count), dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "PIECE", piece)
        found = near.exact(vectors, asked, k, without)
    assert found.rows.shape == found.similarities.shape == (queries, k)
    for query, rows, similar in zip(asked, found.rows, found.similarities, strict=True):
        expected = sorted_rows(vectors, query, without)[:k]
        assert rows[: len(expected)].tolist() == expected
        assert (rows[len(expected) :] == -1).all()
        assert np.isneginf(similar[len(expected) :]).all()


def test_a_vector_that_is_not_a_number_is_never_near() -> None:
    vectors = unit(5, 3)
    vectors[2] = np.nan
    found = near.exact(vectors, unit(2, 3, 1), 5, NONE)
    assert (np.sort(found.rows, axis=1) == [-1, 0, 1, 3, 4]).all()


def test_an_inverted_file_finds_what_comparing_all_finds(tmp_path: Path) -> None:
    vectors, asked = unit(3_000, 16, around=40), unit(20, 16, seed=5, around=10)
    kept = near.build(vectors, NONE, tmp_path, "inverted-0-3000.faiss", {"pictures": vectors[::150], "words": asked})
    assert set(kept.recall) == {"pictures", "words"}
    file = near.mapped(tmp_path, kept)
    exact = near.exact(vectors, asked, 10, NONE)
    found = near.likely(file, kept, vectors, asked, 10, NONE)
    same = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.rows, exact.rows, strict=True)])
    assert same == pytest.approx(kept.recall["words"])
    assert same > 0.9
    best = exact.rows[0, :3]
    assert not set(near.likely(file, kept, vectors, asked[:1], 10, best).rows[0]) & set(best.tolist())


def test_vectors_that_came_later_are_compared_beside_the_inverted_file(tmp_path: Path) -> None:
    vectors = unit(1_200, 8, around=20)
    kept = near.build(vectors[:1_000], NONE, tmp_path, "inverted-0-1000.faiss", {"pictures": vectors[:50]})
    found = near.likely(near.mapped(tmp_path, kept), kept, vectors, vectors[1_100:1_101], 1, NONE)
    assert found.rows.tolist() == [[1_100]]


def test_the_same_vectors_make_the_same_inverted_file(tmp_path: Path) -> None:
    vectors = unit(1_000, 8, around=20)
    made = [near.build(vectors, NONE, tmp_path, f"{name}.faiss", {"pictures": vectors[:20]}) for name in "ab"]
    assert made[0].recall == made[1].recall
    assert (tmp_path / "a.faiss").read_bytes() == (tmp_path / "b.faiss").read_bytes()


@pytest.mark.parametrize("harm", [lambda b: b[:-10], lambda b: b"x" * len(b), lambda b: b""])
def test_a_damaged_inverted_file_is_refused(harm: "object", tmp_path: Path) -> None:
    vectors = unit(500, 8)
    kept = near.build(vectors, NONE, tmp_path, "i.faiss", {"pictures": vectors[:20]})
    path = tmp_path / "i.faiss"
    path.write_bytes(harm(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(UserError, match="is damaged: delete it"):
        near.mapped(tmp_path, kept)
