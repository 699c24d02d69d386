"""Random patterns, in float64: on a sphere of radius √dim, where a number of a pattern has variance 1."""

import math

import torch
from torch import Tensor


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Independent standard normal numbers."""
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def sphere(count: int, dim: int, generator: torch.Generator) -> Tensor:
    """Patterns spread evenly over the sphere."""
    return _on_sphere(normal(generator, count, dim))


def correlated(count: int, dim: int, correlation: float, generator: torch.Generator) -> Tensor:
    """Patterns around a common one: the cosine of any two is `correlation` on average."""
    return around(sphere(1, dim, generator), count, correlation, generator)


def clusters(count: int, members: int, dim: int, correlation: float, generator: torch.Generator) -> Tensor:
    """`count` clusters of `members` patterns each: `correlation` is the cosine within a cluster on average."""
    centres = sphere(count, dim, generator).repeat_interleave(members, 0)
    return around(centres, count * members, correlation, generator)


def around(centres: Tensor, count: int, correlation: float, generator: torch.Generator) -> Tensor:
    """Patterns that share √correlation of their length with their centre."""
    own = sphere(count, centres.shape[-1], generator)
    return _on_sphere(math.sqrt(correlation) * centres + math.sqrt(1 - correlation) * own)


def _on_sphere(x: Tensor) -> Tensor:
    scaled: Tensor = x * (math.sqrt(x.shape[-1]) / x.norm(dim=-1, keepdim=True))
    return scaled
