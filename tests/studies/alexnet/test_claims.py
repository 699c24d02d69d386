"""Every claim turns: altered evidence, or an altered transcription, gives the other verdict."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studies.alexnet.shop import Shop, altered, evidence, metrics, runs_of, table
from workings.core.claim import Verdict, decide
from workings.core.evidence import Run
from workings.studies.alexnet.comparisons import TAKEN_BACK, changes_of, time_of
from workings.studies.alexnet.study import CHANGES, SHEET, STUDY, Config, quickened

CLAIMS = {claim.id: claim for claim in STUDY.claims}
JPEG = replace(SHEET, data="cifar10-jpeg")
FAST = quickened(JPEG)


def verdict(claim_id: str, *runs: Run, published: Mapping[str, Any] | None = None) -> Verdict:
    """On these runs; `published` replaces figures of the claim's own entry."""
    return decide(CLAIMS[claim_id], evidence(*runs, published={claim_id: published or {}}))


def kind(claim_id: str, *runs: Run, published: Mapping[str, Any] | None = None) -> str:
    return str(verdict(claim_id, *runs, published=published).kind)


# ---- what is counted ----


@pytest.mark.parametrize("claim_id", ["parameters", "dense-layers-hold-most"])
def test_the_built_network_supports_what_is_counted(claim_id: str, shop: Shop) -> None:
    assert kind(claim_id, shop.count) == "supported"


def test_another_count_or_another_transcription_refutes_it(shop: Shop, tmp_path: Path) -> None:
    found = verdict("parameters", altered(shop.count, tmp_path / "a", metrics({"parameters": 5})))
    assert str(found.kind) == "refuted"
    assert found.witness == {"counted": 5, "stated": 23_272_266}
    assert kind("parameters", shop.count, published={"value": 1}) == "refuted"


@pytest.mark.parametrize("what", [{"parameters": 1}, {"multiplications": 10**9}])
def test_small_or_busy_dense_layers_refute_that_they_hold_most(
    what: dict[str, int], shop: Shop, tmp_path: Path
) -> None:
    run = altered(
        shop.count, tmp_path / "a", table("layers", lambda rows: [row.update(what) for row in rows[5:]] and None)
    )
    found = verdict("dense-layers-hold-most", run)
    assert str(found.kind) == "refuted"
    assert found.witness


# ---- accuracy ----


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [(0.76, "supported"), (0.742, "supported"), (0.735, "refuted"), (0.774, "supported"), (0.80, "refuted")],
)
def test_published_accuracy_is_met_or_missed(accuracy: float, expected: str, shop: Shop, tmp_path: Path) -> None:
    runs = runs_of(shop, tmp_path, SHEET, [accuracy], dataset="cifar10")
    found = verdict("accuracy", *runs)
    assert str(found.kind) == expected
    assert f"{accuracy:.1%}" in found.sentence
    assert (found.witness is not None) == (expected == "refuted")


def test_another_published_span_gives_another_verdict(shop: Shop, tmp_path: Path) -> None:
    runs = runs_of(shop, tmp_path, SHEET, [0.76], dataset="cifar10")
    assert kind("accuracy", *runs, published={"low": 0.8, "high": 0.9}) == "refuted"


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [([0.755], "supported"), ([0.742], "inconclusive"), ([0.70], "refuted"), ([0.70, 0.80, 0.80], "supported")],
)
def test_on_jpeg_the_interval_lies_above_the_mark_or_not(
    accuracies: list[float], expected: str, shop: Shop, tmp_path: Path
) -> None:
    runs = runs_of(shop, tmp_path, JPEG, accuracies)
    assert kind("accuracy-on-jpeg", *runs) == expected
    assert kind("accuracy-on-jpeg", *runs, published={"mark": 0.5}) == "supported"


