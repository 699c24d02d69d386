import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage import filters as skimage_filters

from workings.studies.filters.kernels import KERNELS, read_kernel
from workings.studies.filters.model import (
    WHITE,
    apply,
    measured_gain,
    noise,
    pad,
    response,
    salt_and_pepper,
    spectral,
    weights,
)
from workings.studies.filters.pictures import displayed, grey_levels, planes, window
from workings.studies.filters.quality import crossing, interpolated_crossing, predicted_crossing, psnr, ssim
from workings.studies.filters.study import Border

SCIPY: dict[Border, str] = {"zeros": "constant", "reflect": "mirror", "replicate": "nearest", "circular": "wrap"}
RAMP = np.add.outer(np.arange(5.0), 10 * np.arange(6.0))  # 10 a pixel along x, 1 along y


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    st.tuples(st.integers(6, 12), st.integers(6, 12)),
    st.sampled_from(list(SCIPY)),
    st.integers(0, 10**6),
)
def test_apply_agrees_with_scipy(kernel: tuple[int, int], picture: tuple[int, int], border: Border, seed: int) -> None:
    """Even and odd windows, every border."""
    rng = np.random.default_rng(seed)
    w, x = rng.normal(size=kernel), rng.normal(size=picture)
    np.testing.assert_allclose(apply(w, x, border), ndimage.correlate(x, w, mode=SCIPY[border]), atol=1e-12)


@pytest.mark.parametrize("border", ["zeros", "reflect", "replicate", "circular"])
def test_apply_is_what_networks_compute(border: Border) -> None:
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(3, 5)), rng.normal(size=(2, 4, 9, 8))
    layer = torch.nn.Conv2d(1, 1, (3, 5), padding="same", padding_mode=border, bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(w))
        expected = layer(torch.from_numpy(x.reshape(8, 1, 9, 8))).numpy().reshape(x.shape)
    np.testing.assert_allclose(apply(w, x, border), expected, atol=1e-12)


def test_sobel_and_laplace_agree_with_skimage_and_scipy() -> None:
    x = np.random.default_rng(1).normal(size=(20, 17))
    for name, theirs in (("sobel-x", skimage_filters.sobel_v), ("sobel-y", skimage_filters.sobel_h)):
        ours = apply(weights(KERNELS[name]), x)[1:-1, 1:-1] / 4
        expected = theirs(x)[1:-1, 1:-1]  # divided by 4, and perhaps of the other sign
        assert np.allclose(ours, expected) or np.allclose(ours, -expected)
    np.testing.assert_allclose(apply(weights(KERNELS["laplacian"]), x), ndimage.laplace(x, mode="mirror"), atol=1e-13)
    theirs = skimage_filters.laplace(x, mask=np.ones(x.shape, dtype=bool))
    inside = apply(weights(KERNELS["laplacian"]), x)[1:-1, 1:-1]
    assert np.allclose(inside, theirs[1:-1, 1:-1]) or np.allclose(inside, -theirs[1:-1, 1:-1])


def test_three_by_three_worked_by_hand() -> None:
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]])
    by_hand = {
        "laplacian": 2 + 4 + 6 + 8 - 20,
        "sobel-x": (3 - 1) + 2 * (6 - 4) + (10 - 7),
        "sobel-y": (7 - 1) + 2 * (8 - 2) + (10 - 3),
        "box": 46 / 9,
        "binomial": (1 + 3 + 7 + 10 + 2 * (2 + 4 + 6 + 8) + 4 * 5) / 16,
        "sharpen-x": -4 + 15 - 6,
    }
    for name, value in by_hand.items():
        assert apply(weights(KERNELS[name]), x, "zeros")[1, 1] == pytest.approx(value, rel=1e-15)


def test_what_derivatives_do_to_a_ramp() -> None:
    inner = (slice(1, -1), slice(1, -1))
    assert (apply(weights(KERNELS["sobel-x"]), RAMP)[inner] == 80).all()  # 8 times the slope
    assert (apply(weights(KERNELS["sobel-y"]), RAMP)[inner] == 8).all()
    assert not apply(weights(KERNELS["laplacian"]), RAMP)[inner].any()


