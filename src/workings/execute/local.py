"""Carry trials out, here or on a cluster. A trial whose run is finished at its target is never run twice.

Under `torchrun` all processes carry out every trial together; the first alone decides what is missing, and writes.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from workings.core.errors import UserError, suggestion
from workings.core.evidence import Run, target
from workings.core.runs import Recorder, RunStore
from workings.core.study import Study, Trial
from workings.execute.provenance import provenance
from workings.train.launch import launch

LOCAL, RAY = "local", "ray"
"""Where trials are carried out."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to carry trials out; none of it changes what is computed."""

    device: str = "auto"
    """cpu, cuda or auto (a GPU where there is one)."""
    threads: int | None = None
    """Processor threads; by default what suits the study on this machine."""
    jobs: int = 1
    """Trials side by side, each in a process of its own. Trainings slow each other on a small machine."""
    again: bool = False
    """Run even what is finished, from the start."""
    on: str = LOCAL
    """local, or a Ray cluster: ray (that of this machine, or this machine alone), ray://HOST:PORT or ray:HOST:PORT."""

    def __post_init__(self) -> None:
        kind, colon, address = self.on.partition(":")
        if self.on != LOCAL and (kind != RAY or (colon and not address.strip("/"))):
            raise UserError(
                f"on is {self.on!r}{suggestion(self.on, (LOCAL, RAY))}: give {LOCAL}, {RAY}, {RAY}://HOST:PORT or "
                f"{RAY}:HOST:PORT"
            )
        if self.jobs < 1 or (self.threads is not None and self.threads < 1):
            raise UserError(f"jobs={self.jobs}, threads={self.threads}: both are counted from 1")


@dataclass(frozen=True)
class Outcome:
    """A trial's run, and whether it had to be made."""

    run: Run
    made: bool


Notice = Callable[[Trial, bool], None]
"""Told before each trial: the trial, and whether its run is there already."""


def carry_out(
    study: Study,
    configs: Sequence[object],
    store: RunStore,
    options: Options | None = None,
    notice: Notice | None = None,
) -> list[Outcome]:
    """Run what is missing, in order, and return the run of every configuration."""
    options = options or Options()
    if options.jobs > 1 and launch().ranks > 1:
        raise UserError(f"jobs is {options.jobs} under torchrun, whose processes share each trial: leave --jobs out")
    configs = list(dict.fromkeys(configs))
    if options.on != LOCAL:
        from workings.execute import cluster

        return cluster.carry_out(study, configs, store, options, notice)
    if options.jobs == 1 or len(configs) == 1:
        return [carry_out_one(study, config, store, options, notice) for config in configs]
    # What trials build on comes first, or two processes would meet at the same input.
    inputs = dict.fromkeys(other for config in configs for other in needs(study, config).values())
    outcomes = {i: carry_out_one(study, i, store, options if i in configs else once(options), notice) for i in inputs}
    # A fork of a process that has threads (OpenMP's) can deadlock; a spawned one starts clean.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, mp_context=context) as pool:
        rest = [config for config in configs if config not in outcomes]
        futures = {config: pool.submit(_elsewhere, study.id, config, store.root, options) for config in rest}
        for config, future in futures.items():
            folder, made = future.result()
            outcomes[config] = Outcome(Run.read(folder, recorded=False), made)
    return [outcomes[config] for config in configs]


def carry_out_one(
    study: Study,
    config: object,
    store: RunStore,
    options: Options,
    notice: Notice | None = None,
    said: Mapping[str, Any] | None = None,
) -> Outcome:
    """Run one trial here, and before it what it needs; `said` is what the provenance says instead, or besides."""
    trial = Trial.of(study, config)
    needed = needs(study, config).items()
    inputs = {role: carry_out_one(study, i, store, once(options), notice, said).run for role, i in needed}
    run = store.read(trial)
    finished = _led(run is not None and (run.reached or 0) >= target(config) and not options.again)
    if not finished:
        validate(study, config)
    if notice and launch().rank == 0:
        notice(trial, finished)
    if finished:
        return Outcome(run or Run.read(store.folder(study.id, trial.id), recorded=False), made=False)
    with _recorder(study, trial, store, options, inputs, said or {}) as recorder:
        study.part("experiment").run(config, recorder)
        if recorder.session["device"] == "auto":  # the experiment asked for no device: NumPy computes on the processor
            recorder.session["device"] = "cpu"
    _led(True)  # the others read what the first has written by now
    return Outcome(Run.read(store.folder(study.id, trial.id), recorded=False), made=True)


@contextmanager
def _recorder(
    study: Study,
    trial: Trial,
    store: RunStore,
    options: Options,
    inputs: Mapping[str, Run],
    said: Mapping[str, Any],
) -> Iterator[Recorder]:
    """What the experiment writes to: the run, or, in all processes under torchrun but the first, nothing that lasts."""
    session: dict[str, Any] = provenance(device=options.device, threads=options.threads or study.threads)
    session |= said
    if launch().rank:
        with TemporaryDirectory(prefix="workings-") as folder:
            yield Recorder(Path(folder), inputs, session)
    else:
        reach = target(trial.config)
        with store.write(trial, session, again=options.again, target=reach, inputs=inputs) as recorder:
            yield recorder


def _led(decision: bool) -> bool:
    """What the first process under torchrun decides; the others look a moment later, and may see something else."""
    if launch().ranks == 1:
        return decision
    from workings.train.team import team

    return team().led(decision)


def validate(study: Study, config: object) -> None:
    """Let the experiment refuse a configuration before anything is said or written."""
    own = getattr(study.part("experiment"), "validate", None)
    if own is not None:
        own(config)


def needs(study: Study, config: object) -> Mapping[str, object]:
    """Configurations whose runs a trial takes as input, by role."""
    return study.needs(config) if study.needs else {}


def once(options: Options) -> Options:
    """For what a trial builds on: `again` is about what was asked for, not about its inputs."""
    return replace(options, again=False)


def _elsewhere(study_id: str, config: object, root: Path, options: Options) -> tuple[Path, bool]:
    """What a worker process does; the study is found again there, since only its id travels."""
    from workings.core.registry import find

    outcome = carry_out_one(find(study_id), config, RunStore(root), options)
    return outcome.run.folder, outcome.made
