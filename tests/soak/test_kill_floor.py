"""SIGKILL at random moments of a training with two optimisers, and of one in two processes: the same bytes in the end.

Of two processes sometimes one is killed and the other must end by itself, sometimes both, as by a power cut. Epochs are
short, each with a checkpoint. `make soak` kills 20 times, the ordinary tests three.
"""

import random
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from torch import Tensor

from train import crew
from train.tiny_gan import Gan, train
from train.tiny_learner import kept
from workings.core.evidence import read_rows
from workings.train.team import team

MARGIN = 3
"""The moments take a third of the undisturbed time in all at most: a busy machine may become an idle one meanwhile."""
MARKER = "began"
"""A file beside the run that tells that the first step is about to happen."""


class Announced(Gan):
    """Says when it begins."""

    def __init__(self, marker: Path) -> None:
        super().__init__()
        self.marker: Path | None = marker

    def step(self, batch: tuple[Tensor, Tensor], at: float) -> Mapping[str, Tensor]:
        if self.marker:
            self.marker.touch()
            self.marker = None
        return super().step(batch, at)


def work(folder: Path, epochs: int) -> None:
    gan = Announced(folder.with_name(MARKER))
    if team().leads:
        train(gan, folder, epochs)
    else:
        with TemporaryDirectory() as elsewhere:
            train(gan, Path(elsewhere), epochs)


def begin(folder: Path, epochs: int, ranks: int) -> list[crew.BaseProcess]:
    """Start, and wait for the first step."""
    marker = folder.with_name(MARKER)
    marker.unlink(missing_ok=True)
    members = crew.start(work, folder, epochs, ranks=ranks, told=folder.with_name("told"))
    deadline = time.monotonic() + crew.PATIENCE
    while not marker.exists():
        assert all(m.exitcode is None for m in members), "it ended before it began"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return members


def measured(folder: Path) -> dict[tuple[str, int], float]:
    """A kill in the last lines may leave a measurement twice; the last counts."""
    return {(row["name"], row["step"]): row["value"] for row in read_rows(folder / "metrics.jsonl")}


@pytest.mark.parametrize("ranks", [1, 2], ids=["gan", "two processes"])
@pytest.mark.parametrize(("kills", "epochs"), [(3, 40), pytest.param(20, 400, marks=pytest.mark.soak)])
def test_killed_again_and_again_a_training_ends_with_the_same_bytes(
    kills: int, epochs: int, ranks: int, tmp_path: Path
) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    members = begin(undisturbed, epochs, ranks)
    began = time.monotonic()
    assert crew.codes(members) == [0] * ranks
    seconds = time.monotonic() - began
    seed = random.SystemRandom().randrange(10**6)
    draw = random.Random(seed)
    print(f"seed {seed}, {seconds:.1f} s undisturbed")
    for _ in range(kills):
        members = begin(killed, epochs, ranks)
        time.sleep(draw.uniform(0, seconds / kills / MARGIN))
        victims = draw.choice([[m] for m in members] + [members])
        for victim in victims:
            victim.kill()
        codes = crew.codes(members)
        assert -9 in codes, "it had finished before it was killed: give it more epochs"
        assert set(codes) <= {-9, 2}, "who is left ends by itself, with one line"
    assert crew.codes(begin(killed, epochs, ranks)) == [0] * ranks
    assert kept(killed).keys() == kept(undisturbed).keys()
    for name in ("checkpoints/last.safetensors", "checkpoints/best.safetensors"):
        assert kept(killed)[name] == kept(undisturbed)[name], name
    assert measured(killed) == measured(undisturbed)
