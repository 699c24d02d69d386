"""A model for tests: pictures by their mean colour, sentences by the colours that they name; and small photographs."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = {"red": (210, 30, 30), "green": (30, 180, 40), "blue": (30, 50, 210), "yellow": (220, 210, 40)}
DIMENSIONS = 8


class Colours:
    """Eight dimensions: a fixed turn of the mean colour, and of a constant."""

    def __init__(self, name: str = "colours", seed: int = 0, slow: float = 0.0) -> None:
        self.name, self.slow = name, slow
        self.fingerprint = hashlib.sha256(f"{name}{seed}".encode()).hexdigest()[:16]
        self.dimensions, self.size, self.scale = DIMENSIONS, 16, 20.0
        self.turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((DIMENSIONS, DIMENSIONS)))[0][:3]
        self.embedded = 0

    def pictures(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert pixels.shape[1:] == (self.size, self.size, 3)
        assert pixels.dtype == np.uint8
        self.embedded += len(pixels)
        time.sleep(self.slow * len(pixels))
        return self._unit(pixels.mean((1, 2)))

    def texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        named = [[COLOURS[word] for word in sentence.split() if word in COLOURS] for sentence in sentences]
        return self._unit(np.array([np.mean(found, 0) if found else np.full(3, 128.0) for found in named]))

    def _unit(self, colours: NDArray[np.float64]) -> NDArray[np.float32]:
        made = (colours - 100) @ self.turn
        return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def shoot(path: Path, colour: str = "red", seed: int = 0, size: tuple[int, int] = (40, 30)) -> Path:
    """A photograph of nothing but a colour, with a seed's noise; `size` is width and height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    noise = draw.integers(-20, 20, (size[1], size[0], 3))
    Image.fromarray(np.clip(np.array(COLOURS[colour]) + noise, 0, 255).astype(np.uint8)).save(path)
    return path


def album(folder: Path, count: int = 12) -> Path:
    """So many photographs, of all colours by turns, in two folders, some with names that are not ASCII."""
    for i in range(count):
        colour = list(COLOURS)[i % len(COLOURS)]
        shoot(folder / ("été 夏" if i % 2 else "winter") / f"{colour} {i:04}.png", colour, seed=i)
    return folder
