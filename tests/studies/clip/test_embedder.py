"""Runs, model directories and published models behind one face; what does not fit is refused."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from studies.clip.shop import (
    ALONE,
    WORDS,
    Shop,
    State,
    captions_of,
    edit_json,
    edit_weights,
    keep_text_model,
    learner,
    photographs,
)
from workings.core.errors import UserError
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.clip.embedder import CONFIG, FILES, TOKENIZER, WEIGHTS, Embedder, Trained, export, load
from workings.studies.clip.examination import unit
from workings.studies.clip.learner import ClipLearner
from workings.studies.clip.published import Published
from workings.studies.clip.study import STUDY, Config
from workings.train.checkpoint import load_weights
from workings.train.trained import weights_of

SENTENCES = [*captions_of(5), "", "a zebra", "the dog is red and so is 5 " * 20]
Pixels = NDArray[np.uint8]


def pixels(count: int = 5, size: int = 32) -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def alike(one: Embedder, other: Embedder) -> bool:
    """Whether two models say the same of everything."""
    if one.size != other.size:
        return False
    shown = pixels(size=one.size)
    return np.array_equal(one.pictures(shown), other.pictures(shown)) and np.array_equal(
        one.texts(SENTENCES), other.texts(SENTENCES)
    )


def taught(shop: Shop, config: Config) -> ClipLearner:
    """The learner of a run, with the weights that it kept."""
    (made,) = carry_out(STUDY, [config], shop.store, ALONE)
    found = learner(config)
    load_weights(weights_of(made.run, "best"), found.modules)
    found.model.eval()
    return found


# ---- runs ----


@pytest.mark.parametrize("changes", [{}, {"loss": "soft"}], ids=str)
def test_a_run_s_vectors_are_those_of_its_learner(changes: dict[str, Any], shop: Shop) -> None:
    config = photographs(shop.photos, **changes)
    mine = taught(shop, config)
    (made,) = carry_out(STUDY, [config], shop.store, ALONE)
    model = load(made.run.id)
    index = torch.arange(40)
    np.testing.assert_allclose(
        model.pictures(mine.data.captioned.pictures), unit(mine.embed_pictures, index), atol=1e-5
    )
    captions = torch.arange(len(mine.sentences.texts))
    np.testing.assert_allclose(model.texts(mine.sentences.texts), unit(mine.embed_texts, captions), atol=1e-5)
    assert (model.size, model.dimensions) == (32, 16)
    assert model.scale == pytest.approx(mine.model.scale.item() if not changes else 16.0)
    assert made.run.id in model.name
    assert "own:photos" in model.name


@pytest.mark.parametrize("kind", ["RobertaForMaskedLM", "DistilBertModel"])
def test_a_run_with_a_pretrained_text_tower_stands_on_its_own(kind: str, shop: Shop, tmp_path: Path) -> None:
    """Positions and padding are those of the tower's files, which are not needed any more."""
    keep_text_model(tmp_path / "text", kind)
    config = photographs(shop.photos, text_tower=str(tmp_path / "text"), epochs=1)
    mine = taught(shop, config)
    (made,) = carry_out(STUDY, [config], shop.store, ALONE)
    shutil.rmtree(tmp_path / "text")
    model = load(made.run.id)
    captions = torch.arange(len(mine.sentences.texts))
    np.testing.assert_allclose(model.texts(mine.sentences.texts), unit(mine.embed_texts, captions), atol=1e-5)
    export(made.run.id, tmp_path / "model")
    assert alike(load(tmp_path / "model"), model)
    assert load(tmp_path / "model").fingerprint == model.fingerprint
    assert str(tmp_path) not in (made.run.folder / "tables" / "card.json").read_text()


def test_towers_from_scratch_by_a_published_name_come_back_too(shop: Shop, tmp_path: Path) -> None:
    """With the tokenizer that was learnt from the captions."""
    keep_text_model(tmp_path / "text", "RobertaForMaskedLM")
    config = photographs(shop.photos, text_tower=str(tmp_path / "text"), scratch=True, epochs=1)
    mine = taught(shop, config)
    (made,) = carry_out(STUDY, [config], shop.store, ALONE)
    captions = torch.arange(len(mine.sentences.texts))
    np.testing.assert_allclose(
        load(made.run.id).texts(mine.sentences.texts), unit(mine.embed_texts, captions), atol=1e-5
    )


def test_vectors_do_not_depend_on_what_is_embedded_beside(shop: Shop) -> None:
    model, shown = load(shop.training.id), pixels(130)
    together = model.pictures(shown)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together[70:72], model.pictures(shown[70:72]), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    said = model.texts(SENTENCES)
    np.testing.assert_allclose(said[1], model.texts(SENTENCES[1:2])[0], atol=1e-5)
    assert model.pictures(shown[:0]).shape == model.texts([]).shape == (0, 16)
    assert np.isfinite(said).all()


