"""How the commands declare their flags and tell their usage."""

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


def help_only(args: Sequence[str], usage: str) -> None:
    """Print the usage where it was asked for, or complain with it."""
    if args and args[0] not in ("-h", "--help"):
        raise UserError(f"not understood: {' '.join(args)!r}; {usage}")
    print(usage)
