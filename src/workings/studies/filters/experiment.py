"""Take one kernel apart, show it on a photograph, or measure averages and the median under noise.

Recorded by the task *inspect*: table ``kernel`` (entries, sum, Σw², symmetry, rank, factors, response along each axis),
arrays ``response`` (real and imaginary part on a grid over [−π, π]²) and ``flat/BORDER`` (the answers to a constant
picture), metrics ``variance/…`` (measured on noise, with its interval).
By *apply*: pictures ``original``, ``before`` and ``after`` of a window, metrics of what the filter did.
By *noise*: tables ``gaussian`` (PSNR and SSIM by level and filter), ``impulses`` (PSNR and mean squared error by
density and filter) and ``crossings`` (the noise from which on averaging pays), pictures of the impulses.
Every task records the table ``result`` for a person.
"""

from typing import Any

import numpy as np

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.data.catalogue import load_photograph
from workings.studies.filters.exact import Profile, factors, profiles, rank, symmetries, total, variance_gain
from workings.studies.filters.kernels import Kernel, read_kernel
from workings.studies.filters.model import (
    WHITE,
    Array,
    apply,
    measured_gain,
    noise,
    response,
    spectral,
    weights,
)
from workings.studies.filters.pictures import displayed, grey_levels, planes, window
from workings.studies.filters.quality import psnr, ssim
from workings.studies.filters.study import Config
from workings.studies.filters.trials import measure
from workings.studies.filters.words import describe

GRID = 65
"""Frequencies along each axis, from −π to π, 0 among them."""
FLAT = 100.0
"""Grey level of the constant picture; a whole number, so that whole weights answer without rounding."""
SAMPLES = 65_536
"""Independent answers to noise: their mean square is known to 0.55 %. A wide kernel makes do with fewer."""
PRODUCTS = 200_000_000
"""For the answers to noise: seconds."""
CONFIDENCE = 0.999
"""Of the interval for the measured variance: kernels are many, and none should miss by chance."""
MOST = 75_000_000
"""Numbers in a picture, 25 million pixels of three colours: at 8 bytes, and five copies, 3 GB of memory."""
WORK = 10**10
"""Products for one filtered picture: about a minute."""
SMALLEST = 7
"""Pixels a side at least where pictures are compared: the window of SSIM."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be filtered."""
    kernel = read_kernel(config.kernel)
    _sensible(config)
    if config.task == "inspect":
        return
    pixels = load_photograph(config.image).pixels
    if pixels.size > MOST:
        raise UserError(f"{config.image} is {_size(pixels)}: scale it down to {MOST // 3_000_000} million in colour")
    work = pixels.size * sum(entry != 0 for row in kernel.rows for entry in row)
    if config.task == "apply" and work > WORK:
        raise UserError(
            f"{config.image} under this kernel takes {work / 1e9:.0f} thousand million products, {WORK / 1e9:.0f} at "
            "most: scale the picture down, or take a smaller kernel"
        )
    scored = config.task == "noise" or config.soften or config.noise
    if scored and min(pixels.shape[:2]) < SMALLEST:
        raise UserError(f"{config.image} is {_size(pixels)}: it takes {SMALLEST}×{SMALLEST} pixels to measure SSIM")
    if config.task == "apply" and min(pixels.shape[:2]) < max(kernel.shape):
        raise UserError(f"{config.image} is {_size(pixels)}: smaller than the kernel's {_by(kernel.shape)}")
    if config.corner and not all(0 <= at < side for at, side in zip(config.corner, pixels.shape[:2], strict=True)):
        raise UserError(f"corner {config.corner} lies outside {config.image}, which is {_size(pixels)} (rows first)")


def _sensible(config: Config) -> None:
    """Fields that make sense by themselves and together."""
    if config.soften:
        read_kernel(config.soften, "soften")
    if not 0 <= config.noise <= WHITE:  # NaN too
        raise UserError(f"noise is {config.noise}: give a standard deviation from 0 to {WHITE:g} grey levels")
    if config.seed < 0:
        raise UserError(f"seed is {config.seed}: give a whole number from 0 on")
    if len(config.corner) not in (0, 2):
        raise UserError(f"corner is {config.corner}: give a row and a column")
    default = Config()
    for name in {
        "inspect": ("soften", "noise", "corner", "border"),
        "noise": ("kernel", "soften", "noise", "corner"),
    }.get(config.task, ()):
        if getattr(config, name) != getattr(default, name):
            raise UserError(f"{name} has no part in the task {config.task!r}: leave it out, or choose --task apply")


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    kernel = read_kernel(config.kernel)
    if config.task == "inspect":
        recorder.table("result", _inspect(kernel, config.seed, recorder))
    elif config.task == "apply":
        recorder.table("result", _apply(kernel, config, recorder))
    else:
        clean = load_photograph(config.image).grey() * WHITE
        recorder.table("result", measure(clean, config, recorder))


