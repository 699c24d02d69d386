"""The decision rules against tables worked by hand, other libraries' answers, and simulated truth."""

import json
import math
import time

import numpy as np
import pytest
from scipy import stats

from workings.core.decide import Interval, agrees, better, paired_difference, paired_items, proportion

T2, T4 = 4.302652729911275, 2.7764451051977987
"""Student's 97.5 % quantiles for 2 and 4 degrees of freedom, as tables print them."""


def spelled(rate: float, *, seeds: int = 3, items: int = 400, seed: int = 0, drift: float = 0.0) -> np.ndarray:
    """Misspelled letters of words of ten: every seed has a rate of its own, about `rate`."""
    rng = np.random.default_rng(seed)
    rates = np.clip(rate + drift * rng.standard_normal((seeds, 1)), 0, 1)
    return rng.binomial(10, np.broadcast_to(rates, (seeds, items)))


# Interval


def test_an_interval_is_closed() -> None:
    interval = Interval(-1.0, 2.0)
    assert [interval.contains(x) for x in (-1.1, -1, 0, 2, 2.1)] == [False, True, True, True, False]
    assert interval.to_json() == [-1.0, 2.0]


# Paired by seed


def test_a_table_worked_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, variance 1, so 2 ± 4.3027/√3."""
    found = paired_difference([5, 7, 9], [4, 5, 6])
    assert (found.first, found.second, found.difference, found.spread, found.effect) == (7, 5, 2, 1, 2)
    assert found.interval is not None
    assert found.interval.to_json() == pytest.approx([2 - T2 / math.sqrt(3), 2 + T2 / math.sqrt(3)])
    assert found.verdict == "undecided"  # −0.48 … 4.48


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        ([0.30, 0.31, 0.32], "lower"),  # differences −0.10, −0.10, −0.11
        ([0.10, 0.11, 0.10], "higher"),
        ([0.20, 0.30, 0.10], "undecided"),
    ],
)
def test_each_verdict_by_seed(second: list[float], verdict: str) -> None:
    assert paired_difference([0.20, 0.21, 0.21], second).verdict == verdict


def test_turning_the_question_round_turns_the_answer() -> None:
    one, other = [0.2, 0.21, 0.22], [0.3, 0.33, 0.31]
    there, back = paired_difference(one, other), paired_difference(other, one)
    assert (there.verdict, back.verdict) == ("lower", "higher")
    assert there.interval is not None
    assert back.interval is not None
    assert there.interval.to_json() == pytest.approx([-back.interval.high, -back.interval.low])


def test_pairing_sees_what_the_spread_between_seeds_hides() -> None:
    """Seeds differ by 0.1, the systems by 0.01 at every seed."""
    first, second = [0.10, 0.20, 0.30], [0.111, 0.210, 0.309]
    assert paired_difference(first, second).verdict == "lower"
    assert paired_difference(first, [second[1], second[2], second[0]]).verdict == "undecided"


def test_more_confidence_takes_more() -> None:
    first, second = [0.20, 0.21, 0.22], [0.25, 0.24, 0.27]
    assert paired_difference(first, second, confidence=0.9).verdict == "lower"
    assert paired_difference(first, second, confidence=0.999).verdict == "undecided"


@pytest.mark.parametrize("seeds", [1, 2])
def test_too_few_seeds_are_underpowered(seeds: int) -> None:
    found = paired_difference([0.1] * seeds, [0.9] * seeds)
    assert found.verdict == "underpowered"
    assert (found.interval is None) == (seeds == 1)
    assert paired_difference([0.1, 0.1], [0.9, 0.8], minimum=2).verdict == "lower"  # −0.75 ± 12.7 · 0.05


@pytest.mark.parametrize(
    ("first", "second", "difference", "verdict"),
    [
        ([0.3, 0.3, 0.3], [0.3, 0.3, 0.3], 0.0, "undecided"),
        ([0.1, 0.2, 0.3], [0.2, 0.3, 0.4], -0.1, "lower"),  # the differences are not equal in float64
        ([0.1 + 0.2, 0.3, 0.3], [0.3, 0.3, 0.3], 0.0, "undecided"),  # 0.30000000000000004
        ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0], 1.0, "higher"),
        ([1 + 1e-15, 1.0, 1.0], [0.0, 0.0, 0.0], 1.0, "higher"),
    ],
)
def test_without_spread_the_difference_itself_decides(
    first: list[float], second: list[float], difference: float, verdict: str
) -> None:
    found = paired_difference(first, second)
    assert (found.spread, found.effect, found.verdict) == (0.0, None, verdict)
    assert found.interval is not None
    assert found.interval.to_json() == pytest.approx([difference, difference])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_rejected(bad: float) -> None:
    for call in (
        lambda: paired_difference([1, 2, bad], [1, 2, 3]),
        lambda: paired_difference([1, 2, 3], [1, 2, bad]),
        lambda: paired_items([[bad, 1]], [[1, 1]]),
        lambda: paired_items([[1, 1]], [[1, 1]], weights=[1, bad]),
        lambda: agrees(0.3, [1, bad, 2]),
        lambda: agrees(bad, [1, 2, 3]),
        lambda: agrees(0.3, [1, 2, 3], item_error=bad),
        lambda: paired_difference([1, 2, 4], [1, 2, 3], confidence=bad),
    ):
        with pytest.raises(ValueError, match="give"):
            call()


def test_what_does_not_pair_up_is_rejected() -> None:
    with pytest.raises(ValueError, match="3 and 2 values do not pair up"):
        paired_difference([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="2 and 3 items do not pair up"):
        paired_items([[1, 2]], [[1, 2, 3]])
    with pytest.raises(ValueError, match="1 weights for 2 items"):
        paired_items([[1, 2]], [[1, 2]], weights=[1])
    with pytest.raises(ValueError, match="one above 0"):
        paired_items([[1, 2]], [[1, 2]], weights=[1, 0])
    with pytest.raises(ValueError, match=r"shape \[2\]: give finite numbers \[seeds items\]"):
        paired_items([1, 2], [1, 2])
    with pytest.raises(ValueError, match="at least one"):
        paired_difference([], [])
    with pytest.raises(ValueError, match="3 and 4 values do not pair up"):
        better(spelled(0.2), spelled(0.3, seeds=4))
    for confidence in (0.0, 1.0, 95.0, -0.5):
        with pytest.raises(ValueError, match="confidence"):
            paired_items([[1, 2]], [[1, 2]], confidence=confidence)


def test_the_interval_over_seeds_covers_as_often_as_it_says() -> None:
    """2,000 simulated comparisons of five seeds, true difference 1: 95 % ± 1.5 (three standard errors of the count)."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(2000, 5))
    first, second = shared + 1 + rng.normal(size=(2000, 5)), shared + rng.normal(size=(2000, 5))
    intervals = [paired_difference(a, b).interval for a, b in zip(first, second, strict=True)]
    covered = np.mean([interval is not None and interval.contains(1.0) for interval in intervals])
    assert covered == pytest.approx(0.95, abs=0.015)


