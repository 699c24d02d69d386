"""The pages of the four sheets: every sub-question answered, every binding claim judged, in each of the three forms.

The documents are made once, by this file run as a program: a process a page, since pages share no study. Each carries
out the instant trials that its page names, writes the three forms and what stands in them, and runs the notebook again.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workings.core.problem_set import ProblemSet
from workings.core.registry import find_set, studies
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.report.documents import FORMS, studies_of

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
"""For one document at most, on a machine that does much else; on an idle one all of them take about a minute."""
PLACE = "WORKINGSBLOCK"

each_set = pytest.mark.parametrize("set_id", QUESTIONS)


def named(page: ProblemSet) -> list[Study]:
    """The studies that a page names, less those that are still being written."""
    complete = {id: study for id, study in studies().items() if all(study.file(part).is_file() for part in PARTS)}
    return [complete[id] for id in studies_of(page, complete)]


def built(set_id: str) -> dict[str, str]:
    """The binding claims of a sheet whose studies are there, with the verdicts they must have."""
    there = {study.id for study in named(find_set(set_id))}
    return {claim: verdict for claim, verdict in BINDING[set_id].items() if claim.partition(".")[0] in there}


# ---- making the documents, in a process of its own for each page ----


def make(set_id: str, folder: Path) -> None:
    """Carry out what a page needs; write each form, what the page is made of, and what its cells give a second time."""
    from workings.execute.local import carry_out
    from workings.report.chapters import Chapter
    from workings.report.documents import html, notebook, pdf
    from workings.report.documents.blocks import CellBlock, ClaimBlock
    from workings.report.documents.composition import ANCHOR, compose
    from workings.report.templating import templates

    page, store = find_set(set_id), RunStore.default()
    for study in named(page):
        carry_out(study, list(study.instant()) if study.instant else [], store)
    made = compose(page, [Chapter.read(study, store, fresh_only=False) for study in named(page)])
    (folder / f"{set_id}.html").write_bytes(html.standalone(made, templates()))
    (folder / f"{set_id}.ipynb").write_bytes(notebook.write(made))
    (folder / f"{set_id}.pdf").write_bytes(pdf.write(made))
    parts = {
        "anchors": [found["id"] for found in ANCHOR.finditer(made.markdown)],
        "claims": {b.finding.id: str(b.finding.verdict.kind) for b in made.blocks if isinstance(b, ClaimBlock)},
        "held": [block.expected is not None for block in made.blocks if isinstance(block, CellBlock)],
        "missing": [block.what for block in made.missing],
    }
    (folder / f"{set_id}.json").write_text(json.dumps(parts), encoding="utf-8")
    run_again(folder / f"{set_id}.ipynb", folder / f"{set_id}.again.ipynb")


def run_again(path: Path, to: Path) -> None:
    """Run a notebook from top to bottom in a clean kernel, without the outputs that it came with."""
    from nbclient import NotebookClient

    book: Any = nbformat.read(path, as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    client = NotebookClient(book, timeout=SECONDS)
    manager = client.create_kernel_manager()
    manager.transport, manager.ip = "ipc", str(to.with_suffix(""))  # through files beside it: no port is opened
    client.execute()
    nbformat.write(book, to)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all documents."""
    folder = tmp_path_factory.mktemp("documents")
    surroundings = os.environ | {"WORKINGS_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}

    def fault_in(set_id: str) -> str:
        command = [sys.executable, __file__, set_id, str(folder)]
        done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=SECONDS)
        return f"{set_id}: {done.stderr[-2000:]}" if done.returncode else ""

    with ThreadPoolExecutor(len(QUESTIONS)) as pool:
        faults = list(pool.map(fault_in, QUESTIONS))
    faults.append(fault_in("errata"))  # of all studies, so after those whose trials it shows
    assert not any(faults), "\n".join(faults)
    return folder


def parts(made: Path, set_id: str) -> Mapping[str, Any]:
    """What a page is made of."""
    return json.loads((made / f"{set_id}.json").read_text(encoding="utf-8"))


# ---- what a sheet asks ----


@each_set
def test_a_page_declares_the_sub_questions_of_its_sheet(set_id: str) -> None:
    assert list(find_set(set_id).questions) == QUESTIONS[set_id].split()


@each_set
def test_every_sub_question_is_put_before_it_is_answered(set_id: str) -> None:
    text = find_set(set_id).text
    for question in QUESTIONS[set_id].split():
        assert text.partition(f"{{#{question}}}\n")[2].lstrip().startswith("> "), question


