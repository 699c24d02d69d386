"""A trained model at work: pictures of any size and sentences to vectors, whatever kind of model it is.

Three kinds stand behind one face. A *run* of this study, by id or folder, with its checkpoint; a *model directory* that
`export` wrote; and a *published* model, a CLIP as `transformers` keeps it in a folder. What does not fit is refused,
with the file and the fault; nothing is unpickled.

    model.safetensors     both towers and projections, tensor by tensor
    config.json           study, version, architecture, encoder, look, tokens at most, parameters, origin
    tokenizer.json        how sentences are cut
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from safetensors.torch import save as tensor_bytes
from torch import Tensor
from torch.nn.functional import normalize

from workings.core.config import from_json, to_json
from workings.core.errors import UserError
from workings.core.evidence import RUN_FILE, Run
from workings.core.files import write_atomic, write_json
from workings.studies.clip import encoders, towers
from workings.studies.clip.experiment import TOKENIZER
from workings.studies.clip.frozen import fingerprint
from workings.studies.clip.model import TwoTowers
from workings.studies.clip.pictures import Look
from workings.studies.clip.study import STUDY, Config
from workings.studies.clip.tokens import Tokens
from workings.train.checkpoint import BEST, load_weights
from workings.train.directory import CONFIG, WEIGHTS, fitting_tensors, read_json
from workings.train.runtime import prepare
from workings.train.trained import trained_run, weights_of

FILES = (WEIGHTS, CONFIG, TOKENIZER)
TOGETHER = 64
"""Pictures or sentences through the towers at a time; more takes memory, not time."""


class Embedder(Protocol):
    """What an index and a search need of a model."""

    @property
    def name(self) -> str:
        """What it is, for people."""

    @property
    def fingerprint(self) -> str:
        """16 hex digits of weights and preprocessing: vectors of one model mean nothing to another."""

    @property
    def dimensions(self) -> int:
        """Of the common space."""

    @property
    def size(self) -> int:
        """Height and width in pixels of the pictures that it reads."""

    @property
    def scale(self) -> float:
        """What cosines are multiplied by before a softmax."""

    def pictures(self, pixels: UInt8[np.ndarray, "n size size 3"]) -> Float32[np.ndarray, "n d"]:
        """Vectors of unit length."""

    def texts(self, sentences: Sequence[str]) -> Float32[np.ndarray, "n d"]:
        """Vectors of unit length."""


@dataclass(frozen=True)
class Trained:
    """A model of this study."""

    name: str
    model: TwoTowers
    tokens: Tokens
    look: Look
    longest: int
    """Tokens to which sentences are cut."""
    config: Config
    origin: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        words = sorted(self.tokens.tokenizer.get_vocab().items())  # its JSON would change with the library's version
        told = f"{fingerprint(self.model)} {self.look} {self.longest} {words}"
        object.__setattr__(self, "fingerprint", hashlib.sha256(told.encode()).hexdigest()[:16])

    fingerprint: str = field(init=False)

    @property
    def dimensions(self) -> int:
        """Of the common space."""
        return self.config.projection

    @property
    def size(self) -> int:
        """Side of the pictures that it reads."""
        return self.look.size

    @property
    def scale(self) -> float:
        """The learnt one; for the soft loss, whose products are not of unit vectors, the dimensions."""
        return float(self.model.scale.detach()) if self.config.loss == "clip" else float(self.dimensions)

    def pictures(self, pixels: UInt8[np.ndarray, "n size size 3"]) -> Float32[np.ndarray, "n d"]:
        """Vectors of unit length."""
        device = next(self.model.parameters()).device
        return _unit(lambda part: self.model.embed_pictures(self.look(pixels[part], device)), len(pixels), self)

    def texts(self, sentences: Sequence[str]) -> Float32[np.ndarray, "n d"]:
        """Vectors of unit length."""
        device = next(self.model.parameters()).device
        encoded = self.tokens.encode(sentences, self.longest)

        def embed(part: slice) -> Tensor:
            return self.model.embed_text(*encoded.batch(torch.arange(len(encoded))[part], device))

        return _unit(embed, len(sentences), self)


def load(model: str | Path | None = None, device: str = "auto") -> Embedder:
    """A model by a run's id or folder, or by the folder of a model; without one, the best run on this machine."""
    where = prepare({"device": device})
    folder = Path(model or "").expanduser()
    if model is None or not folder.is_dir() or (folder / RUN_FILE).is_file():
        return _of_run(_chosen(model), where)
    if _kind(folder) == "clip":
        from workings.studies.clip.published import Published

        return Published.load(folder, where)
    return _of_directory(folder, where)


