import inspect
import math
import subprocess
import sys
from itertools import permutations, product

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from workings.studies.circulant.commutant import (
    commutant_basis,
    commutant_dimension,
    commutator,
    cycle_shift,
    matrix,
    nullity,
    pair_cycles,
)
from workings.studies.circulant.model import (
    PRODUCT_UP_TO,
    SUM_UP_TO,
    apply,
    by_fft,
    circulant,
    eigenvalues,
    shift,
    solve,
    vanishing,
)

LENGTHS = [1, 2, 3, 4, 7, 16, PRODUCT_UP_TO, PRODUCT_UP_TO + 1, SUM_UP_TO, SUM_UP_TO + 1, 1009]


def rounding(w: np.ndarray, x: np.ndarray) -> float:
    """What an FFT of these may err: a few roundings of Σ|w| max|x|, growing with log n."""
    eps = np.finfo(np.result_type(w, x, np.float32)).eps
    return float(8 * eps * np.log2(2 * len(w)) * np.abs(w).sum() * np.abs(x).max())


def test_by_hand() -> None:
    """(1, 2, 3) * (4, 5, 6): 4·1 + 5·3 + 6·2 = 31, 4·2 + 5·1 + 6·3 = 31, 4·3 + 5·2 + 6·1 = 28."""
    w = np.array([1, 2, 3])
    assert circulant(w).tolist() == [[1, 3, 2], [2, 1, 3], [3, 2, 1]]
    assert apply(w, np.array([4, 5, 6])).tolist() == [31, 31, 28]
    assert shift(np.array([1, 2, 3])).tolist() == [3, 1, 2]
    np.testing.assert_allclose(solve(w, np.array([31, 31, 28])), [4, 5, 6])
    np.testing.assert_allclose(eigenvalues(np.array([1, 2, 0, 0])), [3, 1 - 2j, -1, 1 + 2j], atol=1e-15)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("kinds", ["ff", "fc", "cf", "cc", "if"])
@pytest.mark.parametrize("batch", [(), (3,), (2, 1), (0,)])
def test_apply_agrees_with_scipys_matrix(n: int, kinds: str, batch: tuple[int, ...]) -> None:
    draw = np.random.default_rng(n)

    def drawn(kind: str, *shape: int) -> np.ndarray:
        parts = draw.normal(size=(2, *shape))
        return {"f": parts[0], "c": parts[0] + 1j * parts[1], "i": (9 * parts[0]).astype(int)}[kind]

    w, x = drawn(kinds[0], n), drawn(kinds[1], *batch, n)
    expected = x @ scipy.linalg.circulant(w).T
    limit = rounding(w, x) if x.size else 0
    for way in (apply, by_fft):
        found = way(w, x)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(found, expected, rtol=0, atol=limit)


def test_single_precision_stays_single() -> None:
    for n in (5, 300):
        w, x = np.random.default_rng(0).normal(size=(2, n)).astype(np.float32)
        assert apply(w, x).dtype == by_fft(w, x).dtype == np.float32
        assert solve(w, x).dtype == np.float32


def test_a_million_numbers() -> None:
    n = 10**6
    w, x = np.zeros(n), np.arange(n, dtype=np.float64)
    w[[0, 3]] = 2, -1
    np.testing.assert_allclose(apply(w, x), 2 * x - np.roll(x, 3), atol=rounding(w, x))
    np.testing.assert_allclose(solve(w, 2 * x - np.roll(x, 3)), x, atol=3 * rounding(w, x))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(0, 10**6), st.integers(-500, 500))
def test_convolution_commutes_with_itself_and_with_shifts(n: int, seed: int, by: int) -> None:
    w, x = np.random.default_rng(seed).normal(size=(2, n))
    limit = 2 * max(rounding(w, x), rounding(x, w))
    np.testing.assert_allclose(apply(w, x), apply(x, w), atol=limit)
    np.testing.assert_allclose(apply(w, shift(x, by)), shift(apply(w, x), by), atol=limit)
    unit = np.zeros(n)
    unit[by % n] = 1
    np.testing.assert_allclose(apply(unit, x), shift(x, by), atol=limit)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(0, 10**6), st.sampled_from([1e-150, 1.0, 1e150]))
def test_solving_undoes_applying(n: int, seed: int, scale: float) -> None:
    draw = np.random.default_rng(seed)
    w = draw.normal(size=n) * scale
    w[0] += 3 * np.abs(w).sum()  # dominant, so that no eigenvalue is near 0: condition number below 2
    x = draw.normal(size=(2, n))
    np.testing.assert_allclose(solve(w, apply(w, x)), x, atol=4 * rounding(w / scale, x) / np.abs(w[0] / scale))
    np.testing.assert_allclose(scipy.linalg.solve_circulant(w, x[0]), solve(w, x[0]), rtol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 5, 64])
