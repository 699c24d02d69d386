"""Play one game: find its stationary points, the step sizes that converge there, and follow one play.

Recorded: table ``stationary`` (points, curves of points, their kinds), table ``steps`` (the converging step sizes at
the point nearest the start; those that stay bounded, where none converge; those that converge from starts in the
start's own subspace), ``spectral_radius`` and ``distance/start``, ``distance/end`` from that point, arrays ``path``,
``spectrum/eta`` and ``spectrum/radius``, and the table ``result`` for a person.
"""

from typing import Any

import numpy as np

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.core.typed import matrix
from workings.expressions import ExpressionError
from workings.studies.minimax.model import Array, ExpressionGame, QuadraticGame, simulate
from workings.studies.minimax.spectrum import bounded_steps, converging_steps, restrict, spectral_radius
from workings.studies.minimax.stationary import WHAT_IS_KNOWN, StationaryPoint, StationarySet, stationary_points
from workings.studies.minimax.steps import StepSet
from workings.studies.minimax.study import Config

LONGEST = 100_000
"""Moves at most: a million numbers to keep."""
CURVE = 400
"""Step sizes at which the spectral radius is kept, up to 2.5/|λ|: every method has left the unit circle by then."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be played."""
    _start(config, read_game(config))


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    game = read_game(config)
    start = _start(config, game)
    found = stationary_points(game)
    recorder.table("stationary", _stationary(found))
    path = simulate(game, config.method, config.eta, start, config.steps)
    recorder.array("path", path)
    result = {"stationary points": found.note}
    places = [*found.points, *(sample for _, sample in found.curves)]
    if places:
        point = min(places, key=lambda place: float(np.linalg.norm(start - place.point)))
        result |= _at(point, game, config, start, path, recorder)
    result[f"after {config.steps} moves"] = _listed(path[-1])
    recorder.table("result", result)


def read_game(config: Config) -> ExpressionGame | QuadraticGame:
    """The game of a configuration; a `UserError` says what is wrong with its formula or matrices."""
    given = {name: text for name, text in (("A", config.a), ("B", config.b), ("C", config.c)) if text}
    try:
        if not given:
            return ExpressionGame.parse(config.f)
        if len(given) < 3:
            raise UserError(f"only {', '.join(given)} given: a game in matrices needs --a, --b and --c")
        return QuadraticGame(*(matrix(text, name) for name, text in given.items()))
    except (ExpressionError, ValueError) as error:
        raise UserError(str(error)) from None


def _start(config: Config, game: ExpressionGame | QuadraticGame) -> Array:
    """The start; a `UserError` where it, the step size or the number of moves makes no sense."""
    if not 0 < config.eta < np.inf:
        raise UserError(f"eta is {config.eta}: a step size is a positive number")
    if not 1 <= config.steps <= LONGEST:
        raise UserError(f"steps is {config.steps}: give a number from 1 to {LONGEST:,}")
    start = np.array(config.start, dtype=np.float64)
    if start.shape != (game.n + game.m,) or not np.isfinite(start).all():
        raise UserError(
            f"start is {config.start}: this game needs {game.n + game.m} finite numbers, "
            f"{game.n} for x and {game.m} for y"
        )
    return start


def _at(
    point: StationaryPoint,
    game: ExpressionGame | QuadraticGame,
    config: Config,
    start: Array,
    path: Array,
    recorder: Recorder,
) -> dict[str, str]:
    """Record what linearisation says at a point, and return it in words."""
    jacobian, n, method = point.jacobian, game.n, config.method
    converging = converging_steps(jacobian, n, method)
    steps: dict[str, Any] = {"point": list(point.point), "kind": point.kind, "converging": describe(converging)}
    words = {"nearest": f"{_listed(np.array(point.point))}, {point.kind}", "converges for": str(converging)}
    if converging.empty and converging.exact:  # what stays bounded can be told from exact numbers only
        bounded = bounded_steps(jacobian, n, method)
        steps["bounded"], words["stays bounded for"] = describe(bounded), str(bounded)
    kept = np.flatnonzero(start != np.array(point.point))
    if 0 < len(kept) < len(start):
        try:
            subspace = converging_steps(*restrict(jacobian, n, kept.tolist()), method)
        except ValueError:  # the other variables are set in motion: the subspace is not invariant
            pass
        else:
            steps["from_start"], words["from this start"] = describe(subspace), str(subspace)
    recorder.table("steps", steps)
    radius = float(spectral_radius(jacobian, n, method, config.eta))
    recorder.metric("spectral_radius", radius)
    largest = float(np.abs(np.linalg.eigvals(np.array(jacobian, dtype=np.float64))).max())
    etas = np.linspace(0, 2.5 / largest if largest > 0 else 2.5 * config.eta, CURVE)
    recorder.array("spectrum/eta", etas)
    recorder.array("spectrum/radius", spectral_radius(jacobian, n, method, etas))
    distances = np.linalg.norm(path - np.array(point.point), axis=-1)
    for name, distance in (("start", distances[0]), ("end", distances[-1])):
        if np.isfinite(distance):
            recorder.metric(f"distance/{name}", float(distance))
    return words | {f"spectral radius at η = {config.eta:g}": f"{radius:.6g}"}


def describe(steps: StepSet) -> dict[str, Any]:
    """A set of step sizes as JSON: text, ends as floats and as they are written, and whether they are exact."""
    return {
        "text": str(steps),
        "intervals": [list(ends) for ends in steps.floats],
        "ends": [[str(interval.low), str(interval.high)] for interval in steps.intervals],
        "exact": steps.exact,
    }


def _stationary(found: StationarySet) -> dict[str, Any]:
    return {
        "note": found.note,
        "complete": found.complete,
        "points": [_place(point) for point in found.points],
        "curves": [{"equation": equation, "sample": _place(sample)} for equation, sample in found.curves],
    }


def _place(place: StationaryPoint) -> dict[str, Any]:
    return {
        "point": list(place.point),
        "exact": None if place.exact is None else [str(coordinate) for coordinate in place.exact],
        "value": place.value,
        "hessian": place.hessian.tolist(),
        "kind": place.kind,
        "meaning": WHAT_IS_KNOWN[place.kind],
    }


def _listed(point: Array) -> str:
    return f"({', '.join(f'{coordinate:.6g}' for coordinate in point)})"
