"""The core and every `study.py` load without the heavy libraries, and fast."""

import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "numpy", "scipy", "sympy", "matplotlib", "pandas")


def loaded_by(program: str) -> list[str]:
    """Which heavy libraries a fresh process has loaded after the program."""
    ask = f"{program}\nimport sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "program",
    [
        "import workings",
        "import workings.core.registry as r; r.studies()",
        "import workings.core.decide, workings.core.runs, workings.core.ledger, workings.core.figure",
        "import workings.verbs",
    ],
)
def test_nothing_heavy_is_loaded(program: str) -> None:
    assert loaded_by(program) == []


def test_the_list_of_studies_is_there_at_once() -> None:
    """`workings list` has 0.3 s; here ten times that, as the machine does other things too."""
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "import workings.core.registry as r; r.studies()"], check=True)
    assert time.monotonic() - started < 3


def test_openmp_is_told_to_sleep_before_torch_loads() -> None:
    program = (
        "import os; os.environ.pop('OMP_WAIT_POLICY', None); import workings; print(os.environ['OMP_WAIT_POLICY'])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "PASSIVE\n"
