"""Pictures as the networks see them, and as people do: scaled to [−1, 1], laid out in sheets, written as PNG or GIF."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from workings.core.errors import UserError
from workings.core.files import replace_with, storage
from workings.data.catalogue import load_pictures

HALF = 127.5
"""Half of the range of a byte: x = grey / 127.5 − 1 lies in [−1, 1], the range of tanh."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601)."""
BLOCK = 2_000
"""Pictures scaled at a time: bounds the memory."""
KINDS = (".png", ".gif")


@dataclass(frozen=True)
class Prepared:
    """A set of pictures, grey, square, of one size, as bytes."""

    train: UInt8[Tensor, "train 1 size size"]
    train_labels: Tensor
    test: UInt8[Tensor, "test 1 size size"]
    test_labels: Tensor
    classes: tuple[str, ...]


def prepare_pictures(name: str, size: int, limit: int) -> Prepared:
    """Load a set by its id or path; at most `limit` pictures of either split, spread evenly over it."""
    found = load_pictures(name)
    kept = [np.unique(np.linspace(0, n - 1, min(n, limit)).round().astype(np.int64)) if n else np.arange(0)
            for n in (len(found.train_images), len(found.test_images))]  # fmt: skip
    train, test = (_scaled(i[k], size) for i, k in zip((found.train_images, found.test_images), kept, strict=True))
    labels = [torch.from_numpy(found.train_labels[kept[0]]), torch.from_numpy(found.test_labels[kept[1]])]
    return Prepared(train, labels[0], test, labels[1], found.classes)


def to_unit(pixels: UInt8[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Bytes to [−1, 1]."""
    return pixels.float() / HALF - 1


def to_bytes(pictures: Float[Tensor, "*batch 1 size size"]) -> UInt8[np.ndarray, "*batch size size"]:
    """[−1, 1] to bytes, without the channel."""
    grey = ((pictures.detach().cpu().squeeze(-3) + 1) * HALF).round().clamp(0, 255)
    return np.asarray(grey.to(torch.uint8).numpy())


def sheet(pictures: UInt8[np.ndarray, "count size size"], columns: int) -> UInt8[np.ndarray, "height width"]:
    """Pictures row by row in one; places that are left over stay black."""
    count, size = len(pictures), pictures.shape[1]
    rows = -(-count // columns)
    cells = np.zeros((rows * columns, size, size), dtype=np.uint8)
    cells[:count] = pictures
    return np.asarray(cells.reshape(rows, columns, size, size).swapaxes(1, 2).reshape(rows * size, columns * size))


def cells(laid_out: UInt8[np.ndarray, "height width"], size: int) -> UInt8[np.ndarray, "count size size"]:
    """The pictures of a sheet, row by row."""
    rows, columns = laid_out.shape[0] // size, laid_out.shape[1] // size
    return np.asarray(laid_out.reshape(rows, size, columns, size).swapaxes(1, 2).reshape(-1, size, size))


def check_file(path: Path, kinds: Sequence[str] = KINDS) -> None:
    """`UserError` where a file's name is none that can be written."""
    if path.suffix.lower() not in kinds:
        raise UserError(f"{path} is no file that can be written here: name it {' or '.join(kinds)}")


def save_frames(frames: Sequence[UInt8[np.ndarray, "height width"]], path: Path, scale: int, seconds: float) -> None:
    """Write one frame as PNG, or several as a GIF that goes round for ever; each pixel becomes `scale` by `scale`."""
    from PIL import Image

    images = [Image.fromarray(np.kron(frame, np.ones((scale, scale), dtype=np.uint8))) for frame in frames]
    place, kind = path.expanduser(), path.suffix[1:].upper()
    moving = {"save_all": True, "append_images": images[1:], "duration": round(1000 * seconds), "loop": 0}
    with storage(place):
        replace_with(place, lambda p: images[0].save(p, format=kind, **(moving if kind == "GIF" else {})))


def _scaled(images: NDArray[np.uint8], size: int) -> UInt8[Tensor, "count 1 size size"]:
    """Grey, and `size` by `size`: bilinear, averaging where it shrinks; what is not square is stretched."""
    done = []
    for start in range(0, len(images), BLOCK):
        block = images[start : start + BLOCK]
        grey = block @ np.array(LUMA, dtype=np.float32) if block.ndim == 4 else block
        pixels = torch.from_numpy(np.ascontiguousarray(grey, dtype=np.float32)).unsqueeze(1)
        if pixels.shape[-2:] != (size, size):
            pixels = torch.nn.functional.interpolate(
                pixels, (size, size), mode="bilinear", align_corners=False, antialias=True
            )
        done.append(pixels.round().clamp(0, 255).to(torch.uint8))
    return torch.cat(done) if done else torch.zeros((0, 1, size, size), dtype=torch.uint8)
