"""A problem set as the site shows it: its page, its notebook and its PDF, made once for the same page and evidence.

A set takes seconds: pandoc three times, typst, a kernel for its cells, and the figures in two more forms.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache as once
from functools import partial
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from workings.core.errors import UserError
from workings.core.problem_set import ProblemSet
from workings.report import cache
from workings.report.chapters import Chapter, tally
from workings.report.documents import html, notebook, pdf
from workings.report.documents.blocks import ClaimBlock, MissingBlock
from workings.report.documents.composition import Composition, compose
from workings.report.notes import WriteUp

CODE = ("core/*.py", "data/*.py", "report/*.py", "report/documents/*.py", "report/templates/*.*")
"""What makes a document of a page, besides what its studies stand on."""
WRITERS: Mapping[str, Callable[[Composition], bytes]] = {"pdf": pdf.write, "ipynb": notebook.write}


@dataclass(frozen=True)
class Answer:
    """A problem set, answered."""

    page: ProblemSet
    written: WriteUp
    missing: tuple[MissingBlock, ...]
    counts: Mapping[str, int]
    """How many of its claims came to each verdict."""
    files: Mapping[str, bytes]
    """To take away, by form."""


def answer(page: ProblemSet, chapters: Sequence[Chapter], templates: Environment, address: html.Address) -> Answer:
    """Answer a set from these studies, or take what was made before for the same page, code and evidence."""
    states = (f"{cache.of_study(c.study)} {cache.of_archive(c.archive)}" for c in chapters)
    key = (page.id, page.path.read_text(encoding="utf-8"), cache.of_code(*CODE), *states)
    composed = once(lambda: compose(page, chapters))

    def tell() -> bytes:
        made = composed()
        written = html.body(made, templates, address, "../")
        findings = [block.finding for block in made.blocks if isinstance(block, ClaimBlock)]
        return json.dumps(
            {
                "html": str(written.html),
                "sections": written.sections,
                "below": written.below,
                "missing": [(block.what, block.command) for block in made.missing],
                "counts": tally(findings),
            }
        ).encode()

    told: dict[str, Any] = json.loads(cache.kept("sets", key, tell))
    files = {form: cache.kept(f"sets-{form}", key, partial(_written, form, composed)) for form in WRITERS}
    return Answer(
        page,
        WriteUp(Markup(told["html"]), _tuples(told["sections"]), _tuples(told["below"])),
        tuple(MissingBlock(*entry) for entry in told["missing"]),
        told["counts"],
        files,
    )


def at_fault(page: ProblemSet, error: UserError) -> Answer:
    """A page that cannot be built: what is wrong stands in its place."""
    told = Markup('<div class="missing"><p><strong>This page cannot be built:</strong> {}.</p></div>').format(error)
    return Answer(page, WriteUp(told, ()), (), tally(()), {})


def _written(form: str, composed: Callable[[], Composition]) -> bytes:
    return WRITERS[form](composed())


def _tuples(rows: list[list[str]]) -> tuple[Any, ...]:
    return tuple(map(tuple, rows))
