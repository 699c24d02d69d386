"""Finding studies and problem sets: what comes with the package, and what installed packages announce.

An entry point of the group ``workings.studies`` names a slice's package (``my_study = "my_package.my_study"``), one of
``workings.problem_sets`` a package that holds a ``page.md``. What a package announces and cannot be loaded is left out,
so that it takes nothing else down: `faults` tells why, and so do `find` and `find_set`. Two of one id raise.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
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
    return collect([*packages, *(entry.value for entry in entry_points(group=GROUP) if _fault(entry) is None)])


def collect(packages: Iterable[str]) -> Mapping[str, Study]:
    """Load each package's ``study.py``; `UserError` where two claim the same id."""
    found: dict[str, Study] = {}
    for package in packages:
        study: Study = importlib.import_module(f"{package}.study").STUDY
        if study.id in found:
            raise UserError(
                f"two studies are called {study.id!r}, {found[study.id].package} and {study.package}: rename one"
            )
        found[study.id] = study
    return dict(sorted(found.items()))


def find(study_id: str) -> Study:
    """The study of that id; an unknown one is a `UserError` with a suggestion."""
    known = studies()
    if study_id not in known:
        _raise_fault(GROUP, study_id)
        raise UserError(f"there is no study {study_id!r}{suggestion(study_id, known)}: `workings list` names them all")
    return known[study_id]


@cache
def problem_sets() -> Mapping[str, ProblemSet]:
    """Every problem set by id: ours in alphabetical order, then those of installed packages."""
    ours = sorted((page for page in files(SETS).iterdir() if page.name.endswith(".md")), key=lambda page: page.name)
    pages = [(page.name.removesuffix(".md"), page) for page in ours]
    pages += [(e.name, files(e.value) / "page.md") for e in entry_points(group=SETS) if _fault(e) is None]
    found: dict[str, ProblemSet] = {}
    for set_id, page in pages:
        if set_id in found:
            raise UserError(f"two problem sets are called {set_id!r}, {found[set_id].path} and {page}: rename one")
        found[set_id] = ProblemSet.read(set_id, page)
    return found


def find_set(set_id: str) -> ProblemSet:
    """The problem set of that id; an unknown one is a `UserError` with a suggestion."""
    known = problem_sets()
    if set_id not in known:
        _raise_fault(SETS, set_id)
        raise UserError(f"there is no problem set {set_id!r}{suggestion(set_id, known)}: {', '.join(known)}")
    return known[set_id]


def is_announced(page: ProblemSet) -> bool:
    """Whether a problem set comes from an installed package rather than with workings."""
    return any(entry.name == page.id for entry in entry_points(group=SETS))


def faults() -> list[UserError]:
    """What is wrong with the studies and problem sets that installed packages announce and that are left out."""
    announced = [*entry_points(group=GROUP), *entry_points(group=SETS)]
    return [fault for entry in announced if (fault := _fault(entry))]


def _raise_fault(group: str, name: str) -> None:
    for entry in entry_points(group=group, name=name):
        if fault := _fault(entry):
            raise fault


def _fault(entry: EntryPoint) -> UserError | None:
    """Why what a package announces cannot be loaded; None where it can."""
    try:
        if entry.group == SETS:
            ProblemSet.read(entry.name, files(entry.value) / "page.md")
            return None
        study = importlib.import_module(f"{entry.value}.study").STUDY
        if not isinstance(study, Study):
            return UserError(f"{entry.name}: STUDY in {entry.value}.study is no Study: make it one")
        if importlib.util.find_spec(f"{GROUP}.{study.id}"):
            return UserError(f"{entry.name}: a study that comes with workings is called {study.id!r} too: rename it")
        _ = study.claims  # here, where it is told whose they are, rather than in the middle of a check
    except UserError as error:
        return error
    except Exception as error:  # whatever a stranger's module raises when it is imported
        reason = f"{type(error).__name__}: {error}"
        return UserError(f"{entry.name}: {entry.value} cannot be loaded ({reason}): mend it, or uninstall its package")
    return None
