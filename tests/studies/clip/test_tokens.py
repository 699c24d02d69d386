"""Sentences as numbers: the same everywhere, padded to their batch, and nothing that people write is too odd."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.clip.shop import WORDS, captions_of, edit_json, keep_text_model, keep_tokenizer
from workings.core.errors import UserError
from workings.studies.clip.encoders import PAD
from workings.studies.clip.tokens import Encoded, Tokens, learn, most_tokens, of_tower
from workings.studies.clip.towers import LONGEST, text_tower

CAPTIONS = [caption for number in range(30) for caption in captions_of(number)]
CPU = torch.device("cpu")
PAD_ID, UNKNOWN, FIRST, LAST = range(4)


def ids(tokens: Tokens, sentence: str, longest: int = 64) -> list[int]:
    return tokens.encode([sentence], longest).values.tolist()


def rows(encoded: Encoded) -> list[list[int]]:
    return [
        encoded.values[start : start + length].tolist()
        for start, length in zip(encoded.starts.tolist(), encoded.lengths.tolist(), strict=True)
    ]


# ---- learning ----


def test_the_same_captions_give_the_same_vocabulary_in_any_process() -> None:
    """Whatever the order in which that process goes through sets."""
    code = (
        "import sys, json; from workings.studies.clip.tokens import learn; "
        "print(learn(json.loads(sys.argv[1])).to_json()['tokenizer'])"
    )
    odd = [*CAPTIONS, "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich", "ÅÄÖ ñandú"]
    made = [
        subprocess.run(
            [sys.executable, "-c", code, json.dumps(odd)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1",)
    ]
    assert {*made, learn(odd).to_json()["tokenizer"], learn(list(odd)).to_json()["tokenizer"]} == {made[0]}


def test_frequent_words_are_one_piece_and_marks_come_first() -> None:
    tokens = learn(CAPTIONS)
    assert [tokens.tokenizer.token_to_id(mark) for mark in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")] == [0, 1, 2, 3]
    assert tokens.pad == PAD == PAD_ID
    found = ids(tokens, "a red dog")
    assert [tokens.tokenizer.id_to_token(i) for i in found] == ["[CLS]", "a", "red", "dog", "[SEP]"]


def test_what_was_given_as_special_is_so_no_more() -> None:
    """A caption that says [PAD] or ##s fills nothing up, and is cut like any other text."""
    tokens = learn([*CAPTIONS, "[ ] # # p a d"])
    found = ids(tokens, "##s [PAD] [SEP] dog")
    assert found[0] == FIRST
    assert found[-1] == LAST
    assert not {PAD_ID, FIRST, LAST} & set(found[1:-1])


def test_capitals_and_accents_are_as_bert_has_them() -> None:
    tokens = learn(["a cafe dog"])
    assert ids(tokens, "A CAFÉ DOG") == ids(tokens, "a cafe dog")


def test_the_vocabulary_stays_within_its_limit() -> None:
    many = [f"word{number:05d} {number * 7919 % 10_007}" for number in range(3_000)]
    assert learn(many, limit=300).count <= 300
    assert learn(CAPTIONS).count < 300


def test_a_word_that_cannot_be_cut_is_unknown() -> None:
    tokens = learn(["aaa bbb"])
    assert ids(tokens, "zzz aaa") == [FIRST, UNKNOWN, tokens.tokenizer.token_to_id("aaa"), LAST]


@pytest.mark.parametrize("captions", [["?"], ["a"], ["👍🏽"], ["\u0301"], ["a" * 500]])
def test_it_can_be_learnt_from_next_to_nothing(captions: list[str]) -> None:
    found = ids(learn(captions), captions[0])
    assert found[0] == FIRST
    assert found[-1] == LAST


# ---- encoding ----


def test_captions_are_padded_to_the_longest_of_their_batch_only() -> None:
    tokens = learn(CAPTIONS)
    encoded = tokens.encode(["dog", "a red dog", "the dog is red and so is 5"], 64)
    batch, mask = encoded.batch(torch.tensor([1, 0]), CPU)
    assert batch.shape == mask.shape == (2, 5)
    assert mask.sum(1).tolist() == [5, 3]
    assert batch[1].tolist() == [FIRST, tokens.tokenizer.token_to_id("dog"), LAST, PAD_ID, PAD_ID]
    assert not mask[1, 3:].any()
    whole, _ = encoded.batch(torch.tensor([0, 2]), CPU)
    assert whole.shape[1] == len(rows(encoded)[2]) == int(encoded.lengths.max())


@pytest.mark.parametrize("longest", [3, 4, 7])
def test_a_long_caption_is_cut_and_keeps_its_end_mark(longest: int) -> None:
    tokens = learn(CAPTIONS)
    found = ids(tokens, "the dog is red and so is 5 and there is the ball", longest)
    assert len(found) == longest
    assert found[0] == FIRST
    assert found[-1] == LAST
    assert len(ids(tokens, "dog", longest)) == 3


