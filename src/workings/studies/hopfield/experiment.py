"""Carry out one trial.

`theory` records the tables ``symbolic``, ``hessians``, ``descents``, ``search``, ``attention``, ``fixed_points``,
``regimes`` and ``lost_beta``, all described in `symbolic` and `probes`. `capacity` records the arrays ``sizes`` and
``rate``, and ``capacity``, the number of patterns at which half of them no longer come back. `recall` records the share
of queries that ``came_back`` to their own picture, the error of all before and after, the array ``energy`` of their
descent, pictures for a sheet, and a scan over β. Each records the table ``result`` for a person.

A query has come back where its own pattern has more than half of the say at the state in which it settled.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.data.catalogue import load_pictures
from workings.data.pictures import Labels, Pictures, Pixels
from workings.studies.hopfield import probes
from workings.studies.hopfield.model import AssociativeMemory, effective_patterns
from workings.studies.hopfield.patterns import correlated, normal
from workings.studies.hopfield.pictures import blend, keys, noisy, visible
from workings.studies.hopfield.study import Config
from workings.studies.hopfield.symbolic import residuals
from workings.train.runtime import derive, generator, prepare

OWN = {
    "theory": {"task", "seed"},
    "capacity": {"task", "patterns", "queries", "beta", "noise", "dim", "correlation", "steps", "seed"},
    "recall": {"task", "data", "patterns", "queries", "beta", "mask", "noise", "steps", "seed"},
}
"""The fields that mean something to each task."""
LIMITS = {
    "patterns": (1, 100_000),
    "queries": (1, 10_000),
    "beta": (1e-6, 1e6),
    "noise": (0, 1_000),
    "dim": (1, 10_000),
    "steps": (1, 10_000),
    "seed": (0, 2**63 - 1),
}
LARGEST = 100_000_000
"""Numbers in all patterns together: 800 MB."""
SYMBOLIC = ((1, 1), (2, 2), (3, 2))
"""(N, D) of the systems worked out in symbols; each takes well under a second."""
SCANNED = tuple(10 ** (k / 6) for k in range(-24, 7))
"""The β of the scan: from the average of everything to a single picture."""
SCAN_QUERIES, SHOWN, TRACED = 25, 6, 40
"""Queries of the scan, pictures kept for a sheet, energies kept for a figure."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be carried out."""
    for name, default in vars(Config()).items():
        if name not in OWN[config.task] and getattr(config, name) != default:
            raise UserError(f"{name} means nothing to --task {config.task}: leave it out")
    for name, (low, high) in LIMITS.items():
        value = getattr(config, name)
        if not low <= value <= high:
            raise UserError(f"{name} is {value:,}: give a number from {low:g} to {high:g}")
    if not 0 <= config.correlation < 1:
        raise UserError(f"correlation is {config.correlation}: give a number from 0, and below 1")
    if config.task == "capacity" and config.patterns * config.dim > LARGEST:
        raise UserError(
            f"{config.patterns:,} patterns of {config.dim:,} numbers are too many to hold: {LARGEST:,} numbers at most"
        )
    if config.task == "recall":
        stored = len(load_pictures(config.data).train_images)
        if config.patterns > stored:
            raise UserError(f"patterns is {config.patterns:,}, but {config.data} has {stored:,} to store")


def run(config: Config, recorder: Recorder) -> None:
    """Measure and record."""
    {"theory": _theory, "capacity": _capacity, "recall": _recall}[config.task](config, recorder)


def _theory(config: Config, recorder: Recorder) -> None:
    recorder.table("symbolic", [{"patterns": n, "dim": d, "left": residuals(n, d)} for n, d in SYMBOLIC])
    tables: dict[str, Callable[[torch.Generator], Any]] = {
        "hessians": probes.hessians,
        "descents": probes.descents,
        "search": probes.search,
        "attention": probes.attention,
        "fixed_points": probes.fixed_points,
        "regimes": probes.regimes,
    }
    found = {name: probe(generator(config.seed, name)) for name, probe in tables.items()}
    for name, rows in found.items():
        recorder.table(name, rows)
    recorder.table("lost_beta", probes.lost_beta())
    for name, values in probes.landscape().items():
        recorder.array(f"landscape/{name}", values.numpy())
    worst = max(row["rise"] for row in found["descents"])
    off = max(row["off"] for row in found["attention"] if row["type"] == "float64")
    recorder.table(
        "result",
        {
            "largest rise of the energy": f"{worst:.1e} of its terms, over {_count(found['descents'], 'paths')} paths",
            "update against attention": f"at most {off:.1e} of M apart (float64)",
        },
    )


