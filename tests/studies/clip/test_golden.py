"""A rerun gives the numbers that recorded evidence was made with, or the study's version has been raised."""

import json
from dataclasses import replace

import pytest

from studies.clip.golden import EXACT, FILE, LOSSES, measure
from workings.core.runs import RunStore
from workings.studies.clip.study import STUDY, smoke

TOLERANCE = 1e-4
"""Relative. Four steps in float32 on another processor drift by about 1e-6; a changed recipe moves it by 1e-3."""
GOLDEN = json.loads(FILE.read_text(encoding="utf-8"))


def agree(measured: dict[str, float], golden: dict[str, float]) -> bool:
    return all(measured[name] == golden[name] for name in EXACT) and all(
        measured[name] == pytest.approx(golden[name], rel=TOLERANCE) for name in LOSSES
    )


def test_the_golden_numbers_are_of_this_version() -> None:
    assert GOLDEN["version"] == STUDY.version, "run `PYTHONPATH=tests python tests/studies/clip/golden.py`"


def test_a_rerun_gives_the_golden_numbers_and_a_small_change_of_the_recipe_does_not(store: RunStore) -> None:
    measured = measure(smoke(), store)
    assert all(map(agree, measured, GOLDEN["metrics"])), (
        f"a rerun gives other numbers ({measured}, not {GOLDEN['metrics']}): raise STUDY.version, since recorded "
        "evidence is stale now, and run `PYTHONPATH=tests python tests/studies/clip/golden.py`"
    )
    changed = measure([replace(config, head_rate=1.05 * config.head_rate) for config in smoke()[:2]], store)
    assert not any(map(agree, changed, GOLDEN["metrics"]))
