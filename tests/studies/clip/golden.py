"""The smoke preset's numbers as they were when the study got its version.

`PYTHONPATH=tests python tests/studies/clip/golden.py` writes them anew, after `STUDY.version` was raised.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from workings.core.runs import RunStore
from workings.execute.local import Options, carry_out
from workings.studies.clip.study import STUDY, Config, smoke

FILE = Path(__file__).parent / "golden.json"
EXACT = ("parameters/pictures", "parameters/text", "parameters/heads", "count/train")
LOSSES = ("train/loss", "train/temperature", "validation/loss")


def measure(configs: Sequence[Config], store: RunStore) -> list[dict[str, float]]:
    """What golden numbers are compared with; what is found with the model afterwards is left out."""
    with patch("workings.studies.clip.experiment.examine"):
        made = carry_out(STUDY, configs, store, Options(threads=1))
    return [{name: outcome.run.metric(name) for name in (*EXACT, *LOSSES)} for outcome in made]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        numbers = {"version": STUDY.version, "metrics": measure(smoke(), RunStore(Path(folder)))}
    FILE.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
