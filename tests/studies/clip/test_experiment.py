"""What a trial records and what it does not, counts against hand numbers, and what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studies.clip.shop import ALONE, BACKBONE, DRAWN, Shop, captions_of, photographs, write_photos
from workings.cli import main
from workings.core.errors import UserError
from workings.core.evidence import Run
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.clip.experiment import LIMITS, TOKENIZER, validate
from workings.studies.clip.prompts import PHOTOGRAPHS
from workings.studies.clip.study import PAIRS, STUDY, Config, datasets
from workings.studies.clip.towers import picture_tower

DIRECTIONS = ("text-to-image", "image-to-text")


def kept(run: Run) -> list[Path]:
    return [p for p in run.folder.rglob("*") if p.is_file() and "checkpoints" not in p.parts]


# ---- trainings ----


@pytest.mark.parametrize("which", ["training", "drawn"])
def test_a_training_records_its_curves_and_how_it_retrieves(which: str, shop: Shop) -> None:
    run: Run = getattr(shop, which)
    for name in ("train/loss", "train/temperature", "validation/loss", "seconds"):
        series = run.series(name)
        assert [epoch for epoch, _ in series] == [1, 2]
        assert all(value > 0 for _, value in series)
    pictures, queries = (int(run.metric(f"count/{what}")) for what in ("test", "queries"))
    ranks = {direction: run.array(f"ranks/{direction}") for direction in DIRECTIONS}
    assert [ranks[d].shape for d in DIRECTIONS] == [(queries,), (pictures,)]
    assert ranks["text-to-image"].max() <= pictures
    assert ranks["image-to-text"].max() <= queries
    for direction, found in ranks.items():
        assert found.dtype == np.int16
        assert found.min() >= 1
        for k in (1, 5, 10):
            assert run.metric(f"{direction}/r{k}") == pytest.approx((found <= k).mean())
        assert run.metric(f"{direction}/median") == np.median(found)
    owner = run.array("query/picture")
    assert owner.dtype == np.int16
    assert sorted(set(owner.tolist())) == list(range(pictures))
    assert (np.diff(owner) >= 0).all()


def test_the_parameters_are_those_of_the_parts(shop: Shop) -> None:
    for run in (shop.training, shop.drawn):
        assert run.metric("parameters/pictures") == sum(
            p.numel() for p in picture_tower("conv-8", scratch=True).parameters()
        )
        heads = (8 * 8 * 16 * 16 + 16) + (16 * 16 + 16) + 2 * 16 + 2 * (16 * 16 + 16) + 2 * 16
        assert run.metric("parameters/heads") == heads
        words = run.table("card")["vocabulary"] * 16 + 256 * 16
        layer = 4 * (16 * 16 + 16) + (16 * 64 + 64) + (64 * 16 + 16) + 4 * 16
        assert run.metric("parameters/text") == words + 3 * layer + 2 * 16


def test_of_photographs_a_fifth_is_tested(shop: Shop) -> None:
    assert shop.training.metric("count/train") == 29
    assert shop.training.metric("count/test") == 8
    names = shop.training.table("heat")["names"]
    numbers = [int(name[1:3]) for name in names]
    assert shop.training.metric("count/queries") == sum(len(captions_of(number)) for number in numbers)
    assert shop.drawn.metric("count/train") == 64
    assert shop.drawn.metric("count/test") == 1_000
    assert shop.drawn.metric("count/queries") == 5_000


@pytest.mark.parametrize("which", ["training", "drawn"])
def test_similarities_failures_and_prompts_are_kept(which: str, shop: Shop) -> None:
    run: Run = getattr(shop, which)
    heat, shown = run.array("heat"), len(run.table("heat")["names"])
    assert heat.shape == (shown, shown) == (min(10, int(run.metric("count/test"))),) * 2
    assert np.abs(heat).max() <= 1 + 1e-5
    ranks, rows = run.array("ranks/text-to-image"), run.table("failures")
    assert [row["rank"] for row in rows] == sorted(ranks.tolist(), reverse=True)[: len(rows)]
    assert len(rows) == min(12, (ranks > 1).sum())
    assert all(row["name"] != row["found"] for row in rows)
    for row in run.table("prompts"):
        near = [hit["similarity"] for hit in row["hits"]]
        assert near == sorted(near, reverse=True)
        assert len(near) == 8
        assert sum(hit["fits"] for hit in row["hits"]) <= row["fitting"]
    assert "R@1, text to image" in run.table("result")


def test_of_drawn_scenes_pictures_and_zero_shot_scores_are_kept(shop: Shop) -> None:
    run = shop.drawn
    shapes = {name: np.asarray(Image.open(run.picture(name))).shape for name in ("heat", "failures", "prompts")}
    assert shapes == {"heat": (32, 320, 3), "failures": (384, 64, 3), "prompts": (160, 256, 3)}
    scores = {
        row: run.metric(f"zero-shot/{row}") for row in ("shape", "colour", "size", "place", "count", "pair", "all")
    }
    assert all(0 <= score <= 1 for score in scores.values())
    assert scores["all"] <= scores["pair"] <= min(scores["shape"], scores["colour"])
    assert all(row["caption"] for row in run.table("failures"))
    assert len(run.table("heat")["captions"]) == 10


def test_of_photographs_only_names_are_kept(shop: Shop) -> None:
    run = shop.training
    assert not any(path.suffix in (".png", ".jpg") for path in kept(run))
    assert run.table("heat")["captions"] == []
    assert {row["caption"] for row in run.table("failures")} == {""}
    assert [row["prompt"] for row in run.table("prompts")] == list(PHOTOGRAPHS)
    content = b"".join(path.read_bytes() for path in kept(run))
    for number in range(40):
        assert not any(caption.encode() in content for caption in captions_of(number) if len(caption.split()) > 2)
        # Neither do weights and optimiser, of course; they stay on this machine.
    assert b"p07.png" in content or b"p04.png" in content


def test_what_is_recorded_is_small(shop: Shop) -> None:
    for run in (shop.count, shop.words, shop.training, shop.drawn):
        assert sum(path.stat().st_size for path in kept(run)) < 300_000


def test_what_a_model_directory_needs_is_kept(shop: Shop) -> None:
    card = shop.training.table("card")
    assert (card["size"], card["longest"], card["encoder"]) == (32, 64, None)
    assert len(card["mean"]) == len(card["std"]) == 3
    kept = json.loads((shop.training.folder / "checkpoints" / TOKENIZER).read_text())
    assert json.loads(kept["tokenizer"])["model"]["type"] == "WordPiece"


# ---- towers counted ----


def test_the_published_towers_are_counted(shop: Shop) -> None:
    """Image towers: torchvision's known sizes less 1,000 × (features + 1); heads: for 256 dimensions, by hand."""
    towers = shop.count.table("towers")
    assert {name: (row["image"], row["text"]) for name, row in towers.items()} == dict(PAIRS)
    images = {"A": 25_557_032 - 2_049_000, "B": 11_689_512 - 513_000, "C": 21_797_672 - 513_000}
    texts = {"A": 66_362_880, "B": 109_482_240 - 590_592, "C": 124_645_632 - 590_592}
    rest = 256 * 256 + 256 + 2 * 256
    heads = {
        name: (width + 1) * 256 + rest + 769 * 256 + rest for name, width in {"A": 2048, "B": 512, "C": 512}.items()
    }
    for name, row in towers.items():
        counts = [row[f"{part}_parameters"] for part in ("image", "text", "head")]
        assert counts == [images[name], texts[name], heads[name]]


