"""What is found among the test pictures, against slow loops, and against a model that knows or errs as was planned."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from studies.clip.shop import DRAWN, SMALL, Shop, learner, photographs, write_photos
from workings.core.evidence import Run
from workings.core.runs import Recorder
from workings.data.drawn_scenes import WORDS, Scene, describe
from workings.studies.clip import examination
from workings.studies.clip.examination import Examination, examine, unit
from workings.studies.clip.learner import ClipLearner
from workings.studies.clip.prompts import LABELS, PHOTOGRAPHS, fits
from workings.train.checkpoint import load_weights
from workings.train.trained import weights_of

SCENES = 40
"""Test scenes that are looked at; the rest tells no more."""


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("examination") / "photos")


@pytest.fixture
def looked(photos: Path) -> Examination:
    taught = learner(photographs(photos))
    taught.model.eval()
    return Examination(taught)


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> ClipLearner:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKINGS_HOME", str(tmp_path_factory.mktemp("scenes")))
        taught = learner(replace(DRAWN, **SMALL, limit=20))  # type: ignore[arg-type]
    taught.data = replace(taught.data, test=taught.data.test[:SCENES])
    taught.model.eval()
    return taught


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(
        a.astype(float) @ b.astype(float) / np.sqrt((a.astype(float) ** 2).sum() * (b.astype(float) ** 2).sum())
    )


# ---- vectors ----


def test_vectors_have_unit_length_whatever_is_taken_together(
    looked: Examination, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.testing.assert_allclose(np.linalg.norm(looked.pictures, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(looked.texts, axis=1), 1, atol=1e-5)
    monkeypatch.setattr(examination, "TOGETHER", 3)
    again = Examination(looked.learner)
    np.testing.assert_allclose(again.pictures, looked.pictures, atol=1e-5)
    np.testing.assert_allclose(again.texts, looked.texts, atol=1e-5)


def test_no_vector_is_made_for_nothing() -> None:
    seen: list[list[int]] = []

    def embed(part: Tensor) -> Tensor:
        seen.append(part.tolist())
        return torch.ones(len(part), 2)

    assert unit(embed, torch.arange(300)).shape == (300, 2)
    assert [len(part) for part in seen] == [256, 44]


# ---- ranks, failures, prompts ----


def test_ranks_are_those_of_a_slow_loop(looked: Examination) -> None:
    count = len(looked.test)
    assert [looked.owner.tolist().count(p) for p in range(count)] == [
        len(looked.learner.data.captioned.captions[at]) for at in looked.test
    ]
    for query, rank in enumerate(looked.ranks.text_to_image):
        near = [cosine(picture, looked.texts[query]) for picture in looked.pictures]
        own = near[looked.owner[query]]
        assert (
            rank == 1 + sum(value > own + 1e-6 for value in near)
            or min(abs(value - own) for at, value in enumerate(near) if at != looked.owner[query]) < 1e-5
        )
    for at, rank in enumerate(looked.ranks.image_to_text):
        near = [cosine(looked.pictures[at], text) for text in looked.texts]
        own = max(value for value, owner in zip(near, looked.owner, strict=True) if owner == at)
        assert rank >= 1 + sum(v > own + 1e-6 for v, owner in zip(near, looked.owner, strict=True) if owner != at)


def test_failures_are_the_captions_that_came_latest_and_what_came_first(looked: Examination) -> None:
    rows, places = looked.failures()
    names = looked.learner.data.captioned.names
    assert [row["rank"] for row in rows] == sorted((r for r in looked.ranks.text_to_image if r > 1), reverse=True)[:12]
    for row, (wanted, found) in zip(rows, places, strict=True):
        assert (row["name"], row["found"]) == (names[looked.test[wanted]], names[looked.test[found]])
        assert wanted != found


def test_prompts_show_the_nearest_pictures_and_say_which_fit(looked: Examination) -> None:
    rows, places = looked.prompts()
    taught = looked.learner
    for row, order, patterns in zip(rows, places, PHOTOGRAPHS.values(), strict=True):
        encoded = taught.vocabulary.encode([row["prompt"]], taught.longest)
        with torch.no_grad():
            said = taught.model.embed_text(*encoded.batch(torch.tensor([0]), taught.device))[0].numpy()
        near = [cosine(picture, said) for picture in looked.pictures]
        assert [near[at] for at in order] == pytest.approx(sorted(near, reverse=True)[:8], abs=1e-5)
        assert [hit["similarity"] for hit in row["hits"]] == pytest.approx([near[at] for at in order], abs=1e-4)
        captions = [taught.data.captioned.captions[at] for at in looked.test]
        assert row["fitting"] == sum(fits(own, patterns) for own in captions)
        assert [hit["fits"] for hit in row["hits"]] == [fits(captions[at], patterns) for at in order]


@pytest.mark.parametrize(
    ("prompt", "captions", "fit"),
    [
        ("a cat sitting with a human", ["A cat on a woman's lap"], True),
        ("a cat sitting with a human", ["A category of men"], False),
        ("a cat sitting with a human", ["A cat .", "A woman ."], False),
        ("a crowd gathered in a park", ["PEOPLE in a Park"], True),
        ("a crowd gathered in a park", ["A crowd in a parking lot"], False),
        ("a dog sitting alone in a park", ["Two puppies on the grass"], True),
        ("a man skateboarding in the city", ["A skater grinds a rail"], True),
        ("a man skateboarding in the city", ["A woman on a skateboard"], False),
        ("all kinds of food on a table", ["Some cake lies on tables"], True),
        ("all kinds of food on a table", [], False),
    ],
    ids=str,
)
def test_a_picture_fits_where_one_caption_has_every_key_word(prompt: str, captions: list[str], fit: bool) -> None:
    assert fits(captions, PHOTOGRAPHS[prompt]) is fit


def test_every_label_sentence_has_a_place_for_the_label() -> None:
    assert all("dog" in label.format("dog") for label in LABELS)


# ---- a model that knows ----


def known(scene: Scene) -> NDArray[np.float32]:
    """A scene's vector: a mark for each of its attributes."""
    parts = [np.eye(len(there), dtype=np.float32)[there.index(getattr(scene, axis))] for axis, there in WORDS.items()]
    return np.concatenate(parts) / np.sqrt(np.float32(len(parts)))


