"""Train the network and look at what it has learnt, try its learning rates, or count it.

Recorded of a training: ``parameters``, ``pictures/train``; per epoch ``train/loss``, ``train/accuracy``,
``validation/loss``, ``validation/accuracy`` and ``seconds`` (of the epoch's steps); and, with the weights of the best
validation loss, what `examination` finds on the test pictures. The table ``card`` has what a model directory needs.
Of a range test: ``range/top``, ``/base`` and ``/suggestion``, and the arrays ``range/rates``, ``/losses`` and
``/smoothed``. Of a count: ``parameters``, and the table ``layers``.
"""

import numpy as np
import torch

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.studies.alexnet.examination import examine
from workings.studies.alexnet.learner import AlexNetLearner
from workings.studies.alexnet.model import SHRINK, Shape, layers
from workings.studies.alexnet.pictures import load, prepare_pictures
from workings.studies.alexnet.study import Config
from workings.train.checkpoint import parameters
from workings.train.loop import fit
from workings.train.range_test import range_test
from workings.train.runtime import prepare

LIMITS = {
    "limit": (1, 10_000_000),
    "size": (SHRINK, 256),
    "width": (1, 256),
    "pad": (0, 64),
    "batch": (1, 16_384),
    "epochs": (1, 10_000),
    "learning_rate": (1e-9, 10.0),
    "weight_decay": (0.0, 10.0),
    "smoothing": (0.0, 0.99),
    "dropout": (0.0, 0.99),
    "degrees": (0.0, 180.0),
    "seed": (0, 2**62),
}
"""Smallest and largest of each setting. Above them a training would take for ever, or all memory."""
RANGE_STEPS = 100
"""Six powers of ten in so many steps: a factor of 1.15 from one to the next."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be trained."""
    check_fields(config)
    if config.task != "count":
        load(config)


def check_fields(config: Config) -> None:
    """The part of it that needs no pictures."""
    for name, (least, most) in LIMITS.items():
        value = getattr(config, name)
        if not least <= value <= most:
            raise UserError(f"{name} is {value:,}: it lies between {least:,} and {most:,}")
    if config.size % SHRINK:
        raise UserError(f"size is {config.size}: it must be a multiple of {SHRINK}, since four layers halve it")
    if config.cycle is not None and not 1 <= config.cycle <= LIMITS["epochs"][1]:
        raise UserError(f"cycle is {config.cycle}: it is counted in epochs, from 1; leave it out for a constant rate")
    if config.pad >= config.size:
        raise UserError(f"pad is {config.pad}: below the size, {config.size}, or a crop could miss the picture")


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    if config.task == "count":
        _count(config, recorder)
        return
    device = prepare(recorder.session)
    learner = AlexNetLearner(config, prepare_pictures(config), device)
    if config.task == "range":
        _range(config, recorder, learner)
    else:
        _train(config, recorder, learner)


def _train(config: Config, recorder: Recorder, learner: AlexNetLearner) -> None:
    data = learner.data
    recorder.metric("parameters", parameters(learner.network))
    recorder.metric("pictures/train", len(data.train_labels))
    card = {"classes": data.classes, "channels": learner.train.channels, "mean": data.mean, "std": data.std}
    recorder.table("card", card)
    title = f"alexnet on {config.data}, seed {config.seed}"
    minimise = "validation/loss"
    fit(learner, recorder, title=title, epochs=config.epochs, seed=config.seed, minimise=minimise)
    examine(learner, recorder)


def _range(config: Config, recorder: Recorder, learner: AlexNetLearner) -> None:
    found = range_test(learner, steps=RANGE_STEPS, seed=config.seed)
    if found.top is None or found.base is None or found.suggestion is None:
        raise UserError("the loss never fell in the range test: look at the pictures and their labels")
    for name in ("top", "base", "suggestion"):
        recorder.metric(f"range/{name}", getattr(found, name))
    for name in ("rates", "losses", "smoothed"):
        recorder.array(f"range/{name}", np.array(getattr(found, name)))
    told = {"best constant rate": f"{found.suggestion:.1e}", "loss least at": f"{found.top:.1e}"}
    recorder.table("result", told)


def _count(config: Config, recorder: Recorder) -> None:
    torch.set_num_threads(1)
    rows = [layer._asdict() for layer in layers(Shape(size=config.size, width=config.width))]
    total = sum(row["parameters"] for row in rows)
    recorder.metric("parameters", total)
    recorder.table("layers", rows)
    recorder.table("result", {"parameters": total})
