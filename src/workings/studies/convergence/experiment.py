"""Carry out one part of the question.

Recorded by ``method``: table ``horizons`` (at each T the step size, ρ, B, and the chain from gap to bound), metrics
``exponent`` and ``slack`` (the least room between f and its tangents), and of the path nearest T = 64 the arrays
``inner``, ``squares``, ``distances`` (the lemma's terms) and, in one variable, ``points``. By ``lemma``: table
``sequences``, both sides in exact fractions, and table ``step``. By ``prox``: tables ``symbolic`` and ``searches``. By
``worst-case``: table ``worst``. By all: table ``result``.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.studies.convergence import algebra, search
from workings.studies.convergence.family import build
from workings.studies.convergence.model import (
    Objective,
    Path,
    affine_slack,
    best_step,
    chain,
    descend,
    exponent,
    follow,
    guarantee,
    ledger,
)
from workings.studies.convergence.own import follow_own, prepare
from workings.studies.convergence.sequences import KINDS
from workings.studies.convergence.study import Config

MOST_STEPS, MOST_STEPS_OWN = 100_000, 20_000
"""Steps over all horizons: some seconds, autograd being five times slower than the family's own slopes."""
MOST_NUMBERS = 4_000_000
"""Numbers on one path: 32 MB."""
LONGEST_SEQUENCE = 64
"""Steps of a sequence for the lemma: the digits of exact fractions grow with each."""
SHOWN = 64
"""The path nearest this horizon is kept for the figures."""
PAIRS = 400
"""Pairs of points at which f is held against its tangents."""
MOST_SHOWN = 8
"""Coordinates of a comparator that are printed."""
SEARCHES = 8
"""Proximal models drawn and minimised."""
MOST_DIMENSIONS = 1000
LARGEST = 1e6
"""B, rho, c and their inverses at most: beyond, rounding would speak louder than the method."""

USED: Mapping[str, tuple[str, ...]] = {
    "method": ("function", "f", "T", "dimension", "B", "rho", "c", "ties", "seed"),
    "prox": ("dimension", "seed"),
    "lemma": ("T", "dimension", "seed"),
    "worst-case": ("T", "c"),
}
"""The fields that each part reads; another one that is set is refused, not ignored."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be carried out."""
    _refuse_unused(config)
    _refuse_numbers(config)
    if config.part == "worst-case":
        search.require()
    if config.part == "method":
        _refuse_method(config)


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    parts = {"method": _method, "prox": _prox, "lemma": _lemma, "worst-case": _worst_case}
    recorder.table("result", parts[config.part](config, recorder))


def _method(config: Config, recorder: Recorder) -> dict[str, str]:
    horizons = sorted(set(config.T))
    shown = min(horizons, key=lambda steps: abs(steps - SHOWN))
    followed = [_follow(config, steps) for steps in horizons]  # all, before anything is kept: one may be refused
    rows, slacks = [], []
    for steps, (objective, path, eta) in zip(horizons, followed, strict=True):
        B = _distance(config, objective)
        terms = chain(objective, path, eta, B)
        rows.append({"T": steps, "eta": eta, "rho": objective.rho, "B": B, **terms._asdict()})
        slacks.append(_slack(objective, path, B, config.seed))
        if steps == shown:
            _keep(recorder, path, objective, eta)
    recorder.table("horizons", rows)
    slope = exponent(horizons, [row["gap"] for row in rows])
    if math.isfinite(slope):
        recorder.metric("exponent", slope)
    recorder.metric("slack", min(slacks))
    return _told(rows, slope, [objective for objective, _, _ in followed])


def _follow(config: Config, steps: int) -> tuple[Objective, Path, float]:
    """One path, with what it minimises and its step size."""
    if config.f:
        formula = prepare(config.f, config.B, config.rho, config.c, config.seed)
        B = _distance(config, formula)
        return follow_own(formula, lambda rho: config.c * best_step(rho, B, steps), steps, config.rho is not None)
    B = 1.0 if config.B is None else config.B
    objective = build(config.function, steps, config.dimension, B, config.ties, config.seed)
    eta = config.c * best_step(objective.rho, B, steps)
    return objective, descend(objective, eta, steps), eta