class Knowing(Examination):
    """Vectors that say what is true of pictures and sentences, but for pictures that were given another scene."""

    told: ClassVar = {describe(Scene(*words)): Scene(*words) for words in product(*WORDS.values())}
    wrong: ClassVar[dict[int, Scene]] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        given = self.learner.data.captioned.attributes
        shown = [Scene(*(given[axis][at] for axis in WORDS)) for at in self.test]
        self.pictures = np.stack([known(self.wrong.get(at, scene)) for at, scene in enumerate(shown)])
        self.texts = np.stack([known(shown[owner]) for owner in self.owner])

    def _embedded(self, sentences: list[str]) -> NDArray[np.float32]:
        rows = []
        for said in sentences:
            if said in self.told:
                rows.append(known(self.told[said]))
                continue
            words = set(re.findall(r"\w+", said))
            parts = [
                [np.float32(axis in ("shape", "colour") and w in words) for w in there] for axis, there in WORDS.items()
            ]
            rows.append(np.concatenate(parts).astype(np.float32))
        return np.stack(rows)


def test_who_knows_every_scene_is_right_of_all(scenes: ClipLearner) -> None:
    scores = Knowing(scenes).zero_shot()
    right = {name: score for name, score in scores.items() if not name.endswith("/chance")}
    assert set(WORDS) | {"pair", "all"} < set(right)
    assert right == dict.fromkeys(right, 1.0)


