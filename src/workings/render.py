"""What the command line prints: tables on a terminal, plain lines elsewhere, nothing that is not in the results."""

import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from workings.core.claim import Kind
from workings.core.evidence import Run
from workings.core.ledger import Finding
from workings.core.study import Study, Trial

if TYPE_CHECKING:
    from workings.data.catalogue import Entry
    from workings.doctor import Symptom
    from workings.execute.local import Outcome
    from workings.verbs import About

MARKS = {
    Kind.SUPPORTED: ("✓", "green"),
    Kind.REFUTED: ("✗", "red"),
    Kind.INCONCLUSIVE: ("?", "yellow"),
    Kind.NOT_RUN: ("·", "dim"),
}
PIPE_WIDTH = 160
"""Columns where the output is no terminal, so that lines stay whole."""


def console() -> Console:
    """Standard output: as wide as the terminal, wide where it is a file."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def notice(trial: Trial, finished: bool) -> None:
    """Say on standard error what is being carried out; nothing for what is there already."""
    if not finished:
        print(f"running {trial.describe()}", file=sys.stderr, flush=True)


def ledger(findings: Sequence[Finding]) -> None:
    """Every claim with its verdict, study by study, and the count."""
    out = console()
    for study, group in groupby(findings, key=lambda finding: finding.study.id):
        table = Table(
            title=study, title_justify="left", box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0)
        )
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for finding in group:
            mark, colour = MARKS[finding.verdict.kind]
            note = " ← not what the study expects" if finding.contradicts else ""
            kind = Text(f"{mark} {finding.verdict.kind}", style=colour)
            table.add_row(kind, finding.claim.id, escape(finding.verdict.sentence + _origin(finding) + note))
        out.print(table)
        out.print()
    counts = {kind: sum(f.verdict.kind is kind for f in findings) for kind in Kind}
    out.print(f"{len(findings)} claims: " + ", ".join(f"{n} {kind}" for kind, n in counts.items() if n))


def _origin(finding: Finding) -> str:
    """Where measured evidence comes from, and whether it was shipped."""
    evidence = finding.evidence
    if not evidence.datasets or finding.verdict.kind is Kind.NOT_RUN:
        return ""
    recorded = ", recorded" if evidence.recorded else ""
    return f" [{', '.join(evidence.datasets)}{recorded}]"


def shown(about: "About") -> None:
    """What `workings show` found."""
    out = console()
    out.print(f"[bold]{escape(about.title)}[/bold]")
    for paragraph in about.paragraphs:
        out.print(escape(paragraph))
    for name, rows in about.tables.items():
        out.print(f"\n[bold]{escape(name)}[/bold]")
        _table(out, rows)


def outcome(study: Study, outcome: "Outcome") -> None:
    """A run's last numbers, and where it lies."""
    out = console()
    run = outcome.run
    state = "" if outcome.made else " (finished before; --again repeats it)"
    title = escape(Trial(study, _config(study, run)).describe())
    out.print(f"[bold]{title}[/bold]  run {run.id}{state}", soft_wrap=True)
    _table(out, [(name, number(value)) for name, value in run.metrics.items()])
    for name in run.names("tables"):
        if name == "result":
            _table(out, [(key, str(value)) for key, value in run.table(name).items()])


def datasets(entries: "Iterable[Entry]") -> None:
    """The datasets and whether they are at hand."""
    _table(console(), [(e.id, "at hand" if e.at_hand else "missing", e.title, e.licence) for e in entries])


def diagnosis(symptoms: "Sequence[Symptom]") -> int:
    """What `doctor` found, with remedies; the exit status."""
    _table(console(), [("✓" if s.well else "✗", s.name, s.finding, "" if s.well else s.remedy) for s in symptoms])
    return 0 if all(symptom.well for symptom in symptoms) else 1


def licences(rows: Sequence[tuple[str, str, str]]) -> None:
    """Packages with their licences."""
    _table(console(), rows)


def first_line(thing: Any) -> str:
    """The first line of a docstring."""
    return (thing.__doc__ or "").strip().partition("\n")[0]


def number(value: float) -> str:
    """Counts whole, measurements to four significant digits."""
    return f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"


def _config(study: Study, run: Run) -> Any:
    from workings.core.config import from_json

    return from_json(study.config, run.config)


def _table(out: Console, rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    out.print(table)
