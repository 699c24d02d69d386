"""Show your workings: deep-learning problem sets as studies, each claim with a verdict and its evidence.

    import workings
    workings.run("minimax", eta=0.1)
    workings.check("minimax")

Importing this package imports no torch.
"""

import os
from typing import Any

# OpenMP's threads spin while they wait. Beside another busy program that slows a training 20-fold, so they are told to
# sleep instead; it must be said before torch loads its OpenMP, and a person's own setting stands.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
__all__ = ["check", "run", "show"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from workings import verbs

        return getattr(verbs, name)
    raise AttributeError(f"module 'workings' has no attribute {name!r}")
