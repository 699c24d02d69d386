"""What the sheet and we say of convolutions and shifts, and how it is decided.

What is said of matrices holds for every n to 64, and what is said of small layers for every shift: nothing in either is
rounded, so 0 is 0. Networks and times are measured. How a layer's errors are read is told in `readings.py`.
"""

from typing import Any

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.evidence import NONE, Evidence
from workings.studies.circulant.readings import commutants, layer, layers_of, tables
from workings.studies.circulant.study import NETWORKS, SEEDS

ROUNDING = 1e-12
"""Products of up to 64 × 64 complex numbers of modulus at most 1 round some 2·64² times by 1e-16."""
FLOAT32 = 1e-5
"""A hundred roundings of float32, which the sums of a convolution and the layers before it gather."""


@claim(
    "commutes-with-shift",
    source="gatech-2024-ps2/5a",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="Every circulant matrix commutes with the shift.",
    rule="C S − S C is computed for filters of whole and of real numbers, for every n to 64; S moves entries without "
    "rounding them, so a single entry other than 0 refutes.",
)
def commutes_with_shift(evidence: Evidence) -> Verdict:
    rows = commutants(evidence)
    filters = tables(evidence, "filter")
    for found in (*rows, *filters):
        if found["commutator"] != 0:
            told = {"n": found.get("n"), "w": found.get("w"), "largest_entry_of_CS_minus_SC": found["commutator"]}
            return refuted("A circulant does not commute with the shift.", witness=told)
    return supported(
        f"C S − S C is zero in every entry, for n from 1 to {rows[-1]['n']} and {len(filters)} further filters.",
        filters=[found["w"] for found in filters],
    )


@claim(
    "only-equivariant-linear-map",
    source="gatech-2024-ps2/5b",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="A linear map that commutes with the shift is a convolution: circulants, and nothing else.",
    rule="For every n to 64 the matrices that commute with S, found by counting cycles of index pairs, must be a space "
    "of dimension n with the basis I, S, …, Sⁿ⁻¹; singular values must agree where they are computed.",
)
def only_equivariant_linear_map(evidence: Evidence) -> Verdict:
    rows = commutants(evidence)
    checked = [found["n"] for found in rows if found["by_singular_values"] is not None]
    for found in rows:
        counted = {found["dimension"], found["by_singular_values"] or found["dimension"]}
        if counted != {found["n"]} or not found["powers"]:
            return refuted("Other matrices commute with the shift too.", witness=found)
    return supported(
        f"For every n to {rows[-1]['n']} they form a space of dimension n, spanned by the powers of S; singular values "
        f"agree to n = {max(checked)}.",
        dimensions=[found["dimension"] for found in rows],
    )


@claim(
    "fft-diagonalises",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="The Fourier transform diagonalises every circulant; the eigenvalues are the transform of its filter.",
    rule="For a random filter of each n to 64, F C F⁻¹ less the diagonal of the filter's FFT must be rounding, and so "
    "must the difference between convolving by FFT and by the sum.",
)
def fft_diagonalises(evidence: Evidence) -> Verdict:
    rows = commutants(evidence)
    worst = max(rows, key=lambda found: float(found["off_diagonal"]))
    if worst["off_diagonal"] > ROUNDING:
        told = {"n": worst["n"], "largest_entry_beside_the_diagonal": worst["off_diagonal"]}
        return refuted("The Fourier basis does not diagonalise a circulant.", witness=told)
    applied = max(found["apply_error"] for found in tables(evidence, "filter"))
    if applied > ROUNDING:
        return refuted("Convolving by FFT gives something else.", witness={"relative_error": applied})
    return supported(
        f"Beside the diagonal at most {worst['off_diagonal']:.1g} of Σ|w| is left, at n = {worst['n']}: rounding.",
        beside_the_diagonal=worst["off_diagonal"],
        convolution=applied,
    )


@claim(
    "circulant-of-the-filter",
    source="gatech-2024-ps2/5a",
    about=NONE,
    basis="transcribed",
    expect="refuted",
    statement="The circulant that the sheet writes beside the convolution with w is the circulant of w.",
    rule="Convolving (1, 0, …, 0) with w gives the matrix's first column; the transcription must name that vector.",
    repair="Write C_w, the circulant of the filter.",
)
def circulant_of_the_filter(evidence: Evidence) -> Verdict:
    written = evidence.published["circulant-of-the-filter"]["circulant_of"]
    found = tables(evidence, "filter")[0]
    w, response = found["w"], found["unit_response"]
    if (written == "w") == (response == w):
        return supported(f"The matrix is the circulant of {written}.", first_column=response)
    unit = [1.0] + [0.0] * (len(w) - 1)
    return refuted(
        f"The text writes the circulant of {written}; the first column of the matrix is w, so it is C_w (a slip).",
        witness={"w": w, "x": unit, "x_convolved_with_w": response, "so_the_first_column_is": response},
    )


