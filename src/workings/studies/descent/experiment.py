"""Follow one descent: what the algebra predicts of it, and what it does.

Recorded: arrays ``path``, ``factors`` (the modulus of each curvature's larger root), ``spectrum/eta`` and
``spectrum/radius``; metrics ``kappa``, ``eta``, ``beta``, ``rate/predicted``, ``rate/measured``, ``rate/power`` (k of
tᵏρᵗ), ``steps/predicted`` and ``steps/measured`` (to a millionth; inf where it never comes so near), table ``range``
(the exact step sizes that converge); of gradient descent also tables ``best`` (the best step, by formula and by search)
and, on the sheet's loss, ``algebra``; of heavy-ball at its best table ``double-root``; table ``result`` for a person.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.core.typed import matrix
from workings.studies.descent import algebra
from workings.studies.descent.measure import arrival, rate, steps_needed
from workings.studies.descent.model import FEW, Array, Quadratic, distances, simulate
from workings.studies.descent.spectrum import (
    Tuning,
    exactly,
    log_moduli,
    spectral_radius,
    threshold,
    tuned,
)
from workings.studies.descent.study import Config, Method
from workings.studies.descent.words import explain_curvature, told

LONGEST = 20_000
"""Steps of a path at most: a file of a few megabytes."""
PATIENCE = 100_000
"""Steps at most in which a rate is measured: a second of time, and enough for κ = 7000 at the best step."""
STANDING = 5_000
"""Steps for which a play that does not converge is watched."""
LARGEST = 40
"""Weights at most: the sign of the curvature is decided in fractions, which grow with the cube of this."""
REACH = 1e70
"""No curvature, step size or start beyond this, nor below its inverse: (ηλ)² stays in float64, and rates are finite."""
WIDEST = 1e30
"""Condition number at most: beyond it 1 − β is below what float64 can tell from 0."""
RESOLVED = 1e-13
"""Smallest curvature of a full matrix, relative to the largest, of which an eigenvalue solver finds a digit or two."""
CURVE = 400
"""Step sizes at which the spectral radius is kept, up to a tenth beyond 4/L, heavy-ball's threshold at most."""


