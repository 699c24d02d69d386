"""The verbs: run, check, record."""

from pathlib import Path

import pytest

import workings
from toy import experiment
from toy.study import Config
from workings import verbs
from workings.core.errors import UserError
from workings.core.evidence import CHECKPOINTS, METRICS_FILE, RUN_FILE, Run
from workings.core.runs import RunStore
from workings.core.study import Study, Trial

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def evidence(toy: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the toy's recorded evidence lies."""
    folder, elsewhere = tmp_path / "evidence", Study.file
    monkeypatch.setattr(Study, "file", lambda study, name: folder if name == "evidence" else elsewhere(study, name))
    return folder


def verdicts(*selectors: str, **options: object) -> dict[str, str]:
    return {finding.claim.id: str(finding.verdict.kind) for finding in verbs.check(*selectors, **options)}  # type: ignore[arg-type]


# run


def test_fields_and_presets_from_python(home: Path) -> None:
    (run,) = workings.run("toy", gain=2, epochs=3)
    assert run.metric("error") == 8.0
    assert run.folder.is_relative_to(home)
    assert [r.config["seed"] for r in workings.run("toy", preset="quick", gain=2)] == [0, 1, 2]
    assert len(workings.run("toy", preset="quick", seed=5)) == 1  # one configuration, three times


@pytest.mark.parametrize(
    ("study", "preset", "fields", "message"),
    [
        ("tooy", None, {}, r"did you mean 'toy'"),
        ("toy", "fulll", {}, r"did you mean 'full'"),
        ("toy", None, {"gian": 1}, r"no field 'gian' \(did you mean 'gain'\?\)"),
    ],
)
def test_typos_get_a_suggestion(study: str, preset: str | None, fields: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        workings.run(study, preset=preset, **fields)


# check


def test_check_runs_instant_trials_alone() -> None:
    assert verdicts("toy") == {
        "ten-pips": "supported",
        "pips-are-odd": "refuted",
        "error-falls": "not-run",
        "apples-err-little": "not-run",
    }


def test_check_run_adds_a_preset_and_a_second_check_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"error-falls": "supported", "apples-err-little": "supported"}
    assert verdicts("toy", run=True, preset="quick").items() >= wanted.items()
    monkeypatch.setattr(experiment, "run", lambda *_: pytest.fail("it was run before"))
    assert verdicts("toy", run=True).items() >= wanted.items()


def test_a_longer_preset_on_other_data_does_not_take_a_verdict_away() -> None:
    verdicts("toy", run=True, preset="quick")
    assert verdicts("toy", run=True, preset="full")["apples-err-little"] == "supported"


def test_a_claim_on_data_no_run_saw_is_left_open() -> None:
    assert verdicts("toy", run=True, preset="full")["apples-err-little"] == "inconclusive"


def test_a_preset_without_run_is_a_mistake() -> None:
    with pytest.raises(UserError, match="add --run"):
        verbs.check("toy", preset="quick")


# record


def finished(**fields: object) -> Run:
    (run,) = workings.run("toy", **fields)
    return run


def test_a_recorded_run_has_everything_but_weights(evidence: Path, home: Path) -> None:
    run = finished(epochs=4)
    (copy,) = verbs.record([run.id[:8]])
    assert copy == evidence / run.id
    assert (run.folder / CHECKPOINTS).is_dir()
    assert sorted(path.name for path in copy.iterdir()) == ["arrays", METRICS_FILE, RUN_FILE]
    assert Run.read(copy, recorded=True).metrics == run.metrics
    assert sorted(path.name for path in evidence.iterdir()) == [run.id]


def test_of_many_runs_alike_the_pictures_can_be_left_out(evidence: Path) -> None:
    run = finished(epochs=4)
    (run.folder / "pictures").mkdir()
    (run.folder / "pictures" / "apple.png").write_bytes(b"apple")
    (copy,) = verbs.record([run.id])
    assert (copy / "pictures" / "apple.png").is_file()
    (copy,) = verbs.record([run.id], pictures=False)
    assert sorted(path.name for path in copy.iterdir()) == ["arrays", METRICS_FILE, RUN_FILE]


def test_recorded_evidence_decides_on_a_fresh_clone(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs.record([finished().id])
    monkeypatch.setenv("WORKINGS_HOME", str(tmp_path / "clone"))
    (finding,) = verbs.check("toy.apples-err-little")
    assert finding.to_json()["recorded"] is True
    assert finding.verdict.kind == "supported"
    assert verdicts("toy.apples-err-little", fresh=True) == {"apples-err-little": "not-run"}


def test_a_longer_run_replaces_what_was_recorded(evidence: Path) -> None:
    verbs.record([finished(epochs=2).id])
    verbs.record([finished(epochs=4).id])
    (copy,) = evidence.iterdir()
    assert Run.read(copy, recorded=True).reached == 4


def test_evidence_stays_small(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, refused = finished(seed=1), finished(seed=2)
    verbs.record([kept.id])
    size = sum(path.stat().st_size for path in evidence.rglob("*") if path.is_file())
    monkeypatch.setattr(verbs, "RECORD_LIMIT", size * 3 // 2)
    with pytest.raises(UserError, match=rf"would hold [\d,]+ bytes, more than {size * 3 // 2:,}"):
        verbs.record([refused.id])
    assert [path.name for path in evidence.iterdir()] == [kept.id]
    verbs.record([kept.id])  # in place of itself


def test_an_unfinished_run_is_not_recorded(evidence: Path, toy: Study) -> None:
    trial = Trial.of(toy, Config())
    with pytest.raises(KeyboardInterrupt), RunStore.default().write(trial, {}):
        raise KeyboardInterrupt
    with pytest.raises(UserError, match=f"run {trial.id} is not finished"):
        verbs.record([trial.id])
    assert not evidence.exists()


def test_a_stale_run_is_not_recorded(evidence: Path, toy: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished()
    monkeypatch.setitem(toy.__dict__, "version", 2)
    with pytest.raises(UserError, match=f"run {run.id} is of version 1 of toy, which is now 2"):
        verbs.record([run.id])
    assert not evidence.exists()


def test_recording_clears_away_what_has_become_stale(
    evidence: Path, toy: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs.record([finished().id])
    monkeypatch.setitem(toy.__dict__, "version", 2)
    new = finished()
    verbs.record([new.id])
    assert [path.name for path in evidence.iterdir()] == [new.id]


def test_a_run_that_does_not_exist(evidence: Path) -> None:
    with pytest.raises(UserError, match="no run begins so"):
        verbs.record(["abcdef"])
