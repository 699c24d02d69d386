"""The statistical decision rules, once: pure functions over numbers, each with its rule and its source.

    paired_difference   two systems, one value a seed               Student's t on the differences
    paired_items        two systems, errors by seed and test item   bootstrap over items and seeds
    better              both of the above must agree                the rule for "this system beats that one"
    agrees              one published figure beside our seeds       Student's t prediction interval
    proportion          successes among trials                      Wilson's score interval

Every rule knows when it has too little to go by (*underpowered*), which a claim turns into *inconclusive*: two seeds
leave one degree of freedom, whose quantile (12.7) decides next to nothing, so it takes three. What is compared are
errors: lower is better. Intervals are two-sided, each for one comparison: nothing here corrects for asking many
questions. What is not a finite number, or does not pair up, raises ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

Direction = Literal["lower", "higher", "undecided", "underpowered"]
"""Where the first system lies beside the second; *undecided* where the interval holds 0."""

MINIMUM_SEEDS = 3
"""Two seeds leave one degree of freedom: its 95 % quantile, 12.7, decides next to nothing."""
MINIMUM_ITEMS = 20
"""At 20 items a 95 % percentile bootstrap covers the mean of Gaussian data 93 times in 100, with fewer less."""
BLOCK = 4_000_000
"""Item counts held in memory at a time by the bootstrap: 32 MB."""
ROUNDING = 32 * 2.0**-52
"""Relative size below which a spread is float64's rounding: each value, difference and mean adds a few units of it."""


@dataclass(frozen=True)
class Interval:
    """A closed interval."""

    low: float
    high: float

    def contains(self, x: float) -> bool:
        """Whether low ≤ x ≤ high."""
        return self.low <= x <= self.high

    def to_json(self) -> list[float]:
        """``[low, high]``."""
        return [self.low, self.high]


@dataclass(frozen=True)
class Comparison:
    """The first system's error less the second's."""

    first: float
    second: float
    difference: float
    spread: float | None
    """Standard deviation of what is paired: of the differences by seed, or of the bootstrap. None for a single seed."""
    interval: Interval | None
    confidence: float
    seeds: int
    """Of the system that has fewer."""
    effect: float | None
    """The difference in units of `spread` (Cohen's d_z for pairs); None where the spread is 0 or unknown."""
    verdict: Direction


@dataclass(frozen=True)
class Contest:
    """What both rules say of two systems."""

    verdict: Direction
    first: tuple[float, ...]
    second: tuple[float, ...]
    """The error of each seed."""
    by_seed: Comparison
    by_item: Comparison

    def numbers(self) -> dict[str, Any]:
        """Means, spreads, difference and both intervals, as the ledger keeps them."""
        return {
            "mean": [self.by_seed.first, self.by_seed.second],
            "spread": [_spread(self.first), _spread(self.second)],
            **{name: getattr(self.by_seed, name) for name in ("difference", "effect", "seeds", "confidence")},
            "interval_over_seeds": self.by_seed.interval and self.by_seed.interval.to_json(),
            "interval_over_items": self.by_item.interval and self.by_item.interval.to_json(),
        }


@dataclass(frozen=True)
class Agreement:
    """A published figure beside our seeds."""

    verdict: Literal["inside", "outside", "underpowered"]
    published: float
    mean: float
    spread: float | None
    """Standard deviation over seeds; None for a single one."""
    interval: Interval | None
    """Where one more run would fall."""
    confidence: float
    seeds: int

    def numbers(self) -> dict[str, Any]:
        """As the ledger keeps them."""
        return {**vars(self), "interval": self.interval and self.interval.to_json()}


