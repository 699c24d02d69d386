"""Pictures as patterns: each has mean 0 and variance 1 over its pixels, so that ‖x‖² is the number of pixels.

So no picture is favoured for being bright, and a pattern is always the one most similar to itself. A hidden pixel is 0:
it has no say in any similarity. Mean and variance are those of the pixels that can be seen.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from workings.studies.hopfield.study import Mask

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601)."""


def visible(mask: Mask, height: int, width: int) -> Bool[np.ndarray, "{height} {width}"]:
    """Which pixels can be seen when that half is hidden; the middle line of an odd number can."""
    seen = np.ones((height, width), dtype=bool)
    hidden: dict[Mask, Any] = {
        "none": np.s_[:0],
        "left": np.s_[:, : width // 2],
        "right": np.s_[:, width - width // 2 :],
        "top": np.s_[: height // 2],
        "bottom": np.s_[height - height // 2 :],
    }
    seen[hidden[mask]] = False
    return seen


def keys(
    pixels: UInt8[np.ndarray, "pictures height width *colour"], seen: Bool[np.ndarray, "height width"] | None = None
) -> Float[Tensor, "pictures dim"]:
    """One pattern a picture (float32, from its grey values); a picture of a single grey has the pattern 0."""
    grey = pixels / np.float32(255)
    if grey.ndim == 4:
        grey = grey @ np.array(LUMA, dtype=np.float32)
    flat = torch.from_numpy(grey.reshape(len(grey), -1))
    known = torch.ones(flat.shape[-1]) if seen is None else torch.from_numpy(seen.reshape(-1).astype(np.float32))
    mean = (flat * known).sum(-1, keepdim=True) / known.sum()
    centred = (flat - mean) * known
    spread = ((centred**2).sum(-1, keepdim=True) / known.sum()).sqrt()
    return torch.where(spread > 0.5 / 255, centred / spread.clamp(min=1e-6), torch.zeros(()))


def blend(p: Float[Tensor, "*batch pictures"], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures mixed by their weights: what a state looks like, in the pictures' own greys or colours."""
    mixed = np.round(p.cpu().numpy() @ pixels.reshape(len(pixels), -1).astype(np.float32)).clip(0, 255)
    return np.asarray(mixed, dtype=np.uint8).reshape(*p.shape[:-1], *pixels.shape[1:])


def noisy(
    pixels: NDArray[np.uint8], noise: float, draws: Float[np.ndarray, "pictures height width"]
) -> NDArray[np.uint8]:
    """Pictures with noise added, in units of each one's own spread, cut to what a pixel can show."""
    spread = pixels.reshape(len(pixels), -1).std(-1).reshape(-1, *[1] * (pixels.ndim - 1))
    shaped = draws if pixels.ndim == 3 else draws[..., None]
    return np.asarray(np.round(pixels + noise * spread * shaped).clip(0, 255), dtype=np.uint8)