# Paired by item


def test_the_metric_is_a_ratio_of_sums() -> None:
    """(1 + 3)/(2 + 6) and (3 + 3)/8 average to 0.625; the mean of the words' own rates would be 0.75."""
    found = paired_items([[1, 3], [3, 3]], [[0, 0], [0, 8]], weights=[2, 6])
    assert (found.first, found.second, found.difference) == (0.625, 0.5, 0.125)
    assert paired_items([[1, 3]], [[0, 0]]).first == 2.0


@pytest.mark.parametrize("weighted", [False, True])
def test_one_seed_agrees_with_scipys_bootstrap(weighted: bool) -> None:
    """Ends agree within four Monte Carlo standard errors of a 2.5 % quantile, about 0.06 of the spread at 20,000."""
    rng = np.random.default_rng(1)
    weights = rng.integers(3, 12, 300) if weighted else np.ones(300)
    a, b = rng.binomial(12, 0.3, 300), rng.binomial(12, 0.25, 300)
    ours = paired_items([a], [b], weights=weights, resamples=20_000, seed=2)
    theirs = stats.bootstrap(
        (a, b, weights),
        lambda a, b, w, axis: (a.sum(axis) - b.sum(axis)) / w.sum(axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=20_000,
        batch=1000,
        rng=np.random.default_rng(3),
    )
    assert ours.interval is not None
    assert ours.spread == pytest.approx(theirs.standard_error, rel=0.03)
    assert ours.interval.to_json() == pytest.approx(
        [theirs.confidence_interval.low, theirs.confidence_interval.high], abs=0.08 * theirs.standard_error
    )


def test_seeds_and_items_are_both_resampled() -> None:
    """Against the scheme written out as a loop, in which seeds are paired and items shared."""
    a, b = spelled(0.3, items=30, drift=0.05), spelled(0.2, items=30, seed=1, drift=0.05)
    weights = np.arange(1, 31)
    rng = np.random.default_rng(4)
    draws = []
    for _ in range(5000):
        s, i = rng.integers(3, size=3), rng.integers(30, size=30)
        rates = [[errors[k, i].sum() / weights[i].sum() for k in s] for errors in (a, b)]
        draws.append(np.mean(rates[0]) - np.mean(rates[1]))
    found = paired_items(a, b, weights=weights, resamples=5000)
    assert found.interval is not None
    assert found.spread == pytest.approx(np.std(draws), rel=0.05)
    assert found.interval.to_json() == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.15 * np.std(draws))


