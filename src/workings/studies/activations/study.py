"""Activations: what oddness says of a function at zero, and what zero-centring buys (gatech-2024-ps2, question 2).

Three tasks. *examine* decides exactly which activations are odd, and what they do at zero and to Gaussian input.
*depth* follows gradients down deep random networks. *train* fits digits with the sigmoid and with its centred twin
σ(x) − ½, which has the same derivatives. The first two take seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from workings.core.config import source
from workings.core.study import Dataset, Study

SIGMOID, TWIN = "sigmoid(x)", "tanh(x/2)/2"
"""The sigmoid, and its centred twin σ(x) − ½, written so that small x lose no digits: the derivatives are the same."""
EXAMPLES = ("x", "-x", "x**3", "-1", "x**2", "sin(x)", "x*abs(x)", "sigmoid(x) - 1/2")
"""Functions that are no modules of torch.nn and that show what oddness does and does not imply."""
DEEP = (SIGMOID, TWIN, "Tanh", "ReLU", "GELU", "SELU")
"""Activations whose gradients are followed through depth."""

Init = Literal["xavier", "he", "lecun"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Functions, and what to do with them."""

    task: Literal["examine", "depth", "train"] = "examine"
    """examine functions, follow gradients through the depth of a random network, or train one function's network."""
    f: tuple[str, ...] = ()
    """Names in torch.nn, or formulas in x. Without any: all of torch.nn (examine), a choice (depth), the sigmoid."""
    init: Init = "xavier"
    """Variance of a weight: xavier 2/(in + out), he 2/in, lecun 1/in (as xavier where layers are equally wide)."""
    layers: int | None = None
    """Hidden layers; by default 30 for depth, 3 for train."""
    width: int | None = None
    """Units in each; by default 128 for depth, 32 for train."""
    seeds: int = 5
    """How many networks, each with weights (and batches) of its own."""
    start: Literal["weights", "function"] = "weights"
    """train from the usual weights with zero biases, or shift biases so as to begin as the centred twin's function."""
    data: str = source("digits", role="pictures")
    """Pictures to train on: digits, fashion-mnist, or a folder of idx files."""
    rates: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
    """Learning rates of plain SGD, each tried with every seed."""
    batch: int = 64
    """Pictures in a step, drawn with replacement."""
    steps: int = 1000
    """Steps of training."""
    target: float = 0.1
    """Training loss (cross-entropy in nats) whose first sight ends the count of steps."""


def instant() -> Sequence[Config]:
    """All of torch.nn, our own examples, and gradients through depth under two initialisations."""
    return [Config(), Config(f=EXAMPLES), *(Config(task="depth", init=init) for init in ("xavier", "he"))]


def smoke() -> Sequence[Config]:
    """Some examples, and a training of a few steps. Shows that it runs, not what it can."""
    return [Config(f=EXAMPLES), Config(task="train", f=(TWIN,), seeds=2, rates=(1.0, 2.0), steps=40)]


def quick() -> Sequence[Config]:
    """The same as full: it takes a minute or two."""
    return full()


def full() -> Sequence[Config]:
    """The instant trials, and the sigmoid on digits: as it is, centred, and begun as the centred one's function."""
    centred = Config(task="train", f=(TWIN,))
    sigmoid = replace(centred, f=(SIGMOID,))
    return [*instant(), centred, sigmoid, replace(sigmoid, start="function")]


def datasets(config: Config) -> Mapping[str, Dataset]:
    """The pictures, where there is training to do."""
    from workings.data.catalogue import load_pictures

    return {"pictures": load_pictures(config.data).dataset} if config.task == "train" else {}


STUDY = Study(
    package=__package__,
    title="Zero-centred activations",
    summary="Which activations are odd, what follows for them at zero, and what zero-centring buys in training.",
    sources=("gatech-2024-ps2/2",),
    config=Config,
    presets=(smoke, quick, full),
    instant=instant,
    data=datasets,
    threads=1,  # the networks are too small for a second thread to pay
    examples=(
        'workings run activations --f "x*sigmoid(x)"',
        "workings run activations --task depth --init he --f ReLU --f Mish",
        "workings run activations --preset full",
        "workings use activations examine torch.nn:SiLU",
    ),
)
