"""The pages of the four sheets: every sub-question answered, every binding claim judged, in each of the three forms.

The documents are made once, by this file run as a program: a process a page, since pages share no study. Each carries
out the instant trials that its page names, writes the three forms, and runs the notebook a second time.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workings.core.problem_set import ProblemSet
from workings.core.registry import find_set, studies
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.report.chapters import Chapter
from workings.report.documents import FORMS, build, studies_of
from workings.report.documents.blocks import CellBlock, ClaimBlock
from workings.report.documents.composition import ANCHOR, Composition, compose

QUESTIONS = {
    "nyu-2025-hw3": "1a 1b 1c 1d 2a 2b 2c 3a 3b 3c 3d 3e",
    "ist-2025-hw2": "1.1 1.2 1.3 2.1 2.2 2.3 2.4 3.1a 3.1b 3.1c",
    "nyu-2023-hw": "1a 1b 1c 1d 2a 2b 2c 2d 3a 3b 4 5a 5b 5c",
    "gatech-2024-ps2": "1 2 3.1 3.2 3.3 4 5a 5b 5c 6 7a 7b",
}
"""The sub-questions of each sheet."""

BINDING: Mapping[str, Mapping[str, str]] = {
    "nyu-2025-hw3": {
        "minimax.saddle-point": "supported",
        "minimax.ascent-rule": "refuted",
        "minimax.step-range": "supported",
        "minimax.step-range-derivation": "refuted",
        "minimax.descent-both": "supported",
        "minimax.special-cases-named": "refuted",
        "minimax.bilinear-gda": "supported",
        "minimax.bilinear-alternating": "supported",
        "minimax.bilinear-extragradient": "supported",
        "minimax.bilinear-optimistic": "supported",
        "clip.config-is-one-of-the-three": "refuted",
        "clip.cats-are-rare": "measure",
        "clip.a-beats-c-beats-b": "measure",
        "dcgan.parameters": "supported",
        "dcgan.shapes": "supported",
        "dcgan.improves-with-training": "measure",
        "dcgan.reproducible": "measure",
    },
    "ist-2025-hw2": {
        "hopfield.convex-part": "supported",
        "hopfield.concave-part": "supported",
        "hopfield.energy-never-rises": "supported",
        "hopfield.update-is-attention": "supported",
        "scenes.parameters-plain": "supported",
        "scenes.parameters-pooled": "supported",
        "scenes.selected-on-validation": "refuted",
        "scenes.middle-rate-best": "measure",
        "scenes.pooled-better": "measure",
        "spelling.parameters-plain": "supported",
        "spelling.parameters-attention": "supported",
        "spelling.attention-helps": "measure",
        "spelling.sampling-costs-accuracy": "measure",
        "spelling.three-samples-beat-one": "measure",
    },
    "nyu-2023-hw": {
        "descent.updates": "supported",
        "descent.step-range": "supported",
        "descent.slow-when-ill-conditioned": "supported",
        "filters.edge-ignores-flat": "supported",
        "filters.blur-is-low-pass": "supported",
        "filters.sharpen-is-horizontal": "supported",
        "filters.denoise-variance": "supported",
        "iou.between-zero-and-one": "supported",
        "iou.not-differentiable": "supported",
        "iou.unusable-as-loss": "refuted",
        "alexnet.parameters": "supported",
        "alexnet.accuracy": "measure",
        "detection.option-one-better": "measure",
    },
    "gatech-2024-ps2": {
        "activations.odd-has-zero-slope": "refuted",
        "activations.odd-symmetric-about-y-axis": "refuted",
        "activations.odd-vanishes-at-zero": "supported",
        "activations.odd-has-even-slope": "supported",
        "convergence.prox-is-gradient-step": "supported",
        "convergence.telescoping-lemma": "supported",
        "convergence.average-iterate-bound": "supported",
        "convergence.rate-exponent": "supported",
        "autodiff.value": "supported",
        "autodiff.forward-equals-reverse": "supported",
        "autodiff.numerical-close": "supported",
        "circulant.commutes-with-shift": "supported",
        "circulant.only-equivariant-linear-map": "supported",
        "circulant.fft-diagonalises": "supported",
        "sgd.every-step-descends": "refuted",
        "random_labels.fits-random-labels": "measure",
        "random_labels.finite-sample-construction": "supported",
    },
}
"""The claims that each sheet's page has to show, with the verdict that evidence must reach where that is known."""

