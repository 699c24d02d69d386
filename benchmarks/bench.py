"""Side by side, in one run on this machine: what we do against what one would run instead.

A `Pair` is two functions that do the same work, and the least ratio of their times (`mark`). Each is timed as the best
of several repeats, the two by turns, so that a busy machine slows both. Exit status 1 where a mark is missed.

    python benchmarks/bench.py [decoding] [edit_distance] [loop_overhead] [start]
"""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pair import Pair, Work, best

import workings  # noqa: F401 (before torch, as it says how threads wait)

# ---- spelling ----

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


# ---- training ----

EXAMPLES, BATCH = 48_000, 32


def loop_overhead() -> Iterator[Pair]:
    """`fit`, with its seeds, checks, metrics and checkpoint, against the plainest loop on the same small network."""
    import torch
    from torch import nn

    from workings.core.runs import Recorder
    from workings.train.loop import fit, update
    from workings.train.runtime import generator, shuffled_batches

    torch.set_num_threads(1)
    x = torch.randn(EXAMPLES, 256, generator=generator(0, "x"))
    y = torch.randint(10, (EXAMPLES,), generator=generator(0, "y"))

    class Classifier:
        def __init__(self) -> None:
            self.network = nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
            self.adam = torch.optim.Adam(self.network.parameters())
            self.modules, self.optimizers = {"network": self.network}, {"adam": self.adam}

        def batches(self, epoch: int) -> list[torch.Tensor]:
            return shuffled_batches(EXAMPLES, BATCH, 0, epoch)

        def step(self, batch: torch.Tensor, at: float) -> dict[str, torch.Tensor]:
            loss = nn.functional.cross_entropy(self.network(x[batch]), y[batch])
            update(self.adam, loss)
            return {"loss": loss}

        def evaluate(self) -> dict[str, float]:
            return {}

    def ours() -> None:
        with TemporaryDirectory() as folder:
            fit(Classifier(), Recorder(Path(folder)), title="bench", epochs=1, seed=0)

    def plainest() -> None:
        learner = Classifier()
        for batch in torch.randperm(EXAMPLES).split(BATCH):
            loss = nn.functional.cross_entropy(learner.network(x[batch]), y[batch])
            learner.adam.zero_grad()
            loss.backward()
            learner.adam.step()

    yield Pair(f"an epoch of a small MLP, batch {BATCH}: fit / a plain loop", ours, plainest, mark=0.8, repeats=5)


def start() -> Iterator[Pair]:
    """Asking what there is, against importing torch."""

    def call(*words: str) -> Work:
        return lambda: subprocess.run([sys.executable, *words], check=True, capture_output=True)

    yield Pair("start: workings list / import torch", call("-m", "workings.cli", "list"), call("-c", "import torch"), 5)


BENCHMARKS = (decoding, edit_distance, loop_overhead, start)


def main(names: list[str]) -> int:
    """Run them all, or those named, and print the table; 1 where a mark is missed."""
    missed = 0
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print(f"{'ours / theirs':55} {'ours':>9} {'theirs':>9} {'ratio':>7} {'mark':>6}")
    for benchmark in BENCHMARKS:
        for pair in benchmark() if not names or benchmark.__name__ in names else ():
            ours, theirs = best(pair)
            ratio, reached = theirs / ours, theirs / ours >= pair.mark
            missed += not reached
            told = f"{pair.name:55} {ours:8.3f}s {theirs:8.3f}s {ratio:6.1f}x {pair.mark:5g}x"
            print(told, "reached" if reached else "MISSED", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
