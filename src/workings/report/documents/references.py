"""The words by which a page names what evidence says: ``{{ claim("minimax.ascent-rule") }}`` and the like.

On a line of their own stand

    claim("minimax.step-range")       the claim, its verdict, its witness
    figure("minimax.phase-portrait")  a figure
    notes("minimax#1c")               a section of a study's write-up: derivations live there, once
    field("collaborators")            a line to fill in
    checklist()                       what the sheet asks to hand in
    errata()                          every statement that evidence refutes

and within a sentence, or as what a cell has to give,

    metric("spelling", "test/cer", attention=True)     the mean over the runs with these settings
    number("spelling.attention-helps", "difference")   a number of a verdict
    witness("minimax.ascent-rule", "true_step")        a number of a witness
    published("minimax.step-range", "high")            what a sheet or its published answer states
    setting("spelling", "epochs")                      a setting that the longest preset's trials share
    table("minimax", "stationary", "points", 0)        an entry of a table that a run kept

A reference to what does not exist is a `ReferenceFault`; to what has not been measured yet, it is noted as missing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, NoReturn

from workings.core.errors import MissingEvidence, UserError, suggestion
from workings.core.evidence import ANY, Run
from workings.core.ledger import Finding
from workings.core.problem_set import ProblemSet
from workings.report import commands
from workings.report.chapters import Chapter
from workings.report.documents.blocks import Block, ChecklistBlock, ClaimBlock, FieldBlock, MissingBlock
from workings.report.documents.errata import errata
from workings.report.documents.pictures import drawn
from workings.report.drawings import kept_specs, lack
from workings.report.formatting import value

MARK = "WORKINGSBLOCK{}END"
"""What stands for a block in the text that pandoc reads: a word that no page holds."""
NOT_YET = "*not measured yet*"
PREAMBLE = re.compile(r"\s*(?:# [^\n]*\n)?(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+)\s+.*?\{#([\w.-]+)[^}]*\}\s*$", re.MULTILINE)


class ReferenceFault(UserError):
    """A page names something that does not exist."""


class Shown(str):
    """A figure as text, with the value behind it."""

    value: Any = None

    @classmethod
    def of(cls, item: Any) -> "Shown":
        """The text of a value, safe within Markdown."""
        shown = cls(re.sub(r"([\\`*_\[\]<>$#|^~])", r"\\\1", value(item)))
        shown.value = item
        return shown

    def _calculated(self, _: object) -> NoReturn:
        raise ReferenceFault(f"a page does not calculate with {self}: have the study record the number that is wanted")

    __mul__ = __rmul__ = _calculated  # a text would be repeated; other operations do not know texts


@dataclass
class References:
    """The vocabulary of one page; it collects the blocks it hands out, and what is missing."""

    page: ProblemSet
    book: Mapping[str, Chapter]
    answers: Mapping[str, str] = field(default_factory=dict)
    """By field, what a person has filled in."""
    blocks: list[Block] = field(default_factory=list)
    missing: list[MissingBlock] = field(default_factory=list)
    question: str = ""
    """The sub-question that is being read."""
    lacking: set[str] = field(default_factory=set)
    """The sub-questions in which something is missing."""

    def vocabulary(self) -> dict[str, Callable[..., str]]:
        """The words by name."""
        blocks = (self.claim, self.figure, self.notes, self.field, self.checklist, self.errata, self.at)
        values = (self.metric, self.number, self.witness, self.published, self.setting, self.table)
        return {word.__name__: word for word in (*blocks, *values)}

    def place(self, block: Block) -> str:
        """Keep a block, and return the mark that stands for it."""
        self.blocks.append(block)
        return MARK.format(len(self.blocks) - 1)

    # ---- on a line of their own ----

    def at(self, question: str) -> str:
        """Say which sub-question follows; composed pages hold it above each heading."""
        self.question = question
        return ""

    def claim(self, id: str) -> str:
        """A claim with its verdict."""
        study = id.partition(".")[0]
        if self._to_come(study):
            return self._later(study, f"The verdict on {id}")
        finding = self._finding(id)
        if finding.open and not finding.evidence.runs:
            self._note(
                f"{id} has not been run", commands.make(self._chapter(finding.study.id).archive, finding.evidence)
            )
        elif finding.open and self._waits(finding):
            self.lacking.add(self.question)  # the verdict itself says what for
        return self.place(ClaimBlock(finding))

    def _waits(self, finding: Finding) -> bool:
        """Whether trials of the preset that decides are still to be made."""
        preset = finding.evidence.preset
        return preset is not None and not self._chapter(finding.study.id).archive.holds(finding.study.preset(preset))

    def figure(self, id: str) -> str:
        """A figure of a study."""
        study_id, _, rest = id.partition(".")
        if self._to_come(study_id):
            return self._later(study_id, f"Figure {id}")
        chapter = self._chapter(study_id)
        specs = {spec.id: spec for spec in kept_specs(chapter.study)}
        if rest not in specs:
            raise ReferenceFault(f"{study_id} has no figure {rest!r}{suggestion(rest, specs)}: {', '.join(specs)}")
        evidence = chapter.archive.evidence((ANY,))
        if missing := lack(chapter.study, specs[rest], evidence):
            return self._lack(f"Figure {id}: {missing}", commands.make(chapter.archive, evidence))
        return self.place(drawn(chapter.study, specs[rest], evidence))

    def notes(self, place: str) -> str:
        """A section of a study's write-up (``study#anchor``), without its heading; or what stands before the first."""
        study_id, of_section, anchor = place.partition("#")
        if self._to_come(study_id):
            return self._later(study_id, "The answer in words")
        text = self._chapter(study_id).study.file("notes.md").read_text(encoding="utf-8")
        if not of_section:
            return "\n\n" + PREAMBLE.match(text)[1].strip() + "\n\n"  # type: ignore[index]  # it matches any text
        found = [(m.start(), m.end(), len(m[1]), m[2]) for m in HEADING.finditer(text)]
        for index, (_, end, level, name) in enumerate(found):
            if name == anchor:
                after = (start for start, _, other, _ in found[index + 1 :] if other <= level)
                return "\n\n" + _lowered(text[end : next(after, len(text))], study_id) + "\n\n"
        names = [name for *_, name in found]
        raise ReferenceFault(f"{study_id}/notes.md has no section {anchor!r}{suggestion(anchor, names)}")

    def field(self, name: str) -> str:
        """A line to fill in."""
        if name not in self.page.fields:
            raise ReferenceFault(f"the front matter has no field {name!r}{suggestion(name, self.page.fields)}")
        answer = self.answers.get(name, "")
        if not answer.strip():
            self.lacking.add(self.question)
        return self.place(FieldBlock(self.page.fields[name], answer))

    def checklist(self) -> str:
        """What the sheet asks to hand in; `composition` ticks it once it knows what is missing."""
        return self.place(ChecklistBlock(tuple((item, True) for item in self.page.hand_in)))

    def errata(self) -> str:
        """Every statement that evidence refutes, with witness and repair."""
        return errata([finding for chapter in self.book.values() for finding in chapter.findings], self.place)

    # ---- within a sentence ----

    def metric(self, study: str, name: str, **settings: Any) -> str:
        """The mean of a metric over the runs with these settings."""
        return self._measured(study, settings, lambda runs: fmean(run.metric(name) for run in runs), name)

    def table(self, study: str, name: str, *path: Any, **settings: Any) -> str:
        """An entry of a table of the first run with these settings."""
        return self._measured(study, settings, lambda runs: _entry(runs[0].table(name), path, name), name)

    def number(self, claim: str, *path: Any) -> str:
        """A number of a claim's verdict."""
        return self._verdict(claim, path, lambda finding: finding.verdict.numbers)

    def witness(self, claim: str, *path: Any) -> str:
        """A number of a claim's witness."""
        return self._verdict(claim, path, lambda finding: finding.verdict.witness or {})

    def published(self, place: str, *path: Any) -> str:
        """What a sheet or its published answer states."""
        study, _, key = place.partition(".")
        if self._to_come(study):
            return self._not_yet(study)
        return Shown.of(_entry(self._chapter(study).study.published, (key, *path), "published.toml"))

    def setting(self, study: str, name: str) -> str:
        """A setting that all trials of the longest preset share."""
        if self._to_come(study):
            return self._not_yet(study)
        values = {getattr(config, name, None) for config in self._chapter(study).study.presets[-1]()}
        if len(values) != 1 or None in values:
            raise ReferenceFault(f"the trials of {study} share no one value of {name!r}")
        return Shown.of(values.pop())

    # ---- looking up ----

    def _chapter(self, study: str) -> Chapter:
        if study not in self.book:
            raise ReferenceFault(
                f"there is no study {study!r}{suggestion(study, self.book)} (to_come in the front matter names those "
                "that are still to be built)"
            )
        return self.book[study]

    def _to_come(self, study: str) -> bool:
        return study not in self.book and study in self.page.to_come

    def _finding(self, id: str) -> Finding:
        chapter = self._chapter(id.partition(".")[0])
        findings = {finding.id: finding for finding in chapter.findings}
        if id not in findings:
            raise ReferenceFault(f"there is no claim {id!r}{suggestion(id, findings)}")
        return findings[id]

    def _measured(self, study_id: str, settings: Mapping[str, Any], read: Callable[[list[Run]], Any], name: str) -> str:
        if self._to_come(study_id):
            return self._not_yet(study_id)
        chapter = self._chapter(study_id)
        unknown = settings.keys() - chapter.study.config.__dataclass_fields__.keys()
        if unknown:
            raise ReferenceFault(f"{study_id} has no setting {', '.join(sorted(unknown))}")
        evidence = chapter.archive.evidence((ANY,))
        try:
            runs = list(evidence.where(**settings))
        except MissingEvidence as missing:
            self._note(str(missing), commands.make(chapter.archive, evidence))
            return NOT_YET
        try:
            return Shown.of(read(runs))
        except MissingEvidence:
            known = ", ".join(sorted({*runs[0].metrics, *runs[0].names("tables")}))
            raise ReferenceFault(f"the runs of {study_id} kept no {name!r}: they kept {known}") from None

    def _verdict(self, id: str, path: tuple[Any, ...], read: Callable[[Finding], Mapping[str, Any]]) -> str:
        if self._to_come(id.partition(".")[0]):
            return self._not_yet(id.partition(".")[0])
        finding = self._finding(id)
        if not finding.evidence.runs or str(finding.verdict.kind) == "not-run":
            self._note(
                f"{id} has not been run", commands.make(self._chapter(finding.study.id).archive, finding.evidence)
            )
            return NOT_YET
        return Shown.of(_entry(read(finding), path, id))

    def _note(self, what: str, command: str | None) -> MissingBlock:
        block = MissingBlock(what, command)
        if block not in self.missing:
            self.missing.append(block)
        self.lacking.add(self.question)
        return block

    def _not_yet(self, study: str) -> str:
        self._note(f"The study {study} is still to come", None)
        return NOT_YET

    def _later(self, study: str, what: str) -> str:
        self._not_yet(study)
        return self.place(MissingBlock(f"{what} will stand here: the study {study} is still to come", None))

    def _lack(self, what: str, command: str | None) -> str:
        return self.place(self._note(what, command))


def _entry(item: Any, path: tuple[Any, ...], name: str) -> Any:
    for step in path:
        try:
            item = item[step]
        except (KeyError, IndexError, TypeError):
            known = ", ".join(map(str, item)) if isinstance(item, Mapping) else "no entries of that kind"
            raise ReferenceFault(f"{name} has no {step!r}: it has {known}") from None
    return item


def _lowered(text: str, study: str) -> str:
    """A section for a page: its headings one level lower, its anchors named after the study."""
    text = re.sub(r"^(#+ )", r"#\1", text, flags=re.MULTILINE)
    return re.sub(r"\{#([\w.-]+)", rf"{{#{study}-\1", text).strip()
