"""A trained classifier as a folder that can be handed on: weights, how it was built, its labels, its preprocessing.

    model.safetensors     the module's state, tensor by tensor
    config.json           study, version, keyword arguments of its architecture, size, channels, parameters, origin
    labels.json           the classes, in the order of the outputs
    preprocessing.json    from a picture's bytes to what the network reads: size, channels, mean, std, order

`load` believes none of it: the files must be there and readable, the study must be the one that asks, every tensor
must have the shape and type of the network that the configuration describes and be finite, and the network must turn
one picture into one number a label. What is wrong is a `UserError` that names file and fault. Nothing is unpickled, and
nothing is allocated for a network before its shapes are known to be those of the file.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as tensor_bytes
from torch import Tensor, nn

from workings.core.errors import UserError
from workings.core.files import write_atomic, write_json

WEIGHTS, CONFIG, LABELS, PREPROCESSING = "model.safetensors", "config.json", "labels.json", "preprocessing.json"
FILES = (WEIGHTS, CONFIG, LABELS, PREPROCESSING)
SIDE = 4_096
"""Pixels along a side at most, as `workings.data` has it."""
BATCH = 256
"""Pictures classified together; more takes memory, not time."""
Order = Literal["transposed", "reshaped"]
Pixels = NDArray[np.uint8]
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Preprocessing:
    """From bytes to what the network reads: crop, resize, order the axes, x = (grey level − mean) / std."""

    size: tuple[int, int]
    """Height and width in pixels."""
    channels: int
    """1 for grey, 3 for red, green, blue."""
    mean: tuple[float, ...]
    """Grey levels (0 to 255), one for all channels or one each."""
    std: tuple[float, ...]
    order: Order = "transposed"
    """How height × width × channel becomes channel × height × width. `reshaped` scrambles pictures: a fault in some
    course code, which a network trained with it needs."""

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels is {self.channels}: 1 or 3")
        if not all(1 <= side <= SIDE for side in self.size):
            raise ValueError(f"size is {self.size}: height and width, each from 1 to {SIDE}")
        if {len(self.mean), len(self.std)} - {1, self.channels}:
            raise ValueError(f"mean {self.mean} and std {self.std} do not fit {self.channels} channels")
        if not all(map(math.isfinite, (*self.mean, *self.std))) or not min(self.std) > 0:
            raise ValueError(f"mean {self.mean}, std {self.std}: finite numbers, each std above 0")

    def __call__(self, pixels: Pixels) -> Float32[Tensor, "channel height width"]:
        """One picture of any size, (height, width) or (height, width, 3), as the network reads it."""
        fitted = torch.from_numpy(self.fit(pixels).reshape(*self.size, self.channels).astype(np.float32))
        shape = (self.channels, *self.size)
        ordered = fitted.permute(2, 0, 1) if self.order == "transposed" else fitted.reshape(shape)
        mean, std = (torch.tensor(values, dtype=torch.float32).reshape(-1, 1, 1) for values in (self.mean, self.std))
        return ((ordered - mean) / std).contiguous()

    def fit(self, pixels: Pixels) -> Pixels:
        """Cropped about its centre to the shape, resized (bilinear, averaging where it shrinks), grey or colour."""
        from PIL import Image, ImageOps

        image = Image.fromarray(pixels).convert("L" if self.channels == 1 else "RGB")
        height, width = self.size
        if (image.height, image.width) != self.size:
            image = ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
        return np.array(image, dtype=np.uint8)


@dataclass(frozen=True)
class Card:
    """What a model directory says of its network, beside the weights."""

    study: str
    version: int
    architecture: Mapping[str, Any]
    """Keyword arguments from which the study builds the network: numbers, strings, flags."""
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    origin: Mapping[str, Any] = field(default_factory=dict)
    """Where it comes from (run, data, epochs): told, never used."""


@dataclass(frozen=True)
class Model(Generic[M]):
    """A network, ready to classify."""

    network: M
    card: Card

    @torch.no_grad()
    def probabilities(self, pictures: Sequence[Pixels]) -> Float[np.ndarray, "pictures classes"]:
        """Of each label, for pictures of any size: the softmax of the network's outputs."""
        rows = [np.zeros((0, len(self.card.labels)), dtype=np.float32)]
        device = next(self.network.parameters()).device
        for start in range(0, len(pictures), BATCH):
            batch = torch.stack([self.card.preprocessing(p) for p in pictures[start : start + BATCH]])
            rows.append(self.network(batch.to(device)).softmax(1).cpu().numpy())
        return np.concatenate(rows)


def save(folder: Path, network: nn.Module, card: Card) -> None:
    """Write the four files; a folder with anything else in it is left alone, with a `UserError`."""
    folder = folder.expanduser()
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: name a folder for the model")
    if folder.is_dir() and (strangers := sorted({path.name for path in folder.iterdir()} - set(FILES))):
        raise UserError(f"{folder} holds {strangers[0]!r} already: name a new folder, or one with a model in it")
    tensors = {name: t.detach().to("cpu", copy=True).contiguous() for name, t in network.state_dict().items()}
    write_atomic(folder / WEIGHTS, tensor_bytes(tensors))
    write_json(folder / LABELS, list(card.labels))
    write_json(folder / PREPROCESSING, asdict(card.preprocessing))
    config = {
        "study": card.study,
        "version": card.version,
        "architecture": dict(card.architecture),
        "size": list(card.preprocessing.size),
        "channels": card.preprocessing.channels,
        "parameters": _count(network),
        "origin": dict(card.origin),
    }
    write_json(folder / CONFIG, config)