@claim(
    "any-permutation",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="What commutes with a permutation has dimension Σ gcd(a, b), summed over pairs of its cycles' lengths.",
    rule="The cycles of index pairs are counted for a permutation that is no shift, and compared with the sum and "
    "the singular values.",
)
def any_permutation(evidence: Evidence) -> Verdict:
    every = tables(evidence, "permutation")
    for found in every:
        counts = {name: found[name] for name in ("dimension", "by_gcd", "by_singular_values")}
        if len(set(counts.values()) - {None}) > 1:
            return refuted("The counts differ.", witness={"permutation": found["permutation"], **counts})
    told = "; ".join(f"{_cycles(found['cycle_lengths'])} dimension {found['dimension']}" for found in every)
    return supported(f"{told.capitalize()}.", measured=every)


@claim(
    "circular-padding-is-equivariant",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="A convolution of stride 1 with circular padding is exactly shift-equivariant.",
    rule="Measured under every shift of a picture, with whole-number weights and pixels; any error but 0 refutes.",
)
def circular_padding_is_equivariant(evidence: Evidence) -> Verdict:
    found = layer(evidence, "circular")
    if found.errors.any():
        return refuted("It is not.", witness=found.worst())
    return supported(f"The error is 0 under all {len(found.shifts)} shifts.")


@claim(
    "other-padding-breaks-the-border",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="Padding with zeros, or by reflection, breaks equivariance near the border, and nowhere else.",
    rule="Under every shift the error must be above 0 over the whole picture, and 0 where no pixel beyond the border "
    "is seen, before or after the move.",
)
def other_padding_breaks_the_border(evidence: Evidence) -> Verdict:
    means: dict[str, Any] = {}
    for name in ("zero", "reflect"):
        found = layer(evidence, name)
        if not found.errors.all():
            return refuted(f"A shift leaves {name} padding unharmed.", witness=found.at(found.errors == 0))
        if found.interior[found.has_interior].any():
            return refuted(f"With {name} padding the interior errs too.", witness=found.worst(interior=True))
        means[name] = found.mean
    told = ", ".join(f"{mean:.0%} with {name} padding" for name, mean in means.items())
    return supported(f"The mean error is {told}, and 0 in the interior under every shift.", mean_error=means)


@claim(
    "strides-keep-their-multiples",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="A stride, in convolution or pooling, keeps equivariance under shifts by its multiples, and no others.",
    rule="Under every shift of a circular picture the error must be 0 exactly where the stride divides both steps.",
)
def strides_keep_their_multiples(evidence: Evidence) -> Verdict:
    means: dict[str, Any] = {}
    for name in ("strided", "average-pool", "max-pool"):
        found = layer(evidence, name)
        wrong = (found.errors == 0) != found.on_grid
        if wrong.any():
            return refuted(f"{name} does otherwise.", witness=found.at(wrong))
        means[name] = found.off_grid_mean
    told = ", ".join(f"{mean:.2f} ({name})" for name, mean in means.items())
    return supported(f"Multiples of the stride give 0; the other shifts give on average {told}.", mean_error=means)


@claim(
    "antialiasing-helps",
    source="own",
    about=NONE,
    basis="sampled",
    expect="supported",
    statement="A blur before the stride of max pooling lessens its shift error.",
    rule="For each seed, the mean error over all shifts that the stride does not divide must be lower with the blur.",
)
def antialiasing_helps(evidence: Evidence) -> Verdict:
    pairs = [
        tuple(layer(evidence, name, seed).off_grid_mean for name in ("antialiased-pool", "max-pool")) for seed in SEEDS
    ]
    for seed, (blurred, plain) in zip(SEEDS, pairs, strict=True):
        if blurred >= plain:
            return refuted("The blur does not help.", witness={"seed": seed, "blurred": blurred, "plain": plain})
    low, high = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
    return supported(
        f"The blur takes the mean error from {high:.2f} to {low:.2f}; for each of {len(pairs)} seeds it is lower.",
        blurred=low,
        plain=high,
        by_seed=pairs,
    )


