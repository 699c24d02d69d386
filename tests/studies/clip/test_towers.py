"""What towers are made of, that pretrained weights fit or are refused, and that nothing random hides in them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from studies.clip.shop import BACKBONE, State, edit_json, edit_weights, keep_backbone, keep_text_model
from workings.core.errors import UserError
from workings.studies.clip.encoders import UNTRAINED, described, text_tower_like
from workings.studies.clip.towers import (
    LONGEST,
    backbones,
    check_picture_tower,
    check_size,
    own_width,
    picture_tower,
    text_tower,
)


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def read(tower: nn.Module, tokens: list[list[int]]) -> Tensor:
    given = torch.tensor(tokens)
    with torch.no_grad():
        made: Tensor = tower.eval()(given, torch.ones_like(given, dtype=torch.bool))
    return made


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where torch.hub keeps weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch"


# ---- architectures ----

SIZES = {"resnet18": (11_176_512, 512), "resnet34": (21_284_672, 512), "resnet50": (23_508_032, 2048)}
"""Of He et al.'s networks (2015) as torchvision counts them, less the last layer: features × 1,000 + 1,000."""


@pytest.mark.parametrize(("name", "sizes"), SIZES.items())
def test_resnets_have_their_known_size_without_the_last_layer(name: str, sizes: tuple[int, int]) -> None:
    with torch.device("meta"):
        tower = picture_tower(name, scratch=True)
    assert (count(tower), tower.features) == sizes


TEXTS = {"distilbert-base-uncased": 66_362_880, "bert-base-uncased": 108_891_648, "roberta-base": 124_055_040}
"""Of the published files, without a pooler (768² + 768)."""


@pytest.mark.parametrize(("name", "size"), TEXTS.items())
def test_text_models_have_their_known_size_without_the_pooler(name: str, size: int) -> None:
    from workings.studies.clip.counting import VOCABULARIES

    kind, changes = UNTRAINED[name]
    with torch.device("meta"):
        tower = text_tower_like({"model_type": kind, **changes, "vocab_size": VOCABULARIES[name]})
    assert (count(tower), tower.features) == (size, 768)


FEW = (
    "alexnet",
    "densenet121",
    "efficientnet_b0",
    "mnasnet0_5",
    "mobilenet_v3_small",
    BACKBONE,
    "vgg11",
    "resnext50_32x4d",
)


@pytest.mark.parametrize("name", FEW)
def test_backbones_of_many_kinds_give_as_much_as_they_say(name: str) -> None:
    with torch.device("meta"):
        tower = picture_tower(name, scratch=True).eval()
        assert tower(torch.zeros(2, 3, 64, 64)).shape == (2, tower.features)
    assert name in backbones()


@pytest.mark.parametrize("name", ["vit_b_16", "swin_t", "maxvit_t"])
def test_those_made_for_one_size_read_it(name: str) -> None:
    with torch.device("meta"):
        tower = picture_tower(name, scratch=True).eval()
        assert tower(torch.zeros(1, 3, 224, 224)).shape == (1, tower.features)


@pytest.mark.parametrize(("name", "size"), [("vit_b_16", 64), ("maxvit_t", 64), ("alexnet", 32)])
def test_a_size_that_a_tower_cannot_read_is_refused(name: str, size: int) -> None:
    tower = picture_tower(name, scratch=True) if name == "alexnet" else _small(name)
    with pytest.raises(UserError, match=rf"{name} reads no pictures of {size} × {size} pixels .*--size"):
        check_size(tower, name, size)
    assert tower.training


def _small(name: str) -> nn.Module:
    """The same kind with hardly any weights."""
    from torchvision.models import MaxVit, VisionTransformer

    if name == "vit_b_16":
        return VisionTransformer(224, 16, 1, 1, 4, 4)
    return MaxVit((224, 224), 8, 7, [8], [1], 8, 0.0)


