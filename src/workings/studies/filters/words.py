"""A kernel's properties in plain words, from what `exact.py` finds of it."""

import cmath
import math
from fractions import Fraction
from typing import Literal

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
from workings.studies.filters.kernels import Kernel

POINTS = 360
"""Frequencies at which a response without an exact course is looked at: every half degree."""
DIGITS = 9
"""Decimals kept of such a response: rounding errors of a thousand terms do not show."""
_MIRRORED = {"even": "even", "odd": "odd", "neither": "neither even nor odd"}
AXES: tuple[Literal["x", "y"], ...] = ("x", "y")


def describe(kernel: Kernel, missed: float) -> dict[str, str]:
    """Sum, symmetry, separability, frequencies and noise, a phrase each; `missed` is `model.Spectral`'s."""
    return {
        "sum": _brightness(total(kernel)),
        "symmetry": ", ".join(f"{_MIRRORED[kind]} along {axis}" for axis, kind in symmetries(kernel).items()),
        "separable": _separable(kernel, missed),
        "frequencies": _kind(kernel) + _courses(kernel),
        "noise": _noise(variance_gain(kernel)),
    }


def _brightness(weight: Fraction) -> str:
    meaning = {0: "answers 0 to a constant picture", 1: "keeps brightness"}
    return f"{written(weight)}: {meaning.get(int(weight) if weight.denominator == 1 else -1, 'changes brightness')}"


def _separable(kernel: Kernel, missed: float) -> str:
    parts, (height, width) = factors(kernel), kernel.shape
    if parts is not None:
        cost = f", {height + width} products a pixel in place of {height * width}" if min(kernel.shape) > 2 else ""
        return f"yes: {parts}{cost}"
    if rank(kernel) == 0:
        return "every weight is 0"
    return f"no: its rank is {rank(kernel)}; the best separable kernel misses it by {100 * missed:.2g} % of its norm"


def _kind(kernel: Kernel) -> str:
    parts = profiles(kernel)
    if parts is None:
        return ""
    flat = [profile.course == "constant" for profile in parts]
    if all(low or same for low, same in zip([p.below_one for p in parts], flat, strict=True)) and not all(flat):
        return "low-pass in one direction: " if any(flat) else "low-pass: "
    raising = all(profile.course in ("rises", "constant") for profile in parts) and not all(flat)
    return "raises fine detail: " if raising else ""


def _courses(kernel: Kernel) -> str:
    across, down = (_course(kernel, axis) for axis in AXES)
    return f"along x and along y {across}" if across == down else f"along x {across}; along y {down}"


def _course(kernel: Kernel, axis: Literal["x", "y"]) -> str:
    """The response to waves along one axis, exactly where it is a polynomial in the cosine."""
    met = along(kernel, axis)
    if len(met) % 2 == 0 or met != met[::-1]:
        frequencies = [math.pi * i / POINTS for i in range(POINTS + 1)]
        waves = (sum(float(w) * cmath.exp(1j * k * u) for k, w in enumerate(met)) for u in frequencies)
        heights = [round(abs(wave), DIGITS) for wave in waves]
        if not any(heights):
            return "it is 0 throughout"
        where = _angle(frequencies[heights.index(max(heights))])
        ends = f"{heights[0]:.4g} to {heights[-1]:.4g}"
        return f"|H| goes from {ends}, at most {max(heights):.4g} at {where}"
    profile = Profile.of(met)
    start, end = written(profile.at(1)), written(profile.at(-1))
    if profile.course == "constant":
        return "it changes nothing" if start == "1" else f"it is {start} throughout"
    verb = {"falls": "falls steadily", "rises": "rises steadily", "turns": "goes up and down"}[profile.course]
    lobes = ", ".join(f"{_angle(low)} to {_angle(high)}" for low, high in profile.reversed_lobes)
    turned = f", turning waves from {lobes} upside down" if lobes and total(kernel) > 0 else ""
    return f"it {verb} from {start} to {end}{turned}"


def _angle(radians: float) -> str:
    share = f"{radians / math.pi:.2g}"
    return {"0": "0", "1": "π"}.get(share, f"{share}π")


def _noise(gain: Fraction) -> str:
    return f"multiplies the variance of independent noise by {written(gain)}"
