"""The report as a static site: a ledger of all claims, a page a study, a page a run.

It opens from disk, with no server, network, framework or foreign font; the ledger's filters are the only script, and
without it the page is the full list. Every number on a page comes from evidence, registry or `published.toml`.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from workings.core.claim import Kind
from workings.core.evidence import Run
from workings.core.ledger import Finding
from workings.core.problem_set import ProblemSet
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.report import chapters, commands, documents, drawings, formatting, logbook, notes
from workings.report.chapters import Chapter, Entry
from workings.report.documents import html, notebook, pdf
from workings.report.documents.blocks import FigureBlock
from workings.report.documents.composition import compose
from workings.report.publish import replacing
from workings.report.templating import templates

STATIC = Path(__file__).parent / "static"
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
        shutil.copyfile(STATIC / "report.css", folder / "static" / "report.css")
        site = _Site(folder, book, sets)
        site.ledger()
        for chapter in book:
            site.study(chapter)
            for entry in chapter.entries:
                site.run(chapter, entry)
        for page in sets:
            site.problem_set(page)
    return destination.expanduser().resolve() / "index.html"


class _Site:
    """The pages of one build: templates, and where they go."""

    def __init__(self, folder: Path, book: Sequence[Chapter], sets: Sequence[ProblemSet]) -> None:
        self.folder, self.book, self.sets = folder, book, sets
        self.templates = templates()
        self.templates.globals |= {
            "kinds": [str(kind) for kind in Kind],
            "newest": max((_last_session(entry.run) for chapter in book for entry in chapter.entries), default=""),
        }

    def ledger(self) -> None:
        """The first page: all claims, and the statements that no evidence could decide."""
        findings = [finding for chapter in self.book for finding in chapter.findings]
        published = [f for f in findings if f.claim.published]
        self._page(
            "index.html",
            "ledger",
            root="",
            book=self.book,
            sets=self.sets,
            total=len(findings),
            counts=chapters.tally(findings),
            sheets=sorted({chapters.sheet(f.claim.source) for f in findings}, key=lambda s: (s == "own", s)),
            published=len(published),
            contradicted=sum(f.verdict.kind is Kind.REFUTED for f in published),
            opinions=[(chapter.study, opinion) for chapter in self.book for opinion in chapter.study.opinions],
            script=(STATIC / "ledger.js").read_text(encoding="utf-8"),
        )

    def study(self, chapter: Chapter) -> None:
        """A study: write-up, figures, claims, runs."""
        self._page(
            f"study/{formatting.slug(chapter.study.id)}.html",
            "study",
            root="../",
            chapter=chapter,
            study=chapter.study,
            notes=notes.write_up(chapter.study),
            drawings=list(drawings.draw(chapter, self.folder / "figure")),
            make={finding.id: _addition(finding) for finding in chapter.findings if finding.open},
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
        made = compose(page, [chapter for chapter in self.book if chapter.study.id in named])
        name = formatting.slug(page.id)
        for form, write_form in (("ipynb", notebook.write), ("pdf", pdf.write)):
            (self.folder / "set" / f"{name}.{form}").write_bytes(write_form(made))
        self._page(
            f"set/{name}.html",
            "document",
            root="../",
            page=page,
            missing=made.missing,
            downloads=[(form, f"{name}.{form}") for form in ("pdf", "ipynb")],
            written=html.body(made, self.templates, _drawn, "../"),
        )

    def _page(self, path: str, template: str, **context: object) -> None:
        html = self.templates.get_template(f"{template}.html").render(context)
        (self.folder / path).write_text(html, encoding="utf-8")


def _drawn(figure: FigureBlock, scheme: str) -> str:
    """Where a set's page finds a figure: its study's page has drawn it."""
    return f"../figure/{formatting.slug(figure.name)}.{scheme}.svg"


def _addition(finding: Finding) -> str | None:
    """The command that brings more evidence; counts and other instant facts help only a claim that has none yet."""
    return commands.make(finding.study, finding.evidence, instant=finding.verdict.kind is Kind.NOT_RUN)


def _inputs(chapter: Chapter, run: Run) -> list[tuple[str, str, Entry | None]]:
    """Role and id of each run that this one builds on, and its entry where it is at hand."""
    by_id = {entry.run.id: entry for entry in chapter.entries}
    return [(role, run_id, by_id.get(run_id)) for role, run_id in dict(run.info.get("inputs", {})).items()]


def _last_session(run: Run) -> str:
    return max((str(session.get("started", "")) for session in run.sessions), default="")
