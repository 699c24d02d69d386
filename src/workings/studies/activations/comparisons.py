"""How networks are compared: steps to the target loss at each one's best rate, and what is left of a gradient.

Both get the same grid of learning rates and the same rule for choosing from it: the rate with the lowest geometric mean
of steps over the seeds, where a seed that never reaches the target counts with all its steps. A best rate at an end of
the grid says that the grid is too narrow, and decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.core.claim import Verdict, inconclusive, refuted, supported
from workings.core.decide import paired_difference
from workings.core.evidence import Run

SINGLE = 1e-4
"""Relative difference of two gradients that are equal but for float32, whose rounding (6e-8) some layers amplify."""
WIDE = 0.05
"""How far a layer's factor may lie from that of the wide limit: layers of 128 units correct it by a few times 1/128."""
SPEED_RULE = (
    "Each at its own best learning rate from one grid, whose ends must not be best; the logarithms of the steps to the "
    "target loss are paired over seeds, and their 95 % interval (Student's t) must lie on one side of zero."
)


@dataclass(frozen=True)
class Best:
    """A network at its best learning rate."""

    rate: float
    steps: NDArray[np.float64]
    """To the target, by seed; all steps of the run where it was not reached."""
    reached: bool
    """Whether every seed reached it."""
    at_end: bool
    """Whether the rate is the smallest or the largest that was tried."""

    @property
    def typical(self) -> float:
        """Geometric mean over seeds."""
        return float(np.exp(np.log(self.steps).mean()))


def steps_to_target(run: Run) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """First look at which the loss is at the target, ``[seeds, rates]``, and whether it ever was."""
    looks = run.array("looks").astype(float)
    hit = run.array("loss") <= run.config["target"]
    reached = hit.any(0)
    # A target met before the first step has taken half a look's time, so that logarithms stay finite.
    return np.where(reached, np.maximum(looks[hit.argmax(0)], looks[1] / 2), looks[-1]), reached


def best(run: Run) -> Best:
    """The run at its best learning rate."""
    steps, reached = steps_to_target(run)
    chosen = int(np.log(steps).mean(0).argmin())
    rates = run.config["rates"]
    at_end = rates[chosen] in (min(rates), max(rates))
    return Best(rates[chosen], steps[:, chosen], bool(reached[:, chosen].all()), at_end)


def faster(first: Run, second: Run, names: tuple[str, str]) -> Verdict:
    """Whether the first reaches the target in fewer steps, each at its best rate."""
    one, other = best(first), best(second)
    told = ", ".join(f"{n} {b.typical:.0f} steps at rate {b.rate:g}" for n, b in zip(names, (one, other), strict=True))
    told = f"To the target: {told} (geometric means of {len(one.steps)} seeds)"
    compared = paired_difference(np.log(one.steps).tolist(), np.log(other.steps).tolist())
    shared = [rate for rate in first.config["rates"] if rate in second.config["rates"]]
    numbers = {
        "times_as_many_steps": float(np.exp(-compared.difference)),
        "interval": None
        if compared.interval is None
        else np.exp([-compared.interval.high, -compared.interval.low]).tolist(),
        "steps": {name: b.steps.tolist() for name, b in zip(names, (one, other), strict=True)},
        "rates": {name: b.rate for name, b in zip(names, (one, other), strict=True)},
        "at_equal_rates": {f"rate {r:g}": float(_at(second, r) / _at(first, r)) for r in shared},
    }
    for name, b in zip(names, (one, other), strict=True):
        if b.at_end or not b.reached:
            why = "an end of the grid of rates is best" if b.at_end else "some seed never reaches the target"
            return inconclusive(f"{told}. For {name} {why}: the grid or the steps do not suffice.", **numbers)
    if compared.verdict == "lower":
        return supported(f"{told}, {np.exp(-compared.difference):.2g} times as many.", **numbers)
    if compared.verdict == "higher":
        return refuted(f"{told}.", witness={names[0]: one.typical, names[1]: other.typical}, **numbers)
    why = "too few seeds to decide" if compared.verdict == "underpowered" else "the interval holds zero"
    return inconclusive(f"{told}: {why}.", **numbers)


def _at(run: Run, rate: float) -> float:
    """Geometric mean of the steps at one rate."""
    steps, _ = steps_to_target(run)
    return float(np.exp(np.log(steps[:, run.config["rates"].index(rate)]).mean()))


