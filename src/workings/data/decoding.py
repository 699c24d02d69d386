"""Encoded pictures (JPEG, PNG, whatever Pillow reads) to arrays of bytes, one by one and by the ten thousand.

Grey stays grey, 16 bits become 8, all else becomes RGB; the camera's note of which way is up is followed. To a given
size a picture is cropped about its centre to the shape asked for, then resized (bilinear over the whole footprint of a
pixel, Pillow's way). Many large ones are decoded by several threads.
"""

import hashlib
import io
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import UserError
from workings.core.progress import meter

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[np.uint8]
Size = tuple[int, int]
"""Height and width in pixels."""

LARGEST = 64_000_000
"""Pixels in one picture at most: 200 MB in memory, more than any camera that fits a pocket."""
SIDE = 4_096
"""Pixels along a side to which pictures are brought at most."""
GROUP = 64
"""Pictures that a thread decodes before it reports: fewer would spend their time on reporting."""
LARGE = 0.002
"""Seconds a picture from which several threads pay; with small ones they wait for the interpreter most of the time."""


class Decoded(NamedTuple):
    """One picture: the hash of its file, and its pixels or what is wrong with it."""

    digest: str
    """SHA-256 of the encoded bytes."""
    pixels: Pixels | None
    fault: str = ""


def decode_all(reads: Sequence[Callable[[], bytes]], size: Size | None, title: str) -> Iterator[Decoded]:
    """Decode what each of the functions reads, in order, with progress."""

    groups = [reads[at : at + GROUP] for at in range(0, len(reads), GROUP)]

    def work(group: Sequence[Callable[[], bytes]]) -> list[Decoded]:
        return [decode(read, size) for read in group]

    with warnings.catch_warnings(), ExitStack() as stack, meter(title, len(reads)) as progress:
        warnings.simplefilter("ignore")  # Pillow's, of spoilt notes inside pictures that can be read
        first = [work(group) for group in groups[:1]]  # and Pillow loads its readers
        began = time.thread_time()
        first += [work(group) for group in groups[1:2]]
        rest: Iterator[list[Decoded]] = map(work, groups[2:])
        if time.thread_time() - began > GROUP * LARGE:
            pool = stack.enter_context(ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)))
            rest = pool.map(work, groups[2:])
        for decoded in chain(first, rest):
            yield from decoded
            progress.advance(len(decoded))


def decode(read: Callable[[], bytes], size: Size | None = None) -> Decoded:
    """One picture, never an exception: what is wrong is said in `fault`."""
    from PIL import Image, UnidentifiedImageError

    digest = ""
    try:
        encoded = read()
        digest = hashlib.sha256(encoded).hexdigest()
        if not encoded:
            return Decoded(digest, None, "is empty")
        with Image.open(io.BytesIO(encoded)) as image:
            if image.width * image.height > LARGEST:
                return Decoded(digest, None, f"has {image.width:,} × {image.height:,} pixels")
            return Decoded(digest, _fitted(image, size))
    except UnidentifiedImageError:
        return Decoded(digest, None, "is no picture")
    except Image.DecompressionBombError:
        return Decoded(digest, None, f"has more than {LARGEST // 10**6} million pixels")
    except Exception as error:  # Pillow's readers raise whatever their format brings them to
        return Decoded(
            digest, None, f"cannot be read ({str(error).partition(chr(10))[0][:80] or type(error).__name__})"
        )


def _fitted(image: "Image.Image", size: Size | None) -> Pixels:
    from PIL import ImageOps

    if size is not None:
        image.draft(None, (2 * size[1], 2 * size[0]))  # a JPEG may be decoded at an eighth of its size
    upright = ImageOps.exif_transpose(image) if "exif" in image.info or image.format == "TIFF" else image
    return eight_bit(upright) if size is None else resized(eight_bit(upright), size)


def eight_bit(image: "Image.Image") -> Pixels:
    """Pixels of a picture of any mode: (height, width) where it is grey, (height, width, 3) where it has colour."""
    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow's own conversion would clip
        return np.asarray(np.clip(np.asarray(image, dtype=np.int64) >> 8, 0, 255), dtype=np.uint8)
    grey = image.mode in ("1", "L", "LA", "La", "F")
    return np.asarray(image.convert("L" if grey else "RGB"), dtype=np.uint8)


def resized(pixels: Pixels, size: Size) -> Pixels:
    """One picture at another size, cropped about its centre where the shapes differ."""
    from PIL import Image, ImageOps

    if pixels.shape[:2] == size:
        return pixels
    image = Image.fromarray(pixels)
    return np.asarray(ImageOps.fit(image, (size[1], size[0]), Image.Resampling.BILINEAR), dtype=np.uint8)


def checked_size(size: int | Size | None) -> Size | None:
    """A side or (height, width); `UserError` where no picture can have that size."""
    if size is None:
        return None
    pair = tuple(size) if isinstance(size, list | tuple) else (size, size)
    if len(pair) != 2 or not all(isinstance(side, int) and 1 <= side <= SIDE for side in pair):
        raise UserError(f"pictures of size {size} cannot be made: give a side, or height and width, of 1 to {SIDE}")
    return pair[0], pair[1]


def check_room(count: int, size: Size, what: str) -> None:
    """`UserError` where so many pictures would take more than half of this machine's memory."""
    needed = count * size[0] * size[1] * 3
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 1 << 34
    if needed > memory // 2:
        raise UserError(
            f"{what}: {count:,} pictures of {size[0]} × {size[1]} would take {needed / 1e9:.1f} GB of this machine's "
            f"{memory / 1e9:.0f} GB: give a smaller size, or fewer pictures"
        )
