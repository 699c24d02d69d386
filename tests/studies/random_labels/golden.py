"""The smoke preset's numbers as they were when the study got its version.

`PYTHONPATH=tests python tests/studies/random_labels/golden.py` writes them anew, after `STUDY.version` was raised.
"""

import json
import tempfile
from pathlib import Path

from workings.core.runs import RunStore
from workings.execute.local import Options, carry_out
from workings.studies.random_labels.study import STUDY, Config, smoke

FILE = Path(__file__).parent / "golden.json"
TRIAL = smoke()[1]


def measure(config: Config, store: RunStore) -> dict[str, float]:
    """What golden numbers are compared with."""
    (outcome,) = carry_out(STUDY, [config], store, Options(threads=1))
    return {name: outcome.run.metric(name) for name in ("parameters", "redrawn", "train/loss", "train/accuracy")}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        numbers = {"version": STUDY.version, "metrics": measure(TRIAL, RunStore(Path(folder)))}
    FILE.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
