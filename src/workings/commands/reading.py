"""Commands that read: list, show, report."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Literal

from workings.commands.usage import flag, positional, tell_faults
from workings.core.errors import UserError


def list_studies(args: list[str]) -> int:
    """The studies, one a line."""
    if args not in ([], ["--json"]):
        raise UserError(f"`workings list` takes --json and nothing else, not {' '.join(args)!r}")
    from workings.core.registry import studies

    rows = [(s.id, s.title, s.summary, s.sources) for s in studies().values()]
    tell_faults()
    if args:
        print(
            json.dumps([dict(zip(("id", "title", "summary", "sources"), row, strict=True)) for row in rows], indent=2)
        )
        return 0
    width = max(len(row[0]) for row in rows)
    for study_id, _, summary, sources in rows:
        print(f"{study_id:<{width}}  {summary}  [{', '.join(sources)}]")
    return 0


def show(args: list[str]) -> int:
    """Describe a study, a claim or a run."""
    from workings import render, verbs
    from workings.arguments import parse

    @dataclasses.dataclass
    class Show:
        """Describe a study, a claim (STUDY.CLAIM) or a run (the first digits of its id)."""

        name: Annotated[str, positional()]

    name = parse(Show, args, prog="workings show").name
    render.shown(verbs.show(name))
    return 0


def report(args: list[str]) -> int:
    """Write the site, or problem sets as documents."""
    from workings import render, verbs
    from workings.arguments import parse
    from workings.core.registry import problem_sets

    @dataclasses.dataclass(frozen=True)
    class Report:
        """Without a name: the ledger, a page a study, a problem set and a run: a site that opens from disk.

        With the name of a problem set, or --all: that set as a document in one file.
        """

        sets: Annotated[tuple[str, ...], positional()] = ()
        """Problem sets, as in: nyu-2025-hw3."""
        all: bool = False
        """All problem sets."""
        to: Literal["html", "ipynb", "pdf"] | None = None
        """The form of the documents (html, unless you say)."""
        output: Annotated[Path | None, flag("-o")] = None
        """The folder of the site ("report"), which replaces an earlier report there and leaves anything else alone; or
        the folder or file of the documents (the present folder)."""
        fill: tuple[str, ...] = ()
        """What you fill in, as in: --fill "collaborators=Ada and Grace"."""
        fresh: bool = False
        """Leave the evidence that is shipped with the studies aside."""

    given = parse(Report, args, prog="workings report")
    names = tuple(problem_sets()) if given.all else given.sets
    if set(given.sets) <= problem_sets().keys():  # one that is asked for and broken tells it itself
        tell_faults()
    if not names:
        if given.to or given.fill:
            raise UserError("name a problem set, or --all of them: --to and --fill are about documents")
        print(verbs.report(given.output or Path("report"), fresh=given.fresh, notice=render.notice))
        return 0
    wrong = next((entry for entry in given.fill if "=" not in entry), None)
    if wrong is not None:
        raise UserError(f"--fill {wrong!r}: write FIELD=TEXT")
    answers = dict(entry.split("=", 1) for entry in given.fill)
    form = given.to or "html"
    for path in verbs.documents(names, form, given.output, answers=answers, fresh=given.fresh, notice=render.notice):
        print(path)
    return 0