def left_over(run: Run, name: str) -> NDArray[np.float64]:
    """What is left of the gradient in the first layer of a deep network, by seed."""
    gradient: NDArray[np.float64] = run.array("gradient")[run.table("functions").index(name), :, 0]
    return gradient


def per_layer(run: Run, name: str) -> float:
    """The factor by which one layer changes the gradient: a geometric mean over layers and seeds."""
    layers = run.array("gradient").shape[-1]
    return float(np.exp(np.log(left_over(run, name)).mean() / (layers - 1)))


def eases(runs: Sequence[Run], centred: str, plain: str) -> Verdict:
    """Whether centring leaves more of the gradient in the first layer of deep random networks."""
    told: list[str] = []
    verdicts: set[str] = set()
    numbers: dict[str, Any] = {}
    for run in runs:
        left = [np.log(left_over(run, name)).tolist() for name in (centred, plain)]
        compared = paired_difference(*left)
        layers, init = run.array("gradient").shape[-1], run.config["init"]
        factors = [per_layer(run, name) for name in (centred, plain)]
        told.append(f"{factors[0]:.3f} instead of {factors[1]:.3f} a layer ({init})")
        verdicts.add(compared.verdict)
        numbers[init] = {"times": float(np.exp(compared.difference)), "layers": layers, "seeds": compared.seeds}
    sentence = f"Centred, the sigmoid passes back {', '.join(told)}"
    if "lower" in verdicts:
        init = next(name for name, found in numbers.items() if found["times"] < 1)
        return refuted(f"{sentence}.", witness={"init": init, **numbers[init]}, **numbers)
    if verdicts == {"higher"}:
        most = max(float(np.exp(np.log(left_over(run, centred)).mean())) for run in runs)
        return supported(
            f"{sentence}: it eases, and cures nothing; {most:.0e} at most arrives at the first.", **numbers
        )
    return inconclusive(f"{sentence}: an interval holds zero, or the seeds are too few.", **numbers)


def alike(twin: Run, shifted: Run, usual: Run) -> Verdict:
    """Whether two networks begin with the same loss and share of the gradient; the usual start is told beside."""
    ratios = [run.array("ratio")[0, :, 0].astype(float) for run in (twin, shifted)]
    for name in ("loss", "ratio"):
        one, other = (run.array(name)[0, :, 0].astype(float) for run in (twin, shifted))
        gap = np.abs(one / other - 1)
        if gap.max() > SINGLE:
            seed = int(gap.argmax())
            witness = {"seed": seed, "of": name, "centred": one[seed], "not_centred": other[seed]}
            return refuted(f"Their {name} differs by {gap.max():.1%}.", witness=witness)
    left, unshifted = (float(values.mean()) for values in (ratios[0], usual.array("ratio")[0, :, 0]))
    return supported(
        f"Before the first step {left:.4f} of the gradient is left in the first layer of both; {unshifted:.4f} where "
        "the sigmoid begins from the same weights instead.",
        largest_relative_difference=float(np.abs(ratios[0] / ratios[1] - 1).max()),
    )


def as_wide(runs: Sequence[Run]) -> Verdict:
    """Whether each layer's factor is that of the wide limit."""
    found = {}
    for run in runs:
        limits = run.array("predicted")
        for name, limit in zip(run.table("functions"), limits, strict=True):
            expected = float(limit[0] ** (1 / (len(limit) - 1)))
            found[f"{name} ({run.config['init']})"] = (per_layer(run, name), expected, left_over(run, name))
    off = {key: abs(seen / limit - 1) for key, (seen, limit, _) in found.items()}
    numbers = {key: {"measured": seen, "wide_limit": limit} for key, (seen, limit, _) in found.items()}
    worst = max(off, key=lambda key: off[key])
    if off[worst] <= WIDE:
        return supported(f"All {len(found)} agree; {worst} is furthest off, by {off[worst]:.1%}.", **numbers)
    seen, limit, left = found[worst]
    fine = sum(gap <= WIDE for gap in off.values())
    return refuted(
        f"{fine} of {len(found)} agree. {worst} keeps {seen:.3f} a layer and not {limit:.3f}; its networks differ "
        f"among themselves by a factor of {left.max() / left.min():.0f} at the first layer.",
        witness={"network": worst, "measured": seen, "wide_limit": limit, "first_layer": left.tolist()},
        **numbers,
    )
