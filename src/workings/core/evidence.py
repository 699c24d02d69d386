"""The read side of the run store: finished runs, and which of them decide a claim.

A run is a folder of plain files that can be read without this program:

    run.json            configuration, datasets, provenance of every session, how far it went
    metrics.jsonl       one measurement a line: {"name": …, "step": …, "value": …}
    arrays/NAME.safetensors, tables/NAME.json, pictures/NAME.png
    checkpoints/        weights, which only `workings.train` reads

*Fresh* runs lie in the run store, *recorded* ones are shipped in the slice's ``evidence/`` without their weights. For a
claim, the longest preset that has runs on the data the claim speaks about decides; of two runs of one trial the longer
one counts, then the fresh one. Runs of another version of the study are stale: shown, never used.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workings.core.config import from_json, identity, length_field, source_fields, stable_hash
from workings.core.errors import MissingEvidence, UserError
from workings.core.study import Study

if TYPE_CHECKING:
    import numpy as np

RUN_FILE, METRICS_FILE = "run.json", "metrics.jsonl"
ARRAYS, TABLES, PICTURES, CHECKPOINTS = "arrays", "tables", "pictures", "checkpoints"
ANY, NONE = "any", "none"
"""What a claim can be about besides datasets: a method on whatever data, and nothing measured on data at all."""


@dataclass(frozen=True)
class Run:
    """One trial carried out, as its files tell."""

    folder: Path
    recorded: bool
    """Shipped with the study rather than made on this machine."""
    info: Mapping[str, Any] = field(hash=False)

    @classmethod
    def read(cls, folder: Path, *, recorded: bool) -> "Run":
        """Open a run's folder; OSError or ValueError where it holds no sound ``run.json``."""
        info = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        if not isinstance(info, dict) or not {"id", "study", "version", "config"} <= info.keys():
            raise ValueError(f"{folder / RUN_FILE} describes no run")
        return cls(folder, recorded, info)

    @property
    def id(self) -> str:
        """The hash that names the run."""
        return str(self.info["id"])

    @property
    def study(self) -> str:
        """Id of the study."""
        return str(self.info["study"])

    @property
    def version(self) -> int:
        """The study's version when the run was made."""
        return int(self.info["version"])

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration as JSON."""
        return dict(self.info["config"])

    @property
    def reached(self) -> int | None:
        """Length at which the run was last finished (1 for a run without a length), None while it never was."""
        return self.info.get("reached")

    @property
    def datasets(self) -> Mapping[str, Mapping[str, str]]:
        """Id, title and content hash of each dataset, by role."""
        return dict(self.info.get("datasets", {}))

    @property
    def sessions(self) -> Sequence[Mapping[str, Any]]:
        """Provenance of each sitting: versions, commit, command, device, threads, wall time."""
        return list(self.info.get("sessions", []))

    @cached_property
    def _metrics(self) -> dict[str, list[tuple[int, float]]]:
        series: dict[str, dict[int, float]] = {}
        for row in read_rows(self.folder / METRICS_FILE):  # a resumed run may note a step twice: the last one counts
            series.setdefault(row["name"], {})[row["step"]] = float(row["value"])
        return {name: sorted(steps.items()) for name, steps in series.items()}

    @property
    def metrics(self) -> dict[str, float]:
        """The value of every metric at its last step."""
        return {name: rows[-1][1] for name, rows in self._metrics.items()}

    def series(self, name: str) -> list[tuple[int, float]]:
        """(step, value) in order of steps."""
        if name not in self._metrics:
            raise MissingEvidence(f"run {self.id} has no metric {name!r}")
        return list(self._metrics[name])

    def metric(self, name: str) -> float:
        """The value at the last step recorded."""
        return self.series(name)[-1][1]

    def array(self, name: str) -> "np.ndarray[Any, Any]":
        """An array the experiment kept."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = self._existing(ARRAYS, name, "safetensors")
        try:
            return load_file(path)["value"]
        except (KeyError, SafetensorError) as error:
            raise UserError(f"{path} cannot be read ({error}): mend it, or make the run again") from None

    def table(self, name: str) -> Any:
        """A table (or any JSON) the experiment kept."""
        path = self._existing(TABLES, name, "json")
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{path} cannot be read ({error}): mend it, or make the run again") from None

    def picture(self, name: str) -> Path:
        """Path of a picture the experiment kept."""
        return self._existing(PICTURES, name, "png")

    def names(self, kind: str) -> list[str]:
        """What there is of a kind: ``arrays``, ``tables`` or ``pictures``."""
        root = self.folder / kind
        return sorted(p.relative_to(root).with_suffix("").as_posix() for p in root.rglob("*.*") if p.is_file())

    def _existing(self, kind: str, name: str, suffix: str) -> Path:
        path = self.folder / kind / f"{name}.{suffix}"
        if not path.is_file():
            raise MissingEvidence(f"run {self.id} has no {kind.removesuffix('s')} {name!r}")
        return path


