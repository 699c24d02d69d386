"""`torchrun -m workings run …`: one run, written and told by the first process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from studies.spelling.shop import write_lexicon
from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.execute import local
from workings.execute.local import Options, carry_out
from workings.train.launch import Launch

PATIENCE = 300.0


def torchrun(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "workings", *words]
    environment = {**os.environ, "WORKINGS_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=PATIENCE)


def test_two_processes_carry_one_trial_out_together(tmp_path: Path) -> None:
    lexicon = write_lexicon(tmp_path / "words.tsv", 500)
    flags = ["--epochs", "2", "--hidden", "16", "--batch", "20", "--limit", "300", "--max-length", "12"]
    words = ["run", "spelling", "--attention", "--data", str(lexicon), *flags]
    done = torchrun(tmp_path / "home", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("validation/cer") == 1, "one process speaks"
    (folder,) = tmp_path.glob("home/runs/spelling/*/")
    run = Run.read(folder, recorded=False)
    assert run.reached == 2
    assert [session["processes"] for session in run.sessions] == [2]
    assert [step for step, _ in run.series("train/loss")] == [1, 2]


def test_what_the_first_process_decides_holds_for_all(
    monkeypatch: pytest.MonkeyPatch, toy: Study, tmp_path: Path
) -> None:
    """The second finds a run finished that the first saw missing: it takes part all the same, and writes nothing."""
    store, config = RunStore(tmp_path), toy.config()
    carry_out(toy, [config], store)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json*")}
    monkeypatch.setattr(local, "launch", lambda: Launch(1, 2, 1, 2))
    monkeypatch.setattr(local, "_led", lambda decision: False)
    told: list[object] = []
    (outcome,) = carry_out(toy, [config], store, notice=lambda *words: told.append(words))
    assert outcome.made
    assert not told
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json*")} == before


def test_jobs_beside_torchrun_are_refused(monkeypatch: pytest.MonkeyPatch, toy: Study, tmp_path: Path) -> None:
    monkeypatch.setattr(local, "launch", lambda: Launch(0, 2, 0, 2))
    with pytest.raises(UserError, match="jobs is 2 under torchrun"):
        carry_out(toy, [toy.config()], RunStore(tmp_path), Options(jobs=2))
