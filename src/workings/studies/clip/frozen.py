"""Features of towers that do not learn, computed once and kept on disk (`workings.data.cache`).

They are named after the tower's weights, what it reads, and the data's content: another training with the same frozen
tower finds them, whatever stands on the tower.
"""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from workings.core.progress import meter
from workings.data import cache

if TYPE_CHECKING:
    from workings.studies.clip.learner import ClipLearner

BATCH = 128
"""Pictures or sentences embedded together."""


def features_of_pictures(learner: "ClipLearner") -> Float[Tensor, "pictures features"]:
    """What the frozen tower makes of every picture of the set."""
    captioned, look = learner.data.captioned, learner.data.look

    def embed(part: Tensor) -> Tensor:
        made: Tensor = learner.model.pictures.eval()(look(captioned.pictures[part.numpy()], learner.device))
        return made

    key = _key(learner.model.pictures, captioned.dataset.content, look)
    return _kept(key, len(captioned.names), embed, "pictures through the frozen tower").to(learner.device)


def features_of_texts(learner: "ClipLearner") -> Float[Tensor, "captions features"]:
    """What the frozen tower makes of every caption of the set."""
    encoded = learner.encoded
    tokens = hashlib.sha256(encoded.values.numpy().tobytes() + encoded.lengths.numpy().tobytes()).hexdigest()

    def embed(part: Tensor) -> Tensor:
        made: Tensor = learner.model.text.eval()(*encoded.batch(part, learner.device))
        return made

    key = _key(learner.model.text, tokens)
    return _kept(key, len(encoded), embed, "captions through the frozen tower").to(learner.device)


def fingerprint(module: nn.Module) -> str:
    """16 hex digits of a module's weights and buffers, by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _key(tower: nn.Module, *circumstances: object) -> str:
    told = repr((fingerprint(tower), *circumstances)).encode()
    return f"features-{hashlib.sha256(told).hexdigest()[:24]}"


@torch.no_grad()
def _kept(key: str, count: int, embed: Callable[[Tensor], Tensor], title: str) -> Tensor:
    found = cache.arrays(key)
    if found is None or len(found["features"]) != count:
        rows = []
        with meter(title, count) as progress:
            for part in torch.arange(count).split(BATCH):
                rows.append(embed(part).float().cpu().numpy())
                progress.advance(len(part))
        found = {"features": np.concatenate(rows)}
        cache.keep_arrays(key, found)
    return torch.from_numpy(np.array(found["features"]))
