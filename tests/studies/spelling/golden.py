"""The smoke preset's numbers as they were when the study got its version.

`PYTHONPATH=tests python tests/studies/spelling/golden.py` writes them anew, after `STUDY.version` was raised.
"""

import json
import tempfile
from pathlib import Path

from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.spelling.study import STUDY, Config, smoke

FILE = Path(__file__).parent / "golden.json"
LOSSES = ("train/loss", "validation/loss")
RATES = tuple(f"test/{method}/{rate}" for method in ("greedy", "nucleus", "beam") for rate in ("cer", "wer"))


def measure(configs: list[Config], store: RunStore) -> list[dict[str, float]]:
    """What golden numbers are compared with, for each configuration."""
    runs = [outcome.run for outcome in carry_out(STUDY, configs, store)]
    return [{name: run.metric(name) for name in ("parameters", *LOSSES, *RATES)} for run in runs]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        numbers = {"version": STUDY.version, "metrics": measure([*smoke()], RunStore(Path(folder)))}
    FILE.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
