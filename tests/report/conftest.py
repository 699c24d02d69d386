"""A site of a toy study: fresh, recorded, stale and unfinished runs; claims of every verdict; hostile text."""

import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from report_studies.parabola.study import STUDY, Config

from workings.core.problem_set import ProblemSet
from workings.core.runs import RunStore
from workings.core.study import Study, Trial
from workings.execute.local import carry_out
from workings.report import site

SHEET = """+++
title = "Parabolas <&> steps"
document = "Toy sheet"
summary = "Descending, and what is said of it."
questions = ["1a", "1b"]
to_come = ["later"]
[fields]
collaborators = "Who worked with whom"
[[hand_in]]
item = "The answer"
where = ["1a", "1b"]
+++

{{ field("collaborators") }}

## Descent {#1}

### What a step does {#1a}

> With $f(x) = x^2$, what does a step do to $x$?

{{ notes("parabola#q1b") }}

{{ claim("parabola.factor") }}

{{ figure("parabola.losses") }}

### Where it leads {#1b}

{{ claim("parabola.converges") }}

{{ claim("later.still-to-come") }}

## What the sheet asks to hand in {#hand-in}

{{ checklist() }}
"""
ERRATA = """+++
title = "Errata"
document = "The sheets and the published answers"
summary = "Every statement that evidence refutes."
+++

{{ errata() }}
"""


@pytest.fixture(scope="session")
def study() -> Study:
    return STUDY


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> list[ProblemSet]:
    """The errata, and a sheet that can be answered but for one thing."""
    folder = tmp_path_factory.mktemp("sets")
    for name, text in (("errata", ERRATA), ("toy-sheet", SHEET)):
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return [ProblemSet.read(name, folder / f"{name}.md") for name in ("errata", "toy-sheet")]


@pytest.fixture
def store(study: Study, tmp_path: Path) -> RunStore:
    """The runs of the longer preset."""
    store = RunStore(tmp_path / "home")
    carry_out(study, study.preset("quick"), store)
    return store


@pytest.fixture(scope="session")
def pages(study: Study, sets: list[ProblemSet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole site, read only."""
    root = tmp_path_factory.mktemp("report")
    store = RunStore(root / "home")
    outcomes = carry_out(study, [*study.preset("quick"), Config(eta=0.2, expression="-x**2 + 2*x**2")], store)
    _make_stale(outcomes[-1].run.folder, store.folder(study.id, "abcdef012345"))
    with pytest.raises(KeyboardInterrupt), store.write(Trial.of(study, Config(eta=0.3)), {"device": "cpu"}):
        raise KeyboardInterrupt
    with pytest.MonkeyPatch.context() as patch:
        recorded = shutil.copytree(store.folder(study.id, outcomes[0].run.id), root / "evidence" / outcomes[0].run.id)
        shutil.rmtree(store.folder(study.id, outcomes[0].run.id))
        patch.setattr(
            Study, "file", lambda self, name, file=Study.file: _shipped(file(self, name), name, recorded.parent)
        )
        return site.write([study], store, root / "site", sets=sets).parent


def _shipped(path: object, name: str, evidence: Path) -> object:
    return evidence if name == "evidence" else path


def _make_stale(run: Path, copy: Path) -> None:
    shutil.copytree(run, copy)
    info = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    (copy / "run.json").write_text(json.dumps(info | {"id": copy.name, "version": 1}), encoding="utf-8")
