"""Two processes that share every batch train the network that one trains."""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from studies.alexnet.shop import TINY
from train import crew
from workings.core.runs import Recorder
from workings.studies.alexnet.learner import AlexNetLearner
from workings.studies.alexnet.pictures import prepare_pictures
from workings.train.loop import fit
from workings.train.team import team

TOLERANCE = 1e-4
"""Largest difference of a weight after ten updates by 1e-3: sums are taken in another order, and Adam magnifies what
rounding does to gradients near 0."""


def work(folder: Path) -> None:
    """What each process does; dropout, which each draws for itself, is off, and all that changes pictures is on."""
    config = replace(TINY, dropout=0.0, flip=True, epochs=2)
    learner = AlexNetLearner(config, prepare_pictures(config), torch.device("cpu"))
    place = folder if team().leads else folder / "other"
    fit(learner, Recorder(place), title="test", epochs=2, seed=0, minimise="validation/loss")


def test_two_processes_reach_the_weights_of_one(tmp_path: Path) -> None:
    work(tmp_path / "one")
    assert crew.codes(crew.start(work, tmp_path / "two")) == [0, 0]
    one, two = (load_file(tmp_path / name / "checkpoints" / "last.safetensors") for name in ("one", "two"))
    assert max(float((one[key] - two[key]).abs().max()) for key in one) < TOLERANCE
