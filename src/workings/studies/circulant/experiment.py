"""Measure one thing: a filter, what commutes with a permutation or with every shift, a layer, a network, or times.

Recorded, besides the table ``result`` for a person:
filter: array ``eigenvalues`` [n, real and imaginary], table ``filter`` · permutation: table ``permutation``, array
``cycles`` · every_n: table ``commutants``, a row an n · layer, network: table ``layers``, arrays ``shifts``
[shifts, 2], ``errors`` and ``interior`` [layers, shifts] · timing: table ``times``.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.core.typed import row
from workings.studies.circulant.commutant import (
    commutant_basis,
    commutant_dimension,
    commutator,
    cycle_shift,
    matrix,
    nullity,
    pair_cycles,
)
from workings.studies.circulant.model import Array, apply, by_fft, circulant, eigenvalues, vanishing
from workings.studies.circulant.study import EVERY_N, FILTER, Config

if TYPE_CHECKING:
    from workings.nn.equivariance import Audit

LONGEST = 1000
"""Numbers in a filter or permutation: its matrix, and the pairs of its places, then number a million."""
SMALL = 8
"""A circulant this small is shown whole."""
BY_SINGULAR_VALUES = 16
"""Up to this n the commutant is also found as a null space, of a matrix of n⁴ numbers."""
SIDES = {"layer": (4, 256), "network": (64, 512)}
"""Smallest and largest pictures: AlexNet needs 63 pixels, and larger pictures take minutes."""
MOST_SHIFTS = 10_000


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be measured."""
    asked = _asked(config)
    if config.w != FILTER and asked != "w":
        raise UserError(f"w and {asked} are both given: choose one of them")
    if asked == "w":
        read_filter(config.w)
    elif asked == "permutation":
        read_permutation(config.permutation)
    elif asked == "every_n" and not 1 <= config.every_n <= EVERY_N:
        raise UserError(f"every_n is {config.every_n}: give a number from 1 to {EVERY_N}")
    elif asked in SIDES:
        low, high = SIDES[asked]
        if not low <= config.size <= high:
            raise UserError(f"size is {config.size}: a {asked}'s picture has a side of {low} to {high} pixels")
        if not 1 <= config.shifts <= MOST_SHIFTS:
            raise UserError(f"shifts is {config.shifts}: give a number from 1 to {MOST_SHIFTS:,}")
        if not 0 <= config.seed < 2**32:
            raise UserError(f"seed is {config.seed}: give a whole number from 0 to {2**32 - 1}")


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    asked = _asked(config)
    result = {
        "w": _filter,
        "permutation": _permutation,
        "every_n": _every_n,
        "layer": _layer,
        "network": _network,
        "timing": _timing,
    }[asked](config, recorder)
    recorder.table("result", result)


def _asked(config: Config) -> str:
    """The name of the field that says what to measure."""
    given = [name for name in ("permutation", "every_n", "layer", "network", "timing") if getattr(config, name)]
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)} are both given: choose one of them")
    return given[0] if given else "w"


def read_filter(text: str, name: str = "w") -> Array:
    """The numbers of a filter; a `UserError` says what is wrong with the text."""
    numbers = np.array(row(text, name))
    if len(numbers) > LONGEST:
        raise UserError(f"{name} holds {len(numbers):,} numbers: {LONGEST:,} at most; `model.apply` takes millions")
    return numbers


def read_permutation(text: str) -> tuple[int, ...]:
    """Where each place goes; a `UserError` where a place is missing, comes twice or does not exist."""
    numbers = row(text, "permutation")
    if sorted(numbers) != list(range(len(numbers))):
        raise UserError(
            f"permutation is {text!r}: write where each of the {len(numbers)} places goes, each of 0 … "
            f'{len(numbers) - 1} once, as in "1 2 0"'
        )
    if len(numbers) > LONGEST:
        raise UserError(f"permutation holds {len(numbers):,} numbers: {LONGEST:,} at most")
    return tuple(map(int, numbers))


