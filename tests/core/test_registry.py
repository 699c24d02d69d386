"""Studies are found by folder and by entry point, and never two under one name."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workings.core import registry
from workings.core.errors import UserError
from workings.core.study import Study


def test_an_installed_study_is_found_by_its_entry_point(toy: Study) -> None:
    assert registry.find("toy") is toy
    assert {"toy", "minimax"} <= registry.studies().keys()
    assert list(registry.studies()) == sorted(registry.studies())


def test_without_its_entry_point_it_is_not() -> None:
    assert "toy" not in registry.studies()


def test_a_typo_gets_a_suggestion(toy: Study) -> None:
    with pytest.raises(UserError, match=r"there is no study 'tooy' \(did you mean 'toy'\?\): `workings list`"):
        registry.find("tooy")


def test_two_studies_of_one_name_raise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "elsewhere" / "toy"
    other.mkdir(parents=True)
    (other / "__init__.py").touch()
    (other / "study.py").write_text(
        "from toy.study import STUDY as T\nfrom dataclasses import replace\nSTUDY = replace(T, package=__package__)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"two studies are called 'toy', toy and elsewhere\.toy: rename one"):
        registry.collect(["toy", "elsewhere.toy"])
    for name in [name for name in sys.modules if name.startswith("elsewhere")]:
        monkeypatch.delitem(sys.modules, name)


Announce = Callable[..., None]


@pytest.fixture
def announce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Announce]:
    """Install a package of these files that announces itself in a group of entry points."""

    def forget() -> None:
        registry.studies.cache_clear()
        registry.problem_sets.cache_clear()

    def install(name: str, group: str, **files: str) -> None:
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {name}\n")
        for file, text in {"__init__.py": "", **files}.items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / file.replace("_md", ".md").replace("_py", ".py")).write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        forget()

    before = set(sys.modules)
    yield install
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    forget()


def test_an_installed_problem_set_is_found_behind_ours(announce: Announce) -> None:
    announce("quiz", registry.SETS, page_md='+++\ntitle = "Quiz"\n+++\n\nText.\n')
    assert list(registry.problem_sets())[-1] == "quiz"
    assert registry.find_set("quiz").text == "\nText.\n"
    assert registry.faults() == []


BROKEN_PAGES = [
    ({"page_md": "no front matter\n"}, "quiz: a page begins with front matter"),
    ({"page_md": "+++\ntitle = 3\n+++\n"}, "quiz: in the front matter title is 3: give a text"),
    ({}, r"quiz: its page .*page.md cannot be read \(No such file"),
    ({"__init___py": "1 / 0"}, r"quiz: quiz cannot be loaded \(ZeroDivisionError: division by zero\)"),
]


@pytest.mark.parametrize(("files", "message"), BROKEN_PAGES, ids=lambda value: str(value)[:30])
def test_a_broken_page_tells_why_and_takes_nothing_else_down(
    files: dict[str, str], message: str, announce: Announce
) -> None:
    announce("quiz", registry.SETS, **files)
    assert {"errata", "nyu-2025-hw3"} <= registry.problem_sets().keys()
    assert "quiz" not in registry.problem_sets()
    assert "minimax" in registry.studies()
    with pytest.raises(UserError, match=message):
        registry.find_set("quiz")
    with pytest.raises(UserError, match="there is no problem set 'quizz'"):
        registry.find_set("quizz")
    assert len(registry.faults()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = [", "cannot be loaded .SyntaxError"),
        ("import no_such_module_at_all", "cannot be loaded .ModuleNotFoundError"),
        ("y = 1", "cannot be loaded .AttributeError"),
        ("STUDY = 1", "STUDY in quiz.study is no Study"),
    ],
)
def test_a_broken_study_tells_why_and_takes_nothing_else_down(text: str, message: str, announce: Announce) -> None:
    announce("quiz", registry.GROUP, study_py=text)
    assert "minimax" in registry.studies()
    with pytest.raises(UserError, match=f"quiz: .*{message}"):
        registry.find("quiz")


def test_two_problem_sets_of_one_name_raise(announce: Announce) -> None:
    announce("errata", registry.SETS, page_md='+++\ntitle = "Mine"\n+++\n')
    with pytest.raises(UserError, match=r"two problem sets are called 'errata', .*: rename one"):
        registry.problem_sets()


OF_ITS_OWN = (
    "from dataclasses import replace\nfrom toy.study import STUDY as T\nSTUDY = replace(T, package=__package__)\n"
)


def test_a_study_whose_claims_cannot_be_read_spoils_itself_alone(announce: Announce) -> None:
    """Told when studies are looked for, rather than in the middle of a check of all."""
    announce("quiz", registry.GROUP, study_py=OF_ITS_OWN, claims_py="x = [")
    assert "minimax" in registry.studies()
    assert "quiz" not in registry.studies()
    with pytest.raises(UserError, match=r"quiz: .*cannot be loaded .SyntaxError"):
        registry.find("quiz")


def test_a_study_that_takes_the_name_of_ours_is_left_out(announce: Announce) -> None:
    announce("minimax", registry.GROUP, study_py=OF_ITS_OWN)
    assert registry.find("minimax").package == "workings.studies.minimax"
    (fault,) = registry.faults()
    assert "a study that comes with workings is called 'minimax' too: rename it" in str(fault)


def test_a_page_that_comes_with_workings_is_not_announced(announce: Announce) -> None:
    announce("quiz", registry.SETS, page_md='+++\ntitle = "Quiz"\n+++\n\nText.\n')
    assert [page.id for page in registry.problem_sets().values() if registry.is_announced(page)] == ["quiz"]
