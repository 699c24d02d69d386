"""Every claim turns: altered evidence, or an altered transcription, gives the other verdict."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studies.dcgan.shop import Alteration, Shop, altered, array, metrics, table
from workings.core.claim import Verdict, decide
from workings.core.evidence import Archive, Evidence, Run
from workings.studies.dcgan.study import STUDY, Config

CLAIMS = {claim.id: claim for claim in STUDY.claims}
EXACT = ["parameters", "parameters-with-norm", "shapes"]


def verdict(claim_id: str, *runs: Run, published: Mapping[str, Any] | None = None) -> Verdict:
    """On these runs; `published` replaces figures of the claim's own entry."""
    figures = dict(STUDY.published)
    if published:
        figures[claim_id] = {**figures[claim_id], **published}
    return decide(CLAIMS[claim_id], Evidence(STUDY.id, runs, figures))


def kind(claim_id: str, *runs: Run, published: Mapping[str, Any] | None = None) -> str:
    return str(verdict(claim_id, *runs, published=published).kind)


# ---- what is counted ----


@pytest.mark.parametrize("claim_id", EXACT)
def test_the_built_networks_support_what_is_counted(claim_id: str, shop: Shop) -> None:
    assert kind(claim_id, *shop.counts) == "supported"


@pytest.mark.parametrize(
    ("claim_id", "change"),
    [
        ("parameters", metrics(parameters__generator=2_280_385)),
        ("parameters", metrics(parameters__discriminator=1)),
        ("parameters-with-norm", metrics(parameters__generator=1)),
        ("shapes", table("shapes", lambda rows: rows[0].update(gives=[64, 13, 13]))),
        ("shapes", table("shapes", lambda rows: rows[:-1])),
    ],
)
def test_other_counts_refute_it_with_a_witness(claim_id: str, change: Alteration, shop: Shop, tmp_path: Path) -> None:
    runs = [altered(run, tmp_path / run.id, change) for run in shop.counts]
    found = verdict(claim_id, *runs)
    assert str(found.kind) == "refuted"
    assert found.witness


@pytest.mark.parametrize(
    ("claim_id", "published"),
    [
        ("parameters", {"discriminator": 1}),
        ("parameters", {"generator": 1}),
        ("parameters-with-norm", {"generator": 2_280_384}),
        ("shapes", {"discriminator": [[64, 14, 14], [128, 7, 7], [2]]}),
        ("shapes", {"generator": [[1, 28, 28]]}),
    ],
)
def test_another_transcription_refutes_it(claim_id: str, published: Mapping[str, Any], shop: Shop) -> None:
    assert kind(claim_id, *shop.counts, published=published) == "refuted"


# ---- two trainings ----


def test_two_real_trainings_from_one_seed_end_alike(shop: Shop) -> None:
    assert kind("reproducible", shop.twice) == "supported"


@pytest.mark.parametrize("what", ["weights", "pictures"])
def test_other_bytes_the_second_time_refute_it(what: str, shop: Shop, tmp_path: Path) -> None:
    run = altered(shop.twice, tmp_path / "a", table("twice", lambda rows: rows[1].update({what: "0" * 16})))
    found = verdict("reproducible", run)
    assert str(found.kind) == "refuted"
    assert found.witness is not None
    assert "0" * 16 in found.witness.values()


def test_where_another_seed_gives_the_same_bytes_nothing_is_shown(shop: Shop, tmp_path: Path) -> None:
    run = altered(shop.twice, tmp_path / "a", table("twice", lambda rows: [rows[0], rows[1], rows[0]]))
    assert kind("reproducible", run) == "inconclusive"


# ---- trainings ----

FALLING, RISING = {1: 90.0, 10: 60.0, 30: 50.0, 50: 40.0}, {1: 90.0, 10: 40.0, 30: 50.0, 50: 60.0}


