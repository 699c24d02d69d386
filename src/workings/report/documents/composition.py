"""A page put together: references filled in, sections of write-ups inserted, cells taken out to be run.

What comes out is Markdown in which a mark on a line of its own stands for each block; the writers (`html`, `notebook`,
`pdf`) have pandoc turn the Markdown into their form and put the blocks in place.
"""

import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from workings.core.errors import UserError
from workings.core.problem_set import ProblemSet
from workings.report.chapters import Chapter
from workings.report.documents import cells, lint
from workings.report.documents.blocks import Block, CellBlock, ChecklistBlock, MissingBlock
from workings.report.documents.references import MARK, NOT_YET, References, Shown

CELL = re.compile(r"^```\{\.python \.cell(?P<marks>[^\n}]*)\}\n(?P<code>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
GIVES = re.compile(r'\s*gives="(?P<gives>[^"]*)"\s*')
ANCHOR = re.compile(r"^(?P<level>#{2,6}) (?P<text>.*\{#(?P<id>[\w.-]+)[^}\n]*\})[ \t]*$", re.MULTILINE)
MARKS = re.compile(rf"^{MARK.format('([0-9]+)')}$", re.MULTILINE)
UNREAD = re.compile(r"^(?:```|~~~).*\.cell\b.*$", re.MULTILINE)
"""A cell that is not written like one: it would be shown and never run."""
MISTAKES = (TypeError, ValueError, AttributeError, ArithmeticError)
"""What a reference raises that is called with the wrong things, or calculated with."""
SHARED = re.compile(rf"[^\n]{MARK.format('[0-9]+')}|{MARK.format('[0-9]+')}[^\n]")


@dataclass(frozen=True)
class Composition:
    """A page with everything in it, in no form yet."""

    page: ProblemSet
    markdown: str
    blocks: tuple[Block, ...]
    missing: tuple[MissingBlock, ...]


def compose(page: ProblemSet, chapters: Sequence[Chapter], answers: Mapping[str, str] | None = None) -> Composition:
    """Fill a page in; a `UserError` names file and line of what is wrong with it."""
    for name in answers or ():
        if name not in page.fields:
            known = ", ".join(page.fields) or "none"
            raise UserError(f"{page.id} has no field {name!r} to fill in: it has {known}")
    references = References(page, {chapter.study.id: chapter for chapter in chapters}, answers or {})
    text = CELL.sub(lambda found: _cell(found, page, references), page.text)
    if found := UNREAD.search(text):
        line = page.first_line + text.count("\n", 0, found.start())
        raise UserError(f"{page.id}, line {line}: a cell begins with ```{{.python .cell}} and ends with ```")
    lint.check(page)
    text = ANCHOR.sub(lambda found: _labelled(found, page), text)
    markdown = _filled(text, page, references)
    if found := SHARED.search(markdown):
        raise UserError(f"{page.id}: a claim, figure or field stands on a line of its own, not after {found[0][:1]!r}")
    markdown = re.sub(r"\n{3,}", "\n\n", MARKS.sub(r"\n\g<0>\n", markdown))
    blocks = [_told(block, references) for block in references.blocks]
    _require(page, markdown)
    lint.check_length(page, markdown)
    blocks = cells.run(page, blocks, [chapter.archive for chapter in chapters])
    return Composition(page, markdown, tuple(blocks), tuple(references.missing))


def cells_of(page: ProblemSet) -> list[CellBlock]:
    """The page's cells, in order; nothing is checked yet."""
    lines = ((found, page.first_line + page.text.count("\n", 0, found.start())) for found in CELL.finditer(page.text))
    return [CellBlock(found["code"].rstrip(), line) for found, line in lines]


def _cell(found: "re.Match[str]", page: ProblemSet, references: References) -> str:
    line = page.first_line + page.text.count("\n", 0, found.start())
    marks = GIVES.fullmatch(found["marks"])
    if found["marks"].strip() and not marks:
        raise UserError(f'{page.id}, line {line}: a cell may say gives="…" and nothing else')
    mark = references.place(CellBlock(found["code"].rstrip(), line, marks["gives"] if marks else ""))
    return mark + "\n" * found[0].count("\n")  # as many lines as before, so that messages name the right one


def _labelled(found: "re.Match[str]", page: ProblemSet) -> str:
    """A heading that tells the references where they are, and a reader which question it is."""
    asked = any(question.startswith(found["id"]) for question in page.questions)
    label = f"{found['id']}\u2002" if asked else ""
    return f'{{{{ at("{found["id"]}") }}}}{found["level"]} {label}{found["text"]}'


def _told(block: Block, references: References) -> Block:
    """What could be said only when the whole page was read: what cells have to give, and what is on the checklist."""
    if isinstance(block, ChecklistBlock):
        return ChecklistBlock(tuple((item, not references.lacking.intersection(item.where)) for item, _ in block.items))
    if isinstance(block, CellBlock) and block.gives:
        expected = _evaluated(block, references)
        if not isinstance(expected, Shown) and expected != NOT_YET:
            where = f"{references.page.id}, line {block.line}"
            raise UserError(
                f"{where}: gives has to refer to a number, as metric(…) and witness(…) do, not {block.gives}"
            )
        return replace(block, expected=expected.value if isinstance(expected, Shown) else None)
    return block


def _evaluated(block: CellBlock, references: References) -> Any:
    try:
        expression = _environment().compile_expression(block.gives, undefined_to_none=False)
        return expression(**references.vocabulary())
    except (UserError, TemplateError, *MISTAKES) as error:
        raise UserError(f"{references.page.id}, line {block.line}: {_reason(error)}") from error


def _filled(text: str, page: ProblemSet, references: References) -> str:
    try:
        return _environment().from_string(text).render(references.vocabulary())
    except UserError as error:
        raise UserError(f"{page.id}, line {_line(error, page)}: {error}") from None
    except MISTAKES as error:
        raise UserError(f"{page.id}, line {_line(error, page)}: {_reason(error)}") from error
    except TemplateError as error:
        line = page.first_line + (getattr(error, "lineno", None) or 1) - 1
        raise UserError(f"{page.id}, line {line}: {error}") from None


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if isinstance(error, MISTAKES) else str(error)


def _environment() -> SandboxedEnvironment:
    # "{#" begins the anchor of a heading, so comments begin with something that no page holds.
    return SandboxedEnvironment(undefined=StrictUndefined, comment_start_string="<<#", comment_end_string="#>>")


def _line(error: Exception, page: ProblemSet) -> int:
    inside = [
        frame.lineno or 1 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"
    ]
    return page.first_line + (inside[-1] if inside else 1) - 1


def _require(page: ProblemSet, markdown: str) -> None:
    there = {found["id"] for found in ANCHOR.finditer(markdown)}
    lacking = [question for question in page.questions if question not in there]
    if lacking:
        raise UserError(f"{page.id}: no heading is anchored {', '.join(f'{{#{q}}}' for q in lacking)}")
