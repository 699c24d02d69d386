"""What the evidence looks like: what is fitted how fast, what corruption costs, and two ways to fit untrained."""

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from workings.core.decide import proportion
from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.core.figure import figure
from workings.studies.random_labels.arms import (
    NAMES,
    PLAIN,
    chance,
    corruption,
    fitted_after,
    named,
    of_networks,
    points,
    regulariser,
    trainings,
)
from workings.studies.random_labels.drawing import beside, over, power

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = {
    "true labels": ("C0", {"labels": "true", "pixels": "true"}),
    "random labels": ("C1", {"labels": "random", "pixels": "true"}),
    "shuffled pixels": ("C2", {"labels": "true", "pixels": "shuffled"}),
    "random pixels": ("C3", {"labels": "true", "pixels": "random"}),
    "noise": ("C4", {"labels": "true", "pixels": "gaussian"}),
}
"""Of the paper's first figure, with a colour each."""
BOTH = {"previous": ("C0", "at the projections"), "midpoints": ("C1", "half-way")}
"""The two choices of thresholds."""


@figure(
    "curves",
    caption="One network on five kinds of data; left the pictures it was trained on, with the labels it was told, "
    "right held-out ones with true labels. A line ends once the training labels have been fitted for three epochs.",
    alt="Two panels of curves over the epochs. On the left all rise to one, those of random labels last. On the right "
    "true labels end highest, shuffled pixels below, and all others stay on the dotted line of chance.",
)
def curves(evidence: Evidence) -> "Figure":
    runs = _arms(evidence)
    drawing, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.9), sharey=True)
    for axes, name in ((left, "train/accuracy"), (right, "test/accuracy")):
        for arm, run in runs.items():
            series = np.array(run.series(name))
            axes.plot(series[:, 0], series[:, 1], color=ARMS[arm][0])
            axes.plot(*series[-1], "o", color=ARMS[arm][0], markersize=4)
        over(axes)
    left.set_title("training pictures")
    right.set_title("held-out pictures")
    left.set_ylabel("accuracy")
    left.set_ylim(0, 1.04)
    first = next(iter(runs.values()))
    right.axhline(chance(first), color="0.55", linestyle=":", linewidth=1)
    ends = {arm: run.metric("test/accuracy") for arm, run in runs.items()}
    beside(right, [(arm, ends[arm], ARMS[arm][0]) for arm in runs])
    times = {arm: fitted_after(run) for arm, run in runs.items()}
    slow, fast = times.get("random labels"), times.get("true labels")
    told = f"{slow} epochs to learn random labels by heart, {fast} for true ones" if slow and fast else "So far"
    drawing.suptitle(f"{named(first.config['network'])}: {told}", x=0.02, ha="left")
    return drawing


@figure(
    "corruption",
    caption="Each label is drawn anew with the probability on the axis. Left, accuracy at the end of training, on the "
    "labels that were told (upper line) and on true labels of held-out pictures (lower): the gap is shaded. Right, "
    "epochs until 99.9 % of the labels were fitted.",
    alt="Left, a flat line at one above a line that falls to chance, with the growing gap shaded. Right, a rising line "
    "of epochs.",
)
def corruption_sweep(evidence: Evidence) -> "Figure":
    sweeps = _sweeps(evidence)
    drawing, panels = plt.subplots(1, len(sweeps) + 1, figsize=(8.2, 3.7))
    for axes, (network, runs), colour in zip(panels, sweeps.items(), ("C0", "C1", "C2", "C3"), strict=False):
        share = [corruption(run) for run in runs]
        train, test = ([run.metric(f"{split}/accuracy") for run in runs] for split in ("train", "test"))
        axes.fill_between(share, test, train, color=colour, alpha=0.15, linewidth=0)
        axes.plot(share, train, color=colour, linewidth=1)
        axes.plot(share, test, "o-", color=colour)
        axes.axhline(chance(runs[0]), color="0.55", linestyle=":", linewidth=1)
        axes.set_ylim(0, 1.04)
        axes.set_title(named(network), color=colour)
        axes.set_xlabel("share of labels redrawn")
        times = [(s, fitted_after(run)) for s, run in zip(share, runs, strict=True)]
        panels[-1].plot(*zip(*[(s, t) for s, t in times if t], strict=True), "o-", color=colour)
    panels[0].set_ylabel("accuracy")
    panels[-1].set_title("time to fit")
    panels[-1].set_xlabel("share of labels redrawn")
    panels[-1].set_ylabel("epochs")
    panels[-1].set_ylim(bottom=0)
    first = next(iter(sweeps.values()))
    gaps = [points(run.metric("train/accuracy") - run.metric("test/accuracy")) for run in (first[0], first[-1])]
    drawing.suptitle(f"Every false label costs: the gap grows from {gaps[0]} to {gaps[1]} points", x=0.02, ha="left")
    return drawing