def _capacity(config: Config, recorder: Recorder) -> None:
    """Powers of two up to the number asked for, until nothing comes back."""
    sizes, rates = [], []
    top = config.patterns.bit_length() - 1
    for size in dict.fromkeys([*(1 << k for k in range(top + 1)), config.patterns]):
        draw = generator(config.seed, "capacity", size)
        X = correlated(size, config.dim, config.correlation, draw)
        count = min(size, config.queries)
        queries = X[:count] + config.noise * normal(draw, count, config.dim)
        memory = AssociativeMemory(X, config.beta)
        state = memory.retrieve(queries, config.steps).state
        own = memory.weights(state)[torch.arange(count), torch.arange(count)]
        sizes.append(size)
        rates.append(float((own > 0.5).double().mean()))
        if not rates[-1]:
            break
    recorder.array("sizes", np.array(sizes))
    recorder.array("rate", np.array(rates))
    held = half_way(sizes, rates)
    if held is not None:
        recorder.metric("capacity", held)
    told = f"more than {sizes[-1]:,}" if held is None else f"about {held:,.0f}"
    recorder.table(
        "result",
        {"patterns at which half come back": told}
        | {f"{n:,} stored": f"{r:.0%} come back" for n, r in zip(sizes, rates, strict=True)},
    )


def half_way(sizes: list[int], rates: list[float]) -> float | None:
    """The size at which the rate falls through one half, between two on a logarithmic scale; None where it does not."""
    for i, rate in enumerate(rates):
        if rate < 0.5:
            if not i:
                return float(sizes[0])
            share = (rates[i - 1] - 0.5) / (rates[i - 1] - rate)
            return math.exp((1 - share) * math.log(sizes[i - 1]) + share * math.log(sizes[i]))
    return None


def _recall(config: Config, recorder: Recorder) -> None:
    device = prepare(recorder.session)
    pictures = load_pictures(config.data)
    stored, labels, damaged = asked(config, pictures)
    seen = visible(config.mask, *pictures.size)
    X, queries = keys(stored).to(device), keys(damaged, seen).to(device)
    memory = AssociativeMemory(X, config.beta)
    found = memory.retrieve(queries, config.steps)
    p = memory.weights(found.state)
    right = torch.arange(len(queries), device=device)
    came_back = p[right, right] > 0.5
    width = math.sqrt(X.shape[1])
    errors = {"before": queries - X[right], "after": found.state - X[right]}
    means = {name: float((error.norm(dim=-1) / width).mean()) for name, error in errors.items()}
    recorder.metric("came_back", float(came_back.float().mean()))
    recorder.metric("queries", len(queries))
    recorder.metric("same_class", float(np.mean(labels[p.argmax(-1).cpu().numpy()] == labels[: len(queries)])))
    for name, error in means.items():
        recorder.metric(f"error/{name}", error)
    recorder.array("energy", found.energy[:, :TRACED].cpu().double().numpy())
    recorder.array("sheet/original", stored[:SHOWN])
    recorder.array("sheet/damaged", damaged[:SHOWN])
    recorder.array("sheet/restored", blend(p[:SHOWN], stored))
    recorder.array("sheet/came_back", came_back[:SHOWN].cpu().numpy())
    _scan(recorder, memory, queries[:SCAN_QUERIES], stored, config.steps)
    energy = found.energy.mean(1)
    recorder.table(
        "result",
        {
            "came back": f"{int(came_back.sum())} of {len(queries)} queries, among {len(X):,} stored pictures",
            "mean error": f"{means['before']:.3f} before, {means['after']:.3f} after (1: a pixel's own spread)",
            "mean energy": f"{float(energy[0]):.4g} at first, {float(energy[-1]):.4g} at last",
            "patterns that have a say": f"{float(effective_patterns(p).median()):.3g} (median)",
            "settled": f"{int(found.settled.sum())} of {len(queries)}, within {len(found.energy) - 1} steps",
        },
    )


def asked(config: Config, pictures: Pictures) -> tuple[Pixels, Labels, Pixels]:
    """The stored pictures, their labels, and noisy copies of the first; their half is still to be hidden."""
    draws = np.random.default_rng(derive(config.seed, "pictures"))
    chosen = draws.permutation(len(pictures.train_images))[: config.patterns]
    stored = pictures.train_images[chosen]
    copied = stored[: config.queries]
    damaged = noisy(copied, config.noise, draws.standard_normal(copied.shape[:3], dtype=np.float32))
    return stored, pictures.train_labels[chosen], damaged


def _scan(recorder: Recorder, memory: AssociativeMemory, queries: torch.Tensor, stored: Pixels, steps: int) -> None:
    """What the same queries are answered at other β; shown is the one that comes back by way of the most blends."""
    own = torch.arange(len(queries), device=queries.device)
    weights = []
    for beta in SCANNED:
        at = AssociativeMemory(memory.patterns, beta)
        weights.append(at.weights(at.retrieve(queries, steps).state))
    say = torch.stack([effective_patterns(p) for p in weights])
    back = torch.stack([p[own, own] > 0.5 for p in weights])
    blends = ((say > 1.5) & (say < len(stored) / 4)).sum(0)
    shown = int((back[-1] * (1 + blends)).argmax())
    recorder.array("scan/beta", np.array(SCANNED))
    recorder.array("scan/effective", say.cpu().double().numpy())
    recorder.array("scan/rate", back.double().mean(1).cpu().numpy())
    recorder.array("scan/shown", np.array(shown))
    recorder.array("scan/answers", np.stack([blend(p[shown], stored) for p in weights]))
    recorder.array("scan/asked", stored[shown])


def _count(rows: list[probes.Row], name: str) -> str:
    return f"{sum(row[name] for row in rows):,}"
