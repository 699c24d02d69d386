"""The commands: each takes its arguments as typed, calls a verb, has the result printed, and returns the exit status.

A command imports what it needs when it is called, so that `workings list` loads nothing heavy.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from workings.core.errors import UserError, suggestion

Command = Callable[[list[str]], int]
PresetName = Literal["smoke", "quick", "full"]


# ---- list and show ----


def list_studies(args: list[str]) -> int:
    """The studies, one a line."""
    if args not in ([], ["--json"]):
        raise UserError(f"`workings list` takes --json and nothing else, not {' '.join(args)!r}")
    from workings.core.registry import studies

    rows = [(s.id, s.title, s.summary, s.sources) for s in studies().values()]
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

        name: Annotated[str, _positional()]

    name = parse(Show, args, prog="workings show").name
    render.shown(verbs.show(name))
    return 0


# ---- run and check ----


def run(args: list[str]) -> int:
    """Carry out trials of one study."""
    from workings import render
    from workings.arguments import parse
    from workings.core.registry import find
    from workings.core.runs import RunStore
    from workings.execute.local import Options, carry_out

    if not args or args[0].startswith("-"):
        _help_only(
            args, "workings run STUDY [--preset smoke|quick|full] [--FIELD VALUE …]; fields: workings run STUDY --help"
        )
        return 0
    study = find(args[0])
    rest, preset = _take(args[1:], "--preset")
    rest, named = _split_options(rest, Options)
    prog = f"workings run {study.id}"
    options = parse(Options, named, prog=prog)
    bases = study.preset(preset) if preset is not None else [study.config()]
    about = _run_help(study)
    configs = [parse(study.config, rest, prog=prog, about=about, default=base) for base in bases]
    outcomes = carry_out(study, configs, RunStore.default(), options, render.notice)
    for outcome in outcomes:
        render.outcome(study, outcome)
    return 0


def check(args: list[str]) -> int:
    """The verdicts."""
    from workings import render, verbs
    from workings.arguments import parse
    from workings.execute.local import Options

    @dataclasses.dataclass(frozen=True)
    class Check:
        """The verdict on every claim that is named: a study, STUDY.CLAIM or a sheet; all of them without a name.

        Instant trials (mathematics, counts) that are missing are carried out; --run adds those that train.
        """

        names: Annotated[tuple[str, ...], _positional()] = ()
        """What to check, as in: minimax, minimax.ascent-rule, nyu-2025-hw3, nyu-2025-hw3/1b."""
        run: bool = False
        """Carry out the preset's trials where they are missing, training included."""
        preset: PresetName | None = None
        """Which trials --run carries out (quick, unless you say)."""
        fresh: bool = False
        """Leave the evidence that is shipped with the studies aside."""
        strict: bool = False
        """Exit with 1 also where a verdict is inconclusive or not run."""
        json: bool = False
        """Machine-readable."""
        jobs: int = 1
        """Trials side by side."""

    given = parse(Check, args, prog="workings check")
    findings = verbs.check(
        *given.names,
        run=given.run,
        preset=given.preset,
        fresh=given.fresh,
        options=Options(jobs=given.jobs),
        notice=render.notice,
    )
    if given.json:
        print(json.dumps([finding.to_json() for finding in findings], indent=2, ensure_ascii=False))
    else:
        render.ledger(findings)
    wrong = any(finding.contradicts or (given.strict and finding.open) for finding in findings)
    return 1 if wrong else 0


# ---- report, record, data ----


def report(args: list[str]) -> int:
    """Write the site."""
    from workings import verbs
    from workings.arguments import parse

    @dataclasses.dataclass(frozen=True)
    class Report:
        """Write the ledger, a page a study and a page a run: a site that opens from disk, with no network."""

        output: Annotated[Path, _flag("-o")] = Path("report")
        """The folder to write; an earlier report there is replaced, anything else is left alone."""
        fresh: bool = False
        """Leave the evidence that is shipped with the studies aside."""

    given = parse(Report, args, prog="workings report")
    print(verbs.report(given.output, fresh=given.fresh))
    return 0


def record(args: list[str]) -> int:
    """Ship runs."""
    from workings import verbs
    from workings.arguments import parse

    @dataclasses.dataclass(frozen=True)
    class Record:
        """Copy finished runs, without their weights, into their studies' evidence folders, to be shipped."""

        runs: Annotated[tuple[str, ...], _positional()]
        """Run ids, or their first digits."""

    for path in verbs.record(parse(Record, args, prog="workings record").runs):
        print(path)
    return 0


