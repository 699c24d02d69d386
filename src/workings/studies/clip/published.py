"""A published CLIP that lies on disk as `transformers` keeps it: a folder with config.json, weights and tokenizer.

Fetch one with ``hf download openai/clip-vit-base-patch32 --local-dir FOLDER`` where there is a network. Weights are
read from safetensors alone, and every one of them must have its place.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch.nn.functional import normalize

from workings.core.errors import UserError
from workings.studies.clip.encoders import LOADING, from_files, lacking, refuse_misfits, tokenizer_of
from workings.studies.clip.frozen import fingerprint
from workings.studies.clip.pictures import Look

TOGETHER = 32
"""Pictures or sentences at a time: such models are large."""


@dataclass(frozen=True)
class Published:
    """Somebody else's model, behind the face of ours."""

    name: str
    model: Any
    tokenizer: Any
    look: Look
    fingerprint: str

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "Published":
        """`UserError` where a file is missing, or a weight has no place or no value."""
        from transformers import AutoImageProcessor, AutoModel

        if not list(folder.glob("*.safetensors")):
            raise UserError(
                f"{folder} holds no .safetensors: other forms of weights are not opened; convert them first"
            )
        where = str(folder)
        model, found = from_files(AutoModel, where, "the model", **LOADING)
        unexpected = [key for key in found["unexpected_keys"] if not key.endswith("position_ids")]
        refuse_misfits(where, lacking(found), unexpected)
        tokenizer = tokenizer_of(where)
        processor = from_files(AutoImageProcessor, where, "the preprocessing", use_fast=False)
        size = int(model.config.vision_config.image_size)
        mean, std = (tuple(255 * float(v) for v in values) for values in (processor.image_mean, processor.image_std))
        look = Look(size, mean, std)
        told = f"{fingerprint(model)} {look} {sorted(tokenizer.get_vocab().items())}"
        mark = hashlib.sha256(told.encode()).hexdigest()[:16]
        return cls(f"{folder.name} (published)", model.to(device).eval(), tokenizer, look, mark)

    @property
    def dimensions(self) -> int:
        """Of the common space."""
        return int(self.model.config.projection_dim)

    @property
    def size(self) -> int:
        """Side of the pictures that it reads."""
        return self.look.size

    @property
    def scale(self) -> float:
        """The learnt one."""
        return float(self.model.logit_scale.detach().exp())

    @torch.no_grad()
    def pictures(self, pixels: UInt8[np.ndarray, "n size size 3"]) -> Float32[np.ndarray, "n d"]:
        """Vectors of unit length."""
        made = np.zeros((len(pixels), self.dimensions), dtype=np.float32)
        for start in range(0, len(pixels), TOGETHER):
            part = slice(start, start + TOGETHER)
            seen = self.model.vision_model(pixel_values=self.look(pixels[part], self.model.device))
            made[part] = normalize(self.model.visual_projection(seen.pooler_output), dim=1).cpu().numpy()
        return made

    @torch.no_grad()
    def texts(self, sentences: Sequence[str]) -> Float32[np.ndarray, "n d"]:
        """Vectors of unit length."""
        made = np.zeros((len(sentences), self.dimensions), dtype=np.float32)
        for start in range(0, len(sentences), TOGETHER):
            part = slice(start, start + TOGETHER)
            told = self.tokenizer(list(sentences[part]), padding=True, truncation=True, return_tensors="pt")
            inputs = {name: told[name].to(self.model.device) for name in ("input_ids", "attention_mask")}
            read = self.model.text_model(**inputs)
            made[part] = normalize(self.model.text_projection(read.pooler_output), dim=1).cpu().numpy()
        return made
