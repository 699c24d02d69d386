"""Carry trials out on a Ray cluster (extra ``cluster``): one task a trial, each finished run back as an archive.

Ids hash content, so a run is the same wherever it was made. What a trial needs comes first. Ray starts a trial again
where its node or its process died; a trial that fails by itself is told, and the others go on. What a node does is in
`workings.execute.node`, what comes back is checked and adopted by `workings.execute.parcel`. No shared disk.
A GPU is used where it is asked for (``--device cuda``), so that all trials are alike.
"""

import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from workings.core.config import to_json
from workings.core.errors import UserError, WorkingsError
from workings.core.evidence import Run, target
from workings.core.runs import RunStore
from workings.core.study import Study, Trial
from workings.execute.connection import connected
from workings.execute.local import Notice, Options, Outcome, needs, once, validate
from workings.execute.node import Errand, carry, code, steps
from workings.execute.parcel import adopt, pack
from workings.execute.provenance import provenance
from workings.train.launch import launch

LOOK = 5.0
"""Seconds between two looks at which nodes are left."""
GRACE = 10.0
"""Seconds for trials that are broken off to write their checkpoints."""
RETRIES = 5
"""How often a trial is started again after its node or its process died."""
TOLD = 3
"""Failed trials that the last message repeats; each was told when it failed."""


@dataclass
class _Sweep:
    """The trials by id: what there is to do, and what has come of it."""

    study: Study
    store: RunStore
    options: Options
    jobs: dict[str, Trial]
    before: dict[str, tuple[str, ...]]
    """Ids of what a trial needs, directly or not."""
    runs: dict[str, Run]
    failed: dict[str, str]
    made: set[str]

    def open(self) -> list[str]:
        return [job for job in self.jobs if job not in self.runs and job not in self.failed]


def carry_out(
    study: Study, configs: Sequence[Any], store: RunStore, options: Options, notice: Notice | None
) -> list[Outcome]:
    """Run what is missing on the cluster, and return the run of every configuration."""
    if options.jobs > 1 or launch().ranks > 1:
        raise UserError(
            f"--on {options.on} shares trials out by the cluster's processors: leave --jobs and torchrun out"
        )
    sweep = _Sweep(study, store, options, {}, {}, {}, {}, set())
    asked = [_plan(sweep, config, options) for config in configs]
    for job, trial in sweep.jobs.items():
        if notice and job not in sweep.failed:
            notice(trial, job in sweep.runs)
    if sweep.open():
        with connected(options.on) as ray:
            _drive(ray, sweep)
    if sweep.failed:
        failed = [sweep.failed[job] for job in sweep.jobs if job in sweep.failed]  # in the order they were asked for
        reasons = "; ".join(failed[:TOLD]) + "; …" * (len(failed) > TOLD)
        raise UserError(f"{len(failed)} of {len(sweep.jobs)} trials failed: {reasons}")
    return [Outcome(sweep.runs[job], job in sweep.made) for job in asked]


def _plan(sweep: _Sweep, config: Any, options: Options) -> str:
    """Note a trial and all it needs; what is finished is read, what cannot be asked is a failure at once."""
    study = sweep.study
    trial = Trial(study, config)
    try:
        needed = [_plan(sweep, other, once(options)) for other in needs(study, config).values()]
        trial = Trial.of(study, config)
        run = sweep.store.read(trial)
        finished = run is not None and (run.reached or 0) >= target(config) and not options.again
        if not finished:
            validate(study, config)
    except UserError as error:
        key = trial.describe()  # it may have no id: that takes its data
        sweep.jobs[key] = trial
        _fail(sweep, key, str(error))
        return key
    known = sweep.jobs.get(trial.id)
    if known is None or target(known.config) < target(config):  # of two lengths of one run the longer is both
        sweep.jobs[trial.id] = trial
    if not finished:
        sweep.runs.pop(trial.id, None)
    elif run and known is None:
        sweep.runs[trial.id] = run
    sweep.before[trial.id] = tuple(dict.fromkeys(i for job in needed for i in (*sweep.before.get(job, ()), job)))
    return trial.id


