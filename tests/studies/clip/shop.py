"""A folder of captioned pictures, a store with small trainings on it, and models as torchvision and transformers keep
them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from workings.core.evidence import Run
from workings.core.runs import RunStore
from workings.execute.local import Options
from workings.studies.clip.learner import ClipLearner
from workings.studies.clip.pictures import prepare
from workings.studies.clip.study import Config
from workings.studies.clip.tokens import learn

ALONE = Options(threads=1)
CPU = torch.device("cpu")
SMALL = {"size": 32, "image_tower": "conv-8", "text_tower": "transformer-16", "projection": 16, "cycle": 2, "epochs": 2}
"""Of a training of a second."""
DRAWN = Config(**SMALL, limit=64, batch=16)  # type: ignore[arg-type]
BACKBONE = "shufflenet_v2_x0_5"
"""The smallest classifier of torchvision's."""
COLOURS, THINGS = ("red", "green", "blue", "grey"), ("dog", "cat", "ball", "house", "boat")
WORDS = ("a", "the", "is", "there", "and", *COLOURS, *THINGS)
TINY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
"""Of text models."""
State = dict[str, Tensor]


@dataclass(frozen=True)
class Shop:
    """A store with a count of towers and of words, and a training on photographs and one on drawn scenes."""

    store: RunStore
    photos: Path
    count: Run
    words: Run
    training: Run
    drawn: Run


def captions_of(number: int) -> list[str]:
    """One to three of each picture; the first is that of every twentieth picture too."""
    colour, thing = COLOURS[number % 4], THINGS[number % 5]
    return [f"a {colour} {thing}", f"the {thing} is {colour} and so is {number}", f"there is number {number}"][
        : 1 + number % 3
    ]


def write_photos(folder: Path, count: int = 40) -> Path:
    """Pictures of noise with a tint of their own, of different sizes, and a captions.csv."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    rows = ["image,caption"]
    for number in range(count):
        pixels = draw.integers(0, 120, (36 + number % 5, 40, 3))
        pixels[..., number % 3] += 30 * (number % 4)
        name = f"p{number:02d}.png"
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
        rows += [f"{name},{caption}" for caption in captions_of(number)]
    (folder / "captions.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def photographs(folder: Path, **changes: Any) -> Config:
    """A training on them."""
    return Config(data=str(folder), batch=8, **{**SMALL, **changes})


def learner(config: Config, kind: type[ClipLearner] = ClipLearner) -> ClipLearner:
    """What would be trained."""
    return kind(config, prepare(config), CPU)


def keep_backbone(name: str, home: Path, edit: Callable[[State], Any] = lambda state: state) -> State:
    """Random weights of a classifier of torchvision's where torch.hub looks for them (``TORCH_HOME``); as kept."""
    from torchvision import models

    torch.manual_seed(7)
    state = models.get_model(name, weights=None).state_dict()
    state = edit(state)
    place = home / "hub" / "checkpoints"
    place.mkdir(parents=True, exist_ok=True)
    torch.save(state, place / models.get_model_weights(name).DEFAULT.url.rpartition("/")[2])
    return state


def keep_tokenizer(folder: Path, marks: tuple[str, str, str, str] = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")) -> int:
    """A tokenizer of a few words beside a text model; how many tokens it knows. ``marks`` in the order of their ids."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    kinds = {"[PAD]": "pad", "<pad>": "pad", "[UNK]": "unk", "<unk>": "unk"}
    kinds |= {"[CLS]": "cls", "<s>": "cls", "[SEP]": "sep", "</s>": "sep"}
    named = {f"{kinds[mark]}_token": mark for mark in marks}
    words = {word: at for at, word in enumerate((*marks, *WORDS))}
    made = Tokenizer(models.WordLevel(words, unk_token=named["unk_token"]))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    first, last = named["cls_token"], named["sep_token"]
    made.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", special_tokens=[(first, words[first]), (last, words[last])]
    )
    PreTrainedTokenizerFast(tokenizer_object=made, **named).save_pretrained(folder)
    return len(words)


def keep_text_model(folder: Path, kind: str = "BertForMaskedLM", **options: Any) -> Any:
    """A text model of transformers with random weights, as `save_pretrained` writes it, and its tokenizer."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    roberta = kind.startswith("Roberta")
    marks = ("<s>", "<pad>", "</s>", "<unk>") if roberta else ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
    sizes = {"vocab_size": keep_tokenizer(folder, marks), "max_position_embeddings": 24, "pad_token_id": int(roberta)}
    if kind.startswith("Distil"):
        tiny: Mapping[str, int] = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
    else:
        tiny = TINY
    made = getattr(transformers, kind)
    torch.manual_seed(3)
    model = made(made.config_class(**{**sizes, **tiny})).eval()
    model.save_pretrained(folder, **options)
    return model


def edit_weights(folder: Path, change: Callable[[State], State]) -> None:
    """Other tensors in a folder's model.safetensors."""
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


def edit_json(path: Path, **changes: Any) -> None:
    """Other values under these keys."""
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def some_tokens() -> Any:
    """A vocabulary of a few words."""
    return learn([caption for number in range(20) for caption in captions_of(number)])
