"""Train a speller and measure it, or count its parameters.

Recorded: ``parameters``; per epoch the losses and validation error rates; at the end,
with the weights of the best validation CER, ``test/METHOD/cer`` and ``/wer`` for greedy, nucleus and beam decoding and
``test/nucleus/wer@3``; the edit distance of every test word, so that verdicts can pair over words; samples; attention.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.data.catalogue import load_lexicon
from workings.studies.spelling.decoding import attention_weights, beam, greedy, nucleus
from workings.studies.spelling.learner import Corpus, Sequences, SpellingLearner, shape_of
from workings.studies.spelling.model import Speller
from workings.studies.spelling.scoring import character_error_rate, word_error_rate
from workings.studies.spelling.study import Config
from workings.studies.spelling.vocabulary import pad
from workings.train.checkpoint import parameters
from workings.train.loop import fit
from workings.train.runtime import derive, generator, prepare

SAMPLES = 3
"""Nucleus samples a word (question 3.1c asks for WER@3)."""
BEAM = 5
SHOWN = 40
"""Test words whose spellings are kept to be read."""
MAPPED = 6
"""Test words whose attention is kept."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be trained."""
    positive = {name: getattr(config, name) for name in ("hidden", "layers", "batch", "epochs", "max_length")}
    for name, value in positive.items():
        if value < 1:
            raise UserError(f"{name} is {value}: it is counted from 1")
    if config.decay_epochs is not None and config.decay_epochs < 1:
        raise UserError(f"decay_epochs is {config.decay_epochs}: it is counted from 1, or left out")
    if config.hidden % 2:
        raise UserError(f"hidden is {config.hidden}: it must be even, half for each direction of the encoder")
    if config.limit < 20:
        raise UserError(f"limit is {config.limit}: at least 20 pairs are needed, so that the held-out splits have some")
    if not 0 < config.top_p <= 1 or not 0 <= config.dropout < 1 or not 0 <= config.smoothing < 1:
        raise UserError("top_p lies in (0, 1], dropout and smoothing in [0, 1)")
    if not config.learning_rate > 0 or (config.clip is not None and not config.clip > 0):
        raise UserError("learning_rate and clip must be positive")


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    if config.task == "count":
        _record_parameters(Speller(shape_of(config)), recorder)
    else:
        train(config, recorder)


def train(config: Config, recorder: Recorder) -> None:
    """Train, then measure the best weights on the test split."""
    device = prepare(recorder.session)
    corpus = Corpus(load_lexicon(config.data).limited(config.limit), config.direction)
    torch.manual_seed(derive(config.seed, "weights"))
    learner = SpellingLearner(config, corpus, device)
    _record_parameters(learner.model, recorder)
    _record_corpus(corpus, recorder)
    variant = "with attention" if config.attention else "without attention"
    fit(
        learner,
        recorder,
        title=f"spelling {variant}, seed {config.seed}",
        epochs=config.epochs,
        seed=config.seed,
        minimise="validation/cer",
    )
    _record_test(learner, corpus, recorder)


def _record_parameters(model: Speller, recorder: Recorder) -> None:
    recorder.metric("parameters", parameters(model))
    for name, part in model.named_children():
        if parameters(part):
            recorder.metric(f"parameters/{name}", parameters(part))
    recorder.metric("symbols/source", model.shape.source)
    recorder.metric("symbols/target", model.shape.target)


def _record_corpus(corpus: Corpus, recorder: Recorder) -> None:
    recorder.table("vocabulary", {"source": corpus.source.symbols, "target": corpus.target.symbols})
    for name, split in (("train", corpus.train), ("validation", corpus.valid), ("test", corpus.test)):
        recorder.metric(f"pairs/{name}", len(split))
    held_out = [*corpus.valid, *corpus.test]
    recorder.metric("unseen/source", len({s for source, _ in held_out for s in corpus.source.unknown(source)}))
    recorder.metric("unseen/target", len({s for _, target in held_out for s in corpus.target.unknown(target)}))
    train, valid = ({pair.word for pair in split} for split in (corpus.lexicon.train, corpus.lexicon.valid))
    recorder.metric("repeated/test-in-train", sum(pair.word in train for pair in corpus.lexicon.test))
    recorder.metric("repeated/validation-in-train", sum(pair.word in train for pair in corpus.lexicon.valid))
    recorder.metric("repeated/test-in-validation", sum(pair.word in valid for pair in corpus.lexicon.test))


def _record_test(learner: SpellingLearner, corpus: Corpus, recorder: Recorder) -> None:
    config, model = learner.config, learner.model
    model.eval()
    draws = [generator(config.seed, "nucleus", sample) for sample in range(SAMPLES)]
    spellings = {
        "greedy": [learner.greedy(corpus.test)],
        "nucleus": [
            learner.decode(corpus.test, lambda s, g=draw: nucleus(model, s, config.max_length, config.top_p, g))
            for draw in draws
        ],
        "beam": [learner.decode(corpus.test, lambda s: beam(model, s, config.max_length, BEAM))],
    }
    for method, samples in spellings.items():
        distances = np.stack([learner.distances(corpus.test, written)[0] for written in samples])
        lengths = learner.distances(corpus.test, samples[0])[1]
        recorder.metric(f"test/{method}/cer", character_error_rate(distances[0], lengths), config.epochs)
        recorder.metric(f"test/{method}/wer", word_error_rate(distances[0]), config.epochs)
        if len(samples) > 1:
            recorder.metric(f"test/{method}/wer@{len(samples)}", word_error_rate(distances), config.epochs)
        recorder.array(f"test/{method}/distances", distances)
        recorder.array("test/lengths", lengths)
    join = "".join if config.direction == "spell" else " ".join
    rows = [
        {"source": " ".join(s), "right": join(t), **{m: [join(w[i]) for w in ws] for m, ws in spellings.items()}}
        for i, (s, t) in enumerate(corpus.test[:SHOWN])
    ]
    recorder.table("spellings", rows)
    if config.attention:
        recorder.table("attention", _attention(learner, corpus.test[:MAPPED]))


@torch.no_grad()
def _attention(learner: SpellingLearner, pairs: Sequence[Sequences]) -> list[dict[str, Any]]:
    """For some words: what was read, what was written, and the weights between them, ``[written][read]``."""
    maps = []
    for source, _ in pairs:
        numbers = pad([learner.corpus.source.encode(source)]).to(learner.device)
        written = greedy(learner.model, numbers, learner.config.max_length)
        weights = attention_weights(learner.model, numbers, written)[0]
        rows = [[round(w, 4) for w in row] for row in weights.tolist()]
        symbols = [*learner.corpus.target.decode(written[0].tolist()), "end"]
        maps.append({"read": [*source, "end"], "written": symbols[: len(rows)], "weights": rows})
    return maps
