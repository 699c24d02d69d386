"""Where a dataset's files may lie: ``$WORKINGS_DATA``, then the data folder of the run store."""

import os
from pathlib import Path

from workings.core.runs import RunStore


def folders() -> list[Path]:
    """The folders that are searched, in order, whether they exist or not."""
    named = os.environ.get("WORKINGS_DATA")
    return [*([Path(named).expanduser()] if named else []), RunStore.default().root / "data"]


def locate(name: str) -> Path | None:
    """The first place that holds a folder or file of that name; None where none does."""
    return next((folder / name for folder in folders() if (folder / name).exists()), None)
