"""Finding studies: the folders of `workings.studies`, and installed packages with a ``workings.studies`` entry point.

An entry point's value is the slice's package: ``my_study = "my_package.my_study"``. A duplicate id raises.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points

from workings.core.errors import UserError, suggestion
from workings.core.study import Study

GROUP = "workings.studies"


@cache
def studies() -> Mapping[str, Study]:
    """Every study by id, in alphabetical order."""
    home = importlib.import_module(GROUP)
    packages = [f"{GROUP}.{module.name}" for module in pkgutil.iter_modules(home.__path__) if module.ispkg]
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
