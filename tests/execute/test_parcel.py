"""A run travels whole; one that was damaged, altered or made up is refused, and the store stays as it was."""

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from execute.conftest import measured
from toy.study import STUDY, Config
from workings.core.errors import RunBusy, UserError
from workings.core.evidence import Run
from workings.core.runs import RunStore
from workings.core.study import Trial
from workings.execute.local import carry_out
from workings.execute.parcel import MANIFEST, adopt, pack

Files = dict[str, bytes]


@pytest.fixture
def run(store: RunStore) -> Run:
    """A finished run, made elsewhere."""
    (outcome,) = carry_out(STUDY, [Config()], store)
    return outcome.run


@pytest.fixture
def here(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "here")


TRIAL = Trial.of(STUDY, Config())


def opened(parcel: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(parcel)) as file:
        return {name: file.read(name) for name in file.namelist()}


def closed(files: Files, *, link: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK if name == link else stat.S_IFREG) << 16
            file.writestr(info, content)
    return buffer.getvalue()


def listing(files: Files) -> Files:
    """With a manifest that fits, as a forger would write it."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != MANIFEST}
    return files | {MANIFEST: json.dumps(hashes).encode()}


def edited(files: Files, **changes: object) -> Files:
    info = json.loads(files["run.json"]) | changes
    return listing(files | {"run.json": json.dumps(info).encode()})


def test_a_run_arrives_as_it_was(run: Run, here: RunStore) -> None:
    adopted = adopt(pack(run.folder), TRIAL, here, reached=2)
    assert adopted.folder == here.folder("toy", run.id)
    assert measured(adopted) == measured(run)
    assert adopted.info == run.info
    assert [path.name for path in here.root.iterdir()] == ["runs"]


def test_it_takes_the_place_of_a_shorter_one_and_not_of_one_being_written(run: Run, here: RunStore) -> None:
    carry_out(STUDY, [Config(epochs=1)], here)
    with here.write(TRIAL, {}), pytest.raises(RunBusy, match=f"run {TRIAL.id} .* is being written here"):
        adopt(pack(run.folder), TRIAL, here)
    adopted = adopt(pack(run.folder), TRIAL, here)
    assert measured(adopted) == measured(run)
    assert len(here.runs("toy")) == 1
    assert not carry_out(STUDY, [Config()], here)[0].made


def test_an_input_needs_nothing_to_go_on_from(run: Run) -> None:
    (run.folder / "checkpoints" / "state-000001-00000000-ab.safetensors").touch()
    (run.folder / "checkpoints" / ".best.safetensors.7.tmp").touch()
    kept = {"checkpoints/state.json", "metrics.jsonl", "run.json", "arrays/grid.safetensors", MANIFEST}
    assert set(opened(pack(run.folder, resumable=False))) == kept
    assert len(opened(pack(run.folder))) == len(kept) + 1


FORGERIES: dict[str, tuple[Callable[[Files], bytes], str]] = {
    "no archive": (lambda files: b"hello", "it is cut off or damaged"),
    "nothing": (lambda files: b"", "it is cut off or damaged"),
    "cut off": (lambda files: closed(files)[:-40], "it is cut off or damaged"),
    "a flipped bit": (lambda files: closed(files).replace(b'"error"', b'"errOr"', 1), "damaged"),
    "an altered metric": (
        lambda files: closed(files | {"metrics.jsonl": files["metrics.jsonl"].replace(b"12.0", b"11.0")}),
        "'metrics.jsonl' is not the file that was sent",
    ),
    "a missing array": (
        lambda files: closed({name: c for name, c in files.items() if "grid" not in name}),
        "'arrays/grid.safetensors' is not the file that was sent",
    ),
    "an extra table": (lambda files: closed(files | {"tables/result.json": b"{}"}), "not the file that was sent"),
    "no manifest": (lambda files: closed({n: c for n, c in files.items() if n != MANIFEST}), "no sound run"),
    "a manifest that is a list": (lambda files: closed(files | {MANIFEST: b"[1]"}), "no sound run"),
    "a name that climbs": (lambda files: closed(listing(files | {"../evil": b""})), "climbs out of the folder"),
    "an absolute name": (lambda files: closed(listing(files | {"/tmp/evil": b""})), "does not lie inside"),
    "a link": (lambda files: closed(files, link="metrics.jsonl"), "is a link"),
    "a stranger": (lambda files: closed(listing(files | {"study.py": b""})), "'study.py' is no file of a run"),
    "a lock": (lambda files: closed(listing(files | {".lock": b""})), "'.lock' is no file of a run"),
    "a hidden file": (lambda files: closed(listing(files | {"tables/.x": b""})), "is no file of a run"),
    "a name twice": (lambda files: closed(listing(files | {"arrays/GRID.safetensors": b""})), "is there twice"),
    "another configuration": (
        lambda files: closed(edited(files, config=json.loads(files["run.json"])["config"] | {"gain": 2.0})),
        "what it states makes it",
    ),
    "other data": (
        lambda files: closed(edited(files, datasets={"fruit": {"id": "apples", "title": "A", "content": "x"}})),
        "what it states makes it",
    ),
    "another input": (lambda files: closed(edited(files, inputs={"baseline": "x"})), "what it states makes it"),
    "another name": (lambda files: closed(edited(files, id="0123456789ab")), "it calls itself 0123456789ab"),
    "another study": (lambda files: closed(edited(files, study="relay")), "it calls itself"),
    "another version": (lambda files: closed(edited(files, version=2)), "it calls itself"),
    "unfinished": (lambda files: closed(edited(files, reached=None)), "it went to None, and 2 was asked for"),
    "too short": (lambda files: closed(edited(files, reached=1)), "it went to 1, and 2 was asked for"),
    "a length in words": (lambda files: closed(edited(files, reached="far")), "it went to far"),
    "an unknown field": (lambda files: closed(edited(files, config={"speed": 1})), "no sound run"),
    "no configuration": (lambda files: closed(edited(files, config=None)), "no sound run"),
    "datasets of another form": (lambda files: closed(edited(files, datasets=[1])), "no sound run"),
    "no JSON": (lambda files: closed(listing(files | {"run.json": b"\xff"})), "no sound run"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_is_not_that_run_is_refused(forgery: str, run: Run, here: RunStore, tmp_path: Path) -> None:
    forge, reason = FORGERIES[forgery]
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="what came back is refused") as refusal:
        adopt(forge(opened(pack(run.folder))), TRIAL, here, reached=2)
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path not in before]
    assert left == []


def test_another_trial_s_run_is_refused(run: Run, here: RunStore) -> None:
    with pytest.raises(UserError, match=f"{run.id}.*was asked for"):
        adopt(pack(run.folder), Trial.of(STUDY, Config(seed=1)), here)
