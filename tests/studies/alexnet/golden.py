"""The smoke preset's numbers as they were when the study got its version.

`PYTHONPATH=tests python tests/studies/alexnet/golden.py` writes them anew, after `STUDY.version` was raised.
"""

import json
import tempfile
from pathlib import Path

from workings.core.runs import RunStore
from workings.execute.local import Options, carry_out
from workings.studies.alexnet.study import STUDY, Config, smoke

FILE = Path(__file__).parent / "golden.json"
EXACT = ("parameters", "pictures/train")
LOSSES = ("train/loss", "validation/loss", "test/loss")


def measure(configs: list[Config], store: RunStore) -> list[dict[str, float]]:
    """What golden numbers are compared with."""
    made = carry_out(STUDY, configs, store, Options(threads=1))
    return [{name: outcome.run.metric(name) for name in (*EXACT, *LOSSES)} for outcome in made]


def trainings() -> list[Config]:
    """The sheet's recipe and the fast one, in small."""
    return [config for config in smoke() if config.task == "train"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        numbers = {"version": STUDY.version, "metrics": measure(trainings(), RunStore(Path(folder)))}
    FILE.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
