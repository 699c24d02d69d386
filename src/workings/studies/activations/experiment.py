"""Carry out one trial: examine functions, follow gradients through depth, or train.

Recorded. *examine*: tables ``examined`` (a row a function, as in `examination.py`) and ``general`` (what oddness forces
on any function), arrays ``grid``, ``values``, ``slopes`` ``[functions, points]``. *depth*: table ``functions``, arrays
``gradient`` ``[functions, seeds, layers]``, relative to the last layer, and ``predicted`` ``[functions, layers]``.
*train*: arrays ``looks`` (steps), ``loss`` and ``ratio`` ``[looks, seeds, rates]``, ``accuracy`` ``[seeds, rates]``.
All: table ``result``, for a person.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor

from workings.core.errors import UserError
from workings.core.runs import Recorder
from workings.data.catalogue import load_pictures
from workings.data.pictures import Pictures, Pixels
from workings.expressions import ExpressionError
from workings.studies.activations.catalogue import FORMULAS
from workings.studies.activations.centring import EVERY, Course, build, train
from workings.studies.activations.depth import gradients, predicted
from workings.studies.activations.examination import GRID, curves, examine, seen, shown
from workings.studies.activations.model import Activation, derivatives, read
from workings.studies.activations.study import DEEP, SIGMOID, Config
from workings.studies.activations.symmetry import kinks
from workings.train.runtime import generator, prepare

DEFAULTS = {"depth": (30, 128), "train": (3, 32)}
"""Hidden layers and their width."""
LARGEST_WORK = 1e12
"""Multiplications of a trial at most: some minutes on one thread."""
LARGEST_MEMORY = 5e7
"""Numbers held at once at most: half a gigabyte in float64, gradients included."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be carried out."""
    activations = read_all(config)
    for activation in activations:
        (seen if config.task == "examine" else _usable)(activation)
    for name in ("seeds", "batch", "steps"):
        if getattr(config, name) < 1:
            raise UserError(f"{name} is {getattr(config, name)}: it is counted from 1")
    if config.task == "examine":
        return
    layers, width = shape(config)
    if layers < (2 if config.task == "depth" else 1) or width < 1:
        raise UserError(f"{layers} layers of {width} units: give at least {2 if config.task == 'depth' else 1} of 1")
    if config.task == "train":
        _trainable(config, activations)
    _affordable(config, len(activations))


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    activations = read_all(config)
    if config.task == "examine":
        _examine(activations, recorder)
    elif config.task == "depth":
        _depth(config, activations, recorder)
    else:
        _train(config, activations[0], recorder)


def read_all(config: Config) -> list[Activation]:
    """The activations of a configuration; a `UserError` says what is wrong with one."""
    default: Sequence[str] = {"examine": tuple(FORMULAS), "depth": DEEP, "train": (SIGMOID,)}[config.task]
    try:
        return [read(text) for text in config.f or default]
    except ExpressionError as error:
        raise UserError(str(error)) from None


def shape(config: Config) -> tuple[int, int]:
    """Hidden layers and width."""
    layers, width = DEFAULTS[config.task]
    return layers if config.layers is None else config.layers, width if config.width is None else config.width


def _usable(activation: Activation) -> None:
    found = derivatives(activation.function, torch.tensor([-1.0, 0.5, 2.0], dtype=torch.float64), 1)
    if not found.isfinite().all():
        raise UserError(f"{activation.name} is not finite on both sides of zero: a network needs values everywhere")


def _trainable(config: Config, activations: Sequence[Activation]) -> None:
    if len(activations) != 1:
        raise UserError(f"{len(activations)} functions: train one at a time, to compare runs")
    if not config.rates or not all(0 < rate < math.inf for rate in config.rates):
        raise UserError(f"rates is {config.rates}: give learning rates above 0")
    if not 0 < config.target < math.inf:
        raise UserError(f"target is {config.target}: a loss to reach is a number above 0")
    if config.start == "function" and not math.isfinite(float(activations[0].function(torch.zeros(1)))):
        raise UserError(
            f"{activations[0].name} has no value at 0, by which biases would be shifted: use --start weights"
        )


def _affordable(config: Config, functions: int) -> None:
    layers, width = shape(config)
    if config.task == "depth":
        work = 3.0 * functions * config.seeds * layers * width**2 * 32
        memory = 2.0 * layers * width**2
    else:
        networks = config.seeds * len(config.rates)
        work = 3.0 * networks * (layers + 1) * width * max(width, 64) * (config.batch * config.steps)
        memory = networks * layers * width * (3.0 * width + max(config.batch, 1500))
    if work > LARGEST_WORK or memory > LARGEST_MEMORY:
        raise UserError(
            f"{layers} layers of {width} units, {config.seeds} seeds: that is {work:.0e} multiplications and "
            f"{memory:.0e} numbers at once, more than {LARGEST_WORK:.0e} and {LARGEST_MEMORY:.0e}: ask for less"
        )