def test_what_a_class_finds_in_another_s_file_is_counted(shop: Shop) -> None:
    rows = {(row["class"], row["weights"]): row["found"] for row in shop.count.table("loading")}
    whole = {"DistilBertModel": 66_362_880, "BertModel": 109_482_240, "RobertaModel": 124_645_632}
    kinds = {"DistilBertModel": "distilbert", "BertModel": "bert", "RobertaModel": "roberta"}
    assert set(rows) == {(name, kind) for name in whole for kind in kinds.values()}
    assert {name: rows[name, kinds[name]] for name in whole} == whole
    # DistilBERT's embeddings (words, positions, layer norm) have the names and shapes of BERT's.
    embeddings = (30_522 + 512) * 768 + 2 * 768
    assert rows["BertModel", "distilbert"] == rows["DistilBertModel", "bert"] == embeddings
    # BERT and RoBERTa differ in the numbers of words, positions and kinds of token alone.
    assert rows["BertModel", "roberta"] == 109_482_240 - (30_522 + 512 + 2) * 768
    assert rows["RobertaModel", "bert"] == 124_645_632 - (50_265 + 514 + 1) * 768
    # Only the layer norm of DistilBERT's embeddings fits RoBERTa's.
    assert rows["RobertaModel", "distilbert"] == 2 * 768