def paired_difference(
    first: Sequence[float], second: Sequence[float], *, confidence: float = 0.95, minimum: int = MINIMUM_SEEDS
) -> Comparison:
    """One value a seed for each of two systems, paired by seed.

    Rule: with d_s = first_s − second_s, the interval is mean(d) ± t_{n−1} · sd(d)/√n (Student, "The probable error of a
    mean", Biometrika 1908, §IX). The first is lower or higher where it excludes 0; fewer than `minimum` seeds are
    underpowered. Where every seed gives the same difference, up to rounding, the interval is that point.
    """
    a, b = _finite("first", first, "seeds"), _finite("second", second, "seeds")
    _proper(confidence)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} values do not pair up: give both systems the same seeds")
    spread, interval = _spread(a - b), None
    rounding = ROUNDING * max(abs(a).max(), abs(b).max())
    if spread is not None and spread <= rounding:
        point = float((a - b).mean())
        point = 0.0 if abs(point) <= rounding else point
        spread, interval = 0.0, Interval(point, point)
    elif spread is not None:
        mean, reach = float((a - b).mean()), _quantile(confidence, len(a) - 1) * spread / math.sqrt(len(a))
        interval = Interval(mean - reach, mean + reach)
    return _compare(a, b, spread, interval, confidence, enough=len(a) >= minimum)


