"""Train the GAN and measure what it draws; train its judge; train twice and compare; or count.

Recorded of a training: ``parameters/NETWORK``; per epoch ``train/discriminator`` and ``train/generator`` (losses in
nats), and what `examiner` tells. Of the judge: ``train/loss`` and ``test/accuracy`` per epoch. Of two trainings: the
table ``twice``, with a hash of the weights and of the pictures of each, and of a third from another seed. Of a count:
``parameters/NETWORK``, and the table ``shapes`` of what every layer gives.
"""

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.data.catalogue import load_pictures
from workings.studies.dcgan.examiner import SHEET, Examiner, draw
from workings.studies.dcgan.judge import Classifier, ClassifierLearner
from workings.studies.dcgan.latent import noise
from workings.studies.dcgan.learner import GanLearner, shape_of
from workings.studies.dcgan.measures import NEIGHBOURS
from workings.studies.dcgan.model import SHRINK, Discriminator, Generator
from workings.studies.dcgan.pictures import Prepared, prepare_pictures, to_bytes
from workings.studies.dcgan.study import Config
from workings.train.checkpoint import LAST, load_weights, parameters
from workings.train.loop import fit
from workings.train.runtime import derive, prepare, reseed

LIMITS = {
    "limit": (1, 1_000_000),
    "size": (8, 128),
    "width": (1, 512),
    "noise": (1, 4_096),
    "batch": (2, 4_096),
    "epochs": (1, 10_000),
}
"""Smallest and largest of each setting. Above them a training would take for ever, or all memory."""
LEAST_TEST = 4 * (NEIGHBOURS + 1)
"""Held-out pictures that measures need: two halves, in each of which a picture has `NEIGHBOURS` others, to spare."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be trained."""
    for name, (least, most) in LIMITS.items():
        value = getattr(config, name)
        if not least <= value <= most:
            raise UserError(f"{name} is {value:,}: it lies between {least:,} and {most:,}")
    if config.size % SHRINK:
        raise UserError(f"size is {config.size}: it must be a multiple of {SHRINK}, since two layers halve it")
    if not 0 < config.learning_rate <= 1:
        raise UserError(f"learning_rate is {config.learning_rate}: it lies above 0 and is 1 at most")
    if config.seed < 0:
        raise UserError(f"seed is {config.seed}: it is counted from 0")
    if config.task != "count":
        _validate_pictures(config)


def _validate_pictures(config: Config) -> None:
    found = load_pictures(config.data)
    train, test = (min(config.limit, len(images)) for images in (found.train_images, found.test_images))
    if train < config.batch and config.task != "classifier":  # which takes what there is as one smaller batch
        raise UserError(
            f"{config.data} gives {train} training pictures, fewer than a batch of {config.batch}: lower it"
        )
    judged = config.task == "classifier" or (config.task == "train" and config.measured)
    seen = len(set(found.train_labels.tolist()))
    if judged and (seen < 2 or test < LEAST_TEST):
        raise UserError(
            f"{config.data} has pictures of {seen} class(es), and {test} held out: measures need 2 classes and "
            f"{LEAST_TEST} held-out pictures; train without them by --no-measured"
        )
    if config.task == "train" and test < 2:
        raise UserError(f"{config.data} holds {test} pictures out: what is drawn is compared with 2 at least")


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    if config.task == "count":
        _count(config, recorder)
        return
    device = prepare(recorder.session)
    data = prepare_pictures(config.data, config.size, config.limit)
    tasks = {"train": _train, "classifier": _classifier, "twice": _twice}
    tasks[config.task](config, recorder, data, device)


def _train(config: Config, recorder: Recorder, data: Prepared, device: torch.device) -> None:
    judge = _judge(config, recorder, data, device) if config.measured else None
    examiner = Examiner(recorder, config.seed, config.noise, data, judge)
    learner = GanLearner(config, data.train, device, examiner.look)
    for name, module in learner.modules.items():
        recorder.metric(f"parameters/{name}", parameters(module))
    recorder.metric("pictures/train", len(data.train))
    recorder.table("classes", list(data.classes))
    title = f"dcgan on {config.data}, seed {config.seed}"
    fit(learner, recorder, title=title, epochs=config.epochs, seed=config.seed)


def _judge(config: Config, recorder: Recorder, data: Prepared, device: torch.device) -> Classifier:
    """The trained classifier that this training builds on."""
    judge = Classifier(config.size, len(data.classes))
    load_weights(recorder.inputs["classifier"].folder / "checkpoints" / f"{LAST}.safetensors", {"classifier": judge})
    return judge.to(device).eval()


def _classifier(config: Config, recorder: Recorder, data: Prepared, device: torch.device) -> None:
    reseed(derive(config.seed, "classifier"), torch.device("cpu"))
    learner = ClassifierLearner(config, data, device)
    recorder.metric("parameters/classifier", parameters(learner.model))
    title = f"classifier of {config.data}, seed {config.seed}"
    fit(learner, recorder, title=title, epochs=config.epochs, seed=config.seed)


def _twice(config: Config, recorder: Recorder, data: Prepared, device: torch.device) -> None:
    rows: list[dict[str, Any]] = []
    for seed in (config.seed, config.seed, config.seed + 1):
        learner = GanLearner(replace(config, seed=seed), data.train, device)
        with tempfile.TemporaryDirectory() as folder:
            title = f"dcgan on {config.data}, training {len(rows) + 1} of 3"
            fit(learner, Recorder(Path(folder)), title=title, epochs=config.epochs, seed=seed)
        pictures = to_bytes(draw(learner.generator, noise(SHEET, config.noise, seed, "sheet")))
        weights = [t for module in learner.modules.values() for t in module.state_dict().values()]
        rows.append({"seed": seed, "weights": _hash(weights), "pictures": _hash([torch.from_numpy(pictures)])})
    recorder.table("twice", rows)
    recorder.metric("steps", config.epochs * (len(data.train) // config.batch))


def _hash(tensors: list[Tensor]) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _count(config: Config, recorder: Recorder) -> None:
    shape = shape_of(config)
    networks: dict[str, tuple[nn.Module, Tensor]] = {
        "discriminator": (Discriminator(shape), torch.zeros(2, 1, config.size, config.size)),
        "generator": (Generator(shape), torch.zeros(2, config.noise)),
    }
    rows: list[dict[str, Any]] = []
    for name, (network, example) in networks.items():
        recorder.metric(f"parameters/{name}", parameters(network))
        rows += [{"network": name, **row} for row in _layers(network, example)]
    recorder.table("shapes", rows)
    recorder.table("result", {f"parameters of the {name}": parameters(n) for name, (n, _) in networks.items()})


def _layers(network: nn.Module, example: Tensor) -> list[dict[str, Any]]:
    """Of each layer that has weights: what it gives for one picture, and how many parameters it has."""
    rows: list[dict[str, Any]] = []

    def note(name: str, layer: nn.Module) -> Any:
        def hook(_: nn.Module, __: Any, output: Tensor) -> None:
            rows.append({"layer": name, "gives": list(output.shape[1:]), "parameters": parameters(layer)})

        return hook

    handles = [
        layer.register_forward_hook(note(n, layer)) for n, layer in network.named_children() if parameters(layer)
    ]
    with torch.no_grad():
        network.eval()(example)
    for handle in handles:
        handle.remove()
    return rows
