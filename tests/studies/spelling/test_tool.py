"""The trained speller at work: which run it takes, what it writes, and what it says of what it cannot do."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from studies.spelling.shop import Shop
from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.core.runs import RunStore
from workings.studies.spelling.tool import Spelling, load, pronounce, spell


def test_a_word_is_spelled_by_the_best_speller_here(shop: Shop) -> None:
    found = spell(("A B C",))
    assert found.model == shop.speller.id
    (spelling,) = found.spellings
    assert spelling.source == "A B C"
    assert len(spelling.written) == 1
    assert set(spelling.written[0]) <= set("abcdefgh")


def test_the_run_is_named_by_id_by_its_first_digits_or_by_its_folder(shop: Shop) -> None:
    for name in (shop.speller.id, shop.speller.id[:8], str(shop.speller.folder)):
        assert load(name).run.id == shop.speller.id


def test_the_loaded_weights_are_the_best_ones(shop: Shop) -> None:
    from safetensors.torch import load_file

    stored = load_file(shop.speller.folder / "checkpoints" / "best.safetensors")
    for name, tensor in load().model.state_dict().items():
        assert torch.equal(stored[f"speller.{name}"], tensor)


@pytest.mark.parametrize("method", ["greedy", "beam"])
def test_many_words_at_once_are_spelled_as_one_by_one(method: str, shop: Shop) -> None:
    words = ("A B C", "D", "H G F E D C", "B B")
    together = spell(words, method=method).spellings
    assert together == tuple(spell((word,), method=method).spellings[0] for word in words)


def test_more_words_than_fit_a_batch_come_back_in_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("A B C", "D", "H G F", "B B", "C")
    whole = spell(words, method="greedy")
    monkeypatch.setattr("workings.studies.spelling.tool.BATCH", 2)
    assert spell(words, method="greedy") == whole


def test_samples_are_as_many_as_asked_for_and_follow_the_seed(shop: Shop) -> None:
    one, same, other = (spell(("A B C D E",) * 8, method="nucleus", samples=4, seed=s) for s in (1, 1, 2))
    assert all(len(spelling.written) == 4 for spelling in one.spellings)
    assert one == same
    assert one != other


def test_every_line_of_a_file_is_spelled_by_its_first_column(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("\ufeffA B C\tabc\n\nD E\n", encoding="utf-8")
    assert [spelling.source for spelling in spell(file=file).spellings] == ["A B C", "D E"]


def test_unknown_symbols_are_named_and_their_word_is_left_out(shop: Shop) -> None:
    good, bad = spell(("A B", "A zz Q A zz")).spellings
    assert bad == Spelling("A zz Q A zz", (), ("zz", "Q"))
    assert str(bad) == "A zz Q A zz\tunknown symbols: zz Q"
    assert good.written


def test_where_nothing_is_known_the_known_symbols_are_listed(shop: Shop) -> None:
    with pytest.raises(UserError, match=r"never shown zz; run \w+ knows: A B C D E F G H "):
        spell(("zz",))


def test_a_word_is_pronounced_by_a_speller_of_the_other_direction(shop: Shop) -> None:
    found = pronounce(("abc",))
    assert found.model == shop.pronouncer.id
    assert set(found.spellings[0].written[0].split()) <= set("ABCDEFGH")


def test_a_run_of_the_other_direction_is_refused_with_the_right_verb(shop: Shop) -> None:
    with pytest.raises(UserError, match="was trained to pronounce: use `workings use spelling pronounce`"):
        spell(("A",), model=shop.pronouncer.id)


def test_without_any_speller_the_error_says_how_to_train_one(store: RunStore) -> None:
    with pytest.raises(UserError, match="no speller is trained here: `workings run spelling"):
        spell(("A",))


def test_an_id_that_names_no_run_is_refused(shop: Shop) -> None:
    with pytest.raises(UserError, match="'feedfacefeed' names no one run"):
        spell(("A",), model="feedfacefeed")


def test_a_count_is_no_speller(shop: Shop) -> None:
    with pytest.raises(UserError, match=f"run {shop.count.id} trained no speller"):
        spell(("A",), model=shop.count.id)


def test_a_folder_without_a_run_is_refused(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no run .*run\.json"):
        spell(("A",), model=str(tmp_path))


def test_a_run_of_another_study_is_refused(shop: Shop, tmp_path: Path) -> None:
    folder = shutil.copytree(shop.speller.folder, tmp_path / "other")
    info = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps({**info, "study": "minimax", "config": {"eta": 0.1}}), encoding="utf-8")
    with pytest.raises(UserError, match="trained no speller"):
        spell(("A",), model=str(folder))


def test_a_recorded_run_has_no_weights_and_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Run.read(shop.speller.folder, recorded=True)
    monkeypatch.setattr(RunStore, "find", lambda *_: recorded)
    with pytest.raises(UserError, match=r"cannot be used \(recorded, without weights\)"):
        spell(("A",), model=recorded.id)


def test_a_folder_whose_weights_are_gone_says_so(shop: Shop, tmp_path: Path) -> None:
    folder = shutil.copytree(shop.speller.folder, tmp_path / "copy")
    shutil.rmtree(folder / "checkpoints")
    with pytest.raises(UserError, match="its weights are gone"):
        spell(("A",), model=str(folder))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "give what to read: sources in quotes"),
        ({"sources": ("A",), "file": Path("x")}, "not both"),
        ({"sources": ("A",), "samples": 0}, "samples=0"),
        ({"sources": ("A",), "width": 0}, "width=0"),
        ({"file": Path("/no/such/file")}, "cannot be read as UTF-8"),
        ({"sources": ("  ",)}, "nothing but spaces"),
    ],
    ids=str,
)
def test_a_request_that_makes_no_sense_is_refused(arguments: dict, told: str, shop: Shop) -> None:
    sources = arguments.pop("sources", ())
    with pytest.raises(UserError, match=told):
        spell(sources, **arguments)


def test_an_empty_file_is_told_what_to_hold(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n \n", encoding="utf-8")
    with pytest.raises(UserError, match=r"empty\.txt is empty: put one source on each line"):
        spell(file=tmp_path / "empty.txt")
