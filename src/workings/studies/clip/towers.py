"""What reads pictures and what reads sentences, by name: small towers of our own, torchvision's, transformers'.

Pretrained weights either fit or are refused: a parameter that a file lacks is an error, never a random layer, and so is
one for which the tower has no place. Those of transformers are in `encoders`.
"""

import re

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workings.core.errors import UserError, suggestion
from workings.studies.clip.encoders import one_line, refuse_misfits, text_model

MAP = 4
"""Height and width of the last map of a convolutional tower of ours: where things are is not averaged away."""
LAYERS, HEADS, LONGEST = 3, 4, 256
"""Of a transformer of ours: layers, heads, and tokens for which it has positions."""
WIDEST = 1024
TWO_OUTPUTS = ("googlenet", "inception_v3")
"""Backbones with auxiliary classifiers, which give more than one output while they learn."""
OLD_NAMES = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)")
"""How the files of DenseNet's weights name what is called ``norm1`` or ``conv1`` by now."""


class Convolutions(nn.Module):
    """Six convolutions with batch normalisation, four of which halve the picture; `width` channels in the first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        plan = [(3, width, 5, 2), (width, 2 * width, 3, 2), (2 * width, 2 * width, 3, 1), (2 * width, 4 * width, 3, 2)]
        plan += [(4 * width, 4 * width, 3, 1), (4 * width, 8 * width, 3, 2)]
        blocks = [block for step in plan for block in _convolution(*step)]
        self.layers = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(MAP), nn.Flatten())
        self.features = 8 * width * MAP**2

    def forward(self, pictures: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch features"]:
        """The last map, flattened."""
        made: Tensor = self.layers(pictures)
        return made


class Transformer(nn.Module):
    """A small encoder (Vaswani et al. 2017, normalised before each part) whose first token stands for the sentence."""

    def __init__(self, width: int, vocabulary: int) -> None:
        super().__init__()
        self.features = width
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.randn(LONGEST, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, HEADS, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, LAYERS, norm=nn.LayerNorm(width), enable_nested_tensor=False)

    def forward(
        self, tokens: Int[Tensor, "batch length"], mask: Bool[Tensor, "batch length"]
    ) -> Float[Tensor, "batch features"]:
        """What the first token has become."""
        embedded = self.tokens(tokens) + self.positions[: tokens.shape[1]]
        made: Tensor = self.encoder(embedded, src_key_padding_mask=~mask)[:, 0]
        return made


class Backbone(nn.Module):
    """A classifier of torchvision without its last dense layer."""

    def __init__(self, name: str) -> None:
        super().__init__()
        from torchvision import models

        self.network = models.get_model(name, weights=None)
        self.cut, self.features = _take_last_layer(self.network, name)

    def forward(self, pictures: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch features"]:
        """What the last dense layer would have read."""
        made: Tensor = self.network(pictures)
        return made


def picture_tower(name: str, *, scratch: bool) -> nn.Module:
    """The tower of that name, with ``features`` to tell its width; `UserError` where it cannot be had."""
    check_picture_tower(name)
    if width := own_width("conv", name):
        return Convolutions(width)
    tower = Backbone(name)
    if not scratch:
        _load_backbone(tower, name)
    return tower


def text_tower(name: str, *, scratch: bool, vocabulary: int) -> nn.Module:
    """The tower of that name, with ``features``; `vocabulary` is the number of tokens where it starts from scratch."""
    if width := own_width("transformer", name):
        return Transformer(width, vocabulary)
    return text_model(name, scratch=scratch, vocabulary=vocabulary)


def check_picture_tower(name: str) -> None:
    """`UserError` where no picture tower is called so."""
    if own_width("conv", name):
        return
    known = backbones()
    if name not in known:
        raise UserError(
            f"there is no image tower {name!r}{suggestion(name, known)}: conv-32 (any width), or a classifier of "
            "torchvision's such as resnet18, resnet50, efficientnet_b0, vit_b_16"
        )


def check_size(tower: nn.Module, name: str, size: int) -> None:
    """`UserError` where a tower reads no pictures of that size: it shrinks them to nothing, or is made for another."""
    try:
        with torch.no_grad():
            tower.eval()(torch.zeros(1, 3, size, size))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise UserError(
            f"{name} reads no pictures of {size} × {size} pixels ({one_line(error)}): give another --size, say 224"
        ) from None
    finally:
        tower.train()


def own_width(kind: str, name: str) -> int | None:
    """The width in the name of a small tower of our own, as in ``conv-32``; None where the name is another's."""
    if not re.fullmatch(rf"{kind}-\d+", name):
        return None
    width = int(name.rpartition("-")[2])
    if not HEADS <= width <= WIDEST or width % HEADS:
        raise UserError(f"{name}: the width of {kind} is a multiple of {HEADS} from {HEADS} to {WIDEST}")
    return width


def backbones() -> list[str]:
    """The classifiers of torchvision that can be a tower."""
    from torchvision import models

    return [name for name in models.list_models(module=models) if name not in TWO_OUTPUTS]


def _convolution(channels: int, made: int, kernel: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, made, kernel, stride, kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(made), nn.GELU()]


def _take_last_layer(network: nn.Module, name: str) -> tuple[str, int]:
    """Put nothing in the place of the last dense layer; its path, and the width of what it read."""
    dense = [(path, layer) for path, layer in network.named_modules() if isinstance(layer, nn.Linear)]
    if not dense:
        raise UserError(f"{name} ends in no dense layer, so it cannot be cut off: take a ResNet, say resnet18")
    path, last = dense[-1]
    network.set_submodule(path, nn.Identity())
    return path, last.in_features


def _load_backbone(tower: Backbone, name: str) -> None:
    from torchvision import models

    weights = models.get_model_weights(name).DEFAULT
    file = weights.url.rpartition("/")[2]
    try:
        state = weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
        for key in list(state):
            value = state.pop(key)
            if key.rpartition(".")[0] != tower.cut:
                state[OLD_NAMES.sub(r"\1", key)] = value
        # Files from before torch 0.4.1 do not count batches: torch knows them, and starts counting at 0.
        misfits = tower.network.load_state_dict(state, strict=False)
    except Exception as error:  # no network, a wrong file, a wrong checksum or shape: whatever torch makes of it
        raise UserError(
            f"the pretrained weights of {name} cannot be had ({one_line(error)}): fetch {weights.url} where there is "
            f"a network and put it into {torch.hub.get_dir()}/checkpoints as {file}, or start from random weights "
            "with --scratch"
        ) from None
    refuse_misfits(name, misfits.missing_keys, misfits.unexpected_keys)
