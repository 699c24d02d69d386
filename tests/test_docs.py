"""The worked examples of the documents work: as written, from the first command to the last."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from documented import Follower
from workings.core.problem_set import KINDS, ProblemSet
from workings.report.documents.references import References

ROOT = Path(__file__).parent.parent
SETS = (ROOT / "docs" / "problem-sets.md").read_text(encoding="utf-8")
ROWS = re.compile(r"^\| `(.+?)` \| `(.+?)` \|$", re.MULTILINE)
"""What a page says, and what the build says to it."""
REFUSED = ROWS.findall(SETS.partition("## What the build refuses")[2].partition("\n## ")[0])
TRY = """
import json, sys
from pathlib import Path
from workings import verbs
from workings.core.errors import UserError
from workings.core.registry import find_set, problem_sets
page, said = Path(str(find_set("bisection").path)), []
text = page.read_text()
for addition in json.load(sys.stdin):
    page.write_text(text + "\\n" + addition + "\\n")
    problem_sets.cache_clear()
    try:
        verbs.documents(["bisection"], "html", Path("refused.html"))
        said.append("nothing")
    except UserError as error:
        said.append(str(error))
page.write_text(text)
print(json.dumps(said))
"""
ERRATA = """
from workings.core.registry import find, find_set
from workings.core.runs import RunStore
from workings.report.chapters import Chapter
from workings.report.documents.composition import compose
made = compose(find_set("errata"), [Chapter.read(find("bisection"), RunStore.default(), fresh_only=False)])
print(*[block.finding.id for block in made.blocks])
"""


def section(name: str, text: str) -> str:
    return text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_the_study_worked_through_works(tmp_path: Path) -> None:
    text = section("A study, worked through", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    reader = Follower(tmp_path)
    reader.follow(text, leave_out=["workings report"], partly=["workings list"])  # the report is that of all studies
    assert (reader.place / "my_studies" / "newton" / "figures.py").is_file()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Follower:
    """Someone who has followed the tutorial to its end."""
    reader = Follower(tmp_path_factory.mktemp("instructor"))
    reader.follow(SETS)
    return reader


def test_the_set_of_one_s_own_comes_to_its_verdicts(reader: Follower) -> None:
    found = json.loads(reader.run("workings check bisection --json"))
    assert {f["id"]: f["verdict"] for f in found} == {
        "bisection.same-for-all": "supported",
        "bisection.steps-to-a-thousandth": "refuted",
    }
    assert [f["witness"]["width"] for f in found if f["witness"]] == [1 / 512]


def test_documents_built_before_the_long_trial_say_what_is_missing(reader: Follower) -> None:
    page = (reader.place / "bisection.html").read_text(encoding="utf-8")
    book = nbformat.reads((reader.place / "bisection.ipynb").read_text(encoding="utf-8"), as_version=4)
    prose = "\n".join(cell.source for cell in book.cells)
    for text in (page, prose):
        assert "not measured yet" in text
        assert "workings run bisection --preset full" in text
    assert prose.count("☑") == prose.count("☐") == 1


def test_the_pdf_that_is_handed_in_is_complete_and_filled_in(reader: Follower) -> None:
    pypdf = pytest.importorskip("pypdf")
    pages = pypdf.PdfReader(reader.place / "ada-and-grace.pdf").pages
    text = " ".join("\n".join(page.extract_text() for page in pages).split())
    for said in ("Ada and Grace", "The published answer says 9", "Twelve digits take 40 steps", "Figure 1", "Repair"):
        assert said in text
    assert "not measured yet" not in text
    assert "missing" not in text


def test_each_mistake_of_the_table_is_refused_with_its_message(reader: Follower) -> None:
    assert len(REFUSED) >= 8
    done = subprocess.run(
        [sys.executable, "-P", "-c", TRY], cwd=reader.place, env=reader.env, capture_output=True, text=True,
        input=json.dumps([wrong for wrong, _ in REFUSED]),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for (wrong, told), said in zip(REFUSED, json.loads(done.stdout), strict=True):
        assert said.startswith("bisection"), said
        assert told in said, wrong


def test_the_refuted_statement_is_among_the_errata(reader: Follower) -> None:
    said = reader.run(f"{sys.executable} -P -c '{ERRATA}'", status=0)
    assert said.split() == ["bisection.steps-to-a-thousandth"]


def test_the_tables_leave_no_reference_and_no_entry_out() -> None:
    words = References(ProblemSet("any", ROOT, "Any"), {}).vocabulary().keys() - {"at"}  # composed pages hold that one
    assert {word for word in words if not re.search(rf"^\| `{word}\(", SETS, re.MULTILINE)} == set()
    assert {key for key in KINDS if not re.search(rf"^\|.*`\[*{key}\]*`.*\|", SETS, re.MULTILINE)} == set()