def test_resnets_known_by_depth_are_listed(shop: Shop) -> None:
    assert sorted(shop.count.table("resnets"), key=lambda n: int(n[6:])) == [
        f"resnet{depth}" for depth in (18, 34, 50, 101, 152)
    ]


# ---- words counted ----

LISTING = """image,caption
a.jpg,A cat sits .
a.jpg,Two cats and a dog
b.jpg,The CAT's tail
b.jpg,a category of dogs
c.jpg,A concatenation
c.jpg,"Cats, dogs"
d.jpg,a wildcat
"""
"""By hand: `cat` in captions 1 and 3 of pictures a and b; `cats?` in 2 and 6 too, so in c as well."""


def test_words_are_counted_as_by_hand(tmp_path: Path, store: RunStore) -> None:
    path = tmp_path / "said.csv"
    path.write_text(LISTING, encoding="utf-8")
    (made,) = carry_out(STUDY, [Config(task="words", data=str(path))], store, ALONE)
    run = made.run
    assert (run.metric("captions"), run.metric("pictures")) == (7, 4)
    assert (run.metric("cat/captions"), run.metric("cat/pictures")) == (2, 2)
    assert (run.metric("cats/captions"), run.metric("cats/pictures")) == (4, 3)
    rows = {row["word"]: row for row in run.table("words")}
    assert (rows["dog"]["captions"], rows["dog"]["pictures"]) == (3, 3)
    assert rows["horse"] == {"word": "horse", "pattern": r"\bhorses?\b", "captions": 0, "pictures": 0}


def test_words_of_a_folder_are_counted_too(shop: Shop) -> None:
    everything = [captions_of(number) for number in range(40)]
    assert shop.words.metric("captions") == sum(map(len, everything))
    assert shop.words.metric("pictures") == 40
    assert shop.words.metric("cat/captions") == sum("cat" in caption.split() for own in everything for caption in own)


# ---- presets ----


def test_presets_name_no_trial_twice_and_every_setting_is_within_its_limits() -> None:
    for preset in (*STUDY.presets, STUDY.instant):
        assert preset is not None
        made = preset()
        assert len(set(made)) == len(made)
        for config in made:
            assert all(low <= getattr(config, name) <= high for name, (low, high) in LIMITS.items())


def test_the_full_grid_has_each_tower_with_each_other_three_times() -> None:
    (full,) = (preset() for preset in STUDY.presets if preset.__name__ == "full")
    made = {(c.image_tower, c.text_tower, c.seed) for c in full}
    assert len(made) == len(full) == 27
    assert {(c.loss, c.batch, c.tokens, c.size, c.scratch, c.schedule) for c in full} == {
        ("soft", 32, 200, 224, False, "plateau")
    }
    assert set(PAIRS.values()) <= {(image, text) for image, text, _ in made}


# ---- what is refused ----