@each_set
def test_what_is_to_be_handed_in_covers_the_sheet(set_id: str) -> None:
    page = find_set(set_id)
    assert {question for item in page.hand_in for question in item.where} == set(page.questions)
    assert "collaborators" in page.fields
    assert "{{ checklist() }}" in page.text


def test_the_tables_leave_out_no_study_of_a_sheet() -> None:
    for set_id, claims in BINDING.items():
        asked = {study.id for study in studies().values() if any(s.startswith(f"{set_id}/") for s in study.sources)}
        assert asked <= {claim.partition(".")[0] for claim in claims}


@each_set
def test_every_sub_question_has_its_place(set_id: str, made: Path) -> None:
    anchors = parts(made, set_id)["anchors"]
    headings = re.findall(r'<h[2-6]\b[^>]*\bid="([^"]+)"', (made / f"{set_id}.html").read_text(encoding="utf-8"))
    for question in QUESTIONS[set_id].split():
        assert anchors.count(question) == headings.count(question) == 1, question
    assert len(headings) == len(set(headings)), "an address leads to one place"


@each_set
def test_every_binding_claim_is_shown_with_the_verdict_it_must_have(set_id: str, made: Path) -> None:
    text, shown = find_set(set_id).text, parts(made, set_id)["claims"]
    assert not [claim for claim in BINDING[set_id] if f'claim("{claim}")' not in text]
    for claim, verdict in built(set_id).items():
        assert verdict in (shown[claim], "measure"), claim


@each_set
def test_nothing_is_missing_but_what_is_still_to_come(set_id: str, made: Path) -> None:
    """A study that is there and still has to be measured may stay among those to come."""
    to_come = find_set(set_id).to_come
    assert not [what for what in parts(made, set_id)["missing"] if not any(study in what for study in to_come)]


@each_set
def test_most_cells_are_held_against_evidence(set_id: str, made: Path) -> None:
    held = parts(made, set_id)["held"]
    assert sum(held) >= max(5, len(held) / 2)


# ---- the three forms ----


@each_set
def test_the_page_is_whole(set_id: str, made: Path) -> None:
    page = (made / f"{set_id}.html").read_text(encoding="utf-8")
    assert PLACE not in page
    assert "{{" not in page
    assert page.count("<blockquote>") >= len(QUESTIONS[set_id].split())
    assert not [claim for claim in built(set_id) if f">{claim}</" not in page]


def outputs(book: Any) -> list[tuple[str, int]]:
    """For each cell its text, and how many pictures it drew; a kernel may hand text over in several pieces."""
    found = []
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        data = [output.get("data", {"text/plain": output.get("text", "")}) for output in cell.outputs]
        text = "".join(d.get("text/plain", "") for d in data if "image/png" not in d)
        found.append(("".join(text.split()), sum("image/png" in d for d in data)))
    return found


@each_set
def test_the_notebook_gives_what_it_shows_when_it_is_run_again(set_id: str, made: Path) -> None:
    book, again = (nbformat.read(made / f"{set_id}.{end}", as_version=4) for end in ("ipynb", "again.ipynb"))
    nbformat.validate(book)
    assert outputs(book) == outputs(again)
    assert all(text or pictures for text, pictures in outputs(book)), "a cell that shows nothing says nothing"
    prose = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    assert PLACE not in prose
    assert "{{" not in prose


@each_set
def test_the_pdf_has_text_and_page_numbers(set_id: str, made: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    reader = pypdf.PdfReader(made / f"{set_id}.pdf")
    sheets = [sheet.extract_text() for sheet in reader.pages]
    assert reader.metadata.title == find_set(set_id).title
    for number, text in enumerate(sheets, start=1):
        assert f"{number} / {len(sheets)}" in text
        assert PLACE not in text
    told = "".join("".join(sheets).split())
    assert not [claim for claim in built(set_id) if claim not in told]


def test_the_errata_hold_what_the_pages_refute(made: Path) -> None:
    listed = parts(made, "errata")["claims"]
    wrong = {claim for set_id in BINDING for claim, verdict in built(set_id).items() if verdict == "refuted"}
    assert wrong <= listed.keys()
    assert set(listed.values()) == {"refuted"}
    for form in FORMS:
        assert PLACE.encode() not in (made / f"errata.{form}").read_bytes()


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]))