def data(args: list[str]) -> int:
    """Datasets: list, get, verify."""
    from workings import render
    from workings.data import catalogue

    verbs: Mapping[str, Callable[[str], str]] = {"get": catalogue.get, "verify": catalogue.verify}
    if args in ([], ["list"]):
        render.datasets(catalogue.entries())
        return 0
    if len(args) == 2 and args[0] in verbs:
        print(verbs[args[0]](args[1]))
        return 0
    _help_only(args, "workings data list | get ID | verify ID")
    return 0


# ---- use, doctor, new ----


def use(args: list[str]) -> int:
    """A study's own verbs."""
    from workings import render
    from workings.arguments import parse
    from workings.core.registry import find, studies

    if not args or args[0].startswith("-"):
        users = ", ".join(s.id for s in studies().values() if s.has("tool"))
        _help_only(args, f"workings use STUDY VERB …; studies with verbs: {users}")
        return 0
    study = find(args[0])
    if not study.has("tool"):
        raise UserError(
            f"{study.id} has no verbs of its own: `workings run {study.id} --help` shows what can be varied"
        )
    verbs: Mapping[str, Callable[..., Any]] = {v.__name__.replace("_", "-"): v for v in study.part("tool").VERBS}
    if len(args) == 1 or args[1].startswith("-"):
        _help_only(
            args[1:], "\n".join(f"workings use {study.id} {n}: {render.first_line(v)}" for n, v in verbs.items())
        )
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
    """Scaffold a study."""
    from workings import scaffold
    from workings.arguments import parse

    @dataclasses.dataclass(frozen=True)
    class New:
        """Scaffold a study: its folder with every file, and a test that fails until it is written."""

        name: Annotated[str, _positional()]
        """The study's id: lower case, digits, underscores."""
        into: Path | None = None
        """The folder of studies; this checkout's, unless you say."""

    given = parse(New, args, prog="workings new")
    for path in scaffold.create(given.name, given.into):
        print(path)
    return 0


COMMANDS: Mapping[str, Command] = {
    "list": list_studies,
    "show": show,
    "run": run,
    "check": check,
    "report": report,
    "record": record,
    "data": data,
    "use": use,
    "doctor": doctor,
    "new": new,
}


def _positional() -> Any:
    import tyro

    return tyro.conf.Positional


def _flag(short: str) -> Any:
    import tyro

    return tyro.conf.arg(aliases=[short])


def _help_only(args: Sequence[str], usage: str) -> None:
    """Print the usage where it was asked for, or complain with it."""
    if args and args[0] not in ("-h", "--help"):
        raise UserError(f"not understood: {' '.join(args)!r}; {usage}")
    print(usage)


def _take(args: list[str], flag: str) -> tuple[list[str], str | None]:
    """Take ``--flag value`` or ``--flag=value`` out of the arguments."""
    for i, arg in enumerate(args):
        if arg == flag:
            if i + 1 == len(args):
                raise UserError(f"{flag} needs a value")
            return args[:i] + args[i + 2 :], args[i + 1]
        if arg.startswith(f"{flag}="):
            return args[:i] + args[i + 1 :], arg.partition("=")[2]
    return args, None


def _split_options(args: list[str], options: type[Any]) -> tuple[list[str], list[str]]:
    """Separate how to run (device, threads, jobs, again) from what to run, which is the study's own."""
    taken: list[str] = []
    for field in dataclasses.fields(options):
        if field.type in ("bool", bool):
            taken += [arg for arg in args if arg == f"--{field.name}"]
            args = [arg for arg in args if arg != f"--{field.name}"]
        else:
            args, value = _take(args, f"--{field.name}")
            taken += [] if value is None else [f"--{field.name}", value]
    return args, taken


def _run_help(study: Any) -> str:
    from workings.execute.local import Options

    examples = "".join(f"\n  {example}" for example in study.examples)
    names = ", ".join(f"--{field.name}" for field in dataclasses.fields(Options))
    presets = ", ".join(f"{p.__name__} ({len(p())} trial{'s' * (len(p()) != 1)})" for p in study.presets)
    return f"{study.summary}\n\nPresets: {presets}. How to run: {names}.\n\nExamples:{examples}"
