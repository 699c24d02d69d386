"""The step: which captions are drawn and are right, what is computed once, and that an interrupted training ends the
same."""

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from studies.clip.shop import BACKBONE, captions_of, keep_backbone, keep_text_model, learner, photographs, write_photos
from workings.core.errors import Interrupted, UserError
from workings.core.runs import Recorder
from workings.data import cache
from workings.studies.clip import learner as learning
from workings.studies.clip.learner import ClipLearner
from workings.studies.clip.model import clip_loss, soft_loss
from workings.studies.clip.pictures import IMAGENET, prepare
from workings.train.loop import fit


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("learner") / "photos")


# ---- pictures ----


def test_no_picture_is_in_two_splits_which_are_the_same_for_every_seed(photos: Path) -> None:
    data, other = (prepare(photographs(photos, seed=seed)) for seed in (0, 1))
    assert [len(part) for part in data.splits.values()] == [29, 3, 8]
    assert sorted(np.concatenate(list(data.splits.values())).tolist()) == list(range(40))
    assert all(np.array_equal(part, other.splits[name]) for name, part in data.splits.items())


def test_a_limit_takes_training_pictures_only_and_spreads_them(photos: Path) -> None:
    whole, few = (prepare(photographs(photos, limit=limit)) for limit in (1000, 5))
    assert len(few.train) == 5
    assert set(few.train) <= set(whole.train)
    assert few.train[0] == whole.train[0]
    assert few.train[-1] == whole.train[-1]
    assert few.test.tolist() == whole.test.tolist()


