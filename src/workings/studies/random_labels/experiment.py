"""Train a network on labels or pictures made random; build the network of the theorem; fit linear models of least norm.

Recorded of a training: ``parameters``, ``pictures/train``, ``pictures/test``, ``classes``, ``redrawn`` (share of labels
that are not true); per epoch ``train/loss`` (nats), ``train/accuracy``, ``test/accuracy``; and ``fit/epoch``, the first
that fits, if any does. Of a construction: ``points``, ``dimension``, ``size`` (numbers in the network), ``exact/error``
and ``exact/points`` (in fractions), the table ``errors`` (in float64, over the number of points), the arrays
``example/…`` of a few points. Of linear models: the table ``models``, and the table ``descent``. And the table
``result`` for a person.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from workings.core.errors import UserError
from workings.core.evidence import METRICS_FILE, read_rows
from workings.core.runs import Recorder
from workings.data.catalogue import load_pictures
from workings.studies.random_labels import construction, linear
from workings.studies.random_labels.learner import LabelLearner
from workings.studies.random_labels.pictures import Prepared, prepare_pictures
from workings.studies.random_labels.study import Config
from workings.train.checkpoint import parameters
from workings.train.loop import fit
from workings.train.runtime import prepare

LIMITS = {
    "size": (0, 128),
    "limit": (2, 1_000_000),
    "tested": (1, 1_000_000),
    "batch": (1, 4_096),
    "epochs": (1, 10_000),
    "seed": (0, 1 << 62),
}
"""Smallest and largest of each setting. Above them a training would take for ever, or all memory."""
MOST = {"train": 1_000_000, "construct": 100_000, "minimum-norm": 2_000}
"""Pictures by task: a construction is summed term by term, n² of them; a linear model takes n³ steps."""
SIDES = (8, 128)
"""Pixels along a side that the networks can take: their pools halve twice; beyond, a dense layer fills the memory."""
EXAMPLE = 9
"""Points of the picture that shows how the construction works."""
FEATURES = (0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Random features for each picture: dense about 1, where the models begin to interpolate."""
DESCENT, DESCENT_FEATURES, DESCENT_STEPS = 40, 20, 4_000
"""Pictures, features for each of them, and steps of the gradient descent that is held against the least norm. With so
many features the design is well conditioned, and that many steps leave nothing but rounding."""


def validate(config: Config) -> None:
    """Refuse, with a `UserError`, what cannot be carried out."""
    for name, (least, most) in LIMITS.items():
        value = getattr(config, name)
        if not least <= value <= most:
            raise UserError(f"{name} is {value:,}: it lies between {least:,} and {most:,}")
    if config.limit > MOST[config.task]:
        raise UserError(f"limit is {config.limit:,}: {config.task} takes {MOST[config.task]:,} pictures at most")
    for name, holds, wanted in (
        ("corruption", 0 <= config.corruption <= 1, "from 0 to 1"),
        ("dropout", 0 <= config.dropout < 1, "from 0 to below 1"),
        ("weight_decay", 0 <= config.weight_decay <= 1, "from 0 to 1"),
        ("learning_rate", 0 < config.learning_rate <= 10, "above 0 and 10 at most"),
        ("decay", 0 < config.decay <= 1, "above 0 and 1 at most"),
    ):
        if not holds:
            raise UserError(f"{name} is {getattr(config, name)}: give a number {wanted}")
    if config.corruption and config.labels != "partial":
        raise UserError(
            f"corruption is {config.corruption} and labels are {config.labels}: give --labels partial, or no corruption"
        )
    _validate_pictures(config)


def _validate_pictures(config: Config) -> None:
    found = load_pictures(config.data, config.size or None, config.broken)
    if len(found.classes) < 2 or not len(found.train_labels) or not len(found.test_labels):
        raise UserError(
            f"{config.data} has {len(found.classes)} class(es), {len(found.train_labels):,} training and "
            f"{len(found.test_labels):,} held-out pictures: it takes two classes, and pictures of both kinds"
        )
    if config.task == "train" and not all(SIDES[0] <= side <= SIDES[1] for side in found.size):
        height, width = found.size
        raise UserError(
            f"{config.data} has pictures of {height} × {width} pixels; a side of {SIDES[0]} to {SIDES[1]} can be "
            "trained on: bring them to a size, as by --size 32"
        )
    if config.task == "minimum-norm" and min(config.limit, len(found.train_labels)) < DESCENT:
        raise UserError(f"limit is {config.limit}: linear models are fitted to {DESCENT} pictures at least")