def _filter(config: Config, recorder: Recorder) -> dict[str, str]:
    w = read_filter(config.w)
    n = len(w)
    C, S, values, lost = circulant(w), matrix(cycle_shift(n)), eigenvalues(w), vanishing(w)
    x = np.random.default_rng(config.seed).integers(-9, 10, (4, n)).astype(np.float64)
    summed = np.array([[sum(v[k] * w[(i - k) % n] for k in range(n)) for i in range(n)] for v in x])
    found = {
        "w": w.tolist(),
        "unit_response": [float(w[(i - 0) % n]) for i in range(n)],  # Σ_k x_k w_{i−k} with x = (1, 0, …, 0)
        "commutator": float(np.abs(commutator(C, S)).max()),
        "off_diagonal": _off_diagonal(w),
        "apply_error": float(max(np.abs(way(w, x) - summed).max() for way in (apply, by_fft)) / _size(w, x)),
        "dimension": commutant_dimension(n),
        "vanishing": lost.tolist(),
    }
    recorder.table("filter", found)
    recorder.array("eigenvalues", np.stack([values.real, values.imag], -1))
    sizes = np.abs(values)
    result = {"eigenvalues": ", ".join(_complex(value) for value in values[:SMALL]) + ", …" * (n > SMALL)}
    if n <= SMALL:
        result = {f"row {i}": " ".join(f"{entry:g}" for entry in entries) for i, entries in enumerate(C)} | result
    return result | {
        "‖CS − SC‖, entry by entry": f"{found['commutator']:g}",
        "commuting with S": f"a space of dimension {found['dimension']}, spanned by I, S, …",
        "invertible": f"no: the DFT vanishes at k = {', '.join(map(str, lost))}"
        if len(lost)
        else f"yes, condition number {sizes.max() / sizes.min():.4g}",
    }