def trained(
    shop: Shop,
    folder: Path,
    frechet: Mapping[int, float],
    *changes: Alteration,
    seeds: int = 3,
    dataset: str = "fashion-mnist",
) -> list[Run]:
    """Trainings that say these Fréchet distances, each seed a little more than the one before."""
    runs = []
    for seed in range(seeds):
        last = max(frechet)
        series = metrics(
            frechet={epoch: value + seed for epoch, value in frechet.items()},
            precision=dict.fromkeys(frechet, 0.5),
            recall=dict.fromkeys(frechet, 0.5),
            near={last: 0.04},
            real__near=0.05,
            real__frechet=1.0,
            measured__pictures=5000,
            compared__pictures=2000,
        )
        shares = [array(f"share/{last:03d}", [0.1] * 10), array("share/real", [0.1] * 10)]
        run = altered(shop.training, folder / str(seed), series, *shares, *changes, seed=seed)
        info = {**run.info, "datasets": {"pictures": {"id": dataset, "title": dataset, "content": "0"}}}
        runs.append(replace(run, info=info))
    return runs


@pytest.mark.parametrize(
    ("frechet", "expected"),
    [
        (FALLING, "supported"),
        (RISING, "refuted"),
        (dict.fromkeys(FALLING, 50.0), "inconclusive"),
        ({1: 90.0, 10: 60.0, 30: 20.0}, "inconclusive"),
        ({1: 90.0, 10: 60.0}, "inconclusive"),
        ({1: 90.0}, "inconclusive"),
    ],
    ids=["falls", "rises", "stays", "at 30", "at 10", "at 1"],
)
def test_the_change_in_distance_decides_improvement(
    frechet: dict[int, float], expected: str, shop: Shop, tmp_path: Path
) -> None:
    found = verdict("improves-with-training", *trained(shop, tmp_path, frechet))
    assert str(found.kind) == expected
    if expected == "refuted":
        assert found.witness is not None
        assert found.witness["after"] == [60, 61, 62]


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_decide_nothing_and_say_so(seeds: int, shop: Shop, tmp_path: Path) -> None:
    found = verdict("improves-with-training", *trained(shop, tmp_path, FALLING, seeds=seeds))
    assert str(found.kind) == "inconclusive"
    assert f"{seeds} seed" in found.sentence


def test_before_the_last_stage_it_says_how_far_it_has_come(shop: Shop, tmp_path: Path) -> None:
    found = verdict("improves-with-training", *trained(shop, tmp_path, {1: 90.0, 10: 60.0, 30: 20.0}, seeds=1))
    assert "20.0 at epoch 30" in found.sentence
    assert "no run has gone to epoch 50" in found.sentence


def test_seeds_that_disagree_leave_improvement_open(shop: Shop, tmp_path: Path) -> None:
    runs = trained(shop, tmp_path / "a", FALLING)[:2] + trained(shop, tmp_path / "b", RISING)[2:]
    assert kind("improves-with-training", *runs) == "inconclusive"


def test_other_stages_in_the_transcription_change_the_verdict(shop: Shop, tmp_path: Path) -> None:
    runs = trained(shop, tmp_path, {1: 90.0, 10: 60.0, 30: 70.0, 50: 40.0})
    assert kind("improves-with-training", *runs) == "supported"
    assert kind("improves-with-training", *runs, published={"epochs": [10, 30]}) == "refuted"


@pytest.mark.parametrize(("frechet", "expected"), [(FALLING, "supported"), ({1: 40.0, 20: 90.0}, "refuted")])
def test_on_digits_the_first_and_the_last_measured_epoch_are_compared(
    frechet: dict[int, float], expected: str, shop: Shop, tmp_path: Path
) -> None:
    runs = trained(shop, tmp_path, frechet, dataset="digits")
    assert kind("improves-on-digits", *runs) == expected
    assert kind("improves-on-digits", *runs[:2]) == "inconclusive"


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, "supported"), (0.08, "supported"), (0.1, "inconclusive"), (0.5, "refuted")]
)
def test_pictures_that_are_too_near_too_often_are_copies(
    share: float, expected: str, shop: Shop, tmp_path: Path
) -> None:
    assert kind("does-not-copy", *trained(shop, tmp_path, FALLING, metrics(near={50: share}))) == expected


