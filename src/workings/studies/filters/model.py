"""Filtering a picture with a kernel (nyu-2023-hw, question 2): a sum under a sliding window, and its effect on waves.

    answer[y, x] = Σ_j Σ_i w[j, i] · picture[y + j − ⌊h/2⌋, x + i − ⌊w/2⌋]

This is correlation, as networks (and `scipy.ndimage.correlate`) have it: the kernel is not flipped. A window of even
size reaches one pixel further to the top left, as scipy's does. What holds exactly of a kernel is in `exact.py`.

Left out on purpose: strides, dilation, and the FFT, which pays for windows far wider than 31 only.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Complex, Float
from numpy.typing import NDArray

from workings.studies.filters.kernels import Kernel
from workings.studies.filters.study import Border

Array = NDArray[np.float64]
BAND = 32_768
"""Answers made at a time: they stay in the processor's cache, which a whole picture does not."""
WHITE = 255.0
"""The grey level of white; all pictures here run from 0 to it."""


def weights(kernel: Kernel) -> Array:
    """The weights in float64, each rounded once."""
    return np.array([[float(entry) for entry in row] for row in kernel.rows])


def apply(
    kernel: Float[np.ndarray, "kh kw"], picture: Float[np.ndarray, "*batch h w"], border: Border = "reflect"
) -> Float[np.ndarray, "*batch h w"]:
    """The weighted sum under the window about each pixel; batch and colour are leading axes, filtered one by one.

    A weight of zero reads nothing, so a NaN under it does no harm. ValueError where the kernel or the picture is empty.
    """
    if kernel.size == 0 or 0 in picture.shape[-2:]:
        raise ValueError(f"kernel {kernel.shape}, picture {picture.shape}: neither can be empty")
    (height, width), (h, w) = kernel.shape, picture.shape[-2:]
    around = pad(picture, (height // 2, (height - 1) // 2), (width // 2, (width - 1) // 2), border)
    answer, taps = np.zeros(picture.shape), np.argwhere(kernel)
    rows = max(1, BAND * h // max(1, picture.size))
    for top in range(0, h, rows):
        band = answer[..., top : top + rows, :]
        product, bottom = np.empty(band.shape), top + band.shape[-2]
        for j, i in taps:
            np.multiply(around[..., top + j : bottom + j, i : i + w], kernel[j, i], out=product)
            band += product
    return answer


def pad(
    picture: Float[np.ndarray, "*batch h w"],
    rows: tuple[int, int],
    columns: tuple[int, int],
    border: Border = "reflect",
) -> Float[np.ndarray, "*batch H W"]:
    """The picture with so many rows above and below, columns left and right, as the border has it."""
    widths = [(0, 0)] * (picture.ndim - 2) + [rows, columns]
    if border == "zeros":
        return np.pad(picture, widths)
    return np.pad(picture, widths, mode=_MODES[border])


_MODES: dict[Border, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def response(
    kernel: Float[np.ndarray, "kh kw"], u: Float[np.ndarray, " n"], v: Float[np.ndarray, " m"]
) -> Complex[np.ndarray, "m n"]:
    """H(u, v) = Σ w[j, i] exp(i (u (i − ⌊w/2⌋) + v (j − ⌊h/2⌋))), by row v and column u, in radians a pixel.

    The picture exp(i (ux + vy)) is answered by H(u, v) times itself: |H| is what becomes of a wave's height, a
    negative H turns it upside down, an imaginary one moves it by a quarter of a wave.
    """
    height, width = kernel.shape
    down = np.exp(1j * np.outer(v, np.arange(height) - height // 2))
    along = np.exp(1j * np.outer(u, np.arange(width) - width // 2))
    found: NDArray[np.complex128] = down @ kernel @ along.T
    return found


class Spectral(NamedTuple):
    """The sum of rank-1 parts that a kernel is, the largest first."""

    singular_values: Array
    missed: float
    """‖w − its best rank-1 part‖ / ‖w‖, Frobenius: 0 where the kernel is separable."""


def spectral(kernel: Float[np.ndarray, "kh kw"]) -> Spectral:
    """Singular values, and how far the kernel is from one pass down and one along (Eckart and Young 1936)."""
    values = np.linalg.svd(kernel, compute_uv=False)
    norm = float(np.linalg.norm(values))
    return Spectral(values, float(np.linalg.norm(values[1:])) / norm if norm else 0.0)


def noise(seed: int, shape: tuple[int, ...], name: str) -> Array:
    """Independent standard Gaussian noise; another name gives another, unrelated field."""
    return np.random.default_rng([seed, *name.encode()]).standard_normal(shape)


def salt_and_pepper(picture: Float[np.ndarray, "*batch h w"], density: float, seed: int) -> Array:
    """The picture with a share `density` of its pixels turned black or white, by the toss of a coin."""
    draws = np.random.default_rng([seed, *b"impulses"]).random(picture.shape)
    return np.where(draws < density / 2, 0.0, np.where(draws < density, WHITE, picture))


class Gain(NamedTuple):
    """The measured variance of filtered unit noise, and where its true value lies."""

    measured: float
    low: float
    high: float
    samples: int


def measured_gain(kernel: Float[np.ndarray, "kh kw"], seed: int, samples: int, confidence: float) -> Gain:
    """Filter unit noise and take the mean square of `samples` answers whose windows do not overlap.

    Such answers are independent and Gaussian with mean 0, so that samples · measured / true is χ² with as many
    degrees of freedom: an exact interval, not one for large samples only.
    """
    from scipy.special import chdtri

    side = int(np.ceil(np.sqrt(samples)))
    height, width = kernel.shape
    answers = apply(kernel, noise(seed, (side * height, side * width), "variance"), "circular")
    kept = answers[height // 2 :: height, width // 2 :: width].ravel()[:samples]
    total = float((kept**2).sum())
    tail = (1 - confidence) / 2
    return Gain(
        total / samples, total / float(chdtri(samples, tail)), total / float(chdtri(samples, 1 - tail)), samples
    )
