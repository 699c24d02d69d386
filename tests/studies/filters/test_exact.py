"""What is said of kernels exactly, against numpy, sympy and pen and paper."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from workings.core.errors import UserError
from workings.studies.filters.exact import (
    Profile,
    along,
    factors,
    profiles,
    rank,
    symmetries,
    total,
    variance_gain,
    written,
)
from workings.studies.filters.kernels import KERNELS, Kernel, read_kernel
from workings.studies.filters.model import response, weights
from workings.studies.filters.words import describe

BY_HAND = {
    "laplacian": (0, 20, 2, {"x": "even", "y": "even"}),
    "laplacian-8": (0, 72, 2, {"x": "even", "y": "even"}),
    "sobel-x": (0, 12, 1, {"x": "odd", "y": "even"}),
    "sobel-y": (0, 12, 1, {"x": "even", "y": "odd"}),
    "box": (1, Fraction(1, 9), 1, {"x": "even", "y": "even"}),
    "binomial": (1, Fraction(9, 64), 1, {"x": "even", "y": "even"}),
    "binomial-5": (1, Fraction(70, 256) ** 2, 1, {"x": "even", "y": "even"}),
    "blur-x": (1, Fraction(3, 8), 1, {"x": "even", "y": "even"}),
    "sharpen-x": (1, 11, 1, {"x": "even", "y": "even"}),
}
small_matrices = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(st.integers(-3, 3), min_size=n, max_size=n), min_size=1, max_size=4)
)


def kernel(rows: list[list[int]]) -> Kernel:
    return Kernel("made up", tuple(tuple(map(Fraction, row)) for row in rows))


def test_the_table_worked_by_hand() -> None:
    assert set(BY_HAND) == set(KERNELS)
    for name, expected in BY_HAND.items():
        k = KERNELS[name]
        assert (total(k), variance_gain(k), rank(k), symmetries(k)) == expected, name


@settings(max_examples=150, deadline=None)
@given(small_matrices)
def test_rank_agrees_with_sympy_and_factors_multiply_back(rows: list[list[int]]) -> None:
    k = kernel(rows)
    assert rank(k) == sympy.Matrix(rows).rank()
    parts = factors(k)
    assert (parts is not None) == (rank(k) == 1)
    if parts is not None:
        assert [[parts.scale * c * r for r in parts.row] for c in parts.column] == rows
        assert parts.scale > 0
        assert sum(parts.row) + sum(parts.column) >= 0


def test_rank_is_exact_where_floats_are_not() -> None:
    thirds = read_kernel("1/3 2/3; 1 2")
    assert rank(thirds) == 1
    assert rank(read_kernel("0.1 0.2; 0.3 0.6")) == 1  # 0.1 · 0.6 ≠ 0.2 · 0.3 in floats
    assert rank(read_kernel("1 1; 1 1.0000000000000002")) == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fractions(-2, 2, max_denominator=9), min_size=1, max_size=5))
def test_a_profile_is_the_response_along_the_axis(half: list[Fraction]) -> None:
    row = (*half[:0:-1], *half)
    u = np.linspace(0, np.pi, 50)
    direct = response(np.array([row], dtype=float), u, np.zeros(1))[0]
    profile = Profile.of(row)
    polynomial = np.polynomial.polynomial.polyval(np.cos(u), [float(a) for a in profile.coefficients])
    np.testing.assert_allclose(polynomial, direct.real, atol=1e-11)
    # What is said of all frequencies must hold on a fine grid. No profile is said to be below 1 that is not.
    curve = response(np.array([row], dtype=float), np.linspace(0, np.pi, 2001), np.zeros(1))[0].real
    steps = np.diff(curve)
    slack = 1e-12 * (1 + np.abs(curve).max())
    if profile.course == "falls":
        assert (steps <= slack).all()
    elif profile.course == "rises":
        assert (steps >= -slack).all()
    elif profile.course == "constant":
        assert np.abs(steps).max() <= slack
    else:
        assert steps.min() < 0 < steps.max() or np.abs(steps).max() < 1e-3
    if profile.below_one:
        assert np.abs(curve[1:]).max() <= 1
    elif np.abs(curve).max() <= 1 - 1e-6:
        pytest.fail(f"{row} stays below 1 and is not said to")
    places = np.linspace(0, np.pi, 2001)
    inside = np.zeros(2001, dtype=bool)
    for low, high in profile.reversed_lobes:
        inside |= (places >= low) & (places <= high)
    assert (curve[~inside] >= -slack).all()
    assert (curve[inside] <= 1e-2 * (1 + np.abs(curve).max())).all()


def test_profiles_worked_by_hand() -> None:
    box = profiles(KERNELS["box"])
    assert box is not None
    assert box[0].coefficients == (Fraction(1, 3), Fraction(2, 3))
    assert (box[0].course, box[0].below_one, box[0].at(-1)) == ("falls", True, Fraction(-1, 3))
    ((low, high),) = box[0].reversed_lobes
    assert (low, high) == (pytest.approx(2 * np.pi / 3), pytest.approx(np.pi))
    five = profiles(KERNELS["binomial-5"])
    assert five is not None
    assert five[1].coefficients == (Fraction(1, 4), Fraction(1, 2), Fraction(1, 4))  # ((1 + c)/2)²
    assert (five[1].course, five[1].reversed_lobes) == ("falls", [])
    sharp = profiles(KERNELS["sharpen-x"])
    assert sharp is not None
    assert [(p.course, p.below_one) for p in sharp] == [("rises", False), ("constant", False)]
    # 1/2 0 1/2 answers cos u: −1 at π, so not below 1 there
    assert not Profile.of((Fraction(1, 2), Fraction(0), Fraction(1, 2))).below_one
    assert Profile.of((Fraction(1), Fraction(-3), Fraction(1))).course == "falls"
    assert profiles(KERNELS["laplacian"]) is None
    assert profiles(read_kernel("1/2 1/2")) is None


def test_waves_along_an_axis_meet_the_sums_of_the_lines() -> None:
    assert along(KERNELS["sobel-x"], "x") == (-4, 0, 4)
    assert along(KERNELS["sobel-x"], "y") == (0, 0, 0)


def test_words_say_what_the_sheet_wants_to_hear() -> None:
    words = {name: describe(k, 0.0) for name, k in KERNELS.items()}
    assert words["sobel-x"]["sum"] == "0: answers 0 to a constant picture"
    assert words["sobel-x"]["separable"].startswith("yes: (1 2 1)ᵀ(−1 0 1), 6 products")
    assert words["sobel-y"]["separable"].startswith("yes: (−1 0 1)ᵀ(1 2 1)")
    assert words["box"]["frequencies"].startswith("low-pass: ")
    assert "from 0.67π to π upside down" in words["box"]["frequencies"]
    assert words["binomial"]["frequencies"] == "low-pass: along x and along y it falls steadily from 1 to 0"
    assert words["blur-x"]["frequencies"].startswith("low-pass in one direction")
    assert words["sharpen-x"]["frequencies"] == (
        "raises fine detail: along x it rises steadily from 1 to 5; along y it changes nothing"
    )
    assert words["laplacian"]["separable"].startswith("no: its rank is 2")
    zero = describe(read_kernel("0 0 0"), 0.0)
    assert zero["separable"] == "every weight is 0"
    assert "0 throughout" in zero["frequencies"]


def test_long_fractions_become_decimals() -> None:
    assert written(Fraction(-1, 9)) == "−1/9"
    assert written(Fraction(1, 10**7 + 1)) == "1e−07"


def test_a_kernel_of_the_greatest_size_is_told_apart_in_a_moment() -> None:
    rng = np.random.default_rng(0)
    text = "; ".join(" ".join(map(repr, row)) for row in rng.normal(size=(31, 31)).tolist())
    k = read_kernel(text)
    assert rank(k) == np.linalg.matrix_rank(weights(k)) == 31
    assert float(total(k)) == pytest.approx(weights(k).sum())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "kernel is empty"),
        ("   ", "kernel is empty"),
        ("sobelx", "did you mean 'sobel-x'"),
        ("gauss", "there is no kernel 'gauss'"),
        ("nan", "finite numbers"),
        ("1 nan 1", "finite numbers"),
        ("1 inf 1", "finite numbers"),
        ("1 2; 3", "equal length"),
        (";", "equal length"),
        ("1 2;", "equal length"),
        ("1 two 3", "holds 'two'"),
        ("1/0 1", "finite numbers"),
        ("1e7 1", "lie between"),
        ("-1e300", "lie between"),
        (" ".join(["1"] * 32), "31×31 at most"),
        ("; ".join(["1"] * 32), "31×31 at most"),
        ("[[1, 2], [3, 4]]", "finite numbers"),
        ("__import__('os')", "finite numbers|no kernel"),
    ],
)
def test_what_is_no_kernel_is_explained(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_kernel(text)


def test_what_is_a_kernel() -> None:
    assert read_kernel(" box ") == KERNELS["box"]
    assert read_kernel("0, 0.5,0").rows == ((0, Fraction(1, 2), 0),)
    assert read_kernel("1e-320").rows[0][0] > 0
    assert str(read_kernel("1/9 1;-2 .5")) == "1/9 1; -2 1/2"
