"""`workings new NAME`: what a study or a problem set begins with, and a test that fails until it is written.

A study is a folder with every file of a slice. A problem set is a package of one's own that can be installed: a page, a
small study whose claims the page shows, and the entry points by which both are found.
"""

import importlib.util
import keyword
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from workings.core.errors import UserError
from workings.core.files import storage, write_atomic
from workings.core.registry import problem_sets, studies

TEMPLATES = Path(__file__).parent / "templates"
NAME = re.compile(r"[a-z][a-z0-9_]*")
PACKAGE: Mapping[str, str] = {
    "pyproject.toml": "the package, and the entry points by which its page and its study are found",
    "src/$name/__init__.py": "makes the folder a package",
    "src/$name/page.md": "the page: questions and answers, with references in place of figures",
    "src/$name/published.toml": "what the sheet and its published answer state, transcribed",
    "src/$name/study.py": "what a trial varies, and which trials there are",
    "src/$name/model.py": "the mathematics: write this first",
    "src/$name/experiment.py": "carries a trial out and records what it gives",
    "src/$name/claims.py": "each statement, with its rule and its check",
    "src/$name/notes.md": "the derivations by question, from where the page takes them",
    "tests/test_claims.py": "fails until the model is written",
}
"""The files of a problem set, and what each is for."""


@dataclass(frozen=True)
class NewSet:
    """A problem set that was scaffolded."""

    files: Mapping[Path, str]
    """What was written, and what each is for."""
    steps: tuple[tuple[str, str], ...]
    """The commands to go on with, and what each does."""


def create(name: str, into: Path | None = None) -> list[Path]:
    """Write a slice and its test; the paths written. `UserError` for a name that is taken or cannot be a package."""
    _check(name, "a study")
    here = Path(__file__).parent
    slices = (into or here / "studies").expanduser().absolute()
    if into is None and not (here.parents[1] / "pyproject.toml").is_file():
        raise UserError("this is no checkout of workings: say where the study goes with --into FOLDER")
    package = f"workings.studies.{name}" if into is None else f"{slices.name}.{name}"
    tests = here.parents[1] / "tests" / "studies" / name if into is None else slices.parent / "tests" / name
    folder = slices / name
    if folder.exists() or tests.exists():
        raise UserError(f"{folder if folder.exists() else tests} is there already: nothing was written")
    written = []
    with storage(slices):
        for template in sorted(TEMPLATES.glob("*.template")):
            target = template.name.removesuffix(".template")
            path = tests / target if target.startswith("test_") else folder / target
            write_atomic(path, _filled(template, name, package))
            written.append(path)
    return written


def create_set(name: str, into: Path | None = None) -> NewSet:
    """Write the package of a problem set, all of it or nothing. `UserError` for a name or a place that will not do."""
    _check(name, "a problem set")
    if name in problem_sets():
        raise UserError(f"there is a problem set {name!r} already: choose another name")
    found = importlib.util.find_spec(name)
    if found and found.origin:  # a folder of that name in the path has none
        raise UserError(f"Python has a module {name!r} already ({found.origin}): choose another name")
    package = (into or Path()).expanduser() / name
    fresh = package.with_name(f".{name}.{os.getpid()}.new")
    try:
        if package.exists():
            raise UserError(f"{package} is there already: nothing was written")
        for place in PACKAGE:
            path = fresh / Template(place).substitute(name=name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_filled(TEMPLATES / "problem_set" / f"{path.name}.template", name, name))
        fresh.rename(package)
    except OSError as error:
        raise UserError(
            f"cannot write {package} ({error.strerror or error}): make room or rights there, or name another folder "
            "with --into"
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    steps = (
        (shlex.join(["pip", "install", "--editable", str(package)]), "lets workings find it"),
        (shlex.join(["pytest", str(package)]), "fails, and says what to write first"),
        (shlex.join(["workings", "report", name, "--to", "pdf"]), "says what is still missing"),
    )
    return NewSet({package / Template(place).substitute(name=name): told for place, told in PACKAGE.items()}, steps)


def _check(name: str, kind: str) -> None:
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UserError(f"{name!r} cannot name {kind}: use lower-case letters, digits and underscores, letter first")
    if name in studies():
        raise UserError(f"there is a study {name!r} already: choose another name")


def _filled(template: Path, name: str, package: str) -> bytes:
    words = {"name": name, "title": name.replace("_", " ").capitalize(), "package": package}
    return Template(template.read_text(encoding="utf-8")).substitute(words).encode()
