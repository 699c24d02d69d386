"""Problem sets as documents: references, cells, the lint, and the three forms."""

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
import typst
from nbclient import NotebookClient

from workings.core.errors import UserError
from workings.core.problem_set import ProblemSet
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.report import notes
from workings.report.chapters import Chapter
from workings.report.documents import FORMS, build, notebook, pdf, studies_of
from workings.report.documents.blocks import CellBlock, ChecklistBlock, ClaimBlock, FigureBlock, MissingBlock
from workings.report.documents.composition import Composition, compose
from workings.report.templating import said

FRONT = """+++
title = "Parabolas"
document = "Toy sheet"
summary = "Descending."
questions = ["1a"]
given = ["12"]
to_come = ["later"]
[fields]
collaborators = "Who worked with whom"
[[hand_in]]
item = "The answer"
where = ["1a"]
[[hand_in]]
item = "What comes later"
where = ["1b"]
+++
"""
QUESTION = "\n### A question {#1a}\n\n"


@pytest.fixture
def chapters(study: Study, store: RunStore) -> list[Chapter]:
    return [Chapter.read(study, store, fresh_only=False)]


def page(tmp_path: Path, text: str, front: str = FRONT) -> ProblemSet:
    path = tmp_path / "toy-set.md"
    path.write_text(front + text, encoding="utf-8")
    return ProblemSet.read("toy-set", path)


def composed(tmp_path: Path, chapters: list[Chapter], text: str, **more: Any) -> Composition:
    return compose(page(tmp_path, QUESTION + text), chapters, **more)


# ---- references ----


def test_blocks_stand_where_they_are_named(tmp_path: Path, chapters: list[Chapter]) -> None:
    text = '{{ claim("parabola.factor") }}\n\nProse.\n\n{{ figure("parabola.losses") }}\n\n{{ checklist() }}\n'
    made = composed(tmp_path, chapters, text)
    assert [type(block) for block in made.blocks] == [ClaimBlock, FigureBlock, ChecklistBlock]
    assert made.markdown.index("BLOCK0") < made.markdown.index("Prose.") < made.markdown.index("BLOCK1")
    assert not made.missing


def test_numbers_come_from_evidence(tmp_path: Path, chapters: list[Chapter]) -> None:
    text = (
        'A {{ metric("parabola", "parameters") }} B {{ witness("parabola.factor", "published_factor") }} '
        'C {{ number("parabola.converges", "runs") }} D {{ setting("parabola", "eta") }} '
        'E {{ table("parabola", "steps", 1, "step", seed=1) }} F {{ published("parabola.factor", "value") }}\n'
    )
    assert "A 257,117 B 1.2 C 4 D 0.1 E 2 F 1 + 8η" in composed(tmp_path, chapters, text).markdown


def test_a_changed_metric_changes_the_document_and_nothing_else_does(
    tmp_path: Path, study: Study, store: RunStore
) -> None:
    text = QUESTION + 'It has {{ metric("parabola", "parameters", seed=0, momentum=False) }} parameters.\n'
    first = [build(page(tmp_path, text), [Chapter.read(study, store, fresh_only=False)], form) for form in FORMS]
    again = [build(page(tmp_path, text), [Chapter.read(study, store, fresh_only=False)], form) for form in FORMS]
    assert first == again
    run = store.archive(study).evidence().where(seed=0, momentum=False).one()
    with (run.folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"name": "parameters", "step": 0, "value": 13}) + "\n")
    changed = [build(page(tmp_path, text), [Chapter.read(study, store, fresh_only=False)], form) for form in FORMS]
    assert all(old != new for old, new in zip(first, changed, strict=True))
    assert changed[0].decode() == first[0].decode().replace("257,117", "13")


