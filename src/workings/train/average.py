"""An exponential moving average of weights (Polyak & Juditsky 1992, in its usual form)."""

import copy

import torch
from torch import nn


class WeightAverage(nn.Module):
    """A copy of a network whose weights follow it: w̄ ← β·w̄ + (1 − β)·w after each `follow`.

    A learner names it among its `modules`: then checkpoints keep it, and its weights are saved beside the network's.
    Buffers (statistics of batch normalisation) are copied as they are.
    """

    def __init__(self, network: nn.Module, beta: float = 0.999) -> None:
        super().__init__()
        self.beta = beta
        self.network = copy.deepcopy(network).requires_grad_(False)

    @torch.no_grad()
    def follow(self, network: nn.Module) -> None:
        """Take a step towards the weights of now."""
        for mean, now in zip(self.network.parameters(), network.parameters(), strict=True):
            mean.lerp_(now, 1 - self.beta)
        for kept, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(buffer)