@figure(
    "table",
    caption="The paper's table in our size. Hollow, training accuracy; filled, test accuracy with its 95 % interval "
    "(Wilson), a dot a seed; dotted, chance.",
    alt="Rows of dots, one row for each network, kind of data and regulariser. Nearly all hollow dots lie at the right "
    "end; filled ones lie at chance for random labels, random pixels and noise, and well above it for true labels.",
)
def table(evidence: Evidence) -> "Figure":
    rows = _rows(evidence)
    drawing, axes = plt.subplots(figsize=(7.6, 1.1 + 0.27 * (len(rows) + len({group for group, _ in rows}))))
    at, ticks, names = -1.0, [], []
    for (group, name), runs in rows.items():
        if group not in names:
            at += 1.4
            ticks.append(at)
            names.append(group)
        at += 1.0
        colour = "C1" if "random labels" in name else "C0"
        for run in runs:
            test, count = run.metric("test/accuracy"), round(run.metric("pictures/test"))
            interval = proportion(round(test * count), count)
            axes.plot([interval.low, interval.high], [at, at], color=colour, linewidth=2.5, alpha=0.35)
            axes.plot(test, at, "o", color=colour, markersize=4.5)
            axes.plot(run.metric("train/accuracy"), at, "o", color=colour, markersize=4.5, fillstyle="none")
        ticks.append(at)
        names.append(name)
    axes.axvline(chance(next(iter(rows.values()))[0]), color="0.55", linestyle=":", linewidth=1)
    axes.set_yticks(ticks, names)
    for label in axes.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() in NAMES.values() else "normal")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(at + 0.7, ticks[0] - 0.7)
    axes.set_xlim(0, 1.03)
    axes.set_xlabel("accuracy")
    titles = {d["title"] for runs in rows.values() for run in runs for d in run.datasets.values()}
    drawing.suptitle(f"What is fitted, and what is learned: {', '.join(sorted(titles))}", x=0.02, ha="left")
    return drawing


@figure(
    "construction",
    caption="Left, the network of 2n + d weights on a few pictures: projected onto a line, each label is reached by "
    "one more bend, at the thresholds marked below. Right, how far the network in float64 is from the labels, over the "
    "number of pictures; dotted, the terms that cancel in its sum, times the unit roundoff.",
    alt="Left, a line that joins labelled points, and a wilder one that swings through them. Right, two rising lines "
    "on logarithmic axes, that of half-way thresholds orders of magnitude above the other.",
)
def construct(evidence: Evidence) -> "Figure":
    from workings.studies.random_labels.construction import relu_sum

    run = evidence.where(task="construct").one()
    drawing, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.9))
    z, y = run.array("example/projections"), run.array("example/labels")
    width = z[-1] - z[0]
    line = np.linspace(z[0] - 0.04 * width, z[-1] + 0.04 * width, 800)
    rows = run.table("errors")
    for kind, (colour, label) in BOTH.items():
        b, w = run.array(f"example/{kind}")
        left.plot(line, relu_sum(line, b, w), color=colour, linewidth=1.8 if kind == "previous" else 1.1)
        height = 0.03 if kind == "previous" else 0.08
        foot = left.get_xaxis_transform()
        left.plot(b[1:], np.full(len(b) - 1, height), "|", color=colour, transform=foot, markersize=7)
        some = [row for row in rows if row["thresholds"] == kind]
        count = [row["points"] for row in some]
        shown = [(n, row["error"]) for n, row in zip(count, some, strict=True) if row["error"] > 0]
        right.plot(*zip(*shown, strict=True), "o-", color=colour)
        bound = [row["cancellation"] * np.finfo(float).eps / 2 for row in some]
        right.plot(count, bound, ":", color=colour, linewidth=1)
        above = kind == "midpoints"
        right.text(
            0.5, 0.72 if above else 0.2, label, color=colour, transform=right.transAxes, ha="right" if above else "left"
        )
    left.plot(z, y, "o", color="C2", markersize=5, zorder=3)
    reach = max(float(y.max() - y.min()), 1.0)
    left.set_ylim(y.min() - reach, y.max() + reach)
    left.set_xlim(line[0], line[-1])
    left.set_xlabel("projection a·x", labelpad=6)
    left.set_ylabel("label")
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_xlabel("pictures")
    right.set_ylabel("largest error")
    last = {row["thresholds"]: row["error"] for row in rows}
    told = f"off by {power(last['midpoints'])} or {power(last['previous'])}, as the thresholds are placed"
    drawing.suptitle(f"{round(run.metric('points')):,} random labels by heart: {told}", x=0.02, ha="left")
    return drawing


