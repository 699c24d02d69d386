"""One part of the study: formulas by every route, by symbols, all rules, the cost by shape, or a network.

Recorded, by part: ``formulas`` the tables ``derivatives`` (value, and the Jacobian by each route), ``trace`` (every
step's value, tangents and adjoints), the arrays ``steps`` and ``errors/forward``, ``errors/central`` (the largest
error of differences by step); ``symbols`` the tables ``exact`` (decimal strings) and ``engine``;
``rules`` and ``cost`` a table of that name; ``network`` the metrics ``loss`` and ``accuracy`` by epoch. Each has a
table ``result`` for a person.
"""

import math
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.expressions import ExpressionError
from workings.studies.autodiff.counting import jacobian_cost
from workings.studies.autodiff.formulas import Formulas
from workings.studies.autodiff.graph import graph
from workings.studies.autodiff.learning import train
from workings.studies.autodiff.model import hessian, jacobian, jvp
from workings.studies.autodiff.numerical import SCHEMES, STEPS, difference_jacobian, errors_by_step, remainder_bound
from workings.studies.autodiff.rules import all_deviations
from workings.studies.autodiff.study import Config
from workings.studies.autodiff.symbols import LARGEST, exact

MOST_FORMULAS, MOST_VARIABLES, MOST_STEPS = 10, 30, 1_000
"""What is done in seconds; nobody reads a Jacobian of more than 300 entries."""
SIZES = (1, 2, 4, 8, 16, 32)
"""Numbers of inputs and of outputs whose Jacobians are counted."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what has no derivative to show."""
    formulas, w = read(config.f, config.at)
    if not 0 < config.delta < np.inf:
        raise UserError(f"delta is {config.delta}: a step is a positive number")
    if config.part == "formulas":
        _steps_inside(formulas, w, config.delta)
    if config.part == "symbols" and (steps := formulas.steps) > LARGEST:
        raise UserError(f"the formulas have {steps} steps: sympy is asked for {LARGEST} at most; use --part formulas")


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    formulas, w = read(config.f, config.at)
    with np.errstate(all="ignore"):
        result = PARTS[config.part](formulas, w, config.delta, recorder)
    recorder.table("result", result)


def read(f: Sequence[str], at: Sequence[float]) -> tuple[Formulas, np.ndarray]:
    """Formulas, and a point where they have values and slopes; a `UserError` says what is wrong with either."""
    if not 1 <= len(f) <= MOST_FORMULAS:
        raise UserError(f"{len(f)} formulas: give 1 to {MOST_FORMULAS}, each with its own --f")
    try:
        formulas = Formulas.parse(f)
    except ExpressionError as error:
        raise UserError(str(error)) from None
    names, w = formulas.variables, np.array(at, dtype=np.float64)
    if not 1 <= len(names) <= MOST_VARIABLES:
        raise UserError(f"the formulas have {len(names)} variables: there must be 1 to {MOST_VARIABLES}")
    if (steps := formulas.steps) > MOST_STEPS:
        raise UserError(
            f"the formulas have {steps:,} steps: {MOST_STEPS:,} at most, in all; give shorter or fewer ones"
        )
    if len(w) != len(names):
        raise UserError(
            f"at holds {len(w)} number{'s' * (len(w) != 1)}: the formulas need {len(names)}, for {', '.join(names)}"
        )
    if not np.isfinite(w).all():
        raise UserError(f"at is {at}: give finite numbers")
    if outside := formulas.outside(at):
        raise UserError(str(outside))
    with np.errstate(all="ignore"):
        slopes = jacobian(formulas)(w)
    if not np.isfinite(slopes).all():
        i, j = np.argwhere(~np.isfinite(slopes))[0]
        raise UserError(
            f"the derivative of {f[i]} by {names[j]} is {slopes[i, j]:g} at {_list(at)}: choose another point"
        )
    return formulas, w


def _steps_inside(formulas: Formulas, w: np.ndarray, delta: float) -> None:
    """See that the formulas have values a step away from the point, on either side."""
    for step in (*np.eye(len(w)), *-np.eye(len(w))):
        beside = w + delta * step
        if np.array_equal(beside, w):
            raise UserError(f"delta is {delta:g}, lost to rounding beside {np.abs(w).max():g}: choose a larger step")
        if outside := formulas.outside(beside.tolist()):
            raise UserError(f"delta is {delta:g}, and a step away {outside}, or a smaller delta")


