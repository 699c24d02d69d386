"""Where a cluster is, or why there is none, in one line and within seconds; nothing is written."""

import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from workings import cli

pytestmark = pytest.mark.usefixtures("relay")
needs_ray = pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed (extra `cluster`)")


def test_ray_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert cli.main(["run", "toy", "--on", "ray"]) == 2
    assert "needs Ray, the extra `cluster`: pip install 'workings[cluster]'" in capsys.readouterr().err
    assert not home.exists()


@needs_ray
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("on", "message"),
    [
        ("ray:127.0.0.1:9", "no Ray cluster answers at 127.0.0.1:9"),
        ("ray://127.0.0.1:9", "no Ray cluster answers at 127.0.0.1:9"),
        ("ray:127.0.0.1:far", "is no address: give HOST:PORT"),
        ("ray:", "give local, ray, ray://HOST:PORT or ray:HOST:PORT"),
        ("ray://", "give local, ray, ray://HOST:PORT or ray:HOST:PORT"),
        ("rya", r"on is 'rya' (did you mean 'ray'?)"),
        ("", "on is ''"),
    ],
)
def test_an_address_that_leads_nowhere(on: str, message: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    assert cli.main(["check", "toy", "--on", on]) == 2
    said = capsys.readouterr().err.splitlines()
    assert message in said[-1]
    assert time.monotonic() - started < 20
    assert not home.exists()


def test_the_cluster_s_processors_are_shared_out_by_ray(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "toy", "--on", "ray", "--jobs", "2"]) == 2
    assert "leave --jobs and torchrun out" in capsys.readouterr().err
