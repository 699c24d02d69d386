"""A trained speller at work: spellings of what a person types, or of every line of a file.

The model is a run of this study, by id or by folder; without one, the run on this machine with the lowest validation
error on the most pairs. Symbols that it was never shown are named, and what holds them is not spelled.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from torch import Tensor

from workings.core.config import from_json
from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.studies.spelling.decoding import beam, greedy, nucleus
from workings.studies.spelling.model import Shape, Speller
from workings.studies.spelling.study import STUDY, Config
from workings.studies.spelling.vocabulary import Vocabulary, pad
from workings.train.checkpoint import BEST, load_weights
from workings.train.runtime import generator, prepare
from workings.train.trained import trained_run, weights_of

BATCH = 500
"""Words decoded together."""
Method = Literal["beam", "greedy", "nucleus"]


@dataclass(frozen=True)
class Spelling:
    """One source and what was written for it."""

    source: str
    written: tuple[str, ...]
    """Best first for a beam; one for greedy decoding; as many as asked for in nucleus sampling."""
    unknown: tuple[str, ...] = ()
    """Symbols that the model was never shown; then nothing is written."""

    def __str__(self) -> str:
        return f"{self.source}\t{', '.join(self.written) or 'unknown symbols: ' + ' '.join(self.unknown)}"


@dataclass(frozen=True)
class Spellings:
    """All of them, and the run that wrote them."""

    model: str
    spellings: tuple[Spelling, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.spellings))


@dataclass(frozen=True)
class Trained:
    """A speller with its vocabularies, ready to write."""

    run: Run
    config: Config
    model: Speller
    source: Vocabulary
    target: Vocabulary

    def write(
        self,
        sources: Sequence[Sequence[str]],
        method: Method = "beam",
        *,
        samples: int = 3,
        width: int = 5,
        seed: int = 0,
    ) -> list[list[tuple[str, ...]]]:
        """For each source, what was written: one sequence, or `samples` of them for nucleus sampling."""
        length, top_p = self.config.max_length, self.config.top_p
        decoders: dict[Method, list[Callable[[Tensor], Tensor]]] = {
            "greedy": [partial(greedy, self.model, max_length=length)],
            "beam": [partial(beam, self.model, max_length=length, width=width)],
            "nucleus": [
                partial(nucleus, self.model, max_length=length, top_p=top_p, generator=generator(seed, "use", i))
                for i in range(samples)
            ],
        }
        # Words of like length together: less padding, and they end at about the same time.
        order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
        written: dict[int, list[tuple[str, ...]]] = {}
        with torch.no_grad():
            for start in range(0, len(order), BATCH):
                places = order[start : start + BATCH]
                batch = pad([self.source.encode(sources[i]) for i in places])
                rows = [[self.target.decode(numbers) for numbers in draw(batch).tolist()] for draw in decoders[method]]
                written.update(zip(places, map(list, zip(*rows, strict=True)), strict=True))
        return [written[i] for i in range(len(sources))]


def spell(
    sources: Annotated[tuple[str, ...], tyro.conf.Positional] = (),
    /,
    file: Path | None = None,
    model: str | None = None,
    method: Method = "beam",
    samples: int = 3,
    width: int = 5,
    seed: int = 0,
) -> Spellings:
    """Spell words from their phonemes.

    Example: workings use spelling spell "K AE T" "CH AE P L AH T" --method nucleus

    Args:
        sources: Pronunciations, symbols separated by spaces, each in quotes.
        file: Spell every line of this file instead (only its first column, where there are more).
        model: A run's id or folder; by default the best speller on this machine.
        method: beam, greedy, or nucleus (samples).
        samples: How many, for nucleus.
        width: Of the beam.
        seed: Of the samples.
    """
    return _use("spell", str.split, "", sources, file, model, method, samples, width, seed)


def pronounce(
    sources: Annotated[tuple[str, ...], tyro.conf.Positional] = (),
    /,
    file: Path | None = None,
    model: str | None = None,
    method: Method = "beam",
    samples: int = 3,
    width: int = 5,
    seed: int = 0,
) -> Spellings:
    """Say words from their letters, with a model trained by --direction pronounce.

    Example: workings use spelling pronounce chaplet

    Args:
        sources: Words.
        file: Pronounce every line of this file instead (only its first column, where there are more).
        model: A run's id or folder; by default the best one on this machine.
        method: beam, greedy, or nucleus (samples).
        samples: How many, for nucleus.
        width: Of the beam.
        seed: Of the samples.
    """
    return _use("pronounce", list, " ", sources, file, model, method, samples, width, seed)


VERBS = (spell, pronounce)


def load(model: str | None = None, direction: str = "spell", symbols: Collection[str] = ()) -> Trained:
    """A trained speller by run id or folder; a `UserError` where there is none, or it is of the other direction.

    Without a name: of those on this machine that know the most of `symbols`, the one trained on the most pairs, and of
    these the one with the lowest validation error.
    """
    run = _chosen(model, direction, symbols)
    config = from_json(Config, run.config)
    if config.direction != direction:
        raise UserError(
            f"run {run.id} was trained to {config.direction}: use `workings use spelling {config.direction}`"
        )
    vocabulary = run.table("vocabulary")
    source, target = Vocabulary(tuple(vocabulary["source"])), Vocabulary(tuple(vocabulary["target"]))
    shape = Shape(
        source=len(source), target=len(target), hidden=config.hidden, layers=config.layers, attention=config.attention
    )
    speller = Speller(shape)
    load_weights(weights_of(run, BEST), {"speller": speller})
    prepare({"device": "cpu"})
    return Trained(run, config, speller.eval(), source, target)


def _chosen(named: str | None, direction: str, symbols: Collection[str]) -> Run:
    def worth(run: Run) -> tuple[int, float, float]:
        known = len(set(symbols) & set(run.table("vocabulary")["source"]))
        return known, run.metrics["pairs/train"], -run.metrics["validation/cer"]

    flag = "" if direction == "spell" else f" --direction {direction}"
    return trained_run(
        STUDY,
        named,
        what="speller",
        worth=worth,
        nothing=f"no speller is trained here: `workings run spelling --data cmudict --attention{flag}` does it",
        weights=BEST,
        fits=lambda run: run.config.get("direction") == direction,
    )


def _use(
    direction: str,
    split: Callable[[str], list[str]],
    join: str,
    sources: Sequence[str],
    file: Path | None,
    model: str | None,
    method: Method,
    samples: int,
    width: int,
    seed: int,
) -> Spellings:
    if samples < 1 or width < 1:
        raise UserError(f"samples={samples}, width={width}: both are counted from 1")
    if sources and file:
        raise UserError("give sources or --file, not both")
    if not sources and not file:
        raise UserError('give what to read: sources in quotes, as in "K AE T", or a --file with one on each line')
    lines = _lines(file) if file else list(sources)
    symbols = [split(line) for line in lines]
    trained = load(model, direction, {symbol for line in symbols for symbol in line})
    unknown = [tuple(dict.fromkeys(trained.source.unknown(s))) for s in symbols]
    known = [s for s, u in zip(symbols, unknown, strict=True) if s and not u]
    if not known:
        missing = " ".join(dict.fromkeys(symbol for u in unknown for symbol in u)) or "nothing but spaces"
        raise UserError(
            f"the speller was never shown {missing}; run {trained.run.id} knows: {' '.join(trained.source.symbols)} "
            "(--model RUN names another)"
        )
    written = iter(trained.write(known, method, samples=samples, width=width, seed=seed))
    rows = [
        Spelling(line, tuple(join.join(w) for w in next(written)) if s and not u else (), u)
        for line, s, u in zip(lines, symbols, unknown, strict=True)
    ]
    return Spellings(trained.run.id, tuple(rows))


def _lines(file: Path) -> list[str]:
    try:
        text = file.expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read as UTF-8 text: {error}") from None
    lines = [line.partition("\t")[0].strip() for line in text.splitlines()]
    if not any(lines):
        raise UserError(f"{file} is empty: put one source on each line")
    return [line for line in lines if line]
