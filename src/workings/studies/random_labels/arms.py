"""The arms of the experiment, as claims and figures ask for them: which runs, how they are named, what they scored."""

from typing import Any

from workings.core.decide import Interval, proportion
from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.studies.random_labels.study import REGULARISERS

PLAIN = {"weight_decay": 0.0, "dropout": 0.0, "augment": False}
"""No regulariser."""
NAMES: dict[str, str] = {
    "alexnet": "AlexNet",
    "inception": "Inception",
    "mlp-1x512": "MLP 1×512",
    "mlp-3x512": "MLP 3×512",
}
"""As people write them: those of the paper first."""


def trainings(evidence: Evidence, **fields: Any) -> Evidence:
    """The trained networks that saw pictures as they are; `MissingEvidence` where there are none."""
    return evidence.where(task="train", pixels="true", **fields)


def of_networks(runs: Evidence) -> dict[str, Evidence]:
    """The runs by network, in the order of `NAMES`."""
    seen = {run.config["network"] for run in runs}
    return {network: runs.where(network=network) for network in NAMES if network in seen}


def of_labels(runs: Evidence) -> tuple[Evidence, Evidence] | None:
    """Runs on random and on true labels, paired by seed; None where either is missing."""
    try:
        return runs.where(labels="random").beside(runs.where(labels="true"))
    except MissingEvidence:
        return None


def named(network: str) -> str:
    """A network's name."""
    return NAMES[network]


def regulariser(run: Run) -> str | None:
    """Which of the regularisers of `REGULARISERS` the run was trained under; None for no or any other."""
    found = {name: run.config[name] for name in PLAIN}
    return next((name for name, settings in REGULARISERS.items() if found == {**PLAIN, **settings}), None)


def corruption(run: Run) -> float:
    """The probability with which a label was redrawn."""
    return {"true": 0.0, "random": 1.0}.get(run.config["labels"], float(run.config["corruption"]))


def fitted_after(run: Run) -> int | None:
    """Epochs until the labels were fitted; None where they never were."""
    found = run.metrics.get("fit/epoch")
    return None if found is None else round(found)


def gap(run: Run) -> float:
    """Training less test accuracy, at the end."""
    return run.metric("train/accuracy") - run.metric("test/accuracy")


def chance(run: Run) -> float:
    """What labels drawn uniformly teach to guess."""
    return 1 / run.metric("classes")


def mean(runs: Evidence, name: str) -> float:
    """Of a metric, over the runs."""
    return sum(runs.metric(name)) / len(runs)


def pooled(runs: Evidence, name: str = "test/accuracy") -> Interval:
    """Wilson's 95 % interval of an accuracy over the held-out pictures of all these runs."""
    counts = [round(run.metric("pictures/test")) for run in runs]
    right = sum(round(value * count) for value, count in zip(runs.metric(name), counts, strict=True))
    return proportion(right, sum(counts))


def percent(share: float) -> str:
    """To a tenth."""
    return f"{share:.1%}"


def points(difference: float) -> str:
    """A difference of shares."""
    return f"{difference * 100:.0f}"
