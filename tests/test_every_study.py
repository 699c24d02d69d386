"""What holds for every study, present and to come: its files, its presets, its claims, its figures, its evidence."""

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from workings.core.config import from_json, length_field, to_json
from workings.core.evidence import ANY, NONE, recorded_runs
from workings.core.registry import studies
from workings.core.study import Study
from workings.verbs import RECORD_LIMIT

FILES = ("study.py", "model.py", "experiment.py", "claims.py", "figures.py", "tool.py", "notes.md", "published.toml")
SHEETS = ("nyu-2025-hw3", "ist-2025-hw2", "nyu-2023-hw", "gatech-2024-ps2")
OURS = [study for study in studies().values() if study.package.startswith("workings.studies.")]
each_study = pytest.mark.parametrize("study", OURS, ids=lambda study: study.id)


@each_study
def test_it_has_the_files_of_a_slice(study: Study) -> None:
    missing = [name for name in FILES if not study.file(name).is_file()]
    assert not missing


@each_study
def test_it_is_from_a_sheet(study: Study) -> None:
    assert study.sources
    assert all(source.partition("/")[0] in SHEETS for source in study.sources)


@each_study
def test_its_configuration_explains_every_field_and_survives_json(study: Study) -> None:
    source = Path(str(study.file("study.py"))).read_text(encoding="utf-8")
    for field in dataclasses.fields(study.config):
        assert re.search(rf'^    {field.name}: .*\n    """', source, re.MULTILINE), f"{field.name} has no docstring"
    length_field(study.config)
    for preset in study.presets:
        for config in preset():
            assert from_json(study.config, to_json(config)) == config


@each_study
def test_its_presets_are_named_alike_and_differ_in_their_trials(study: Study) -> None:
    names = [preset.__name__ for preset in study.presets]
    assert names[:2] == ["smoke", "quick"]
    assert "full" in names[2:]  # a study may have others, for data or recipes of their own
    for preset in study.presets:
        configs = preset()
        assert configs
        assert len(set(configs)) == len(configs)
        assert preset.__doc__


@each_study
def test_its_claims_can_be_read_and_found(study: Study) -> None:
    assert study.claims
    for claim in study.claims:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", claim.id)
        assert claim.statement.endswith(".")
        assert claim.rule.endswith(".")
        assert claim.source == "own" or claim.source.partition("/")[0] in SHEETS
        assert claim.about
        assert not {ANY, NONE} & set(claim.about) or len(claim.about) == 1


@each_study
def test_what_is_refuted_is_repaired(study: Study) -> None:
    """The errata say of each wrong statement of a sheet what would be right."""
    for claim in study.claims:
        if claim.expect == "refuted" and claim.source != "own":
            assert claim.repair.endswith(".")


@each_study
def test_no_published_figure_is_typed_outside_its_transcription(study: Study) -> None:
    """A distinctive figure of `published.toml` (three decimals, five digits) stands in no other file of the slice."""
    text = study.file("published.toml").read_text(encoding="utf-8")
    figures = set(re.findall(r"(?<![\w.-])\d+\.\d{3,}|\b\d{5,}\b", text))
    tomllib.loads(text)
    for name in ("study.py", "model.py", "experiment.py", "claims.py", "figures.py", "tool.py", "notes.md"):
        typed = figures & set(
            re.findall(r"\d+\.\d+|\d+", study.file(name).read_text(encoding="utf-8").replace(",", ""))
        )
        assert not typed, f"{name} types {typed}"


@each_study
def test_its_figures_speak_to_those_who_cannot_see(study: Study) -> None:
    for figure in study.figures:
        assert figure.caption.endswith(".")
        assert len(figure.alt) > 40


@each_study
def test_its_verbs_are_documented_with_an_example(study: Study) -> None:
    for verb in study.part("tool").VERBS:
        assert f"workings use {study.id} {verb.__name__.replace('_', '-')}" in (verb.__doc__ or "")


@each_study
def test_its_recorded_evidence_is_current_small_and_without_paths(study: Study) -> None:
    folder = Path(str(study.file("evidence")))
    runs = recorded_runs(study)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= RECORD_LIMIT
    for run in runs:
        assert run.version == study.version, "a new version of the study needs its evidence made anew"
        assert run.reached
        text = (run.folder / "run.json").read_text(encoding="utf-8")
        assert "/home/" not in text
        assert "/root/" not in text
        assert "/tmp/" not in text