def _formulas(formulas: Formulas, w: np.ndarray, delta: float, recorder: Recorder) -> dict[str, Any]:
    """Values, and the Jacobian by five routes."""
    value = formulas(w)
    routes = {
        "forward": jacobian(formulas, "forward")(w),
        "reverse": jacobian(formulas, "reverse")(w),
        "dual": np.stack([jvp(formulas, [w], [e])[1] for e in np.eye(len(w))], axis=-1),
    }
    differences = {s: difference_jacobian(formulas, w, delta, s) for s in SCHEMES}
    bounds = {s: remainder_bound(formulas, w, delta, s) for s in SCHEMES}
    recorder.table(
        "derivatives",
        {
            "variables": list(formulas.variables),
            "value": value.tolist(),
            **{name: J.tolist() for name, J in routes.items()},
            "differences": {s: J.tolist() for s, J in differences.items()},
            # A pole within the step leaves no bound.
            "bounds": {
                s: [[x if math.isfinite(x) else None for x in row] for row in b.tolist()] for s, b in bounds.items()
            },
        },
    )
    recorder.table("trace", graph(formulas, w).to_json())
    recorder.array("steps", STEPS)
    for scheme in SCHEMES:
        recorder.array(f"errors/{scheme}", errors_by_step(formulas, w, routes["reverse"], scheme))
    result = {"at": ", ".join(f"{name} = {x:g}" for name, x in zip(formulas.variables, w, strict=True))}
    result |= {
        f"f{i + 1} = {e.text.strip()}": f"{v:.6f}"
        for i, (e, v) in enumerate(zip(formulas.expressions, value, strict=True))
    }
    result |= {f"Jacobian, {name} mode": _matrix(routes[name]) for name in ("forward", "reverse")}
    for scheme in SCHEMES:
        error, bound = np.abs(differences[scheme] - routes["reverse"]), bounds[scheme]
        told = "as Taylor's remainder allows" if (error <= bound).all() else "more than Taylor's remainder allows"
        if not np.isfinite(bound).all():
            told = "and a derivative that is not finite within the step leaves no bound"
        result[f"Jacobian, {scheme} differences"] = (
            f"{_matrix(differences[scheme])}, off by up to {error.max():.2g}, {told}"
        )
    return result


def _symbols(formulas: Formulas, w: np.ndarray, delta: float, recorder: Recorder) -> dict[str, Any]:
    """Values and first and second derivatives beside sympy's."""
    try:
        found = exact(formulas, w.tolist())
    except ValueError as error:
        raise UserError(str(error)) from None
    each = [Formulas((expression,), formulas.variables).first for expression in formulas.expressions]
    engine = {
        "value": formulas(w),
        "jacobian": jacobian(formulas)(w),
        "hessian": np.stack([hessian(f, "forward")(w) for f in each]),
        "hessian, reverse over reverse": np.stack([hessian(f, "reverse")(w) for f in each]),
    }
    recorder.table("exact", found)
    recorder.table("engine", {name: array.tolist() for name, array in engine.items()})
    result: dict[str, Any] = {}
    for name in ("value", "jacobian", "hessian"):
        off = np.abs(engine[name] - np.array(found[name], dtype=np.float64)).max()
        result |= {f"{name}, by the engine": _matrix(engine[name]), f"{name}, off sympy's by": f"{off:.2g}"}
    return result


def _rules(formulas: Formulas, w: np.ndarray, delta: float, recorder: Recorder) -> dict[str, Any]:
    rows = all_deviations()
    recorder.table("rules", rows)
    worst = {kind: max(rows, key=itemgetter(kind)) for kind in ("forward", "transpose", "second")}
    return {f"{len(rows)} rows, largest deviation, {k}": f"{row[k]:.2g} ({row['name']})" for k, row in worst.items()}


def _cost(formulas: Formulas, w: np.ndarray, delta: float, recorder: Recorder) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [{"inputs": n, "outputs": m, **jacobian_cost(n, m)} for n in SIZES for m in SIZES]
    recorder.table("cost", rows)
    corners = [row for row in rows if {row["inputs"], row["outputs"]} == {SIZES[0], SIZES[-1]}]
    return {
        f"{row['inputs']} inputs, {row['outputs']} outputs": ", ".join(
            f"{mode} {row[mode]['multiplications']:,} multiplications" for mode in ("forward", "reverse")
        )
        for row in corners
    }


def _network(formulas: Formulas, w: np.ndarray, delta: float, recorder: Recorder) -> dict[str, Any]:
    for number, epoch in enumerate(train(), start=1):
        recorder.metric("loss", epoch.loss, step=number)
        recorder.metric("accuracy", epoch.accuracy, step=number)
    recorder.metric("held_out", epoch.held_out)
    return {"loss": f"{epoch.loss:.3f} nats", "test accuracy": f"{epoch.accuracy:.1%}", "epochs": number}


PARTS = {"formulas": _formulas, "symbols": _symbols, "rules": _rules, "cost": _cost, "network": _network}


def _matrix(values: np.ndarray) -> str:
    """Nested lists with six decimals."""
    if values.ndim:
        return f"[{', '.join(map(_matrix, values))}]"
    return f"{float(values):.6f}".replace("-", "−")


def _list(numbers: Sequence[float]) -> str:
    return f"({', '.join(f'{number:g}' for number in numbers)})"
