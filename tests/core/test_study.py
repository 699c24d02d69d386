"""What a trial's id hashes."""

from dataclasses import replace
from pathlib import Path

import pytest

from toy.study import STUDY, Config
from workings.core.errors import UserError
from workings.core.study import Dataset, Study, Trial


def name(study: Study = STUDY, **fields: object) -> str:
    return Trial.of(study, Config(**fields)).id  # type: ignore[arg-type]


def test_length_is_the_trials_target_and_not_its_name() -> None:
    assert name(epochs=2) == name(epochs=4)


def test_settings_and_version_are() -> None:
    assert len({name(), name(gain=2.0), name(seed=1), name(replace(STUDY, version=2))}) == 4


def test_two_datasets_are_two_runs() -> None:
    assert name(data="apples") != name(data="pears")


def test_data_counts_by_content_not_by_where_it_lies(tmp_path: Path) -> None:
    same, other = tmp_path / "same.json", tmp_path / "other.json"
    same.write_text("[4, 8]")  # what `apples` holds
    other.write_text("[4, 9]")
    assert name(data=str(same)) == name(data="apples")
    assert name(data=str(other)) != name(data="apples")
    other.write_text("[4, 8]")
    assert name(data=str(other)) == name(data="apples")


def test_title_and_id_of_a_dataset_do_not_count() -> None:
    one, two = (Trial(STUDY, Config(), {"fruit": Dataset(n, n, "c0ffee")}) for n in ("a", "b"))
    assert one.id == two.id


def test_the_run_it_builds_on_counts() -> None:
    trial = Trial.of(STUDY, Config(task="compare", gain=3.0))
    assert trial.inputs == {"baseline": name()}
    assert replace(trial, inputs={"baseline": "0" * 12}).id != trial.id
    assert name(task="compare", seed=1) != name(task="compare", seed=2)


def test_a_trial_says_what_is_special_about_it() -> None:
    assert Trial.of(STUDY, Config(seed=2, gain=0.5)).describe() == "toy(gain=0.5, seed=2)"


def test_the_parts_of_a_slice_are_found_beside_it() -> None:
    assert [claim.id for claim in STUDY.claims] == ["ten-pips", "pips-are-odd", "error-falls", "apples-err-little"]
    assert [opinion.id for opinion in STUDY.opinions] == ["apples-are-pretty"]
    assert STUDY.published["ten-pips"]["value"] == 10
    assert STUDY.has("experiment")
    assert not STUDY.has("tool")
    assert STUDY.file("study.py").is_file()


def test_an_unknown_preset_gets_a_suggestion() -> None:
    with pytest.raises(UserError, match="no preset 'ful' \\(did you mean 'full'\\?\\): choose from smoke, quick, full"):
        STUDY.preset("ful")


def test_unknown_data_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match="there is no fruit 'plums'"):
        name(data="plums")


def test_the_preset_about_a_dataset_is_the_longest_that_has_trials_on_it() -> None:
    assert STUDY.preset_about(["apples"]) == "quick"
    assert STUDY.preset_about(["pears"]) == "full"
    assert STUDY.preset_about(["any"]) == "full"