def test_pictures_are_normalised_by_their_own_levels_or_those_of_the_weights(photos: Path) -> None:
    data = prepare(photographs(photos))
    seen = data.look(data.captioned.pictures[data.train], torch.device("cpu"))
    assert seen.shape == (29, 3, 32, 32)
    torch.testing.assert_close(seen.mean((0, 2, 3)), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(seen.std((0, 2, 3)), torch.ones(3), atol=1e-2, rtol=0)
    pixel = data.captioned.pictures[0][3, 5] / 255
    named = prepare(photographs(photos, image_tower="resnet18"))
    shown = named.look(named.captioned.pictures[:1], torch.device("cpu"))[0, :, 3, 5]
    np.testing.assert_allclose(shown, (pixel - IMAGENET[0]) / IMAGENET[1], atol=1e-5)
    assert prepare(photographs(photos, image_tower="resnet18", scratch=True)).look == data.look


# ---- captions ----


def drawn(taught: ClipLearner, epoch: int) -> list[list[int]]:
    taught.batches(epoch)
    assert taught.chosen is not None
    return taught.chosen.tolist()


@pytest.mark.parametrize("each", [1, 2, 5])
def test_each_epoch_draws_captions_of_the_right_pictures_and_none_twice(each: int, photos: Path) -> None:
    taught = learner(photographs(photos, each=each))
    everything: list[set[int]] = [set() for _ in taught.data.train]
    for epoch in range(12):
        for place, row in enumerate(drawn(taught, epoch)):
            there = captions_of(int(taught.data.train[place]))
            found = [at for at in row if at >= 0]
            assert len(row) == min(each, 3)
            assert len(set(found)) == len(found) == min(each, len(there))
            assert {taught.sentences.texts[at] for at in found} <= set(there)
            everything[place] |= set(found)
    assert [len(found) for found in everything] == [len(captions_of(int(number))) for number in taught.data.train]


def test_epochs_draw_other_captions_and_seed_and_epoch_decide(photos: Path) -> None:
    taught, same = (learner(photographs(photos)) for _ in range(2))
    assert drawn(taught, 0) != drawn(taught, 1)
    assert drawn(taught, 0) == drawn(same, 0)
    assert drawn(taught, 0) != drawn(learner(photographs(photos, seed=1)), 0)


def test_a_last_batch_that_is_not_full_is_left_out_unless_it_is_the_only_one(photos: Path) -> None:
    assert [len(batch) for batch in learner(photographs(photos)).batches(0)] == [8, 8, 8]
    assert [len(batch) for batch in learner(replace(photographs(photos), batch=29)).batches(0)] == [29]
    assert [len(batch) for batch in learner(replace(photographs(photos), batch=64)).batches(0)] == [29]
    batches = learner(photographs(photos)).batches(3)
    assert len({int(place) for batch in batches for place in batch}) == 24


def test_equal_captions_are_right_for_both_of_their_pictures(photos: Path) -> None:
    """Pictures 2 and 22 have the same first caption, and one more each; picture 3 has one."""
    taught = learner(photographs(photos))
    first = taught.sentences.first
    captions = torch.tensor([first[2], first[2] + 1, first[22], first[22] + 1, first[3]])
    owner = torch.tensor([0, 0, 1, 1, 2])
    assert captions_of(2)[0] == captions_of(22)[0]
    right = taught._positives(owner, captions)
    assert right.int().tolist() == [[1, 1, 1, 0, 0], [1, 0, 1, 1, 0], [0, 0, 0, 0, 1]]


# ---- the loss ----


def unpadded(taught: ClipLearner, caption: int) -> Tensor:
    """One caption through the text tower, alone."""
    return taught.model.embed_text(*taught.encoded.batch(torch.tensor([caption]), torch.device("cpu")))[0]


@pytest.mark.parametrize("loss", ["clip", "soft"])
def test_the_loss_is_that_of_the_model_on_what_was_drawn(loss: str, photos: Path) -> None:
    """Picture by picture and caption by caption, without padding."""
    taught = learner(photographs(photos, loss=loss, each=1 if loss == "soft" else 2))
    taught.model.eval()
    pictures, captions = torch.tensor([2, 22, 3]), [[0, 1], [0, 1], [0, -1]] if loss == "clip" else [[0], [1], [0]]
    chosen = torch.tensor(
        [
            [-1 if c < 0 else int(taught.sentences.first[p]) + c for c in row]
            for p, row in zip(pictures.tolist(), captions, strict=True)
        ]
    )
    look, pixels = taught.data.look, taught.data.captioned.pictures
    seen = torch.stack([taught.model.embed_pictures(look(pixels[p : p + 1], taught.device))[0] for p in pictures])
    read = torch.stack([unpadded(taught, c) for c in chosen.flatten().tolist() if c >= 0])
    if loss == "clip":
        right = torch.tensor([[1, 1, 1, 0, 0], [1, 0, 1, 1, 0], [0, 0, 0, 0, 1]]).bool()
        expected = clip_loss(seen, read, right, taught.model.scale)
    else:
        expected = soft_loss(seen, read)
    torch.testing.assert_close(taught.loss(pictures, chosen), expected, atol=1e-5, rtol=1e-5)


def test_held_out_pictures_are_measured_with_their_first_captions(photos: Path) -> None:
    taught = learner(replace(photographs(photos), batch=2))
    taught.model.eval()
    taught.batches(0)
    losses = []
    for part in (taught.data.valid[:2], taught.data.valid[2:]):
        index = torch.from_numpy(part)
        losses += [float(taught.loss(index, taught.sentences.first[index][:, None]).detach())] * len(part)
    first = taught.evaluate()
    assert first["validation/loss"] == pytest.approx(sum(losses) / 3)
    taught.batches(7)
    assert taught.evaluate()["validation/loss"] == first["validation/loss"]


def test_the_temperature_learns_with_the_contrastive_loss_alone(photos: Path) -> None:
    for loss, moves in (("clip", True), ("soft", False)):
        taught = learner(photographs(photos, loss=loss))
        before = taught.model.log_scale.item()
        told = taught.step(taught.batches(0)[0], 0.5)
        assert (taught.model.log_scale.item() != before) is moves
        assert float(told["temperature"]) == pytest.approx(0.07 if moves else 1.0)


# ---- rates ----


def rates(taught: ClipLearner) -> list[float]:
    return [group["lr"] for group in taught.optimizer.param_groups]


def test_every_part_has_its_own_rate_and_only_heads_decay(photos: Path) -> None:
    own = {"head_rate": 1e-3, "image_rate": 1e-4, "text_rate": 1e-5, "weight_decay": 0.1}
    taught = learner(photographs(photos, schedule="plateau", **own))
    assert rates(taught) == [1e-3, 1e-3, 1e-4, 1e-5]
    assert [group["weight_decay"] for group in taught.optimizer.param_groups] == [0.1, 0.0, 0.0, 0.0]
    held = [p for group in taught.optimizer.param_groups for p in group["params"]]
    assert {id(p) for p in held} == {id(p) for p in taught.model.parameters()}
    assert len(held) == len({id(p) for p in held})


def test_all_rates_rise_once_and_fall_to_next_to_nothing(photos: Path) -> None:
    taught = learner(photographs(photos, cycle=4, image_rate=1e-4))
    batch, found = taught.batches(0)[0], []
    for at in (0.0, 1.2, 3.9, 9.0):
        taught.step(batch, at)
        found.append((rates(taught)[0] / 1e-3, rates(taught)[2] / 1e-4))
    assert all(head == pytest.approx(image) for head, image in found)
    assert [head for head, _ in found] == pytest.approx([1 / 25, 1, found[2][0], 4e-6])
    assert found[2][0] < 0.01


def test_on_a_plateau_they_fall_by_a_fifth(photos: Path) -> None:
    taught = learner(photographs(photos, schedule="plateau"))
    batch = taught.batches(0)[0]
    for score, factor in ((1.0, 1.0), (1.0, 1.0), (1.0, 0.8), (0.5, 0.8)):
        taught.plateau.told(score)
        taught.step(batch, 0.0)
        assert rates(taught)[0] == pytest.approx(1e-3 * factor)


# ---- frozen towers ----


@pytest.fixture
def pretrained(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    """What a configuration says of towers whose weights were made here."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    keep_backbone(BACKBONE, tmp_path / "torch")
    keep_text_model(tmp_path / "bert")
    return {"image_tower": BACKBONE, "text_tower": str(tmp_path / "bert")}


def counted(taught: ClipLearner, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Told each time that a tower of this learner's is used from now on."""
    used: list[str] = []
    for name in ("pictures", "text"):
        getattr(taught.model, name).register_forward_hook(lambda *_, name=name: used.append(name))
    return used


def test_frozen_features_are_those_that_the_towers_compute(
    photos: Path, pretrained: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    taught = learner(photographs(photos, frozen="both", **pretrained))
    free = learner(photographs(photos, **pretrained))
    free.model.load_state_dict(taught.model.state_dict())
    for one in (taught, free):
        one.model.eval()
    used = counted(taught, monkeypatch)
    index = torch.tensor([3, 1, 39])
    with torch.no_grad():
        torch.testing.assert_close(taught.embed_pictures(index), free.embed_pictures(index), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(taught.embed_texts(index), free.embed_texts(index), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            taught.loss(index, taught.sentences.first[index][:, None]),
            free.loss(index, free.sentences.first[index][:, None]),
            atol=1e-4,
            rtol=1e-4,
        )
    assert not used


@pytest.mark.parametrize("part", ["pictures", "text", "both"])
def test_what_is_frozen_does_not_move_and_the_rest_does(
    part: str, photos: Path, pretrained: Mapping[str, Any], tmp_path: Path
) -> None:
    config = photographs(photos, frozen=part, epochs=1, **pretrained)
    taught = learner(config)
    before = {name: value.clone() for name, value in taught.model.state_dict().items()}
    fit(taught, Recorder(tmp_path), title="test", epochs=1, seed=0)
    still = ("pictures.", "text.") if part == "both" else (f"{part}.",)
    for name, value in taught.model.state_dict().items():
        if name.startswith(still):
            assert torch.equal(before[name], value), name
    moved = {
        name.partition(".")[0] for name, v in taught.model.state_dict().items() if not torch.equal(before[name], v)
    }
    assert moved == {"pictures", "text", "picture_head", "text_head", "log_scale"} - {s[:-1] for s in still}


def test_features_are_computed_once_for_all_trainings(
    photos: Path, pretrained: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = learner(photographs(photos, frozen="both", **pretrained))

    def refuse(*_: Any) -> None:
        raise RuntimeError("computed")

    monkeypatch.setattr(cache, "keep_arrays", refuse)
    other = learner(photographs(photos, frozen="both", projection=8, seed=1, **pretrained))
    assert first.known_pictures is not None
    assert other.known_pictures is not None
    assert torch.equal(first.known_pictures, other.known_pictures)
    for changes in ({"size": 40}, {"text_tower": str(_other_bert(Path(pretrained["text_tower"])))}):
        with pytest.raises(RuntimeError, match="computed"):
            learner(photographs(photos, frozen="both", **{**pretrained, **changes}))


def _other_bert(folder: Path) -> Path:
    """The same tower with one number changed."""
    import shutil

    from studies.clip.shop import edit_weights

    copy = shutil.copytree(folder, folder.parent / "other")
    name = "bert.encoder.layer.0.output.dense.bias"
    edit_weights(copy, lambda s: {**s, name: s[name] + 1e-3})
    return copy


def test_a_damaged_cache_is_computed_anew(photos: Path, pretrained: Mapping[str, Any]) -> None:
    config = photographs(photos, frozen="pictures", **pretrained)
    first = learner(config).known_pictures
    (kept,) = cache.folder().glob("features-*")
    kept.write_bytes(kept.read_bytes()[:100])
    again = learner(config).known_pictures
    assert first is not None
    assert again is not None
    assert torch.equal(first, again)


# ---- whole trainings ----


def train(config: Any, folder: Path, kind: type[ClipLearner] = ClipLearner, stop: int = 0) -> bytes:
    """The bytes of what it ends with."""
    taught = learner(config, kind)
    if isinstance(taught, Stopped):
        taught.left = stop
    folder.mkdir(exist_ok=True)
    fit(taught, Recorder(folder), title="test", epochs=config.epochs, seed=config.seed, minimise="validation/loss")
    return b"".join((folder / "checkpoints" / f"{name}.safetensors").read_bytes() for name in ("best", "last"))


class Stopped(ClipLearner):
    """Gets SIGTERM at its n-th step."""

    left = 0

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        self.left -= 1
        return super().step(batch, at)


@pytest.mark.parametrize(
    "changes", [{"each": 2}, {"loss": "soft", "schedule": "plateau", "epochs": 3, "cycle": 1}], ids=["cycle", "plateau"]
)
@pytest.mark.parametrize("stop", [0, 2, 4])
def test_interrupted_anywhere_it_ends_with_the_same_bytes(
    stop: int, changes: dict[str, Any], photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "PATIENCE", -1)  # every epoch is a plateau
    config = photographs(photos, **changes)
    undisturbed = train(config, tmp_path / "a")
    with pytest.raises(Interrupted):
        train(config, tmp_path / "b", Stopped, stop)
    assert train(config, tmp_path / "b") == undisturbed


def test_the_seed_decides_the_weights(photos: Path, tmp_path: Path) -> None:
    config = photographs(photos, epochs=1)
    one = train(config, tmp_path / "a")
    assert one == train(config, tmp_path / "b")
    assert one != train(replace(config, seed=1), tmp_path / "c")


def test_it_learns_which_captions_are_whose(photos: Path, tmp_path: Path) -> None:
    """A dozen pictures' own, by heart."""
    config = photographs(photos, limit=12, epochs=16, cycle=16, dropout=0.0)
    taught = learner(replace(config, batch=12))
    index = torch.from_numpy(taught.data.train)
    captions = taught.sentences.first[index][:, None]
    before = taught.loss(index, captions).item()
    fit(taught, Recorder(tmp_path), title="test", epochs=16, seed=0)
    assert taught.loss(index, captions).item() < 0.7 * before


def test_towers_that_cannot_read_the_pictures_are_refused_before_anything_is_learnt(photos: Path) -> None:
    with pytest.raises(UserError, match="alexnet reads no pictures of 32 × 32 pixels"):
        learner(photographs(photos, image_tower="alexnet", scratch=True))
