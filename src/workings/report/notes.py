"""A slice's ``notes.md`` as HTML: mathematics becomes MathML, which every present browser typesets without a script.

Left out on purpose: raw HTML and raw TeX (a write-up is text), and pictures, which are figures with evidence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from markupsafe import Markup

from workings.core.errors import UserError
from workings.core.study import Study
from workings.report import cache

READER = "markdown-raw_html-raw_tex-raw_attribute-native_divs-native_spans-markdown_in_html_blocks+tex_math_dollars"
OPTIONS = ("--mathml", "--sandbox", "--wrap=preserve", "--syntax-highlighting=none", "--fail-if-warnings")
TOP = 3
"""The level of the write-up's sections: the page's title is 1, its parts are 2."""

_HEADING = re.compile(r"<(/?)h([1-6])\b")
_TITLE = re.compile(r"\s*<h1\b[^>]*>.*?</h1>", re.DOTALL)
_SECTION = re.compile(r'(<h([2-6])\b[^>]*\bid="([^"]+)"[^>]*>)(.*?)(</h\2>)', re.DOTALL)
_FUNCTION = re.compile(
    r"(?P<script><m(?:sub|sup|subsup|under)>)?"
    r'<mrow>(?P<name><mi mathvariant="normal">\w+</mi>)<mo>(?:&#8289;|\u2061)</mo></mrow>'
)
_OPERANDS = ("</mn>", "</mi>", "</mrow>", "</msub>", "</msup>", "</mfrac>")
_ARGUMENT = re.compile(r"<m(?!o\b)")
THIN = '<mspace width="0.167em"></mspace>'
_INLINE_END = re.compile(r'(<math display="inline"(?:(?!</math>).)*</math>)([,.;:!?)’”]+)', re.DOTALL)


@dataclass(frozen=True)
class WriteUp:
    """The write-up of a study, and the sections a table of contents names."""

    html: Markup
    sections: tuple[tuple[str, str], ...]
    """Anchor and text of each section of the top level."""
    below: tuple[tuple[str, str, str], ...] = ()
    """Section, anchor and text of each section of the next level."""


def write_up(study: Study) -> WriteUp | None:
    """Typeset a study's notes; None where there are none, `UserError` where pandoc cannot."""
    path = study.file("notes.md")
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    html = cache.kept("notes", (text, *OPTIONS), lambda: typeset(text, f"{study.id}/notes.md").encode()).decode()
    return arrange(html)


def arrange(html: str, top: int = TOP) -> WriteUp:
    """Leave out the document's own title (the page has it), fit the headings under the page's, and link each one."""
    html = _TITLE.sub("", html, count=1) if _TITLE.match(html) else html
    levels = [int(level) for _, level in _HEADING.findall(html)]
    shift = top - min(levels, default=top)
    html = _HEADING.sub(lambda m: f"<{m[1]}h{min(6, int(m[2]) + shift)}", html)
    found = [(int(m[2]), m[3], _text(m[4])) for m in _SECTION.finditer(html)]
    sections = tuple((anchor, text) for level, anchor, text in found if level == top)
    below, section = [], ""
    for level, anchor, text in found:
        section = anchor if level == top else section
        if level == top + 1:
            below.append((section, anchor, text))
    html = _SECTION.sub(r'\1\4 <a class="anchor" href="#\3" aria-label="Link to this section">#</a>\5', html)
    html = _FUNCTION.sub(_spaced, html)
    html = _INLINE_END.sub(r'<span class="whole">\1\2</span>', html)  # no line begins with a comma
    # A table or a display wider than a phone scrolls inside its own box.
    html = html.replace("<table", '<div class="scroll" tabindex="0"><table').replace("</table>", "</table></div>")
    html = html.replace("<th>", '<th scope="col">').replace("<th style", '<th scope="col" style')
    return WriteUp(Markup(html), sections, tuple(below))  # pandoc escaped every text, and raw HTML is off


def typeset(text: str, name: str, to: str = "html", options: Sequence[str] = OPTIONS) -> str:
    """Have pandoc turn a write-up into another form; `UserError` where it cannot."""
    import pypandoc

    try:
        return str(pypandoc.convert_text(text, to, format=READER, extra_args=options))
    except OSError as error:
        raise UserError("pandoc is missing: `pip install pypandoc_binary` brings it") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{name} cannot be typeset: mend what pandoc names ({reason})") from error


def _spaced(found: "re.Match[str]") -> str:
    """A function's name with the thin spaces about it that browsers leave out: 2 cos u, not 2cosu."""
    before = THIN if found.string[: found.start()].endswith(_OPERANDS) else ""
    after = THIN if _ARGUMENT.match(found.string, found.end()) and not found["script"] else ""
    return f"{found['script'] or ''}<mrow>{before}{found['name']}{after}</mrow>"


class _Words(HTMLParser):
    """The text of a fragment, without the TeX that stands beside each formula for copying."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden = self._hidden or tag == "annotation"

    def handle_endtag(self, tag: str) -> None:
        self._hidden = self._hidden and tag != "annotation"

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def _text(html: str) -> str:
    reader = _Words()
    reader.feed(html)
    return " ".join("".join(reader.words).split())