@dataclass(frozen=True)
class Evidence:
    """The runs that decide a claim, and what the sources state about it."""

    study: str
    runs: tuple[Run, ...]
    published: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    preset: str | None = None
    """The preset the runs belong to, where one was chosen."""

    def where(self, **fields: Any) -> "Evidence":
        """The runs whose configuration has these values; raises `MissingEvidence` where there are none."""
        kept = tuple(r for r in self.runs if all(r.config.get(k) == v for k, v in fields.items()))
        if not kept:
            wanted = ", ".join(f"{k}={v}" for k, v in fields.items())
            raise MissingEvidence(f"no run of {self.study}{f' with {wanted}' if wanted else ''} is finished")
        return replace(self, runs=kept)

    def beside(self, other: "Evidence", field: str = "seed") -> tuple["Evidence", "Evidence"]:
        """The runs of both that share a value of `field`, in the same order: what can be compared in pairs."""
        mine, theirs = ({run.config[field]: run for run in evidence.runs} for evidence in (self, other))
        shared = [value for value in mine if value in theirs]
        return tuple(replace(self, runs=tuple(runs[v] for v in shared)) for runs in (mine, theirs))  # type: ignore[return-value]

    def one(self) -> Run:
        """The first run; raises `MissingEvidence` where there is none."""
        if not self.runs:
            raise MissingEvidence(f"no run of {self.study} is finished")
        return self.runs[0]

    def metric(self, name: str) -> list[float]:
        """One value a run, in the preset's order."""
        return [run.metric(name) for run in self.runs]

    @property
    def datasets(self) -> tuple[str, ...]:
        """Ids of the datasets the runs saw."""
        return tuple(dict.fromkeys(d["id"] for run in self.runs for d in run.datasets.values()))

    @property
    def recorded(self) -> bool:
        """Whether any of the runs is recorded rather than fresh."""
        return any(run.recorded for run in self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)


@dataclass(frozen=True)
class Archive:
    """All runs of a study, fresh and recorded."""

    study: Study
    runs: tuple[Run, ...]

    @property
    def current(self) -> tuple[Run, ...]:
        """Finished runs of the study's present version."""
        return tuple(r for r in self.runs if r.version == self.study.version and r.reached is not None)

    @property
    def stale(self) -> tuple[Run, ...]:
        """Runs of another version, which decide nothing."""
        return tuple(r for r in self.runs if r.version != self.study.version)

    def evidence(self, about: Sequence[str] = (ANY,)) -> Evidence:
        """What decides a claim about these datasets; where no run saw them, the longest preset on whatever it saw."""
        wanted = None if ANY in about else set(about)
        candidates = self._presets
        on_data = [(name, tuple(r for r in runs if _saw(r, wanted))) for name, runs in candidates]
        if self._facts and tuple(about) == (NONE,):  # facts need no data, and no preset that measures
            on_data, candidates = [], []
        name, members = next(((n, runs) for n, runs in [*on_data, *candidates] if runs), (None, self._facts))
        return Evidence(self.study.id, members, self.study.published, name)

    def holds(self, configs: Sequence[Any]) -> bool:
        """Whether each of these trials is finished, here or recorded."""
        return all(self._best(config) for config in configs)

    @cached_property
    def _presets(self) -> list[tuple[str, tuple[Run, ...]]]:
        """The runs of each preset, the longest preset first."""
        return [(preset.__name__, self._members(preset())) for preset in reversed(self.study.presets)]

    @cached_property
    def _facts(self) -> tuple[Run, ...]:
        """The instant trials that saw no data: counts, and other facts."""
        instant = self._members(self.study.instant() if self.study.instant else ())
        return tuple(run for run in instant if not run.datasets)

    @cached_property
    def _by_identity(self) -> dict[str, list[Run]]:
        """The current runs by what their configuration hashes."""
        index: dict[str, list[Run]] = {}
        for run in self.current:
            with suppress(TypeError):  # written by another form of the configuration
                index.setdefault(stable_hash(identity(from_json(self.study.config, run.config))), []).append(run)
        return index

    def _members(self, configs: Sequence[Any]) -> tuple[Run, ...]:
        """The best run of each configuration that has reached its length, in the given order."""
        found = (self._best(config) for config in configs)
        return tuple(dict.fromkeys(run for run in found if run))

    def _best(self, config: Any) -> Run | None:
        """Of the runs that carry a configuration out on the data it names, the longest, and the fresh one of two."""
        same = self._by_identity.get(stable_hash(identity(config)), [])
        done = [run for run in same if (run.reached or 0) >= target(config) and _on_its_data(run, config)]
        return max(done, key=lambda run: (run.reached or 0, not run.recorded), default=None)


def _saw(run: Run, wanted: set[str] | None) -> bool:
    return wanted is None or not wanted.isdisjoint({d["id"] for d in run.datasets.values()} or {NONE})


def _on_its_data(run: Run, config: Any) -> bool:
    """Whether each dataset that a configuration names by id is the one the run saw."""
    named = {role: getattr(config, name) for name, role in source_fields(config).items()}
    return all(run.datasets[role]["id"] == name for role, name in named.items() if role in run.datasets)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSONL file; a torn last line, left by a kill, is passed over."""
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = []
    lines = path.read_bytes().removesuffix(b"\n").split(b"\n")  # bytes, as the tear may go through a letter
    for number, line in enumerate(lines):
        try:
            rows.append(json.loads(line))
        except ValueError:
            if number < len(lines) - 1:
                raise
    return rows


def recorded_runs(study: Study) -> tuple[Run, ...]:
    """The runs shipped in the slice."""
    folder = Path(str(study.file("evidence")))
    if not folder.is_dir():
        return ()
    return tuple(Run.read(path.parent, recorded=True) for path in sorted(folder.glob(f"[!.]*/{RUN_FILE}")))


def target(config: Any) -> int:
    """How far a configuration asks its run to go; 1 where it has no length."""
    name = length_field(config)
    return int(getattr(config, name)) if name else 1
