"""Every claim turns: altered evidence, or an altered transcription, gives the other verdict."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studies.scenes.shop import Alteration, Shop, altered, array, metrics, table
from workings.core.claim import Verdict, decide
from workings.core.evidence import Archive, Evidence, Run
from workings.studies.scenes.study import STAND_IN, STUDY, full, intel, quick, smoke

CLAIMS = {claim.id: claim for claim in STUDY.claims}
EXACT = [claim.id for claim in STUDY.claims if claim.about == ("none",)]
MEASURED = [claim_id for claim_id in CLAIMS if claim_id not in EXACT]


def verdict(claim_id: str, *runs: Run, published: Mapping[str, Any] | None = None) -> Verdict:
    """On these runs; `published` replaces entries of the transcription."""
    figures = {name: {**entry, **(published or {}).get(name, {})} for name, entry in STUDY.published.items()}
    return decide(CLAIMS[claim_id], Evidence(STUDY.id, runs, figures))


def kind(claim_id: str, *runs: Run, published: Mapping[str, Any] | None = None) -> str:
    return str(verdict(claim_id, *runs, published=published).kind)


# ---- what is counted, and what is transcribed ----

TRUE = {
    "parameters-plain": "supported",
    "parameters-pooled": "supported",
    "difference-by-pooling": "refuted",
    "selected-on-validation": "refuted",
    "kernels-cheaper": "supported",
    "kernels-add-non-linearity": "supported",
}


def test_these_are_the_exact_ones_and_their_truth_is_known() -> None:
    assert set(EXACT) == set(TRUE)
    assert {claim_id: CLAIMS[claim_id].expect for claim_id in EXACT} == TRUE


@pytest.mark.parametrize("claim_id", EXACT)
def test_the_counts_reach_the_verdict(claim_id: str, shop: Shop) -> None:
    found = verdict(claim_id, *shop.counts)
    assert str(found.kind) == TRUE[claim_id]
    if claim_id == "difference-by-pooling":
        assert found.witness == {
            "difference": 4_584_000,
            "pooling_saves": 4_587_520,
            "normalisation_adds": 3_520,
            "explained": 4_587_520,
        }
    if claim_id == "selected-on-validation":
        assert "validation would have picked the same one" in found.sentence


@pytest.mark.parametrize(
    ("claim_id", "change", "expected"),
    [
        ("parameters-plain", metrics(parameters=5_340_743), "refuted"),
        ("parameters-pooled", metrics(parameters=1), "refuted"),
        ("difference-by-pooling", metrics(parameters__normalisation=0), "refuted"),
        ("kernels-cheaper", table("kernels", lambda rows: rows[0].update(weights=26)), "refuted"),
        ("kernels-cheaper", table("kernels", lambda rows: rows[3].update(sees=9)), "refuted"),
        ("kernels-add-non-linearity", table("kernels", lambda rows: [r | {"activations": 1} for r in rows]), "refuted"),
    ],
)
def test_other_counts_give_another_verdict(
    claim_id: str, change: Alteration, expected: str, shop: Shop, tmp_path: Path
) -> None:
    has_table = claim_id.startswith("kernels")
    runs = [
        altered(run, tmp_path / run.id, change) if (run.config["task"] == "kernels") == has_table else run
        for run in shop.counts
    ]
    found = verdict(claim_id, *runs)
    assert str(found.kind) == expected
    assert found.witness


@pytest.mark.parametrize(
    ("claim_id", "published", "expected"),
    [
        ("parameters-plain", {"parameters-plain": {"value": 1}}, "refuted"),
        ("parameters-pooled", {"parameters-pooled": {"value": 5_340_742}}, "refuted"),
        ("difference-by-pooling", {"difference-by-pooling": {"names": ["pooling", "normalisation"]}}, "supported"),
        ("selected-on-validation", {"selected-on-validation": {"chosen_by": "validation accuracy"}}, "supported"),
        ("selected-on-validation", {"published-accuracies": {"validation": [0.9, 0.2, 0.1]}}, "refuted"),
        ("kernels-cheaper", {"kernels-cheaper": {"small": 26}}, "refuted"),
        ("kernels-cheaper", {"kernels-cheaper": {"large": 48}}, "refuted"),
    ],
)
def test_another_transcription_gives_another_verdict(
    claim_id: str, published: Mapping[str, Any], expected: str, shop: Shop
) -> None:
    assert kind(claim_id, *shop.counts, published=published) == expected


def test_chosen_by_validation_but_not_the_best_by_it_is_no_choice_by_validation(shop: Shop) -> None:
    published = {
        "selected-on-validation": {"chosen_by": "validation accuracy"},
        "published-accuracies": {"validation": [0.9, 0.2, 0.1]},
    }
    found = verdict("selected-on-validation", *shop.counts, published=published)
    assert str(found.kind) == "refuted"
    assert "picked 0.1" in found.sentence


# ---- trainings ----

VARIANTS: dict[str, dict[str, Any]] = {
    "high": {"learning_rate": 0.1},
    "plain": {},
    "low": {"learning_rate": 1e-3},
    "pooled": {"normalised": True, "pooled": True},
    "scrambled": {"pixel_order": "scrambled"},
    "strides": {"downsample": "stride"},
    "small": {"convolutions": 3},
    "large": {"kernel": 7},
    "small, normalised": {"convolutions": 3, "normalised": True},
    "large, normalised": {"kernel": 7, "normalised": True},
}
ITEMS = 200
"""Test pictures: enough for the bootstrap over them to tell 10 points from nothing."""


def trained(
    shop: Shop, folder: Path, variant: str, accuracy: float, *changes: Alteration, seeds: int = 3, data: str = "intel"
) -> list[Run]:
    """Networks with about this test accuracy, a little other for each seed; half as many moves as errors tell."""
    runs = []
    for seed in range(seeds):
        wrong = np.zeros(ITEMS, dtype=np.uint8)
        wrong[: round((1 - accuracy) * ITEMS) + seed] = 1
        share = 1 - float(wrong.mean())
        config = {"normalised": False, "pooled": False, "learning_rate": 0.01, **VARIANTS[variant], "seed": seed}
        base = [
            metrics(test__accuracy=share, validation__accuracy=share, train__loss=1.5 - share, learned__accuracy=0.95),
            array("test/wrong", wrong),
            array("shift/changed/trained", np.tile(wrong, (4, 1))),
            metrics(parameters={"pooled": 100.0}.get(variant, 700.0)),
        ]
        runs.append(altered(shop.training, folder / variant / str(seed), *base, *changes, dataset=data, **config))
    return runs


def measured(shop: Shop, folder: Path, data: str = "intel", seeds: int = 3, **accuracies: float) -> list[Run]:
    """All variants; those that are not named have an accuracy of their own."""
    usual = dict(zip(VARIANTS, (0.5, 0.7, 0.5, 0.85, 0.5, 0.7, 0.8, 0.6, 0.8, 0.6), strict=True))
    values = usual | {name.replace("__", ", "): value for name, value in accuracies.items()}
    return [run for name, value in values.items() for run in trained(shop, folder, name, value, seeds=seeds, data=data)]


TURNED: list[tuple[str, str, dict[str, float], str]] = [
    ("middle-rate-best", "intel", {}, "supported"),
    ("middle-rate-best", "intel", {"high": 0.9}, "refuted"),
    ("middle-rate-best", "intel", {"low": 0.9}, "refuted"),
    ("middle-rate-best", "intel", {"low": 0.7}, "inconclusive"),
    ("middle-rate-best-on-cifar", "cifar10-jpeg", {}, "supported"),
    ("middle-rate-best-on-cifar", "cifar10-jpeg", {"high": 0.9}, "refuted"),
    ("middle-rate-best-on-cifar", "cifar10-jpeg", {"high": 0.7}, "inconclusive"),
    ("pooled-better", "intel", {}, "supported"),
    ("pooled-better", "intel", {"pooled": 0.5}, "refuted"),
    ("pooled-better", "intel", {"pooled": 0.7}, "inconclusive"),
    ("pooled-better-on-cifar", "cifar10-jpeg", {}, "supported"),
    ("pooled-better-on-cifar", "cifar10-jpeg", {"pooled": 0.5}, "refuted"),
    ("pooled-better-on-cifar", "cifar10-jpeg", {"pooled": 0.7}, "inconclusive"),
    ("published-accuracies", "intel", {"high": 0.58, "plain": 0.69, "low": 0.58, "pooled": 0.75}, "supported"),
    ("published-accuracies", "intel", {}, "refuted"),
    ("scrambling-explains-published", "intel", {"scrambled": 0.69}, "supported"),
    ("scrambling-explains-published", "intel", {"scrambled": 0.5}, "refuted"),
    ("scrambling-costs-accuracy-on-cifar", "cifar10-jpeg", {}, "supported"),
    ("scrambling-costs-accuracy-on-cifar", "cifar10-jpeg", {"scrambled": 0.9}, "refuted"),
    ("scrambling-costs-accuracy-on-cifar", "cifar10-jpeg", {"scrambled": 0.7}, "inconclusive"),
    ("kernels-ease-optimisation", "digits", {}, "supported"),
    ("kernels-ease-optimisation", "digits", {"small": 0.3}, "refuted"),
    ("kernels-ease-optimisation", "digits", {"small": 0.6}, "inconclusive"),
    ("kernels-ease-optimisation-normalised", "digits", {}, "supported"),
    ("kernels-ease-optimisation-normalised", "digits", {"small__normalised": 0.3}, "refuted"),
    ("kernels-ease-optimisation-normalised", "digits", {"small__normalised": 0.6}, "inconclusive"),
    ("kernels-overfit-less", "digits", {}, "supported"),
    ("kernels-overfit-less", "digits", {"small__normalised": 0.3}, "refuted"),
    ("kernels-overfit-less", "digits", {"small__normalised": 0.6}, "inconclusive"),
    ("kernels-overfit-less", "digits", {"large__normalised": 0.1}, "inconclusive"),
    ("pooling-steadies", "digits", {"strides": 0.5}, "supported"),
    ("pooling-steadies", "digits", {"strides": 0.9}, "refuted"),
    ("pooling-steadies", "digits", {"strides": 0.7}, "inconclusive"),
    ("pooling-steadies", "digits", {"strides": 0.12}, "inconclusive"),
]


@pytest.mark.parametrize(("claim_id", "data", "accuracies", "expected"), TURNED, ids=str)
def test_what_is_measured_decides(
    claim_id: str, data: str, accuracies: dict[str, float], expected: str, shop: Shop, tmp_path: Path
) -> None:
    found = verdict(claim_id, *measured(shop, tmp_path, data, **accuracies))
    assert str(found.kind) == expected, found.sentence
    assert (found.witness is not None) == (expected == "refuted")


def test_every_measured_claim_is_turned() -> None:
    assert {claim_id for claim_id, *_ in TURNED} == set(MEASURED)
    for claim_id in MEASURED:
        assert {"supported", "refuted"} <= {expected for c, _, _, expected in TURNED if c == claim_id}


@pytest.mark.parametrize("claim_id", MEASURED)
def test_fewer_than_three_seeds_decide_nothing_and_say_so(claim_id: str, shop: Shop, tmp_path: Path) -> None:
    data = next(d for c, d, *_ in TURNED if c == claim_id)
    usual = {"high": 0.58, "plain": 0.69, "low": 0.58, "pooled": 0.75, "scrambled": 0.69}
    found = verdict(claim_id, *measured(shop, tmp_path, data, 2, **usual))
    assert str(found.kind) == "inconclusive"
    assert "seed" in found.sentence


def test_another_published_rate_turns_the_verdict(shop: Shop, tmp_path: Path) -> None:
    runs = measured(shop, tmp_path)
    assert kind("middle-rate-best", *runs, published={"middle-rate-best": {"best": 0.1}}) == "refuted"


def test_other_published_accuracies_turn_the_verdict(shop: Shop, tmp_path: Path) -> None:
    runs = measured(shop, tmp_path)
    ours = {"published-accuracies": {"test": [0.5, 0.69, 0.5]}, "published-accuracy-pooled": {"test": 0.85}}
    assert kind("published-accuracies", *runs, published=ours) == "supported"
    assert kind("scrambling-explains-published", *runs, published={"published-accuracies": {"test": [0, 0.5, 0]}}) == (
        "supported"
    )


def test_a_network_that_learned_nothing_tells_nothing(shop: Shop, tmp_path: Path) -> None:
    found = verdict("pooling-steadies", *measured(shop, tmp_path, "digits", strides=0.1))
    assert "where chance is 10.0%" in found.sentence


# ---- what is not there, and other data ----


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_without_its_runs_it_is_not_run(claim_id: str, shop: Shop) -> None:
    assert kind(claim_id) == "not-run"
    if claim_id in MEASURED:
        assert kind(claim_id, *shop.counts) == "not-run"
    elif claim_id != "selected-on-validation":  # which needs nothing but the transcription
        assert kind(claim_id, shop.training) == "not-run"


@pytest.mark.parametrize("claim_id", [c for c in MEASURED if CLAIMS[c].about != ("any",)])
def test_other_data_cannot_decide_it(claim_id: str, shop: Shop, tmp_path: Path) -> None:
    foreign = "cifar10-jpeg" if CLAIMS[claim_id].about == ("intel",) else "intel"
    found = verdict(claim_id, *trained(shop, tmp_path, "plain", 0.7, data=foreign))
    assert str(found.kind) == "inconclusive"
    assert foreign in found.sentence


def test_until_all_three_rates_are_there_nothing_is_compared(shop: Shop, tmp_path: Path) -> None:
    runs = [run for name in ("plain", "pooled") for run in trained(shop, tmp_path, name, 0.7, data="cifar10-jpeg")]
    found = verdict("pooled-better-on-cifar", *runs)
    assert str(found.kind) == "not-run"
    assert "at 1 learning rates, not at three" in found.sentence


# ---- presets ----


def test_presets_hold_what_is_compared_the_first_seed_first() -> None:
    for preset, seeds in ((smoke, 1), (quick, 3), (full, 3), (intel, 3)):
        configs = preset()
        assert [c.seed for c in configs] == [seed for seed in range(seeds) for _ in VARIANTS]
        assert len(set(configs)) == len(configs)
    sheet = [c for c in intel() if c.convolutions == 1 and c.kernel == 3]
    assert {(c.train, c.validation, c.test, c.size, c.batch, c.epochs) for c in sheet} == {
        (12_630, 1_404, 3_000, 48, 8, 40)
    }
    assert {c.classes for c in full()} == {STAND_IN}
    assert {c.epochs for c in full()} == {10}


def test_the_stand_in_s_runs_decide_about_the_stand_in_alone(shop: Shop, tmp_path: Path) -> None:
    """As the archive gathers it: a verdict on the course's photographs stays open, one on CIFAR-10 does not."""
    fields = [{k: v for k, v in vars(c).items() if k != "classes"} | {"classes": list(c.classes)} for c in full()]
    base = [metrics(test__accuracy=0.5), array("test/wrong", np.arange(ITEMS) % 2)]
    runs = [altered(shop.training, tmp_path / str(n), *base, dataset="cifar10-jpeg", **f) for n, f in enumerate(fields)]
    for run in runs:
        run.info["reached"] = 10  # type: ignore[index]
    archive = Archive(STUDY, tuple(runs))
    found = {
        c: decide(CLAIMS[c], archive.evidence(CLAIMS[c].about)) for c in ("pooled-better", "pooled-better-on-cifar")
    }
    assert {c: str(v.kind) for c, v in found.items()} == dict.fromkeys(found, "inconclusive")
    assert "speaks about intel" in found["pooled-better"].sentence
    assert "3 seeds" in found["pooled-better-on-cifar"].sentence