def test_the_fast_recipe_says_nothing_about_the_sheet_s(shop: Shop, tmp_path: Path) -> None:
    runs = runs_of(shop, tmp_path, FAST, [0.76])
    assert kind("accuracy-on-jpeg", *runs) == "not-run"


# ---- the range test ----


@pytest.mark.parametrize(("top", "expected"), [(3e-3, "supported"), (0.9e-3, "refuted"), (5e-3, "refuted")])
def test_the_sheet_s_rate_lies_in_the_range_or_not(top: float, expected: str, shop: Shop, tmp_path: Path) -> None:
    found_range = metrics({"range/top": top, "range/base": top / 4, "range/suggestion": top / 2})
    run = altered(shop.range, tmp_path / "a", found_range, dataset="cifar10")
    assert kind("rate-in-range", run) == expected
    assert kind("rate-in-range", run, published={"rate": top / 3}) == "supported"


# ---- the fast recipe ----


def compared(shop: Shop, folder: Path, sheet: list[float], fast: list[float], seconds: float = 10.0) -> list[Run]:
    slow = runs_of(shop, folder, JPEG, sheet, seconds=31.0, epochs=25)
    return slow + runs_of(shop, folder, FAST, fast, seconds=seconds)


@pytest.mark.parametrize(
    ("sheet", "fast", "seconds", "expected"),
    [
        ([0.755], [0.762, 0.765, 0.764], 10.0, "supported"),
        ([0.755, 0.757, 0.754], [0.762, 0.765, 0.764], 10.0, "supported"),
        ([0.755], [0.748, 0.752, 0.757], 10.0, "inconclusive"),
        ([0.755], [0.70, 0.702, 0.701], 10.0, "refuted"),
        ([0.755], [0.762, 0.765, 0.764], 11.0, "refuted"),
        ([0.755], [0.762, 0.765], 10.0, "inconclusive"),
        ([0.755], [0.762], 10.0, "inconclusive"),
        ([0.755], [0.72, 0.78, 0.81], 10.0, "inconclusive"),
    ],
    ids=["better", "better, in pairs", "alike", "worse", "slow", "two seeds", "one seed", "seeds disagree"],
)
def test_the_fast_recipe_reaches_the_sheet_s_or_not(
    sheet: list[float], fast: list[float], seconds: float, expected: str, shop: Shop, tmp_path: Path
) -> None:
    found = verdict("fast-reaches-it", *compared(shop, tmp_path, sheet, fast, seconds))
    assert str(found.kind) == expected
    assert found.numbers["times"] == pytest.approx(31 / seconds)


def test_another_mark_gives_another_verdict(shop: Shop, tmp_path: Path) -> None:
    runs = compared(shop, tmp_path, [0.755], [0.762, 0.765, 0.764])
    assert kind("fast-reaches-it", *runs, published={"times": 4}) == "refuted"
    assert kind("fast-reaches-it", *runs, published={"margin": -0.006}) == "inconclusive"


def test_times_of_two_machines_are_not_compared(shop: Shop, tmp_path: Path) -> None:
    slow, *quick = compared(shop, tmp_path, [0.755], [0.762, 0.765, 0.764])
    sessions = [{**session, "device": "NVIDIA H200"} for session in slow.sessions]
    elsewhere = replace(slow, info={**slow.info, "sessions": sessions})
    found = verdict("fast-reaches-it", elsewhere, *quick)
    assert str(found.kind) == "inconclusive"
    assert "another machine" in found.sentence


def test_the_time_is_that_of_an_epoch_in_the_middle_and_an_interruption_leaves_it_be(
    shop: Shop, tmp_path: Path
) -> None:
    run = altered(shop.training, tmp_path / "a", metrics({"seconds": {1: 2.0, 2: 0.1, 3: 2.2, 4: 2.1, 5: 2.1}}))
    assert time_of(run).seconds == pytest.approx(5 * 2.1)


# ---- changes taken back ----


