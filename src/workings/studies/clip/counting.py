"""The published towers, counted without a single weight: on torch's ``meta`` device, which allocates nothing.

What a text tower finds in a file of another kind is counted too. A class that is written down for one kind, and is
given the weights of another, takes the tensors of the same name and shape, and leaves the rest as they were drawn.
"""

import re
from typing import Any

import torch
from torch import nn

from workings.core.runs import Recorder
from workings.studies.clip.encoders import UNTRAINED
from workings.studies.clip.model import Projection
from workings.studies.clip.study import PAIRS, Config
from workings.studies.clip.towers import backbones, picture_tower

VOCABULARIES = {"distilbert-base-uncased": 30_522, "bert-base-uncased": 30_522, "roberta-base": 50_265}
"""Tokens of each, as their files state."""


def count_towers(recorder: Recorder) -> None:
    """Tables ``towers``, ``loading`` and ``resnets``."""
    with torch.device("meta"):
        texts = {name: _text_model(name) for name in UNTRAINED}
        towers = {pair: _counted(*names, texts[names[1]]) for pair, names in PAIRS.items()}
    recorder.table("towers", towers)
    recorder.table("loading", [_loaded(texts[needs], texts[given]) for needs in texts for given in texts])
    recorder.table("resnets", [name for name in backbones() if re.fullmatch(r"resnet\d+", name)])
    recorder.table("result", {pair: f"{row['image']} + {row['text']}" for pair, row in towers.items()})


def _text_model(name: str) -> nn.Module:
    from transformers import AutoConfig, AutoModel

    kind, changes = UNTRAINED[name]
    config = AutoConfig.for_model(kind, **{**changes, "vocab_size": VOCABULARIES[name]})
    model: nn.Module = AutoModel.from_config(config)
    return model


def _counted(image: str, text: str, model: Any) -> dict[str, Any]:
    """The pair's parameters; of the text tower without the pooler, which nothing here reads."""
    tower, dimensions = picture_tower(image, scratch=True), Config().projection
    pooler = _count(model.pooler) if getattr(model, "pooler", None) is not None else 0
    widths = (int(tower.features), int(model.config.hidden_size))  # type: ignore[arg-type]
    heads = sum(_count(Projection(width, dimensions, 0.0)) for width in widths)
    return {
        "image": image,
        "text": text,
        "image_parameters": _count(tower),
        "text_parameters": _count(model) - pooler,
        "head_parameters": heads,
    }


def _loaded(needs: nn.Module, given: nn.Module) -> dict[str, Any]:
    """How many of the parameters that one class needs another kind's weights bring."""
    there = {name: tensor.shape for name, tensor in given.named_parameters()}
    found = sum(p.numel() for name, p in needs.named_parameters() if there.get(name) == p.shape)
    return {
        "class": type(needs).__name__,
        "weights": given.config.model_type,  # type: ignore[union-attr]
        "found": found,
        "parameters": _count(needs),
    }


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
