"""How the commands declare their flags and tell their usage."""

import sys
from collections.abc import Sequence
from typing import Any

from workings.core.errors import UserError


def positional() -> Any:
    """A field that is given by place."""
    import tyro

    return tyro.conf.Positional


def flag(short: str) -> Any:
    """A field that has a short flag as well."""
    import tyro

    return tyro.conf.arg(aliases=[short])


def switch() -> Any:
    """A flag that is given or not, without a --no- form."""
    import tyro

    return tyro.conf.FlagCreatePairsOff


def help_only(args: Sequence[str], usage: str) -> None:
    """Print the usage where it was asked for, or complain with it."""
    if args and args[0] not in ("-h", "--help"):
        raise UserError(f"not understood: {' '.join(args)!r}; {usage}")
    print(usage)


def tell_faults() -> None:
    """Say on standard error what installed packages announce and is left out, and why."""
    from workings.core.registry import faults

    for fault in faults():
        print(f"workings: left out: {' '.join(str(fault).split())}", file=sys.stderr)