def test_one_row_one_pixel_and_a_window_wider_than_the_picture() -> None:
    one = np.array([[7.0]])
    assert apply(np.ones((3, 3)), one, "zeros") == 7
    for border in ("reflect", "replicate", "circular"):
        assert apply(np.ones((5, 5)), one, border) == 175
    assert apply(np.array([[2.0]]), one).tolist() == [[14]]
    assert pad(np.array([[1.0, 2.0, 3.0]]), (0, 0), (2, 2)).tolist() == [[3, 2, 1, 2, 3, 2, 1]]


def test_an_even_window_reaches_one_further_to_the_top_left() -> None:
    assert apply(np.array([[1.0, 0.0]]), np.array([[1.0, 2.0, 3.0]]), "zeros").tolist() == [[0, 1, 2]]


def test_nan_under_a_weight_of_zero_does_no_harm_and_spreads_no_further_than_the_window() -> None:
    x = np.zeros((7, 7))
    x[3, 3] = np.nan
    assert np.isnan(apply(np.ones((3, 3)), x)).sum() == 9
    assert np.isnan(apply(weights(KERNELS["sharpen-x"]), x)).sum() == 3
    x[3, 3] = np.inf
    assert np.isinf(apply(np.ones((3, 3)), x)).sum() == 9


@pytest.mark.parametrize(("kernel", "picture"), [((0, 3), (4, 4)), ((3, 3), (0, 4)), ((3, 3), (4, 0))])
def test_nothing_cannot_be_filtered(kernel: tuple[int, int], picture: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="neither can be empty"):
        apply(np.ones(kernel), np.ones(picture))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 10**6))
