"""Training pictures in memory, cropped, flipped and turned a batch at a time, on the device that trains.

The pictures stay bytes, a pixel in one word, each with a black border one pixel wide. Where every pixel of the result
comes from is worked out per batch, and one gather fetches it: that is random crop after padding, horizontal flip and
small rotation (nearest pixel) at once, as torchvision's ``RandomRotation``, ``RandomHorizontalFlip`` and
``RandomCrop(padding=…)`` make them one after another. What is drawn for a picture in an epoch depends on the generator
and the picture's index, not on batches, their order, or the number of processes.

Left out on purpose: whatever changes colours, and pictures that do not fit into memory.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64, UInt8
from numpy.typing import NDArray
from torch import Tensor

from workings.core.errors import UserError

BLOCK = 256
"""Pictures worked on at a time on a CPU, in memory used again and again: fresh memory costs more than the work."""
OUTSIDE = 1e6
"""A coordinate that no rotation brings back into a picture, and that float32 still holds to a pixel."""


@dataclass(frozen=True)
class Recipe:
    """What is done to a training picture; nothing, as it stands."""

    pad: int = 0
    """Black pixels on every side before a crop to the old size."""
    flip: bool = False
    """Mirrored, left to right, every second time."""
    degrees: float = 0.0
    """Turned about its centre by up to so much, either way."""

    def __post_init__(self) -> None:
        if self.pad < 0 or not 0 <= self.degrees <= 180:
            raise UserError(f"pictures cannot be padded by {self.pad} and turned by {self.degrees}°: give 0 or more")

    def draw(self, count: int, generator: torch.Generator) -> "Draws":
        """One draw for each picture, on the CPU: the same on every device."""
        shift = torch.randint(-self.pad, self.pad + 1, (count, 2), generator=generator)
        flip = (torch.rand(count, generator=generator) < 0.5) & self.flip
        turn = (2 * torch.rand(count, generator=generator) - 1) * math.radians(self.degrees)
        return Draws(shift, flip, turn if self.degrees else None)


@dataclass(frozen=True)
class Draws:
    """An epoch's chance, by picture."""

    shift: Int64[Tensor, "picture 2"]
    """Rows and columns by which the crop lies off the picture."""
    flip: Bool[Tensor, " picture"]
    turn: Float32[Tensor, " picture"] | None
    """Radians, counter-clockwise; None where nothing is turned."""

    def of(self, index: Int64[Tensor, " batch"], device: torch.device) -> "Draws":
        """Those of a batch, where they are needed."""
        turn = None if self.turn is None else self.turn[index].to(device)
        return Draws(self.shift[index].to(device), self.flip[index].to(device), turn)