BAD: list[tuple[dict[str, Any], str]] = [
    ({"batch": 1}, "batch is 1: it lies between 2"),
    ({"batch": 10**9}, "batch is 1,000,000,000"),
    ({"size": 8}, "size is 8: it lies between 16 and 512"),
    ({"size": 100_000}, "size is 100,000"),
    ({"limit": 0}, "limit is 0"),
    ({"limit": 1}, "limit is 1: it lies between 2"),
    ({"epochs": 0}, "epochs is 0"),
    ({"cycle": 0}, "cycle is 0"),
    ({"tokens": 2}, "tokens is 2"),
    ({"projection": 0}, "projection is 0"),
    ({"each": 0}, "each is 0"),
    ({"dropout": 1.0}, "dropout is 1.0"),
    ({"head_rate": float("nan")}, "head_rate is nan"),
    ({"image_rate": float("inf")}, "image_rate is inf"),
    ({"text_rate": -1.0}, "text_rate is -1.0"),
    ({"weight_decay": -0.1}, "weight_decay is -0.1"),
    ({"seed": -1}, "seed is -1"),
    ({"loss": "soft", "each": 2}, "each is 2: the soft loss .* --each 1"),
    ({"image_tower": "resnet32"}, "there is no image tower 'resnet32'"),
    ({"image_tower": "conv-3"}, "multiple of 4"),
    ({"text_tower": "transformer-2"}, "multiple of 4"),
    ({"frozen": "pictures"}, "conv-8 starts from random weights.*--frozen"),
    ({"frozen": "text"}, "transformer-16 starts from random weights"),
    ({"frozen": "both", "image_tower": BACKBONE, "text_tower": "bert-base-uncased", "scratch": True}, "random weights"),
    ({"captions": "captions.csv", "data": "drawn-scenes"}, "captions of its own"),
    ({"captions": "no-such.csv"}, "there is no file of captions 'no-such.csv'"),
    ({"data": "/no/such/folder"}, "'/no/such/folder' is neither"),
    ({"data": "flickr8"}, r"'flickr8' is neither.*did you mean"),
    ({"data": "flickr8k-captions"}, "is neither a set of captioned pictures"),
    ({"task": "words", "data": "/no/such/file.csv"}, "is neither flickr8k-captions nor a file of captions"),
]


@pytest.mark.parametrize(("fields", "told"), BAD, ids=str)
def test_a_setting_that_makes_no_sense_is_refused_in_one_line(fields: dict[str, Any], told: str, shop: Shop) -> None:
    config = Config(**{**vars(photographs(shop.photos)), **fields})
    with pytest.raises(UserError, match=told) as caught:
        validate(config)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_too_few_pictures_to_split_are_refused(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "nine", 9)
    with pytest.raises(UserError, match="holds 9 captioned pictures: 10 are the fewest"):
        validate(photographs(folder))
    validate(photographs(write_photos(tmp_path / "ten", 10)))


def test_a_picture_that_cannot_be_read_is_refused_by_name_or_left_out(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "mine", 14)
    (folder / "p03.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"p03\.png"):
        validate(photographs(folder))
    validate(photographs(folder, broken="skip"))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"text_tower": "no-such-model"}, "cannot be had"),
        ({"text_tower": ""}, "cannot be had"),
        ({"image_tower": "vgg11", "scratch": True}, "vgg11 reads no pictures of 16 × 16 pixels"),
        ({"image_tower": "squeezenet1_0", "scratch": True}, "ends in no dense layer"),
        ({"image_tower": BACKBONE}, "cannot be had"),
    ],
    ids=str,
)
def test_what_is_found_out_late_leaves_no_trace_either(
    fields: dict[str, Any], told: str, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    store = RunStore(tmp_path / "store")
    with pytest.raises(UserError, match=told):
        carry_out(STUDY, [photographs(shop.photos, **{"size": 16, **fields})], store, ALONE)
    assert not list(store.root.rglob("run.json"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--size", "5"], "size is 5"),
        (["--image-tower", "resnet-50"], "did you mean"),
        (["--loss", "soft", "--each", "5"], "--each 1"),
        (["--data", "/no/such/folder"], "is neither"),
    ],
    ids=str,
)
def test_the_command_line_says_it_in_one_line(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert main(["run", "clip", *words]) == 2
    said = capsys.readouterr()
    assert re.search(told, said.err)
    assert "Traceback" not in said.err
    assert not list(home.rglob("run.json"))


def test_what_a_trial_reads_is_named(shop: Shop) -> None:
    assert datasets(Config(task="count")) == {}
    assert datasets(photographs(shop.photos))["captioned"].id == "own:photos"
    assert shop.training.datasets["captioned"]["id"] == "own:photos"
    assert datasets(DRAWN)["captioned"].id == "drawn-scenes"
    with pytest.raises(UserError, match="size is 8"):
        datasets(photographs(shop.photos, size=8))


def test_the_smallest_set_there_can_be_is_trained_on(tmp_path: Path, store: RunStore) -> None:
    config = photographs(write_photos(tmp_path / "ten", 10), limit=2, epochs=1, each=3)
    (made,) = carry_out(STUDY, [config], store, ALONE)
    assert made.run.metric("count/train") == 2
    assert made.run.metric("count/test") == 2
