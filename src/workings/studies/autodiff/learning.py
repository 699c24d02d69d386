"""A network trained with the engine: handwritten digits, 8×8, through 32 hidden units.

Cross-entropy by log-sum-exp, gradient descent with momentum, batches without replacement. Nothing here knows how a
gradient is made.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workings.data.catalogue import load_pictures
from workings.studies.autodiff.model import value_and_grad
from workings.studies.autodiff.primitives import exp, log, mean, relu, sum
from workings.studies.autodiff.study import DIGITS
from workings.studies.autodiff.tracing import Value, plain

HIDDEN, EPOCHS, BATCH, RATE, MOMENTUM, SEED = 32, 20, 50, 0.05, 0.9, 0
"""The first that were tried; nothing depends on their being the best."""


@dataclass(frozen=True)
class Epoch:
    """How far training has come."""

    loss: float
    """Mean cross-entropy over the training set, in nats."""
    held_out: int
    """Pictures of the test set."""
    accuracy: float
    """Part of the test set, written by other people, that is read rightly."""


def logits(x: Value, W1: Value, b1: Value, W2: Value, b2: Value) -> Value:
    """From pictures (batch, 64) to scores (batch, 10)."""
    return relu(x @ W1 + b1) @ W2 + b2


def cross_entropy(scores: Value, labels: np.ndarray) -> Value:
    """Mean of −log softmax(scores) at the labels; shifted by the largest score, so that nothing overflows."""
    shifted = scores - plain(scores).max(axis=1, keepdims=True)
    return mean(log(sum(exp(shifted), 1)) - shifted[np.arange(len(labels)), labels])


def start(seed: int = SEED) -> list[np.ndarray]:
    """Weights, He et al. (2015): variance 2 / inputs; no biases."""
    rng = np.random.default_rng(seed)
    first, second = (rng.normal(size=s) * np.sqrt(2 / s[0]) for s in ((64, HIDDEN), (HIDDEN, 10)))
    return [first, np.zeros(HIDDEN), second, np.zeros(10)]


def train(epochs: int = EPOCHS) -> Iterator[Epoch]:
    """Train, and tell after each epoch."""
    digits = load_pictures(DIGITS)
    x, x_test = (images.reshape(len(images), -1) / 255 - 0.5 for images in (digits.train_images, digits.test_images))
    y, y_test = digits.train_labels, digits.test_labels
    rng = np.random.default_rng(SEED)
    weights = start()
    velocity = [np.zeros_like(w) for w in weights]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for batch in np.array_split(order, len(x) // BATCH):
            loss = value_and_grad(lambda *w, batch=batch: cross_entropy(logits(x[batch], *w), y[batch]))
            _, gradients = loss(*weights)
            velocity = [MOMENTUM * v - RATE * g for v, g in zip(velocity, gradients, strict=True)]
            weights = [w + v for w, v in zip(weights, velocity, strict=True)]
        right = logits(x_test, *weights).argmax(axis=1) == y_test
        yield Epoch(float(cross_entropy(logits(x, *weights), y)), len(right), float(right.mean()))