@pytest.mark.parametrize("size", [16, 33, 64, 300])
def test_small_towers_read_pictures_of_any_size(size: int) -> None:
    tower = picture_tower("conv-4", scratch=False).eval()
    assert tower(torch.zeros(2, 3, size, size)).shape == (2, tower.features) == (2, 4 * 8 * 16)


def test_a_small_transformer_does_not_see_what_fills_up() -> None:
    torch.manual_seed(0)
    tower = text_tower("transformer-16", scratch=False, vocabulary=9).eval()
    short = torch.tensor([[2, 5, 7, 3]])
    long = torch.cat([short, torch.full((1, 6), 8)], dim=1)
    with torch.no_grad():
        alone = tower(short, torch.ones(1, 4, dtype=torch.bool))
        filled = tower(long, torch.arange(10)[None] < 4)
    torch.testing.assert_close(alone, filled)
    assert alone.shape == (1, 16)


def test_it_has_as_many_positions_as_it_says() -> None:
    tower = text_tower("transformer-16", scratch=False, vocabulary=9)
    assert read(tower, [[1] * LONGEST]).shape == (1, 16)
    with pytest.raises(RuntimeError):
        read(tower, [[1] * (LONGEST + 1)])


# ---- names ----


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("resnet_50", "did you mean.*resnet50"),
        ("resnet32", "there is no image tower 'resnet32'"),
        ("", "there is no image tower ''"),
        ("conv-0", "conv-0: the width of conv is a multiple of 4"),
        ("conv-30", "multiple of 4"),
        ("conv-99999999", "to 1024"),
        ("conv-", "there is no image tower"),
        ("googlenet", "there is no image tower"),
        ("../resnet50", "there is no image tower"),
    ],
)
def test_a_picture_tower_that_there_is_none_of_is_refused(name: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        check_picture_tower(name)
    assert "\n" not in str(caught.value)


def test_a_network_without_a_dense_layer_at_its_end_is_refused() -> None:
    with pytest.raises(UserError, match=r"squeezenet1_0 ends in no dense layer.*resnet18"):
        picture_tower("squeezenet1_0", scratch=True)


def test_widths_of_our_own_are_read_from_names() -> None:
    assert own_width("conv", "conv-32") == 32
    assert own_width("conv", "transformer-32") is None
    assert own_width("transformer", "bert-base-uncased") is None


@pytest.mark.parametrize("name", ["no-such-model", "", "a b", "../..", "transformer_64", "/no/such/folder"])
@pytest.mark.parametrize("scratch", [False, True])
def test_a_text_tower_that_there_is_none_of_is_refused(name: str, scratch: bool) -> None:
    with pytest.raises(UserError, match="cannot be had") as caught:
        text_tower(name, scratch=scratch, vocabulary=9)
    assert "\n" not in str(caught.value)


# ---- torchvision's weights ----


def test_pretrained_weights_are_those_of_the_file_less_the_last_layer(hub: Path) -> None:
    kept = keep_backbone(BACKBONE, hub)
    mine = picture_tower(BACKBONE, scratch=False).network.state_dict()  # type: ignore[union-attr]
    assert set(kept) - set(mine) == {"fc.weight", "fc.bias"}
    assert all(torch.equal(mine[name], kept[name]) for name in mine)


def test_files_of_before_batches_were_counted_are_whole_too(hub: Path) -> None:
    """Those of resnet18 and resnet34 are such, and have no versions."""
    kept = keep_backbone("resnet18", hub, lambda s: {k: v for k, v in s.items() if "num_batches" not in k})
    mine = picture_tower("resnet18", scratch=False).network.state_dict()  # type: ignore[union-attr]
    assert all(torch.equal(mine[name], kept[name]) for name in mine if name in kept)
    assert {name.rpartition(".")[2] for name in set(mine) - set(kept)} == {"num_batches_tracked"}


def test_densenet_s_file_has_older_names(hub: Path) -> None:
    def age(state: State) -> State:
        parts = ("norm1", "norm2", "conv1", "conv2")
        old = {f".{part}.": f".{part[:-1]}.{part[-1]}." for part in parts}
        made = {}
        for name, value in state.items():
            part = next((p for p in old if "denselayer" in name and p in name), "")
            made[name.replace(part, old[part]) if part else name] = value
        return made

    kept = keep_backbone("densenet121", hub, age)
    assert "features.denseblock1.denselayer1.norm.1.weight" in kept
    mine = picture_tower("densenet121", scratch=False).network.state_dict()  # type: ignore[union-attr]
    name = "features.denseblock1.denselayer1.norm"
    assert torch.equal(mine[f"{name}1.weight"], kept[f"{name}.1.weight"])


def test_networks_whose_files_have_versions_load(hub: Path) -> None:
    kept = keep_backbone("mnasnet0_5", hub)
    mine = picture_tower("mnasnet0_5", scratch=False).network.state_dict()  # type: ignore[union-attr]
    assert torch.equal(mine["layers.0.weight"], kept["layers.0.weight"])


BENT: list[tuple[Callable[[State], object], str]] = [
    (lambda s: {k: v for k, v in s.items() if k != "conv1.0.weight"}, r"lack conv1\.0\.weight: .*random"),
    (lambda s: {k: v for k, v in s.items() if not k.startswith("conv1")}, r"lack conv1\.0\.weight and \d more"),
    (lambda s: {**s, "stage9.weight": torch.ones(1)}, r"hold stage9\.weight, for which the tower has no place"),
    (lambda s: {**s, "conv1.0.weight": torch.ones(2, 3)}, r"cannot be had .*size mismatch for conv1\.0\.weight"),
    (lambda s: {f"module.{k}": v for k, v in s.items()}, r"lack conv1\.0\.weight and \d+ more"),
    (lambda s: {}, r"lack conv1\.0\.weight and \d+ more"),
    (lambda s: [1, 2, 3], "cannot be had"),
]


@pytest.mark.parametrize(("edit", "told"), BENT, ids=range(len(BENT)))
def test_weights_that_do_not_fit_are_refused(edit: Callable[[State], State], told: str, hub: Path) -> None:
    keep_backbone(BACKBONE, hub, edit)
    with pytest.raises(UserError, match=told) as caught:
        picture_tower(BACKBONE, scratch=False)
    assert "\n" not in str(caught.value)


def test_a_file_that_was_torn_or_is_none_is_refused_with_its_address(hub: Path) -> None:
    keep_backbone(BACKBONE, hub)
    (path,) = (hub / "hub" / "checkpoints").iterdir()
    for content in (path.read_bytes()[:5_000], b"", b"<html>not found</html>"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=rf"cannot be had .*fetch https://.* as {path.name}.*--scratch"):
            picture_tower(BACKBONE, scratch=False)


def test_a_file_that_would_run_code_is_not_opened(hub: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (tmp_path.joinpath("ran").touch, ())

    keep_backbone(BACKBONE, hub, lambda _: {"conv1.0.weight": Evil()})
    with pytest.raises(UserError, match="cannot be had"):
        picture_tower(BACKBONE, scratch=False)
    assert not (tmp_path / "ran").exists()


def test_without_file_or_network_the_remedy_is_told(hub: Path) -> None:
    with pytest.raises(UserError, match=r"\(no network\): fetch https://.*checkpoints as resnet18-.*--scratch"):
        picture_tower("resnet18", scratch=False)


# ---- transformers' weights ----

KINDS = ("BertModel", "BertForMaskedLM", "BertForPreTraining", "DistilBertForMaskedLM", "RobertaForMaskedLM")


@pytest.mark.parametrize("kind", KINDS)
def test_text_models_load_whole_by_the_class_their_files_name(kind: str, tmp_path: Path) -> None:
    """With a pooler, with heads of their pretraining, or with neither."""
    kept = keep_text_model(tmp_path / "m", kind)
    tower = text_tower(str(tmp_path / "m"), scratch=False, vocabulary=18)
    inner = kept if kind == "BertModel" else kept.base_model
    mine = tower.encoder.state_dict()  # type: ignore[union-attr]
    assert all(torch.equal(mine[name], inner.state_dict()[name]) for name in mine)
    assert not any("pooler" in name for name in mine)
    tokens = [[2, 5, 6, 3]]
    with torch.no_grad():
        expected = inner(input_ids=torch.tensor(tokens)).last_hidden_state[:, 0]
    torch.testing.assert_close(read(tower, tokens), expected)


def test_many_files_are_one_model(tmp_path: Path) -> None:
    kept = keep_text_model(tmp_path / "m", max_shard_size="2KB")
    assert len(list((tmp_path / "m").glob("*.safetensors"))) > 2
    tower = text_tower(str(tmp_path / "m"), scratch=False, vocabulary=18)
    state = kept.base_model.state_dict()
    assert all(torch.equal(v, state[k]) for k, v in tower.encoder.state_dict().items())  # type: ignore[union-attr]
    next((tmp_path / "m").glob("*-of-*.safetensors")).unlink()
    with pytest.raises(UserError, match="cannot be had"):
        text_tower(str(tmp_path / "m"), scratch=False, vocabulary=18)


def test_files_of_before_layer_norm_had_weights_load(tmp_path: Path) -> None:
    """The published BERT's file is such."""

    def age(state: State) -> State:
        swap = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        old = {k: next((k.replace(a, b) for a, b in swap.items() if a in k), k) for k in state}
        return {old[k]: v + 1 if "LayerNorm" in k else v for k, v in state.items()}

    keep_text_model(tmp_path / "m")
    edit_weights(tmp_path / "m", age)
    tower = text_tower(str(tmp_path / "m"), scratch=False, vocabulary=18)
    assert (tower.encoder.embeddings.LayerNorm.weight == 2).all()  # type: ignore[union-attr]


def test_halved_numbers_are_computed_with_in_full(tmp_path: Path) -> None:
    keep_text_model(tmp_path / "m").half().save_pretrained(tmp_path / "m")
    tower = text_tower(str(tmp_path / "m"), scratch=False, vocabulary=18)
    assert read(tower, [[2, 3]]).dtype == torch.float32


LAYER = "bert.encoder.layer.1.output.dense.weight"
MISFITS: list[tuple[Callable[[State], State], str]] = [
    (lambda s: {k: v for k, v in s.items() if k != LAYER}, r"lack encoder\.layer\.1\.output\.dense\.weight: .*random"),
    (lambda s: {k: v for k, v in s.items() if "layer.1" not in k}, r"lack encoder\.layer\.1\..* and \d+ more"),
    (lambda s: {**s, LAYER.replace("1", "2"): s[LAYER].clone()}, r"hold bert\.encoder\.layer\.2.*has no place"),
    (
        lambda s: {**s, LAYER: s[LAYER][:, :8].contiguous()},
        r"lack encoder\.layer\.1\.output\.dense\.weight as \[16, 32\]",
    ),
    (lambda s: {k.replace("bert.", "roberta."): v for k, v in s.items()}, r"lack .* and \d+ more"),
    (lambda s: {}, r"lack .* and \d+ more"),
]


@pytest.mark.parametrize(("edit", "told"), MISFITS, ids=range(len(MISFITS)))
def test_text_weights_that_do_not_fit_are_refused(edit: Callable[[State], State], told: str, tmp_path: Path) -> None:
    keep_text_model(tmp_path / "m")
    edit_weights(tmp_path / "m", edit)
    with pytest.raises(UserError, match=told) as caught:
        text_tower(str(tmp_path / "m"), scratch=False, vocabulary=18)
    assert "\n" not in str(caught.value)


def test_one_kind_s_weights_are_not_another_s(tmp_path: Path) -> None:
    """What the class of a published notebook does: BERT's class, given DistilBERT's file."""
    keep_text_model(tmp_path / "m", "DistilBertModel")
    edit_json(tmp_path / "m" / "config.json", model_type="bert", architectures=["BertModel"])
    with pytest.raises(UserError, match=r"lack .* and .* more: they would start from random numbers"):
        text_tower(str(tmp_path / "m"), scratch=False, vocabulary=18)


def spoil(folder: Path, what: str) -> None:
    path = folder / "model.safetensors"
    if what == "torn":
        path.write_bytes(path.read_bytes()[:300])
    elif what == "gone":
        path.unlink()
    elif what == "pickled":
        path.unlink()
        torch.save({}, folder / "pytorch_model.bin")
    else:
        (folder / "config.json").write_text(what, encoding="utf-8")


@pytest.mark.parametrize("what", ["torn", "gone", "pickled", "{", "{}", "[]", '{"model_type": "no such kind"}'])
def test_a_folder_at_fault_is_refused(what: str, tmp_path: Path) -> None:
    keep_text_model(tmp_path / "m")
    spoil(tmp_path / "m", what)
    with pytest.raises(UserError, match=r"cannot be had .*save_pretrained") as caught:
        text_tower(str(tmp_path / "m"), scratch=False, vocabulary=18)
    assert "\n" not in str(caught.value)


def test_a_tokenizer_of_more_tokens_than_the_model_knows_is_refused(tmp_path: Path) -> None:
    keep_text_model(tmp_path / "m")
    with pytest.raises(UserError, match="knows 99 tokens, its model 18"):
        text_tower(str(tmp_path / "m"), scratch=False, vocabulary=99)


@pytest.mark.parametrize("kind", ["GPT2Model", "T5Model"])
def test_a_model_that_is_no_encoder_is_refused(kind: str, tmp_path: Path) -> None:
    """The first token of a decoder sees no other: all sentences would be the same."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    sizes = {"n_embd": 16, "n_layer": 1, "n_head": 2} if kind == "GPT2Model" else {"d_model": 16, "d_kv": 8, "d_ff": 16}
    made = getattr(transformers, kind)
    made(made.config_class(vocab_size=18, num_layers=1, num_heads=2, **sizes)).save_pretrained(tmp_path / "m")
    with pytest.raises(UserError, match="does not read sentences as an encoder does"):
        text_tower(str(tmp_path / "m"), scratch=False, vocabulary=18)


def test_from_scratch_a_folder_gives_the_architecture_alone(tmp_path: Path) -> None:
    kept = keep_text_model(tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").unlink()
    tower = text_tower(str(tmp_path / "m"), scratch=True, vocabulary=40)
    mine = tower.encoder.state_dict()  # type: ignore[union-attr]
    assert mine["embeddings.word_embeddings.weight"].shape == (40, 16)
    name = "encoder.layer.0.output.dense.weight"
    assert not torch.equal(mine[name], kept.base_model.state_dict()[name])


def test_what_a_tower_is_described_by_builds_it_again(tmp_path: Path) -> None:
    keep_text_model(tmp_path / "m", "RobertaForMaskedLM")
    tower = text_tower(str(tmp_path / "m"), scratch=False, vocabulary=18)
    told = described(tower)
    assert told is not None
    assert str(tmp_path) not in str(told)
    again = text_tower_like({**told, "attn_implementation": "somebody/else", "_name_or_path": "x"})
    again.load_state_dict(tower.state_dict())
    tokens = [[0, 5, 6, 2, 1], [0, 7, 8, 9, 2]]
    assert torch.equal(read(tower, tokens), read(again, tokens))
    assert described(text_tower("transformer-16", scratch=True, vocabulary=9)) is None
