"""The nearest of many unit vectors, by inner product: all of them compared, or beyond `FLAT` the likely ones.

All of them: numpy's product over the mapped file, piece by piece. Of 200,000 × 256, on one processor beside two busy
ones, it took 14 ms for one query and 0.12 s for 64; `faiss.knn` 14 ms and 0.94 s, `IndexFlatIP` more.

The likely ones: faiss's inverted file. The vectors are parted into √n cells. A query looks into the `probes` cells with
the nearest centres, at copies of 8 bits a number, and the best of those, `WIDER` times k, are compared exactly. After
that nothing is lost against copies of 16 bits (measured on a million), at half the size. The file is mapped, not read.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import UserError
from workings.core.files import replace_with

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]

FLAT = 200_000
"""Vectors up to which all are compared: 14 ms, and nothing to build or to explain."""
FEW = 100
"""Nearest ones up to which the likely are asked for; of more, too many would lie in cells that are not looked into."""
PIECE = 1 << 22
"""Similarities held at a time, 16 MB: they stay within a processor's cache."""
WIDER, NARROWEST = 5, 60
"""Candidates of the inverted file that are compared exactly: so many times those wanted, and so many at least."""
PER_CELL = 64
"""Vectors a cell from which the centres are learnt: more changed no recall here."""
ENOUGH = 0.98
"""Recall from which no more cells are looked into."""
RECALL_AT = 10
"""Nearest vectors that recall counts."""
FIRST_PROBES = 8
SEED = 0
"""Of the sample that the centres are learnt from, and of the learning."""


class Nearest(NamedTuple):
    """For each query its nearest rows, best first; row -1 and similarity -inf where there are no more."""

    rows: Rows
    """(queries, k)"""
    similarities: Vectors
    """(queries, k)"""


@dataclass(frozen=True)
class Inverted:
    """What is written of an inverted file beside it."""

    file: str
    bytes: int
    rows: int
    """The first so many rows lie in it; later ones are compared exactly."""
    cells: int
    probes: int
    recall: Mapping[str, float]
    """By kind of query: the share of the exact ten nearest that it finds."""


def exact(vectors: Vectors, queries: Vectors, k: int, without: Rows, first: int = 0) -> Nearest:
    """The k nearest rows from `first` on, each compared; rows in `without` are passed over."""
    best = Nearest(np.full((len(queries), k), -1, dtype=np.int64), np.full((len(queries), k), -np.inf, np.float32))
    step = max(1, PIECE // max(1, len(queries)))
    for at in range(first, len(vectors), step):
        similar = np.fmax(queries @ vectors[at : at + step].T, np.float32(-np.inf))  # a NaN is never near
        similar[:, without[(at <= without) & (without < at + step)] - at] = -np.inf
        if similar.shape[1] > k:
            rows = np.argpartition(-similar, k - 1, axis=1)[:, :k]
            similar = np.take_along_axis(similar, rows, axis=1)
        else:
            rows = np.broadcast_to(np.arange(similar.shape[1]), similar.shape)
        best = _merged(best, Nearest(np.where(similar > -np.inf, rows + at, -1), similar), k)
    return best


def likely(file: Any, known: Inverted, vectors: Vectors, queries: Vectors, k: int, without: Rows) -> Nearest:
    """The k nearest among rows that the inverted file proposes, compared exactly, and among those it does not hold."""
    found = _proposed(file, vectors, queries, k, without, known.probes)
    return _merged(found, exact(vectors, queries, k, without, first=known.rows), k)


def _proposed(file: Any, vectors: Vectors, queries: Vectors, k: int, without: Rows, probes: int) -> Nearest:
    import faiss

    selector = faiss.IDSelectorBatch(without)
    chosen = faiss.IDSelectorNot(selector)  # both must outlive the search
    settings = faiss.SearchParametersIVF(nprobe=probes, sel=chosen if len(without) else None)  # type: ignore[call-arg]
    _, rows = file.search(queries, max(NARROWEST, WIDER * k), params=settings)
    similar = np.einsum("qkd,qd->qk", vectors[np.maximum(rows, 0)], queries)
    similar = np.where(rows >= 0, similar, np.float32(-np.inf))
    nothing = Nearest(np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32))
    return _merged(nothing, Nearest(rows, similar), k)


def _merged(one: Nearest, other: Nearest, k: int) -> Nearest:
    rows = np.concatenate([one.rows, other.rows], axis=1)
    similar = np.concatenate([one.similarities, other.similarities], axis=1)
    order = np.argsort(-similar, axis=1, kind="stable")[:, :k]
    return Nearest(np.take_along_axis(rows, order, axis=1), np.take_along_axis(similar, order, axis=1))


def build(vectors: Vectors, without: Rows, folder: Path, name: str, queries: Mapping[str, Vectors]) -> Inverted:
    """Write an inverted file of all rows, and look into as many cells as each kind of query needs for `ENOUGH`."""
    import faiss

    cells = 2 ** round(np.log2(np.sqrt(len(vectors))))
    file = faiss.IndexIVFScalarQuantizer(
        *(faiss.IndexFlatIP(vectors.shape[1]), vectors.shape[1], cells),
        *(faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False),
    )
    file.cp.seed, file.cp.niter, file.cp.spherical = SEED + 1, 10, True
    file.cp.min_points_per_centroid, file.cp.max_points_per_centroid = 1, PER_CELL
    draw = np.random.default_rng(SEED)
    file.train(np.array(vectors[np.sort(draw.permutation(len(vectors))[: PER_CELL * cells])]))
    for at in range(0, len(vectors), PIECE // vectors.shape[1]):
        file.add(np.array(vectors[at : at + PIECE // vectors.shape[1]]))
    replace_with(folder / name, lambda path: _write(file, path))
    probes, recall = FIRST_PROBES, dict[str, float]()
    truth = {kind: exact(vectors, asked, RECALL_AT, without).rows for kind, asked in queries.items()}
    while True:
        for kind, asked in queries.items():
            found = _proposed(file, vectors, asked, RECALL_AT, without, probes).rows
            recall[kind] = _recall(found, truth[kind])
        if min(recall.values()) >= ENOUGH or 4 * probes >= cells:
            return Inverted(name, (folder / name).stat().st_size, len(vectors), cells, probes, recall)
        probes *= 2


def _recall(found: Rows, truth: Rows) -> float:
    """The share of the true rows that were found."""
    return float(np.mean([np.isin(true[true >= 0], got).mean() for got, true in zip(found, truth, strict=True)]))


def _write(file: Any, path: Path) -> None:
    import faiss

    try:
        faiss.write_index(file, str(path))
    except RuntimeError as error:  # faiss knows no OSError
        raise OSError(None, f"faiss could not write it ({str(error)[-80:]})", str(path)) from None


def mapped(folder: Path, known: Inverted) -> Any:
    """The inverted file, mapped into memory; `UserError` where it is damaged."""
    import faiss

    path = folder / known.file
    file: Any = None
    if path.is_file() and path.stat().st_size == known.bytes:  # of a shorter one faiss would map what is not there
        with suppress(RuntimeError):
            file = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    if file is None or file.ntotal != known.rows or file.nlist != known.cells:
        raise UserError(f"{path} is damaged: delete it, and `workings use clip index` makes it again")
    return file