def _examine(activations: Sequence[Activation], recorder: Recorder) -> None:
    found = [examine(activation) for activation in activations]
    both = np.stack([curves(activation) for activation in activations])
    recorder.table("examined", [one.to_json() for one in found])
    recorder.table("general", oddness_forces())
    for name, values in (("grid", GRID), ("values", both[:, 0]), ("slopes", both[:, 1])):
        recorder.array(name, values)
    if len(found) == 1:
        recorder.table("result", dict(found[0].lines()))
        return
    told = {
        one.name: f"{one.symmetry}, g(0) = {shown(one.value)}, g′(0) = {one.slope_told}, "
        f"mean {shown(one.gaussian.mean)}, mean slope {shown(one.gaussian.mean_slope)}"
        for one in found
    }
    recorder.table("result", told)


def oddness_forces() -> dict[str, Any]:
    """What r(x) = g(x) + g(−x) = 0 says of any smooth g: r⁽ᵏ⁾(0) as a multiple of g⁽ᵏ⁾(0), and r′ in words.

    A multiple other than 0 forces that derivative to vanish; 0 leaves it free.
    """
    x = sympy.Symbol("x", real=True)
    g = sympy.Function("g")
    residual = g(x) + g(-x)
    multiples = {}
    for order, name in enumerate(("value", "slope", "curvature")):
        # g⁽ᵏ⁾(0) is read off g = xᵏ/k!, whose other derivatives at 0 vanish; differentiation is linear.
        probe = sympy.Lambda(x, x**order / sympy.factorial(order))
        multiples[name] = int(sympy.diff(residual.replace(g, probe), x, order).subs(x, 0))
    u = sympy.Dummy("u")
    derived = sympy.diff(residual, x).doit()
    mirrored = sympy.diff(g(u), u).subs(u, -x).doit()
    even = sympy.simplify(derived - (sympy.diff(g(x), x) - mirrored)) == 0
    return {"multiples": multiples, "slope_is_even": bool(even)}


def _depth(config: Config, activations: Sequence[Activation], recorder: Recorder) -> None:
    recorder.session["device"] = "cpu"  # too small for anything else
    prepare(recorder.session)
    layers, width = shape(config)
    measured = np.stack(
        [
            [
                gradients(a.function, config.init, layers, width, generator(s, "depth")).numpy()
                for s in range(config.seeds)
            ]
            for a in activations
        ]
    )
    with np.errstate(all="ignore"):
        measured = measured / measured[..., -1:]
    wide = np.stack(
        [predicted(a.function, config.init, layers, kinks(a.formula) if a.formula else None) for a in activations]
    )
    recorder.array("gradient", measured)
    recorder.array("predicted", wide)
    recorder.table("functions", [activation.name for activation in activations])
    result = {}
    for activation, left, limit in zip(activations, measured[..., 0], wide[:, 0], strict=True):
        with np.errstate(divide="ignore"):
            each = np.exp(np.log(left).mean() / (layers - 1))
        result[activation.name] = f"{each:.4g} a layer, {each ** (layers - 1):.3g} in all (wide limit {limit:.3g})"
    recorder.table("result", result)


def _train(config: Config, activation: Activation, recorder: Recorder) -> None:
    recorder.session["device"] = "cpu"  # too small for anything else
    prepare(recorder.session)
    pictures = load_pictures(config.data)
    x, test_x = _centred(pictures)
    y, test_y = (torch.from_numpy(labels) for labels in (pictures.train_labels, pictures.test_labels))
    layers, width = shape(config)
    sizes = [x.shape[1], *[width] * layers, len(pictures.classes)]
    networks = build(activation.function, sizes, config.init, config.start, config.seeds, len(config.rates))
    course = train(
        networks, x, y, (test_x, test_y), rates=config.rates, seeds=config.seeds, batch=config.batch, steps=config.steps
    )
    looks = np.arange(len(course.loss)) * EVERY
    recorder.array("looks", looks)
    for name in ("loss", "ratio", "accuracy"):
        recorder.array(name, getattr(course, name).numpy())
    recorder.table("result", _told(config, course, looks))


def _centred(pictures: Pictures) -> tuple[Tensor, Tensor]:
    """Training and test pictures as rows, less the mean training picture, to overall variance 1."""

    def rows(images: Pixels) -> Tensor:
        return torch.from_numpy(images.reshape(len(images), -1).astype(np.float32))

    train_rows, test_rows = rows(pictures.train_images), rows(pictures.test_images)
    mean = train_rows.mean(0)
    deviation = (train_rows - mean).std()
    return (train_rows - mean) / deviation, (test_rows - mean) / deviation


def _told(config: Config, course: Course, looks: np.ndarray) -> dict[str, str]:
    """For each rate, when the target was first seen, and the accuracy at the end."""
    hit = course.loss.numpy() <= config.target
    told = {}
    for i, rate in enumerate(config.rates):
        reached = [int(looks[h.argmax()]) for h in hit[:, :, i].T if h.any()]
        steps = (
            f"reaches {config.target:g} after {np.mean(reached):.0f} steps" if reached else "never reaches the target"
        )
        accuracy = float(course.accuracy[:, i].mean())
        told[f"rate {rate:g}"] = f"{steps} ({len(reached)} of {config.seeds} seeds), test accuracy {accuracy:.1%}"
    return told