def test_one_seed_that_copies_is_enough(shop: Shop, tmp_path: Path) -> None:
    honest = trained(shop, tmp_path / "a", FALLING)
    copier = trained(shop, tmp_path / "b", FALLING, metrics(near={50: 0.4}), seeds=2)[1:]
    found = verdict("does-not-copy", *honest, *copier)
    assert str(found.kind) == "refuted"
    assert found.witness is not None
    assert found.witness["seed"] == 1


@pytest.mark.parametrize(
    ("rarest", "expected"), [(0.1, "supported"), (0.02, "inconclusive"), (0.01, "refuted"), (0.0, "refuted")]
)
def test_a_class_that_is_hardly_drawn_refutes_coverage(
    rarest: float, expected: str, shop: Shop, tmp_path: Path
) -> None:
    shares = array("share/050", [rarest] + [(1 - rarest) / 9] * 9)
    found = verdict("covers-all-classes", *trained(shop, tmp_path, FALLING, shares))
    assert str(found.kind) == expected
    if expected == "refuted":
        assert found.witness is not None
        assert found.witness["class"] == "0"


def test_a_class_that_no_real_picture_has_need_not_be_drawn(shop: Shop, tmp_path: Path) -> None:
    shares = [array("share/050", [0.0] + [1 / 9] * 9), array("share/real", [0.0] + [1 / 9] * 9)]
    assert kind("covers-all-classes", *trained(shop, tmp_path, FALLING, *shares)) == "supported"


@pytest.mark.parametrize("claim_id", ["does-not-copy", "covers-all-classes"])
def test_before_the_first_stage_it_is_too_early_to_tell(claim_id: str, shop: Shop, tmp_path: Path) -> None:
    runs = trained(shop, tmp_path, {1: 90.0, 5: 80.0})
    assert kind(claim_id, *runs) == "inconclusive"
    assert kind(claim_id, shop.training) == "inconclusive", "two epochs of the real run are too few"
    assert kind(claim_id, *trained(shop, tmp_path / "on", {1: 90.0, 10: 80.0})) == "supported"


# ---- what is not there, and other data ----


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_without_its_runs_it_is_not_run(claim_id: str, shop: Shop) -> None:
    measured = [*shop.counts] if claim_id not in EXACT else [shop.twice]
    assert kind(claim_id, *measured) == "not-run"
    assert kind(claim_id) == "not-run"


@pytest.mark.parametrize(
    ("claim_id", "dataset"), [("improves-with-training", "digits"), ("improves-on-digits", "fashion-mnist")]
)
def test_other_data_cannot_decide_it(claim_id: str, dataset: str, shop: Shop, tmp_path: Path) -> None:
    found = verdict(claim_id, *trained(shop, tmp_path, FALLING, dataset=dataset))
    assert str(found.kind) == "inconclusive"
    assert dataset in found.sentence


def test_a_shorter_run_of_the_recipe_counts_until_a_longer_one_takes_its_place(shop: Shop, tmp_path: Path) -> None:
    """`full` lists the stages; the archive finds the longest run of a trial, once."""

    def finished(reached: int) -> Run:
        run = altered(shop.training, tmp_path / str(reached), **vars(Config(epochs=50)))
        datasets = {"pictures": {"id": "fashion-mnist", "title": "", "content": "0"}}
        return replace(run, info={**run.info, "datasets": datasets, "reached": reached})

    runs = {reached: finished(reached) for reached in (9, 10, 30, 50)}
    for made, expected in (([9], []), ([10], [10]), ([10, 30], [30]), ([10, 50], [50])):
        archive = Archive(STUDY, tuple(runs[reached] for reached in made))
        found = archive.evidence(CLAIMS["improves-with-training"].about)
        assert [run.reached for run in found.runs] == expected
