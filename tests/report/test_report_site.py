"""The site as files: what stands on its pages, and where it may be written."""

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from workings.core.errors import UserError
from workings.core.evidence import METRICS_FILE
from workings.core.ledger import judge
from workings.core.problem_set import ProblemSet
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.report import site
from workings.report.documents.composition import compose
from workings.report.publish import MARKER


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._silent = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in ("script", "style", "annotation")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def test_the_ledger_names_every_claim_with_its_verdict(pages: Path, study: Study) -> None:
    page = Page(pages / "ledger.html")
    entries = [a["data-verdict"] for a in page.all("li") if "entry" in str(a.get("class"))]
    assert entries == ["supported", "refuted", "inconclusive", "inconclusive", "not-run"]
    for claim in study.claims:
        assert f"{study.id}.{claim.id}" in page.text
        assert claim.statement in page.text
    assert "The factor is 1 − 2η: the published sign is wrong." in page.text
    assert "The parabola is the most beautiful of curves." in page.text


def test_every_link_and_picture_leads_somewhere(pages: Path) -> None:
    for path in pages.rglob("*.html"):
        page = Page(path)
        links = [a["href"] for a in [*page.all("a"), *page.all("link")]]
        sources = [a["src"] for a in [*page.all("img"), *page.all("script")]]
        for link in [*links, *sources, *(a["srcset"] for a in page.all("source"))]:
            assert link is not None
            if link.startswith("data:"):
                continue
            target, anchor = urldefrag(unquote(link))
            anchor = "" if anchor.startswith("verdict=") else anchor  # a state of the ledger's filters
            file = (path.parent / target) if target else path
            assert file.is_file(), f"{path.name} links to {link}"
            if anchor:
                assert anchor in [a.get("id") for _, a in Page(file).tags], f"{path.name} links to {link}"


def test_pages_are_sound(pages: Path) -> None:
    for path in pages.rglob("*.html"):
        page = Page(path)
        ids = [a["id"] for _, a in page.tags if "id" in a]
        assert len(ids) == len(set(ids)), f"{path.name} repeats an id"
        assert all(a.get("alt") for a in page.all("img")), f"{path.name} has a picture without a text"
        assert all(a.get("scope") for a in page.all("th")), f"{path.name} has a table head without a scope"
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(b - a <= 1 for a, b in pairwise(levels)), f"{path.name}: {levels}"
        assert not re.search(r'(src|href|srcset)="(https?:)?//', path.read_text(encoding="utf-8"))


def test_text_is_never_markup(pages: Path) -> None:
    for path in pages.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "<b>bold" not in text
        assert "<img src=x" not in text
    assert "<script>alert('statement')</script> & <b>bold</b>" in Page(pages / "ledger.html").text
    assert "Parabolas <&> steps" in Page(pages / "index.html").text
    assert "<script>alert(“notes”)</script>" in Page(pages / "study/parabola.html").text


def test_the_study_page_tells_rule_numbers_witness_and_transcription(pages: Path) -> None:
    text = Page(pages / "study/parabola.html").text
    assert "Refuted by any step size whose true factor differs" in text
    assert "published factor1.2" in text
    assert "true factor0.8" in text
    assert "parameters257,117" in text
    assert "The step multiplies x by one plus twice the step size." in text
    assert "end0.25" in text
    assert "<math" in (pages / "study/parabola.html").read_text(encoding="utf-8")


def test_the_first_page_says_what_there_is(pages: Path, study: Study) -> None:
    page = Page(pages / "index.html")
    words = " ".join(page.text.split())
    assert f"{len(study.claims)} statements about 1 system from deep-learning problem sets" in words
    assert "2 of them stand in a published answer; 1 of those is refuted" in words
    assert "Each step multiplies x by 1 + 2η. The factor is 1 − 2η: the published sign is wrong." in words
    assert "published factor = 1.2; true factor = 0.8" in words.replace("\xa0", " ")
    assert "The loss falls by the same factor at each step" in words
    marks = next(a["aria-label"] for a in page.all("p") if a.get("class") == "marks")
    assert marks == "1 supported, 1 refuted, 2 inconclusive, 1 not run"


