"""The index behind the search field: everything that has a name, a title or a sentence of its own, and its address.

Pages opened from disk may not fetch, so the index is a script that says one thing, the list; `static/search.js` loads
it when the field is first used, ranks, and shows.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from workings.report.answers import Answer
from workings.report.chapters import Chapter
from workings.report.drawings import Drawing
from workings.report.formatting import name, slug, source
from workings.report.notes import WriteUp


@dataclass(frozen=True)
class Entry:
    """Something that can be found."""

    kind: str
    """What it is, in a word."""
    title: str
    """Words that are found here come first."""
    text: str
    """What is shown beneath, and searched as well."""
    url: str
    """Its address from the site's first page."""
    verdict: str = ""


def script(entries: Sequence[Entry]) -> str:
    """The index as a script."""
    rows = [{key: value for key, value in asdict(entry).items() if value} for entry in entries]
    return f"globalThis.workingsIndex = {json.dumps(rows, ensure_ascii=False, separators=(',', ':'))};\n"


def of_study(chapter: Chapter, notes: WriteUp | None, drawings: Sequence[Drawing]) -> Iterator[Entry]:
    """A study: itself, its claims and opinions, its figures, the sections of its write-up."""
    study = chapter.study
    url = f"study/{slug(study.id)}.html"
    yield Entry("study", study.title, study.summary, url)
    for finding in chapter.findings:
        claim, verdict = finding.claim, finding.verdict
        text = f"{claim.statement} {verdict.sentence} ({source(claim.source)})"
        yield Entry("claim", finding.id, text, f"{url}#claim-{slug(claim.id)}", str(verdict.kind))
    for opinion in study.opinions:
        text = f"{opinion.statement} {opinion.why} ({source(opinion.source)})"
        yield Entry("opinion", f"{study.id}.{opinion.id}", text, f"{url}#opinion-{slug(opinion.id)}")
    for drawing in drawings:
        title = f"{study.title}: {name(drawing.spec.id.replace('-', ' '))}"
        yield Entry("figure", title, drawing.spec.caption, f"{url}#figure-{slug(drawing.spec.id)}")
    for anchor, words in _sections(notes):
        yield Entry("section", words, study.title, f"{url}#{anchor}")


def of_set(answer: Answer) -> Iterator[Entry]:
    """A problem set: itself, its questions, the sections of its answers."""
    page = answer.page
    url = f"set/{slug(page.id)}.html"
    yield Entry("problem set", page.title, f"{page.summary} ({page.document}, {page.id})", url)
    for anchor, words in _sections(answer.written):
        kind = "question" if any(question.startswith(anchor) for question in page.questions) else "section"
        yield Entry(kind, words, f"{page.title} ({page.id}/{anchor})", f"{url}#{anchor}")


def _sections(written: WriteUp | None) -> list[tuple[str, str]]:
    """Anchor and text of the sections, each followed by those below it."""
    if written is None:
        return []
    found = []
    for anchor, words in written.sections:
        found.append((anchor, words))
        found += [(below, text) for above, below, text in written.below if above == anchor]
    return found
