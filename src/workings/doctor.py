"""Is this machine fit? Each examination tries the thing itself, and says what to do where it fails."""

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, distribution, requires
from pathlib import Path

from workings.core.runs import RunStore


@dataclass(frozen=True)
class Symptom:
    """What one examination found."""

    name: str
    well: bool
    finding: str
    remedy: str


def examine() -> list[Symptom]:
    """All examinations."""
    return [_try(name, look, remedy) for name, look, remedy in EXAMINATIONS]


def licences() -> list[tuple[str, str, str]]:
    """Name, version and licence of each package that a plain installation needs."""
    rows = []
    for line in requires("workings") or []:
        requirement, _, marker = line.partition(";")
        if "extra" in marker:
            continue
        name = requirement.strip().split(">")[0].split("=")[0].split("<")[0].split("[")[0].strip()
        found = distribution(name)
        rows.append((found.name, found.version, _licence(found.metadata)))
    return sorted(rows)


def _licence(metadata: PackageMetadata) -> str:
    """The SPDX expression where a package states one, else its classifiers, else the first line of its licence."""
    stated = metadata.get_all("License-Expression") or []
    classified = [c.rpartition(" :: ")[2] for c in metadata.get_all("Classifier") or [] if c.startswith("License")]
    texts = [text.strip().splitlines()[0] for text in metadata.get_all("License") or [] if text.strip()]
    return ", ".join(stated or classified or texts) or "not stated"


def _try(name: str, look: Callable[[], str], remedy: str) -> Symptom:
    try:
        return Symptom(name, True, look(), remedy)
    except Exception as error:  # an examination may fail in any way: that is what it is for
        return Symptom(name, False, f"{type(error).__name__}: {' '.join(str(error).split())}"[:200], remedy)


def _python() -> str:
    return sys.version.split()[0]


def _torch() -> str:
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return f"{torch.__version__} on {device}, {torch.get_num_threads()} threads"


def _operators() -> str:
    import torch
    import torchvision

    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9]])
    kept = torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8]), 0.5)
    return f"{torchvision.__version__}, nms keeps {len(kept)} of 2 overlapping boxes"


def _waiting() -> str:
    policy = os.environ.get("OMP_WAIT_POLICY", "unset")
    if policy.upper() != "PASSIVE":
        raise RuntimeError(f"OMP_WAIT_POLICY is {policy}")
    return "threads sleep while they wait"


def _pandoc() -> str:
    import pypandoc

    return f"pandoc {pypandoc.get_pandoc_version()}"


def _store() -> str:
    root = RunStore.default().root
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=root) as file:
        file.write(b"x")
    free = os.statvfs(root)
    return f"{root}, {free.f_bavail * free.f_frsize / 2**30:.0f} GiB free"


def _lexicon() -> str:
    from workings.data import cmudict

    path = cmudict.where()
    if path is None:
        raise RuntimeError("not installed")
    return Path(path).name


EXAMINATIONS: tuple[tuple[str, Callable[[], str], str], ...] = (
    ("Python", _python, "install Python 3.11 or newer"),
    ("torch", _torch, "reinstall: pip install --force-reinstall torch torchvision"),
    (
        "torchvision's operators",
        _operators,
        "torch and torchvision must come from the same place: pip install --force-reinstall torch torchvision",
    ),
    ("OpenMP", _waiting, "unset OMP_WAIT_POLICY, or set it to PASSIVE: spinning threads slow small networks 20-fold"),
    ("pandoc", _pandoc, "reinstall: pip install --force-reinstall pypandoc_binary"),
    ("run store", _store, "set WORKINGS_HOME to a folder that you may write"),
    ("CMU dictionary (extra)", _lexicon, "pip install 'workings[lexicon]'"),
)