def test_the_first_page_hands_out_each_set_and_leads_to_the_errata(pages: Path) -> None:
    page = Page(pages / "index.html")
    links = [a["href"] for a in page.all("a")]
    assert {"set/toy-sheet.html", "set/toy-sheet.pdf", "set/toy-sheet.ipynb", "set/errata.html"} <= set(links)
    assert "set/errata.pdf" not in links
    assert (pages / "set/toy-sheet.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads((pages / "set/toy-sheet.ipynb").read_text(encoding="utf-8"))["cells"]
    assert "1 thing still missing" in page.text


def test_a_set_page_tells_its_verdicts_downloads_and_neighbours(pages: Path) -> None:
    page = Page(pages / "set/toy-sheet.html")
    assert re.search(r"1 supported\s+1 refuted", page.text)
    assert "The study later is still to come" in page.text
    assert re.search(r"PDF of Parabolas <&> steps \d+ kB", page.text)
    assert [a["href"] for a in page.all("a") if a.get("rel") == "prev"] == ["errata.html"]
    assert [a["href"] for a in page.all("a") if a.get("rel") == "next"] == []
    assert "the published sign is wrong" in Page(pages / "set/errata.html").text


def test_a_claim_leads_to_the_question_it_answers(pages: Path) -> None:
    links = [a["href"] for a in Page(pages / "study/parabola.html").all("a")]
    assert "../set/toy-sheet.html#1b" in links
    assert "../set/toy-sheet.html" in links


def test_figures_are_numbered_and_named_in_the_contents(pages: Path) -> None:
    page = Page(pages / "study/parabola.html")
    assert re.search(r"Figure 1\.\s+The loss falls by the same factor", page.text)
    assert re.search(r"Figure 2\.\s+Accuracy over the epochs", page.text)
    assert {"#figure-losses", "#figure-accuracies"} <= {a["href"] for a in page.all("a")}


def test_the_index_of_the_search_names_everything_and_leads_there(pages: Path, study: Study) -> None:
    script = (pages / "static/index.js").read_text(encoding="utf-8")
    rows = json.loads(script.removeprefix("globalThis.workingsIndex = ").removesuffix(";\n"))
    by_kind: dict[str, list[str]] = {}
    for row in rows:
        by_kind.setdefault(row["kind"], []).append(row["title"])
        target, anchor = urldefrag(row["url"])
        ids = [a.get("id") for _, a in Page(pages / target).tags]
        assert not anchor or anchor in ids, row
    assert by_kind["claim"] == [f"{study.id}.{claim.id}" for claim in study.claims]
    assert by_kind["study"] == [study.title]
    assert by_kind["opinion"] == ["parabola.beauty"]
    assert by_kind["figure"] == ["Descent on a parabola: losses", "Descent on a parabola: accuracies"]
    assert {"The factor, and how η sets it", "Reading"} <= set(by_kind["section"])
    assert [words.split("\u2002")[0].split()[0] for words in by_kind["question"]] == ["1", "1a", "1b"]
    assert by_kind["problem set"] == ["Errata", "Parabolas <&> steps"]


def test_a_figure_without_evidence_says_what_it_lacks(pages: Path) -> None:
    text = Page(pages / "study/parabola.html").text
    assert re.search(r"Not drawn: run \w+ has no metric 'validation/accuracy'", text)
    assert "No preset of this study records it." in text


def test_where_evidence_is_from_stands_beside_it(pages: Path) -> None:
    assert "fresh and recorded" in Page(pages / "ledger.html").text
    assert "1 stale run left aside" in Page(pages / "ledger.html").text
    stale = Page(pages / "run/abcdef012345.html").text
    assert "It is of version 1 of the study, which is now at 2: it decides nothing." in stale
    runs = [Page(path).text for path in (pages / "run").glob("*.html")]
    assert sum("Shipped with the study" in text for text in runs) == 1
    assert sum("unfinished" in text for text in runs) == 1


def test_a_run_page_tells_settings_data_provenance_and_measurements(pages: Path) -> None:
    texts = [Page(path).text for path in (pages / "run").glob("*.html")]
    text = next(text for text in texts if "eta = 0.2" in text.replace("\xa0", " ") and "stale" not in text)
    assert "workings run parabola --eta 0.2 '--expression=-x**2 + 2*x**2'" in text
    assert "content-of-toy-course" in text
    assert "Points <of> the course" in text
    assert "12 epochs" in text
    assert "contraction" in text
    assert "path (12)" in text
    assert "python" in text


def test_numbers_come_from_the_evidence(study: Study, store: RunStore, tmp_path: Path) -> None:
    before = Page(site.write([study], store, tmp_path / "site").parent / "study/parabola.html").text
    for run in store.runs(study.id):
        rows = [{"name": "loss", "step": 12, "value": 0.4242}, {"name": "parameters", "step": 0, "value": 31337}]
        (run.folder / METRICS_FILE).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    after = Page(site.write([study], store, tmp_path / "site").parent / "study/parabola.html").text
    assert "0.4242" in after
    assert "31,337" in after
    assert "0.4242" not in before


def test_what_has_not_changed_is_not_made_again(
    study: Study, sets: list[ProblemSet], store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contents() -> dict[str, bytes]:
        site.write([study], store, tmp_path / "site", sets=sets)
        return {str(path): path.read_bytes() for path in (tmp_path / "site").rglob("*.*") if path.is_file()}

    before, made = contents(), []
    monkeypatch.setattr("workings.report.figures.render", lambda spec, *rest: made.append(spec.id) or b"<svg/>")
    monkeypatch.setattr(
        "workings.report.answers.compose", lambda page, *rest: made.append(page.id) or compose(page, *rest)
    )
    assert contents() == before
    assert made == []
    run = store.runs(study.id)[0]
    rows = (run.folder / METRICS_FILE).read_text(encoding="utf-8")
    (run.folder / METRICS_FILE).write_text(rows + '{"name": "loss", "step": 12, "value": 0.5}\n', encoding="utf-8")
    contents()
    assert {"losses", "errata", "toy-sheet"} <= set(made)


def test_a_strangers_page_at_fault_spoils_itself_alone_and_ours_stops_the_build(
    study: Study, sets: list[ProblemSet], store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "quiz.md"
    path.write_text('+++\ntitle = "Quiz"\n+++\n\n{{ claim("parabola.nowhere") }}\n', encoding="utf-8")
    pages = [*sets, ProblemSet.read("quiz", path)]
    with pytest.raises(UserError, match=r"quiz, line 5: there is no claim 'parabola\.nowhere'"):
        site.write([study], store, tmp_path / "site", sets=pages)
    monkeypatch.setattr(site, "is_announced", lambda page: page.id == "quiz")
    folder = site.write([study], store, tmp_path / "site", sets=pages).parent
    assert "This page cannot be built: quiz, line 5" in Page(folder / "set/quiz.html").text
    assert "cannot be built" not in Page(folder / "set/toy-sheet.html").text


def test_an_empty_store_still_makes_a_site(study: Study, tmp_path: Path) -> None:
    index = site.write([study], RunStore(tmp_path / "home"), tmp_path / "site")
    assert index.is_file()
    assert all(f.open for f in judge(RunStore(tmp_path / "home").archive(study), study.claims))
    text = Page(index.parent / "study/parabola.html").text
    assert "No run of this study has been made." in text
    assert "Not drawn: parabola has no finished run." in text
    assert "workings run parabola --preset quick" in text
    front = Page(index).text
    assert "5 statements about 1 system" in " ".join(front.split())
    assert not any(
        words in front for words in ("Corrected in red", "Seen in the evidence", "The problem sets", "Errata")
    )


def test_a_foreign_folder_is_left_alone(study: Study, store: RunStore, tmp_path: Path) -> None:
    thesis = tmp_path / "thesis" / "chapter.txt"
    thesis.parent.mkdir()
    thesis.write_text("years of work", encoding="utf-8")
    with pytest.raises(UserError, match="no report of ours"):
        site.write([study], store, thesis.parent)
    with pytest.raises(UserError, match="is a file"):
        site.write([study], store, thesis)
    assert [path.name for path in thesis.parent.iterdir()] == ["chapter.txt"]


def test_a_failed_build_leaves_the_old_site(
    study: Study, store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = site.write([study], store, tmp_path / "site")
    before = index.read_bytes()

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("workings.report.logbook.sheets", broken)
    with pytest.raises(RuntimeError):
        site.write([study], store, tmp_path / "site")
    assert index.read_bytes() == before
    assert (index.parent / MARKER).is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "site"]


def test_recorded_evidence_can_be_left_out(
    study: Study, store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, file = store.root / "runs" / study.id, Study.file
    monkeypatch.setattr(Study, "file", lambda self, name: shipped if name == "evidence" else file(self, name))
    empty = RunStore(tmp_path / "empty")
    ledger = tmp_path / "site" / "ledger.html"
    site.write([study], empty, ledger.parent)
    with_recorded = Page(ledger).text
    site.write([study], empty, ledger.parent, fresh_only=True)
    without = Page(ledger).text
    assert "recorded" in with_recorded
    assert "not run" in without
    assert "Every run ends lower" not in without
