"""The report as a static site: a first page, the ledger of all claims, a page a study, a set and a run.

It opens from disk, with no server, network, framework or foreign font. Two scripts help, the ledger's filters and the
search; without them every page is whole. Every number on a page comes from evidence, registry or `published.toml`.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from workings.core.claim import Kind
from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.core.ledger import Finding
from workings.core.problem_set import ProblemSet
from workings.core.registry import is_announced
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.report import chapters, commands, documents, drawings, formatting, front, logbook, notes, search
from workings.report.answers import Answer, answer, at_fault
from workings.report.chapters import Chapter, Entry
from workings.report.documents.blocks import FigureBlock
from workings.report.drawings import Drawing
from workings.report.publish import replacing
from workings.report.templating import templates

STATIC = Path(__file__).parent / "static"
Item = TypeVar("Item")
FOLDERS = ("set", "study", "run", "figure", "picture", "static")


def write(
    studies: Sequence[Study],
    store: RunStore,
    destination: Path,
    *,
    sets: Sequence[ProblemSet] = (),
    fresh_only: bool = False,
) -> Path:
    """Write the site of these studies and problem sets and return the path of its first page.

    An earlier report in that folder is replaced as a whole. `UserError` where the folder holds anything else, or
    cannot be written, or a write-up cannot be typeset.
    """
    book = [Chapter.read(study, store, fresh_only=fresh_only) for study in studies]
    with replacing(destination) as folder:
        for name in FOLDERS:
            (folder / name).mkdir()
        site = _Site(folder, book, sets)
        for chapter in book:
            site.study(chapter)
            for entry in chapter.entries:
                site.run(chapter, entry)
        for page in sets:
            site.problem_set(page)
        site.ledger()
        site.front()
        site.static()
    return destination.expanduser().resolve() / "index.html"


class _Site:
    """The pages of one build: templates, where they go, and what is known of them once they are made."""

    def __init__(self, folder: Path, book: Sequence[Chapter], sets: Sequence[ProblemSet]) -> None:
        self.folder, self.book, self.sets = folder, book, sets
        self.findings = [finding for chapter in book for finding in chapter.findings]
        self.drawings: dict[str, list[Drawing]] = {}
        self.answers: list[Answer] = []
        self.index: list[search.Entry] = []
        self.templates = templates()
        self.templates.globals |= {
            "kinds": [str(kind) for kind in Kind],
            "newest": max((_last_session(entry.run) for chapter in book for entry in chapter.entries), default=""),
            "errata": next((page.id for page in sets if _is_errata(page)), None),
            "documents": {page.id: page.document for page in sets},
            "answered": {f"{page.id}/{question}" for page in sets for question in page.questions},
        }

    def front(self) -> None:
        """The first page: what this is, at a glance, and the way to everything else."""
        wrong = front.corrections(self.book)
        sheets = {chapters.sheet(finding.claim.source) for finding in self.findings} - {"own"}
        self._page(
            "index.html",
            "front",
            root="",
            book=self.book,
            total=len(self.findings),
            sheets=len(sheets),
            counts=chapters.tally(self.findings),
            published=sum(finding.claim.published for finding in self.findings),
            wrong=wrong,
            corrections=wrong[: front.MOST_CORRECTIONS],
            figures=front.figures(self.book, self.drawings),
            answers=[made for made in self.answers if not _is_errata(made.page)],
        )

    def ledger(self) -> None:
        """All claims, and the statements that no evidence could decide."""
        self._page(
            "ledger.html",
            "ledger",
            root="",
            book=self.book,
            total=len(self.findings),
            counts=chapters.tally(self.findings),
            sheets=sorted({chapters.sheet(f.claim.source) for f in self.findings}, key=lambda s: (s == "own", s)),
            opinions=[(chapter.study, opinion) for chapter in self.book for opinion in chapter.study.opinions],
        )

    def study(self, chapter: Chapter) -> None:
        """A study: write-up, figures, claims, runs."""
        drawn = self.drawings[chapter.study.id] = list(drawings.draw(chapter, self.folder / "figure"))
        written = notes.write_up(chapter.study)
        self.index += search.of_study(chapter, written, drawn)
        before, after = _neighbours([c.study for c in self.book], chapter.study)
        self._page(
            f"study/{formatting.slug(chapter.study.id)}.html",
            "study",
            root="../",
            chapter=chapter,
            study=chapter.study,
            notes=written,
            drawings=drawn,
            make={finding.id: _addition(chapter, finding) for finding in chapter.findings if finding.open},
            before=before,
            after=after,
        )

    def run(self, chapter: Chapter, entry: Entry) -> None:
        """A run: settings, data, provenance, and what it measured."""
        prefix = entry.page.removesuffix(".html")
        self._page(
            f"run/{entry.page}",
            "run",
            root="../",
            study=chapter.study,
            entry=entry,
            run=entry.run,
            courses=list(logbook.courses(entry.run)),
            size=(logbook.WIDTH, logbook.HEIGHT),
            sheets=list(logbook.sheets(entry.run)),
            pictures=list(logbook.pictures(entry.run, self.folder / "picture", prefix)),
            arrays=list(logbook.arrays(entry.run)),
            inputs=_inputs(chapter, entry.run),
        )

    def problem_set(self, page: ProblemSet) -> None:
        """A problem set, answered: as a page, and to take away as notebook and PDF."""
        named = documents.studies_of(page, {chapter.study.id: chapter.study for chapter in self.book})
        used = [chapter for chapter in self.book if chapter.study.id in named]
        try:
            made = answer(page, used, self.templates, _drawn)
        except UserError as error:
            if not is_announced(page):
                raise
            made = at_fault(page, error)  # a stranger's page spoils itself alone
        self.answers.append(made)
        self.index += search.of_set(made)
        name = formatting.slug(page.id)
        for form, content in made.files.items():
            (self.folder / "set" / f"{name}.{form}").write_bytes(content)
        before, after = _neighbours(self.sets, page)
        self._page(
            f"set/{name}.html",
            "document",
            root="../",
            page=page,
            missing=made.missing,
            counts=made.counts,
            downloads=[(form, f"{name}.{form}", len(content)) for form, content in made.files.items()],
            written=made.written,
            before=before,
            after=after,
        )

    def static(self) -> None:
        """Style and scripts, and the index that the search reads."""
        for name in ("report.css", "ledger.js", "search.js"):
            shutil.copyfile(STATIC / name, self.folder / "static" / name)
        (self.folder / "static" / "index.js").write_text(search.script(self.index), encoding="utf-8")

    def _page(self, path: str, template: str, **context: object) -> None:
        html = self.templates.get_template(f"{template}.html").render(context)
        (self.folder / path).write_text(html, encoding="utf-8")


def _is_errata(page: ProblemSet) -> bool:
    return "errata()" in page.text


def _neighbours(row: Sequence[Item], item: Item) -> tuple[Item | None, Item | None]:
    """What stands before and after."""
    at = row.index(item)
    return row[at - 1] if at else None, row[at + 1] if at + 1 < len(row) else None


def _drawn(figure: FigureBlock, scheme: str) -> str:
    """Where a set's page finds a figure: its study's page has drawn it."""
    return f"../figure/{formatting.slug(figure.name)}.{scheme}.svg"


def _addition(chapter: Chapter, finding: Finding) -> str | None:
    """The command that brings more evidence; counts and other instant facts help only a claim that has none yet."""
    return commands.make(chapter.archive, finding.evidence, instant=finding.verdict.kind is Kind.NOT_RUN)


def _inputs(chapter: Chapter, run: Run) -> list[tuple[str, str, Entry | None]]:
    """Role and id of each run that this one builds on, and its entry where it is at hand."""
    by_id = {entry.run.id: entry for entry in chapter.entries}
    return [(role, run_id, by_id.get(run_id)) for role, run_id in dict(run.info.get("inputs", {})).items()]


def _last_session(run: Run) -> str:
    return max((str(session.get("started", "")) for session in run.sessions), default="")
