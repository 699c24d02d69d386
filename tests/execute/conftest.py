"""A study that comes to grief, and comparing runs."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from execute.relay.study import STUDY
from workings.core import registry
from workings.core.evidence import Run
from workings.core.study import Study


@pytest.fixture(scope="session")
def installed(toy_installed: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders for the path, where distributions announce the toy and the relay."""
    site = tmp_path_factory.mktemp("relay-site")
    info = site / "workings_relay-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: workings-relay\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[workings.studies]\nrelay = execute.relay\n")
    return [toy_installed, site]


@pytest.fixture
def relay(installed: list[Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    """The relay, and the toy, known to the registry for one test."""
    for folder in installed:
        monkeypatch.syspath_prepend(folder)
    registry.studies.cache_clear()
    yield STUDY
    registry.studies.cache_clear()


def measured(run: Run) -> dict[str, str]:
    """What a run holds besides its provenance, file by file."""
    files = (
        path for path in sorted(run.folder.rglob("*")) if path.is_file() and path.name not in ("run.json", ".lock")
    )
    return {str(path.relative_to(run.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