def _distance(config: Config, objective: Objective) -> float:
    """B: as given, else how far the comparator is from the start."""
    return float(np.linalg.norm(objective.comparator)) if config.B is None else config.B


def _slack(objective: Objective, path: Path, B: float, seed: int) -> float:
    """The least room between f and its tangents, on pairs of points of the path and of a cloud about the comparator."""
    rng = np.random.default_rng(seed)
    dimension = len(objective.comparator)
    count = max(8, min(PAIRS, MOST_NUMBERS // (20 * dimension)))
    cloud = objective.comparator + B * rng.normal(size=(2, count, dimension)) / math.sqrt(dimension)
    visited = path.points[rng.integers(len(path.points), size=(2, count))]
    pairs = ((visited[0], cloud[0]), (cloud[1], visited[1]), (visited[0], visited[1]), (cloud[0], cloud[1]))
    return min(float(affine_slack(objective, w, u).min()) for w, u in pairs)


def _keep(recorder: Recorder, path: Path, objective: Objective, eta: float) -> None:
    terms = ledger(path, objective.comparator, eta)
    for name in ("inner", "squares", "distances"):
        recorder.array(name, getattr(terms, name))
    if path.points.shape[1] == 1:
        recorder.array("points", path.points[:, 0])


def _told(rows: Sequence[Mapping[str, Any]], slope: float, objectives: Sequence[Objective]) -> dict[str, str]:
    """The table for a person."""
    told, w = {"rho, B": f"{max(row['rho'] for row in rows):.6g}, {rows[0]['B']:.6g}"}, objectives[0].comparator
    if len(w) <= MOST_SHOWN and all(len(objective.comparator) == len(w) for objective in objectives):
        told["compared with w*"] = f"({', '.join(f'{x:.6g}' for x in w)})"
        told["f(w*)"] = f"{float(objectives[0].value(w)):.6g}"
    for row in rows:
        share = "below f(w*)" if row["gap"] < 0 else f"{row['gap'] / row['bound']:.1%} of the bound"
        told[f"T = {row['T']}"] = f"gap {row['gap']:.4g}, {share}, {row['bound']:.4g}; η = {row['eta']:.4g}"
    if math.isfinite(slope):
        told["slope of log gap over log T"] = f"{slope:.3f} (the bound's is −0.5)"
    return told


def _lemma(config: Config, recorder: Recorder) -> dict[str, str]:
    rng = np.random.default_rng(config.seed)
    rows: list[dict[str, Any]] = []
    for steps in _sequence_lengths(config):
        for name, draw in KINDS.items():
            v, comparator, eta = draw(steps, config.dimension or 2, rng)
            sides = ledger(follow(v, eta), comparator, eta)
            rows.append(
                {
                    "kind": name,
                    "T": steps,
                    "eta": str(eta),
                    "comparator": [str(x) for x in comparator],
                    "v": [[str(x) for x in row] for row in v] if name in ("integers", "homing") else None,
                    "left": str(sides.left),
                    "distance": str(sides.distances[0]),
                    "squares": str(sides.squares.sum()),
                    "last": str(sides.distances[-1]),
                    "exact": bool(sides.left == sides.right - sides.remainder),
                }
            )
    recorder.table("sequences", rows)
    recorder.table("step", step := algebra.best_step())
    return {
        "sequences": f"{len(rows)} in {config.dimension or 2} dimensions, of {', '.join(KINDS)}",
        "left = right − remainder": f"exactly, in {sum(row['exact'] for row in rows)} of {len(rows)}",
        "the step that makes the bound least": f"η = {step['step']}",
    }


def _sequence_lengths(config: Config) -> list[int]:
    """The horizons asked for; those of the method, where none were, are too long for fractions."""
    return [1, 2, 5, 16] if config.T == Config().T else sorted(set(config.T))


def _prox(config: Config, recorder: Recorder) -> dict[str, str]:
    rng = np.random.default_rng(config.seed)
    found = algebra.proximal_model()
    searches = [algebra.proximal_search(config.dimension or 2, rng) for _ in range(SEARCHES)]
    recorder.table("symbolic", found)
    recorder.table("searches", searches)
    off = max(
        float(np.linalg.norm(np.subtract(s["found"], s["w_t"]) + np.array(s["g"]) / s["lambda"])) for s in searches
    )
    return {
        "gradient of the model": found["gradient"],
        "at w_t − g/λ": found["gradient_at_step"],
        "furthest that BFGS ends from there": f"{off:.2g}",
    }


def _worst_case(config: Config, recorder: Recorder) -> dict[str, str]:
    rows = []
    for steps in sorted(set(config.T)):
        eta = config.c * best_step(1.0, 1.0, steps)
        bound = guarantee(1.0, 1.0, steps, eta)
        rows.append({"T": steps, "eta": eta, "worst": search.worst_gap(steps, eta), "bound": bound})
    recorder.table("worst", rows)
    return {f"T = {row['T']}": f"worst {row['worst']:.6g}, bound {row['bound']:.6g}" for row in rows}


def _refuse_unused(config: Config) -> None:
    usual = Config(part=config.part)
    for field in dataclasses.fields(config):
        name = field.name
        if name != "part" and name not in USED[config.part] and getattr(config, name) != getattr(usual, name):
            raise UserError(f"part {config.part} does not read {name}: it takes {', '.join(USED[config.part])}")
    if config.f:
        for name in ("function", "dimension", "ties"):
            if getattr(config, name) != getattr(usual, name):
                raise UserError(f"--{name} does not go with --f: your own function says it all; leave one of them out")
    elif config.rho is not None:
        raise UserError("--rho belongs to a function of one's own (--f); the family knows its own")


def _refuse_numbers(config: Config) -> None:
    longest = {"lemma": LONGEST_SEQUENCE, "worst-case": search.LONGEST}.get(config.part, MOST_STEPS)
    if config.T == Config().T and config.part == "lemma":
        longest = MOST_STEPS  # not asked for: `_sequence_lengths` takes shorter ones
    if not config.T or not all(1 <= steps <= longest for steps in config.T):
        raise UserError(f"T is {_listed(config.T)}: give numbers of steps from 1 to {longest:,}")
    if config.dimension is not None and not 1 <= config.dimension <= MOST_DIMENSIONS:
        raise UserError(f"dimension is {config.dimension}: give a number from 1 to {MOST_DIMENSIONS}")
    for name in ("B", "rho", "c"):
        given = getattr(config, name)
        if given is not None and not 1 / LARGEST <= given <= LARGEST:
            raise UserError(f"{name} is {given:g}: give a number from {1 / LARGEST:g} to {LARGEST:g}")
    if config.seed < 0:
        raise UserError(f"seed is {config.seed}: give a whole number, 0 or more")


def _refuse_method(config: Config) -> None:
    total, most = sum(set(config.T)), MOST_STEPS_OWN if config.f else MOST_STEPS
    if total > most:
        raise UserError(f"T is {_listed(config.T)}, {total:,} steps in all: {most:,} at most are taken")
    if config.f:
        prepare(config.f, config.B, config.rho, config.c, config.seed)
        return
    if config.function in ("absolute", "worst") and config.dimension is not None:
        own = "one variable" if config.function == "absolute" else "as many variables as steps"
        raise UserError(f"{config.function} is a function of {own}: leave --dimension out")
    longest = max(config.T)
    dimension = longest if config.function == "worst" else config.dimension or 1
    if longest * dimension > MOST_NUMBERS:
        raise UserError(
            f"T = {longest:,} in {dimension:,} dimensions is a path of {longest * dimension:,} numbers: "
            f"{MOST_NUMBERS:,} at most are kept"
        )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "empty"
