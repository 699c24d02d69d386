"""Schedules agree with torch's own, which keep a state, and an average with its closed form."""

import itertools
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from workings.train.average import WeightAverage
from workings.train.schedules import Plateau, cosine, one_cycle, set_rate, steps

LENGTH = 20
ROUNDING = 1e-6
"""torch steps from rate to rate and gathers rounding errors on the way; ours are computed anew."""


def sgd() -> torch.optim.SGD:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)


def rates(optimizer: torch.optim.SGD, scheduler: lr_scheduler.LRScheduler, count: int) -> list[float]:
    found = []
    for _ in range(count):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return found


PEERS: list[tuple[Callable[[float], float], Callable[[torch.optim.SGD], lr_scheduler.LRScheduler]]] = [
    (lambda t: cosine(t, LENGTH), lambda o: lr_scheduler.CosineAnnealingLR(o, LENGTH)),
    (lambda t: steps(t, [3, 9, 15], 0.5), lambda o: lr_scheduler.MultiStepLR(o, [3, 9, 15], 0.5)),
    # torch's phases end one step earlier: its last step is total_steps − 1.
    (
        lambda t: one_cycle(t, LENGTH - 1, rise=(0.3 * LENGTH - 1) / (LENGTH - 1)),
        lambda o: lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=LENGTH),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), PEERS)
def test_a_schedule_is_torch_s(
    ours: Callable[[float], float], theirs: Callable[[torch.optim.SGD], lr_scheduler.LRScheduler]
) -> None:
    optimizer = sgd()
    expected = rates(optimizer, theirs(optimizer), LENGTH)
    assert [ours(t) for t in range(LENGTH)] == pytest.approx(expected, abs=ROUNDING)


def test_warmup_rises_from_nothing_to_the_whole_rate_and_the_cosine_ends_at_nothing() -> None:
    assert [cosine(t, 10, warmup=2) for t in (0, 1, 2)] == [0, 0.5, 1]
    assert cosine(10, 10, warmup=2) == pytest.approx(0)
    assert cosine(99, 10) == pytest.approx(0), "beyond its length it stays there"


@pytest.mark.parametrize("patience", [0, 1, 3])
def test_a_plateau_is_torch_s(patience: int) -> None:
    scores = [5.0, 4.0, 4.0, 4.0, 3.9999, 4.1, 4.0, 3.0, 3.0, 3.0, 3.0, 3.0, 2.0, 1.99999, 1.0, 1.0, 1.0, 1.0]
    optimizer, ours = sgd(), Plateau(factor=0.1, patience=patience)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=patience, threshold=1e-4, eps=0)
    for score in scores:
        ours.told(score)
        theirs.step(score)
        assert ours.scale == pytest.approx(optimizer.param_groups[0]["lr"])


def test_below_zero_the_same_score_again_is_nothing_better() -> None:
    """torch's rule takes it for better there."""
    plateau = Plateau(patience=0)
    plateau.told(-1.0)
    plateau.told(-1.0)
    assert plateau.scale == pytest.approx(0.1)


def test_a_plateau_goes_on_from_its_state() -> None:
    whole, halves = Plateau(patience=1), Plateau(patience=1)
    for score in [3.0, 3.0, 2.0, 2.0, 2.0, 2.0]:
        whole.told(score)
        before, halves = halves, Plateau(patience=1)
        halves.load_state_dict(before.state_dict())
        halves.told(score)
    assert halves == whole
    assert whole.scale < 1


def test_a_rate_is_set_for_all_parameters() -> None:
    optimizer = torch.optim.SGD([{"params": [nn.Parameter(torch.zeros(1))]} for _ in range(2)], lr=1.0)
    set_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]


def test_an_average_follows_by_its_closed_form() -> None:
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    nn.init.constant_(network[0].weight, 0.0)
    average = WeightAverage(network, beta=0.5)
    nn.init.constant_(network[0].weight, 1.0)
    network[1].running_mean.fill_(7.0)
    for done in itertools.count(1):
        average.follow(network)
        assert average.network[0].weight.item() == pytest.approx(1 - 0.5**done)
        if done == 5:
            break
    assert average.network[1].running_mean.item() == 7.0
    assert not any(p.requires_grad for p in average.parameters())
