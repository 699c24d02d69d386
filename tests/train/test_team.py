"""Several processes train one network: the same weights as one, stopped together, and none waits for the dead."""

import os
import signal
import time
from collections.abc import Mapping
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from train import crew
from train.tiny_gan import Gan, train
from train.tiny_learner import kept
from workings.core.errors import UserError
from workings.core.evidence import read_rows
from workings.train import team as team_module
from workings.train.launch import Launch
from workings.train.team import Team, team

EPOCHS = 3
SINGLE, DOUBLE = 2e-5, 1e-12
"""Largest difference of a weight (of size about 1) after 12 updates. Sums are taken in another order, so each update
differs by rounding: 1e-7 or 1e-16 of a gradient, which Adam magnifies where a gradient is near 0."""


def work(folder: Path, epochs: int = EPOCHS, changes: Mapping[str, Any] | None = None, patience: float = 60.0) -> None:
    """What each process does. All but the first record to a folder that is thrown away, as `execute` has it."""
    team_module.PATIENCE = timedelta(seconds=patience)
    changes = dict(changes or {})
    learner = changes.pop("learner", Gan)(**changes)
    if team().leads:
        train(learner, folder, epochs)
    else:
        with TemporaryDirectory() as elsewhere:
            train(learner, Path(elsewhere), epochs)


EXACT: dict[str, Any] = {"normalised": False, "dropout": 0.0}
"""No batch statistics and nothing drawn within a step."""


@pytest.mark.parametrize(("ranks", "dtype", "tolerance"), [(2, "float32", SINGLE), (3, "float64", DOUBLE)])
def test_several_processes_reach_the_weights_of_one(ranks: int, dtype: str, tolerance: float, tmp_path: Path) -> None:
    changes = EXACT | {"dtype": getattr(torch, dtype)}
    work(tmp_path / "one", changes=changes)
    assert crew.codes(crew.start(work, tmp_path / "several", EPOCHS, changes, ranks=ranks)) == [0] * ranks
    one, several = (load_file(tmp_path / name / "checkpoints/last.safetensors") for name in ("one", "several"))
    assert one.keys() == several.keys()
    assert max(float((one[key] - several[key]).abs().max()) for key in one) < tolerance
    rows = [
        {(r["name"], r["step"]): r["value"] for r in read_rows(tmp_path / name / "metrics.jsonl")}
        for name in ("one", "several")
    ]
    assert rows[1] == pytest.approx(rows[0], abs=tolerance), "metrics are those of whole batches"


def test_with_batch_statistics_the_same_command_ends_with_the_same_bytes_and_with_others_than_one_process(
    tmp_path: Path,
) -> None:
    for name in ("a", "b"):
        assert crew.codes(crew.start(work, tmp_path / name)) == [0, 0]
    work(tmp_path / "one")
    assert kept(tmp_path / "a") == kept(tmp_path / "b")
    assert kept(tmp_path / "a") != kept(tmp_path / "one")


def state(folder: Path) -> bool:
    return any(folder.glob("checkpoints/state-*"))


def await_checkpoint(folder: Path, members: list[BaseProcess]) -> None:
    deadline = time.monotonic() + crew.PATIENCE
    while not state(folder):
        assert time.monotonic() < deadline
        assert all(member.is_alive() for member in members), "it ended before it began"
        time.sleep(0.01)


@pytest.mark.parametrize("rank", [0, 1])
def test_sigterm_to_either_stops_both_after_a_checkpoint_from_which_they_go_on(rank: int, tmp_path: Path) -> None:
    assert crew.codes(crew.start(work, tmp_path / "undisturbed", 40)) == [0, 0]
    members = crew.start(work, tmp_path / "run", 40, told=tmp_path / "told")
    await_checkpoint(tmp_path / "run", members)
    os.kill(members[rank].pid or 0, signal.SIGTERM)
    assert crew.codes(members) == [130, 130]
    said = [(tmp_path / "told" / str(r)).read_text().splitlines()[-1] for r in (0, 1)]
    assert said[0] == said[1]
    assert "the checkpoint is written" in said[0]
    assert crew.codes(crew.start(work, tmp_path / "run", 40)) == [0, 0]
    assert kept(tmp_path / "run") == kept(tmp_path / "undisturbed")


@pytest.mark.parametrize("rank", [0, 1])
def test_a_dead_process_ends_the_others_with_one_line(rank: int, tmp_path: Path) -> None:
    members = crew.start(work, tmp_path / "run", 100_000, told=tmp_path / "told")
    await_checkpoint(tmp_path / "run", members)
    members[rank].kill()
    assert crew.codes(members)[1 - rank] == 2
    assert "another process of this training has died" in (tmp_path / "told" / str(1 - rank)).read_text()


def test_a_silent_process_is_given_up_in_the_end(tmp_path: Path) -> None:
    members = crew.start(work, tmp_path / "run", 100_000, None, 3.0, told=tmp_path / "told")
    await_checkpoint(tmp_path / "run", members)
    os.kill(members[1].pid or 0, signal.SIGSTOP)
    members[0].join(crew.PATIENCE)
    crew_codes = members[0].exitcode
    members[1].kill()
    assert crew_codes == 2


class Astray(Gan):
    """Updates by hand, past the team."""

    def step(self, batch: tuple[Tensor, Tensor], at: float) -> Mapping[str, Tensor]:
        loss = self.critic(self.real[batch[0]]).mean()
        loss.backward()
        self.optimizers["critic"].step()
        return {"loss": loss}


def test_weights_that_drift_apart_are_noticed(tmp_path: Path) -> None:
    members = crew.start(work, tmp_path / "run", 2, {"learner": Astray}, told=tmp_path / "told")
    assert crew.codes(members) == [2, 2]
    assert "drifted apart" in (tmp_path / "told/1").read_text()


# Shares, in one process


@pytest.mark.parametrize("size", range(1, 8))
@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_shares_are_disjoint_and_whole_and_weigh_one(size: int, ranks: int) -> None:
    members = [Team(rank, ranks) for rank in range(ranks)]
    shares = [member.share(torch.arange(size)) for member in members]
    assert sum(m.weight for m in members) == pytest.approx(1)
    assert torch.cat([s for s, m in zip(shares, members, strict=True) if m.weight]).tolist() == list(range(size))
    assert all(len(share) for share in shares), "a process without a share works on something, with weight 0"


def test_lists_tuples_and_mappings_are_cut_in_step() -> None:
    batch = (list("abcd"), {"x": torch.arange(4)})
    words, more = Team(1, 2).share(batch)
    assert (words, more["x"].tolist()) == (["c", "d"], [2, 3])


def test_what_cannot_be_cut_is_refused_by_its_type() -> None:
    with pytest.raises(UserError, match="a batch of type int cannot be shared"):
        Team(0, 2).share(3)


def test_alone_a_batch_is_left_as_it_is_and_nothing_is_weighed() -> None:
    batch = object()
    assert Team().share(batch) is batch
    assert Team().agree({"loss": torch.tensor(2.0)}, True) == ({"loss": torch.tensor(2.0, dtype=torch.float64)}, True)
    assert Team().send(b"x") == b"x"


def test_variables_that_are_no_counts_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from workings.train import launch as module

    for name in module.VARIABLES:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("RANK", "first")
    with pytest.raises(UserError, match="RANK=first"):
        module.launch.__wrapped__()
    monkeypatch.delenv("MASTER_PORT")
    assert module.launch.__wrapped__() == Launch(), "torchrun sets them all, or it was not torchrun"
