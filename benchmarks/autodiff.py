"""Our autodiff engine against those that do not compile: gradients of a network, and of a long elementwise chain."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from pair import Pair

POINTS, SHAPES = 100, ((2, 16), (16,), (16, 16), (16,), (16, 1), (1,))
"""A batch, and the weights and biases of a 2-16-16-1 network."""
GRADIENTS = 200
"""In one timing: a single one takes a tenth of a millisecond."""
LINKS = 20
"""Of the chain, three primitives each."""


def autodiff() -> Iterator[Pair]:
    """The same gradient by each engine; they are held against each other before anything is timed."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield from _network()
        yield from _chain()
    finally:
        torch.set_num_threads(threads)
    print(f"({_overhead():.1f} µs a primitive and its derivative, beyond NumPy's own time)")


def _network() -> Iterator[Pair]:
    import autograd
    import autograd.numpy as anp
    import torch

    from workings.studies.autodiff.model import value_and_grad
    from workings.studies.autodiff.primitives import mean, relu

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(POINTS, 2)), rng.normal(size=(POINTS, 1))
    weights = [rng.normal(size=shape) for shape in SHAPES]
    tensors = [torch.tensor(w, requires_grad=True) for w in weights]
    tx, ty = torch.tensor(x), torch.tensor(y)

    def by_torch() -> Sequence[Any]:
        W1, b1, W2, b2, W3, b3 = tensors
        loss = ((torch.relu(torch.relu(tx @ W1 + b1) @ W2 + b2) @ W3 + b3 - ty) ** 2).mean()
        return torch.autograd.grad(loss, tensors)

    def autograds(weights: Sequence[Any]) -> Any:
        W1, b1, W2, b2, W3, b3 = weights
        hidden = anp.maximum(anp.maximum(anp.dot(x, W1) + b1, 0) @ W2 + b2, 0)
        return anp.mean((hidden @ W3 + b3 - y) ** 2)

    gradient = value_and_grad(
        lambda W1, b1, W2, b2, W3, b3: mean((relu(relu(x @ W1 + b1) @ W2 + b2) @ W3 + b3 - y) ** 2)
    )
    by_autograd = autograd.grad(autograds)
    ours, scalars = gradient(*weights)[1], _micrograd(x, y, weights)
    for name, theirs in (("autograd", by_autograd(weights)), ("torch", by_torch()), ("micrograd", scalars())):
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, np.asarray(other), rtol=1e-9, atol=1e-12, err_msg=name)
    work = _times(lambda: gradient(*weights))
    title = f"gradient of an MLP, {POINTS} points: ours / "
    yield Pair(f"{title}micrograd", work, scalars, mark=100, scale=GRADIENTS, repeats=2)
    yield Pair(f"{title}autograd", work, _times(lambda: by_autograd(weights)), mark=1, repeats=7)
    yield Pair(f"{title}torch", work, _times(by_torch), mark=1, repeats=7)


def _micrograd(x: np.ndarray, y: np.ndarray, weights: Sequence[np.ndarray]) -> Callable[[], Sequence[np.ndarray]]:
    """One gradient over the batch, a number at a time."""
    from micrograd.engine import Value
    from micrograd.nn import MLP

    random.seed(0)
    network = MLP(2, [16, 16, 1])

    def work() -> list[np.ndarray]:
        network.zero_grad()
        for layer, W, b in zip(network.layers, weights[::2], weights[1::2], strict=True):
            for neuron, column, bias in zip(layer.neurons, W.T, b, strict=True):
                neuron.w, neuron.b = [Value(float(w)) for w in column], Value(float(bias))
        losses = [
            (network([Value(float(v)) for v in point]) - float(target[0])) ** 2
            for point, target in zip(x, y, strict=True)
        ]
        total = losses[0]
        for loss in losses[1:]:
            total = total + loss
        (total / len(losses)).backward()
        gradients = []
        for layer in network.layers:
            gradients.append(np.array([[w.grad for w in neuron.w] for neuron in layer.neurons]).T)
            gradients.append(np.array([neuron.b.grad for neuron in layer.neurons]))
        return gradients

    return work


def _chain() -> Iterator[Pair]:
    import autograd
    import autograd.numpy as anp

    from workings.studies.autodiff.model import grad
    from workings.studies.autodiff.primitives import exp, sin, sum

    def chain(x: Any, of: Any, total: Any) -> Any:
        for _ in range(LINKS):
            x = of.sin(x) * of.exp(-x)
        return total(x)

    mine, theirs = (
        grad(lambda x: chain(x, SimpleNamespace(sin=sin, exp=exp), sum)),
        autograd.grad(lambda x: chain(x, anp, anp.sum)),
    )
    for size in (10, 1_000, 10_000):  # at the last, NumPy's own time is nearly all there is: parity
        x = np.linspace(0.1, 1.0, size)
        np.testing.assert_allclose(mine(x), theirs(x), rtol=1e-9)
        count = max(GRADIENTS // size, 1) * 10 if size > 100 else GRADIENTS
        name = f"gradient of a chain, {size:,} numbers: ours / autograd"
        yield Pair(name, _times(lambda x=x: mine(x), count), _times(lambda x=x: theirs(x), count), mark=1, repeats=7)


def _times(work: Callable[[], object], count: int = GRADIENTS) -> Callable[[], None]:
    def repeated() -> None:
        for _ in range(count):
            work()

    return repeated


def _overhead() -> float:
    """Microseconds for one more primitive, recorded and differentiated, less those of what NumPy does in it."""
    from workings.studies.autodiff.model import grad
    from workings.studies.autodiff.primitives import mul, sum

    x, longer = np.ones(4), 1_000

    def chain(x: Any) -> Any:
        for _ in range(longer):
            x = mul(x, 0.5)
        return sum(x)

    def bare() -> None:
        y = x
        for _ in range(2 * longer):  # once forwards, once back
            y = y * 0.5

    def best(work: Callable[[], object]) -> float:
        times = []
        for _ in range(20):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
        return min(times)

    return (best(lambda: grad(chain)(x)) - best(bare)) / longer * 1e6
