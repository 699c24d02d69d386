"""The elementwise activations of torch.nn with their defaults, each with its formula, and what is left out and why.

The formulas are what oddness is decided from; the tests hold each against its module, and the list against torch.
"""

from typing import TYPE_CHECKING

from workings.core.errors import UserError, suggestion

if TYPE_CHECKING:
    from torch import nn

FORMULAS = {
    "Tanh": "tanh(x)",
    "Hardtanh": "min(max(x, -1), 1)",
    "Softsign": "x/(1 + abs(x))",
    "Tanhshrink": "x - tanh(x)",
    "Softshrink": "max(x - 1/2, 0) + min(x + 1/2, 0)",
    "Hardshrink": "x*max(0, sign(abs(x) - 1/2))",
    "Sigmoid": "sigmoid(x)",
    "Hardsigmoid": "min(max(x + 3, 0), 6)/6",
    "LogSigmoid": "-softplus(-x)",
    "Softplus": "softplus(x)",
    "ReLU": "max(x, 0)",
    "ReLU6": "min(max(x, 0), 6)",
    "LeakyReLU": "max(x, 0) + 0.01*min(x, 0)",
    "PReLU": "max(x, 0) + 0.25*min(x, 0)",
    "RReLU": "max(x, 0) + 11/48*min(x, 0)",
    "ELU": "max(x, 0) + exp(min(x, 0)) - 1",
    "CELU": "max(x, 0) + exp(min(x, 0)) - 1",
    "SELU": "1.0507009873554805*(max(x, 0) + 1.6732632423543772*(exp(min(x, 0)) - 1))",
    "GELU": "x/2*(1 + erf(x/sqrt(2)))",
    "SiLU": "x*sigmoid(x)",
    "Mish": "x*tanh(softplus(x))",
    "Hardswish": "x*min(max(x + 3, 0), 6)/6",
}
"""Odd ones first, then the sigmoid's kin, then relu's. PReLU has its initial slope, RReLU in eval mode that midway from
1/8 to 1/3. Softplus is linear beyond 20 in torch, where the formula exceeds it by 2e-9 at most. SELU's constants are
those of Klambauer et al. 2017."""

LEFT_OUT = {
    "GLU": "gates one half of its input by the other",
    "LogSoftmax": "normalises over a dimension",
    "MultiheadAttention": "mixes the elements of a sequence",
    "Softmax": "normalises over a dimension",
    "Softmax2d": "normalises over channels",
    "Softmin": "normalises over a dimension",
    "Threshold": "has no defaults",
}
"""The rest of torch.nn.modules.activation, and why it is not here."""


def module(name: str) -> "nn.Module":
    """The torch module with its defaults, in eval mode and float64."""
    from torch import nn

    built: nn.Module = getattr(nn, name)()
    return built.eval().double().requires_grad_(False)


def formula(text: str) -> str:
    """What a person named, as a formula: a name of torch.nn has its own, everything else is one already."""
    word = text.strip().removeprefix("torch.nn.")
    if word in FORMULAS:
        return FORMULAS[word]
    if word in LEFT_OUT:
        raise UserError(f"{word} is no elementwise activation with defaults: it {LEFT_OUT[word]}")
    if word.isidentifier() and word[:1].isupper():
        raise UserError(f"{word!r} is no activation of torch.nn{suggestion(word, FORMULAS)}: {', '.join(FORMULAS)}")
    return text
