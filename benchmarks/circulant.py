"""Circular convolution: `apply` against the matrix, torch's convolution, and scipy's Toeplitz product."""

from collections.abc import Callable, Iterator

from pair import Pair, Work

LONG, SHORT = 8192, 256
CALLS = 50
"""Long vectors convolved in a row (by the slow peers: one, scaled up)."""


def circulant() -> Iterator[Pair]:
    """Long vectors, where the FFT wins, and short ones, where the sum does; each result is checked first."""
    import numpy as np
    import scipy.linalg
    import torch

    from workings.studies.circulant.model import apply
    from workings.studies.circulant.model import circulant as matrix

    torch.set_num_threads(1)
    w, x = np.random.default_rng(0).normal(size=(2, LONG))
    first_row = np.roll(w[::-1], 1)
    kept = matrix(w)
    # A convolution correlates: its filter is w backwards, its padding what falls before place 0.
    padded = torch.from_numpy(np.concatenate([x[1:], x]))[None, None]
    kernel = torch.from_numpy(w[::-1].copy())[None, None]
    peers: list[tuple[str, Callable[[], np.ndarray], float]] = [
        ("the matrix, kept ready", lambda: kept @ x, 30),
        ("torch conv1d, circular", lambda: torch.nn.functional.conv1d(padded, kernel)[0, 0].numpy(), 100),
        ("scipy matmul_toeplitz", lambda: scipy.linalg.matmul_toeplitz((w, first_row), x), 4),
    ]
    ours = apply(w, x)
    for name, theirs, mark in peers:
        assert np.allclose(theirs(), ours, rtol=0, atol=1e-9), name
        calls = 1 if mark > 4 else CALLS
        yield Pair(
            f"C x, n = {LONG}: apply / {name}",
            _often(lambda: apply(w, x), CALLS),
            _often(theirs, calls),
            mark,
            scale=CALLS / calls,
            repeats=9,
        )

    u, v = w[:SHORT], x[:SHORT]
    small = matrix(u)
    assert np.allclose(apply(u, v), small @ v, rtol=0, atol=1e-9)
    short: list[tuple[str, Work, float]] = [
        ("the matrix, built and used", lambda: scipy.linalg.circulant(u) @ v, 0.9),
        ("the matrix, kept ready", lambda: small @ v, 0.4),  # the sum reads w alone, and cannot be quite as fast
    ]
    for name, theirs, mark in short:
        one = _often(lambda: apply(u, v), 20 * CALLS)
        yield Pair(f"C x, n = {SHORT}: apply / {name}", one, _often(theirs, 20 * CALLS), mark, repeats=15)


def _often(work: Work, calls: int) -> Work:
    """Many calls in a row, as one is too short to time."""
    return lambda: [work() for _ in range(calls)]
