"""How long one circular convolution takes, by n: a matrix kept ready, the plain sum, the FFT, and what `apply`
chooses."""

import time
from collections.abc import Callable, Iterator

import numpy as np

from workings.studies.circulant.model import apply, by_fft, circulant

SIZES = tuple(2**k for k in range(3, 17))
LARGEST_MATRIX, LARGEST_SUM = 2**12, 2**13
"""The matrix of 4096² numbers takes 128 MB; the plain sum of 8192 takes tens of milliseconds."""
REPEATS, LEAST = 7, 2e-3
"""Each time is the best of seven, of as many calls in a row as take two milliseconds."""


def times(seed: int) -> Iterator[dict[str, float | None]]:
    """Seconds per call, a row an n; None where a way would take too much memory or time."""
    draw = np.random.default_rng(seed)
    for n in SIZES:
        w, x = draw.normal(size=(2, n))
        doubled = np.concatenate([w[1:], w])
        C = circulant(w) if n <= LARGEST_MATRIX else None
        yield {
            "n": n,
            "matrix": None if C is None else seconds(lambda C=C, x=x: C @ x),  # type: ignore[misc]
            "sum": seconds(lambda d=doubled, x=x: np.convolve(d, x, "valid")) if n <= LARGEST_SUM else None,  # type: ignore[misc]
            "fft": seconds(lambda w=w, x=x: by_fft(w, x)),  # type: ignore[misc]
            "apply": seconds(lambda w=w, x=x: apply(w, x)),  # type: ignore[misc]
        }


def seconds(work: Callable[[], object]) -> float:
    """Seconds of one call, the best of several repeats."""
    calls = 1
    while (took := _timed(work, calls)) < LEAST:
        calls *= 2
    return min([took, *(_timed(work, calls) for _ in range(REPEATS - 1))]) / calls


def _timed(work: Callable[[], object], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        work()
    return time.perf_counter() - began
