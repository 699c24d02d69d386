"""A document as one HTML file with everything in it, or as a page of the site."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from workings.report import cache, notes
from workings.report.documents.blocks import Block, FigureBlock
from workings.report.documents.composition import Composition
from workings.report.documents.references import MARK

STATIC = Path(__file__).parents[1] / "static"
PLACE = re.compile(rf"<p>{MARK.format('([0-9]+)')}</p>")
Address = Callable[[FigureBlock, str], str]
"""Where the picture of a figure in a scheme is found."""


def embedded(figure: FigureBlock, scheme: str) -> str:
    """The picture itself, as an address."""
    return f"data:image/svg+xml;base64,{base64.b64encode(figure.svg[scheme]).decode()}"


def body(composition: Composition, templates: Environment, address: Address, root: str | None) -> notes.WriteUp:
    """The document's content; `root` is where the site's pages are, None where there is no site."""
    key = (composition.markdown, *notes.OPTIONS)
    made = lambda: notes.typeset(composition.markdown, composition.page.id).encode()  # noqa: E731
    written = notes.arrange(cache.kept("documents", key, made).decode(), top=2)
    show = templates.get_template("blocks.html").module.block  # type: ignore[attr-defined]

    def placed(found: "re.Match[str]") -> str:
        block: Block = composition.blocks[int(found[1])]
        return str(show(type(block).__name__, block, address, root))

    return notes.WriteUp(Markup(PLACE.sub(placed, written.html)), written.sections, written.below)


def standalone(composition: Composition, templates: Environment) -> bytes:
    """One file that opens anywhere: style and pictures are inside it."""
    text = templates.get_template("document.html").render(
        root="",
        page=composition.page,
        missing=composition.missing,
        written=body(composition, templates, embedded, None),
        style=(STATIC / "report.css").read_text(encoding="utf-8"),
    )
    return text.encode()