def test_an_empty_sentence_is_its_two_marks() -> None:
    tokens = learn(CAPTIONS)
    for empty in ("", "   ", "\n\t", "\u200b", "\x00"):
        assert ids(tokens, empty) == [FIRST, LAST]
    assert len(tokens.encode([], 8)) == 0


KNOWN = learn(CAPTIONS)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_any_text_is_encoded_as_it_is_alone(sentences: list[str]) -> None:
    encoded = KNOWN.encode(sentences, 12)
    assert rows(encoded) == [ids(KNOWN, sentence, 12) for sentence in sentences]
    assert int(encoded.lengths.min()) >= 2
    assert int(encoded.lengths.max()) <= 12
    assert int(encoded.values.max()) < KNOWN.count
    index = torch.arange(len(sentences)).flip(0)
    batch, mask = encoded.batch(index, CPU)
    for at, row in zip(index.tolist(), range(len(sentences)), strict=True):
        assert batch[row][mask[row]].tolist() == rows(encoded)[at]
        assert (batch[row][~mask[row]] == PAD_ID).all()


# ---- keeping ----


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=5))
def test_json_brings_it_back(sentences: list[str]) -> None:
    tokens = learn(sentences)
    again = Tokens.from_json(json.loads(json.dumps(tokens.to_json())))
    assert (again.count, again.pad) == (tokens.count, tokens.pad)
    assert rows(again.encode([*sentences, "a red dog"], 20)) == rows(tokens.encode([*sentences, "a red dog"], 20))


@pytest.mark.parametrize(
    "made", [None, {}, [], {"pad": 0}, {"pad": 0, "tokenizer": "{"}, {"pad": "x", "tokenizer": "{}"}, {"tokenizer": 3}]
)
def test_what_is_no_tokenizer_is_refused(made: object) -> None:
    with pytest.raises(ValueError, match="no tokenizer"):
        Tokens.from_json(made)


# ---- of towers ----


def test_small_towers_and_those_from_scratch_learn_their_vocabulary() -> None:
    for name, scratch in (("transformer-16", False), ("bert-base-uncased", True)):
        made = of_tower(name, CAPTIONS, scratch=scratch)
        assert made.to_json() == learn(CAPTIONS).to_json()


def test_pretrained_towers_bring_theirs(tmp_path: Path) -> None:
    keep_text_model(tmp_path / "m", "RobertaForMaskedLM")
    tokens = of_tower(str(tmp_path / "m"), ["nothing of this counts"], scratch=False)
    assert (tokens.count, tokens.pad) == (4 + len(WORDS), 1)
    assert ids(tokens, "a red zebra") == [0, 4, 4 + WORDS.index("red"), 3, 2]
    batch, mask = tokens.encode(["a", "a red dog"], 9).batch(torch.tensor([0, 1]), CPU)
    assert batch[0].tolist() == [0, 4, 2, 1, 1]
    assert mask[0].tolist() == [True, True, True, False, False]


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    """transformers makes an empty one, to which every word is unknown."""
    keep_text_model(tmp_path / "m")
    for path in (tmp_path / "m").glob("token*"):
        path.unlink()
    with pytest.raises(UserError, match=r"holds no tokenizer, only a model"):
        of_tower(str(tmp_path / "m"), CAPTIONS, scratch=False)


def test_a_tokenizer_that_has_nothing_to_pad_with_is_refused(tmp_path: Path) -> None:
    keep_tokenizer(tmp_path / "m")
    edit_json(tmp_path / "m" / "tokenizer_config.json", pad_token=None)
    with pytest.raises(UserError, match="no token to pad with"):
        of_tower(str(tmp_path / "m"), CAPTIONS, scratch=False)


def test_without_files_the_remedy_is_told() -> None:
    with pytest.raises(UserError, match=r"the tokenizer of 'bert-base-uncased' cannot be had .*hf download.*--scratch"):
        of_tower("bert-base-uncased", CAPTIONS, scratch=False)


@pytest.mark.parametrize(("kind", "most"), [("BertModel", 24), ("DistilBertModel", 24), ("RobertaForMaskedLM", 22)])
def test_sentences_are_cut_where_a_tower_s_positions_end(kind: str, most: int, tmp_path: Path) -> None:
    """RoBERTa's positions begin behind that of what fills up."""
    name = str(tmp_path / "m")
    keep_text_model(tmp_path / "m", kind)
    tower = text_tower(name, scratch=False, vocabulary=18).eval()
    assert most_tokens(name, tower) == most
    with torch.no_grad():
        tower(torch.full((1, most), 5), torch.ones(1, most, dtype=torch.bool))
        with pytest.raises((IndexError, RuntimeError)):
            tower(torch.full((1, most + 1), 5), torch.ones(1, most + 1, dtype=torch.bool))


def test_small_towers_have_positions_of_their_own() -> None:
    assert most_tokens("transformer-16", None) == LONGEST
