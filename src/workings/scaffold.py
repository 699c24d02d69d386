"""`workings new NAME`: a study's folder with every file of a slice, and a test that fails until it is written."""

import keyword
import re
from pathlib import Path
from string import Template

from workings.core.errors import UserError
from workings.core.files import storage, write_atomic
from workings.core.registry import studies

TEMPLATES = Path(__file__).parent / "templates"
NAME = re.compile(r"[a-z][a-z0-9_]*")


def create(name: str, into: Path | None = None) -> list[Path]:
    """Write the slice and its test; the paths written. `UserError` for a name that is taken or cannot be a package."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UserError(f"{name!r} cannot name a study: use lower-case letters, digits and underscores, letter first")
    if name in studies():
        raise UserError(f"there is a study {name!r} already: choose another name")
    here = Path(__file__).parent
    slices = (into or here / "studies").expanduser().absolute()
    if into is None and not (here.parents[1] / "pyproject.toml").is_file():
        raise UserError("this is no checkout of workings: say where the study goes with --into FOLDER")
    package = f"workings.studies.{name}" if into is None else f"{slices.name}.{name}"
    tests = here.parents[1] / "tests" / "studies" / name if into is None else slices.parent / "tests" / name
    words = {"name": name, "title": name.replace("_", " ").capitalize(), "package": package}
    folder = slices / name
    if folder.exists() or tests.exists():
        raise UserError(f"{folder if folder.exists() else tests} is there already: nothing was written")
    written = []
    with storage(slices):
        for template in sorted(TEMPLATES.glob("*.template")):
            target = template.name.removesuffix(".template")
            path = tests / target if target.startswith("test_") else folder / target
            text = Template(template.read_text(encoding="utf-8")).substitute(words)
            write_atomic(path, text.encode())
            written.append(path)
    return written
