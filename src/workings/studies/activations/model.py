"""An activation as a function of tensors: its derivatives, and what it does to Gaussian input.

    moments    E g(Z),  E g(Z)²,  E g′(Z),  E g′(Z)²    for Z ~ N(0, s²)

Derivatives come from autograd, whose value at a kink is a convention (relu's is 0); one-sided ones come from symbols,
in `symmetry.py`. Expectations come from Gauss–Legendre quadrature on panels that end at the kinks, so that integrands
are smooth on each. Left out on purpose: activations with several inputs, and learned parameters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workings.core.errors import UserError
from workings.expressions import Expression, parse
from workings.studies.activations.catalogue import FORMULAS, formula, module

Function = Callable[[Tensor], Tensor]

REACH = 38.0
"""Standard deviations to integrate over: beyond, the Gaussian's density is 0 in float64."""
PANEL = 0.5
"""Widest panel, in standard deviations; with 20 nodes a smooth integrand of that scale is exact to rounding."""
NODES, CHECKING_NODES = 20, 14
"""Nodes a panel, and of the coarser rule that the result is held against."""
AGREEMENT = 1e-6
"""How far the two rules may differ, relative to the mean absolute value: smooth integrands agree to 1e-14, poles miss
by far more, and a jump at an unknown place errs by half a panel's gap between nodes, 1e-3."""
ABSOLUTE = 0.01
"""The same for means of absolute values, which have kinks of their own: they cost 1e-3, a pole 1/x costs 4e-2."""
ROUNDING = 1e-14
"""A mean below this, relative to the mean absolute value, is 0: summing the nodes leaves some 1e-16 of it."""
TAIL = 30.0
"""Standard deviations beyond which an integrand with a mean may leave no more than `AGREEMENT`."""


@dataclass(frozen=True)
class Activation:
    """A named function of one variable."""

    name: str
    function: Function
    """Tensor to tensor of the same shape, element by element, differentiable."""
    formula: Expression | None
    """Its exact form, where it is known."""


@dataclass(frozen=True)
class Moments:
    """Means over Gaussian input; None where quadrature does not settle, as for 1/x, whose mean does not exist."""

    mean: float | None
    mean_square: float | None
    mean_slope: float | None
    mean_square_slope: float | None


def read(text: str) -> Activation:
    """An activation of torch.nn by name, or a formula in x; raises `UserError` or `ExpressionError`."""
    expression = parse(formula(text), ["x"], owner="activation")
    name = text.strip().removeprefix("torch.nn.")
    function: Function = module(name) if name in FORMULAS else expression.torch()
    return Activation(name, function, expression)


def derivatives(function: Function, x: Float[Tensor, " points"], order: int = 2) -> Float[Tensor, "derivatives points"]:
    """g, g′, … up to an order at each point, by autograd, on the first axis.

    A second derivative is nan where torch has none (as of Hardsigmoid, whose first one cannot be differentiated).
    """
    at = x.detach().clone().requires_grad_(True)
    found = [function(at)]
    for k in range(order):
        more = k + 1 < order
        if not found[-1].requires_grad:  # a constant
            found.append(torch.zeros_like(at))
            continue
        try:
            (slope,) = torch.autograd.grad(found[-1].sum(), at, create_graph=more, materialize_grads=True)
        except RuntimeError:
            if k == 0:
                raise
            slope = torch.full_like(at, torch.nan)
        found.append(slope)
    return torch.stack([value.detach().expand_as(x) for value in found])


def moments(function: Function, kinks: Sequence[float] | None = (), scale: float = 1.0) -> Moments:
    """The four means for input of standard deviation `scale`; `kinks` are where the function is not smooth."""
    (fine, size), (coarse, coarse_size), (_, outside) = (_means(function, kinks or (), scale, *rule) for rule in _RULES)
    with np.errstate(all="ignore"):
        bound = AGREEMENT * (size + np.finfo(float).tiny)
        settled = np.isfinite(size) & (np.abs(fine - coarse) <= bound) & (np.abs(size - coarse_size) <= ABSOLUTE * size)
        settled &= outside <= bound
        fine = np.where(np.abs(fine) <= ROUNDING * size, 0.0, fine)
    return Moments(*(float(mean) if ok else None for mean, ok in zip(fine, settled, strict=True)))


_RULES = ((NODES, 0.0), (CHECKING_NODES, 0.0), (NODES, TAIL))
"""Nodes, and from how far out to integrate."""


def _means(
    function: Function, kinks: Sequence[float], scale: float, nodes: int, beyond: float
) -> tuple[Float[np.ndarray, "4"], Float[np.ndarray, "4"]]:
    """Means of g, g², g′, g′² and of their absolute values, over |Z| ≥ `beyond` standard deviations."""
    z, weight = _gaussian_rule(tuple(kink / scale for kink in kinks), nodes, beyond)
    g, slope = derivatives(function, torch.from_numpy(z * scale), 1).numpy()
    with np.errstate(all="ignore"):
        integrands = np.stack([g, g**2, slope, slope**2])
        # Where the density is too small for float64 to hold the product, 0 · inf is no evidence against a mean.
        products = np.where(weight > 0, integrands * weight, 0.0)
        return products.sum(1), np.abs(products).sum(1)


def _gaussian_rule(
    cuts: tuple[float, ...], nodes: int, beyond: float
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Nodes and weights that average over a standard Gaussian outside (−beyond, beyond)."""
    regular = np.linspace(-REACH, REACH, round(2 * REACH / PANEL) + 1)
    edges = np.unique([*regular, *(cut for cut in cuts if abs(cut) < REACH)])
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    keep = np.abs(middle) >= beyond
    at, weight = np.polynomial.legendre.leggauss(nodes)
    z = (middle[keep, None] + half[keep, None] * at).ravel()
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return z, (half[keep, None] * weight).ravel() * density


def elementwise(function: Function, name: str) -> None:
    """Refuse, with a `UserError`, what is no deterministic elementwise function of a tensor."""
    x = torch.linspace(-3, 3, 13, dtype=torch.float64)
    first = function(x)
    if not isinstance(first, Tensor) or first.shape != x.shape or not first.is_floating_point():
        told = f"shape {list(first.shape)}, {first.dtype}" if isinstance(first, Tensor) else type(first).__name__
        raise UserError(f"{name} takes 13 floats to {told}: an activation gives a float for each")
    if not torch.equal(first.nan_to_num(), function(x).nan_to_num()):
        raise UserError(f"{name} gives other values when it is called again: give a function without chance in it")
    if not function(x.clone().requires_grad_()).requires_grad and len(first.unique()) > 1:
        raise UserError(
            f"{name} hides from autograd how it depends on its input: write it in differentiable operations"
        )
    alone = torch.cat([function(part) for part in x.split(1)])
    if not torch.allclose(first, alone, rtol=1e-9, atol=0, equal_nan=True):
        raise UserError(f"{name} gives other values for a number alone than among others: it is not elementwise")
