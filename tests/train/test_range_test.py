"""The range test finds what a quadratic allows, leaves the learner as it was, and refuses nonsense."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from train.tiny_gan import Gan
from train.tiny_learner import Line
from workings.core.errors import UserError
from workings.train.range_test import RangeTest, range_test
from workings.train.runtime import generator

CURVATURE = 8.0
LIMIT = 2 / CURVATURE
"""Gradient descent on ½·c·w² multiplies w by 1 − ηc: it diverges for η > 2/c and nowhere below."""


class Bowl:
    """The mean of ½·c·(w − t)² over drawn t, by plain gradient descent; its own schedule must not matter."""

    def __init__(self) -> None:
        self.point = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.point.weight, 30.0)
        self.sgd = torch.optim.SGD(self.point.parameters(), lr=123.0)
        self.modules, self.optimizers = {"point": self.point}, {"sgd": self.sgd}

    def batches(self, epoch: int) -> list[Tensor]:
        return list(torch.randn(4, 16, 1, generator=generator(0, "bowl", epoch)))

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        for group in self.sgd.param_groups:
            group["lr"] = 123.0
        loss = CURVATURE / 2 * (self.point.weight - batch).square().mean()
        self.sgd.zero_grad()
        loss.backward()
        self.sgd.step()
        return {"loss": loss}

    def evaluate(self) -> Mapping[str, float]:
        return {}


def test_it_ends_beyond_the_rate_where_descent_diverges_and_suggests_one_below() -> None:
    found = range_test(Bowl(), low=1e-3, high=10.0, steps=200)
    assert found.rates[-1] > LIMIT
    assert len(found.rates) < 200, "it stops when the loss blows up"
    assert found.suggestion is not None
    assert found.base is not None
    assert found.base < found.suggestion < LIMIT


def test_rates_rise_by_a_constant_factor_from_low_to_high() -> None:
    found = range_test(Bowl(), low=1e-6, high=1e-2, steps=5)
    assert found.rates == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2])


def test_smoothing_begins_at_the_first_loss() -> None:
    found = range_test(Bowl(), low=1e-6, high=1e-5, steps=2)
    assert found.smoothed[0] == pytest.approx(found.losses[0])


def test_where_the_loss_only_rises_nothing_is_suggested() -> None:
    found = RangeTest(rates=(0.1, 0.2, 0.4), losses=(1.0, 2.0, 9.0), smoothed=(1.0, 1.5, 4.0))
    assert (found.top, found.base, found.suggestion) == (None, None, None)


def everything(gan: Gan) -> list[Tensor]:
    states = [part.state_dict() for part in (*gan.modules.values(), *gan.optimizers.values())]
    return [t.clone() for s in states for t in torch.utils._pytree.tree_leaves(s) if isinstance(t, Tensor)]


def test_a_learner_comes_back_as_it_was() -> None:
    gan = Gan()
    gan.step(gan.batches(0)[0], 0.5)
    gan.critic.eval()
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    before, rate = everything(gan), gan.optimizers["critic"].param_groups[0]["lr"]
    range_test(gan, loss="critic", optimizers=["critic"], steps=20)
    assert all(torch.equal(a, b) for a, b in zip(before, everything(gan), strict=True))
    assert gan.optimizers["critic"].param_groups[0]["lr"] == rate
    assert (gan.critic.training, gan.generator.training) == (False, True)
    assert torch.equal(torch.rand(3), expected)


def test_the_same_test_finds_the_same() -> None:
    first, second = (range_test(Line(), steps=30, seed=1) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"low": 0.0}, "0 < low < high"),
        ({"low": 1.0, "high": 0.1}, "0 < low < high"),
        ({"high": float("nan")}, "0 < low < high"),
        ({"high": float("inf")}, "0 < low < high"),
        ({"steps": 1}, "2 steps"),
        ({"optimizers": ["adam"]}, "no optimiser 'adam': choose from generator, critic"),
        ({"loss": "loss"}, "returns no 'loss': choose from critic, generator"),
    ],
)
def test_nonsense_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        range_test(Gan(), **{"loss": "critic"} | given)  # type: ignore[arg-type]


def test_a_loss_that_is_not_finite_from_the_start_is_told() -> None:
    bowl = Bowl()
    nn.init.constant_(bowl.point.weight, float("nan"))
    with pytest.raises(UserError, match=r"not finite at the smallest rate, 1e-06"):
        range_test(bowl)
