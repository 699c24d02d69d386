"""Trials on a Ray cluster of two nodes, both on this machine: the same runs, whatever happens to a trial or a node.

Skipped where Ray (the extra ``cluster``) is not installed. What a node does, and how a run travels, is tested without
Ray in `test_node.py` and `test_parcel.py`, and what there is to say of an address in `test_connection.py`.
"""

import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from execute.conftest import measured
from execute.relay.study import STUDY as RELAY
from execute.relay.study import Config as Runner
from toy.study import STUDY as TOY
from toy.study import Config
from workings.core.errors import UserError
from workings.core.runs import RunStore
from workings.core.study import Trial
from workings.execute.local import Options, carry_out

pytestmark = [
    pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed (extra `cluster`): no cluster is tried"),
    pytest.mark.filterwarnings("ignore"),  # Ray warns of itself
    pytest.mark.usefixtures("relay"),
]

MEMORY = 80 << 20
"""Bytes of a node's object store: the least that Ray takes is 75 MiB."""
LONG = 120.0
"""Seconds after which what has not happened will not; the machine may be busy."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runners leave notes."""
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="module")
def cluster(installed: list[Path], desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two nodes of one processor each, with a store that is not the driver's; the driver is connected."""
    with pytest.MonkeyPatch.context() as patch:
        tests = Path(__file__).parents[1]
        path = [*map(str, installed), str(tests), os.environ.get("PYTHONPATH", "")]
        home = tmp_path_factory.mktemp("nodes")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
        patch.setenv("WORKINGS_HOME", str(home))
        patch.setenv("RELAY_DESK", str(desk))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        import ray
        from ray._raylet import AuthenticationTokenLoader, Config
        from ray.cluster_utils import Cluster

        Config.initialize("")  # Ray reads its settings when it is imported, which an earlier test may have done
        AuthenticationTokenLoader.instance().reset_cache()

        made = Cluster(True, head_node_args={"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False})
        try:
            second = made.add_node(num_cpus=1, object_store_memory=MEMORY)
            ray.init(address=made.address, log_to_driver=False, logging_level="error")
            (nodes,) = [RunStore(home / "cluster" / node["NodeManagerHostname"]) for node in ray.nodes()[:1]]
            yield SimpleNamespace(cluster=made, second=second, store=nodes, on=f"ray:{made.address}", ray=ray)
        finally:
            ray.shutdown()
            made.shutdown()


def test_a_sweep_is_byte_for_byte_that_of_one_machine(
    cluster: Any, store: RunStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = [Config(seed=seed, epochs=3) for seed in range(4)]
    there = carry_out(TOY, sweep, store, Options(on=cluster.on))
    here = carry_out(TOY, sweep, RunStore(tmp_path / "here"), Options(jobs=1))
    assert [outcome.made for outcome in there] == [True] * 4
    assert [measured(outcome.run) for outcome in there] == [measured(outcome.run) for outcome in here]
    assert [outcome.run.id for outcome in there] == [outcome.run.id for outcome in here]
    assert all("/" in outcome.run.sessions[-1]["node"] for outcome in there)
    told = capsys.readouterr().err
    assert told.count("finished toy(") == 4
    assert "(4 of 4)" in told
    assert not any(outcome.made for outcome in carry_out(TOY, sweep, store, Options(on="ray:192.0.2.9:1")))


def test_a_needed_run_goes_along_or_is_made_first(cluster: Any, store: RunStore) -> None:
    (baseline,) = carry_out(TOY, [Config(seed=7)], store)
    compare = [Config(task="compare", gain=gain, seed=seed) for gain, seed in ((2.0, 7), (3.0, 8))]
    outcomes = carry_out(TOY, compare, store, Options(on=cluster.on))
    assert [round(o.run.metric("difference"), 3) for o in outcomes] == [2.0 - 6.007, 3.0 - 6.008]
    along, made = (cluster.store.read(Trial.of(TOY, Config(seed=seed))) for seed in (7, 8))
    assert "node" not in along.sessions[-1]
    assert "node" in made.sessions[-1]
    assert store.read(Trial.of(TOY, Config(seed=8))) is not None
    assert measured(along).items() <= measured(baseline.run).items()


def test_trials_that_fail_are_told_and_the_others_arrive(
    cluster: Any, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match=r"3 of 5 trials failed: relay\(mishap=refuses\): node .*; relay") as failure:
        carry_out(RELAY, RELAY.preset("quick"), store, Options(on=cluster.on))
    told = capsys.readouterr().err
    for mishap, reason in {
        "refuses": "not in this weather",
        "diverges": "the pace is no longer finite",
        "stumbles": "ZeroDivisionError: over a root",
    }.items():
        assert f"failed relay(mishap={mishap})" in told
        assert reason in told
        assert reason in str(failure.value)
    assert sorted(run.config["seed"] for run in store.runs("relay")) == [0, 1]


def test_a_node_that_lacks_the_data(cluster: Any, store: RunStore, tmp_path: Path) -> None:
    mine = tmp_path / "fruit.json"
    mine.write_text("[1, 2]")
    trials = [Config(data=str(mine)), Config(seed=3)]
    gone = lambda trial, there: mine.unlink(missing_ok=True)  # noqa: E731
    with pytest.raises(UserError, match=r"1 of 2 trials failed: .*node .*/.*: it lacks the data '.*fruit.json'"):
        carry_out(TOY, trials, store, Options(on=cluster.on), gone)
    assert [run.config["seed"] for run in store.runs("toy")] == [3]


def test_a_process_that_is_killed_goes_on_from_its_checkpoint(cluster: Any, store: RunStore) -> None:
    (outcome,) = carry_out(RELAY, [Runner(mishap="falls")], store, Options(on=cluster.on))
    assert outcome.run.table("began") == 2
    assert outcome.run.series("way") == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert len(outcome.run.sessions) == 2


def test_one_process_speaks_to_one_cluster(cluster: Any, store: RunStore) -> None:
    with pytest.raises(UserError, match=r"ray:192\.0\.2\.9:1: this process is connected to .* already"):
        carry_out(TOY, [Config(seed=9)], store, Options(on="ray:192.0.2.9:1"))


def test_more_than_any_node_has(cluster: Any, store: RunStore) -> None:
    with pytest.raises(UserError, match="none of the cluster's 2 nodes has 64 processors and 0 GPUs"):
        carry_out(TOY, [Config(seed=9)], store, Options(on=cluster.on, threads=64))


def test_from_the_command_line(cluster: Any, home: Path) -> None:
    """In a process of its own, which connects; standard output holds results alone."""
    path = [*map(str, sys.path), os.environ.get("PYTHONPATH", "")]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))}

    def typed(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "workings.cli", "run", "relay", *words, "--on", cluster.on]
        return subprocess.run(command, env=env, capture_output=True, text=True)

    done = typed("--seed", "5", "--threads", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("relay(seed=5)  run ")
    assert [line.split(" on ")[0] for line in done.stderr.splitlines()] == [
        "running relay(seed=5)",
        "finished relay(seed=5)",
    ]
    (run,) = RunStore(home).runs("relay")
    assert run.sessions[-1]["command"].endswith("run relay --seed 5 --threads 1 --on ray"), "and no address"
    failed = typed("--seed", "5", "--mishap", "refuses")
    assert failed.returncode == 2
    assert failed.stdout == ""
    assert "not in this weather: wait for spring" in failed.stderr.splitlines()[-1]


def test_a_node_that_is_killed(
    cluster: Any, store: RunStore, desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last test: one node is left then."""
    configs = RELAY.preset("full")
    monkeypatch.setattr("workings.execute.cluster.LOOK", 0.1)

    def kill() -> None:
        deadline = time.monotonic() + LONG
        while len(list(desk.glob("waits-*"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        cluster.cluster.remove_node(cluster.second, allow_graceful=False)
        while sum(node["Alive"] for node in cluster.ray.nodes()) > 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(10 * 0.1)  # the driver looks as well, while the other trial still waits
        (desk / "sign").touch()

    killer = threading.Thread(target=kill)
    killer.start()
    outcomes = carry_out(RELAY, configs, store, Options(on=cluster.on))
    killer.join()
    assert [outcome.run.metric("way") for outcome in outcomes] == [3.0, 6.0, 9.0]
    assert len(list(desk.glob("waits-*"))) == 4, "one of the three was started twice"
    assert len({outcome.run.sessions[-1]["node"] for outcome in outcomes}) <= 2
    assert "is gone: its trials start again elsewhere" in capsys.readouterr().err