def paired_items(
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Errors ``[seeds, items]`` of two systems on the same items, such as edit distances, and a weight for each item.

    The metric is Σ errors / Σ weights (CER, where the weight is the gold length; a rate, where all weigh 1), averaged
    over seeds. Rule: percentile interval of the difference under the pigeonhole bootstrap (Owen, "The pigeonhole
    bootstrap", Annals of Applied Statistics 2007). Each resample draws as many items as there are, with replacement,
    one draw for both systems and all seeds; and, independently, as many seeds as there are. Systems with equally many
    seeds are paired by seed and share that draw too; otherwise each draws its own. The metric is then recomputed, sum
    over sum. A single seed leaves the items alone as the source of chance.

    It is underpowered below `MINIMUM_ITEMS` items. It understates the spread over a few seeds (by the factor
    √((n−1)/n)), so it is no rule by itself for "this system is better": that is `better`.
    """
    import numpy as np

    a, b, weight = _scored(first, second, weights)
    _proper(confidence)
    draws = _bootstrap(a, b, weight, resamples, np.random.default_rng(seed))
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2]).tolist()
    rates = a.sum(1) / weight.sum(), b.sum(1) / weight.sum()
    return _compare(*rates, _spread(draws), Interval(low, high), confidence, enough=len(weight) >= MINIMUM_ITEMS)


def better(
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    minimum: int = MINIMUM_SEEDS,
) -> Contest:
    """Whether the first system has the lower error; errors ``[seeds, items]`` as for `paired_items`.

    Rule: *lower* or *higher* only where both intervals exclude 0 on the same side, the one over seeds (would another
    training say the same?) and the one over items (would another test set?). Both must hold, so the chance of a false
    verdict is at most that of either. Fewer than `minimum` seeds, or too few items, are underpowered.
    """
    a, b, weight = _scored(first, second, weights)
    by_item = paired_items(a, b, weights=weight, confidence=confidence)
    one, other = (tuple((errors.sum(1) / weight.sum()).tolist()) for errors in (a, b))
    by_seed = paired_difference(one, other, confidence=confidence, minimum=minimum)
    verdicts = {by_seed.verdict, by_item.verdict}
    verdict: Direction = "underpowered" if "underpowered" in verdicts else "undecided"
    return Contest(verdicts.pop() if len(verdicts) == 1 else verdict, one, other, by_seed, by_item)


def agrees(
    published: float,
    values: Sequence[float],
    *,
    confidence: float = 0.95,
    minimum: int = MINIMUM_SEEDS,
    widest: float = 0.5,
    item_error: float | None = None,
) -> Agreement:
    """Whether one published figure, a single run by others, looks like one more draw from our seeds.

    Rule: it lies inside the prediction interval mean ± t_{n−1} · √(s² (1 + 1/n) + e²) (Hahn & Meeker, "Statistical
    Intervals", 1991, §4.7; the interval for a mean would be too narrow, as the published run has a seed of its own).
    e is `item_error`, the standard error of a figure that was measured on another sample of test items; leave it out
    on the same test set. Giving e the quantile t as well makes the interval a little too wide, never too narrow.

    Fewer than `minimum` seeds are underpowered. So is an interval that holds the figure and is wider, end to end, than
    `widest` times the mean: it would hold any plausible figure, and agreement that could not fail is none. A figure
    outside even a wide interval is outside.
    """
    ours = _finite("values", values, "seeds")
    _proper(confidence)
    if not math.isfinite(published) or not (item_error is None or 0 <= item_error < math.inf):
        raise ValueError(f"published {published}, item_error {item_error}: give finite numbers, no error below 0")
    n, mean, spread = len(ours), float(ours.mean()), _spread(ours)
    interval = None
    if spread is not None:
        deviation = math.hypot(spread * math.sqrt(1 + 1 / n), item_error or 0.0)
        reach = max(_quantile(confidence, n - 1) * deviation, ROUNDING * abs(mean))
        interval = Interval(mean - reach, mean + reach)
    verdict: Literal["inside", "outside", "underpowered"] = "underpowered"
    if interval and n >= minimum and not interval.contains(published):
        verdict = "outside"
    elif interval and n >= minimum and interval.high - interval.low <= widest * abs(mean):
        verdict = "inside"
    return Agreement(verdict, published, mean, spread, interval, confidence, n)


def proportion(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval for a probability (Wilson, JASA 1927): keeps to [0, 1], and is of use near its ends."""
    from scipy import stats

    _proper(confidence)
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"{successes} successes among {trials} trials: give 0 ≤ successes ≤ trials, trials ≥ 1")
    return Interval(*map(float, stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")))


def _quantile(confidence: float, degrees: int) -> float:
    """Student's t that is exceeded in absolute value with probability 1 − confidence.

    From scipy.special, which loads ten times faster than scipy.stats.
    """
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + confidence) / 2))


def _bootstrap(a: Floats, b: Floats, weight: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """Differences of the metric in resamples of seeds and items."""
    import numpy as np

    shares = _draw_counts(rng, resamples, len(a)) / len(a)
    others = shares if len(a) == len(b) else _draw_counts(rng, resamples, len(b)) / len(b)
    size, blocks = max(1, BLOCK // len(weight)), []
    for start in range(0, resamples, size):
        share, other = shares[start : start + size], others[start : start + size]
        counts = _draw_counts(rng, len(share), len(weight))
        errors = (share * (counts @ a.T)).sum(1) - (other * (counts @ b.T)).sum(1)
        blocks.append(errors / (counts @ weight))
    return np.concatenate(blocks)


def _draw_counts(rng: np.random.Generator, resamples: int, n: int) -> Floats:
    """How often each of n things comes up among n draws with replacement: ``[resamples, n]``."""
    return rng.multinomial(n, [1 / n] * n, size=resamples).astype(float)


def _compare(
    a: Floats, b: Floats, spread: float | None, interval: Interval | None, confidence: float, *, enough: bool
) -> Comparison:
    """The comparison of two systems' errors by seed, under an interval found by either rule."""
    one, other = float(a.mean()), float(b.mean())
    effect = (one - other) / spread if spread else None
    verdict: Direction = "undecided" if enough else "underpowered"
    if enough and interval and not interval.contains(0.0):
        verdict = "lower" if interval.high < 0 else "higher"
    return Comparison(one, other, one - other, spread, interval, confidence, min(len(a), len(b)), effect, verdict)


def _spread(values: Sequence[float] | Floats) -> float | None:
    import numpy as np

    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _scored(first: ArrayLike, second: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    """Errors ``[seeds, items]`` of both systems, and the items' weights."""
    a, b = _finite("first", first, "seeds items"), _finite("second", second, "seeds items")
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"{a.shape[1]} and {b.shape[1]} items do not pair up: score both systems on the same test set")
    weight = _finite("weights", [1.0] * a.shape[1] if weights is None else weights, "items")
    if len(weight) != a.shape[1] or not (weight > 0).all():
        raise ValueError(f"{len(weight)} weights for {a.shape[1]} items: give each item one above 0")
    return a, b, weight


def _finite(name: str, values: ArrayLike, axes: str) -> Floats:
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    if array.ndim != len(axes.split()) or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"{name} has shape {list(array.shape)}: give finite numbers [{axes}], at least one")
    return array


def _proper(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence}: give a number between 0 and 1, such as 0.95")
