"""How gradients shrink or grow through the depth of a random network, measured and predicted.

    h⁰ = x,   zˡ = Wˡ hˡ⁻¹,   hˡ = g(zˡ),      Wˡ ~ N(0, σ²/N),   no biases
    δˡ = ∂(v·zᴸ)/∂zˡ = g′(zˡ) ⊙ (Wˡ⁺¹)ᵀ δˡ⁺¹,  δᴸ = v

for Gaussian x and v. What vanishes or explodes is the root mean square of δˡ. In the limit of wide layers (Poole et al.
2016; Schoenholz et al. 2017) with Z ~ N(0, 1):

    q¹ = σ²,   qˡ⁺¹ = σ² E g(√qˡ Z)²,      E(δˡ)² = E(δˡ⁺¹)² · σ² E g′(√qˡ Z)²

All layers are equally wide, so Xavier's and LeCun's variance are the same here.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workings.studies.activations.model import Function, moments
from workings.studies.activations.study import Init

VARIANCE: dict[Init, float] = {"xavier": 1.0, "lecun": 1.0, "he": 2.0}
"""σ²: N times the variance of a weight, in square layers."""
PICTURES = 32
"""Inputs sent through each network: the mean square over them and over the units is what is kept."""


def gradients(
    function: Function, init: Init, layers: int, width: int, generator: torch.Generator
) -> Float[Tensor, " layers"]:
    """Root mean square of δ at each of `layers` layers, of one random network."""

    def draw(rows: int) -> Tensor:
        return torch.randn(rows, width, generator=generator, dtype=torch.float64)

    h, v = draw(PICTURES), draw(PICTURES)
    deviation = (VARIANCE[init] / width) ** 0.5
    z: list[Tensor] = []
    for _ in range(layers):
        weights = draw(width) * deviation
        z.append((h @ weights).requires_grad_())
        h = function(z[-1])
    found = torch.autograd.grad((v * z[-1]).sum(), z)
    return torch.stack([delta.square().mean().sqrt() for delta in found])


def predicted(function: Function, init: Init, layers: int, kinks: list[float] | None) -> Float[np.ndarray, " layers"]:
    """The same in the limit of wide layers; nan where a mean does not exist."""
    q, factors = VARIANCE[init], []
    for _ in range(layers - 1):
        found = moments(function, kinks, q**0.5 or 1.0) if np.isfinite(q) else None
        if found is None or found.mean_square is None or found.mean_square_slope is None:
            q = np.nan
            factors.append(np.nan)
            continue
        factors.append((VARIANCE[init] * found.mean_square_slope) ** 0.5)
        q = VARIANCE[init] * found.mean_square
    return np.cumprod([1.0, *factors[::-1]])[::-1].copy()