def _inspect(kernel: Kernel, seed: int, recorder: Recorder) -> dict[str, str]:
    matrix = weights(kernel)
    parts, singular, separated = factors(kernel), spectral(matrix), profiles(kernel)
    facts: dict[str, Any] = {
        "name": kernel.name,
        "purpose": kernel.purpose,
        "rows": [[str(entry) for entry in row] for row in kernel.rows],
        "sum": str(total(kernel)),
        "variance_gain": str(variance_gain(kernel)),
        "symmetry": symmetries(kernel),
        "rank": rank(kernel),
        "factors": parts and {"scale": str(parts.scale), "column": list(parts.column), "row": list(parts.row)},
        "singular_values": singular.singular_values.tolist(),
        "missed_by_separable": singular.missed,
        "profiles": separated and {axis: _course(p) for axis, p in zip("xy", separated, strict=True)},
    }
    recorder.table("kernel", facts)
    frequencies = np.linspace(-np.pi, np.pi, GRID)
    grid = response(matrix, frequencies, frequencies)
    recorder.array("response", np.stack([grid.real, grid.imag]))
    constant = np.full((2 * kernel.shape[0] + 1, 2 * kernel.shape[1] + 1), FLAT)
    for border in ("zeros", "reflect", "replicate", "circular"):
        recorder.array(f"flat/{border}", apply(matrix, constant, border))
    gain = measured_gain(matrix, seed, min(SAMPLES, PRODUCTS // matrix.size**2), CONFIDENCE)
    for name, value in gain._asdict().items():
        recorder.metric(f"variance/{name}", value)
    return {
        "kernel": f"{kernel.name}: {kernel}" if kernel.name != str(kernel) else kernel.name,
        **describe(kernel, singular.missed),
        "measured on noise": f"variance × {gain.measured:.4g} ({gain.low:.4g} to {gain.high:.4g})",
    }


def _course(profile: Profile) -> dict[str, Any]:
    """A response along one axis as evidence: p(cos u), lowest power first, and what holds of it for every u."""
    return {
        "coefficients": [str(coefficient) for coefficient in profile.coefficients],
        "course": profile.course,
        "below_one": profile.below_one,
        "reversed_lobes": profile.reversed_lobes,
        "at_pi": str(profile.at(-1)),
    }


def _apply(kernel: Kernel, config: Config, recorder: Recorder) -> dict[str, str]:
    matrix, original = weights(kernel), planes(load_photograph(config.image).pixels)
    before = original
    if config.soften:
        before = apply(weights(read_kernel(config.soften, "soften")), before, config.border)
    if config.noise:
        before = before + config.noise * noise(config.seed, before.shape, "gaussian")
    after = apply(matrix, before, config.border)
    shown = displayed(after, total(kernel) == 0)
    for name, picture in (("original", original), ("before", before)):
        recorder.picture(name, grey_levels(window(picture, config.corner)))
    recorder.picture("after", grey_levels(window(shown.picture, config.corner)))
    recorder.table("shown", {"kernel": [[str(entry) for entry in row] for row in kernel.rows], "how": shown.how})
    result = {
        "kernel": f"{kernel.name}: {kernel}" if kernel.name != str(kernel) else kernel.name,
        **describe(kernel, spectral(matrix).missed),
        "on the photograph": f"mean {before.mean():.1f} → {after.mean():.1f}, "
        f"standard deviation {before.std():.1f} → {after.std():.1f}, of 255",
        "answers": f"{after.min():.0f} to {after.max():.0f}; the picture shows {shown.how}",
    }
    if config.soften or config.noise:
        result["nearness to the original"] = _nearness(original, before, after, config, recorder)
    for name, value in (("low", after.min()), ("high", after.max()), ("share_clipped", shown.clipped)):
        recorder.metric(f"answer/{name}", float(value))
    return result


def _nearness(original: Array, before: Array, after: Array, config: Config, recorder: Recorder) -> str:
    found = {}
    for name, picture in (("before", before), ("after", after)):
        found[name] = (
            psnr(original, picture),
            float(np.mean([ssim(*pair) for pair in zip(original, picture, strict=True)])),
        )
        recorder.metric(f"psnr/{name}", found[name][0])
        recorder.metric(f"ssim/{name}", found[name][1])
    (old, like), (new, liker) = found["before"], found["after"]
    return f"PSNR {old:.1f} → {new:.1f} dB, SSIM {like:.3f} → {liker:.3f}"


def _size(pixels: np.ndarray[Any, Any]) -> str:
    return f"{_by(pixels.shape[:2])} pixels"


def _by(shape: tuple[int, ...]) -> str:
    return f"{shape[0]}×{shape[1]}"