def test_a_run_is_found_by_id_folder_or_worth(shop: Shop) -> None:
    """The worthiest learned from the most photographs: drawn scenes come last, however many."""
    model = load(shop.training.id)
    assert alike(load(shop.training.folder), model)
    assert alike(load(str(shop.training.folder)), model)
    assert "own:photos" in load(None).name
    assert "drawn-scenes" in load(shop.drawn.id[:8]).name


def test_where_nothing_was_trained_the_remedy_is_told(store: RunStore) -> None:
    with pytest.raises(UserError, match=r"no CLIP is trained here: `workings run clip"):
        load(None)
    with pytest.raises(UserError, match="names no one run"):
        load("0123456789ab")


def test_a_run_that_trained_nothing_is_refused(shop: Shop) -> None:
    with pytest.raises(UserError, match="trained no CLIP"):
        load(shop.count.id)
    with pytest.raises(UserError, match="trained no CLIP"):
        load(shop.words.folder)


def test_a_fingerprint_is_of_weights_look_and_words(shop: Shop) -> None:
    model, again = load(shop.training.id), load(shop.training.id)
    assert isinstance(model, Trained)
    assert isinstance(again, Trained)
    model.texts(SENTENCES)
    assert model.fingerprint == again.fingerprint == replace(model, name="another").fingerprint
    assert len(model.fingerprint) == 16
    assert int(model.fingerprint, 16) >= 0
    others = {
        load(shop.drawn.id).fingerprint,
        replace(model, look=replace(model.look, size=33)).fingerprint,
        replace(model, longest=9).fingerprint,
    }
    with torch.no_grad():
        again.model.picture_head.second.weight[0, 0] += 1e-6
    others.add(replace(again).fingerprint)
    with torch.no_grad():
        again.model.picture_head.second.weight[0, 0] -= 1e-6
        dict(again.model.named_buffers())["pictures.layers.1.running_mean"][0] += 1e-6
    others.add(replace(again).fingerprint)
    assert len({*others, model.fingerprint}) == 6


# ---- model directories ----


@pytest.fixture
def folder(shop: Shop, tmp_path: Path) -> Path:
    export(shop.training.id, tmp_path / "model")
    return tmp_path / "model"


def test_what_was_exported_says_the_same(shop: Shop, folder: Path) -> None:
    run, model = load(shop.training.id), load(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert alike(run, model)
    assert (model.fingerprint, model.scale) == (run.fingerprint, run.scale)
    assert "model (conv-8 + transformer-16" in model.name
    told = json.loads((folder / CONFIG).read_text())
    assert told["study"] == "clip"
    assert told["parameters"] == sum(t.numel() for t in run.model.parameters())  # type: ignore[attr-defined]
    assert told["origin"]["run"] == shop.training.id


def test_a_model_is_exported_over_a_model_and_nothing_else(shop: Shop, folder: Path, tmp_path: Path) -> None:
    export(shop.drawn.id, folder)
    assert alike(load(folder), load(shop.drawn.id))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").touch()
    with pytest.raises(UserError, match=r"holds 'diary\.txt' already"):
        export(shop.drawn.id, tmp_path / "mine")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file: name a folder"):
        export(shop.drawn.id, tmp_path / "file")
    with pytest.raises(UserError, match="names no one run"):
        export("no-such-run", tmp_path / "new")
    assert not (tmp_path / "new").exists()


NAME = "picture_head.first.weight"
SPOILT: list[tuple[Callable[[Path], object], str]] = [
    (lambda f: (f / WEIGHTS).unlink(), r"lacks model\.safetensors: a model's folder holds"),
    (lambda f: [(f / n).unlink() for n in (WEIGHTS, TOKENIZER)], r"lacks model\.safetensors and tokenizer\.json"),
    (lambda f: (f / CONFIG).unlink(), r"lacks config\.json"),
    (lambda f: (f / CONFIG).write_text("{"), r"config\.json cannot be read as JSON"),
    (lambda f: (f / CONFIG).write_bytes(b"\xff\xfe"), r"config\.json cannot be read as JSON"),
    (lambda f: (f / CONFIG).write_text("[1]"), r"config\.json describes no model of clip"),
    (lambda f: edit_json(f / CONFIG, study="dcgan"), r"config\.json describes no model of clip"),
    (lambda f: edit_json(f / CONFIG, architecture={"image_tower": "resnet32"}), "no image tower 'resnet32'"),
    (lambda f: edit_json(f / CONFIG, architecture=None), "cannot be followed"),
    (lambda f: edit_json(f / CONFIG, look=[]), "cannot be followed"),
    (lambda f: edit_json(f / CONFIG, vocabulary="many"), "cannot be followed"),
    (
        lambda f: edit_json(f / CONFIG, vocabulary=7),
        r"text\.tokens\.weight is \[\d+, 16\] of .*, where the network that config\.json describes has \[7, 16\]",
    ),
    (lambda f: edit_json(f / CONFIG, encoder={"model_type": "nonesuch"}), "cannot be followed"),
    (lambda f: edit_json(f / CONFIG, encoder={"model_type": "bert", "hidden_size": 15}), "cannot be followed"),
    (lambda f: edit_json(f / CONFIG, encoder=3), "cannot be followed"),
    (lambda f: (f / TOKENIZER).write_text("[]"), "cannot be followed .*no tokenizer"),
    (lambda f: (f / TOKENIZER).write_text("no"), r"tokenizer\.json cannot be read as JSON"),
    (lambda f: (f / WEIGHTS).write_bytes(b"torn"), "holds no weights that can be read"),
    (lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes()[:-9]), "holds no weights that can be read"),
    (lambda f: edit_weights(f, lambda s: {**s, "stranger": torch.ones(1)}), "holds stranger"),
    (lambda f: edit_weights(f, lambda s: {k: v for k, v in s.items() if k != NAME}), f"lacks {NAME}"),
    (
        lambda f: edit_weights(f, lambda s: {**s, NAME: s[NAME][:, :3].contiguous()}),
        r"first\.weight is \[16, 3\] of",
    ),
    (lambda f: edit_weights(f, lambda s: {**s, NAME: s[NAME].double()}), r"first\.weight is .* of torch\.float64"),
    (lambda f: edit_weights(f, lambda s: {**s, NAME: s[NAME] * torch.nan}), "holds NaN or infinity"),
    (lambda f: edit_weights(f, lambda s: {**s, NAME: s[NAME] / 0}), "holds NaN or infinity"),
]


