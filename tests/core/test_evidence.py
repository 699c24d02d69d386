"""Which runs decide: the longest preset on the right data, longer over shorter, fresh over recorded, no stale one."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from toy.study import STUDY, Config, full, quick, smoke
from workings.core.errors import MissingEvidence, UserError
from workings.core.evidence import ANY, NONE, Archive, Evidence, Run, target
from workings.core.runs import RunStore
from workings.core.study import Study, Trial
from workings.execute.local import carry_out


def make(store: RunStore, *configs: Config, study: Study = STUDY) -> list[Run]:
    return [outcome.run for outcome in carry_out(study, configs, store)]


def recorded(run: Run, folder: Path) -> Run:
    shutil.copytree(run.folder, folder / run.id)
    return Run.read(folder / run.id, recorded=True)


def ids(evidence: Evidence) -> list[str]:
    return [run.id for run in evidence]


def test_the_longest_preset_that_has_runs_decides(store: RunStore) -> None:
    make(store, *smoke())
    assert store.archive(STUDY).evidence().preset == "smoke"
    make(store, *quick())
    assert store.archive(STUDY).evidence().preset == "quick"
    longest = make(store, *full())
    evidence = store.archive(STUDY).evidence((ANY,))
    assert evidence.preset == "full"
    assert ids(evidence) == [run.id for run in longest]  # in the preset's order


def test_a_preset_that_is_half_done_counts_with_what_it_has(store: RunStore) -> None:
    one = make(store, full()[1])
    assert ids(store.archive(STUDY).evidence()) == [one[0].id]


def test_a_run_that_stopped_short_of_a_preset_is_no_part_of_it(store: RunStore) -> None:
    make(store, replace(full()[0], epochs=3))
    assert len(store.archive(STUDY).evidence()) == 0


def test_a_run_that_went_beyond_a_preset_is_part_of_it(store: RunStore) -> None:
    make(store, replace(full()[0], epochs=9))
    evidence = store.archive(STUDY).evidence()
    assert (evidence.preset, evidence.one().reached) == ("full", 9)


def test_runs_outside_every_preset_decide_nothing(store: RunStore) -> None:
    make(store, Config(gain=7.0))
    assert len(store.archive(STUDY).evidence()) == 0


def test_an_unfinished_run_decides_nothing(store: RunStore) -> None:
    with pytest.raises(KeyboardInterrupt), store.write(Trial.of(STUDY, Config()), {}):
        raise KeyboardInterrupt
    assert len(store.archive(STUDY).evidence()) == 0


def test_evidence_of_the_right_data_is_preferred_to_a_longer_preset_on_other_data(store: RunStore) -> None:
    make(store, *full(), *smoke())
    evidence = store.archive(STUDY).evidence(("apples",))
    assert (evidence.preset, evidence.datasets) == ("smoke", ("apples",))
    assert store.archive(STUDY).evidence(("pears",)).preset == "full"


def test_where_no_run_saw_the_right_data_the_others_are_shown(store: RunStore) -> None:
    make(store, *full())
    assert store.archive(STUDY).evidence(("apples",)).datasets == ("pears",)


def test_a_preset_on_both_gives_each_claim_its_own(store: RunStore) -> None:
    def both() -> list[Config]:
        return [Config(), Config(data="pears")]

    study = replace(STUDY, presets=(both,))
    make(store, *both())
    for data in ("apples", "pears"):
        assert store.archive(study).evidence((data,)).datasets == (data,)
    assert store.archive(study).evidence((ANY,)).datasets == ("apples", "pears")


def test_exact_claims_get_the_runs_that_saw_no_data(store: RunStore) -> None:
    make(store, Config(task="count"), *full())
    evidence = store.archive(STUDY).evidence((NONE,))
    assert [run.config["task"] for run in evidence] == ["count"]


def test_counts_are_no_part_of_what_was_measured(store: RunStore) -> None:
    make(store, Config(task="count"))
    assert [run.config["task"] for run in store.archive(STUDY).evidence()] == ["count"]
    make(store, *smoke())
    assert [run.config["task"] for run in store.archive(STUDY).evidence()] == ["measure"]
    assert [run.config["task"] for run in store.archive(STUDY).evidence((NONE,))] == ["count"]


def test_the_longer_of_two_runs_counts_even_if_it_is_the_recorded_one(store: RunStore, tmp_path: Path) -> None:
    old = recorded(make(store, replace(full()[0], epochs=8))[0], tmp_path / "evidence")
    fresh = make(RunStore(tmp_path / "other"), full()[0])[0]
    assert Archive(STUDY, (fresh, old)).evidence().one() is old


def test_of_two_equally_long_runs_the_fresh_one_counts(store: RunStore, tmp_path: Path) -> None:
    fresh = make(store, full()[0])[0]
    old = recorded(fresh, tmp_path / "evidence")
    for runs in ((fresh, old), (old, fresh)):
        evidence = Archive(STUDY, runs).evidence()
        assert evidence.one() is fresh
        assert not evidence.recorded
    assert Archive(STUDY, (old,)).evidence().recorded


def test_a_stale_run_decides_nothing_and_is_counted(store: RunStore) -> None:
    make(store, *full())
    newer = replace(STUDY, version=2)
    archive = store.archive(newer)
    assert len(archive.evidence()) == 0
    assert len(archive.stale) == 3
    assert store.archive(STUDY).stale == ()


def test_a_run_of_an_older_configuration_is_passed_over(store: RunStore, tmp_path: Path) -> None:
    run = make(store, full()[0])[0]
    odd = Run(run.folder, False, {**run.info, "config": {**run.config, "colour": "red"}})
    assert len(Archive(STUDY, (odd,)).evidence()) == 0


def test_what_is_missing_is_said(store: RunStore) -> None:
    make(store, *quick())
    evidence = store.archive(STUDY).evidence()
    assert evidence.where(seed=2).metric("error") == [6.002]
    with pytest.raises(MissingEvidence, match="no run of toy with seed=7, task=measure is finished"):
        evidence.where(seed=7, task="measure")
    with pytest.raises(MissingEvidence, match="no run of toy is finished"):
        Evidence("toy", ()).one()


def test_runs_are_paired_by_what_they_share(store: RunStore) -> None:
    make(store, *quick())
    evidence = store.archive(STUDY).evidence()
    some = replace(evidence, runs=tuple(reversed(evidence.runs[1:])))
    mine, theirs = evidence.beside(some)
    assert [run.config["seed"] for run in mine] == [run.config["seed"] for run in theirs] == [1, 2]


def test_a_configuration_without_length_asks_for_one_step() -> None:
    assert target(STUDY) == 1
    assert target(Config(epochs=7)) == 7


@pytest.mark.parametrize(("name", "kind"), [("tables/t.json", "table"), ("arrays/a.safetensors", "array")])
def test_a_damaged_file_of_a_run_is_named(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.parent.mkdir()
    path.write_text("{")
    run = Run(tmp_path, recorded=False, info={"id": "1"})
    with pytest.raises(UserError, match=f"{path} cannot be read"):
        getattr(run, kind)(path.stem)
