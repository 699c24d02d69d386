"""Runs that no training made: what a claim would read, with error rates of one's choosing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from workings.core.runs import RunStore
from workings.core.study import Dataset, Trial
from workings.studies.spelling.study import STUDY, Config, full, instant, quick, strong

WORDS, LENGTH = 400, 8
"""Test words, and how long each right answer is."""
COURSE = Dataset("ist-p2g", "the course's words", "0" * 16)
CMU = Dataset("cmudict", "the CMU dictionary", "1" * 16)

PLAIN = {"greedy": 0.80, "nucleus": 0.85, "beam": 0.75}
ATTENDING = {"greedy": 0.60, "nucleus": 0.70, "beam": 0.50}
STRONG = {"greedy": 0.55, "nucleus": 0.65, "beam": 0.45}
"""Share of wrong words by decoding. A wrong word has two wrong letters of eight, so CER is a quarter of it."""

Wrong = Mapping[str, float]


def distances(wrong: float, seed: int, samples: int, alike: bool = False) -> np.ndarray[Any, Any]:
    """Edit distances ``[samples, words]`` where that share of words is wrong, drawn by seed; `alike` repeats one."""
    draws = np.random.default_rng([seed, round(1000 * wrong)]).random((1 if alike else samples, WORDS))
    return np.repeat(2 * (draws < wrong), samples if alike else 1, axis=0).astype(np.int32)


def make_trained(
    store: RunStore, config: Config, wrong: Wrong, metrics: Mapping[str, float], dataset: Dataset, alike: bool
) -> None:
    """One finished training; a value for ``validation/cer`` is that of its best epoch, which is not the last."""
    trial = Trial(STUDY, config, {"lexicon": dataset})
    with store.write(trial, {}, target=config.epochs) as recorder:
        for method, share in wrong.items():
            found = distances(share, config.seed, 3 if method == "nucleus" else 1, alike)
            recorder.array(f"test/{method}/distances", found)
            recorder.metric(f"test/{method}/cer", found[0].sum() / (WORDS * LENGTH), config.epochs)
            recorder.metric(f"test/{method}/wer", (found[0] > 0).mean(), config.epochs)
        recorder.metric("test/nucleus/wer@3", 0.5, config.epochs)
        best = metrics.get("validation/cer", 0.2)
        for epoch, above in enumerate((0.3, 0.0, 0.1), start=1):
            recorder.metric("validation/cer", best + above, epoch)
        recorder.array("test/lengths", np.full(WORDS, LENGTH, dtype=np.int32))
        for name, value in metrics.items():
            if name != "validation/cer":
                recorder.metric(name, value, config.epochs)


def make_runs(
    store: RunStore,
    *,
    plain: Wrong = PLAIN,
    attending: Wrong = ATTENDING,
    strong_wrong: Wrong = STRONG,
    metrics: Mapping[str, Sequence[float] | float] | None = None,
    seeds: int = 3,
    dataset: Dataset = COURSE,
    alike: bool = False,
) -> RunStore:
    """The runs of `full` (on another dataset `quick`) of the first seeds. A metric is a value, or one for each seed."""
    configs = [*full()] if dataset.id == "ist-p2g" else [*quick()]
    for config in configs:
        if config.seed >= seeds:
            continue
        wrong = strong_wrong if config.layers == 2 else attending if config.attention else plain
        mine = {k: v if isinstance(v, int | float) else v[config.seed] for k, v in (metrics or {}).items()}
        make_trained(store, config, wrong, mine, dataset, alike)
    return store


def make_counts(store: RunStore, plain: int = 257_117, attending: int = 322_909) -> RunStore:
    """The counts of parameters."""
    for config, count in zip(instant(), (plain, attending), strict=True):
        with store.write(Trial(STUDY, config), {}, target=config.epochs) as recorder:
            recorder.metric("parameters", count)
    return store


def make_other_trainings(store: RunStore) -> RunStore:
    """Trainings that no recipe claim may take for the recipe's: the other direction, and the stronger model."""
    others = [Config(direction="pronounce"), Config(direction="pronounce", attention=True), *strong()]
    for config in [*others, *(replace(c, hidden=64) for c in others[:2])]:
        make_trained(store, config, PLAIN, {}, COURSE, alike=False)
    return store