def load(folder: Path, study: str, build: Callable[[Card], M]) -> Model[M]:
    """The network of a model directory, in evaluation mode on the CPU; `UserError` where anything does not fit.

    `build` makes the study's network from a card. It is called on torch's ``meta`` device, which allocates nothing.
    """
    folder = folder.expanduser()
    card, parameters = _read_card(folder, study)
    try:
        with torch.device("meta"):
            network = build(card)
    except Exception as error:  # whatever a network raises on arguments that are none of its own
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{folder / CONFIG}: no network of {study} can be built from it ({reason})") from None
    tensors = fitting_tensors(folder / WEIGHTS, network.state_dict())
    network.load_state_dict(tensors, assign=True)
    if _count(network) != parameters:
        raise UserError(
            f"{folder / CONFIG} counts {parameters} parameters, the network has {_count(network):,}: one of the files "
            "is of another model; export it anew"
        )
    model = Model(network.eval(), card)
    _try(model, folder)
    return model


def is_directory(path: Path) -> bool:
    """Whether a folder is meant as a model directory, sound or not (a run's folder holds no such files)."""
    return path.is_dir() and any((path / name).exists() for name in FILES)


def _read_card(folder: Path, study: str) -> tuple[Card, Any]:
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: name one with {', '.join(FILES)}, as `export` writes it")
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise UserError(f"{folder} lacks {' and '.join(missing)}: a model directory holds {', '.join(FILES)}")
    config, labels, made = (read_json(folder / name) for name in (CONFIG, LABELS, PREPROCESSING))
    if not isinstance(config, dict) or {"study", "version", "architecture", "size", "channels"} - config.keys():
        raise UserError(f"{folder / CONFIG} describes no model: it holds study, version, architecture, size, channels")
    if config["study"] != study:
        raise UserError(f"{folder} is a model of {config['study']!r}, not of {study!r}: `workings use` that study")
    named = isinstance(labels, list) and all(isinstance(label, str) and label.strip() for label in labels)
    if not named or not labels or len(set(labels)) != len(labels):
        raise UserError(f"{folder / LABELS} holds no list of different names, one for each class")
    try:
        preprocessing = _preprocessing(made)
        architecture = dict(config["architecture"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder / PREPROCESSING} cannot be followed ({error}): export the model anew") from None
    if (list(preprocessing.size), preprocessing.channels) != (config["size"], config["channels"]):
        raise UserError(
            f"{folder}: {CONFIG} has pictures of {config['size']} with {config['channels']} channels, {PREPROCESSING} "
            f"of {list(preprocessing.size)} with {preprocessing.channels}: they are of two models"
        )
    origin = config.get("origin")
    card = Card(study, config["version"], architecture, tuple(labels), preprocessing, origin if origin else {})
    return card, config.get("parameters")


def _preprocessing(made: Any) -> Preprocessing:
    if made["order"] not in get_args(Order):
        raise ValueError(f"order is {made['order']!r}: {' or '.join(get_args(Order))}")
    mean, std = (tuple(float(value) for value in made[name]) for name in ("mean", "std"))
    height, width = (int(side) for side in made["size"])
    return Preprocessing((height, width), int(made["channels"]), mean, std, made["order"])


def read_json(path: Path) -> Any:
    """What a JSON file of a model holds; `UserError` where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as JSON ({error}): export the model anew") from None


def fitting_tensors(path: Path, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file, which must be those wanted: by name, shape and type, and finite; `UserError` else."""
    try:
        found = read_tensors(path.read_bytes())
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(f"{path} holds no weights that can be read ({error}): export the model anew") from None
    if lacking := [name for name in wanted if name not in found]:
        raise UserError(f"{path} lacks {lacking[0]}, which the network that {CONFIG} describes has")
    if strange := sorted(found.keys() - wanted.keys()):
        raise UserError(f"{path} holds {strange[0]}, for which the network that {CONFIG} describes has no place")
    for name, mine in wanted.items():
        tensor = found[name]
        if (tensor.shape, tensor.dtype) != (mine.shape, mine.dtype):
            raise UserError(
                f"{path}: {name} is {list(tensor.shape)} of {tensor.dtype}, where the network that {CONFIG} describes "
                f"has {list(mine.shape)} of {mine.dtype}"
            )
        if not bool(torch.isfinite(tensor).all()):
            raise UserError(f"{path}: {name} holds NaN or infinity: the training diverged, or the file was altered")
    return found


def _try(model: Model[Any], folder: Path) -> None:
    """One grey picture through the network: a number for each label must come out."""
    card = model.card
    example = torch.zeros(1, card.preprocessing.channels, *card.preprocessing.size)
    try:
        with torch.no_grad():
            shape = list(model.network(example).shape)
    except (RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{folder}: the network cannot read pictures as {PREPROCESSING} makes them ({reason})"
        ) from None
    if shape != [1, len(card.labels)]:
        raise UserError(
            f"{folder / LABELS} names {len(card.labels)} classes, the network gives {shape[1:]} numbers a picture: "
            "labels and weights are of two models"
        )


def _count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