def test_a_section_of_a_write_up_is_taken_over_without_its_heading(tmp_path: Path, chapters: list[Chapter]) -> None:
    notes = chapters[0].study.file("notes.md").read_text(encoding="utf-8")
    anchor = notes.partition("{#")[2].partition("}")[0]
    made = composed(tmp_path, chapters, f'{{{{ notes("parabola#{anchor}") }}}}\n')
    section = notes.partition(f"{{#{anchor}}}\n")[2].partition("\n## ")[0]
    first = next(line for line in section.splitlines() if line and not line.startswith("#"))
    assert first in made.markdown
    assert f"{{#{anchor}}}" not in made.markdown.replace("{#1a}", "")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ('claim("parabola.facter")', "no claim 'parabola.facter' .did you mean 'parabola.factor'"),
        ('claim("parabol.factor")', "no study 'parabol' .did you mean 'parabola'"),
        ('figure("parabola.loses")', "no figure 'loses' .did you mean 'losses'"),
        ('notes("parabola#nowhere")', "no section 'nowhere'"),
        ('metric("parabola", "los")', "kept no 'los': they kept"),
        ('metric("parabola", "loss", sed=3)', "no setting sed"),
        ('number("parabola.converges", "mean")', "no 'mean': it has mean_loss"),
        ('witness("parabola.factor", "eta", "more")', "no 'more'"),
        ('published("parabola.nothing", "value")', "published.toml has no 'nothing'"),
        ('setting("parabola", "seed")', "share no one value of 'seed'"),
        ('table("parabola", "steps", 99)', "steps has no 99"),
        ('field("teacher")', "no field 'teacher'"),
        ('shout("now")', "'shout' is undefined"),
        ('metric("parabola", "loss"', "line 21: unexpected '}'"),
        ('100 * metric("parabola", "parameters")', "a page does not calculate with 257,117: have the study record"),
        ('metric("parabola", "parameters") / 2', "TypeError: unsupported operand"),
        ("metric()", "TypeError: .*missing 2 required positional arguments: 'study' and 'name'"),
        ("claim(3)", "AttributeError: 'int' object has no attribute"),
    ],
)
def test_a_reference_to_nothing_fails_the_build(
    tmp_path: Path, chapters: list[Chapter], reference: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as error:
        composed(tmp_path, chapters, f"\n{{{{ {reference} }}}}\n")
    assert str(error.value).startswith("toy-set, line")


def test_the_message_names_the_line(tmp_path: Path, chapters: list[Chapter]) -> None:
    text = 'One.\n\n```{.python .cell}\nprint(\n    1\n)\n```\n\nTwo.\n\n{{ claim("parabola.no") }}\n'
    line = (FRONT + QUESTION + text).splitlines().index('{{ claim("parabola.no") }}') + 1
    with pytest.raises(UserError, match=f"toy-set, line {line}: "):
        composed(tmp_path, chapters, text)


# ---- what is missing ----


def test_what_has_not_been_measured_is_said_with_its_command(tmp_path: Path, study: Study) -> None:
    empty = [Chapter.read(study, RunStore(tmp_path / "none"), fresh_only=False)]
    text = (
        '{{ claim("parabola.factor") }}\n\n{{ figure("parabola.losses") }}\n\nIt is {{ metric("parabola", "loss") }}.\n'
    )
    made = composed(tmp_path, empty, text)
    assert "It is *not measured yet*." in made.markdown
    assert len(made.missing) == 3
    assert all(block.command == "workings run parabola --preset quick" for block in made.missing)
    for form in FORMS:
        assert build(made.page, empty, form)


def test_a_study_to_come_is_said_so_and_a_misspelt_one_is_an_error(tmp_path: Path, chapters: list[Chapter]) -> None:
    made = composed(tmp_path, chapters, '{{ claim("later.better") }}\n\n{{ notes("later#1") }}\n\n{{ checklist() }}\n')
    assert [block.what for block in made.missing] == ["The study later is still to come"]
    assert [type(block) for block in made.blocks[:2]] == [MissingBlock, MissingBlock]
    with pytest.raises(UserError, match="no study 'latter'"):
        composed(tmp_path, chapters, '{{ claim("latter.better") }}\n')


def test_a_number_of_a_study_to_come_is_missing_too(tmp_path: Path, chapters: list[Chapter]) -> None:
    made = composed(tmp_path, chapters, 'It is {{ metric("later", "loss") }}.\n\n{{ checklist() }}\n')
    assert [block.what for block in made.missing] == ["The study later is still to come"]
    (checklist,) = [b for b in made.blocks if isinstance(b, ChecklistBlock)]
    assert [done for _, done in checklist.items] == [False, True]


def test_a_field_that_is_not_filled_in_is_not_ticked(tmp_path: Path, chapters: list[Chapter]) -> None:
    for answer, ticked in (("", False), ("  ", False), ("Ada", True)):
        text = '{{ field("collaborators") }}\n\n{{ checklist() }}\n'
        made = composed(tmp_path, chapters, text, answers={"collaborators": answer})
        (checklist,) = [b for b in made.blocks if isinstance(b, ChecklistBlock)]
        assert [done for _, done in checklist.items] == [ticked, True]


def test_a_verdict_that_waits_for_trials_of_its_preset_is_not_ticked(
    tmp_path: Path, study: Study, store: RunStore
) -> None:
    text = '{{ claim("parabola.hostile") }}\n\n{{ checklist() }}\n'
    for left_out, ticked in ((0, True), (1, False)):
        for run in store.runs(study.id)[:left_out]:
            shutil.rmtree(run.folder)
        made = composed(tmp_path, [Chapter.read(study, store, fresh_only=False)], text)
        (checklist,) = [b for b in made.blocks if isinstance(b, ChecklistBlock)]
        assert [done for _, done in checklist.items] == [ticked, True]


def test_what_stands_before_the_first_section_can_be_taken_over(tmp_path: Path, chapters: list[Chapter]) -> None:
    made = composed(tmp_path, chapters, '{{ notes("parabola") }}\n')
    assert "so a step of size" in made.markdown
    assert "By induction" not in made.markdown
    assert "# Descent on a parabola" not in made.markdown


def test_the_checklist_ticks_what_is_complete(tmp_path: Path, chapters: list[Chapter]) -> None:
    text = '{{ checklist() }}\n\n### Later {#1b}\n\n{{ claim("later.better") }}\n'
    (checklist,) = [b for b in composed(tmp_path, chapters, text).blocks if isinstance(b, ChecklistBlock)]
    assert [done for _, done in checklist.items] == [True, False]


def test_fields_are_filled_in(tmp_path: Path, chapters: list[Chapter]) -> None:
    made = page(tmp_path, QUESTION + '{{ field("collaborators") }}\n')
    for form in ("html", "ipynb"):
        assert b"Ada &amp; Grace" in build(made, chapters, form, {"collaborators": "Ada & Grace"}) or form == "ipynb"
    with pytest.raises(UserError, match="no field 'teacher' to fill in: it has collaborators"):
        compose(made, chapters, {"teacher": "x"})


# ---- the page itself ----


@pytest.mark.parametrize(
    "typed", ["It is 0.31.", "There are 257,117 of them.", "Some 76 % of it.", "After 13 epochs.", "- 7"]
)
def test_a_figure_typed_into_prose_fails_the_build(tmp_path: Path, chapters: list[Chapter], typed: str) -> None:
    with pytest.raises(UserError, match="is typed into prose") as error:
        composed(tmp_path, chapters, f"Well.\n{typed}\n")
    line = (FRONT + QUESTION + "Well.\n").count("\n") + 1
    assert f"line {line}:" in str(error.value)


def test_mathematics_code_and_what_the_problem_gives_may_hold_figures(tmp_path: Path, chapters: list[Chapter]) -> None:
    text = (
        "After 12 epochs $x = 0.31$, `pi = 3.14` and\n\n$$y = 7,$$\n\nas [here](page-9.html) in conv4 of ResNet-18.\n\n"
        "```{.python .cell}\nx = 99\n```\n"
    )
    assert composed(tmp_path, chapters, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("### Another {#2}\n", r"no heading is anchored \{#1a\}"),
        (QUESTION + 'See {{ claim("parabola.factor") }} here.\n', "on a line of its own"),
        (QUESTION + "```{.python .cell wants=3}\n1\n```\n", 'a cell may say gives="…"'),
        (QUESTION + '```{.python .cell gives="12"}\n12\n```\n', "gives has to refer to a number.*not 12"),
        (QUESTION + "```{.python .cell}\n1\n", "line 20: a cell begins with .* and ends with"),
        (QUESTION + "``` {.cell .python}\n1\n```\n", "line 20: a cell begins with .* and ends with"),
        (QUESTION + "$\\notacommand{$\n", "cannot be typeset"),
    ],
)
def test_what_is_wrong_with_a_page_is_said(tmp_path: Path, chapters: list[Chapter], text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        build(page(tmp_path, text), chapters, "html")


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("no front matter\n", "begins with front matter"),
        ('+++\ntitle = "x\n+++\n', "no TOML"),
        ('+++\ndocument = "x"\n+++\n', "needs a title"),
        ('+++\ntitle = "x"\nquestion = ["1"]\n+++\n', "does not know question .did you mean 'questions'"),
        ('+++\ntitle = "x"\n\ngiven = }\n+++\n', "no TOML.*at line 4"),
        ('+++\ntitle = "x"\ngiven = [4]\n+++\n', r"given is \[4\]: give a list of texts"),
        ('+++\ntitle = "x"\nwords = {a = "7"}\n+++\n', "words is .*: give a table of whole numbers"),
        (
            '+++\ntitle = "x"\n[[hand_in]]\nwhat = "y"\n+++\n',
            "hand_in is .*: give tables, each with a text called item",
        ),
    ],
)
def test_front_matter_is_checked(tmp_path: Path, front: str, message: str) -> None:
    with pytest.raises(UserError, match=f"^toy-set: .*{message}"):
        page(tmp_path, "\nText.\n", front)


