"""Commands that put things to use: use, data, doctor, new."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from workings.commands.usage import help_only, positional, switch
from workings.core.errors import UserError, suggestion


def use(args: list[str]) -> int:
    """A study's own verbs."""
    from workings import render
    from workings.arguments import parse
    from workings.core.registry import find, studies

    if not args or args[0].startswith("-"):
        users = ", ".join(s.id for s in studies().values() if s.has("tool"))
        help_only(args, f"workings use STUDY VERB …; studies with verbs: {users}")
        return 0
    study = find(args[0])
    if not study.has("tool"):
        raise UserError(
            f"{study.id} has no verbs of its own: `workings run {study.id} --help` shows what can be varied"
        )
    verbs: Mapping[str, Callable[..., Any]] = {v.__name__.replace("_", "-"): v for v in study.part("tool").VERBS}
    if len(args) == 1 or args[1].startswith("-"):
        help_only(args[1:], "\n".join(f"workings use {study.id} {n}: {render.first_line(v)}" for n, v in verbs.items()))
        return 0
    if args[1] not in verbs:
        known = ", ".join(verbs)
        raise UserError(f"{study.id} has no verb {args[1]!r}{suggestion(args[1], verbs)}: choose from {known}")
    rest = [arg for arg in args[2:] if arg != "--json"]
    result = parse(verbs[args[1]], rest, prog=f"workings use {study.id} {args[1]}")
    print(json.dumps(dataclasses.asdict(result), indent=2, ensure_ascii=False) if "--json" in args else result)
    return 0


def doctor(args: list[str]) -> int:
    """Whether this machine has what is needed."""
    from workings import doctor as surgery
    from workings import render

    if args not in ([], ["--licences"]):
        raise UserError(f"`workings doctor` takes --licences and nothing else, not {' '.join(args)!r}")
    if args:
        render.licences(surgery.licences())
        return 0
    return render.diagnosis(surgery.examine())


def new(args: list[str]) -> int:
    """Scaffold a study, or a problem set."""
    from workings import scaffold
    from workings.arguments import parse

    @dataclasses.dataclass(frozen=True)
    class New:
        """Scaffold a study: its folder with every file, and a test that fails until it is written.

        With --problem-set: a package of your own, with a page, a small study whose claims it shows, and such a test.
        """

        name: Annotated[str, positional()]
        """The id of the study or the set: lower case, digits, underscores."""
        problem_set: Annotated[bool, switch()] = False
        """A problem set in a package of its own."""
        into: Path | None = None
        """The folder of studies (this checkout's, unless you say), or the one that the package goes into (this one)."""

    given = parse(New, args, prog="workings new")
    if not given.problem_set:
        for path in scaffold.create(given.name, given.into):
            print(path)
        return 0
    made = scaffold.create_set(given.name, given.into)
    width = max(len(str(path)) for path in made.files)
    for path, purpose in made.files.items():
        print(f"{path!s:<{width}}  {purpose}")
    print("\nNext, where workings is installed:\n")
    for command, purpose in made.steps:
        print(f"  {command:<{max(len(command) for command, _ in made.steps)}}  {purpose}")
    return 0


def data(args: list[str]) -> int:
    """Datasets: list, get, verify."""
    from workings import render
    from workings.data import catalogue

    if args[:1] == ["get"] and len(args) == 4 and args[2] == "--from":
        print(catalogue.get(args[1], args[3]))
        return 0
    verbs: Mapping[str, Callable[[str], str]] = {"get": catalogue.get, "verify": catalogue.verify}
    if args in ([], ["list"]):
        render.datasets(catalogue.entries())
        return 0
    if len(args) == 2 and args[0] in verbs:
        print(verbs[args[0]](args[1]))
        return 0
    help_only(args, "workings data list | get ID [--from URL] | verify ID")
    return 0
