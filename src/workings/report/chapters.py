"""What a page shows, gathered from findings and runs: no decision is taken here and no number typed.

A `Chapter` is a study with its verdicts, its figures and the entries of its runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workings.core.claim import Kind
from workings.core.config import length_field
from workings.core.evidence import Archive, Run
from workings.core.ledger import Finding, judge
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.report import commands
from workings.report.formatting import slug


@dataclass(frozen=True)
class Entry:
    """A run as the lists show it."""

    study: Study
    run: Run
    page: str
    """File name of its page, in ``run/``."""

    @property
    def stale(self) -> bool:
        """Made by another version of the study, so it decides nothing."""
        return self.run.version != self.study.version

    @property
    def origin(self) -> str:
        """``recorded`` (shipped with the study) or ``fresh`` (made on this machine)."""
        return origin((self.run,))

    @property
    def reached(self) -> str:
        """How far it went: ``20 epochs``, ``finished``, ``unfinished``."""
        if self.run.reached is None:
            return "unfinished"
        length = length_field(self.study.config)
        return f"{self.run.reached} {length}" if length else "finished"

    @property
    def changed(self) -> Mapping[str, Any]:
        """The settings that differ from the study's defaults."""
        return commands.changed(self.study, self.run.config)

    @property
    def command(self) -> str | None:
        """The command that repeats it, where this version of the study can."""
        return None if self.stale else commands.repeat(self.study, self.run.config)


@dataclass(frozen=True)
class Chapter:
    """A study as the report tells it."""

    study: Study
    archive: Archive
    findings: tuple[Finding, ...]
    entries: tuple[Entry, ...]

    @classmethod
    def read(cls, study: Study, store: RunStore, *, fresh_only: bool) -> "Chapter":
        """Read the runs of a study and judge all its claims."""
        archive = store.archive(study, fresh_only=fresh_only)
        fresh = {run.id for run in archive.runs if not run.recorded}
        entries = (Entry(study, run, _page(run, fresh)) for run in archive.runs)
        return cls(study, archive, tuple(judge(archive, study.claims)), tuple(entries))

    @cached_property
    def pages(self) -> Mapping[Run, Entry]:
        """The entry of each run."""
        return {entry.run: entry for entry in self.entries}

    @property
    def transcribed(self) -> dict[str, Mapping[str, Any]]:
        """The records of `published.toml` that several claims read, so that they stand under none."""
        own = {claim.id for claim in self.study.claims}
        return {key: record for key, record in self.study.published.items() if key not in own}

    @property
    def counts(self) -> dict[str, int]:
        """How many claims came to each verdict."""
        return tally(self.findings)


def tally(findings: Sequence[Finding]) -> dict[str, int]:
    """The number of findings of each verdict, none left out."""
    return {str(kind): sum(finding.verdict.kind is kind for finding in findings) for kind in Kind}


def origin(runs: Sequence[Run]) -> str:
    """Whether evidence is ``fresh``, ``recorded``, both or neither (an empty string)."""
    kinds = sorted({"recorded" if run.recorded else "fresh" for run in runs})
    return " and ".join(kinds)


def sheet(source: str) -> str:
    """The sheet of ``nyu-2025-hw3/1b``."""
    return source.partition("/")[0]


def _page(run: Run, fresh: set[str]) -> str:
    """A recorded run keeps its id as its name, unless the same run was also made here."""
    return slug(f"{run.id}-recorded" if run.recorded and run.id in fresh else run.id) + ".html"
