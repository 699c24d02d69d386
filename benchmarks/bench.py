"""Side by side, in one run on this machine: what we do against what one would run instead.

A `Pair` is two functions that do the same work, and the least ratio of their times (`mark`). Each is timed as the best
of several repeats, the two by turns, so that a busy machine slows both. Exit status 1 where a mark is missed.

    python benchmarks/bench.py [autodiff] [circulant] [iou] [decoding] …
"""

import os
import subprocess
import sys
from collections.abc import Iterator

from alexnet import alexnet_steps
from autodiff import autodiff
from circulant import circulant
from clip import five_captions, text_tower
from clip_search import clip_search
from gan import gan_steps
from iou import iou
from pair import Pair, Work, best
from pictures import pictures
from spelling import decoding, edit_distance
from training import lightning_trainer, loop_overhead

import workings  # noqa: F401 (before torch, as it says how threads wait)


def start() -> Iterator[Pair]:
    """Asking what there is, against importing torch."""

    def call(*words: str) -> Work:
        return lambda: subprocess.run([sys.executable, *words], check=True, capture_output=True)

    yield Pair("start: workings list / import torch", call("-m", "workings.cli", "list"), call("-c", "import torch"), 5)


BENCHMARKS = (
    *(autodiff, circulant, iou, decoding, edit_distance),
    *(
        pictures,
        loop_overhead,
        lightning_trainer,
        alexnet_steps,
        gan_steps,
        text_tower,
        five_captions,
        clip_search,
        start,
    ),
)


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
