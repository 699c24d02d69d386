"""`workings new`: all that it writes is of one piece, and what it cannot write leaves nothing behind."""

import ast
import os
import tomllib
from pathlib import Path

import pytest

from documented import Follower
from workings import cli, scaffold
from workings.core.errors import UserError
from workings.core.problem_set import ProblemSet

Captured = pytest.CaptureFixture[str]


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_study_is_written_with_its_test(tmp_path: Path) -> None:
    written = scaffold.create("newton", tmp_path / "mine")
    assert {str(path.relative_to(tmp_path)) for path in written} == files_in(tmp_path)
    assert "mine/newton/study.py" in files_in(tmp_path)
    assert "tests/newton/test_claims.py" in files_in(tmp_path)
    assert "from mine.newton.model import answer" in (tmp_path / "mine/newton/experiment.py").read_text()


def test_a_problem_set_is_a_package_with_a_page_a_study_and_a_test(tmp_path: Path) -> None:
    made = scaffold.create_set("quiz", tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in made.files} == files_in(tmp_path)
    assert all(made.files.values())
    project = tomllib.loads((tmp_path / "quiz/pyproject.toml").read_text())["project"]
    assert project["dependencies"] == ["workings"]
    assert project["entry-points"] == {"workings.problem_sets": {"quiz": "quiz"}, "workings.studies": {"quiz": "quiz"}}
    for path in tmp_path.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), f"{path} does not say what it is"
    page = ProblemSet.read("quiz", tmp_path / "quiz/src/quiz/page.md")
    assert page.questions == ("1a",)
    assert "$" not in "".join(path.read_text() for path in tmp_path.rglob("*.*") if path.is_file())


def test_it_says_what_each_file_is_for_and_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new", "quiz", "--problem-set", "--into", "my courses"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("my courses/quiz/")]) == len(scaffold.PACKAGE)
    assert any(line.strip().startswith("pip install --editable 'my courses/quiz'") for line in lines)
    assert any(line.strip().startswith("workings report quiz --to pdf") for line in lines)


def test_a_new_set_is_a_document_at_once_and_its_test_fails(tmp_path: Path) -> None:
    teacher = Follower(tmp_path)
    teacher.run("workings new quiz --problem-set", status=0)
    teacher.run("pip install --editable quiz")
    assert "1 failed" in teacher.run("pytest -q quiz", status=1)
    assert "the model of quiz is not written yet" in teacher.run("workings run quiz", status=2)
    teacher.run("workings report quiz", status=0)
    text = (teacher.place / "quiz.html").read_text(encoding="utf-8")
    assert "quiz.as-stated has not been run" in text
    assert "workings run quiz --preset quick" in text


NAMES = [
    ("my-set", "'my-set' cannot name a problem set: use lower-case letters"),
    ("Quiz", "cannot name"),
    ("1a", "cannot name"),
    ("", "cannot name"),
    ("class", "cannot name"),
    ("../quiz", "cannot name"),
    ("minimax", "there is a study 'minimax' already"),
    ("errata", "there is a problem set 'errata' already"),
    ("json", "Python has a module 'json' already"),
    ("workings", "Python has a module 'workings' already"),
    ("a" * 300, "File name too long"),
]


@pytest.mark.parametrize(("name", "told"), NAMES, ids=lambda value: str(value)[:20])
def test_a_name_that_will_not_do_is_told_in_one_line(
    name: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new", name, "--problem-set"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert told in said.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "quiz").mkdir()
    with pytest.raises(UserError, match="quiz is there already: nothing was written"):
        scaffold.create_set("quiz", tmp_path)
    assert files_in(tmp_path) == set()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"cannot write .*file/quiz .Not a directory.*--into"):
        scaffold.create_set("quiz", tmp_path / "file")


def test_a_disk_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []

    def fill(path: Path, content: bytes) -> int:
        if len(written) == 4:
            raise OSError(28, "No space left on device")
        written.append(path)
        return os.write(os.open(path, os.O_CREAT | os.O_WRONLY), content)

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(UserError, match=r"cannot write .*quiz .No space left on device"):
        scaffold.create_set("quiz", tmp_path)
    assert len(written) == 4
    assert list(tmp_path.iterdir()) == []
