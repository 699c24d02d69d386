"""Study one sum of parabolas: where a step raises it, and how far the walk stays away from the minimum.

Recorded: table ``loss`` (minimiser, least value, terms), table ``raises`` (for each term: the exact intervals at this
step size, and what a step from the minimiser does), table ``checked`` (rational points at which the closed form was
held against the step itself), metrics ``noise/measured``, ``noise/error`` (standard error over walks) and, where the
walk settles, ``noise/predicted``, ``full_batch/factor``, arrays ``walk`` and ``full_batch`` (the first steps of one
walk and of descent on the whole), and the table ``result`` for a person.
"""

from fractions import Fraction
from typing import Any

import numpy as np

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.expressions import ExpressionError
from workings.studies.sgd.model import Ends, Loss, Parabola, contains, full_batch, mean_square_noise, raises, walks
from workings.studies.sgd.study import Config

MOST_TERMS, LONGEST, MOST_WALKS = 100, 100_000, 4_096
LARGEST = 20_000_000
"""Steps of all walks together: 160 MB of path."""
SHOWN = 120
"""Steps of a walk that the figures show."""
POINTS = 400
"""Points on each side of the minimiser, and at all ends, at which the closed form is held against the step."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what makes no sense."""
    read_loss(config.f)
    if not 0 < config.eta < 1e6:
        raise UserError(f"eta is {config.eta}: a step size is a positive number, below a million")
    if not abs(config.start) < 1e9:
        raise UserError(f"start is {config.start}: give a number below a thousand million")
    for name, most in (("steps", LONGEST), ("walks", MOST_WALKS)):
        if not 2 <= getattr(config, name) <= most:
            raise UserError(f"{name} is {getattr(config, name)}: give a number from 2 to {most:,}")
    if config.steps * config.walks > LARGEST:
        raise UserError(f"{config.walks:,} walks of {config.steps:,} steps are too many: {LARGEST:,} steps at most")


def read_loss(texts: tuple[str, ...]) -> Loss:
    """The sum of the terms; a `UserError` says which of them is none."""
    if not 1 <= len(texts) <= MOST_TERMS:
        raise UserError(f"{len(texts)} terms given: give from 1 to {MOST_TERMS}, each with its own --f")
    terms = []
    for number, text in enumerate(texts, start=1):
        try:
            terms.append(Parabola.parse(text))
        except (ExpressionError, ValueError) as error:
            raise UserError(f"term {number}: {error}") from None
    return Loss(tuple(terms))


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    loss, eta = read_loss(config.f), Fraction(str(config.eta))
    m = loss.minimiser
    recorder.table("loss", {"minimiser": str(m), "least": str(loss(m)), "terms": [_told(term) for term in loss.terms]})
    rows = [_row(loss, term, text, eta) for term, text in zip(loss.terms, config.f, strict=True)]
    recorder.table("raises", rows)
    recorder.table("checked", check_closed_form(loss, eta))
    order = np.random.default_rng(config.seed).integers(len(loss.terms), size=(config.steps, config.walks))
    paths = walks(loss, config.eta, config.start, order)
    recorder.array("walk", paths[:SHOWN, 0])
    recorder.array("full_batch", full_batch(loss, config.eta, config.start, SHOWN - 1))
    recorder.metric("full_batch/factor", float(1 - eta * loss.curvature))
    result: dict[str, Any] = {"minimiser": f"w = {m}, where f = {loss(m)}"}
    result |= {f"a step on {row['term'].strip()}": _sentence(row) for row in rows}
    result["the whole gradient"] = _whole(loss, eta)
    result["noise"] = _measure_noise(paths, loss, eta, recorder)
    recorder.table("result", result)


def check_closed_form(loss: Loss, eta: Fraction) -> dict[str, int]:
    """Take the step itself at rational points around all that matters, and count where the closed form disagrees."""
    m, cases, wrong = loss.minimiser, 0, 0
    reach = 2 * max((abs(term.c - m) for term in loss.terms), default=Fraction(0)) + 1
    for term in loss.terms:
        intervals = raises(loss, term, eta)
        ends = [end for interval in intervals for end in interval if end is not None]
        for w in [*ends, m, term.c, *(m + reach * Fraction(k, POINTS) for k in range(-POINTS, POINTS + 1))]:
            cases += 1
            wrong += (loss(term.step(w, eta)) > loss(w)) != contains(intervals, w)
    return {"cases": cases, "disagreements": wrong}


def _row(loss: Loss, term: Parabola, text: str, eta: Fraction) -> dict[str, Any]:
    m = loss.minimiser
    after = term.step(m, eta)
    intervals = raises(loss, term, eta)
    return {
        "term": text,
        "intervals": [[None if end is None else float(end) for end in interval] for interval in intervals],
        "exact": interval_text(intervals),
        "at_minimiser": {
            "after": str(after),
            "rise": str(loss(after) - loss(m)),
            "term_before": str(term(m)),
            "term_after": str(term(after)),
        },
    }


def interval_text(intervals: tuple[Ends, ...]) -> str:
    """The set as one writes it: ``2/3 < w < 2``."""
    parts = []
    for low, high in intervals:
        parts.append(f"{'' if low is None else f'{low} < '}w{'' if high is None else f' < {high}'}")
    return " or ".join(parts) or "nowhere"


def _sentence(row: dict[str, Any]) -> str:
    return f"raises f for {row['exact']}" if row["intervals"] else "never raises f"


def _whole(loss: Loss, eta: Fraction) -> str:
    limit = 2 / loss.curvature
    does = "descends from every other point" if eta < limit else "does not descend"
    return f"{does} at η = {float(eta):g}: it does so for 0 < η < {limit}"


def _measure_noise(paths: "np.ndarray[Any, Any]", loss: Loss, eta: Fraction, recorder: Recorder) -> str:
    """The mean square distance from the minimiser over the second half, with its error over independent walks."""
    predicted = mean_square_noise(loss, eta)
    with np.errstate(all="ignore"):
        each = np.square(paths[len(paths) // 2 :] - float(loss.minimiser)).mean(axis=0)
    if predicted is None or not np.isfinite(each).all():
        return "the walk does not settle at this step size"
    measured, error = float(each.mean()), float(each.std(ddof=1) / np.sqrt(len(each)))
    recorder.metric("noise/predicted", float(predicted))
    recorder.metric("noise/measured", measured)
    recorder.metric("noise/error", error)
    return f"E (w − m)² = {predicted}, measured {measured:.4g} ± {error:.1g}"


def _told(term: Parabola) -> dict[str, str]:
    return {"curvature": str(term.a), "centre": str(term.c), "least": str(term.b)}
