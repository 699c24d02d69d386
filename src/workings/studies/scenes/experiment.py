"""Train a network and score it once, on the test pictures, after its last epoch; or count.

Recorded of a training, per epoch: ``train/loss`` (nats), ``validation/loss`` and ``validation/accuracy``. After the
last: ``test/…`` and ``learned/…`` (of the training pictures, without dropout), the arrays ``test/wrong`` (1 for each
picture that was mistaken) and ``test/confusion`` (rows: the true class), and what `sensitivity` tells, as
``shift/changed``, ``shift/variation`` and the table ``shift``, of the network untrained and trained. Of a count:
``parameters``, and the table ``layers``; of kernels, the table ``kernels``.
"""

import math

import numpy as np
import torch

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.studies.scenes import sensitivity
from workings.studies.scenes.counts import kernel_rows, network_rows
from workings.studies.scenes.learner import SceneLearner, build, judged, scores, shape_of
from workings.studies.scenes.model import HALVINGS, SceneNet
from workings.studies.scenes.pictures import Prepared, prepare_pictures
from workings.studies.scenes.study import Config
from workings.train.checkpoint import parameters
from workings.train.loop import fit
from workings.train.runtime import prepare

LIMITS = {
    "train": (2, 10_000_000),
    "validation": (1, 10_000_000),
    "test": (1, 10_000_000),
    "size": (HALVINGS, 512),
    "width": (1, 512),
    "kernel": (1, 15),
    "convolutions": (1, 8),
    "batch": (2, 65_536),
    "epochs": (1, 10_000),
}
"""Smallest and largest of each setting. Above them a training would take for ever, or all memory."""

MOST_PARAMETERS = 400_000_000
"""Three times as many numbers, in four bytes each, are kept while training: 5 GB."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be trained."""
    for name, (least, most) in LIMITS.items():
        value = getattr(config, name)
        if not least <= value <= most:
            raise UserError(f"{name} is {value:,}: it lies between {least:,} and {most:,}")
    if config.size % HALVINGS:
        raise UserError(f"size is {config.size}: it must be a multiple of {HALVINGS}, since three blocks halve it")
    if config.kernel % 2 == 0:
        raise UserError(f"kernel is {config.kernel}: an odd one keeps the size of the maps")
    if not 0 < config.learning_rate <= 10:
        raise UserError(f"learning_rate is {config.learning_rate}: it lies above 0 and is 10 at most")
    if not 0 <= config.dropout < 1:
        raise UserError(f"dropout is {config.dropout}: it lies from 0 to below 1")
    if config.seed < 0:
        raise UserError(f"seed is {config.seed}: it is counted from 0")
    shape = shape_of(config)
    if config.task == "train":
        data = prepare_pictures(config)
        shape = shape_of(config, len(data.classes), data.channels)
    with torch.device("meta"):  # counts without room for the weights
        count = parameters(SceneNet(shape))
    if count > MOST_PARAMETERS:
        raise UserError(
            f"the network would have {count:,} parameters, {MOST_PARAMETERS:,} at most: lower width, kernel or size, "
            "or add --pooled"
        )


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    if config.task == "count":
        _count(config, recorder)
    elif config.task == "kernels":
        recorder.table("kernels", kernel_rows())
    else:
        _train(config, recorder)


def _train(config: Config, recorder: Recorder) -> None:
    device = prepare(recorder.session)
    data = prepare_pictures(config)
    learner = SceneLearner(config, data, device)
    recorder.metric("parameters", parameters(learner.net))
    for name in ("train", "validation", "test"):
        recorder.metric(f"pictures/{name}", len(getattr(data, name)))
    recorder.table("classes", {"names": list(data.classes), "channels": data.channels})
    title = f"scenes on {config.data}, seed {config.seed}"
    fit(learner, recorder, title=title, epochs=config.epochs, seed=config.seed)
    _score(config, recorder, data, learner.net)
    for name, net in (("untrained", build(config, data).to(device)), ("trained", learner.net)):
        _move(recorder, data, net, name)


def _score(config: Config, recorder: Recorder, data: Prepared, net: SceneNet) -> None:
    """Look at the test pictures, once, with the weights of the last epoch."""
    told = judged(net, data.test)
    guess, truth = told.argmax(1), data.test.labels
    confusion = torch.zeros(len(data.classes), len(data.classes), dtype=torch.int64)
    confusion.index_put_((truth, guess), torch.ones_like(truth), accumulate=True)
    recorder.array("test/wrong", (guess != truth).to(torch.uint8).numpy())
    recorder.array("test/confusion", confusion.numpy())
    found = {
        "test/loss": float(torch.nn.functional.nll_loss(told, truth)),
        "test/accuracy": float((guess == truth).double().mean()),
        **{f"learned/{name}": value for name, value in scores(net, data.train).items()},
    }
    for name, value in found.items():
        recorder.metric(name, value, step=config.epochs)
    recorder.table(
        "result",
        {
            "parameters": parameters(net),
            "test accuracy": f"{found['test/accuracy']:.4f}",
            "accuracy on the training pictures": f"{found['learned/accuracy']:.4f}",
            "chance": f"{1 / len(data.classes):.4f}",
        },
    )


def _move(recorder: Recorder, data: Prepared, net: SceneNet, name: str) -> None:
    """Move test pictures by some pixels, and see what that changes."""
    index = torch.arange(min(len(data.test), sensitivity.MOST))
    pictures = data.test.album(next(net.parameters()).device).batch(index).cpu()
    changed, variation = sensitivity.moved(net, pictures)
    recorder.array(f"shift/changed/{name}", np.asarray(changed))
    recorder.array(f"shift/variation/{name}", variation)
    audited = pictures[: sensitivity.AUDITED].to(next(net.parameters()).device)
    rows = sensitivity.layers(net, audited)
    if all(math.isfinite(row["error"]) for row in rows):  # an answer of nothing but zeros has no relative error
        recorder.table(f"shift/{name}", rows)


def _count(config: Config, recorder: Recorder) -> None:
    rows = network_rows(shape_of(config))
    total = sum(row["parameters"] for row in rows)
    recorder.metric("parameters", total)
    recorder.metric("parameters/normalisation", sum(r["parameters"] for r in rows if r["kind"].startswith("BatchNorm")))
    recorder.table("layers", rows)
    recorder.table("result", {"parameters": total, "of them in dense layers": _dense(rows)})


def _dense(rows: list[dict[str, object]]) -> int:
    return sum(int(str(row["parameters"])) for row in rows if row["kind"] == "Linear")
