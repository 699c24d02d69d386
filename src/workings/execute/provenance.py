"""Where a number comes from: versions, commit, command, machine."""

import os
import platform
import shlex
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("workings", "torch", "torchvision", "numpy", "scipy", "sympy", "rapidfuzz")


def provenance(*, device: str, threads: int | None) -> dict[str, Any]:
    """What a run's session notes of itself before it starts; names no folder and no person."""
    return {
        "command": shlex.join([Path(sys.argv[0]).name, *map(_without_folder, sys.argv[1:])])
        if sys.argv[0]
        else "python",
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": dict(_versions()),
        "platform": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "device": device,
        "threads": threads,
    }


def _without_folder(word: str) -> str:
    """A path on this machine as its last part, anything else as it is."""
    flag, equals, value = word.rpartition("=") if word.startswith("--") else ("", "", word)
    return f"{flag}{equals}{Path(value).name}" if os.sep in value and Path(value).expanduser().exists() else word


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = []
    for package in PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return tuple(found)


@cache
def _commit() -> str | None:
    """The checkout's commit, with ``+`` where it holds uncommitted changes; None outside a checkout."""
    here = Path(__file__).parents[1]  # the whole package, not this floor alone

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True, check=True).stdout

    try:
        return git("rev-parse", "--short=12", "HEAD").strip() + ("+" if git("status", "--porcelain", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
