"""Every claim turns: altered evidence, or an altered transcription, gives the other verdict."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from studies.spelling.made_up import (
    ATTENDING,
    CMU,
    PLAIN,
    make_counts,
    make_other_trainings,
    make_runs,
)
from workings.core.claim import Verdict, decide
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.spelling.study import STUDY, instant


@pytest.fixture(autouse=True)
def _made_up_runs_need_not_survive_a_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # hundreds of files, each waiting for the disk


CLAIMS = {claim.id: claim for claim in STUDY.claims}
MEASURED = [claim.id for claim in STUDY.claims if claim.basis == "measured"]


def verdict(store: RunStore, claim_id: str, published: Mapping[str, Any] | None = None) -> Verdict:
    """On what the store holds; `published` replaces figures of the claim's own entry."""
    claim = CLAIMS[claim_id]
    evidence = store.archive(STUDY, fresh_only=True).evidence(claim.about)
    if published:
        entry = {**evidence.published[claim_id], **published}
        evidence = replace(evidence, published={**evidence.published, claim_id: entry})
    return decide(claim, evidence)


def kind(store: RunStore, claim_id: str, published: Mapping[str, Any] | None = None) -> str:
    return str(verdict(store, claim_id, published).kind)


# ---- what has to be measured: a row for each claim ----

NEAR = (-0.01, 0.0, 0.01)
"""How the seeds lie about their mean."""


def about(mean: float) -> list[float]:
    return [mean + x for x in NEAR]


LIKE_PLAIN = {"test/greedy/cer": about(0.3165), "test/greedy/wer": about(0.809), "validation/cer": about(0.3061)}
LIKE_ATTENTION = {"test/greedy/cer": about(0.2072), "test/greedy/wer": about(0.716), "validation/cer": about(0.2138)}
LIKE_NUCLEUS = {"test/nucleus/cer": about(0.2255), "test/nucleus/wer": about(0.754), "test/nucleus/wer@3": about(0.64)}

SUPPORTING: dict[str, dict[str, Any]] = {
    "attention-helps": {},
    "attention-helps-cmudict": {"dataset": CMU},
    "sampling-costs-accuracy": {},
    "three-samples-beat-one": {},
    "three-samples-beat-greedy": {},  # 0.7³ of the words have no right sample
    "beam-helps": {},
    "published-plain": {"metrics": LIKE_PLAIN},
    "published-attention": {"metrics": LIKE_ATTENTION},
    "published-nucleus": {"metrics": LIKE_NUCLEUS},
    "beats-published": {"metrics": {"test/beam/cer": about(0.1)}},
}
REFUTING: dict[str, dict[str, Any]] = {
    "attention-helps": {"plain": ATTENDING, "attending": PLAIN},
    "attention-helps-cmudict": {"plain": ATTENDING, "attending": PLAIN, "dataset": CMU},
    "sampling-costs-accuracy": {"attending": {**ATTENDING, "nucleus": 0.5}},
    "three-samples-beat-greedy": {"attending": {**ATTENDING, "nucleus": 0.8}, "alike": True},
    "beam-helps": {"attending": {**ATTENDING, "beam": 0.7}},
    "published-plain": {"metrics": {**LIKE_PLAIN, "validation/cer": about(0.4)}},
    "published-attention": {"metrics": {**LIKE_ATTENTION, "test/greedy/wer": about(0.6)}},
    "published-nucleus": {"metrics": {**LIKE_NUCLEUS, "test/nucleus/wer@3": about(0.5)}},
    "beats-published": {"metrics": {"test/beam/cer": about(0.3)}},
}
# Three samples cannot be worse than the first of them, so alike samples are the most that evidence can say against it.
UNDECIDED: dict[str, dict[str, Any]] = {
    "attention-helps": {"attending": PLAIN},
    "attention-helps-cmudict": {"attending": PLAIN, "dataset": CMU},
    "sampling-costs-accuracy": {"attending": {**ATTENDING, "nucleus": ATTENDING["greedy"]}, "alike": True},
    "three-samples-beat-one": {"alike": True},
    "three-samples-beat-greedy": {"attending": {**ATTENDING, "nucleus": ATTENDING["greedy"]}, "alike": True},
    "beam-helps": {"attending": {**ATTENDING, "beam": ATTENDING["greedy"]}},
    "published-plain": {"metrics": {**LIKE_PLAIN, "test/greedy/cer": [0.1, 0.3, 0.6]}},
    "published-attention": {"metrics": {**LIKE_ATTENTION, "validation/cer": [0.1, 0.2, 0.4]}},
    "published-nucleus": {"metrics": {**LIKE_NUCLEUS, "test/nucleus/cer": [0.1, 0.2, 0.4]}},
    "beats-published": {"metrics": {"test/beam/cer": about(0.2)}},
}


