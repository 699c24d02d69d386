"""Text models of transformers, by name or folder: loaded whole or refused, and never with a random layer in them.

A model is loaded by the class that its own files name (`AutoModel`), without the pooler that nobody here reads. A
parameter that its file lacks is an error, and so is one for which the model has no place, unless it belongs to a head
of the pretraining.
"""

import logging
import socket
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workings.core.errors import UserError

PAD = 0
"""The token that fills up, in vocabularies of our own."""
PATIENCE = 5.0
"""Seconds to reach the hub."""
LOADING: Mapping[str, Any] = {
    "output_loading_info": True,
    "ignore_mismatched_sizes": True,
    "use_safetensors": True,
    "dtype": torch.float32,
}
"""How transformers loads: it tells what did not fit, which is then refused; unpickles nothing; computes as we do."""
UNTRAINED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "distilbert-base-uncased": ("distilbert", {}),
    "bert-base-uncased": ("bert", {}),
    "roberta-base": ("roberta", {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}),
}
"""Architectures that need no file to be built: kind, and what differs from the kind's defaults in transformers."""


class FirstToken(nn.Module):
    """A text model of transformers, of which the first token's last state is taken."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder
        self.features = int(encoder.config.hidden_size)

    def forward(
        self, tokens: Int[Tensor, "batch length"], mask: Bool[Tensor, "batch length"]
    ) -> Float[Tensor, "batch features"]:
        """The first token's state after the last layer."""
        made: Tensor = self.encoder(input_ids=tokens, attention_mask=mask.long()).last_hidden_state[:, 0]
        return made


def text_model(name: str, *, scratch: bool, vocabulary: int) -> FirstToken:
    """The model of that name or folder; `vocabulary` is the number of tokens that it is to know."""
    encoder = _untrained(name, vocabulary) if scratch else _pretrained(name)
    model = _first_token(encoder, name)
    if (rows := encoder.get_input_embeddings().num_embeddings) < vocabulary:
        raise UserError(
            f"the tokenizer of {name} knows {vocabulary:,} tokens, its model {rows:,}: they are of two models"
        )
    return model


def described(tower: nn.Module) -> dict[str, Any] | None:
    """What `text_tower_like` builds a tower of transformers from again; None of a small tower of our own."""
    if not isinstance(tower, FirstToken):
        return None
    told: dict[str, Any] = tower.encoder.config.to_dict()
    return {key: value for key, value in told.items() if _tells_architecture(key)}


def text_tower_like(told: Mapping[str, Any]) -> nn.Module:
    """The tower that `described` tells of, without its weights; ValueError where there is none such."""
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.for_model(**{key: value for key, value in told.items() if _tells_architecture(key)})
    return FirstToken(_without_pooler(lambda **more: AutoModel.from_config(config, **more)))


def _tells_architecture(key: str) -> bool:
    """Not where it came from, nor whose code computes it."""
    return not key.startswith("_") and key not in ("attn_implementation", "experts_implementation", "auto_map")


def _first_token(encoder: Any, name: str) -> FirstToken:
    """`UserError` where a model does not give a state for each token, as encoders do."""
    try:
        tower = FirstToken(encoder)
        with torch.no_grad():
            one, other = tower.eval()(torch.tensor([[0, 0], [0, 1]]), torch.ones(2, 2, dtype=torch.bool))
        if torch.equal(one, other):
            raise ValueError("its first token does not see the others")
    except Exception as error:  # whatever a model of another kind makes of it
        raise UserError(
            f"{name} does not read sentences as an encoder does ({one_line(error)}): take one such as "
            "distilbert-base-uncased"
        ) from None
    tower.train()
    return tower


def _untrained(name: str, vocabulary: int) -> Any:
    from transformers import AutoConfig, AutoModel

    kind, changes = UNTRAINED.get(name, ("", {}))
    config = AutoConfig.for_model(kind, **changes) if kind else from_files(AutoConfig, name, "the configuration")
    config.vocab_size, config.pad_token_id = vocabulary, PAD
    return _without_pooler(lambda **more: AutoModel.from_config(config, **more))


def _pretrained(name: str) -> Any:
    from transformers import AutoModel

    model, found = _without_pooler(
        lambda **more: from_files(AutoModel, name, "the pretrained weights", **LOADING, **more)
    )
    prefix = f"{model.base_model_prefix}."
    parts = {part for part, _ in model.named_children()}
    unexpected = [k for k in found["unexpected_keys"] if k.removeprefix(prefix).partition(".")[0] in parts]
    refuse_misfits(name, lacking(found), unexpected)
    return model


def _without_pooler(build: Any) -> Any:
    """Built without a pooler, by those kinds that have one."""
    try:
        return build(add_pooling_layer=False)
    except TypeError:
        return build()


def lacking(found: Mapping[str, Any]) -> list[str]:
    """The parameters for which transformers found no value, or one of another shape."""
    return [*found["missing_keys"], *(f"{key} as {list(mine)}" for key, _, mine in found["mismatched_keys"])]


def refuse_misfits(name: str, missing: list[str], unexpected: list[str]) -> None:
    """`UserError` where a tower's parameters have no value in a file, or values of a file no place in the tower."""
    if missing:
        raise UserError(
            f"the weights of {name} lack {missing[0]}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + ": they would start from random numbers; give the weights of this very architecture, or --scratch"
        )
    if unexpected:
        raise UserError(
            f"the weights of {name} hold {unexpected[0]}"
            + (f" and {len(unexpected) - 1} more" if len(unexpected) > 1 else "")
            + ", for which the tower has no place: they are another architecture's"
        )


def from_files(auto: Any, name: str, what: str, **options: Any) -> Any:
    """`UserError` with a remedy where transformers finds no files, or no network to fetch them by."""
    from transformers.utils import logging as chatter

    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    here = bool(name) and Path(name).is_dir()
    try:
        offline = here or not _hub_answers()
        return auto.from_pretrained(name, trust_remote_code=False, local_files_only=offline, **options)
    except TypeError:
        raise
    except Exception as error:  # transformers raises OSError, ValueError and its hub's own
        remedy = (
            "the folder holds what `save_pretrained` writes, weights as safetensors"
            if here
            else f"where there is a network, run `hf download {name} --local-dir FOLDER` and give that folder's path, "
            "or start from random weights with --scratch"
        )
        raise UserError(f"{what} of {name!r} cannot be had ({one_line(error)}): {remedy}") from None


def tokenizer_of(name: str) -> Any:
    """What goes with a model; transformers makes an empty one, to which all words are unknown, where there is none."""
    from transformers import AutoTokenizer

    found = from_files(AutoTokenizer, name, "the tokenizer")
    if len(found) <= len(found.all_special_tokens):
        raise UserError(f"{name!r} holds no tokenizer, only a model: copy its tokenizer.json into the folder")
    return found


@cache
def _hub_answers() -> bool:
    """Whether the models' hub can be reached at all: its own client would try for half a minute."""
    from huggingface_hub.constants import ENDPOINT, is_offline_mode

    if is_offline_mode():
        return False
    if getproxies().keys() & {"http", "https", "all"}:  # its client knows how to ask them
        return True
    there = urlsplit(ENDPOINT)
    try:
        with socket.create_connection((there.hostname or "", there.port or 443), timeout=PATIENCE):
            return True
    except OSError:
        return False


def one_line(error: Exception) -> str:
    """What it says, without line breaks, or at least what it is."""
    return " ".join(str(error).split())[:120] or type(error).__name__
