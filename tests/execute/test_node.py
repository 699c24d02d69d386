"""What a node does with an errand: the same run, or one line that says what is missing there. No Ray needed."""

import os
import socket
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from execute.conftest import measured
from toy import experiment
from toy.study import STUDY, Config
from workings.core.config import to_json
from workings.core.errors import RunBusy, UserError
from workings.core.runs import RunStore
from workings.core.study import Trial
from workings.data import catalogue
from workings.execute import node
from workings.execute.local import Options, carry_out
from workings.execute.node import Errand, carry, code
from workings.execute.parcel import adopt, pack

pytestmark = pytest.mark.usefixtures("toy")


PLAIN = Config()


def errand(config: Config = PLAIN, **changes: object) -> Errand:
    trial = Trial.of(STUDY, config)
    fields = {
        "study": "toy",
        "code": code(STUDY),
        "config": to_json(config),
        "trial": trial.id,
        "datasets": {role: dataset.content for role, dataset in trial.datasets.items()},
        "inputs": [],
        "begun": None,
        "options": Options(threads=1, device="cpu"),
        "command": "workings run toy",
    }
    return Errand(**fields | changes)  # type: ignore[arg-type]


@pytest.fixture
def there(store: RunStore) -> RunStore:
    """The node's private store."""
    return RunStore(store.root / "cluster" / socket.gethostname())


@pytest.fixture
def here(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "here")


def test_the_run_is_the_one_that_is_made_here(here: RunStore) -> None:
    (local,) = carry_out(STUDY, [Config()], RunStore(here.root / "local"))
    run = adopt(carry(errand(), "vm/1", []), Trial.of(STUDY, Config()), here)
    assert measured(run) == measured(local.run)
    session = run.sessions[-1]
    assert (session["node"], session["command"], session["device"]) == ("vm/1", "workings run toy", "cpu")


@pytest.mark.parametrize(
    ("there", "message"),
    [
        (("0.0.1", *code(STUDY)[1:]), r"its version of workings is .*, and here it is 0\.0\.1: install the same code"),
        ((code(STUDY)[0], 7, code(STUDY)[2]), "its version of toy is 1, and here it is 7"),
        ((*code(STUDY)[:2], "abc"), "its source code .* is [0-9a-f]{12}, and here it is abc"),
    ],
)
def test_other_code_is_refused(there: tuple[str, int, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        carry(errand(code=there), "vm/1", [])


def test_a_study_that_is_not_installed_there() -> None:
    with pytest.raises(UserError, match=r"the study is not installed there .*'toyy'.*install the same packages"):
        carry(errand(study="toyy"), "vm/1", [])


def test_the_hash_of_the_code_follows_a_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "letters"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "model.py").write_text("a = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = node._sources.__wrapped__("letters")
    (package / "model.py").write_text("a = 2\n")
    assert node._sources.__wrapped__("letters") != before


def test_data_that_are_missing_there_and_cannot_be_fetched(tmp_path: Path) -> None:
    mine = tmp_path / "fruit.json"
    mine.write_text("[1, 2]")
    sent = errand(Config(data=str(mine)))
    mine.unlink()
    with pytest.raises(UserError, match=r"it lacks the data '.*fruit\.json': there is no fruit .* \(on that node\)"):
        carry(sent, "vm/1", [])


def test_other_data_under_the_same_name(tmp_path: Path) -> None:
    mine = tmp_path / "fruit.json"
    mine.write_text("[1, 2]")
    sent = errand(Config(data=str(mine)))
    mine.write_text("[1, 3]")
    with pytest.raises(UserError, match=r"it has other data .*: put the same files there"):
        carry(sent, "vm/1", [])


def test_data_that_can_be_fetched_are(monkeypatch: pytest.MonkeyPatch, there: RunStore) -> None:
    sent = errand(Config(data="pears"))
    fruit, fetched = experiment.FRUIT.copy(), []
    monkeypatch.delitem(experiment.FRUIT, "pears")
    monkeypatch.setattr(catalogue, "entries", lambda: [SimpleNamespace(id="pears", download=True)])

    def get(name: str) -> None:
        fetched.append(name)
        experiment.FRUIT[name] = fruit[name]

    monkeypatch.setattr(catalogue, "get", get)
    carry(sent, "vm/1", [])
    assert fetched == ["pears"]
    assert there.read(Trial.of(STUDY, Config(data="pears"))) is not None


def test_inputs_come_along(here: RunStore, there: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    (baseline,) = carry_out(STUDY, [Config()], here)
    compare = Config(task="compare", gain=2.0)
    sent = errand(compare, inputs=[to_json(Config())])
    monkeypatch.setattr(experiment, "after", lambda _: pytest.fail("it is not made again"))
    for _ in range(2):  # the second time it is there
        run = adopt(carry(sent, "vm/1", [pack(baseline.run.folder)]), Trial.of(STUDY, compare), here)
        assert run.metric("difference") == -4.0
    assert len(there.runs("toy")) == 2


def test_a_run_goes_on_where_it_stopped_there_or_here(
    here: RunStore, there: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs: list[int] = []
    monkeypatch.setattr(experiment, "after", epochs.append)
    (short,) = carry_out(STUDY, [Config(epochs=2)], here)
    begun = (2, pack(short.run.folder))
    carry(errand(Config(epochs=4), begun=begun), "vm/1", [])
    assert epochs == [1, 2, 3, 4]
    carry(errand(Config(epochs=6), begun=begun), "vm/1", [])  # the node itself is further
    assert epochs == [1, 2, 3, 4, 5, 6]


def test_a_run_that_another_holds_is_waited_for(there: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "PATIENCE", 0.0)
    there.root.mkdir(parents=True)
    with there.write(Trial.of(STUDY, Config()), {}), pytest.raises(RunBusy):
        carry(errand(), "vm/1", [])


def test_what_nobody_touched_for_a_week_goes(there: RunStore) -> None:
    carry(errand(), "vm/1", [])
    (run,) = there.runs("toy")
    for path in (run.folder, *run.folder.rglob("*")):
        os.utime(path, (time.time() - 2 * node.KEPT,) * 2)
    carry(errand(Config(seed=1)), "vm/1", [])
    assert [run.config["seed"] for run in there.runs("toy")] == [1]