def test_planned_mistakes_cost_what_they_should(scenes: ClipLearner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three pictures look as if they had another colour, one of these another shape too, and one another size."""
    given = scenes.data.captioned.attributes

    def other(at: int, **changed: int) -> Scene:
        scene = Scene(*(given[axis][scenes.data.test[at]] for axis in WORDS))
        turned = {
            axis: WORDS[axis][(WORDS[axis].index(getattr(scene, axis)) + by) % len(WORDS[axis])]
            for axis, by in changed.items()
        }
        return replace(scene, **turned)

    wrong = {0: other(0, colour=1), 1: other(1, colour=2), 2: other(2, colour=1, shape=3), 3: other(3, size=1)}
    monkeypatch.setattr(Knowing, "wrong", wrong)
    scores = Knowing(scenes).zero_shot()
    missed = {"colour": 3, "shape": 1, "size": 1, "place": 0, "count": 0, "pair": 3, "all": 4}
    assert {name: scores[name] for name in missed} == pytest.approx({n: 1 - m / SCENES for n, m in missed.items()})
    assert scores["averaged/colour"] == scores["bare/colour"] == scores["colour"]


def test_chance_is_what_the_commonest_class_is_worth(scenes: ClipLearner) -> None:
    scores, given = Examination(scenes).zero_shot(), scenes.data.captioned.attributes
    shown = [(given["shape"][at], given["colour"][at]) for at in scenes.data.test]
    for name, classes in (("pair", shown), ("shape", [s for s, _ in shown]), ("colour", [c for _, c in shown])):
        assert scores[f"{name}/chance"] == max(map(classes.count, classes)) / SCENES


def test_zero_shot_scores_are_those_of_a_slow_loop(scenes: ClipLearner) -> None:
    found = Examination(scenes)
    scores = found.zero_shot()
    given, every = scenes.data.captioned.attributes, [Scene(*words) for words in product(*WORDS.values())]
    said = found._embedded([describe(scene) for scene in every])
    colours = {
        word: np.mean([v for v, s in zip(said, every, strict=True) if s.colour == word], axis=0)
        for word in WORDS["colour"]
    }
    whole = averaged = 0
    for at, picture in zip(found.test, found.pictures, strict=True):
        nearest = every[int((said @ picture).argmax())]
        whole += nearest.colour == given["colour"][at]
        averaged += max(colours, key=lambda word: float(colours[word] @ picture)) == given["colour"][at]
    assert scores["colour"] == pytest.approx(whole / SCENES, abs=1 / SCENES)
    assert scores["averaged/colour"] == pytest.approx(averaged / SCENES, abs=1 / SCENES)


def recorded(folder: Path, taught: ClipLearner) -> Path:
    recorder = Recorder(folder)
    folder.mkdir()
    examine(taught, recorder)
    recorder.flush()
    return folder


def test_a_model_without_failures_shows_none(
    scenes: ClipLearner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(examination, "Examination", Knowing)
    folder = recorded(tmp_path / "run", scenes)
    assert (folder / "tables" / "failures.json").read_text().strip() == "[]"
    assert sorted(path.name for path in (folder / "pictures").iterdir()) == ["heat.png", "prompts.png"]


def test_of_two_equal_pictures_the_other_one_is_found(scenes: ClipLearner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tie counts against a model: what came before the wanted picture is its double, never itself."""
    given = scenes.data.captioned.attributes
    first = Scene(*(given[axis][scenes.data.test[0]] for axis in WORDS))
    monkeypatch.setattr(Knowing, "wrong", {5: first})
    rows, places = Knowing(scenes).failures()
    assert [row["rank"] for row in rows[-5:]] == [2] * 5
    assert [found for wanted, found in places.tolist() if wanted == 0] == [5] * 5


def test_pictures_lie_in_rows_and_columns(scenes: ClipLearner) -> None:
    found = Examination(scenes)
    pixels = scenes.data.captioned.pictures
    laid = found.tiles(np.array([[0, 3, 5], [7, 1, 0]]))
    assert laid.shape == (64, 96, 3)
    assert np.array_equal(laid[:32, 32:64], pixels[found.test[3]])
    assert np.array_equal(laid[32:, :32], pixels[found.test[7]])
    assert np.array_equal(laid[32:, 64:], laid[:32, :32])


def test_a_run_is_examined_with_its_best_weights(shop: Shop) -> None:
    """What the record says is what the kept weights find."""
    run: Run = shop.training
    taught = learner(photographs(shop.photos))
    load_weights(weights_of(run, "best"), taught.modules)
    taught.model.eval()
    assert Examination(taught).ranks.text_to_image.tolist() == run.array("ranks/text-to-image").tolist()
    taught.batches(0)
    best = min(value for _, value in run.series("validation/loss"))
    assert taught.evaluate()["validation/loss"] == pytest.approx(best, rel=1e-5)
