"""Train two towers and look for pictures and sentences with them; count towers; count words.

Recorded of a training: ``parameters/pictures``, ``/text`` and ``/heads``; ``count/train`` pictures; per epoch
``train/loss``, ``train/temperature``, ``validation/loss`` and ``seconds`` (of the epoch's steps); and, with the weights
of the best validation loss, what `examination` finds on the test pictures. The table ``card``, and `TOKENIZER` beside
the weights, have what a model directory needs. Of a count, what `counting` tells of the published towers. Of words:
``captions`` and ``pictures``, the same of each of the patterns ``cat`` and ``cats``, and the table ``words``.
"""

import re

from workings.core.errors import UserError
from workings.core.files import write_json
from workings.core.runs import Recorder
from workings.data.catalogue import load_captions
from workings.studies.clip.counting import count_towers
from workings.studies.clip.encoders import described
from workings.studies.clip.examination import examine
from workings.studies.clip.learner import ClipLearner
from workings.studies.clip.pictures import load, prepare
from workings.studies.clip.study import Config
from workings.studies.clip.towers import check_picture_tower, own_width
from workings.train.checkpoint import parameters
from workings.train.loop import fit
from workings.train.runtime import prepare as prepare_device

LIMITS = {
    "limit": (2, 100_000_000),
    "size": (16, 512),
    "projection": (1, 4_096),
    "dropout": (0.0, 0.99),
    "each": (1, 100),
    "batch": (2, 65_536),
    "tokens": (3, 4_096),
    "head_rate": (1e-9, 10.0),
    "image_rate": (1e-9, 10.0),
    "text_rate": (1e-9, 10.0),
    "weight_decay": (0.0, 10.0),
    "cycle": (1, 10_000),
    "epochs": (1, 10_000),
    "seed": (0, 2**62),
}
"""Smallest and largest of each setting. Above them a training would take for ever, or all memory."""
TOKENIZER = "tokenizer.json"
"""How a model cuts sentences: a file beside its weights, in a run and in a model directory."""
PATTERNS = {"cat": r"\bcat\b", "cats": r"\bcats?\b"}
"""How a cat is named: exactly so, and in the plural too."""
EVERYDAY = ("dog", "man", "woman", "boy", "girl", "child", "ball", "water", "beach", "snow", "bike", "horse", "food")
"""Words beside which a number of cats says something; each with and without its plural s."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be trained."""
    check_fields(config)
    if config.task == "words":
        load_captions(config.data)
    elif config.task == "train":
        load(config)


def check_fields(config: Config) -> None:
    """The part of it that needs no pictures."""
    for name, (least, most) in LIMITS.items():
        value = getattr(config, name)
        if not least <= value <= most:
            raise UserError(f"{name} is {value:,}: it lies between {least:,} and {most:,}")
    if config.loss == "soft" and config.each > 1:
        raise UserError(
            f"each is {config.each}: the soft loss pairs each picture with one caption; use --each 1, or --loss clip"
        )
    if config.captions and config.data in ("drawn-scenes", "flickr8k", "flickr8k-part", "flickr8k-captions"):
        raise UserError(f"{config.data} has captions of its own: leave --captions out, or give --data a folder")
    if config.task != "train":
        return
    check_picture_tower(config.image_tower)
    own_width("transformer", config.text_tower)
    for field, tower in (("pictures", "conv"), ("text", "transformer")):
        name = config.image_tower if field == "pictures" else config.text_tower
        if config.frozen in (field, "both") and (config.scratch or own_width(tower, name)):
            raise UserError(f"{name} starts from random weights, which are not worth freezing: leave --frozen out")


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    if config.task == "count":
        count_towers(recorder)
    elif config.task == "words":
        _count_words(config, recorder)
    else:
        _train(config, recorder)


def _train(config: Config, recorder: Recorder) -> None:
    device = prepare_device(recorder.session)
    learner = ClipLearner(config, prepare(config), device)
    data, model = learner.data, learner.model
    recorder.metric("parameters/pictures", sum(p.numel() for p in model.pictures.parameters()))
    recorder.metric("parameters/text", sum(p.numel() for p in model.text.parameters()))
    recorder.metric("parameters/heads", parameters(model.picture_head) + parameters(model.text_head))
    recorder.metric("count/train", len(data.train))
    look = {"size": data.look.size, "mean": data.look.mean, "std": data.look.std}
    text = {"vocabulary": learner.vocabulary.count, "longest": learner.longest, "encoder": described(model.text)}
    recorder.table("card", {**look, **text})
    write_json(recorder.checkpoints / TOKENIZER, learner.vocabulary.to_json())  # it goes where the weights go
    title = f"clip on {config.data}, {config.image_tower} + {config.text_tower}, seed {config.seed}"
    fit(learner, recorder, title=title, epochs=config.epochs, seed=config.seed, minimise="validation/loss")
    examine(learner, recorder)


def _count_words(config: Config, recorder: Recorder) -> None:
    found = load_captions(config.data)
    recorder.metric("captions", sum(map(len, found.captions)))
    recorder.metric("pictures", len(found.names))
    patterns = PATTERNS | {word: rf"\b{word}s?\b" for word in EVERYDAY}
    hits = {word: _hits(found.captions, pattern) for word, pattern in patterns.items()}
    for word in PATTERNS:
        for what, count in hits[word].items():
            recorder.metric(f"{word}/{what}", count)
    recorder.table("words", [{"word": word, "pattern": patterns[word], **found} for word, found in hits.items()])
    recorder.table("result", {patterns[word]: f"{hits[word]['captions']:,} captions" for word in PATTERNS})


def _hits(captions: tuple[tuple[str, ...], ...], pattern: str) -> dict[str, int]:
    """Captions, and pictures, in which a pattern occurs, in capitals or not."""
    sought = re.compile(pattern, re.IGNORECASE)
    hits = [sum(bool(sought.search(caption)) for caption in own) for own in captions]
    return {"captions": sum(hits), "pictures": sum(hit > 0 for hit in hits)}