def test_every_measured_claim_is_in_the_tables() -> None:
    assert set(SUPPORTING) == set(UNDECIDED) == {*REFUTING, "three-samples-beat-one"} == set(MEASURED)


@pytest.mark.parametrize("claim_id", SUPPORTING)
def test_evidence_that_bears_it_out_supports_it(claim_id: str, store: RunStore) -> None:
    assert kind(make_runs(store, **SUPPORTING[claim_id]), claim_id) == "supported"


@pytest.mark.parametrize("claim_id", REFUTING)
def test_altered_evidence_refutes_it_with_a_witness(claim_id: str, store: RunStore) -> None:
    found = verdict(make_runs(store, **REFUTING[claim_id]), claim_id)
    assert str(found.kind) == "refuted"
    assert found.witness


@pytest.mark.parametrize("claim_id", UNDECIDED)
def test_evidence_that_says_neither_leaves_it_inconclusive(claim_id: str, store: RunStore) -> None:
    assert kind(make_runs(store, **UNDECIDED[claim_id]), claim_id) == "inconclusive"


@pytest.mark.parametrize("claim_id", SUPPORTING)
@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_leave_it_inconclusive(claim_id: str, seeds: int, store: RunStore) -> None:
    assert kind(make_runs(store, **SUPPORTING[claim_id], seeds=seeds), claim_id) == "inconclusive"


@pytest.mark.parametrize("claim_id", MEASURED)
def test_without_trainings_it_is_not_run(claim_id: str, store: RunStore) -> None:
    assert kind(make_counts(store), claim_id) == "not-run"


RECIPE = [claim_id for claim_id in MEASURED if claim_id not in ("beats-published", "attention-helps-cmudict")]


@pytest.mark.parametrize("claim_id", RECIPE)
def test_other_trainings_are_not_taken_for_the_recipe_s(claim_id: str, store: RunStore) -> None:
    assert kind(make_other_trainings(store), claim_id) == "not-run"


@pytest.mark.parametrize(
    ("claim_id", "altered"),
    [
        ("published-plain", {"cer": 0.2072}),
        ("published-plain", {"validation_cer": 0.45}),
        ("published-attention", {"wer": 0.9}),
        ("published-nucleus", {"wer_at_3": 0.3}),
        ("beats-published", {"cer": [0.04]}),
    ],
)
def test_an_altered_transcription_refutes_it(claim_id: str, altered: Mapping[str, Any], store: RunStore) -> None:
    make_runs(store, **SUPPORTING[claim_id])
    assert kind(store, claim_id, altered) == "refuted"


def test_a_wider_margin_leaves_a_small_advantage_inconclusive(store: RunStore) -> None:
    make_runs(store, **SUPPORTING["beats-published"])
    assert kind(store, "beats-published", {"margin": 0.06}) == "inconclusive"


def test_a_system_that_is_better_in_words_and_worse_in_letters_does_not_help(store: RunStore) -> None:
    """Attention halves the wrong words here, and each wrong word is four times as wrong."""
    make_runs(store, plain={**PLAIN, "greedy": 0.8}, attending={**ATTENDING, "greedy": 0.4})
    for run in store.runs(STUDY.id):
        if run.config["attention"] and run.config["layers"] == 1:
            _overwrite(run.folder / "arrays/test/greedy/distances.safetensors", lambda errors: errors * 4)
    found = verdict(store, "attention-helps")
    assert str(found.kind) == "refuted"
    assert found.witness is not None
    assert found.witness["metric"] == "cer"