def taken_back(shop: Shop, folder: Path, cost: Mapping[str, float], fast: tuple[float, ...]) -> list[Run]:
    runs = runs_of(shop, folder, FAST, list(fast))
    for name, points in cost.items():
        runs += runs_of(shop, folder, quickened(JPEG, without=name), [fast[0] - points])
    return runs


SEEDS = (0.762, 0.760, 0.761)


@pytest.mark.parametrize(
    ("points", "expected"),
    [(0.03, "supported"), (0.002, "inconclusive"), (-0.03, "refuted")],
    ids=["costs", "idle", "harms"],
)
def test_a_change_pays_if_its_loss_is_more_than_seeds_differ_by(
    points: float, expected: str, shop: Shop, tmp_path: Path
) -> None:
    cost = dict.fromkeys(CHANGES, 0.03)
    runs = taken_back(shop, tmp_path, {**cost, "cycle": points}, SEEDS)
    found = verdict("cycle-pays", *runs)
    assert str(found.kind) == expected
    assert str(verdict("every-change-pays", *runs).kind) == expected
    if expected == "refuted":
        assert found.witness is not None
        assert found.witness["change"] == "cycle"


def test_two_seeds_or_a_missing_trial_decide_nothing(shop: Shop, tmp_path: Path) -> None:
    runs = taken_back(shop, tmp_path, dict.fromkeys(CHANGES, 0.03), SEEDS)
    assert kind("every-change-pays", *runs[:2], *runs[3:]) == "inconclusive"
    assert kind("every-change-pays", *runs[:-1]) == "not-run"
    assert kind("cycle-pays", *runs[:3]) == "not-run"


def test_the_sentence_names_the_dearest_first(shop: Shop, tmp_path: Path) -> None:
    cost = {name: 0.02 + 0.01 * at for at, name in enumerate(CHANGES)}
    found = verdict("every-change-pays", *taken_back(shop, tmp_path, cost, SEEDS))
    assert found.sentence.startswith(f"With {TAKEN_BACK[list(CHANGES)[-1]]} +")


# ---- which runs are meant ----


def test_a_recipe_is_known_by_its_changes() -> None:
    from workings.core.config import to_json

    def known(config: Config) -> frozenset[str] | None:
        return changes_of(to_json(config))

    assert known(SHEET) == frozenset()
    assert known(replace(SHEET, seed=4, width=3, epochs=2, batch=9)) == frozenset()
    assert known(quickened(SHEET)) == known(quickened(SHEET, epochs=3)) == frozenset(CHANGES)
    for name in CHANGES:
        assert known(quickened(SHEET, without=name)) == frozenset(CHANGES) - {name}
    assert set(TAKEN_BACK) == set(CHANGES)
    for fields in (fields for fields in CHANGES.values() if len(fields) > 1):
        first = next(iter(fields))
        assert known(replace(SHEET, **{first: fields[first]})) is None


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_without_its_runs_it_is_not_run(claim_id: str, shop: Shop) -> None:
    assert kind(claim_id) == "not-run"
    counted = claim_id in ("parameters", "dense-layers-hold-most")
    assert kind(claim_id, shop.range if counted else shop.count) == "not-run"


@pytest.mark.parametrize("claim_id", [c for c in CLAIMS if CLAIMS[c].about != ("none",)])
def test_digits_decide_nothing_about_cifar(claim_id: str, shop: Shop) -> None:
    found = verdict(claim_id, shop.range, shop.training, shop.fast)
    assert str(found.kind) == "inconclusive"
    assert "digits" in found.sentence


def test_jpeg_decides_nothing_about_the_official_set(shop: Shop, tmp_path: Path) -> None:
    assert kind("accuracy", *runs_of(shop, tmp_path, JPEG, [0.76])) == "inconclusive"
    assert kind("accuracy-on-jpeg", *runs_of(shop, tmp_path / "b", SHEET, [0.76], dataset="cifar10")) == "inconclusive"