PARTS = ("experiment.py", "claims.py", "figures.py", "notes.md", "published.toml")
"""What a study needs before a page can take anything from it."""
SECONDS = 900
"""For one document at most, on a machine that does much else; on an idle one all four take about a minute."""
PLACE = "WORKINGSBLOCK"

each_set = pytest.mark.parametrize("set_id", QUESTIONS)


# ---- making the documents, in a process of its own for each page ----


def named(page: ProblemSet) -> list[Study]:
    """The studies that a page names, less those that are still being written."""
    complete = {id: study for id, study in studies().items() if all(study.file(part).is_file() for part in PARTS)}
    return [complete[id] for id in studies_of(page, complete)]


def chapters(page: ProblemSet) -> list[Chapter]:
    """The studies of a page with their evidence, from the store that the environment names."""
    return [Chapter.read(study, RunStore.default(), fresh_only=False) for study in named(page)]


def make(set_id: str, folder: Path) -> None:
    """Carry out what the page needs, write the page in each form, and what its notebook gives when it is run again."""
    from nbclient import NotebookClient

    from workings.execute.local import carry_out

    page = find_set(set_id)
    for study in named(page):
        carry_out(study, list(study.instant()) if study.instant else [], RunStore.default())
    read = chapters(page)
    for form in FORMS:
        (folder / f"{set_id}.{form}").write_bytes(build(page, read, form))
    book: Any = nbformat.read(folder / f"{set_id}.ipynb", as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    client = NotebookClient(book, timeout=120)
    client.create_kernel_manager().transport = "ipc"
    client.execute()
    nbformat.write(book, folder / f"{set_id}.again.ipynb")


@dataclass(frozen=True)
class Made:
    """All documents, and the store that their evidence lies in."""

    folder: Path

    def read(self, name: str) -> str:
        """A document as text."""
        return (self.folder / name).read_text(encoding="utf-8")

    def composed(self, set_id: str) -> Composition:
        """The page put together, its cells left unrun."""
        page = find_set(set_id)
        return compose(page, chapters(page), run_cells=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The documents; the store is theirs for the whole module."""
    folder = tmp_path_factory.mktemp("documents")
    surroundings = os.environ | {"WORKINGS_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}

    def made_of(set_id: str) -> str:
        command = [sys.executable, __file__, set_id, str(folder)]
        done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=SECONDS)
        return f"{set_id}: {done.stderr[-2000:]}" if done.returncode else ""

    with ThreadPoolExecutor(len(QUESTIONS)) as pool:
        faults = [fault for fault in pool.map(made_of, QUESTIONS) if fault]
    assert not faults, "\n".join(faults)
    return Made(folder)


@pytest.fixture(autouse=True)
def _their_store(made: Made, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the store that each test has to itself."""
    monkeypatch.setenv("WORKINGS_HOME", str(made.folder / "home"))


# ---- what a sheet asks ----


@each_set
def test_a_page_declares_the_sub_questions_of_its_sheet(set_id: str) -> None:
    assert list(find_set(set_id).questions) == QUESTIONS[set_id].split()


@each_set
def test_every_sub_question_has_its_place(set_id: str, made: Made) -> None:
    anchors = [found["id"] for found in ANCHOR.finditer(made.composed(set_id).markdown)]
    headings = re.findall(r'<h[2-6]\b[^>]*\bid="([^"]+)"', made.read(f"{set_id}.html"))
    for question in QUESTIONS[set_id].split():
        assert anchors.count(question) == headings.count(question) == 1, question
    assert len(headings) == len(set(headings)), "an address on a page leads to one place"


@each_set
def test_every_sub_question_is_put_before_it_is_answered(set_id: str) -> None:
    """A quotation stands below the heading of each, or below the heading of the question that it belongs to."""
    text = find_set(set_id).text
    for question in QUESTIONS[set_id].split():
        after = text.partition(f"{{#{question}}}\n")[2].lstrip()
        assert after.startswith("> "), question


@each_set
def test_what_is_to_be_handed_in_names_sub_questions(set_id: str) -> None:
    page = find_set(set_id)
    places = [question for item in page.hand_in for question in item.where]
    assert set(places) == set(page.questions)
    assert "collaborators" in page.fields
    assert "{{ checklist() }}" in page.text


@each_set
def test_every_binding_claim_is_shown_with_the_verdict_it_must_have(set_id: str, made: Made) -> None:
    text, page = find_set(set_id).text, made.read(f"{set_id}.html")
    shown = {block.finding.id: block.finding for block in made.composed(set_id).blocks if isinstance(block, ClaimBlock)}
    there = {study.id for study in named(find_set(set_id))}
    for claim, verdict in BINDING[set_id].items():
        assert f'claim("{claim}")' in text, claim
        if claim.partition(".")[0] in there:
            assert f">{claim}</" in page, claim
            assert verdict in (str(shown[claim].verdict.kind), "measure"), claim


def test_the_table_of_claims_leaves_out_no_study_of_a_sheet() -> None:
    for set_id, claims in BINDING.items():
        asked = {study.id for study in studies().values() if any(s.startswith(f"{set_id}/") for s in study.sources)}
        assert asked <= {claim.partition(".")[0] for claim in claims}


@each_set
def test_nothing_is_missing_but_what_is_still_to_come(set_id: str, made: Made) -> None:
    page = find_set(set_id)
    to_come = set(page.to_come) - {study.id for study in named(page)}
    missing = {block.what for block in made.composed(set_id).missing}
    assert missing == {f"The study {study} is still to come" for study in to_come}


@each_set
def test_most_cells_are_held_against_evidence(set_id: str, made: Made) -> None:
    cells = [block for block in made.composed(set_id).blocks if isinstance(block, CellBlock)]
    held = [cell for cell in cells if cell.expected is not None]
    assert len(held) >= 5
    assert 2 * len(held) > len(cells)


# ---- the three forms ----


@each_set
def test_the_page_is_whole(set_id: str, made: Made) -> None:
    page = made.read(f"{set_id}.html")
    assert PLACE not in page
    assert "{{" not in page
    assert page.count("<blockquote>") >= len(QUESTIONS[set_id].split())


def outputs(book: Any) -> list[tuple[str, int]]:
    """For each cell its text, and how many pictures it drew; a kernel may hand text over in several pieces."""
    found = []
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        data = [output.get("data", {"text/plain": output.get("text", "")}) for output in cell.outputs]
        text = "".join("".join(d.get("text/plain", "").split()) for d in data if "image/png" not in d)
        found.append((text, sum("image/png" in d for d in data)))
    return found


@each_set
def test_the_notebook_gives_what_it_shows_when_it_is_run_again(set_id: str, made: Made) -> None:
    book, again = (nbformat.reads(made.read(f"{set_id}.{end}"), as_version=4) for end in ("ipynb", "again.ipynb"))
    nbformat.validate(book)
    assert outputs(book) == outputs(again)
    assert all(text or pictures for text, pictures in outputs(book)), "a cell that shows nothing says nothing"
    prose = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    assert PLACE not in prose
    assert "{{" not in prose


@each_set
def test_the_pdf_has_text_and_page_numbers(set_id: str, made: Made) -> None:
    pypdf = pytest.importorskip("pypdf")
    reader = pypdf.PdfReader(made.folder / f"{set_id}.pdf")
    sheets = [sheet.extract_text() for sheet in reader.pages]
    assert reader.metadata.title == find_set(set_id).title
    for number, text in enumerate(sheets, start=1):
        assert f"{number} / {len(sheets)}" in text
        assert PLACE not in text
    told = "".join("".join(sheets).split())
    for claim in BINDING[set_id]:
        if claim.partition(".")[0] in {study.id for study in named(find_set(set_id))}:
            assert claim in told


@pytest.mark.parametrize("form", FORMS)
def test_the_errata_are_built_from_the_same_evidence(form: str, made: Made) -> None:
    page = find_set("errata")
    read = chapters(page)
    document = build(page, read, form)
    assert len(document) > 10_000
    if form != "pdf":
        wrong = [claim for claims in BINDING.values() for claim, verdict in claims.items() if verdict == "refuted"]
        there = {chapter.study.id for chapter in read}
        assert all(claim in document.decode() for claim in wrong if claim.partition(".")[0] in there)
        assert PLACE not in json.dumps(document.decode())


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]))
