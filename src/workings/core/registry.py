"""Finding studies and problem sets: what comes with the package, and what installed packages announce.

An entry point of the group ``workings.studies`` names a slice's package (``my_study = "my_package.my_study"``), one of
``workings.problem_sets`` a package that holds a ``page.md``. A duplicate id raises.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files

from workings.core.errors import UserError, suggestion
from workings.core.problem_set import ProblemSet
from workings.core.study import Study

GROUP = "workings.studies"
SETS = "workings.problem_sets"


@cache
def studies() -> Mapping[str, Study]:
    """Every study by id, in alphabetical order."""
    home = importlib.import_module(GROUP)
    names = [f"{GROUP}.{module.name}" for module in pkgutil.iter_modules(home.__path__) if module.ispkg]
    packages = [name for name in names if importlib.util.find_spec(f"{name}.study")]  # one being written has none yet
    return collect([*packages, *(entry.value for entry in entry_points(group=GROUP))])


def collect(packages: Iterable[str]) -> Mapping[str, Study]:
    """Load each package's ``study.py``; ValueError where two claim the same id."""
    found: dict[str, Study] = {}
    for package in packages:
        study: Study = importlib.import_module(f"{package}.study").STUDY
        if study.id in found:
            raise ValueError(f"two studies are called {study.id!r}: {found[study.id].package} and {study.package}")
        found[study.id] = study
    return dict(sorted(found.items()))


def find(study_id: str) -> Study:
    """The study of that id; an unknown one is a `UserError` with a suggestion."""
    known = studies()
    if study_id not in known:
        raise UserError(f"there is no study {study_id!r}{suggestion(study_id, known)}: `workings list` names them all")
    return known[study_id]


@cache
def problem_sets() -> Mapping[str, ProblemSet]:
    """Every problem set by id: ours in alphabetical order, then those of installed packages."""
    ours = sorted((page for page in files(SETS).iterdir() if page.name.endswith(".md")), key=lambda page: page.name)
    pages = [(page.name.removesuffix(".md"), page) for page in ours]
    pages += [(entry.name, files(entry.value).joinpath("page.md")) for entry in entry_points(group=SETS)]
    found: dict[str, ProblemSet] = {}
    for set_id, page in pages:
        if set_id in found:
            raise ValueError(f"two problem sets are called {set_id!r}: {found[set_id].path} and {page}")
        found[set_id] = ProblemSet.read(set_id, page)
    return found


def find_set(set_id: str) -> ProblemSet:
    """The problem set of that id; an unknown one is a `UserError` with a suggestion."""
    known = problem_sets()
    if set_id not in known:
        raise UserError(f"there is no problem set {set_id!r}{suggestion(set_id, known)}: {', '.join(known)}")
    return known[set_id]
