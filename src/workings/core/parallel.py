"""Work done beforehand, side by side, by all processors: best effort, since whoever needs it can do it still.

What the work makes has to lie where others find it (the run store, a cache). A worker that fails says nothing: the
caller meets the same failure when it does that part itself, and tells it there.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

FEW = 2
"""With fewer pieces of work than that, starting processes costs more than it brings."""


def beforehand(pieces: Sequence[tuple[Callable[..., object], *tuple[Any, ...]]]) -> None:
    """Call each piece's function with its arguments, the first ones first; both are pickled, functions by name."""
    if len(pieces) < FEW:
        return
    from joblib import Parallel, cpu_count, delayed

    if cpu_count() > 1:
        settings = {name: value for name, value in os.environ.items() if name.startswith("WORKINGS_")}
        # A worker that dies (of memory) breaks the others off too; what they made stays made.
        with suppress(RuntimeError):
            Parallel(n_jobs=-1, batch_size=1)(delayed(_attempt)(settings, *piece) for piece in pieces)


def _attempt(settings: dict[str, str], work: Callable[..., object], *given: Any) -> None:
    os.environ.update(settings)  # workers outlive a call, and settings may have changed since they were started
    with suppress(Exception):
        work(*given)
