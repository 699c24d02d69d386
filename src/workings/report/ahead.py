"""Figures and the outputs of cells, made side by side into the cache, where the pages that show them find them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workings.core.evidence import ANY, Archive
from workings.core.parallel import beforehand
from workings.core.problem_set import ProblemSet
from workings.core.registry import find, find_set, studies
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.report import cache, drawings
from workings.report.documents import cells, figures_of, studies_of
from workings.report.documents.blocks import CellBlock
from workings.report.documents.composition import cells_of


def make(pages: Sequence[ProblemSet], figures: Sequence[tuple[Study, str]], *, fresh_only: bool) -> None:
    """Make what these pages' cells give and draw these figures, as far as that has not been done before."""
    archives = {study: _archive(study, fresh_only) for study in dict.fromkeys(study for study, _ in figures)}
    states = {study: cache.of_evidence(archive.evidence((ANY,))) for study, archive in archives.items()}
    pieces: list[tuple[Callable[..., object], *tuple[Any, ...]]] = [
        (_run_cells, page.id, fresh_only) for page in pages if not cells.are_kept(*_cells(page, fresh_only))
    ]
    pieces += [
        (_draw, study.id, figure, fresh_only)
        for study, figure in figures
        if not drawings.is_drawn(study, figure, states[study])
    ]
    beforehand(pieces)


def shown(pages: Iterable[ProblemSet], known: Iterable[Study]) -> list[tuple[Study, str]]:
    """The figures that pages refer to."""
    by_id = {study.id: study for study in known}
    named = dict.fromkeys(place for page in pages for place in figures_of(page))
    return [(by_id[study_id], figure) for study_id, figure in named if study_id in by_id]


def of_studies(known: Iterable[Study]) -> list[tuple[Study, str]]:
    """All their figures."""
    return [(study, spec.id) for study in known if study.has("figures") for spec in drawings.kept_specs(study)]


def _run_cells(set_id: str, fresh_only: bool) -> None:
    cells.outputs(*_cells(find_set(set_id), fresh_only))


def _draw(study_id: str, figure: str, fresh_only: bool) -> None:
    study = find(study_id)
    spec = next(spec for spec in drawings.kept_specs(study) if spec.id == figure)
    drawings.lack(study, spec, _archive(study, fresh_only).evidence((ANY,)))


def _cells(page: ProblemSet, fresh_only: bool) -> tuple[ProblemSet, list[CellBlock], list[Archive]]:
    """What the outputs of a page's cells are made from."""
    known = studies()
    return page, cells_of(page), [_archive(known[study_id], fresh_only) for study_id in studies_of(page, known)]


def _archive(study: Study, fresh_only: bool) -> Archive:
    return RunStore.default().archive(study, fresh_only=fresh_only)