def export(run: str | None, folder: Path) -> Trained:
    """Write a model directory of a run (of the best here, without one); what was written."""
    model = _of_run(_chosen(run), torch.device("cpu"))
    folder = folder.expanduser()
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: name a folder for the model")
    if folder.is_dir() and (strangers := sorted({path.name for path in folder.iterdir()} - set(FILES))):
        raise UserError(f"{folder} holds {strangers[0]!r} already: name a new folder, or one with a model in it")
    tensors = {name: t.detach().contiguous().clone() for name, t in model.model.state_dict().items()}
    write_atomic(folder / WEIGHTS, tensor_bytes(tensors))
    write_json(folder / TOKENIZER, model.tokens.to_json())
    told = {
        "study": STUDY.id,
        "version": STUDY.version,
        "architecture": to_json(model.config),
        "vocabulary": model.tokens.count,
        "encoder": encoders.described(model.model.text),
        "look": asdict(model.look),
        "longest": model.longest,
        "parameters": sum(t.numel() for t in model.model.parameters()),
        "origin": dict(model.origin),
    }
    write_json(folder / CONFIG, told)
    return model


def _of_run(run: Run, device: torch.device) -> Trained:
    config, card = from_json(Config, run.config), run.table("card")
    tokens = _tokens(weights_of(run, BEST).with_name(TOKENIZER))
    model = _built(config, tokens.count, card.get("encoder"))
    load_weights(weights_of(run, BEST), {"model": model})
    look = Look(card["size"], tuple(card["mean"]), tuple(card["std"]))
    data = ", ".join(dataset["id"] for dataset in run.datasets.values())
    origin = {"run": run.id, "data": data, "epochs": run.reached}
    name = f"run {run.id} ({config.image_tower} + {config.text_tower} on {data})"
    return Trained(name, model.to(device).eval(), tokens, look, card["longest"], config, origin)


def _of_directory(folder: Path, device: torch.device) -> Trained:
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise UserError(
            f"{folder} lacks {' and '.join(missing)}: a model's folder holds {', '.join(FILES)}, as `workings use clip "
            "export` writes it, or is a CLIP of transformers"
        )
    told = read_json(folder / CONFIG)
    if not isinstance(told, dict) or told.get("study") != STUDY.id:
        raise UserError(f"{folder / CONFIG} describes no model of {STUDY.id}: export it anew")
    try:
        config = from_json(Config, told["architecture"])
        look = Look(int(told["look"]["size"]), tuple(told["look"]["mean"]), tuple(told["look"]["std"]))
        tokens = Tokens.from_json(read_json(folder / TOKENIZER))
        model = _built(config, int(told["vocabulary"]), told.get("encoder"))
        longest, origin = int(told["longest"]), dict(told["origin"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder} cannot be followed ({error}): export the model anew") from None
    model.load_state_dict(fitting_tensors(folder / WEIGHTS, model.state_dict()))
    name = f"{folder.name} ({config.image_tower} + {config.text_tower}, run {origin.get('run')})"
    return Trained(name, model.to(device).eval(), tokens, look, longest, config, origin)


def _built(config: Config, vocabulary: int, encoder: Mapping[str, Any] | None) -> TwoTowers:
    """The network without anything to load or to learn; `encoder` describes a text tower of transformers."""
    pictures = towers.picture_tower(config.image_tower, scratch=True)
    if encoder:
        text = encoders.text_tower_like(encoder)
    else:
        text = towers.text_tower(config.text_tower, scratch=True, vocabulary=vocabulary)
    widths = (int(pictures.features), int(text.features))  # type: ignore[arg-type]
    return TwoTowers(pictures, text, widths, config.projection).to(memory_format=torch.channels_last)


def _chosen(named: str | Path | None) -> Run:
    """Without a name the one that learned from the most photographs; of drawn scenes only where there is no other."""

    def worth(run: Run) -> tuple[bool, float, float]:
        drawn = any(dataset["id"] == "drawn-scenes" for dataset in run.datasets.values())
        return not drawn, run.metric("count/train"), run.metric("text-to-image/r1")

    return trained_run(
        STUDY,
        named,
        what="CLIP",
        worth=worth,
        nothing=f"no CLIP is trained here: `workings run {STUDY.id} --data FOLDER --captions FILE` trains one; "
        "or name the folder of a published model by --model (`hf download openai/clip-vit-base-patch32 --local-dir "
        "FOLDER`, where there is a network)",
        weights=BEST,
    )


def _kind(folder: Path) -> str:
    """The kind of a folder of transformers, by its configuration; empty where it is none."""
    told = read_json(folder / CONFIG) if (folder / CONFIG).is_file() else {}
    return str(told.get("model_type", "")) if isinstance(told, dict) else ""


def _tokens(path: Path) -> Tokens:
    try:
        return Tokens.from_json(read_json(path))
    except ValueError as error:
        raise UserError(f"{path} cannot be followed ({error}): train the model again with --again") from None


@torch.no_grad()
def _unit(embed: Callable[[slice], Tensor], count: int, model: Embedder) -> Float32[np.ndarray, "n d"]:
    made = np.zeros((count, model.dimensions), dtype=np.float32)
    for start in range(0, count, TOGETHER):
        part = slice(start, start + TOGETHER)
        made[part] = normalize(embed(part).float(), dim=1).cpu().numpy()
    return made
