"""Frozen dataclasses as configurations: to JSON and back, and the part of them that names a run.

Three kinds of field:

- an ordinary field is part of the run's identity: another value is another run;
- a `length` (epochs) is how far the run is to go, so asking for more resumes the same run. Where a schedule depends on
  the length, declare it as an ordinary field instead: such a run cannot be lengthened;
- a `source` says where data comes from. The run's identity takes the *content* of the data instead, so that a path and
  a dataset's id are the same run where they hold the same data.

Device, threads and paths of the store are never configuration: they do not change what is computed.
"""

import dataclasses
import hashlib
import json
import math
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from workings.core.errors import UserError

C = TypeVar("C")

LENGTH, SOURCE = "length", "source"
ID_DIGITS = 12
"""48 bits: among a million runs of one study a collision has probability 0.002."""


def length(default: int) -> Any:
    """A field that says how far the run goes; at most one per configuration."""
    return dataclasses.field(default=default, metadata={LENGTH: True})


def source(default: str, *, role: str) -> Any:
    """A field that names a dataset or a path; `role` is its name among the run's datasets."""
    return dataclasses.field(default=default, metadata={SOURCE: role})


def length_field(config: Any) -> str | None:
    """Name of the length field of a configuration (instance or class), or None."""
    names = [f.name for f in dataclasses.fields(config) if f.metadata.get(LENGTH)]
    if len(names) > 1:
        raise TypeError(f"{config!r} declares {len(names)} length fields ({', '.join(names)}); a run has one length")
    return names[0] if names else None


def source_fields(config: Any) -> dict[str, str]:
    """Name of each source field, and the role of the dataset it names."""
    return {f.name: f.metadata[SOURCE] for f in dataclasses.fields(config) if SOURCE in f.metadata}


def to_json(config: Any) -> dict[str, Any]:
    """Every field by name; numbers take their declared type, so that ``eta=1`` and ``eta=1.0`` are one value."""
    cls: Any = type(config)
    hints = _hints(cls)
    return {f.name: _plain(getattr(config, f.name), hints[f.name], f.name) for f in dataclasses.fields(config)}


def from_json(cls: type[C], data: Mapping[str, Any]) -> C:
    """Rebuild a configuration; lists become the tuples that were written. Unknown fields raise TypeError."""
    key: Any = cls
    hints = _hints(key)
    return cls(**{name: _typed(value, hints.get(name)) for name, value in data.items()})


def identity(config: Any) -> dict[str, Any]:
    """The fields that make a run what it is: all but its length and its sources."""
    left_out = {*source_fields(config), length_field(config)}
    return {name: value for name, value in to_json(config).items() if name not in left_out}


def stable_hash(data: Any) -> str:
    """Hex digits that depend on the JSON value alone, not on key order, process or platform."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


@cache
def _hints(cls: Any) -> dict[str, Any]:
    """A class's annotations, resolved once: resolving them is a hundred times slower than reading them."""
    return get_type_hints(cls)


def _plain(value: Any, hint: Any, name: str) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, int | float):
        number = float(value) + 0.0 if _wants_float(hint) else value  # -0.0 becomes 0.0, to which it is equal
        if isinstance(number, float) and not math.isfinite(number):
            raise UserError(f"{name} is {value}: give a finite number")
        return number
    if isinstance(value, tuple | list):
        items = [get_args(option) for option in _options(hint) if get_origin(option) is tuple]
        item = items[0][0] if items and items[0] else Any
        return [_plain(v, item, name) for v in value]
    raise TypeError(f"field {name!r} holds {type(value).__name__}: a configuration holds numbers, strings and tuples")


def _wants_float(hint: Any) -> bool:
    options = _options(hint)
    return float in options and int not in options


def _options(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _typed(value: Any, hint: Any) -> Any:
    if isinstance(value, list):
        item = next((a for a in get_args(hint) if a is not Ellipsis), Any)
        return tuple(_typed(v, item) for v in value)
    if get_origin(hint) is Literal and value not in get_args(hint):
        raise TypeError(f"{value!r} is none of {get_args(hint)}")
    return value