def test_sharing_the_items_sees_what_the_spread_between_words_hides() -> None:
    """Words differ from 0 to 30 errors, the systems by one error in every third word."""
    hard = np.arange(31)
    same_words = paired_items([hard + (hard % 3 == 0)], [hard])
    other_words = paired_items([hard + (hard % 3 == 0)], [hard[::-1]])
    assert (same_words.verdict, other_words.verdict) == ("higher", "undecided")


def test_the_interval_over_items_covers_as_often_as_it_says() -> None:
    """400 simulated test sets of 200 words: 95 % ± 3.3 (three standard errors of the count)."""
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(400):
        weights = rng.integers(3, 12, 200)
        a, b = rng.binomial(weights, 0.3), rng.binomial(weights, 0.2)
        interval = paired_items([a], [b], weights=weights, resamples=400).interval
        covered.append(interval is not None and interval.contains(0.1))
    assert np.mean(covered) == pytest.approx(0.95, abs=0.033)


def test_systems_may_have_different_numbers_of_seeds() -> None:
    found = paired_items(spelled(0.2, seeds=2), spelled(0.3, seeds=5, seed=1), weights=[10] * 400)
    assert (found.verdict, found.seeds) == ("lower", 2)


def test_a_system_is_no_better_than_itself() -> None:
    errors = spelled(0.3)
    found = paired_items(errors, errors)
    assert (found.interval, found.spread, found.effect, found.verdict) == (Interval(0, 0), 0, None, "undecided")


def test_too_few_items_are_underpowered() -> None:
    one, other = spelled(0.1, items=20), spelled(0.9, items=20)
    assert paired_items(one, other).verdict == "lower"
    assert paired_items(one[:, :19], other[:, :19]).verdict == "underpowered"


def test_the_same_seed_gives_the_same_interval() -> None:
    a, b = spelled(0.3), spelled(0.29, seed=1)
    assert paired_items(a, b) == paired_items(a, b)
    assert paired_items(a, b) != paired_items(a, b, seed=1)


def test_large_test_sets_come_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = spelled(0.3), spelled(0.2, seed=1)
    whole = paired_items(a, b)
    monkeypatch.setattr("workings.core.decide.BLOCK", 400 * 7)
    assert paired_items(a, b) == whole


def test_three_seeds_of_a_thousand_words_take_less_than_a_second() -> None:
    a, b = spelled(0.3, items=1000), spelled(0.2, items=1000)
    paired_items(a, b, resamples=1)
    started = time.perf_counter()
    paired_items(a, b)
    assert time.perf_counter() - started < 1


# Both


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (spelled(0.20), spelled(0.30, seed=1), "lower"),
        (spelled(0.30), spelled(0.20, seed=1), "higher"),
        (spelled(0.30), spelled(0.30, seed=1), "undecided"),
        (spelled(0.20, seeds=2), spelled(0.30, seeds=2, seed=1), "underpowered"),
        (spelled(0.20, items=10), spelled(0.30, items=10, seed=1), "underpowered"),
    ],
)
def test_each_verdict_of_a_contest(first: np.ndarray, second: np.ndarray, verdict: str) -> None:
    assert better(first, second, weights=[10] * first.shape[1]).verdict == verdict


def test_seeds_that_disagree_leave_it_open_although_the_items_decide() -> None:
    """One seed in three is worse, by little; the many words hide it."""
    first = np.repeat([[1], [1], [4]], 100, axis=1)
    found = better(first, np.full((3, 100), 3))
    assert found.by_seed.verdict == "undecided"
    assert found.verdict == "undecided"


def test_items_that_disagree_leave_it_open_although_the_seeds_decide() -> None:
    """Every seed wins by the same one word of forty."""
    second = np.zeros((3, 40))
    second[:, 0] = 10
    found = better(np.zeros((3, 40)), second)
    assert (found.by_seed.verdict, found.by_item.verdict, found.verdict) == ("lower", "undecided", "undecided")


