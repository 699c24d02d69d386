"""Mixed precision on a GPU; on the CPU, where it was measured 2.8 times slower, everything stays as it is.

bfloat16 where the GPU has it: its range is that of float32, so gradients need no scaling. Older ones take float16,
whose gradients are scaled up before `backward` so that small ones do not vanish (Micikevicius et al. 2018). The scale
has a state: a learner names its `Precision` among its `extras`.
"""

from collections.abc import Mapping
from typing import Any

import torch

NATIVE_BFLOAT16 = (8, 0)
"""Compute capability (Ampere) from which a GPU computes in bfloat16 rather than emulating it."""


class Precision:
    """Use as ``with precision.forward(): loss = …`` and ``update(optimizer, loss, scaler=precision.scaler)``."""

    def __init__(self, device: torch.device, *, mixed: bool = True) -> None:
        self.device, self.mixed = device, mixed and device.type == "cuda"
        new = self.mixed and torch.cuda.get_device_capability(device) >= NATIVE_BFLOAT16
        self.dtype = torch.bfloat16 if new or not self.mixed else torch.float16
        self.scaler = torch.amp.GradScaler("cuda") if self.mixed and not new else None
        """None where gradients need no scaling."""

    def forward(self) -> torch.autocast:
        """A context for the forward pass and the loss."""
        return torch.autocast(self.device.type, dtype=self.dtype, enabled=self.mixed)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return dict(self.scaler.state_dict()) if self.scaler else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint; one from a device without scaling leaves the scale at its start."""
        if self.scaler and state:
            self.scaler.load_state_dict(dict(state))
