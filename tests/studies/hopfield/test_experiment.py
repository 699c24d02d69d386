from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from workings.core.errors import UserError
from workings.core.runs import RunStore
from workings.core.study import Trial
from workings.execute.local import carry_out
from workings.studies.hopfield.experiment import half_way, validate
from workings.studies.hopfield.pictures import blend, keys, noisy, visible
from workings.studies.hopfield.study import STUDY, Config, Mask

RANDOM = Config(task="capacity")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (Config(beta=0.0), "beta is 0.0: give a number from 1e-06"),
        (Config(beta=float("nan")), "beta is nan"),
        (Config(beta=float("inf")), "beta is inf"),
        (Config(patterns=0), "patterns is 0"),
        (Config(patterns=2_000), "patterns is 2,000, but digits has 1,500"),
        (Config(queries=0), "queries is 0"),
        (Config(noise=-1.0), "noise is -1.0"),
        (Config(steps=0), "steps is 0"),
        (Config(seed=-1), "seed is -1"),
        (Config(dim=3), "dim means nothing to --task recall"),
        (Config(correlation=0.5), "correlation means nothing to --task recall"),
        (Config(data="digts"), "did you mean 'digits'"),
        (replace(RANDOM, mask="top"), "mask means nothing to --task capacity"),
        (replace(RANDOM, data="fashion-mnist"), "data means nothing to --task capacity"),
        (replace(RANDOM, correlation=1.0), "correlation is 1.0"),
        (replace(RANDOM, dim=0), "dim is 0"),
        (replace(RANDOM, dim=10_000, patterns=100_000), "too many to hold"),
        (Config(task="theory", beta=2.0), "beta means nothing to --task theory"),
    ],
)
def test_bad_input_is_explained_before_anything_is_written(config: Config, words: str) -> None:
    with pytest.raises(UserError, match=words):
        validate(config)


@pytest.mark.parametrize(("config", "seen"), [(Config(), ["digits"]), (RANDOM, []), (Config(task="theory"), [])])
def test_only_pictures_are_data(config: Config, seen: list[str]) -> None:
    assert [dataset.id for dataset in Trial.of(STUDY, config).datasets.values()] == seen


def test_a_person_reads_how_many_came_back(store: RunStore) -> None:
    (outcome,) = carry_out(STUDY, [Config(patterns=30, queries=10)], store)
    result = outcome.run.table("result")
    assert "of 10 queries, among 30 stored pictures" in result["came back"]
    assert outcome.run.metric("came_back") >= 0.8
    assert outcome.run.metric("error/after") < outcome.run.metric("error/before")
    assert (np.diff(outcome.run.array("energy"), axis=0) <= 1e-4).all()  # float32
    folder = store.folder(STUDY.id, outcome.run.id)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 200_000


def test_one_pattern_and_one_query_suffice(store: RunStore) -> None:
    one = {"patterns": 1, "queries": 1}
    outcomes = carry_out(STUDY, [Config(**one), Config(task="capacity", dim=1, **one)], store)
    assert outcomes[0].run.metric("came_back") == 1
    assert outcomes[1].run.array("rate").tolist() == [1]


@pytest.mark.parametrize(
    ("sizes", "rates", "expected"),
    [([1, 2, 4], [1.0, 1.0, 0.0], 8**0.5), ([1, 2], [1.0, 0.9], None), ([1, 4], [0.2, 0.1], 1.0)],
)
def test_half_way_is_read_off_a_logarithmic_axis(sizes: list[int], rates: list[float], expected: float | None) -> None:
    assert half_way(sizes, rates) == (expected and pytest.approx(expected))


@pytest.mark.parametrize(
    ("mask", "hidden"),
    [("none", []), ("left", [0, 3]), ("right", [2, 5]), ("top", [0, 1, 2]), ("bottom", [3, 4, 5])],
)
def test_a_half_is_hidden(mask: Mask, hidden: list[int]) -> None:
    assert np.flatnonzero(~visible(mask, 2, 3)).tolist() == hidden


def test_a_pattern_has_mean_zero_and_variance_one_over_what_is_seen() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
    seen = visible("left", 4, 6)
    patterns = keys(pixels, seen).numpy()
    assert (patterns[:, ~seen.reshape(-1)] == 0).all()
    known = patterns[:, seen.reshape(-1)]
    np.testing.assert_allclose(known.mean(1), 0, atol=1e-6)
    np.testing.assert_allclose(known.std(1), 1, rtol=1e-5)
    grey = np.full((1, 2, 2), 7, dtype=np.uint8)
    assert keys(grey).tolist() == [[0, 0, 0, 0]]


def test_brightness_and_contrast_make_no_other_pattern() -> None:
    pixels = np.arange(0, 120, 5, dtype=np.uint8).reshape(1, 4, 6)
    np.testing.assert_allclose(keys(pixels), keys(2 * pixels + 10), atol=1e-6)


def test_blends_and_noise_are_pictures() -> None:
    pixels = np.array([[[0, 100]], [[200, 50]]], dtype=np.uint8)
    assert blend(torch.tensor([[0.5, 0.5], [1.0, 0.0]]), pixels).tolist() == [[[100, 75]], [[0, 100]]]
    draws = np.array([[[1.0, -9.0]], [[0.0, 0.0]]], dtype=np.float32)
    assert noisy(pixels, 1.0, draws).tolist() == [[[50, 0]], [[200, 50]]]
    assert noisy(pixels, 0.0, draws).tolist() == pixels.tolist()


def test_the_chosen_pictures_depend_on_the_seed(store: RunStore, tmp_path: Path) -> None:
    small = Config(patterns=20, queries=5)
    runs = [o.run for o in carry_out(STUDY, [small, replace(small, seed=1)], store)]
    assert (runs[0].array("sheet/original") != runs[1].array("sheet/original")).any()
