"""Look at an activation of one's own, a formula or a Python callable, or print the table of all that torch has."""

import importlib
import inspect
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from torch import nn

from workings.core.errors import UserError
from workings.expressions import ExpressionError
from workings.studies.activations.catalogue import FORMULAS, LEFT_OUT
from workings.studies.activations.examination import Examination
from workings.studies.activations.examination import examine as look
from workings.studies.activations.examination import table as as_table
from workings.studies.activations.model import Activation, derivatives, elementwise, read

__all__ = ["VERBS", "Table", "examine", "table"]


@dataclass(frozen=True)
class Table:
    """Every elementwise activation of torch.nn."""

    rows: tuple[Examination, ...]
    left_out: dict[str, str]
    """The others, and why."""

    def __str__(self) -> str:
        why = "; ".join(f"{name} {reason}" for name, reason in self.left_out.items())
        note = "Two values at zero: from the left | from the right. Means and mean squares of g and g′ are for N(0, 1)."
        return f"{as_table(self.rows)}\n\n{note}\nLeft out: {why}."


def examine(
    target: Annotated[str, tyro.conf.Positional] = "",
    f: tuple[str, ...] = (),
) -> Examination:
    """Decide whether an activation is odd, and tell what it does at zero and to Gaussian input.

    Example: workings use activations examine torch.nn:SiLU

    Args:
        target: A callable as MODULE:NAME, imported from this folder or from what is installed; a class is built
            without arguments.
        f: A formula in x, or a name of torch.nn, in its place.
    """
    if bool(target) == bool(f) or len(f) > 1:
        raise UserError("name one activation: MODULE:NAME, as in torch.nn:SiLU, or a formula, as in --f 'x*sigmoid(x)'")
    if f:
        try:
            return look(read(f[0]))
        except ExpressionError as error:
            raise UserError(str(error)) from None
    return look(load(target))


def table() -> Table:
    """Print symmetry, behaviour at zero and Gaussian means of every elementwise activation of torch.nn.

    Example: workings use activations table
    """
    return Table(tuple(look(read(name)) for name in FORMULAS), LEFT_OUT)


VERBS = (examine, table)


def load(target: str) -> Activation:
    """The callable that a person names, imported; a `UserError` where it is none, or no activation."""
    name, colon, attribute = target.partition(":")
    if not colon or not name or not attribute:
        raise UserError(
            f"{target!r} names no callable: write MODULE:NAME, as in torch.nn:SiLU, or use --f for a formula"
        )
    found: Any = _imported(name, target)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise UserError(f"{name} has no {attribute!r}: look for its name in the module")
        found = getattr(found, part)
    if inspect.isclass(found):
        if issubclass(found, nn.Module) and found in map(vars(nn).get, FORMULAS):
            return read(found.__name__)  # torch's own, whose formula is known
        found = _attempt(found, f"{target} cannot be built without arguments")
    if isinstance(found, nn.Module):
        found = found.eval().double()
    if not callable(found):
        raise UserError(f"{target} is {type(found).__name__}, not callable: name a function, or a class of them")

    def tried() -> None:
        elementwise(found, target)
        import torch

        derivatives(found, torch.linspace(-1, 1, 5, dtype=torch.float64), 1)

    _attempt(tried, f"{target} cannot be called with a float64 tensor and differentiated")
    return Activation(target, found, None)


def _imported(name: str, target: str) -> Any:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return _attempt(lambda: importlib.import_module(name), f"{name!r} of {target!r} cannot be imported")
    finally:
        sys.path.remove(here)


def _attempt(action: Any, failure: str) -> Any:
    """Call foreign code; whatever it raises becomes one line, and its warnings are not ours to pass on."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return action()
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise UserError(f"{failure} ({reason})") from None