def run(config: Config, recorder: Recorder) -> None:
    """Carry out one trial."""
    if config.task == "train":
        _train(config, recorder)
        return
    data = prepare_pictures(config)
    try:
        (_construct if config.task == "construct" else _least_norm)(config, recorder, data)
    except ValueError as error:
        raise UserError(f"{config.data}: {error}") from None


def _train(config: Config, recorder: Recorder) -> None:
    device = prepare(recorder.session)
    data = prepare_pictures(config)
    learner = LabelLearner(config, data, device)
    facts = {
        "parameters": parameters(learner.network),
        "pictures/train": len(data.labels),
        "pictures/test": len(data.test_labels),
        "classes": len(data.classes),
        "redrawn": data.redrawn,
    }
    for name, value in facts.items():
        recorder.metric(name, value)
    size = f"{config.network} ({facts['parameters']:,} parameters)"
    title = f"{size} on {config.data}, {config.labels} labels, {config.pixels} pixels, seed {config.seed}"
    fit(learner, recorder, title=title, epochs=config.epochs, seed=config.seed)
    recorder.flush()
    last = {row["name"]: row["value"] for row in read_rows(recorder.folder / METRICS_FILE)}
    fitted = f"{learner.fitted.first} epochs" if learner.fitted.first else f"not within {config.epochs} epochs"
    told = {name: f"{last[name]:.2%}" for name in ("train/accuracy", "test/accuracy")}
    recorder.table("result", {"parameters": facts["parameters"], **told, "labels fitted after": fitted})


def _construct(config: Config, recorder: Recorder, data: Prepared) -> None:
    """The network of the theorem: in fractions, in float64 over the number of points, and on a few of them."""
    points = data.train.reshape(len(data.train), -1)
    blank = np.zeros_like(data.labels)
    # Random labels of equal pictures would contradict each other; true ones that do are an error that names them.
    kept = construction.distinct(points, data.labels if config.labels == "true" else blank)
    points, labels = points[kept], data.labels[kept]
    order = np.random.default_rng(config.seed).permutation(len(labels))
    points, labels = points[order], labels[order]
    memory = construction.memorise(points / 255, labels, config.seed)
    wrong = _exact_error(points, labels, config.seed)
    rows = [row for count in _sizes(len(labels)) for row in _errors(points[:count], labels[:count], config.seed)]
    _example(points[:EXAMPLE], labels[:EXAMPLE], recorder, config.seed)
    numbers = {
        "points": len(labels),
        "dimension": points.shape[1],
        "size": memory.size,
        "equal/pictures": len(data.labels) - len(labels),
        "exact/points": len(labels),
        "exact/error": float(wrong),
    }
    for name, value in numbers.items():
        recorder.metric(name, value)
    recorder.table("errors", rows)
    result = {"pictures": len(labels), "numbers in the network": memory.size, "largest error, in fractions": str(wrong)}
    told = {
        f"in float64, thresholds {r['thresholds']}": f"{r['error']:.2g}" for r in rows if r["points"] == len(labels)
    }
    recorder.table("result", result | told)


def _exact_error(points: Integer[np.ndarray, "n d"], labels: Integer[np.ndarray, " n"], seed: int) -> Fraction:
    """The largest difference between the network and the labels, without any rounding."""
    projected, _ = construction.project_exactly(points, seed)
    rank = np.argsort(projected)
    z = [Fraction(int(v)) for v in projected[rank]]
    y = [Fraction(int(v)) for v in labels[rank]]
    b = [z[0] - 1, *z[:-1]]
    said = construction.exact_values(z, b, construction.substitute(z, y, b))
    return max(abs(a - b) for a, b in zip(said, y, strict=True))


def _sizes(most: int) -> list[int]:
    """4, 16, 64, … and as many as there are."""
    return [*(4**power for power in range(1, 12) if 4**power < most), most]


def _errors(
    points: Integer[np.ndarray, "n d"], labels: Integer[np.ndarray, " n"], seed: int
) -> Iterator[dict[str, Any]]:
    """How far the network in float64 is from the labels, for both choices of thresholds on one projection."""
    z, _ = construction.project(points / 255, seed)
    rank = np.argsort(z)
    z, y = z[rank], labels[rank].astype(np.float64)
    kinds: tuple[construction.Thresholds, ...] = ("previous", "midpoints")
    for kind in kinds:
        b = construction.place(z, kind)
        w = np.array(construction.substitute(z.tolist(), y.tolist(), b.tolist()))
        off = np.abs(construction.relu_sum(z, b, w) - y)
        yield {
            "points": len(y),
            "thresholds": kind,
            "error": float(off.max()),
            "wrong": int((off >= 0.5).sum()),
            "cancellation": construction.cancellation(z, b, w),
            "gap": construction.smallest_gap(z),
        }


