"""A search among a million vectors on disk: against comparing them all, and against what a person is promised."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pair import Pair

COUNT, DIMENSIONS, TOP, PART = 1_000_000, 256, 12, 50_000
HEAPS, SPREAD = 5_000, 0.9
"""The vectors lie in so many heaps, the heaps in a hundred larger ones: photographs are not spread evenly either."""
PROMISED, LOADED = 0.05, 2.0
"""Seconds for a search, and for opening the index."""


def clip_search() -> Iterator[Pair]:
    """An index as `workings use clip index` writes it, with a line for each of a million files; made in a minute."""
    import numpy as np

    from workings.studies.clip.search.index import Index

    with TemporaryDirectory(prefix="workings-bench-") as folder:
        place, queries = Path(folder), _made(Path(folder))
        index = Index(place)
        used = index.about.inverted
        assert used is not None
        told = ", ".join(f"{kind} {recall:.1%}" for kind, recall in used.recall.items())
        print(f"{used.cells} cells, {used.probes} looked into, recall at ten: {told}")

        def ours() -> None:
            [index.names_of(row) for row in index.nearest(queries[:1], TOP).rows[0]]

        def theirs() -> None:
            similar = index.vectors @ queries[0]
            best = np.argpartition(-similar, TOP)[:TOP]
            best[np.argsort(-similar[best])]

        ours()  # reads what is mapped
        yield Pair("a query among 1,000,000: inverted file / numpy", ours, theirs, mark=3, repeats=7)
        yield Pair("a query among 1,000,000, names too / 50 ms", ours, lambda: time.sleep(PROMISED), mark=1, repeats=7)
        yield Pair("opening that index / 2 s", lambda: Index(place).inverted_file, lambda: time.sleep(LOADED), mark=1)


def _made(place: Path) -> Any:
    """Write the index; queries that lie a little beside vectors of it."""
    import hashlib

    import numpy as np

    from workings.studies.clip.search.index import VERSION, About, Entry
    from workings.studies.clip.search.writer import written

    draw = np.random.default_rng(0)
    large = draw.standard_normal((100, DIMENSIONS), dtype=np.float32)
    heaps = large[draw.integers(0, 100, HEAPS)] + draw.standard_normal((HEAPS, DIMENSIONS), dtype=np.float32)

    def unit(vectors: Any) -> Any:
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def drawn(count: int) -> Any:
        noise = draw.standard_normal((count, DIMENSIONS), dtype=np.float32)
        return unit(heaps[draw.integers(0, HEAPS, count)] + np.float32(SPREAD) * noise)

    queries = drawn(64)
    with written(place, About(VERSION, "none", "0" * 16, None, DIMENSIONS, "photographs")) as writer:
        for at in range(0, COUNT, PART):
            names = {
                f"{at // 1000}/photograph {i}.jpg": Entry(i, i, hashlib.sha256(str(i).encode()).hexdigest(), i)
                for i in range(at, at + PART)
            }
            writer.commit(drawn(PART), names)
        writer.finish({"sentences": queries})
    return queries
