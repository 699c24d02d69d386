"""Problem sets as documents: one Markdown page becomes HTML, a notebook and a PDF, every figure from evidence.

    page ──► composition ──► html | notebook | pdf
             references filled in, cells run

`build` goes all the way. The page's notation is in `references`, what prose may hold in `lint`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from workings.core.problem_set import ProblemSet
    from workings.core.study import Study
    from workings.report.chapters import Chapter

Form = Literal["html", "ipynb", "pdf"]
FORMS: tuple[Form, ...] = get_args(Form)


FIGURE = re.compile(r"\bfigure\(\s*['\"](\w+)\.([\w-]+)['\"]")
REFERENCE = re.compile(r"\b(?:claim|figure|notes|metric|number|witness|published|setting|table)\(\s*['\"](\w+)")


def studies_of(page: "ProblemSet", known: "Mapping[str, Study]") -> list[str]:
    """The studies that a page names; all of them for a page of errata."""
    named = set(known) if "errata()" in page.text else set(REFERENCE.findall(page.text))
    return sorted(named & known.keys())


def figures_of(page: "ProblemSet") -> list[tuple[str, str]]:
    """Study and id of each figure that a page shows."""
    return FIGURE.findall(page.text)


def build(
    page: "ProblemSet", chapters: "Sequence[Chapter]", form: str, answers: "Mapping[str, str] | None" = None
) -> bytes:
    """The document as the content of one file; a `UserError` names what is wrong with the page."""
    from workings.core.errors import UserError
    from workings.report.documents import html, notebook, pdf
    from workings.report.documents.composition import compose
    from workings.report.templating import templates

    if form not in FORMS:
        raise UserError(f"{form!r} is no form of a document: choose from {', '.join(FORMS)}")
    composition = compose(page, chapters, answers)
    if form == "html":
        return html.standalone(composition, templates())
    return notebook.write(composition) if form == "ipynb" else pdf.write(composition)