def test_a_page_names_its_studies(tmp_path: Path, study: Study) -> None:
    text = 'A {{metric("parabola", "x")}} and {{ claim( \'later.x\' ) }}\n\n'
    text += "```{.python .cell gives=\"table('other', 1)\"}\n1\n```\n"
    known = {"parabola": study, "other": study, "unnamed": study}
    assert studies_of(page(tmp_path, text), known) == ["other", "parabola"]
    assert studies_of(page(tmp_path, "{{ errata() }}"), known) == sorted(known)


def test_a_section_longer_than_the_sheet_allows_fails_the_build(tmp_path: Path, chapters: list[Chapter]) -> None:
    front = FRONT.replace("[fields]", "[words]\n1a = 5\n[fields]")
    text = "> The question does not count.\n\nOne two — three\n\n#### Four five {#part}\n\n"
    text += "{{ claim('parabola.factor') }}\n\nfour five"
    after = "\n\n### Another {#1b}\n\nAs long as it likes to be, since nothing is said of it.\n"
    assert compose(page(tmp_path, QUESTION + text + after, front), chapters)
    with pytest.raises(UserError, match="section 1a holds 6 words, 5 are allowed"):
        compose(page(tmp_path, QUESTION + text + " six" + after, front), chapters)


# ---- cells ----

