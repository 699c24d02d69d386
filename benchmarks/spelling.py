"""The speller: decoding in batches, and scoring."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pair import Pair

WORDS, ALONE = 10_000, 300
"""Words decoded in batches, and how many of them a word at a time (scaled up: all would take minutes)."""
TEACHING_STEPS = 300  # of 64 words: the network then writes words of about the right length


def made_up_words(count: int, seed: int) -> list[tuple[tuple[str, ...], str]]:
    """Pronunciations and spellings with the course's numbers of symbols, 4 to 12 long, as English words are."""
    draw = random.Random(seed)
    words = [[draw.randrange(103) for _ in range(draw.randint(4, 12))] for _ in range(count)]
    return [(tuple(f"p{n}" for n in word), "".join(chr(0x4E00 + n % 89) for n in word)) for word in words]


def taught_speller(attention: bool) -> Any:
    """The sheet's network, taught for a moment, as the tool holds it."""
    import torch

    from workings.core.evidence import Run
    from workings.core.study import Dataset
    from workings.data import lexicon
    from workings.studies.spelling.learner import Corpus, SpellingLearner
    from workings.studies.spelling.study import Config
    from workings.studies.spelling.tool import Trained
    from workings.train.runtime import prepare

    prepare({"device": "cpu"})
    torch.manual_seed(0)
    config = Config(attention=attention)
    pairs = tuple(lexicon.Pair(*word) for word in made_up_words(TEACHING_STEPS * 64, seed=0))
    corpus = Corpus(lexicon.Lexicon(Dataset("made-up", "", ""), pairs, pairs[:1], pairs[:1]), "spell")
    learner = SpellingLearner(config, corpus, torch.device("cpu"))
    for batch in learner.batches(0):
        learner.step(batch, 0.0)
    return Trained(Run(Path(), False, {}), config, learner.model.eval(), corpus.source, corpus.target)


def decoding() -> Iterator[Pair]:
    """Batches against a word at a time, on the same model and with the threads that the tool takes."""
    sources = [source for source, _ in made_up_words(WORDS, seed=1)]
    for attention, method in ((False, "greedy"), (True, "greedy"), (True, "nucleus")):
        speller = taught_speller(attention)
        lengths = [len(written[0]) for written in speller.write(sources, method, samples=1)]
        print(f"(the next writes {sum(lengths) / WORDS:.1f} letters a word, {max(lengths)} at most)")
        yield Pair(
            f"{method}{' with attention' * attention}: batches / a word at a time",
            lambda s=speller, m=method: s.write(sources, m, samples=1),
            lambda s=speller, m=method: [s.write([source], m, samples=1) for source in sources[:ALONE]],
            mark=50,
            scale=WORDS / ALONE,
        )


def edit_distance() -> Iterator[Pair]:
    """Error rates of a test set: our scoring against jiwer. The figures must be the same."""
    import jiwer
    import numpy as np

    from workings.studies.spelling.scoring import character_error_rate, edit_distances, word_error_rate

    right = [word for _, word in made_up_words(1_000, seed=2)]
    written = [word[:3] + word[4:] + word[-1] if i % 3 else word for i, word in enumerate(right)]
    symbols = [tuple(word) for word in written], [tuple(word) for word in right]
    lengths = np.array([len(word) for word in right])

    def ours() -> tuple[float, float]:
        distances = edit_distances(*symbols)
        return character_error_rate(distances, lengths), word_error_rate(distances)

    theirs = lambda: (jiwer.cer(right, written), jiwer.wer(right, written))  # noqa: E731
    assert np.allclose(ours(), theirs(), rtol=0, atol=1e-12), (ours(), theirs())
    yield Pair("CER and WER of 1,000 words: rapidfuzz / jiwer", ours, theirs, mark=10, repeats=10)
