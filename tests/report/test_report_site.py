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
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.report import site
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
    page = Page(pages / "index.html")
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
        for link in [*links, *(a["src"] for a in page.all("img")), *(a["srcset"] for a in page.all("source"))]:
            assert link is not None
            if link.startswith(("data:", "#verdict=")):
                continue
            target, anchor = urldefrag(unquote(link))
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
    assert "<script>alert('statement')</script> & <b>bold</b>" in Page(pages / "index.html").text
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


def test_a_figure_without_evidence_says_what_it_lacks(pages: Path) -> None:
    text = Page(pages / "study/parabola.html").text
    assert re.search(r"Not drawn: run \w+ has no metric 'validation/accuracy'", text)
    assert "No preset of this study records it." in text


def test_where_evidence_is_from_stands_beside_it(pages: Path) -> None:
    assert "fresh and recorded" in Page(pages / "index.html").text
    assert "1 stale run left aside" in Page(pages / "index.html").text
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


def test_an_empty_store_still_makes_a_site(study: Study, tmp_path: Path) -> None:
    index = site.write([study], RunStore(tmp_path / "home"), tmp_path / "site")
    assert index.is_file()
    assert all(f.open for f in judge(RunStore(tmp_path / "home").archive(study), study.claims))
    text = Page(index.parent / "study/parabola.html").text
    assert "No run of this study has been made." in text
    assert "Not drawn: parabola has no finished run." in text
    assert "workings run parabola --preset quick" in text


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
    with_recorded = Page(site.write([study], empty, tmp_path / "site")).text
    without = Page(site.write([study], empty, tmp_path / "site", fresh_only=True)).text
    assert "recorded" in with_recorded
    assert "not run" in without
    assert "Every run ends lower" not in without