@figure(
    "least-norm",
    caption="Linear models of least norm on random ReLU features of the pixels. Left of the dotted line there are "
    "fewer features than pictures, and no exact fit; right of it every model says every training label. Diamonds: the "
    "pixels themselves.",
    alt="Left, test accuracy over the number of features: it rises, falls to near chance where features and pictures "
    "are equally many, and rises again, higher; for random labels it stays at chance. Right, the norm, with a sharp "
    "peak at that place.",
)
def least_norm(evidence: Evidence) -> "Figure":
    drawing, panels = plt.subplots(1, 2, figsize=(8.2, 3.7))
    runs = evidence.where(task="minimum-norm")
    for labels, colour, place in (("true", "C0", 0.9), ("random", "C1", 0.2)):
        for run in [run for run in runs if run.config["labels"] == labels][:1]:
            count, rows = run.metric("pictures"), run.table("models")
            for axes, name in zip(panels, ("test", "norm"), strict=True):
                kept = [row for row in rows if row["design"] == "features"]
                axes.plot(
                    [row["size"] / count for row in kept], [row[name] for row in kept], "o-", color=colour, ms=3.5
                )
            panels[0].plot(rows[0]["size"] / count, rows[0]["test"], "D", color=colour, markersize=6, fillstyle="none")
            panels[0].text(0.03, place, f"{labels} labels", color=colour, transform=panels[0].transAxes)
    run = runs.one()
    for axes, label in zip(panels, ("test accuracy", "norm of the weights"), strict=True):
        axes.axvline(1, color="0.55", linestyle=":", linewidth=1)
        axes.set_xscale("log")
        axes.set_xticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
        axes.minorticks_off()
        axes.set_xlabel("features for each picture")
        axes.set_ylabel(label)
    panels[0].set_ylim(0, 1.08)
    panels[1].set_yscale("log")
    title = f"{round(run.metric('pictures'))} pictures: worst where a linear model just begins to fit"
    drawing.suptitle(title, x=0.02, ha="left")
    return drawing


def _arms(evidence: Evidence) -> dict[str, Run]:
    """By arm the first run of the network that has most of them; `MissingEvidence` where none has two."""
    found: dict[str, dict[str, Run]] = {}
    for network, runs in of_networks(evidence.where(task="train", **PLAIN)).items():
        for arm, (_, settings) in ARMS.items():
            hits = [run for run in runs if all(run.config[key] == value for key, value in settings.items())]
            found.setdefault(network, {}).update({arm: hits[0]} if hits else {})
    best = max(found.values(), key=len)
    if len(best) < 2:
        raise MissingEvidence("no network was trained on two kinds of data")
    return best


def _sweeps(evidence: Evidence) -> dict[Any, list[Run]]:
    """By network the runs of one seed, in order of corruption; `MissingEvidence` where there is no sweep."""
    every = of_networks(trainings(evidence, seed=0, **PLAIN))
    found = {network: sorted(runs, key=corruption) for network, runs in every.items() if len(runs) > 2}
    if not found:
        raise MissingEvidence("no network was trained at several corruptions")
    return found


def _rows(evidence: Evidence) -> dict[tuple[str, str], list[Run]]:
    """Runs by network and arm, those without a sweep's inner points."""
    rows: dict[tuple[str, str], list[Run]] = {}
    for run in evidence.where(task="train"):
        config = run.config
        plain = all(config[name] == value for name, value in PLAIN.items())
        arm = next((a for a, (_, s) in ARMS.items() if all(config[k] == v for k, v in s.items())), None)
        named_regulariser = regulariser(run)
        if arm and (plain or named_regulariser):
            name = arm if plain else f"{arm}, {named_regulariser}"
            rows.setdefault((NAMES[config["network"]], name), []).append(run)
    order = list(NAMES.values())
    return dict(sorted(rows.items(), key=lambda row: order.index(row[0][0])))
