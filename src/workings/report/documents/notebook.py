"""A document as a Jupyter notebook: prose in Markdown cells, code in cells that have been run."""

import base64
import re

from workings.report import notes
from workings.report.documents.blocks import (
    Block,
    CellBlock,
    ChecklistBlock,
    ClaimBlock,
    FieldBlock,
    FigureBlock,
    MissingBlock,
)
from workings.report.documents.composition import MARKS, Composition
from workings.report.documents.pictures import as_png
from workings.report.formatting import exact, name

MARKDOWN = "gfm+tex_math_dollars-raw_html"
OPTIONS = ("--wrap=preserve", "--sandbox", "--markdown-headings=atx")
SYMBOLS = {"supported": "✓", "refuted": "✗", "inconclusive": "≈", "not-run": "…"}


def write(composition: Composition) -> bytes:
    """The notebook; the same composition gives the same bytes."""
    import nbformat

    page = composition.page
    head = f"# {page.title}\n\n*{page.document}*\n\n{page.summary}"
    if composition.missing:
        lines = [f"- {block.what}{_remedy(block)}" for block in composition.missing]
        head += "\n\n**Still missing here:**\n\n" + "\n".join(lines)
    book = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        cells=[nbformat.v4.new_markdown_cell(head)],
    )
    text = notes.typeset(composition.markdown, page.id, MARKDOWN, OPTIONS)
    for index, part in enumerate(MARKS.split(text)):
        if index % 2:
            book.cells.append(_cell(composition.blocks[int(part)]))
        elif part.strip():
            book.cells.append(nbformat.v4.new_markdown_cell(part.strip()))
    for count, cell in enumerate(book.cells):
        cell.id = f"cell-{count}"
    nbformat.validate(book)
    return (str(nbformat.writes(book)) + "\n").encode()


def _cell(block: Block) -> "object":
    import nbformat

    v4 = nbformat.v4
    match block:
        case CellBlock():
            cell = v4.new_code_cell(block.code)
            for output in block.outputs:
                picture = base64.b64encode(output.png).decode()
                data = {"image/png": picture} if picture else {"text/plain": output.text}
                cell.outputs.append(v4.new_output("display_data", data))
            return cell
        case FigureBlock():
            attached = {"image/png": base64.b64encode(as_png(block.svg["light"])).decode()}
            text = f"![{block.spec.alt}](attachment:{block.name}.png)\n\n*{block.spec.caption}*"
            return v4.new_markdown_cell(text, attachments={f"{block.name}.png": attached})
        case _:
            return v4.new_markdown_cell(_text(block))


def _text(block: Block) -> str:
    match block:
        case ClaimBlock(finding):
            kind = str(finding.verdict.kind)
            said = "The published answer. " if finding.claim.published else ""
            verdict = f"**{SYMBOLS[kind]} {kind.replace('-', ' ').capitalize()}**"
            lines = [f"{verdict} · {said}{escaped(finding.claim.statement)}", "", escaped(finding.verdict.sentence)]
            if finding.verdict.witness:
                pairs = "; ".join(f"{name(key)} {exact(item)}" for key, item in finding.verdict.witness.items())
                lines += ["", f"Witness: {escaped(pairs)}."]
            if finding.claim.repair and kind == "refuted":
                lines += ["", f"Repair: {escaped(finding.claim.repair)}"]
            return "\n".join(f"> {line}".rstrip() for line in [*lines, "", f"`{finding.id}`"])
        case MissingBlock():
            return f"> **Missing.** {block.what}.{_remedy(block)}"
        case FieldBlock():
            return f"**{block.prompt}:** {block.answer or '*fill in*'}"
        case ChecklistBlock():
            return "\n".join(f"- {'☑' if done else '☐'} {item.item}" for item, done in block.items)
    raise TypeError(f"a notebook has no form for {type(block).__name__}")


def _remedy(block: MissingBlock) -> str:
    return f" This makes it: `{block.command}`" if block.command else ""


def escaped(text: str) -> str:
    """Plain text as Markdown; what stands between backticks stays code."""
    parts = text.split("`")
    return "`".join(
        re.sub(r"([\\*_\[\]<>$#|^~])", r"\\\1", part) if i % 2 == 0 else part for i, part in enumerate(parts)
    )
