"""A document as PDF, by typst: numbered equations and figures, contents, page numbers; no TeX.

Pandoc turns the prose into typst; the blocks reach the template as data, so that no text of theirs is ever read as
typst's markup.
"""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from workings.core.errors import UserError
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
from workings.report.formatting import exact, name, source

TEMPLATE = Path(__file__).parents[1] / "templates" / "document.typ"
RENAMED = {
    "dot.circle": "dot.o",
    "minus.circle": "minus.o",
    "times.circle": "times.o",
    "sect.big": "inter.big",
    "sect": "inter",
    "#h(-1em)": "#h(-0.167em)",
    "#h(0em)": "#h(0.278em)",
    "& &": "& quad &",
}
"""What pandoc 3.9 writes amiss: names that typst has given up, TeX's spaces \\! and \\; as −1 em and nothing, and
no room between the columns of aligned equations."""
MATHEMATICS = re.compile(r"(?<!\\)\$.*?(?<!\\)\$", re.DOTALL)
SYMBOL = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, RENAMED))})(?![\w.])")
FUNCTION = re.compile(r'("[A-Za-z]+")(?= \\\()')
"""The name of a function before its argument, which pandoc writes as text, with a space after it."""
OPTIONS = ("--wrap=preserve", "--sandbox", "--syntax-highlighting=none", "--shift-heading-level-by=-1")


def write(composition: Composition) -> bytes:
    """The PDF; the same composition gives the same pages."""
    import typst

    page = composition.page
    prose = renamed(notes.typeset(composition.markdown, page.id, "typst", OPTIONS))
    prose = re.sub(MARKS.pattern, r"#block-of(\1)", prose, flags=re.MULTILINE)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data = {
            "title": page.title,
            "document": page.document,
            "summary": page.summary,
            "missing": [_missing(block) for block in composition.missing],
            "blocks": [_data(block, folder, index) for index, block in enumerate(composition.blocks)],
        }
        (folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
        (folder / "document.typ").write_text(TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "main.typ").write_text(f'#import "document.typ": *\n#show: pages\n\n{prose}\n', encoding="utf-8")
        try:
            made: bytes = typst.compile(str(folder / "main.typ"), ignore_system_fonts=True)
        except RuntimeError as error:  # typst's own error, a subclass
            raise UserError(f"{page.id} cannot be typeset: typst says {' '.join(str(error).split())[:300]}") from None
    return made


def renamed(prose: str) -> str:
    """Pandoc's typst with the names of symbols that this typst has; only mathematics is touched."""

    def mended(found: "re.Match[str]") -> str:
        return FUNCTION.sub(r"op(\1)", SYMBOL.sub(lambda name: RENAMED[name[0]], found[0]))

    return MATHEMATICS.sub(mended, prose)


def _data(block: Block, folder: Path, index: int) -> dict[str, Any]:
    match block:
        case ClaimBlock(finding):
            witness = finding.verdict.witness or {}
            return {
                "kind": "claim",
                "id": finding.id,
                "verdict": str(finding.verdict.kind),
                "statement": finding.claim.statement,
                "sentence": finding.verdict.sentence,
                "published": finding.claim.published,
                "source": source(finding.claim.source),
                "repair": finding.claim.repair if witness else "",
                "witness": [[name(key), exact(item)] for key, item in witness.items()],
            }
        case FigureBlock():
            (folder / f"{index}.svg").write_bytes(block.svg["light"])
            return {"kind": "figure", "file": f"{index}.svg", "caption": block.spec.caption, "alt": block.spec.alt}
        case CellBlock():
            return {
                "kind": "cell",
                "code": block.code,
                "outputs": [_output(o, folder, f"{index}-{n}") for n, o in enumerate(block.outputs)],
            }
        case MissingBlock():
            return _missing(block)
        case FieldBlock():
            return {"kind": "field", "prompt": block.prompt, "answer": block.answer}
        case ChecklistBlock():
            return {"kind": "checklist", "items": [[item.item, done] for item, done in block.items]}
    raise TypeError(f"a PDF has no form for {type(block).__name__}")


def _missing(block: MissingBlock) -> dict[str, Any]:
    return {"kind": "missing", "what": block.what, "command": block.command or ""}


def _output(output: Any, folder: Path, stem: str) -> dict[str, str]:
    if output.png:
        (folder / f"{stem}.png").write_bytes(output.png)
        return {"file": f"{stem}.png"}
    return {"text": output.text}