def test_the_response_is_the_fourier_transform_of_the_kernel(height: int, width: int, seed: int) -> None:
    """Zero-padded FFT: exp(−iku), so of the other sign, and counted from the corner."""
    w, n = np.random.default_rng(seed).normal(size=(height, width)), 16
    padded = np.zeros((n, n))
    padded[:height, :width] = w
    centred = np.roll(padded, (-(height // 2), -(width // 2)), axis=(0, 1))
    frequencies = 2 * np.pi * np.arange(n) / n
    np.testing.assert_allclose(response(w, frequencies, frequencies), np.fft.fft2(centred).conj(), atol=1e-12)


def test_a_wave_is_answered_by_its_response() -> None:
    w, (u, v) = np.random.default_rng(2).normal(size=(3, 4)), (2 * np.pi * 3 / 12, 2 * np.pi * 1 / 10)
    y, x = np.mgrid[:10, :12]
    wave = np.exp(1j * (u * x + v * y))
    answer = apply(w, wave.real, "circular") + 1j * apply(w, wave.imag, "circular")
    np.testing.assert_allclose(answer, response(w, np.array([u]), np.array([v])) * wave, atol=1e-12)


def test_responses_worked_by_hand() -> None:
    zero, right = np.array([0.0]), np.array([np.pi / 2])
    assert response(weights(KERNELS["sobel-x"]), right, zero).item() == pytest.approx(8j)
    assert response(weights(KERNELS["laplacian"]), 2 * right, 2 * right).item() == pytest.approx(-8)
    assert response(weights(KERNELS["box"]), 2 * right, zero).item() == pytest.approx(-1 / 3)
    assert response(weights(KERNELS["sharpen-x"]), 2 * right, right).item() == pytest.approx(5)


@pytest.mark.parametrize("name", ["box", "binomial", "sharpen-x", "sobel-x", "binomial-5"])
def test_one_pass_along_and_one_down_are_the_kernel(name: str) -> None:
    from workings.studies.filters.exact import factors

    parts = factors(KERNELS[name])
    assert parts is not None
    x = np.random.default_rng(3).normal(size=(12, 11))
    along = apply(np.array([parts.row], dtype=float) * float(parts.scale), x, "circular")
    both = apply(np.array([parts.column], dtype=float).T, along, "circular")
    np.testing.assert_allclose(both, apply(weights(KERNELS[name]), x, "circular"), atol=1e-12)


def test_spectral_tells_how_far_a_kernel_is_from_separable() -> None:
    assert spectral(weights(KERNELS["binomial"])).missed < 1e-15
    # [[1, 0], [0, 1]]: both singular values 1, so the best rank-1 part misses 1/√2
    assert spectral(np.eye(2)).missed == pytest.approx(0.5**0.5)
    assert spectral(np.zeros((3, 3))).missed == 0


def test_measured_variance_lies_in_its_interval_about_as_often_as_stated() -> None:
    w = weights(KERNELS["binomial"])
    gains = [measured_gain(w, seed, 400, 0.9) for seed in range(200)]
    covered = sum(gain.low <= 9 / 64 <= gain.high for gain in gains)
    assert 160 <= covered <= 196  # 180 ± 4 standard deviations of a binomial
    assert gains[0].samples == 400


def test_noise_has_its_seed_and_name() -> None:
    assert np.array_equal(noise(1, (3, 4), "a"), noise(1, (3, 4), "a"))
    assert not np.array_equal(noise(1, (3, 4), "a"), noise(2, (3, 4), "a"))
    assert not np.array_equal(noise(1, (3, 4), "a"), noise(1, (3, 4), "b"))


def test_salt_and_pepper_hits_the_stated_share() -> None:
    grey = np.full((200, 200), 99.0)
    hit = salt_and_pepper(grey, 0.2, 0)
    assert set(np.unique(hit)) == {0, 99, 255}
    assert (hit == 0).mean() == pytest.approx(0.1, abs=0.01)
    assert (hit == 255).mean() == pytest.approx(0.1, abs=0.01)
    assert np.array_equal(salt_and_pepper(grey, 0.0, 0), grey)


def test_psnr_and_ssim_worked_by_hand() -> None:
    grey = np.full((16, 16), 100.0)
    assert psnr(grey, grey + 25.5) == pytest.approx(20)  # a tenth of white
    assert psnr(grey, grey) == np.inf
    assert ssim(grey, grey) == pytest.approx(1)
    # Constant pictures leave the luminance term: (2ab + C₁)/(a² + b² + C₁), C₁ = (0.01 · 255)²
    assert ssim(grey, grey + 100) == pytest.approx((2 * 100 * 200 + 2.55**2) / (100**2 + 200**2 + 2.55**2))


def test_at_the_crossing_both_errors_are_the_same() -> None:
    rng = np.random.default_rng(4)
    clean, field, w = rng.uniform(0, 255, (40, 40)), rng.normal(size=(40, 40)), weights(KERNELS["box"])
    blurred = apply(w, clean) - clean
    level = crossing(blurred, apply(w, field), field)
    noisy = clean + level * field
    assert np.mean((apply(w, noisy) - clean) ** 2) == pytest.approx(np.mean((noisy - clean) ** 2))
    assert predicted_crossing(blurred, 1 / 9) == pytest.approx(level, rel=0.05)
    assert np.isnan(crossing(blurred, 4 * field, field))
    assert np.isnan(predicted_crossing(blurred, 11.0))


def test_interpolated_crossing() -> None:
    levels = np.array([1.0, 2.0, 4.0])
    assert interpolated_crossing(levels, np.array([-2.0, -1.0, 3.0])) == pytest.approx(2.5)
    assert np.isnan(interpolated_crossing(levels, np.array([1.0, 2.0, 3.0])))
    assert np.isnan(interpolated_crossing(levels, np.array([-1.0, -2.0, -3.0])))


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)])
def test_pictures_survive_the_way_in_and_out(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(grey_levels(planes(pixels)), pixels)


def test_signed_answers_are_shown_about_middle_grey() -> None:
    shown = displayed(np.array([[[-50.0, 0.0, 100.0]]]), signed=True)
    assert shown.picture[0, 0, 1] == WHITE / 2
    assert shown.picture[0, 0, 0] < WHITE / 2 < shown.picture[0, 0, 2]
    assert displayed(np.zeros((1, 2, 2)), signed=True).picture.tolist() == [[[127.5, 127.5], [127.5, 127.5]]]
    assert displayed(np.array([[[-50.0, 0.0, 255.0, 300.0]]]), signed=False).clipped == 0.5


def test_a_window_is_cut_from_the_middle_or_a_corner() -> None:
    x = np.arange(100.0).reshape(1, 10, 10)
    assert window(x, side=2).tolist() == [[[44, 45], [54, 55]]]
    assert window(x, (0, 8), side=2).tolist() == [[[8, 9], [18, 19]]]
    assert window(x, side=99).shape == x.shape


def test_typed_kernels_reach_the_model_as_typed() -> None:
    assert weights(read_kernel("1/9 0.1; -2 3e0")).tolist() == [[1 / 9, 0.1], [-2.0, 3.0]]
