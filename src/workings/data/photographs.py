"""Single photographs: a person's own file, or one that comes with the libraries.

Built in are scikit-image's ``camera``, ``astronaut``, ``coffee`` and ``chelsea`` (public domain or CC0) and
scikit-learn's ``china`` and ``flower`` (CC BY). A photograph is known by the bytes of its file, as decoders differ in
the last bit.
"""

import hashlib
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import UserError, suggestion
from workings.core.study import Dataset
from workings.data.decoding import eight_bit

BUILT_IN = {
    "camera": ("skimage", "data/camera.png"),
    "astronaut": ("skimage", "data/astronaut.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
}
LARGEST = 64_000_000
"""Pixels at most: 200 MB in memory, more than any camera that fits a pocket."""


@dataclass(frozen=True)
class Photograph:
    """One picture, and what evidence says of it."""

    dataset: Dataset
    pixels: NDArray[np.uint8]
    """(height, width) where it is grey, (height, width, 3) where it has colour."""

    def grey(self) -> NDArray[np.float64]:
        """Luma in [0, 1], (height, width): 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
        scaled = self.pixels / 255
        return scaled if scaled.ndim == 2 else scaled @ np.array([0.299, 0.587, 0.114])


def load_photograph(name: str) -> Photograph:
    """A built-in photograph by its name, or any picture file; `UserError` where it cannot be read."""
    if name in BUILT_IN:
        package, inside = BUILT_IN[name]
        found = find_spec(package)
        path = Path(str(found.origin if found else "")).parent / inside
        return _read(path, name, f"{name} ({package}'s photograph)")
    path = Path(name).expanduser()
    if not path.is_file():
        raise UserError(
            f"{name!r} is neither a picture file nor a built-in photograph ({', '.join(BUILT_IN)})"
            f"{suggestion(name, BUILT_IN)}"
        )
    return _read(path, f"own:{path.stem}", f"{path.name} (a photograph of one's own)")


def _read(path: Path, id: str, title: str) -> Photograph:
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if image.width * image.height > LARGEST:
                    raise UserError(f"{path} has {image.width:,} × {image.height:,} pixels: scale it down")
                pixels = eight_bit(ImageOps.exif_transpose(image))
        content = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UserError(f"{path} has too many pixels: scale it down to {LARGEST // 10**6} million") from None
    except (OSError, ValueError, SyntaxError) as error:  # PIL raises all three for damaged files
        raise UserError(f"{path} cannot be read as a picture ({_one_line(error)})") from None
    return Photograph(Dataset(id, title, content), pixels)


def _one_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:120]