@claim(
    "global-pooling-is-invariant",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="After an equivariant layer, averaging over all places makes the answer invariant; flattening does not.",
    rule="Under every shift the error of the answer must be 0 with the average, and must not be with flattening.",
)
def global_pooling_is_invariant(evidence: Evidence) -> Verdict:
    averaged, flattened = (layer(evidence, name) for name in ("global-pool", "flatten-dense"))
    if averaged.errors.any():
        return refuted("The average is not invariant.", witness=averaged.worst())
    if not flattened.errors.all():
        return refuted("Flattening keeps a shift.", witness=flattened.at(flattened.errors == 0))
    return supported(
        f"Averaging gives the same answer under all {len(averaged.shifts)} shifts; flattening changes it by "
        f"{flattened.mean:.2f} of its length on average.",
        flattened=flattened.mean,
    )


@claim(
    "networks-are-not-equivariant",
    source="own",
    basis="measured",
    expect="supported",
    statement="ResNet-18 and AlexNet, with random weights, are not shift-equivariant from their first layer on.",
    rule="No layer with spatial axes may have a mean error that is rounding.",
)
def networks_are_not_equivariant(evidence: Evidence) -> Verdict:
    told, numbers = [], {}
    for name in NETWORKS:
        maps = [found for found in layers_of(evidence.where(network=name).one()) if found.stride is not None]
        for found in maps:
            if found.mean <= FLOAT32:
                return refuted(f"A layer of {name} is.", witness={"layer": found.name, "mean_error": found.mean})
        least = min(maps, key=lambda found: found.mean)
        numbers[name] = {"first": maps[0].mean, "least": least.mean, "last": maps[-1].mean}
        told.append(f"{name}'s feature maps err by {least.mean:.0%} ({least.name}) or more")
    return supported("; ".join(told) + ".", **numbers)


@claim(
    "stride-and-border-are-to-blame",
    source="own",
    basis="measured",
    expect="supported",
    statement="Away from the border, the networks are equivariant under shifts by multiples of their stride only.",
    rule="In every layer that has an interior, its error must be rounding where the stride so far divides the shift, "
    "and must not be where it does not.",
)
def stride_and_border_are_to_blame(evidence: Evidence) -> Verdict:
    numbers: dict[str, Any] = {}
    for name in NETWORKS:
        maps = [found for found in layers_of(evidence.where(network=name).one()) if found.stride is not None]
        kept = [found for found in maps if (found.has_interior & found.on_grid).any()]
        for found in kept:
            wrong = found.has_interior & ((found.interior <= FLOAT32) != found.on_grid)
            if wrong.any():
                return refuted(f"{name} does otherwise.", witness={"layer": found.name, **found.at(wrong)})
        if not kept:
            return inconclusive(f"No layer of {name} has an interior.")
        numbers[name] = {"layers": len(kept), "of": len(maps), "deepest": kept[-1].name}
    told = " and ".join(f"{found['layers']} of {found['of']} in {name}" for name, found in numbers.items())
    return supported(
        f"It holds in every feature map that has an interior: {told}. Deeper ones see the border from everywhere.",
        **numbers,
    )


@claim(
    "fft-wins",
    source="own",
    basis="measured",
    expect="supported",
    statement="From some length on, convolving by FFT is faster than multiplying by the circulant matrix.",
    rule="Timed side by side for powers of two; from some length on the FFT must be faster at each one timed.",
)
def fft_wins(evidence: Evidence) -> Verdict:
    rows = [found for found in evidence.where(timing=True).one().table("times") if found["matrix"] is not None]
    last, slower = rows[-1], [found for found in rows if found["fft"] >= found["matrix"]]
    if last in slower:
        told = {name: last[name] for name in ("n", "matrix", "fft")}
        return refuted(f"At n = {last['n']} the matrix is still faster.", witness=told)
    first = next(found["n"] for found in rows if not slower or found["n"] > slower[-1]["n"])
    return supported(
        f"On the machine of this run the FFT is faster from n = {first} on, {last['matrix'] / last['fft']:.0f} times "
        f"at n = {last['n']:,}; the matrix was kept ready.",
        first=first,
        ratio_at_largest=last["matrix"] / last["fft"],
    )


def _cycles(lengths: list[int]) -> str:
    """``a cycle of length 8 leaves``, ``cycles of lengths 3 and 5 leave``."""
    one = len(lengths) == 1
    return f"{'a cycle of length' if one else 'cycles of lengths'} {' and '.join(map(str, lengths))} leave{'s' * one}"