def test_a_contest_has_numbers_for_the_ledger() -> None:
    first, second = np.full((3, 20), 1), np.tile([[2], [3], [4]], 20)
    found = better(first, second, weights=[10] * 20)
    assert found.first == (0.1, 0.1, 0.1)
    numbers = json.loads(json.dumps(found.numbers(), allow_nan=False))
    assert numbers["mean"] == pytest.approx([0.1, 0.3])
    assert numbers["spread"] == pytest.approx([0.0, 0.1])
    assert numbers["difference"] == pytest.approx(-0.2)
    assert numbers["effect"] == pytest.approx(-2.0)
    assert numbers["interval_over_seeds"] == pytest.approx(
        [-0.2 - 0.1 * T2 / math.sqrt(3), -0.2 + 0.1 * T2 / math.sqrt(3)]
    )
    assert numbers["interval_over_items"] == pytest.approx([-0.3, -0.1], abs=0.02)
    assert (numbers["seeds"], numbers["confidence"]) == (3, 0.95)


def test_equal_systems_are_rarely_told_apart() -> None:
    """Each rule errs in at most 5 % of 150 contests between equals, so both do; three standard errors: 5.3 %."""

    def system(seed: int) -> np.ndarray:
        return spelled(0.3, items=50, seed=seed, drift=0.02)

    decided = [better(system(2 * k), system(2 * k + 1)).verdict != "undecided" for k in range(150)]
    assert np.mean(decided) <= 0.05 + 0.053


# One published figure


def test_a_prediction_worked_by_hand() -> None:
    """Values 9, 10, 11: mean 10, s = 1, so 10 ± 4.3027 · √(4/3); five values: √(6/5)."""
    found = agrees(12.0, [9, 10, 11], widest=2)
    assert (found.mean, found.spread, found.seeds) == (10, 1, 3)
    assert found.interval is not None
    assert found.interval.high == pytest.approx(10 + T2 * math.sqrt(4 / 3))
    five = agrees(12.0, [9, 9, 10, 11, 11]).interval
    assert five is not None
    assert five.low == pytest.approx(10 - T4 * math.sqrt(6 / 5))


@pytest.mark.parametrize(
    ("published", "values", "verdict"),
    [
        (0.3165, [0.310, 0.312, 0.314], "inside"),  # 0.312 ± 0.010
        (0.3265, [0.310, 0.312, 0.314], "outside"),
        (0.2965, [0.310, 0.312, 0.314], "outside"),
        (0.312, [0.310, 0.312], "underpowered"),
        (0.312, [0.312], "underpowered"),
        (0.31, [0.20, 0.31, 0.42], "underpowered"),  # ±0.55: would hold any error rate
        (5.0, [0.20, 0.31, 0.42], "outside"),  # and yet not this
    ],
)
def test_each_verdict_on_a_published_figure(published: float, values: list[float], verdict: str) -> None:
    found = agrees(published, values)
    assert found.verdict == verdict
    assert json.loads(json.dumps(found.numbers(), allow_nan=False))["published"] == published


def test_what_is_too_wide_is_for_the_claim_to_say() -> None:
    values = [0.28, 0.30, 0.32]  # ±0.1
    assert agrees(0.3, values).verdict == "underpowered"
    assert agrees(0.3, values, widest=0.7).verdict == "inside"
    assert agrees(0.3, values, widest=0.7, minimum=4).verdict == "underpowered"


def test_another_test_set_widens_the_interval() -> None:
    values = [0.310, 0.312, 0.314]
    assert agrees(0.33, values).verdict == "outside"
    assert agrees(0.33, values, item_error=0.01).verdict == "inside"


def test_without_spread_only_the_same_figure_is_inside() -> None:
    assert agrees(0.3, [0.1 + 0.2] * 3).verdict == "inside"
    assert agrees(0.3001, [0.3] * 3).verdict == "outside"
    assert agrees(0.0, [0.0] * 3).verdict == "inside"


def test_the_prediction_holds_one_more_draw_as_often_as_it_says() -> None:
    """2,000 times three seeds and a fourth run by others: 95 % ± 1.5."""
    draws = np.random.default_rng(6).normal(100, 1, size=(2000, 4))
    inside = [agrees(other, values).verdict == "inside" for *values, other in draws]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


# Proportions


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),  # z²/(n + z²) with z = 1.96: 3.8415/13.8415
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),  # Newcombe (1998), Statistics in Medicine 17, table I
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_as_printed(successes: int, trials: int, low: float, high: float) -> None:
    assert proportion(successes, trials).to_json() == pytest.approx([low, high], abs=5e-5)


@pytest.mark.parametrize(("successes", "trials"), [(-1, 10), (11, 10), (0, 0)])
def test_impossible_counts_are_rejected(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="give 0 ≤ successes ≤ trials"):
        proportion(successes, trials)
