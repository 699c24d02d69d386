"""Commands that carry out trials, or ship what was carried out: run, check, record."""

import dataclasses
import json
from typing import Annotated, Any

from workings.commands.usage import help_only, positional, tell_faults
from workings.core.errors import UserError


def run(args: list[str]) -> int:
    """Carry out trials of one study."""
    from workings import render
    from workings.arguments import parse
    from workings.core.registry import find
    from workings.core.runs import RunStore
    from workings.execute.local import Options, carry_out

    if not args or args[0].startswith("-"):
        help_only(
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

        names: Annotated[tuple[str, ...], positional()] = ()
        """What to check, as in: minimax, minimax.ascent-rule, nyu-2025-hw3, nyu-2025-hw3/1b."""
        run: bool = False
        """Carry out the preset's trials where they are missing, training included."""
        preset: str | None = None
        """Which trials --run carries out (quick, unless you say)."""
        fresh: bool = False
        """Leave the evidence that is shipped with the studies aside."""
        strict: bool = False
        """Exit with 1 also where a verdict is inconclusive or not run."""
        json: bool = False
        """Machine-readable."""
        jobs: int = 1
        """Trials side by side."""
        on: str = "local"
        """Where trials are carried out: local, ray, ray://HOST:PORT or ray:HOST:PORT."""

    given = parse(Check, args, prog="workings check")
    tell_faults()
    findings = verbs.check(
        *given.names,
        run=given.run,
        preset=given.preset,
        fresh=given.fresh,
        options=Options(jobs=given.jobs, on=given.on),
        notice=render.notice,
    )
    if given.json:
        print(json.dumps([finding.to_json() for finding in findings], indent=2, ensure_ascii=False))
    else:
        render.ledger(findings)
    wrong = any(finding.contradicts or (given.strict and finding.open) for finding in findings)
    return 1 if wrong else 0


def record(args: list[str]) -> int:
    """Ship runs."""
    from workings import verbs
    from workings.arguments import parse

    @dataclasses.dataclass(frozen=True)
    class Record:
        """Copy finished runs, without their weights, into their studies' evidence folders, to be shipped."""

        runs: Annotated[tuple[str, ...], positional()]
        """Run ids, or their first digits."""
        pictures: bool = True
        """Take along the pictures that a run kept: of many runs alike, those of one are enough."""

    given = parse(Record, args, prog="workings record")
    for path in verbs.record(given.runs, pictures=given.pictures):
        print(path)
    return 0


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
    """Separate how to run (device, threads, jobs, again, on) from what to run, which is the study's own."""
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
