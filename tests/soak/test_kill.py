"""SIGKILL at random moments: a real training process is killed and started again, and ends with the same bytes.

The training has many short epochs, each with a checkpoint, so that most kills lose and repeat only a little; some come
before the first checkpoint, some in the middle of a write. `make soak` kills 20 times, the ordinary tests three.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from studies.spelling.shop import write_lexicon

POLL = 0.005
"""Seconds between looks at the files; small beside the moments, which spread over tenths of seconds."""
PATIENCE = 600.0
"""Seconds after which a process that does not come on is given up."""


@dataclass(frozen=True)
class Training:
    """One command, and the store it writes to."""

    home: Path
    lexicon: Path
    epochs: int

    def start(self, stderr: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        flags = {"data": self.lexicon, "epochs": self.epochs, "hidden": 16, "batch": 20, "limit": 300, "max_length": 12}
        words = [word for name, value in flags.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        command = [sys.executable, "-m", "workings.cli", "run", "spelling", "--attention", *words]
        environment = {**os.environ, "WORKINGS_HOME": str(self.home)}
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=stderr)

    def sessions(self) -> list[dict[str, object]]:
        """The sessions noted so far: one more means that a new process has opened the run and begins to train."""
        found = list(self.home.glob("runs/spelling/*/run.json"))
        return json.loads(found[0].read_text(encoding="utf-8"))["sessions"] if found else []

    def finish(self) -> None:
        assert self.start().wait(PATIENCE) == 0

    def kill_after(self, seconds: float) -> None:
        """Start it, and kill it so long after it has opened its run."""
        before, process = len(self.sessions()), self.start()
        deadline = time.monotonic() + PATIENCE
        while len(self.sessions()) == before:
            assert process.poll() is None, "it ended before it opened its run"
            assert time.monotonic() < deadline
            time.sleep(POLL)
        time.sleep(seconds)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it had finished before it was killed: give it more epochs"

    @property
    def run(self) -> Path:
        (folder,) = self.home.glob("runs/spelling/*/")
        return folder

    def measured(self) -> dict[tuple[str, int], float]:
        """Every measurement by name and epoch; a kill in the last lines may leave one twice, and the last counts."""
        rows = map(json.loads, (self.run / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
        return {(row["name"], row["step"]): row["value"] for row in rows}


@pytest.mark.parametrize(("kills", "epochs"), [(3, 16), pytest.param(20, 120, marks=pytest.mark.soak)])
def test_a_training_that_is_killed_again_and_again_ends_with_the_same_bytes(
    kills: int, epochs: int, tmp_path: Path
) -> None:
    lexicon = write_lexicon(tmp_path / "words.tsv", 500)
    undisturbed = Training(tmp_path / "undisturbed", lexicon, epochs)
    undisturbed.finish()
    seconds = float(undisturbed.sessions()[0]["seconds"])  # type: ignore[arg-type]
    seed = random.SystemRandom().randrange(10**6)
    draw = random.Random(seed)
    # On average half of the undisturbed time in all, so that it does not finish before the last kill.
    moments = [draw.uniform(0, seconds / kills) for _ in range(kills)]
    print(
        f"seed {seed}: {seconds:.1f} s undisturbed, killed {', '.join(f'{m:.2f}' for m in moments)} s after each start"
    )
    killed = Training(tmp_path / "killed", lexicon, epochs)
    for moment in moments:
        killed.kill_after(moment)
    killed.finish()
    assert len(killed.sessions()) == kills + 1
    for name in ("last", "best"):
        path = f"checkpoints/{name}.safetensors"
        assert (killed.run / path).read_bytes() == (undisturbed.run / path).read_bytes(), name
    assert killed.measured() == undisturbed.measured()


def test_sigterm_stops_after_a_checkpoint_and_tells_how_to_go_on(tmp_path: Path) -> None:
    training = Training(tmp_path / "home", write_lexicon(tmp_path / "words.tsv", 500), epochs=100_000)
    process = training.start(stderr=subprocess.PIPE)
    deadline = time.monotonic() + PATIENCE
    while not list(training.home.glob("runs/spelling/*/checkpoints/state-*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(POLL)
    process.terminate()
    said = process.communicate(timeout=PATIENCE)[1].decode()
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("workings: stopped ")
    assert "the checkpoint is written, and the same command goes on from there" in said
    assert "Traceback" not in said
