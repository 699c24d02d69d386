"""Trials are carried out once, resumed where they are lengthened, and told of before they start."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import workings
from toy import experiment
from toy.study import STUDY, Config
from workings.core.errors import RunBusy, UserError
from workings.core.runs import Recorder, RunStore
from workings.core.study import Study, Trial
from workings.execute.local import Options, Outcome, carry_out
from workings.execute.provenance import provenance


@pytest.fixture
def began(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """The configurations whose experiment was started, in order."""
    seen: list[Config] = []
    run: Callable[[Config, Recorder], None] = experiment.run
    monkeypatch.setattr(experiment, "run", lambda config, recorder: (seen.append(config), run(config, recorder))[1])
    return seen


def one(config: Config, store: RunStore, **options: object) -> Outcome:
    (outcome,) = carry_out(STUDY, [config], store, Options(**options))  # type: ignore[arg-type]
    return outcome


def test_a_finished_trial_is_never_run_twice(store: RunStore, began: list[Config]) -> None:
    first, second = one(Config(), store), one(Config(), store)
    assert (first.made, second.made) == (True, False)
    assert second.run == first.run
    assert began == [Config()]


def test_a_shorter_request_is_met_by_a_longer_run(store: RunStore, began: list[Config]) -> None:
    one(Config(epochs=4), store)
    assert not one(Config(epochs=2), store).made
    assert len(began) == 1


def test_device_and_threads_do_not_make_another_run(store: RunStore) -> None:
    first = one(Config(), store)
    second = one(Config(), store, device="cuda", threads=7)
    assert not second.made
    assert second.run.id == first.run.id


def test_again_runs_again(store: RunStore, began: list[Config]) -> None:
    one(Config(), store)
    assert one(Config(), store, again=True).made
    assert len(began) == 2


def test_asking_for_more_goes_on_where_the_run_stopped(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    epochs: list[int] = []
    monkeypatch.setattr(experiment, "after", epochs.append)
    two, four = one(Config(epochs=2), store), one(Config(epochs=4), store)
    assert epochs == [1, 2, 3, 4]
    assert four.made
    assert two.run.id == four.run.id
    assert (two.run.reached, four.run.reached) == (2, 4)
    assert four.run.config["epochs"] == 4
    assert four.run.series("error") == [(1, 12.0), (2, 6.0), (3, 4.0), (4, 3.0)]


def test_what_was_interrupted_goes_on(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def accident(epoch: int) -> None:
        if epoch == 2:
            raise RuntimeError("a cable came loose")

    monkeypatch.setattr(experiment, "after", accident)
    with pytest.raises(RuntimeError):
        one(Config(epochs=4), store)
    epochs: list[int] = []
    monkeypatch.setattr(experiment, "after", epochs.append)
    run = one(Config(epochs=4), store).run
    assert epochs == [3, 4]
    undisturbed = one(Config(epochs=4), RunStore(store.root / "other")).run
    assert run.series("error") == undisturbed.series("error")


def test_two_datasets_are_two_runs(store: RunStore) -> None:
    apples, pears = (one(Config(data=data), store).run for data in ("apples", "pears"))
    assert apples.id != pears.id
    assert (apples.metric("error"), pears.metric("error")) == (6.0, 24.0)


def test_what_a_trial_needs_is_made_first_and_once(store: RunStore, began: list[Config]) -> None:
    compare = [Config(task="compare", gain=gain) for gain in (2.0, 3.0)]
    outcomes = carry_out(STUDY, compare, store)
    assert began == [Config(), *compare]
    assert [o.run.metric("difference") for o in outcomes] == [2.0 - 6.0, 3.0 - 6.0]
    assert outcomes[0].run.info["inputs"] == {"baseline": Trial.of(STUDY, Config()).id}


def test_again_is_about_what_was_asked_for_and_not_its_inputs(store: RunStore, began: list[Config]) -> None:
    compare = Config(task="compare")
    one(compare, store)
    one(compare, store, again=True)
    assert began == [Config(), compare, compare]


def test_a_configuration_asked_for_twice_is_one(store: RunStore, began: list[Config]) -> None:
    assert len(carry_out(STUDY, [Config(), Config(gain=1)], store)) == 1
    assert len(began) == 1


def test_every_trial_is_announced_with_whether_it_is_there(store: RunStore) -> None:
    told: list[tuple[str, bool]] = []
    for _ in range(2):
        carry_out(STUDY, [Config(seed=1)], store, notice=lambda trial, there: told.append((trial.describe(), there)))
    assert told == [("toy(seed=1)", False), ("toy(seed=1)", True)]


def test_a_run_says_where_it_comes_from(store: RunStore) -> None:
    session = one(Config(), store, threads=1).run.sessions[0]
    assert session["packages"]["workings"] == workings.__version__
    assert session["threads"] == 1
    assert {"command", "commit", "python", "platform", "device", "started", "seconds"} <= session.keys()


def test_provenance_names_no_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = tmp_path / "fruit.json"
    mine.touch()
    typed = [str(tmp_path / "workings"), "run", "toy", "--data", str(mine), f"--data={mine}", "--f", "x/y"]
    monkeypatch.setattr("sys.argv", typed)
    command = provenance(device="cpu", threads=None)["command"]
    assert command == "workings run toy --data fruit.json --data=fruit.json --f x/y"


@pytest.mark.parametrize("options", [{"jobs": 0}, {"threads": 0}, {"threads": -2}])
def test_jobs_and_threads_are_counted_from_one(options: dict[str, int]) -> None:
    with pytest.raises(UserError, match="counted from 1"):
        Options(**options)  # type: ignore[arg-type]


# Several processes


def test_trials_run_side_by_side(toy: Study, store: RunStore) -> None:
    """With an input that both need, and one that is needed and asked for too."""
    configs = [Config(task="compare", gain=2.0), Config(), Config(task="compare", gain=3.0)]
    outcomes = carry_out(toy, configs, store, Options(jobs=2))
    assert [o.made for o in outcomes] == [True, True, True]
    assert [o.run.config["gain"] for o in outcomes] == [2.0, 1.0, 3.0]
    assert [o.run.metrics for o in outcomes] == [{"difference": -4.0}, {"error": 6.0}, {"difference": -3.0}]
    assert not any(o.made for o in carry_out(toy, configs, store, Options(jobs=2)))


def test_a_worker_s_error_reaches_the_caller(toy: Study, store: RunStore) -> None:
    configs = [Config(data="plums"), Config()]
    with pytest.raises(UserError, match="there is no fruit 'plums'"):
        carry_out(toy, configs, store, Options(jobs=2))


def test_a_run_that_another_process_holds_is_busy(toy: Study, store: RunStore) -> None:
    configs = [Config(seed=seed) for seed in range(2)]
    with (
        store.write(Trial.of(toy, configs[0]), {"pid": os.getpid()}),
        pytest.raises(RunBusy, match=r"toy\(\)\) is being written by another process"),
    ):
        carry_out(toy, configs, store, Options(jobs=2))


def test_a_commit_is_marked_where_any_file_of_the_package_was_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    from workings.execute import provenance as module

    asked: list[list[str]] = []

    def git(words: list[str], **_: object) -> object:
        asked.append(words)
        return type("Done", (), {"stdout": "abc\n" if "rev-parse" in words else " M core/runs.py\n"})

    monkeypatch.setattr(module.subprocess, "run", git)
    module._commit.cache_clear()
    try:
        assert module._commit() == "abc+"
    finally:
        module._commit.cache_clear()
    assert all(words[2].endswith("workings") for words in asked), "the whole package is looked at"
