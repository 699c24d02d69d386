"""A study is one system; a trial is one configuration of it, ready to be carried out and named by what it hashes.

`Study` is data: it loads without torch, and finds the other parts of its slice (``experiment``, ``claims``,
``figures``, ``tool``, ``notes.md``, ``published.toml``) beside it when they are first needed.
"""

import importlib
import importlib.util
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from workings.core.config import identity, source_fields, stable_hash, to_json
from workings.core.errors import UserError, suggestion

if TYPE_CHECKING:
    from workings.core.claim import Claim, Opinion
    from workings.core.figure import FigureSpec

Preset: TypeAlias = Callable[[], Sequence[Any]]
"""A named function that returns the trials' configurations."""


@dataclass(frozen=True)
class Dataset:
    """What evidence says of the data it is about: the id people use, a title, and a hash of the content itself."""

    id: str
    title: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Study:
    """One system of the problem sets: where it is from, how it is configured, what is run."""

    package: str
    """The slice's package; the last component is the study's id."""
    title: str
    summary: str
    """One sentence: what the system is, for `workings list`."""
    sources: tuple[str, ...]
    """Sheet and question, as in ``nyu-2025-hw3/1``."""
    config: type[Any]
    presets: tuple[Preset, ...]
    """Shortest first; evidence of the longest wins."""
    instant: Preset | None = None
    """The trials that `check` carries out by itself: mathematics and counts."""
    data: "Callable[[Any], Mapping[str, Dataset]] | None" = None
    """The datasets of a configuration, by role; it imports what reads them when it is called."""
    needs: Callable[[Any], Mapping[str, Any]] | None = None
    """Configurations of this study whose finished runs a trial takes as input, by role."""
    version: int = 1
    """Raised when a rerun would give other numbers; evidence of another version is stale."""
    threads: int | None = None
    """Threads that suit the system, where more do not make it faster; None leaves it to the machine."""
    examples: tuple[str, ...] = ()
    """Commands for ``run STUDY --help``."""

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.package.rpartition(".")[2]

    def part(self, name: str) -> ModuleType:
        """A module of the slice, imported now."""
        return importlib.import_module(f"{self.package}.{name}")

    def has(self, name: str) -> bool:
        """Whether the slice has that module, found without importing it."""
        return importlib.util.find_spec(f"{self.package}.{name}") is not None

    def file(self, name: str) -> Traversable:
        """A data file of the slice (``notes.md``, ``evidence``); it may not exist."""
        return files(self.package).joinpath(name)

    @cached_property
    def claims(self) -> "tuple[Claim, ...]":
        """The claims in the order in which the slice states them."""
        from workings.core.claim import Claim

        if not self.has("claims"):
            return ()
        found = tuple(value for value in vars(self.part("claims")).values() if isinstance(value, Claim))
        ids = [claim.id for claim in found]
        twice = {i for i in ids if ids.count(i) > 1}
        if twice:
            raise UserError(f"{self.id}: claim ids used twice in claims.py: {', '.join(sorted(twice))}; rename one")
        return found

    @cached_property
    def opinions(self) -> "tuple[Opinion, ...]":
        """Statements of the sources that no evidence could decide."""
        from workings.core.claim import Opinion

        if not self.has("claims"):
            return ()
        return tuple(value for value in vars(self.part("claims")).values() if isinstance(value, Opinion))

    @cached_property
    def figures(self) -> "tuple[FigureSpec, ...]":
        """The figures in the order in which the slice draws them; drawing one loads matplotlib."""
        from workings.core.figure import FigureSpec

        if not self.has("figures"):
            return ()
        return tuple(value for value in vars(self.part("figures")).values() if isinstance(value, FigureSpec))

    @cached_property
    def published(self) -> Mapping[str, Mapping[str, Any]]:
        """`published.toml`: what sheets and published answers state, by statement id."""
        path = self.file("published.toml")
        try:
            return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        except ValueError as error:  # no TOML, or no UTF-8
            raise UserError(f"{self.id}: its published.toml cannot be read: {error}") from None

    def preset(self, name: str) -> list[Any]:
        """The configurations of a preset; an unknown name is a `UserError`."""
        by_name = {preset.__name__: preset for preset in self.presets}
        if name not in by_name:
            raise UserError(
                f"{self.id} has no preset {name!r}{suggestion(name, by_name)}: choose from {', '.join(by_name)}"
            )
        return list(by_name[name]())

    def preset_about(self, datasets: Sequence[str]) -> str:
        """The longest preset with trials on one of these datasets, by their ids; ``full`` where none has any."""
        fields = source_fields(self.config)
        for preset in reversed(self.presets):
            if any(getattr(config, name) in datasets for config in preset() for name in fields):
                return preset.__name__
        return "full"

    def datasets(self, config: Any) -> Mapping[str, Dataset]:
        """The data a configuration asks for, by role; reads it where its content is not yet known."""
        return self.data(config) if self.data else {}


@dataclass(frozen=True)
class Trial:
    """One configuration, resolved: its data and inputs are known by content, so it has an id."""

    study: Study
    config: Any
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Ids of the runs this one builds on, by role."""

    @classmethod
    def of(cls, study: Study, config: Any) -> "Trial":
        """Resolve a configuration: find its data, and the ids of the runs it needs."""
        needed = study.needs(config) if study.needs else {}
        inputs = {role: cls.of(study, other).id for role, other in needed.items()}
        return cls(study, config, study.datasets(config), inputs)

    @property
    def id(self) -> str:
        """Hash of study, version, configuration, and the content of data and inputs; no path, device or length."""
        return stable_hash(
            {
                "study": self.study.id,
                "version": self.study.version,
                "config": identity(self.config),
                "datasets": {role: dataset.content for role, dataset in self.datasets.items()},
                "inputs": dict(self.inputs),
            }
        )

    def describe(self) -> str:
        """The fields that differ from the defaults, for progress lines: ``spelling(attention=True, seed=2)``."""
        defaults = to_json(self.study.config())
        changed = {k: v for k, v in to_json(self.config).items() if defaults[k] != v}
        return f"{self.study.id}({', '.join(f'{k}={v}' for k, v in changed.items())})"
