"""Checkpoints: the whole state of a training in one safetensors file, whose name holds the hash of its content.

A file is written under a temporary name, flushed and renamed; one that was torn, truncated or altered all the same no
longer matches its name, and the one before it is used. Nothing is unpickled: tensors are read as tensors, the rest is
JSON in the header.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor, nn

from workings.core.errors import UserError
from workings.core.files import write_atomic

KEPT = 2
"""Checkpoints kept for resuming: the newest, and the one before in case the newest is damaged."""
PASSED_OVER = "going on from the checkpoint before it"
BEST, LAST = "best", "last"
"""Weights at the best validation score, and at the end."""


@dataclass(frozen=True, order=True)
class Position:
    """Where a training stands: `batch` batches of epoch `epoch` (from 0) are done."""

    epoch: int = 0
    batch: int = 0


def save_state(folder: Path, position: Position, state: Mapping[str, Any]) -> None:
    """Write a checkpoint and drop the oldest; `state` nests mappings, lists, tensors, numbers and strings.

    Those of later positions go too: they were damaged, or the training would not be back here.
    """
    tensors: dict[str, Tensor] = {}
    outline = _flatten(state, "", tensors)
    header = {"state": json.dumps(outline), "epoch": str(position.epoch), "batch": str(position.batch)}
    content = save(tensors, metadata=header)
    name = f"state-{position.epoch:06d}-{position.batch:08d}-{_digest(content)}.safetensors"
    write_atomic(folder / name, content)
    states = _states(folder)
    here = states.index(folder / name)
    for other in [*states[: max(0, here + 1 - KEPT)], *states[here + 1 :]]:
        other.unlink(missing_ok=True)


def load_state(folder: Path) -> tuple[Position, dict[str, Any]] | None:
    """The newest sound checkpoint, on the CPU, or None; a damaged one is passed over with a warning."""
    content = newest(folder)
    return None if content is None else parse(content)


def newest(folder: Path) -> bytes | None:
    """The content of the newest checkpoint that fits its name."""
    for path in reversed(_states(folder)):
        try:
            content = path.read_bytes()
        except OSError as error:
            warnings.warn(f"{path.name} cannot be read ({error.strerror}): {PASSED_OVER}", stacklevel=2)
            continue
        if _digest(content) == path.stem.rpartition("-")[2]:
            return content
        warnings.warn(f"{path.name} is damaged: {PASSED_OVER}", stacklevel=2)
    return None


def parse(content: bytes) -> tuple[Position, dict[str, Any]]:
    """What a checkpoint holds. A safetensors file begins with the length of its header, which is JSON."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])["__metadata__"]
    state = _rebuild(json.loads(header["state"]), load(content))
    return Position(int(header["epoch"]), int(header["batch"])), state


def save_weights(folder: Path, name: str, modules: Mapping[str, nn.Module]) -> None:
    """Write the weights of some modules as ``NAME.safetensors``, tensors named ``module.parameter``."""
    tensors = {f"{m}.{key}": value for m, module in modules.items() for key, value in module.state_dict().items()}
    write_atomic(folder / f"{name}.safetensors", save({key: _own(value) for key, value in tensors.items()}))


def load_weights(path: Path, modules: Mapping[str, nn.Module]) -> None:
    """Read weights into modules. A missing or unknown tensor, or one of another shape, is a `UserError`."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} holds no weights that can be read ({error}): give a run's id or its folder") from None
    for name, module in modules.items():
        mine = {key.removeprefix(f"{name}."): t for key, t in tensors.items() if key.startswith(f"{name}.")}
        try:
            module.load_state_dict(mine)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise UserError(f"{path} does not fit this network: {reason}") from None


def _states(folder: Path) -> list[Path]:
    """Checkpoints from the oldest to the newest: their names sort so."""
    return sorted(folder.glob("state-*.safetensors"))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _own(tensor: Tensor) -> Tensor:
    """A tensor that shares no memory with another: safetensors refuses shared ones (tied weights)."""
    return tensor.detach().to("cpu", copy=True).contiguous()


def _flatten(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """Put every tensor into `tensors` under its path, and return JSON that says where each belongs.

    Mappings become lists of pairs, since an optimiser's keys are integers, which JSON's are not.
    """
    if isinstance(value, Tensor):
        unique = f"{len(tensors)}{name}"  # the keys 0 and "0" make the same path
        tensors[unique] = _own(value)
        return {"tensor": unique}
    if isinstance(value, Mapping):
        return {"mapping": [[key, _flatten(item, f"{name}/{key}", tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        items = [_flatten(item, f"{name}/{i}", tensors) for i, item in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": items}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    raise TypeError(f"a checkpoint cannot hold {type(value).__name__} (at {name})")


def _rebuild(outline: Any, tensors: Mapping[str, Tensor]) -> Any:
    ((kind, content),) = outline.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "mapping":
        return {key: _rebuild(item, tensors) for key, item in content}
    if kind in ("list", "tuple"):
        items = [_rebuild(item, tensors) for item in content]
        return tuple(items) if kind == "tuple" else items
    return content


def parameters(module: nn.Module) -> int:
    """How many trainable numbers a module holds; tied ones count once."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def first_bad_parameter(modules: Mapping[str, nn.Module]) -> str | None:
    """Name of the first parameter that has a NaN or an infinity in its value or gradient."""
    for name, module in modules.items():
        for key, parameter in module.named_parameters():
            for tensor in (parameter, parameter.grad):
                if tensor is not None and not bool(torch.isfinite(tensor).all()):
                    return f"{name}.{key}"
    return None