def _overwrite(path: Path, change: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> None:
    save_file({"value": change(load_file(path)["value"])}, path)


def test_numbers_name_means_intervals_and_seeds(store: RunStore) -> None:
    numbers = verdict(make_runs(store), "attention-helps").numbers
    for metric, expected in (("cer", (0.15, 0.20)), ("wer", (0.60, 0.80))):
        # Half a tenth: two standard deviations of a share of 1,200 words, √(0.24 / 1200) = 0.014, and a little.
        assert numbers[metric]["mean"] == pytest.approx(expected, abs=0.05)
        low, high = numbers[metric]["interval_over_seeds"]
        assert low < numbers[metric]["difference"] < high < 0
        assert numbers[metric]["seeds"] == 3


# ---- what is counted ----


def test_the_built_networks_support_the_counts(store: RunStore) -> None:
    carry_out(STUDY, list(instant()), store)
    assert kind(store, "parameters-plain") == "supported"
    assert kind(store, "parameters-attention") == "supported"


@pytest.mark.parametrize(
    ("claim_id", "altered"), [("parameters-plain", "plain"), ("parameters-attention", "attending")]
)
def test_one_parameter_more_refutes_a_count(claim_id: str, altered: str, store: RunStore) -> None:
    stated = {"plain": 257_117, "attending": 322_909}[altered]
    found = verdict(make_counts(store, **{altered: stated + 1}), claim_id)
    assert str(found.kind) == "refuted"
    assert found.witness == {"counted": stated + 1, "stated": stated}


@pytest.mark.parametrize("claim_id", ["parameters-plain", "parameters-attention"])
def test_another_transcription_of_a_count_refutes_it(claim_id: str, store: RunStore) -> None:
    assert kind(make_counts(store), claim_id) == "supported"
    assert kind(store, claim_id, {"value": 1}) == "refuted"


def test_a_training_s_own_count_is_not_the_sheet_s(store: RunStore) -> None:
    """A speller of another lexicon has another number of symbols."""
    make_runs(store, metrics={"parameters": 17_247}, dataset=CMU)
    assert kind(store, "parameters-plain") == "not-run"


COUNTS = {
    "repeated/test-in-train": 45,
    "repeated/validation-in-train": 42,
    "repeated/test-in-validation": 7,
    "unseen/source": 3,
    "unseen/target": 4,
}


def test_the_counts_over_the_course_s_files_support_that_words_repeat(store: RunStore) -> None:
    assert kind(make_runs(store, metrics=COUNTS), "repeated-words") == "supported"


@pytest.mark.parametrize("name", COUNTS)
def test_any_other_count_of_repeated_words_refutes_it(name: str, store: RunStore) -> None:
    found = verdict(make_runs(store, metrics={**COUNTS, name: 0}), "repeated-words")
    assert str(found.kind) == "refuted"
    assert found.witness is not None
    assert 0 in found.witness.values()


@pytest.mark.parametrize(
    "field", ["test_in_train", "validation_in_train", "test_in_validation", "unseen_phonemes", "unseen_letters"]
)
def test_another_transcription_of_those_counts_refutes_it(field: str, store: RunStore) -> None:
    make_runs(store, metrics=COUNTS)
    assert kind(store, "repeated-words", {field: 99}) == "refuted"


# ---- another dataset ----

ABOUT_THE_COURSE = [claim.id for claim in STUDY.claims if claim.about == ("ist-p2g",)]


@pytest.mark.parametrize("claim_id", ABOUT_THE_COURSE)
def test_another_dataset_cannot_decide_what_is_said_of_the_course_s(claim_id: str, store: RunStore) -> None:
    make_runs(store, metrics={**COUNTS, **LIKE_PLAIN}, dataset=CMU)
    found = verdict(store, claim_id)
    assert str(found.kind) == "inconclusive"
    assert "ist-p2g" in found.sentence
    assert "cmudict" in found.sentence


def test_the_published_figures_are_about_the_course_s_words_alone() -> None:
    assert {*ABOUT_THE_COURSE} == {
        "published-plain", "published-attention", "published-nucleus", "beats-published", "repeated-words"
    }  # fmt: skip


def test_every_claim_is_tested_here() -> None:
    counted = {"parameters-plain", "parameters-attention", "repeated-words"}
    assert set(CLAIMS) == counted | set(SUPPORTING)
