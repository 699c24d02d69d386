"""Training networks that differ in nothing but whether their activation is centred.

The sigmoid σ and its twin σ − ½ have the same derivatives. Whatever one network computes the other computes with
shifted biases, as W(σ − ½) + (b + ½ W·1) = Wσ + b. So the two parametrise the same functions, and there are two fair
starts:

    weights   both begin with the same weights and zero biases, as one does; the functions differ by the shift
    function  the biases of the uncentred one are shifted by −g(0) W·1, so that both begin as the same function

Every seed and learning rate is a network of its own; all step side by side, as one batched product. Plain SGD on
cross-entropy, no momentum and no decay, so that nothing else adapts to the scale of a gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from workings.studies.activations.model import Function
from workings.studies.activations.study import Init
from workings.train.runtime import generator

EVERY = 5
"""Steps between looks at the training set."""
LOOKED_AT = 2000
"""Pictures of a split that are looked at, at most: all networks see them at once."""
SHOWN = 256
"""Training pictures on which gradients are looked at."""


@dataclass(frozen=True)
class Networks:
    """Many networks of one shape: weights ``[networks, in, out]`` and biases ``[networks, 1, out]`` of each layer."""

    weights: list[Tensor]
    biases: list[Tensor]
    function: Function

    @property
    def parameters(self) -> list[Tensor]:
        """All of them."""
        return [*self.weights, *self.biases]

    def layers(self, x: Float[Tensor, "networks pictures pixels"]) -> list[Tensor]:
        """What enters the activation of each layer; the last entry is the logits."""
        z = [torch.baddbmm(self.biases[0], x, self.weights[0])]
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            z.append(torch.baddbmm(bias, self.function(z[-1]), weight))
        return z


def build(
    function: Function,
    sizes: Sequence[int],
    init: Init,
    start: Literal["weights", "function"],
    seeds: int,
    rates: int,
) -> Networks:
    """A network for each seed and rate, in that order; those of one seed begin alike."""
    at_zero = float(function(torch.zeros(1)))
    weights, biases = [], []
    for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        variance = {"xavier": 2 / (fan_in + fan_out), "he": 2 / fan_in, "lecun": 1 / fan_in}[init]
        drawn = [torch.randn(fan_in, fan_out, generator=generator(seed, "weights", layer)) for seed in range(seeds)]
        weight = (torch.stack(drawn) * variance**0.5).repeat_interleave(rates, 0)
        shift = at_zero if start == "function" and layer > 0 else 0.0
        weights.append(weight.requires_grad_())
        biases.append((-shift * weight.detach().sum(1, keepdim=True)).requires_grad_())
    return Networks(weights, biases, function)


@dataclass(frozen=True)
class Course:
    """What was seen on the way, every `EVERY` steps."""

    loss: Float[Tensor, "looks seeds rates"]
    """Mean cross-entropy over the training pictures that are looked at, in nats; nan once a network has diverged."""
    ratio: Float[Tensor, "looks seeds rates"]
    """Root mean square of ∂loss/∂z in the first hidden layer over that in the last."""
    accuracy: Float[Tensor, "seeds rates"]
    """Of the last networks, on the test pictures."""


def train(
    networks: Networks,
    x: Float[Tensor, "pictures pixels"],
    y: Int[Tensor, " pictures"],
    test: tuple[Tensor, Tensor],
    *,
    rates: Sequence[float],
    seeds: int,
    batch: int,
    steps: int,
) -> Course:
    """Train all networks side by side; each seed draws batches of its own, the same for every rate."""
    count = len(rates)
    rate = torch.tensor(rates).repeat(seeds)[:, None, None]
    order = [generator(seed, "batches") for seed in range(seeds)]
    losses, ratios = [], []
    for step in range(steps + 1):
        if step % EVERY == 0:
            losses.append(evaluate(networks, x[:LOOKED_AT], y[:LOOKED_AT]))
            ratios.append(ratio(networks, x[:SHOWN], y[:SHOWN]))
        if step == steps:
            break
        index = torch.stack([torch.randint(len(x), (batch,), generator=g) for g in order]).repeat_interleave(count, 0)
        loss = _cross_entropy(networks.layers(x[index])[-1], y[index]).sum()
        for parameter, slope in zip(networks.parameters, torch.autograd.grad(loss, networks.parameters), strict=True):
            with torch.no_grad():
                parameter -= rate * slope
    with torch.no_grad():
        test_x, test_y = (part[:LOOKED_AT] for part in test)
        right = networks.layers(test_x.expand(len(rate), -1, -1))[-1].argmax(-1) == test_y
    shape = (seeds, count)
    loss, left = (torch.stack(series).reshape(-1, *shape) for series in (losses, ratios))
    return Course(loss, left, right.float().mean(-1).reshape(shape))


@torch.no_grad()
def evaluate(
    networks: Networks, x: Float[Tensor, "pictures pixels"], y: Int[Tensor, " pictures"]
) -> Float[Tensor, " networks"]:
    """The loss of every network on all pictures."""
    count = len(networks.weights[0])
    return _cross_entropy(networks.layers(x.expand(count, -1, -1))[-1], y.expand(count, -1))


def ratio(
    networks: Networks, x: Float[Tensor, "pictures pixels"], y: Int[Tensor, " pictures"]
) -> Float[Tensor, " networks"]:
    """How much of the gradient that enters the last hidden layer is left in the first."""
    count = len(networks.weights[0])
    z = networks.layers(x.expand(count, -1, -1))
    loss = _cross_entropy(z[-1], y.expand(count, -1)).sum()
    first, last = torch.autograd.grad(loss, [z[0], z[-2]])
    return (first.square().mean((1, 2)) / last.square().mean((1, 2))).sqrt()


def _cross_entropy(logits: Tensor, y: Tensor) -> Float[Tensor, " networks"]:
    """Mean over the pictures of each network."""
    losses = cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none")
    return losses.reshape(len(logits), -1).mean(1)
