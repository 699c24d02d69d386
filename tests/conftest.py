"""What all tests share: a run store of their own, and a toy study which the registry finds like an installed one."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

from workings.core import registry
from workings.core.runs import RunStore
from workings.core.study import Study

TESTS = Path(__file__).parent
STUDIES = sorted(path.name for path in (TESTS.parent / "src" / "workings" / "studies").iterdir() if path.is_dir())
# Shapes in signatures are checked at run time: in shared tensor code, and in what each study computes with.
SHAPED = ("model", "decoding", "scoring", "vocabulary", "learner", "retrieval")
install_import_hook(
    ["workings.nn", *(f"workings.studies.{study}.{module}" for study in STUDIES for module in SHAPED)],
    "beartype.beartype",
)
# Makes `toy`, and the tests themselves, importable here and in processes that tests start, which inherit the path.
sys.path[:0] = [str(TESTS), str(TESTS.parent)]


@pytest.fixture(scope="session", autouse=True)
def _no_test_writes_into_the_users_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Covers fixtures of longer life than a test's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKINGS_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run store of one test; it does not exist yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv("WORKINGS_HOME", str(folder))
    return folder


@pytest.fixture
def store(home: Path) -> RunStore:
    """The store that `home` names."""
    return RunStore(home)


@pytest.fixture(scope="session")
def toy_installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the path (`PYTHONPATH`) where a distribution announces the toy study by its entry point."""
    site = tmp_path_factory.mktemp("site")
    info = site / "workings_toy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: workings-toy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[workings.studies]\ntoy = toy\n")
    return site


@pytest.fixture
def toy(toy_installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    """The toy study, known to the registry for one test."""
    monkeypatch.syspath_prepend(toy_installed)
    registry.studies.cache_clear()
    yield registry.find("toy")
    registry.studies.cache_clear()