@dataclass(frozen=True)
class Descent:
    """A configuration, read: the loss, the parameters, the start."""

    loss: Quadratic
    method: Method
    eta: float
    beta: float
    start: Array
    best: Tuning

    @property
    def high(self) -> Fraction | float:
        """It converges for 0 < η < this; a fraction where the curvatures and the momentum are known exactly."""
        exact = self.loss.diagonal and (self.beta == 0 or self.beta != self.best.beta)
        convert = exactly if exact else float
        return threshold(self.method, convert(self.beta), [convert(c) for c in self.loss.curvatures])  # type: ignore[no-any-return]


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be followed."""
    read(config)


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    play = read(config)
    curvatures, method, eta, beta = play.loss.curvatures, play.method, play.eta, play.beta
    path = simulate(play.loss, method, eta, beta, play.start, config.steps)
    recorder.array("path", path)
    logs = log_moduli(method, eta, beta, curvatures)
    recorder.array("factors", np.exp(logs))
    predicted = steps_needed(float(logs.max()))
    # Three times the steps to a millionth leave time for a double root, and reach `FAR`.
    patience = int(min(PATIENCE, max(3 * predicted, FEW))) if predicted < math.inf else STANDING
    seen = distances(play.loss, method, eta, beta, play.start, patience)
    arrived, (measured, power) = arrival(seen), rate(seen)
    metrics = {
        "kappa": float(curvatures.max() / curvatures.min()),
        "eta": eta,
        "beta": beta,
        "rate/predicted": float(np.exp(logs.max())),
        "rate/measured": measured,
        "rate/power": power,
        "steps/predicted": predicted,
        "steps/measured": math.inf if arrived is None else arrived,
    }
    for name, value in metrics.items():
        recorder.metric(name, value)
    recorder.table("range", {"low": "0", "high": str(play.high), "ends": [0.0, float(play.high)]})
    etas = _steps_around(play.best.eta, 4.4 / float(curvatures.max()))
    recorder.array("spectrum/eta", etas)
    recorder.array("spectrum/radius", spectral_radius(method, etas, beta, curvatures))
    if method == "gd":
        recorder.table("best", _best(play))
    if method == "gd" and not config.matrix:
        recorder.table("algebra", algebra.sheet())
    if method == "heavy-ball" and (eta, beta) == play.best[:2]:
        recorder.table("double-root", algebra.heavy_ball())
    recorder.table("result", told(play.loss, method, play.high, play.best, logs, path, metrics))


def read(config: Config) -> Descent:
    """The descent of a configuration, or a `UserError` that says what is wrong with it."""
    loss = read_loss(config.a, config.b, config.matrix)
    if not 1 <= config.steps <= LONGEST:
        raise UserError(f"steps is {config.steps}: give a number from 1 to {LONGEST:,}")
    best = tuned(config.method, loss.curvatures)
    eta = best.eta if config.eta is None else config.eta
    beta = best.beta if config.beta is None else config.beta
    if not 1 / REACH <= eta <= REACH:
        raise UserError(f"eta is {eta:g}: a step size is a positive number, from {1 / REACH:g} to {REACH:g}")
    if config.method == "gd" and beta:
        raise UserError(f"beta is {beta:g}, but gd has no momentum: leave beta out, or choose --method heavy-ball")
    if not 0 <= beta < 1:
        raise UserError(f"beta is {beta:g}: momentum lies from 0 up to, but not at, 1, where nothing would ever settle")
    return Descent(loss, config.method, eta, beta, _start(config.start, loss.n), best)


def read_loss(a: float, b: float, typed: str) -> Quadratic:
    """The loss of two curvatures or of a typed matrix; a `UserError` says why where it has no single minimiser."""
    if typed and (a, b) != (Config().a, Config().b):
        raise UserError(f"both a matrix and a = {a:g}, b = {b:g} are given: a and b are the sheet's loss, give either")
    try:
        loss = Quadratic(matrix(typed, "matrix") if typed else np.diag([_curvature("a", a), _curvature("b", b)]))
    except ValueError as error:
        raise UserError(str(error)) from None
    if loss.n > LARGEST:
        raise UserError(f"the matrix has {loss.n} rows: {LARGEST} at most can be treated exactly")
    sizes = np.abs(loss.A[loss.A != 0])
    if len(sizes) and not 1 / REACH <= sizes.min() <= sizes.max() <= REACH:
        raise UserError(f"the matrix has entries from {sizes.min():g} to {sizes.max():g}: rescale the loss")
    if loss.curvature != "positive definite":
        raise UserError(explain_curvature(loss))
    low, high = loss.curvatures.min(), loss.curvatures.max()
    if not loss.diagonal and low < RESOLVED * high:
        raise UserError(
            f"the curvatures of this matrix reach from about {low:.1g} to {high:.3g}, more than float64 resolves in a "
            "full matrix: turn its axes and give a diagonal one"
        )
    if high / low > WIDEST:
        raise UserError(f"the curvatures reach from {low:g} to {high:g}: their ratio may be {WIDEST:g} at most")
    return loss


def _curvature(name: str, value: float) -> float:
    if not math.isfinite(value) or (value and not 1 / REACH <= abs(value) <= REACH):
        raise UserError(f"{name} is {value:g}: a curvature is a number from {1 / REACH:g} to {REACH:g}, such as 10")
    return value


def _start(given: tuple[float, ...], n: int) -> Array:
    start = np.array(given or [1.0] * n, dtype=np.float64)
    size = np.abs(start).max()
    if start.shape != (n,) or not np.isfinite(size):
        raise UserError(f"start is {given}: this loss needs {n} finite numbers, as in --start {','.join('1' * n)}")
    if size == 0:
        raise UserError(f"start is {given}, the minimiser itself, where nothing moves: start elsewhere")
    if not 1 / REACH <= size <= REACH:
        raise UserError(f"start is {given}: give numbers whose largest lies between {1 / REACH:g} and {REACH:g}")
    return start


def _steps_around(best: float, highest: float) -> Array:
    """Step sizes for a curve, crowded about the best one, where a double root makes a cusp."""
    near = best * 2.0 ** -np.arange(4, 24)
    return np.unique(np.concatenate([np.linspace(0, highest, CURVE), best - near, [best], best + near]))


def _best(play: Descent) -> dict[str, Any]:
    """Gradient descent's best step: by formula, and by searching the spectral radius over the converging range."""
    curvatures, high = play.loss.curvatures, float(play.high)
    found = minimize_scalar(
        lambda share: float(spectral_radius("gd", share * high, 0.0, curvatures)),
        bounds=(0, 1),
        method="bounded",
        options={"xatol": 1e-12},
    )
    return {
        "eta": play.best.eta,
        "rate": play.best.rate,
        "steps": steps_needed(play.best.log_rate),
        "searched_eta": float(found.x) * high,
        "searched_rate": float(found.fun),
        "low": float(curvatures.min()),
        "high": float(curvatures.max()),
    }