@pytest.mark.parametrize(("spoil", "told"), SPOILT, ids=range(len(SPOILT)))
def test_a_directory_at_fault_is_refused_in_one_line(spoil: Callable[[Path], object], told: str, folder: Path) -> None:
    spoil(folder)
    with pytest.raises(UserError, match=told) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_another_tokenizer_of_as_many_words_is_another_model(shop: Shop, folder: Path) -> None:
    kept = json.loads((folder / TOKENIZER).read_text())
    inner = json.loads(kept["tokenizer"])
    words = inner["model"]["vocab"]
    words["dog"], words["cat"] = words["cat"], words["dog"]
    edit_json(folder / TOKENIZER, tokenizer=json.dumps(inner))
    assert load(folder).fingerprint != load(shop.training.id).fingerprint


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"lacks model\.safetensors and config\.json and tokenizer\.json"):
        load(tmp_path)


# ---- published models ----


def keep_clip(folder: Path) -> Any:
    """A tiny CLIP with tokenizer and processor, as transformers writes them."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    letters = sorted({letter for word in WORDS for letter in word})
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "re", "red</w>", "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: at for at, piece in enumerate(pieces)}
    tokenizer = transformers.CLIPTokenizer(vocab=vocabulary, merges=[("r", "e"), ("re", "d</w>")])
    tokenizer.model_max_length = 12
    tokenizer.save_pretrained(folder)
    side = {"size": {"shortest_edge": 24}, "crop_size": {"height": 24, "width": 24}}
    transformers.CLIPImageProcessor(**side).save_pretrained(folder)
    shared = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    last = vocabulary["<|endoftext|>"]
    text = {**shared, "vocab_size": len(pieces), "max_position_embeddings": 12}
    text |= {"bos_token_id": last - 1, "eos_token_id": last, "pad_token_id": last}
    config = transformers.CLIPConfig(
        text_config=text, vision_config={**shared, "image_size": 24, "patch_size": 8}, projection_dim=8
    )
    torch.manual_seed(5)
    model = transformers.CLIPModel(config).eval()
    model.save_pretrained(folder)
    return model


def features(found: Any) -> NDArray[np.float32]:
    """What transformers gives as features, as unit vectors."""
    given: torch.Tensor = getattr(found, "pooler_output", found)
    made: NDArray[np.float32] = (given / given.norm(dim=1, keepdim=True)).numpy()
    return made


def test_a_published_model_gives_the_features_that_transformers_gives(tmp_path: Path) -> None:
    import transformers
    from PIL import Image

    kept = keep_clip(tmp_path / "clip")
    model = load(str(tmp_path / "clip"))
    assert isinstance(model, Published)
    assert (model.size, model.dimensions, model.name) == (24, 8, "clip (published)")
    assert model.scale == pytest.approx(kept.logit_scale.exp().item())
    shown, said = pixels(size=24), ["a red dog", "the red", "", "a red dog " * 9]
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path / "clip")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "clip")
    with torch.no_grad():
        prepared = processor([Image.fromarray(picture) for picture in shown], return_tensors="pt")
        np.testing.assert_allclose(model.pictures(shown), features(kept.get_image_features(**prepared)), atol=1e-4)
        told = tokenizer(said, padding=True, truncation=True, return_tensors="pt")
        inputs = {name: told[name] for name in ("input_ids", "attention_mask")}
        np.testing.assert_allclose(model.texts(said), features(kept.get_text_features(**inputs)), atol=1e-4)
    assert model.texts([]).shape == model.pictures(shown[:0]).shape == (0, 8)


def test_its_fingerprint_is_of_weights_look_and_words(tmp_path: Path) -> None:
    keep_clip(tmp_path / "clip")
    first = load(tmp_path / "clip").fingerprint
    assert load(tmp_path / "clip").fingerprint == first
    name = "visual_projection.weight"
    edit_weights(tmp_path / "clip", lambda s: {**s, name: s[name] + 1e-6})
    second = load(tmp_path / "clip").fingerprint
    edit_json(tmp_path / "clip" / "preprocessor_config.json", image_mean=[0.5, 0.5, 0.5])
    third = load(tmp_path / "clip").fingerprint
    path = tmp_path / "clip" / "tokenizer.json"
    made = json.loads(path.read_text())
    words = made["model"]["vocab"]
    words["a"], words["b"] = words["b"], words["a"]
    path.write_text(json.dumps(made))
    assert len({first, second, third, load(tmp_path / "clip").fingerprint}) == 4


def test_halved_weights_are_computed_with_in_full(tmp_path: Path) -> None:
    keep_clip(tmp_path / "clip").half().save_pretrained(tmp_path / "clip")
    model = load(tmp_path / "clip")
    assert model.pictures(pixels(size=24)).dtype == model.texts(["a dog"]).dtype == np.float32


def drop(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).unlink()


FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (lambda f: drop(f, "model.safetensors"), r"holds no \.safetensors: other forms of weights are not opened"),
    (lambda f: (f / "model.safetensors").write_bytes(b"torn"), "the model of .* cannot be had"),
    (lambda f: drop(f, "tokenizer.json", "tokenizer_config.json"), "holds no tokenizer, only a model"),
    (lambda f: drop(f, "preprocessor_config.json"), "the preprocessing of .* cannot be had"),
    (lambda f: edit_weights(f, lambda s: {**s, "stranger": torch.ones(1)}), "hold stranger"),
    (lambda f: edit_weights(f, _without("visual_projection.weight")), r"lack visual_projection\.weight"),
    (lambda f: edit_weights(f, _without("text_model.encoder.layers.1.mlp.fc1.bias")), r"lack .*fc1\.bias"),
    (
        lambda f: edit_weights(f, lambda s: {**s, "visual_projection.weight": torch.ones(8, 4)}),
        r"lack visual_projection\.weight as \[8, 16\]",
    ),
]


def _without(name: str) -> Callable[[State], State]:
    return lambda state: {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(("spoil", "told"), FAULTS, ids=range(len(FAULTS)))
def test_a_published_model_at_fault_is_refused_in_one_line(
    spoil: Callable[[Path], object], told: str, tmp_path: Path
) -> None:
    keep_clip(tmp_path / "clip")
    spoil(tmp_path / "clip")
    with pytest.raises(UserError, match=told) as caught:
        load(tmp_path / "clip")
    assert "\n" not in str(caught.value)


def test_buffers_of_older_versions_do_not_matter(tmp_path: Path) -> None:
    keep_clip(tmp_path / "clip")
    path = tmp_path / "clip" / "model.safetensors"
    state = load_file(path)
    state |= {"text_model.embeddings.position_ids": torch.arange(12)[None]}
    save_file(state, path, metadata={"format": "pt"})
    assert load(tmp_path / "clip").texts(["a dog"]).shape == (1, 8)


def test_pickled_weights_are_not_opened(tmp_path: Path) -> None:
    model = keep_clip(tmp_path / "clip")
    drop(tmp_path / "clip", "model.safetensors")
    torch.save(model.state_dict(), tmp_path / "clip" / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"holds no \.safetensors"):
        load(tmp_path / "clip")
