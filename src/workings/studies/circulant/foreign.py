"""A person's network, by its name: ``package.module:Net`` becomes a module in memory, or one line that says why not.

Importing a module runs it. That is what is asked for here, and nothing else is imported on a person's word.
"""

import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from workings.core.errors import UserError, suggestion


def load(target: str, seed: int) -> nn.Module:
    """The network that `target` names: an instance, or what a class or function without arguments gives.

    The current folder is on the path meanwhile; weights drawn at random are drawn by `seed`.
    """
    name, colon, attribute = target.partition(":")
    if not (colon and name and attribute):
        raise UserError(f"{target!r} names no network: write MODULE:NAME, as in torchvision.models:resnet18")
    with _current_folder(), torch.random.fork_rng([]):
        torch.default_generator.manual_seed(seed)
        found = _attribute(_imported(name), attribute, target)
        torch.default_generator.manual_seed(seed)  # again: the first import may have drawn numbers, a later not
        return _network(target, found)


def one_line(error: BaseException) -> str:
    """The kind of an error and the first line of its message."""
    text = " ".join(str(error).splitlines()[:1])
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise UserError(
                f"there is no module {error.name!r} in {Path.cwd()} or among the installed packages: go to the folder "
                "that holds it, or install it"
            ) from error
        raise UserError(f"{name} cannot be imported: it needs {error.name!r}, which is not installed") from error
    except (Exception, SystemExit) as error:
        raise UserError(f"{name} cannot be imported: {one_line(error)}") from error


def _attribute(found: Any, path: str, target: str) -> Any:
    for part in path.split("."):
        if not hasattr(found, part):
            raise UserError(f"{target}: there is no {part!r} there{suggestion(part, dir(found))}")
        found = getattr(found, part)
    return found


def _network(target: str, found: Any) -> nn.Module:
    if not isinstance(found, nn.Module):
        if not callable(found):
            raise UserError(f"{target} is of type {type(found).__name__}: name a torch.nn.Module, or what builds one")
        needed = _needed(found)
        if needed:
            raise UserError(
                f"{target} needs {', '.join(needed)}: name a function without arguments that builds it with them"
            )
        try:
            found = found()
        except (Exception, SystemExit) as error:
            raise UserError(f"{target}() fails: {one_line(error)}") from error
    if not isinstance(found, nn.Module):
        raise UserError(f"{target} gives a {type(found).__name__}: it must give a torch.nn.Module")
    return found


def _needed(function: Any) -> list[str]:
    """The parameters without defaults; none where Python does not know them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


@contextmanager
def _current_folder() -> Iterator[None]:
    """Importing sees the current folder first."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