def _example(
    points: Integer[np.ndarray, "n d"], labels: Integer[np.ndarray, " n"], recorder: Recorder, seed: int
) -> None:
    z, _ = construction.project(points / 255, seed)
    rank = np.argsort(z)
    z, y = z[rank], labels[rank].astype(np.float64)
    recorder.array("example/projections", z)
    recorder.array("example/labels", y)
    kinds: tuple[construction.Thresholds, ...] = ("previous", "midpoints")
    for kind in kinds:
        b = construction.place(z, kind)
        w = construction.substitute(z.tolist(), y.tolist(), b.tolist())
        recorder.array(f"example/{kind}", np.stack([b, np.array(w)]))


def _least_norm(config: Config, recorder: Recorder, data: Prepared) -> None:
    """Pixels, then more and more random features of them; what fits, what it tells of held-out pictures, its norm."""
    train, test = linear.standardised(*(s.reshape(len(s), -1).astype(np.float64) for s in (data.train, data.test)))
    targets = linear.one_hot(data.labels, len(data.classes))
    count = len(targets)
    draw = np.random.default_rng(config.seed)
    directions = draw.standard_normal((train.shape[1], round(FEATURES[-1] * count))) * np.sqrt(train.shape[1])
    rows = [_model("pixels", linear.with_constant(train), linear.with_constant(test), targets, data)]
    for ratio in FEATURES:
        some = directions[:, : max(1, round(ratio * count))]
        designs = linear.random_features(train, some), linear.random_features(test, some)
        rows.append(_model("features", *designs, targets, data))
    recorder.metric("pictures", count)
    recorder.metric("pictures/test", len(test))
    recorder.metric("classes", len(data.classes))
    recorder.table("models", rows)
    some = directions[:, : DESCENT * DESCENT_FEATURES]
    few = np.linspace(0, count - 1, DESCENT).round().astype(int)
    recorder.table("descent", _descent(linear.random_features(train[few], some), targets[few], config.seed))
    shown = (rows[0], rows[-1])
    told = {f"{r['design']}, {r['size']:,}": f"train {r['train']:.2%}, test {r['test']:.2%}" for r in shown}
    recorder.table("result", {"pictures": count, **told})


def _model(
    design: str,
    train: Float[np.ndarray, "n p"],
    test: Float[np.ndarray, "m p"],
    targets: Float[np.ndarray, "n k"],
    data: Prepared,
) -> dict[str, Any]:
    fitted = linear.minimum_norm(train, targets)
    said = train @ fitted.weights
    return {
        "design": design,
        "size": train.shape[1],
        "rank": fitted.rank,
        "residual": float(np.abs(said - targets).max()),
        "train": float((said.argmax(1) == data.labels).mean()),
        "test": float(((test @ fitted.weights).argmax(1) == data.test_labels).mean()),
        "norm": float(np.linalg.norm(fitted.weights)),
    }


def _descent(design: Float[np.ndarray, "n p"], targets: Float[np.ndarray, "n k"], seed: int) -> dict[str, Any]:
    """Where gradient descent ends, relative to the solution of least norm: from zero, and from elsewhere."""
    least = linear.minimum_norm(design, targets).weights
    zero = np.zeros_like(least)
    start = np.random.default_rng(seed).standard_normal(least.shape) * np.abs(least).max()
    # What of the start no row of the design sees, descent leaves as it was.
    unseen = start - linear.minimum_norm(design, design @ start).weights
    ends = {
        name: linear.descend(design, targets, begin, DESCENT_STEPS) for name, begin in (("zero", zero), ("far", start))
    }
    size = float(np.linalg.norm(least))
    return {
        "pictures": len(design),
        "features": design.shape[1],
        "steps": DESCENT_STEPS,
        "norm": size,
        "from_zero": float(np.linalg.norm(ends["zero"] - least)) / size,
        "norm_from_elsewhere": float(np.linalg.norm(ends["far"])),
        "from_elsewhere": float(np.linalg.norm(ends["far"] - least - unseen)) / size,
        "residual": float(np.abs(design @ ends["far"] - targets).max()),
    }
