"""Every claim turns: with other runs, or with another transcription, it comes to the other verdict."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest

from studies.clip import made_up
from studies.clip.made_up import evidence, grid, losses, sheets, small_on_photographs, trainings
from workings.core.claim import Verdict, decide
from workings.core.evidence import Evidence, Run
from workings.core.runs import RunStore
from workings.studies.clip.study import CONVOLUTIONS, PAIRS, STUDY, TRANSFORMERS

CLAIMS = {claim.id: claim for claim in STUDY.claims}
FLICKR = sorted(claim.id for claim in STUDY.claims if claim.about == ("flickr8k",))
DRAWN = sorted(claim.id for claim in STUDY.claims if claim.about == ("drawn-scenes",))
PICTURES, TEXTS = ("resnet18", "resnet34", "resnet50"), ("distilbert-base-uncased", "bert-base-uncased", "roberta-base")


def verdict(claim_id: str, found: Evidence) -> Verdict:
    return decide(CLAIMS[claim_id], found)


def kind(claim_id: str, *runs: Run, **published: Mapping[str, Any]) -> str:
    found = verdict(claim_id, evidence(*runs, **published))
    assert (found.witness is not None) == (str(found.kind) == "refuted")
    assert found.sentence.endswith(".")
    return str(found.kind)


# ---- what is counted, or only read ----


def test_the_printed_configuration_is_none_of_the_three() -> None:
    found = verdict("config-is-one-of-the-three", evidence(made_up.count_towers()))
    assert found.witness is not None
    assert found.witness["printed"] == ["ResNet-50", "RoBERTa"]
    assert found.witness["printed"] not in found.witness["models"].values()


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ({"image": "ResNet-34", "projection": 256}, "supported"),
        ({"image": "ResNet-34"}, "refuted"),
        ({"projection": 256}, "refuted"),
        ({"text": "DistilBERT", "projection_in_the_text": 512}, "supported"),
    ],
)
def test_another_printed_configuration_may_be_one(printed: Mapping[str, Any], expected: str) -> None:
    run = made_up.count_towers()
    assert kind("config-is-one-of-the-three", run, config_is_one_of_the_three=printed) == expected


def test_resnet_32_is_not_among_the_names() -> None:
    run = made_up.count_towers()
    assert kind("resnet-32-is-standard", run) == "refuted"
    assert kind("resnet-32-is-standard", run, resnet_32_is_standard={"name": "ResNet-34"}) == "supported"


def test_were_it_among_them_it_would_be_standard() -> None:
    assert kind("resnet-32-is-standard", made_up.count_towers(resnets=["resnet18", "resnet32"])) == "supported"


def test_model_a_joins_the_largest_to_the_smallest() -> None:
    found = verdict("a-is-balanced", evidence(made_up.count_towers()))
    assert found.witness is not None
    assert found.witness["rank"] == {"image": 3, "text": 1}


def test_with_the_largest_text_tower_it_would_be_balanced() -> None:
    rows = made_up.count_towers().table("towers")
    rows["A"]["text_parameters"] = 10 * rows["C"]["text_parameters"]
    assert kind("a-is-balanced", made_up.count_towers(towers=rows)) == "supported"


def test_another_model_may_be_named() -> None:
    run = made_up.count_towers()
    for name in "ABC":
        assert kind("a-is-balanced", run, balanced_scaling_best={"shown_by": name}) == "refuted"


def test_no_class_finds_all_weights_everywhere() -> None:
    found = verdict("one-class-loads-all", evidence(made_up.count_towers()))
    assert found.witness is not None
    assert found.witness["found"] < found.witness["parameters"]
    assert "33.3%" in found.sentence


def test_a_class_that_did_would_support_it() -> None:
    rows = [{"class": "BertModel", "weights": kind, "found": 5, "parameters": 5} for kind in ("bert", "roberta")]
    assert kind("one-class-loads-all", made_up.count_towers(loading=rows)) == "supported"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [({}, "supported"), ({"cats__captions": 203}, "refuted"), ({"captions": 4_000}, "inconclusive")],
)
def test_cats_are_counted(counts: dict[str, float], expected: str) -> None:
    assert kind("cats-are-rare", made_up.count_words(**counts)) == expected


def test_the_mark_for_rare_counts() -> None:
    assert kind("cats-are-rare", made_up.count_words(), cats_are_rare={"below": 1e-4}) == "refuted"


# ---- the published models ----


def published(*skills: float, **options: Any) -> list[Run]:
    """A, B and C, of such R@1."""
    by_pair = {**dict.fromkeys(product(PICTURES, TEXTS), 0.1), **dict(zip(PAIRS.values(), skills, strict=True))}
    chosen = [config for config in sheets() if (config.image_tower, config.text_tower) in PAIRS.values()]
    return trainings(chosen, by_pair, **options)


@pytest.mark.parametrize(
    ("skills", "expected"),
    [
        ((0.3, 0.1, 0.2), "supported"),
        ((0.2, 0.1, 0.3), "refuted"),
        ((0.3, 0.2, 0.1), "refuted"),
        ((0.2, 0.1, 0.2), "inconclusive"),
    ],
)
def test_the_ranking_is_measured(skills: tuple[float, ...], expected: str) -> None:
    assert kind("a-beats-c-beats-b", *published(*skills)) == expected


def test_another_order_in_the_transcription_is_another_claim() -> None:
    runs = published(0.3, 0.1, 0.2)
    assert kind("a-beats-c-beats-b", *runs, a_beats_c_beats_b={"order": ["B", "C", "A"]}) == "refuted"


AS_TOLD = {claim_id: "supported" for claim_id in FLICKR if STUDY.published[claim_id].get("prompt")}


@pytest.mark.parametrize("claim_id", AS_TOLD)
def test_prompts_that_go_as_published_support_it(claim_id: str) -> None:
    assert kind(claim_id, *published(0.3, 0.1, 0.2)) == "supported"
    assert kind(claim_id, *published(0.3, 0.1, 0.2)[:6]) == "inconclusive", "two seeds"


@pytest.mark.parametrize(
    ("claim_id", "fits"),
    [
        ("cat-fails", {"A": 0, "B": 0, "C": 3}),
        ("crowd-succeeds-in-part", {"A": 3, "B": 1, "C": 4}),
        ("dog-in-a-park-better", {"A": 7, "B": 2, "C": 7}),
        ("skateboarding-only-a", {"A": 5, "B": 0, "C": 4}),
        ("skateboarding-only-a", {"A": 1, "B": 0, "C": 0}),
        ("food-a-best-b-fails", {"A": 6, "B": 3, "C": 3}),
        ("food-a-best-b-fails", {"A": 3, "B": 0, "C": 6}),
    ],
)
def test_prompts_that_go_otherwise_refute_it(claim_id: str, fits: dict[str, int]) -> None:
    prompt = STUDY.published[claim_id]["prompt"]
    runs = published(0.3, 0.1, 0.2, fits={**made_up.PROMPTS, prompt: fits})
    assert kind(claim_id, *runs) == "refuted"


@pytest.mark.parametrize(
    ("claim_id", "fits"),
    [
        ("cat-fails", {"A": 0, "B": 0, "C": 2}),
        ("crowd-succeeds-in-part", {"A": 8, "B": 3, "C": 4}),
        ("dog-in-a-park-better", {"A": 7, "B": 6, "C": 4}),
        ("skateboarding-only-a", {"A": 2, "B": 0, "C": 0}),
        ("food-a-best-b-fails", {"A": 6, "B": 0, "C": 6}),
    ],
)
def test_prompts_at_the_mark_leave_it_open(claim_id: str, fits: dict[str, int]) -> None:
    prompt = STUDY.published[claim_id]["prompt"]
    runs = published(0.3, 0.1, 0.2, fits={**made_up.PROMPTS, prompt: fits})
    assert kind(claim_id, *runs) == "inconclusive"


@pytest.mark.parametrize("claim_id", AS_TOLD)
def test_another_mark_turns_what_is_judged_by_it(claim_id: str) -> None:
    expected = "supported" if claim_id == "dog-in-a-park-better" else "refuted"
    least = {"crowd-succeeds-in-part": 0.9, "skateboarding-only-a": 0.9}.get(claim_id, -1.0)
    assert kind(claim_id, *published(0.3, 0.1, 0.2), prompt_share={"least": least}) == expected


def test_a_prompt_that_was_not_asked_is_not_run() -> None:
    runs = published(0.3, 0.1, 0.2)
    assert kind("cat-fails", *runs, cat_fails={"prompt": "a unicorn"}) == "not-run"


# ---- every tower with every other ----


def flickr_grid(worth: np.ndarray[Any, Any], **options: Any) -> list[Run]:
    """R@1 by picture tower and text tower, the smaller first."""
    skills = {(p, t): float(worth[i, j]) for (i, p), (j, t) in product(enumerate(PICTURES), enumerate(TEXTS))}
    return trainings(sheets(), skills, **options)


def drawn_grid(worth: np.ndarray[Any, Any], **options: Any) -> list[Run]:
    """The same of small towers."""
    pairs = product(enumerate(CONVOLUTIONS), enumerate(TRANSFORMERS))
    return trainings(grid(), {(p, t): float(worth[i, j]) for (i, p), (j, t) in pairs}, **options)


ROWS = np.array([[0.2], [0.35], [0.5]]) * np.ones(3)
DIAGONAL = 0.2 + 0.2 * np.eye(3)
UNEVEN = np.array([[0.3], [0.3], [0.5]]) * np.ones(3)


@pytest.mark.parametrize(
    ("worth", "picture", "text", "balance"),
    [
        (ROWS, "supported", "inconclusive", "inconclusive"),
        (ROWS[::-1], "refuted", "inconclusive", "inconclusive"),
        (ROWS.T, "inconclusive", "supported", "inconclusive"),
        (ROWS.T[:, ::-1], "inconclusive", "refuted", "inconclusive"),
        (UNEVEN, "inconclusive", "inconclusive", "inconclusive"),
        (DIAGONAL, "inconclusive", "inconclusive", "supported"),
        (0.6 - DIAGONAL, "inconclusive", "inconclusive", "refuted"),
    ],
    ids=["rows", "rows turned", "columns", "columns turned", "one step", "diagonal", "off the diagonal"],
)
def test_the_grid_tells_towers_and_balance_apart(
    worth: np.ndarray[Any, Any], picture: str, text: str, balance: str
) -> None:
    """A tower that is good by itself makes no balance, and a balance makes no tower better."""
    runs = drawn_grid(worth)
    assert kind("larger-image-encoder-on-drawn", *runs) == picture
    assert kind("larger-text-encoder-on-drawn", *runs) == text
    assert kind("balanced-scaling-on-drawn", *runs) == balance


@pytest.mark.parametrize(
    ("claim_id", "worth", "expected"),
    [
        ("larger-image-encoder-better", ROWS, "supported"),
        ("larger-image-encoder-better", ROWS[::-1], "refuted"),
        ("larger-image-encoder-better", ROWS.T, "inconclusive"),
        ("balanced-scaling-best", DIAGONAL, "supported"),
        ("balanced-scaling-best", 0.6 - DIAGONAL, "refuted"),
        ("balanced-scaling-best", ROWS, "inconclusive"),
    ],
)
def test_so_does_the_grid_of_published_towers(claim_id: str, worth: np.ndarray[Any, Any], expected: str) -> None:
    assert kind(claim_id, *flickr_grid(worth)) == expected


def test_two_seeds_decide_no_grid() -> None:
    runs = drawn_grid(ROWS, seeds=2)
    assert kind("larger-image-encoder-on-drawn", *runs) == "inconclusive"


def test_a_pair_that_is_missing_leaves_the_grid_out() -> None:
    assert kind("balanced-scaling-on-drawn", *drawn_grid(ROWS)[1:]) == "inconclusive", "one seed less of all"
    rest = [run for run in drawn_grid(ROWS) if run.config["image_tower"] != "conv-64"]
    assert kind("balanced-scaling-on-drawn", *rest) == "not-run"


def test_towers_are_ranked_by_their_counted_parameters() -> None:
    """Where what is called the largest has the fewest parameters, it is the smallest."""
    rest = [config for config in grid() if config.image_tower != "conv-64"]
    last = [config for config in grid() if config.image_tower == "conv-64"]
    rows = trainings(rest, 0.3)
    assert kind("larger-image-encoder-on-drawn", *rows, *trainings(last, 0.5)) != "refuted"
    last_made = trainings(last, 0.5, metrics={"parameters/pictures": 1.0})
    assert kind("larger-image-encoder-on-drawn", *rows, *last_made) == "refuted"


def test_pairs_that_were_trained_for_longer_are_not_compared() -> None:
    runs = drawn_grid(ROWS)
    config = made_up.lengthened(grid()[0], 9)
    longer = made_up.train(config, 0.9, fits={})
    others = [run for run in runs if run.id != longer.id]
    assert kind("larger-image-encoder-on-drawn", *runs) == "supported"
    assert kind("larger-image-encoder-on-drawn", longer, *others) == "not-run"


# ---- small models ----


@pytest.mark.parametrize(
    ("skill", "test", "expected"),
    [(0.95, 1000, "supported"), (0.9, 1000, "inconclusive"), (0.8, 1000, "refuted"), (0.95, 100, "inconclusive")],
)
def test_generalising_is_held_against_the_mark(skill: float, test: int, expected: str) -> None:
    runs = trainings(losses(), skill, test=test)
    assert kind("generalises-to-held-out-pairs", *runs) == expected


def test_two_seeds_or_another_mark_decide_otherwise() -> None:
    runs = trainings(losses(), 0.95, test=1000)
    two = [run for run in runs if run.config["seed"] < 2]
    assert kind("generalises-to-held-out-pairs", *two) == "inconclusive"
    assert kind("generalises-to-held-out-pairs", *runs, generalises_to_held_out_pairs={"recall": 0.99}) == "refuted"


def test_the_shorter_trainings_of_the_grid_do_not_decide_it() -> None:
    assert kind("generalises-to-held-out-pairs", *trainings(grid(), 0.95)) == "not-run"


def both(clip: float, soft: float, **options: Any) -> list[Run]:
    """Either loss, of such R@1."""
    runs = []
    for loss, skill in (("clip", clip), ("soft", soft)):
        runs += trainings([config for config in losses() if config.loss == loss], skill, **options)
    return runs


@pytest.mark.parametrize(
    ("clip", "soft", "expected"),
    [(0.9, 0.7, "supported"), (0.7, 0.9, "supported"), (0.9, 0.9, "refuted")],
)
def test_losses_may_differ_either_way_or_not(clip: float, soft: float, expected: str) -> None:
    assert kind("losses-differ", *both(clip, soft)) == expected


def test_a_difference_that_is_unsure_is_open() -> None:
    one, other = both(0.9, 0.8), both(0.8, 0.9)
    mixed = [(other if run.config["seed"] == 2 else one)[place] for place, run in enumerate(one)]
    assert kind("losses-differ", *mixed) == "inconclusive"
    assert kind("losses-differ", *both(0.9, 0.9), losses_differ={"margin": -1.0}) == "inconclusive"
    assert kind("losses-differ", *both(0.9, 0.7, seeds=2)) == "inconclusive"


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({}, "supported"),
        ({"zero-shot/pair": 0.05}, "inconclusive"),
        ({"zero-shot/shape": 0.05}, "refuted"),
        ({"zero-shot/colour/chance": 1.0}, "refuted"),
    ],
)
def test_naming_is_held_against_chance(metrics: dict[str, float], expected: str) -> None:
    assert kind("zero-shot-on-drawn", *trainings(losses(), 0.9, metrics=metrics)) == expected


@pytest.mark.parametrize(
    ("share", "seeds", "expected"),
    [(0.99, 3, "supported"), (0.6, 3, "refuted"), (0.9, 3, "inconclusive"), (0.99, 2, "inconclusive")],
)
def test_unseen_pairs_are_held_against_the_mark(share: float, seeds: int, expected: str) -> None:
    runs = trainings(losses(), 0.9, seeds=seeds, metrics={"zero-shot/pair": share})
    assert kind("unseen-pairs-among-all", *runs) == expected


def test_naming_by_two_seeds_is_open() -> None:
    assert kind("zero-shot-on-drawn", *trainings(losses(), 0.9, seeds=2)) == "inconclusive"


@pytest.mark.parametrize(
    ("metrics", "seeds", "expected"),
    [({}, 3, "supported"), ({}, 2, "inconclusive"), ({"count/test": 20.0}, 3, "refuted")],
)
def test_photographs_are_held_against_chance(metrics: dict[str, float], seeds: int, expected: str) -> None:
    """Among 20 pictures, chance would do better than this."""
    runs = trainings(small_on_photographs(), 0.0, seeds=seeds, metrics=metrics)
    assert kind("photographs-above-chance", *runs) == expected


def test_a_recall_near_chance_is_open() -> None:
    runs = trainings(small_on_photographs(), 0.0, metrics={"count/test": 28.0})
    assert kind("photographs-above-chance", *runs) == "inconclusive"


# ---- what is not there, and other data ----


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_without_its_runs_it_is_not_run(claim_id: str) -> None:
    assert kind(claim_id) == "not-run"
    other = made_up.count_words() if claim_id != "cats-are-rare" else made_up.count_towers()
    if claim_id == "config-is-one-of-the-three":
        return  # a transcription, whatever has been run
    found = CLAIMS[claim_id].check
    with pytest.raises(Exception, match="finished"):
        found(evidence(other))


def test_a_part_of_the_photographs_cannot_decide_what_is_said_of_all(store: RunStore) -> None:
    runs = [*small_on_photographs(), *made_up.large_on_photographs()]
    assert len(trainings(runs, store=store)) == 6
    archive = store.archive(STUDY, fresh_only=True)
    for claim_id in FLICKR:
        found = decide(CLAIMS[claim_id], archive.evidence(CLAIMS[claim_id].about))
        assert str(found.kind) == "inconclusive"
        assert "about flickr8k;" in found.sentence
        assert "from flickr8k-part," in found.sentence


def test_each_claim_finds_its_own_runs_among_all(store: RunStore) -> None:
    """With all that this machine can make, nothing said of Flickr8k is decided, and all else is."""
    made_up.count_towers(store)
    made_up.count_words(store)
    both(0.95, 0.9, test=1000, store=store)
    drawn_grid(ROWS, store=store)
    trainings(small_on_photographs(), 0.0, store=store)
    archive = store.archive(STUDY, fresh_only=True)
    kinds = {c: str(decide(claim, archive.evidence(claim.about)).kind) for c, claim in CLAIMS.items()}
    assert [c for c, found in kinds.items() if found == "not-run"] == []
    assert [c for c in FLICKR if kinds[c] != "inconclusive"] == []
    assert kinds["cats-are-rare"] == kinds["photographs-above-chance"] == "supported"
    assert kinds["generalises-to-held-out-pairs"] == kinds["larger-image-encoder-on-drawn"] == "supported"
    for claim in STUDY.claims:
        if claim.expect:
            assert kinds[claim.id] == claim.expect


@pytest.mark.parametrize("claim_id", DRAWN)
def test_photographs_cannot_decide_what_is_said_of_drawn_scenes(claim_id: str) -> None:
    runs = trainings(small_on_photographs())
    assert kind(claim_id, *runs) == "inconclusive"