def _drive(ray: Any, sweep: _Sweep) -> None:
    """Send out what can begin, take in what is finished, until nothing is left."""
    threads = sweep.options.threads or sweep.study.threads or 1
    gpus = 1 if sweep.options.device.startswith("cuda") else 0
    task = ray.remote(_on_node).options(num_cpus=threads, num_gpus=gpus, max_retries=RETRIES, retry_exceptions=False)
    options = replace(sweep.options, threads=threads, device=sweep.options.device if gpus else "cpu", on="local")
    running: dict[Any, str] = {}
    sent: dict[str, Any] = {}
    nodes = _fitting(ray, threads, gpus)
    try:
        while sweep.open() or running:
            for job in [job for job in sweep.open() if job not in running.values()]:
                lost = next((i for i in sweep.before[job] if i in sweep.failed), None)
                if lost:
                    _fail(sweep, job, f"it needs {sweep.jobs[lost].describe()}, which failed")
                elif all(i in sweep.runs for i in sweep.before[job]):
                    running[_send(ray, task, sweep, job, options, sent)] = job
            finished, _ = ray.wait(list(running), timeout=LOOK) if running else ([], [])
            for ref in finished:
                _take(ray, ref, sweep, running.pop(ref))
            left = _fitting(ray, threads, gpus)
            for name in nodes - left:
                print(f"node {name} is gone: its trials start again elsewhere", file=sys.stderr, flush=True)
            nodes = left
    finally:
        for ref in running:
            with suppress(Exception):
                ray.cancel(ref)  # as Ctrl-C there: a training writes its checkpoint
        if running:
            ray.wait(list(running), num_returns=len(running), timeout=GRACE)


def _send(ray: Any, task: Any, sweep: _Sweep, job: str, options: Options, sent: dict[str, Any]) -> Any:
    """Start a trial somewhere; the runs it needs are packed once, however many trials need them."""
    trial, study = sweep.jobs[job], sweep.study
    for i in sweep.before[job]:
        if i not in sent:
            sent[i] = ray.put(pack(sweep.runs[i].folder, resumable=False))
    made = 0 if options.again else steps(sweep.store, trial)
    said = str(provenance(device=options.device, threads=options.threads)["command"])
    errand = Errand(
        study=study.id,
        code=code(study),
        config=to_json(trial.config),
        trial=job,
        datasets={role: dataset.content for role, dataset in trial.datasets.items()},
        inputs=[to_json(sweep.jobs[i].config) for i in sweep.before[job]],
        begun=(made, pack(sweep.store.folder(study.id, job))) if made else None,
        options=options,
        command=said.replace(sweep.options.on, "ray"),  # an address is nobody's business
    )
    return task.remote(errand, *(sent[i] for i in sweep.before[job]))


def _on_node(errand: Errand, *parcels: bytes) -> tuple[str, bytes | None, str]:
    """The task: name of the node, and either a run or the reason why there is none (no exception crosses machines)."""
    import ray

    node = f"{socket.gethostname()}/{ray.get_runtime_context().get_node_id()[:6]}"
    try:
        return node, carry(errand, node, parcels), ""
    except WorkingsError as error:
        return node, None, " ".join(str(error).split())


def _take(ray: Any, ref: Any, sweep: _Sweep, job: str) -> None:
    """Adopt a finished run, or tell why there is none."""
    trial = sweep.jobs[job]
    try:
        node, parcel, reason = ray.get(ref)
    except ray.exceptions.RayError as error:  # a fault of the program there, or a node that died once too often
        lines = str(error).strip().splitlines() or [type(error).__name__]
        _fail(sweep, job, lines[-1] if isinstance(error, ray.exceptions.RayTaskError) else lines[0])
        return
    if parcel is None:
        _fail(sweep, job, f"node {node}: {reason}")
        return
    try:
        sweep.runs[job] = adopt(parcel, trial, sweep.store, reached=target(trial.config))
    except UserError as error:
        _fail(sweep, job, f"node {node}: {error}")
        return
    sweep.made.add(job)
    count = f"{len(sweep.runs)} of {len(sweep.jobs)}"
    print(f"finished {trial.describe()} on {node} ({count})", file=sys.stderr, flush=True)


def _fail(sweep: _Sweep, job: str, reason: str) -> None:
    sweep.failed[job] = f"{sweep.jobs[job].describe()}: {reason}"
    print(f"failed {sweep.failed[job]}", file=sys.stderr, flush=True)


def _fitting(ray: Any, threads: int, gpus: int) -> set[str]:
    """The living nodes with room for a trial; `UserError` where there is none, since it would wait for ever."""
    alive = [node for node in ray.nodes() if node["Alive"]]
    wanted: Mapping[str, int] = {"CPU": threads, "GPU": gpus}
    fit = [node for node in alive if all(node["Resources"].get(kind, 0) >= n for kind, n in wanted.items())]
    if not fit:
        raise UserError(
            f"none of the cluster's {len(alive)} nodes has {threads} processors and {gpus} GPUs for a trial: ask for "
            "less (--threads, --device), or add a node by `ray start --address HOST:PORT`"
        )
    return {f"{node['NodeManagerHostname']}/{node['NodeID'][:6]}" for node in fit}