def _permutation(config: Config, recorder: Recorder) -> dict[str, str]:
    permutation = read_permutation(config.permutation)
    n, cycles = len(permutation), pair_cycles(permutation)
    lengths = cycle_lengths(permutation)
    found = {
        "permutation": list(permutation),
        "cycle_lengths": lengths,
        "dimension": int(cycles.max()) + 1,
        "by_gcd": sum(math.gcd(a, b) for a in lengths for b in lengths),
        "by_singular_values": nullity(matrix(permutation)) if n <= BY_SINGULAR_VALUES else None,
    }
    recorder.table("permutation", found)
    recorder.array("cycles", cycles)
    result = {
        "cycles": "of lengths " + ", ".join(map(str, lengths)),
        "commuting with P": f"a space of dimension {found['dimension']} among the {n * n} of all matrices",
    }
    if n <= SMALL:
        result |= {
            f"row {i}": " ".join("abcdefghijklmnopqrstuvwxyz"[c % 26] + "'" * (c // 26) for c in line)
            for i, line in enumerate(cycles)
        }
    return result


def cycle_lengths(permutation: Sequence[int]) -> list[int]:
    """The lengths of a permutation's cycles, the cycle of the smallest place first."""
    lengths, seen = [], set[int]()
    for start in range(len(permutation)):
        length, place = 0, start
        while place not in seen:
            seen.add(place)
            length, place = length + 1, permutation[place]
        lengths += [length] if length else []
    return lengths


def _every_n(config: Config, recorder: Recorder) -> dict[str, str]:
    rows = [_commutant(n, config.seed) for n in range(1, config.every_n + 1)]
    recorder.table("commutants", rows)
    return {
        "commuting with S": "a space of dimension " + ("n" if all(f["dimension"] == f["n"] for f in rows) else "≠ n"),
        "spanned by I, S, … Sⁿ⁻¹": f"{sum(f['powers'] for f in rows)} times of {len(rows)}",
    }


def _commutant(n: int, seed: int) -> dict[str, Any]:
    """What commutes with the n×n shift, and whether random circulants are diagonal in the Fourier basis."""
    draw = np.random.default_rng([seed, n])
    S, basis = matrix(cycle_shift(n)), commutant_basis(n)
    power, spans = np.eye(n), len(basis) == n
    for k in range(n):  # the cycle through (0, −k) must be S^k
        spans = spans and bool((basis[-k % n] == power).all())
        power = power @ S
    whole, real = draw.integers(-99, 100, n), draw.normal(size=n)
    return {
        "n": n,
        "dimension": len(basis),
        "powers": spans,
        "by_singular_values": nullity(S) if n <= BY_SINGULAR_VALUES else None,
        "commutator": max(float(np.abs(commutator(circulant(w), S)).max()) for w in (whole, real)),
        "off_diagonal": _off_diagonal(real),
    }


def _off_diagonal(w: Array) -> float:
    """max |F C_w F⁻¹ − diag(λ)| over Σ|w|: F is written out as a matrix, λ comes from the FFT."""
    places = np.arange(len(w))
    F = np.exp(-2j * np.pi / len(w) * (np.outer(places, places) % len(w))) / np.sqrt(len(w))
    found = np.abs(F @ circulant(w) @ F.conj().T - np.diag(eigenvalues(w))).max()
    return float(found / _size(w))


def _layer(config: Config, recorder: Recorder) -> dict[str, str]:
    from workings.nn.equivariance import audit
    from workings.studies.circulant.layers import build, picture

    assert config.layer is not None
    network, x = build(config.layer, config.size, config.seed), picture(config.size, config.seed)
    found = audit(network, x, count=config.shifts, seed=config.seed)
    _record(found, recorder)
    whole = found.layers[-1]
    for name, value in (("mean", whole.mean), ("worst", whole.worst), ("interior", whole.worst_interior)):
        if not math.isnan(value):
            recorder.metric(f"error/{name}", value)
    return {
        "layers": " → ".join(layer.kind for layer in found.layers[:-1]),
        "shifts": f"{len(found.shifts)}",
        "measured": "invariance" if whole.stride is None else f"equivariance, stride {whole.stride[0]}",
    }


def _network(config: Config, recorder: Recorder) -> dict[str, str]:
    import torch
    from torchvision import models

    from workings.nn.equivariance import audit
    from workings.studies.circulant.layers import grid_shifts, photograph_like

    with torch.random.fork_rng([]):
        torch.default_generator.manual_seed(config.seed)
        network = getattr(models, str(config.network))(weights=None)
    x = photograph_like((3, config.size, config.size), config.seed)
    found = audit(network, x, shifts=grid_shifts(config.size, config.shifts, config.seed))
    _record(found, recorder)
    return {layer.name: f"{layer.kind}, mean error {layer.mean:.3f}" for layer in found.layers}


def _record(found: "Audit", recorder: Recorder) -> None:
    recorder.table(
        "layers",
        [
            {
                "name": layer.name,
                "kind": layer.kind,
                "shape": list(layer.shape),
                "stride": None if layer.stride is None else [float(s) for s in layer.stride],
            }
            for layer in found.layers
        ],
    )
    recorder.array("shifts", np.array(found.shifts))
    recorder.array("errors", np.array([layer.errors for layer in found.layers]))
    recorder.array("interior", np.array([layer.interior for layer in found.layers]))


def _timing(config: Config, recorder: Recorder) -> dict[str, str]:
    from workings.studies.circulant.timing import times

    rows = list(times(config.seed))
    recorder.table("times", rows)
    return {f"n = {found['n']:,}": " · ".join(_told(found)) for found in rows}


def _told(found: dict[str, Any]) -> Iterator[str]:
    return (f"{name} {1e6 * seconds:.4g} µs" for name, seconds in found.items() if name != "n" and seconds)


def _size(w: Array, x: Array | None = None) -> float:
    """What errors are relative to: Σ|w|·max|x|, or 1 where that is nothing."""
    return float(np.abs(w).sum() * (1 if x is None else np.abs(x).max())) or 1.0


def _complex(value: complex) -> str:
    real, imaginary = round(value.real, 12) + 0.0, round(value.imag, 12) + 0.0
    return f"{real:g}{imaginary:+g}i" if imaginary else f"{real:g}"
