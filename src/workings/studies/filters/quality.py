"""How good a filtered picture is, and from which level of noise on filtering it pays.

With b = Kx − x, what averaging blurs away of a clean picture x, and noise σn, the errors before and after are

    mean (σn)² = σ² N,   mean (b + σ Kn)² = B + 2σ C + σ² F,   N = mean n², B = mean b², C = mean b·Kn, F = mean (Kn)²,

so averaging starts to pay at the positive root of (N − F) σ² − 2Cσ − B = 0. In expectation N = 1, C = 0, F = Σw²:

    σ* = √(B / (1 − Σw²)),

known from the clean picture alone.
"""

import numpy as np

from workings.studies.filters.model import WHITE, Array


def psnr(clean: Array, other: Array) -> float:
    """10 log₁₀(255² / mean squared error), in decibels; infinite where they are the same."""
    from skimage.metrics import peak_signal_noise_ratio

    with np.errstate(divide="ignore"):
        return float(peak_signal_noise_ratio(clean, other, data_range=WHITE))  # type: ignore[no-untyped-call]


def ssim(clean: Array, other: Array) -> float:
    """Structural similarity over 7×7 windows (Wang et al. 2004), at most 1; both sides of a picture at least 7."""
    from skimage.metrics import structural_similarity

    return float(structural_similarity(clean, other, data_range=WHITE))  # type: ignore[no-untyped-call]


def crossing(blurred: Array, filtered_noise: Array, noise: Array) -> float:
    """The σ at which these very fields give the same error before and after; NaN where filtering never pays.

    `blurred` is Kx − x, `filtered_noise` is Kn.
    """
    a = float((noise**2).mean() - (filtered_noise**2).mean())
    half_b, c = -float((blurred * filtered_noise).mean()), -float((blurred**2).mean())
    if a <= 0:
        return np.nan
    return (-half_b + float(np.sqrt(half_b**2 - a * c))) / a


def predicted_crossing(blurred: Array, variance_gain: float) -> float:
    """σ* = √(mean (Kx − x)² / (1 − Σw²)); NaN where the filter does not lower variance."""
    return float(np.sqrt((blurred**2).mean() / (1 - variance_gain))) if variance_gain < 1 else np.nan


def interpolated_crossing(levels: Array, gains: Array) -> float:
    """Where a gain over noise levels first passes from below 0 to above, on a straight line; NaN where it does not."""
    ups = np.flatnonzero((gains[:-1] < 0) & (gains[1:] >= 0))
    if len(ups) == 0:
        return np.nan
    i = ups[0]
    return float(levels[i] + (levels[i + 1] - levels[i]) * -gains[i] / (gains[i + 1] - gains[i]))
