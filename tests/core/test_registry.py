"""Studies are found by folder and by entry point, and never two under one name."""

import sys
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
    with pytest.raises(ValueError, match=r"two studies are called 'toy': toy and elsewhere\.toy"):
        registry.collect(["toy", "elsewhere.toy"])
    for name in [name for name in sys.modules if name.startswith("elsewhere")]:
        monkeypatch.delitem(sys.modules, name)