class Album:
    """All pictures of a split on one device, given out in normalised batches."""

    def __init__(
        self,
        images: NDArray[np.uint8],
        *,
        mean: tuple[float, ...] = (0.0,),
        std: tuple[float, ...] = (255.0,),
        device: str | torch.device = "cpu",
    ) -> None:
        """Pictures (N, height, width) or (N, height, width, 3); mean and std in grey levels, one or one a channel."""
        self.device = torch.device(device)
        self.count, self.height, self.width = images.shape[:3]
        self.channels = 1 if images.ndim == 3 else images.shape[3]
        wide = 1 if self.channels == 1 else 4
        store = np.zeros((self.count, self.height + 2, self.width + 2, wide), dtype=np.uint8)
        store[:, 1:-1, 1:-1, : self.channels] = images.reshape(*images.shape[:3], self.channels)
        words = torch.from_numpy(store)
        self.store = (words if wide == 1 else words.view(torch.int32)).reshape(-1).to(self.device)
        scale, level = (torch.tensor(v, dtype=torch.float32).reshape(-1, 1, 1) for v in (std, mean))
        if not bool((scale > 0).all()) or {len(scale), len(level)} - {1, self.channels}:
            raise UserError(f"mean {mean} and std {std} do not fit pictures of {self.channels} channels")
        self.scale, self.offset = (1 / scale).to(self.device), (-level / scale).to(self.device)
        self.block = BLOCK if self.device.type == "cpu" else max(self.count, 1)
        self.scratch: tuple[Tensor, Tensor] | None = None

    def batch(
        self, index: Int64[Tensor, " batch"], draws: Draws | None = None
    ) -> Float[Tensor, "batch channel height width"]:
        """The pictures of these indices, changed as drawn (as they are, without draws), normalised: float32."""
        made = torch.empty(len(index), self.channels, self.height, self.width, device=self.device)
        for part, out in zip(index.split(self.block), made.split(self.block), strict=True):
            out.copy_(self._pixels(part, draws)).mul_(self.scale).add_(self.offset)
        return made

    def pixels(
        self, index: Int64[Tensor, " batch"], draws: Draws | None = None
    ) -> UInt8[Tensor, "batch channel height width"]:
        """The same before they are normalised."""
        made = torch.empty(len(index), self.channels, self.height, self.width, dtype=torch.uint8, device=self.device)
        for part, out in zip(index.split(self.block), made.split(self.block), strict=True):
            out.copy_(self._pixels(part, draws))
        return made

    def _pixels(self, index: Tensor, draws: Draws | None) -> Tensor:
        """A block of pictures, in memory that the next block overwrites."""
        count = len(index)
        if self.scratch is None or len(self.scratch[0]) < count:
            shape = (count, self.height, self.width)
            self.scratch = (
                torch.empty(shape, dtype=torch.int64, device=self.device),
                torch.empty(math.prod(shape), dtype=self.store.dtype, device=self.device),
            )
        sources, words = self.scratch[0][:count], self.scratch[1][: count * self.height * self.width]
        first = index.to(self.device) * ((self.height + 2) * (self.width + 2))
        self._find_sources(first, draws.of(index, self.device) if draws else None, sources)
        torch.index_select(self.store, 0, sources.view(-1), out=words)
        if self.channels == 1:
            return words.view(count, 1, self.height, self.width)
        return words.view(torch.uint8).view(count, self.height, self.width, 4)[..., : self.channels].permute(0, 3, 1, 2)

    def _find_sources(self, first: Tensor, draws: Draws | None, out: Tensor) -> None:
        """Where in the bordered pictures each pixel of the result comes from; the border is all that lies outside."""
        rows = torch.arange(self.height, device=self.device).expand(len(first), -1)
        columns = torch.arange(self.width, device=self.device).expand(len(first), -1)
        if draws is not None:
            rows = rows + draws.shift[:, :1]
            columns = columns + draws.shift[:, 1:]
            columns = torch.where(draws.flip[:, None], self.width - 1 - columns, columns)
            if draws.turn is not None:
                out.copy_(self._turned(rows, columns, draws.turn)).add_(first.view(-1, 1, 1))
                return
        rows, columns = rows.clamp(-1, self.height) + 1, columns.clamp(-1, self.width) + 1
        torch.add((rows * (self.width + 2) + first[:, None])[:, :, None], columns[:, None, :], out=out)

    def _turned(self, rows: Tensor, columns: Tensor, turn: Tensor) -> Tensor:
        """Rotated about the centre; what the crop took from outside the picture stays outside."""
        centre_y, centre_x = (self.height - 1) / 2, (self.width - 1) / 2
        y = (rows - centre_y).masked_fill((rows < 0) | (rows >= self.height), OUTSIDE)[:, :, None]
        x = (columns - centre_x).masked_fill((columns < 0) | (columns >= self.width), OUTSIDE)[:, None, :]
        cos, sin = torch.cos(turn).view(-1, 1, 1), torch.sin(turn).view(-1, 1, 1)
        row = (cos * y + sin * x).add_(centre_y).round_().clamp_(-1, self.height)
        column = (cos * x - sin * y).add_(centre_x).round_().clamp_(-1, self.width)
        made: Tensor = row.add_(1).mul_(self.width + 2).add_(column).add_(1)
        return made


def levels(images: NDArray[np.uint8]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, in grey levels: of the training pictures, to normalise all by."""
    values = images.reshape(-1, 1 if images.ndim == 3 else images.shape[3])
    counts = np.stack([np.bincount(channel, minlength=256) for channel in values.T]).astype(np.float64)
    counts /= len(values)
    level = np.arange(256)
    mean = counts @ level
    spread = np.sqrt(np.maximum(counts @ level**2 - mean**2, 0))
    return tuple(map(float, mean)), tuple(float(s) or 1.0 for s in spread)
