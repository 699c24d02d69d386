"""Noise, and ways through it.

A standard normal vector of many dimensions d lies near the sphere of radius √d, and the straight line between two
passes far inside, where the generator was never trained. The great circle stays where the noise is:

    slerp(a, b, t) = (sin((1 − t)θ) a + sin(tθ) b) / sin θ,    θ the angle between a and b
"""

import torch
from jaxtyping import Float
from torch import Tensor

from workings.train.runtime import generator

PARALLEL = 1e-4
"""Angle in radians below which sin θ has lost half of float32's digits: the straight line is taken instead."""


def noise(count: int, dim: int, seed: int, purpose: str) -> Float[Tensor, "count dim"]:
    """Standard normal noise that seed and purpose alone decide; a longer draw begins like a shorter one."""
    source = generator(seed, purpose)
    return torch.stack([torch.randn(dim, generator=source) for _ in range(count)])


def slerp(a: Float[Tensor, " dim"], b: Float[Tensor, " dim"], t: Float[Tensor, " steps"]) -> Float[Tensor, "steps dim"]:
    """Points on the arc from a (t = 0) to b (t = 1); opposite vectors have no arc, and get a straight line."""
    angle = torch.arccos(_cosine(a, b))
    share = t.unsqueeze(1)
    if torch.sin(angle) < PARALLEL:
        return (1 - share) * a + share * b
    arc: Tensor = (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
    return arc


def _cosine(a: Float[Tensor, " dim"], b: Float[Tensor, " dim"]) -> Float[Tensor, ""]:
    """Cosine of the angle between two vectors, kept in [−1, 1]."""
    cosine: Tensor = a @ b / (a.norm() * b.norm())
    return cosine.clamp(-1, 1)


def round_trip(stops: Float[Tensor, "stops dim"], steps: int) -> Float[Tensor, "points dim"]:
    """From stop to stop and back to the first, `steps` points on each way; the next stop is not repeated."""
    t = torch.arange(steps) / steps
    ways = zip(stops, torch.roll(stops, -1, 0), strict=True)
    return torch.cat([slerp(a, b, t) for a, b in ways])