CELL = '```{{.python .cell gives="{}"}}\n{}\n```\n'


def test_cells_run_top_to_bottom_and_equal_the_evidence(tmp_path: Path, chapters: list[Chapter]) -> None:
    text = CELL.format("setting('parabola', 'eta')", "import numpy as np\neta = np.float64(1) / 10\neta") + "\n"
    text += CELL.format("witness('parabola.factor', 'true_factor')", "print('so')\n1 - 2 * eta")
    first, second = [b for b in composed(tmp_path, chapters, text).blocks if isinstance(b, CellBlock)]
    assert [output.text for output in first.outputs] == ["np.float64(0.1)"]
    assert [output.text for output in second.outputs] == ["so", "np.float64(0.8)"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 + 0.2", "the cell gives 1.2, the evidence 0.8"),
        ("x = 0.8", "the cell gives None"),
        ("1 / 0", "the cell fails: ZeroDivisionError: division by zero"),
        ("0.8 =", "the cell fails: SyntaxError"),
    ],
)
def test_a_cell_that_fails_or_differs_fails_the_build(
    tmp_path: Path, chapters: list[Chapter], code: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        composed(tmp_path, chapters, CELL.format("witness('parabola.factor', 'true_factor')", code))


def test_pictures_of_cells_are_kept(tmp_path: Path, chapters: list[Chapter]) -> None:
    code = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    made = composed(tmp_path, chapters, f"```{{.python .cell}}\n{code}\n```\n")
    (cell,) = [b for b in made.blocks if isinstance(b, CellBlock)]
    assert any(output.png.startswith(b"\x89PNG") for output in cell.outputs)


# ---- forms ----

WHOLE = (
    QUESTION
    + """> What is the factor?

It is $1 - 2\\eta$, from

$$x_{t+1} = x_t - \\eta \\cdot 2 x_t.$$

{{ claim("parabola.factor") }}

{{ claim("parabola.hostile") }}

{{ figure("parabola.losses") }}

```{.python .cell gives="witness('parabola.factor', 'true_factor')"}
eta = 0.1
1 - 2 * eta
```

{{ field("collaborators") }}

{{ checklist() }}
"""
)


def test_the_page_is_one_file_without_foreign_parts(tmp_path: Path, chapters: list[Chapter]) -> None:
    html = build(page(tmp_path, WHOLE), chapters, "html").decode()
    assert "BLOCK" not in html
    assert "<script>alert" not in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert 'href="../' not in html
    assert html.count("<figure") == 1
    assert 'alt="Curves of the loss' in html
    assert "1 − 2η: the published sign is wrong" in html


def test_the_notebook_runs_from_a_clean_kernel_and_gives_what_it_shows(tmp_path: Path, chapters: list[Chapter]) -> None:
    book = nbformat.reads(build(page(tmp_path, WHOLE), chapters, "ipynb").decode(), as_version=4)
    nbformat.validate(book)
    shown = [output["data"] for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert shown == [{"text/plain": "0.8"}]
    prose = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    assert "x_{t+1} = x_t" in prose
    assert "✗ Refuted" in prose
    assert "BLOCK" not in prose
    client = NotebookClient(book, timeout=60)
    manager = client.create_kernel_manager()
    manager.transport, manager.ip = "ipc", str(tmp_path / "k")
    client.execute()
    again = [output["data"] for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert again == shown


def test_the_pdf_has_selectable_text_numbered_equations_and_figures(tmp_path: Path, chapters: list[Chapter]) -> None:
    pypdf = pytest.importorskip("pypdf")
    path = tmp_path / "set.pdf"
    path.write_bytes(build(page(tmp_path, WHOLE), chapters, "pdf"))
    reader = pypdf.PdfReader(path)
    text = "\n".join(sheet.extract_text() for sheet in reader.pages)
    for shown in ("Parabolas", "1a", "A question", "(1)", "Figure 1.", "the published sign is wrong", "1 / "):
        assert shown in text
    assert reader.metadata.title == "Parabolas"
    assert "<script>alert('sentence')</script>" in text.replace("\n", "")


COMMANDS = r"""
\odot \oplus \otimes \ominus \cap \cup \bigcap \bigcup \partial \nabla \langle \rangle \lVert \rVert \lfloor
\rfloor \emptyset \setminus \mid \parallel \perp \propto \approx \equiv \ll \gg \preceq \subseteq \in \notin
\forall \exists \neg \wedge \vee \infty \ell \pm \mp \cdot \circ \star \ast \to \mapsto \Rightarrow \iff
\top \sim \neq \cdots \ldots \hat{a} \tilde{a} \bar{a} \dot{a} \overline{ab} \underbrace{ab} \mathbb{R}
\mathcal{L} \mathbf{x} \operatorname{tr} \sqrt{x} \binom{n}{k} \tfrac{1}{2} \varepsilon \lceil \rceil
\square \blacksquare \dagger \bmod
"""


def test_the_mathematics_of_write_ups_reaches_typst() -> None:
    """Pandoc writes names of symbols that later versions of typst have given up."""
    text = "\n\n".join(f"${command}$" for command in COMMANDS.split())
    typst.compile(pdf.renamed(notes.typeset(text, "symbols", "typst", pdf.OPTIONS)).encode())


def test_only_mathematics_is_renamed() -> None:
    assert pdf.renamed(r"a sect costs \$5, $a sect b$ and $x dot.circle y sect.big z$") == (
        r"a sect costs \$5, $a inter b$ and $x dot.o y inter.big z$"
    )
    assert pdf.renamed("$a #h(-1em) b #h(0em) c$") == "$a #h(-0.167em) b #h(0.278em) c$"
    assert pdf.renamed(r'$"lse" \( x \) + "tr" A & & b$') == r'$op("lse") \( x \) + "tr" A & quad & b$'


def test_code_in_a_sentence_is_code_in_every_form() -> None:
    assert str(said("1 < 2 and `a < b`.")) == "1 &lt; 2 and <code>a &lt; b</code>."
    assert notebook.escaped("a_b `c_d` *") == r"a\_b `c_d` \*"


def test_a_function_has_room_about_it() -> None:
    html = str(notes.arrange(notes.typeset(r"$2\cos u + \sin^2 x + \exp(x)$", "room")).html)
    assert html.count(notes.THIN) == 2  # before and after cos; + brings its own, and a bracket needs none
    assert "None" not in html