def test_eigenvalues_agree_with_the_matrix(n: int) -> None:
    w = np.random.default_rng(n).normal(size=n)
    places = np.arange(n)
    for k, value in enumerate(eigenvalues(w)):
        vector = np.exp(2j * np.pi * places * k / n)
        np.testing.assert_allclose(scipy.linalg.circulant(w) @ vector, value * vector, atol=1e-12)


@pytest.mark.parametrize(
    ("w", "lost"),
    [
        ([1, 1, 1], [1, 2]),
        ([1, -1], [0]),
        ([0.0], [0]),
        ([0, 0, 0, 0], [0, 1, 2, 3]),
        ([1, 1, 0, 0], [2]),
        ([0.1] * 10, [*range(1, 10)]),
        ([1e-300, -1e-300], [0]),
    ],
)
def test_lost_frequencies_are_named(w: list[float], lost: list[int]) -> None:
    assert vanishing(np.array(w)).tolist() == lost
    with pytest.raises(np.linalg.LinAlgError, match=rf"vanishes at k = {lost[0]}.*\({len(lost)} of {len(w)}\)"):
        solve(np.array(w), np.zeros(len(w)))


def test_nothing_is_lost_that_is_merely_small() -> None:
    assert vanishing(np.array([1, -1 + 1e-12])).tolist() == []
    assert vanishing(np.random.default_rng(0).normal(size=10**5)).tolist() == []


# Under pytest shapes are checked before a function begins; unwrapped, it has to see for itself.
@pytest.mark.parametrize("bad", [np.zeros((2, 2)), np.zeros(0), np.array(1.0)])
def test_a_filter_is_one_row(bad: np.ndarray) -> None:
    for call in (apply, solve):
        with pytest.raises(ValueError, match="one row of at least one number"):
            inspect.unwrap(call)(bad, np.zeros(2))


def test_lengths_must_agree() -> None:
    for call in (apply, by_fft, solve):
        with pytest.raises(ValueError, match="the last axes must agree"):
            inspect.unwrap(call)(np.ones(3), np.ones((3, 2)))


@pytest.mark.parametrize("strange", [np.nan, np.inf])
@pytest.mark.parametrize("n", [4, 300])
def test_what_is_no_number_shows(strange: float, n: int) -> None:
    x = np.ones(n)
    x[1] = strange
    with np.errstate(all="ignore"):
        assert not np.isfinite(apply(np.ones(n), x)).any()


# ---- what commutes ----


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_commutant_of_every_permutation_by_brute_force(n: int) -> None:
    """Among matrices of zeros and ones, those that commute are the unions of cycles: 2 to the power of their number."""
    for permutation in permutations(range(n)):
        P, dimension = matrix(permutation), commutant_dimension(n, permutation)
        assert nullity(P) == dimension
        if n <= 3:
            every = (np.array(bits).reshape(n, n) for bits in product((0, 1), repeat=n * n))
            assert sum(not commutator(C, P).any() for C in every) == 2**dimension


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12).flatmap(lambda n: st.permutations(range(n))), st.integers(0, 10**6))
def test_the_basis_commutes_and_nothing_else_does(permutation: list[int], seed: int) -> None:
    n, P = len(permutation), matrix(permutation)
    basis = commutant_basis(n, permutation)
    assert all(not commutator(element, P).any() for element in basis)
    assert (basis.sum(0) == 1).all()  # apart, so independent
    assert nullity(P) == len(basis)
    other = np.random.default_rng(seed).normal(size=(n, n))
    off = other - sum((element * other).sum() / element.sum() * element for element in basis)
    if np.abs(off).max() > 1e-9:
        assert np.abs(commutator(other, P)).max() > 1e-12
    x = np.arange(n)
    assert (P @ x)[permutation].tolist() == x.tolist()


def test_the_shift_is_spanned_by_its_powers() -> None:
    for n in (1, 2, 5, 9):
        S = matrix(cycle_shift(n))
        assert (scipy.linalg.circulant(np.eye(n)[1 % n]) == S).all()
        powers = {np.linalg.matrix_power(S, k).tobytes() for k in range(n)}
        assert {element.tobytes() for element in commutant_basis(n)} == powers
    assert [commutant_dimension(n) for n in range(1, 65)] == [*range(1, 65)]


def test_long_permutations() -> None:
    assert pair_cycles(range(300)).max() + 1 == 300**2  # the identity: everything commutes
    lengths = [2, 3, 5, 7, 11, 13]
    blocks, start = [], 0
    for length in lengths:
        blocks += [start + (i + 1) % length for i in range(length)]
        start += length
    assert commutant_dimension(start, blocks) == sum(math.gcd(a, b) for a in lengths for b in lengths)


@pytest.mark.parametrize("bad", [[], [0, 0], [1, 2], [0, 2]])
def test_what_is_no_permutation(bad: list[int]) -> None:
    with pytest.raises(ValueError, match="is no permutation"):
        pair_cycles(bad)


def test_loads_no_torch() -> None:
    code = "import sys, workings.studies.circulant.experiment; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
