"""What a trial records, what it refuses, and which trials are the same run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studies.spelling.shop import Shop, write_lexicon
from workings.core.errors import UserError
from workings.core.runs import RunStore
from workings.core.study import Trial
from workings.execute.local import carry_out
from workings.studies.spelling.study import STUDY, Config


def test_a_training_records_its_error_rates_by_every_decoding(shop: Shop) -> None:
    metrics = shop.speller.metrics
    for method in ("greedy", "nucleus", "beam"):
        assert metrics[f"test/{method}/cer"] >= 0
        assert 0 <= metrics[f"test/{method}/wer"] <= 1
    assert metrics["test/nucleus/wer@3"] <= metrics["test/nucleus/wer"]


def test_the_recorded_distances_give_the_recorded_rates(shop: Shop) -> None:
    lengths = shop.speller.array("test/lengths")
    for method in ("greedy", "nucleus", "beam"):
        distances = shop.speller.array(f"test/{method}/distances")[0]
        assert shop.speller.metric(f"test/{method}/cer") == pytest.approx(distances.sum() / lengths.sum())
        assert shop.speller.metric(f"test/{method}/wer") == pytest.approx(np.mean(distances > 0))
    assert len(shop.speller.array("test/nucleus/distances")) == 3


def test_the_test_set_is_measured_with_the_best_epoch_s_weights(shop: Shop) -> None:
    """The stored best weights, loaded anew, spell what the run says it spelled."""
    from workings.studies.spelling.tool import load

    rows = shop.speller.table("spellings")
    written = load(shop.speller.id).write([row["source"].split() for row in rows], "greedy")
    assert ["".join(w[0]) for w in written] == [row["greedy"][0] for row in rows]


def test_attention_maps_have_a_row_for_each_symbol_written(shop: Shop) -> None:
    for word in shop.speller.table("attention"):
        weights = np.array(word["weights"])
        assert weights.shape == (len(word["written"]), len(word["read"]))
        # Each weight is rounded to four digits, so a sum of at most a dozen is off by at most 12 · 5e-5.
        np.testing.assert_allclose(weights.sum(1), 1.0, atol=6e-4)


def test_epochs_are_recorded_one_by_one(shop: Shop) -> None:
    for name in ("train/loss", "validation/loss", "validation/cer", "validation/wer"):
        assert [step for step, _ in shop.speller.series(name)] == [1, 2]


def test_it_learns(shop: Shop) -> None:
    first, second = (value for _, value in shop.speller.series("validation/loss"))
    assert second < first


def test_the_other_direction_reads_letters_and_writes_phonemes(shop: Shop) -> None:
    symbols = shop.pronouncer.table("vocabulary")
    assert set(symbols["source"]) == set("abcdefgh")
    assert set(symbols["target"]) == set("ABCDEFGH")


def test_a_count_needs_no_data(shop: Shop) -> None:
    assert shop.count.datasets == {}
    assert shop.count.metric("parameters") == 257_117


def test_two_datasets_are_two_runs(tiny: Config, tmp_path: Path) -> None:
    other = write_lexicon(tmp_path / "words.tsv", 400, seed=1)
    one, two = Trial.of(STUDY, tiny), Trial.of(STUDY, replace(tiny, data=str(other)))
    assert one.datasets["lexicon"].id == two.datasets["lexicon"].id == "own:words"
    assert one.id != two.id


def test_the_same_words_from_another_path_are_the_same_run(tiny: Config, tmp_path: Path) -> None:
    copy = tmp_path / "copied.csv"
    copy.write_text(Path(tiny.data).read_text(encoding="utf-8").replace("\t", ","), encoding="utf-8")
    assert Trial.of(STUDY, replace(tiny, data=str(copy))).id == Trial.of(STUDY, tiny).id


def test_two_epochs_asked_for_four_go_on_from_two(tiny: Config, store: RunStore, tmp_path: Path) -> None:
    (two,) = carry_out(STUDY, [tiny], store)
    (four,) = carry_out(STUDY, [replace(tiny, epochs=4)], store)
    assert two.run.id == four.run.id
    assert four.made
    assert four.run.reached == 4
    assert len(four.run.sessions) == 2
    assert [step for step, _ in four.run.series("train/loss")] == [1, 2, 3, 4]
    (at_once,) = carry_out(STUDY, [replace(tiny, epochs=4)], RunStore(tmp_path / "at once"))
    for name in ("last", "best"):
        one, other = (o.run.folder / "checkpoints" / f"{name}.safetensors" for o in (four, at_once))
        assert one.read_bytes() == other.read_bytes()
    assert four.run.metrics == at_once.run.metrics


def test_a_finished_training_is_not_run_again(shop: Shop, tiny: Config) -> None:
    (outcome,) = carry_out(STUDY, [tiny], shop.store)
    assert not outcome.made


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"hidden": 15}, "hidden is 15: it must be even"),
        ({"hidden": 0}, "hidden is 0: it is counted from 1"),
        ({"layers": 0}, "layers is 0"),
        ({"batch": -1}, "batch is -1"),
        ({"epochs": 0}, "epochs is 0"),
        ({"max_length": 0}, "max_length is 0"),
        ({"limit": 19}, "at least 20 pairs"),
        ({"top_p": 0.0}, "top_p lies in"),
        ({"top_p": 1.1}, "top_p lies in"),
        ({"dropout": 1.0}, "dropout"),
        ({"smoothing": -0.1}, "smoothing"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"clip": 0.0}, "clip"),
        ({"decay_epochs": 0}, "decay_epochs is 0"),
    ],
    ids=str,
)
def test_a_setting_that_makes_no_sense_is_refused_in_one_line(
    fields: dict[str, Any], told: str, tiny: Config, store: RunStore
) -> None:
    with pytest.raises(UserError, match=told) as caught:
        carry_out(STUDY, [replace(tiny, **fields)], store)
    assert "\n" not in str(caught.value)


def test_a_learning_rate_that_falls_along_a_cosine_ends_at_zero() -> None:
    from workings.studies.spelling.learner import SpellingLearner

    learner = object.__new__(SpellingLearner)
    learner.config = Config(decay_epochs=10)
    # Half a cosine: 1 at the start, ½ in the middle, 0 at the end and ever after.
    assert [learner._decay(at) for at in (0.0, 5.0, 10.0, 12.0)] == pytest.approx([1, 0.5, 0, 0])
