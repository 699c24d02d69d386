"""A photograph under noise: where averaging pays, where it harms, and what the median does about impulses."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from workings.core.runs import Recorder
from workings.studies.filters.exact import variance_gain
from workings.studies.filters.kernels import KERNELS
from workings.studies.filters.model import Array, apply, noise, salt_and_pepper, weights
from workings.studies.filters.pictures import SIDE, grey_levels, window
from workings.studies.filters.quality import crossing, interpolated_crossing, predicted_crossing, psnr, ssim
from workings.studies.filters.study import Border, Config

AVERAGES = ("box", "binomial")
"""The kernels of the table that serve against noise, question 2d."""
LEVELS = (2.0, 4.0, 6.0, 9.0, 13.0, 19.0, 28.0, 40.0)
"""Standard deviations of Gaussian noise, in grey levels: from a good camera by day to a poor one by night."""
DENSITIES = (0.02, 0.05, 0.2)
"""Shares of pixels that turn black or white."""
MEASURED = 200
"""Pixels a side, of the middle of the photograph, that are measured: SSIM on all of it would take minutes."""


def measure(clean: Array, config: Config, recorder: Recorder) -> dict[str, str]:
    """Record both kinds of noise on one grey photograph (grey levels 0 to 255), and say what came of it."""
    clean = window(clean, side=MEASURED)
    gaussian = _gaussian(clean, config)
    recorder.table("gaussian", gaussian)
    crossings = _crossings(clean, gaussian, config)
    recorder.table("crossings", crossings)
    impulses = _impulses(clean, config, recorder)
    recorder.table("impulses", impulses)
    told = {}
    for name, found in crossings.items():
        by_psnr, by_ssim, foretold = (_level(found[which]) for which in ("psnr", "ssim", "predicted"))
        words = f"noise of {by_psnr} grey levels on by PSNR, {by_ssim} by SSIM; its blur alone foretells {foretold}"
        told[f"{name} averaging pays from"] = words
    for row in impulses:
        scores = ", ".join(f"{name} {_level(score['psnr'], '.1f', '∞')}" for name, score in row["scores"].items())
        told[f"{100 * row['density']:g} % impulses, PSNR in dB"] = scores
    return told


def filters(border: Border) -> Mapping[str, Callable[[Array], Array]]:
    """What is compared, by name: each average, and the median of the same nine pixels."""
    from scipy.ndimage import median_filter

    modes: dict[Border, Literal["constant", "mirror", "nearest", "wrap"]]
    modes = {"zeros": "constant", "reflect": "mirror", "replicate": "nearest", "circular": "wrap"}
    linear: dict[str, Callable[[Array], Array]] = {
        name: lambda picture, name=name: apply(weights(KERNELS[name]), picture, border)  # type: ignore[misc]
        for name in AVERAGES
    }
    return linear | {"median": lambda picture: median_filter(picture, size=3, mode=modes[border])}


def _gaussian(clean: Array, config: Config) -> list[dict[str, Any]]:
    """PSNR and SSIM by noise level, untreated (``noisy``) and after each filter. Noisy pictures are not cut off."""
    field = noise(config.seed, clean.shape, "gaussian")
    rows = []
    for level in LEVELS:
        treated = _treated(clean + level * field, config.border)
        scores = {name: {"psnr": _known(psnr(clean, x)), "ssim": ssim(clean, x)} for name, x in treated.items()}
        rows.append({"level": level, "scores": scores})
    return rows


def _impulses(clean: Array, config: Config, recorder: Recorder) -> list[dict[str, Any]]:
    """Mean squared error and PSNR by density; pictures of the densest."""
    rows, treated = [], {}
    for density in DENSITIES:
        treated = _treated(salt_and_pepper(clean, density, config.seed), config.border)
        scores = {
            name: {"psnr": _known(psnr(clean, x)), "mse": float(((x - clean) ** 2).mean())}
            for name, x in treated.items()
        }
        rows.append({"density": density, "scores": scores})
    for name, picture in {"clean": clean, **treated}.items():
        recorder.picture(f"impulses/{name}", grey_levels(window(picture, side=SIDE)[None]))
    return rows


def _treated(noisy: Array, border: Border) -> dict[str, Array]:
    return {"noisy": noisy} | {name: treat(noisy) for name, treat in filters(border).items()}


def _crossings(clean: Array, gaussian: list[dict[str, Any]], config: Config) -> dict[str, dict[str, float | None]]:
    """The noise from which on each average pays: measured by PSNR and by SSIM, and foretold from its blur alone."""
    field, found = noise(config.seed, clean.shape, "gaussian"), {}
    for name in AVERAGES:
        kernel = KERNELS[name]
        blurred = apply(weights(kernel), clean, config.border) - clean
        gains = np.array([row["scores"][name]["ssim"] - row["scores"]["noisy"]["ssim"] for row in gaussian])
        found[name] = {
            "psnr": _known(crossing(blurred, apply(weights(kernel), field, config.border), field)),
            "predicted": predicted_crossing(blurred, float(variance_gain(kernel))),
            "ssim": _known(interpolated_crossing(np.array(LEVELS), gains)),
        }
    return found


def _known(number: float) -> float | None:
    """None for the PSNR of equal pictures and for a level that there is none of: JSON knows neither inf nor NaN."""
    return number if np.isfinite(number) else None


def _level(level: float | None, form: str = ".3g", none: str = "no level tried") -> str:
    return none if level is None else f"{level:{form}}"
