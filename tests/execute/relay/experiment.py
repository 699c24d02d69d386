"""Three steps; resumes from the step noted in its checkpoint."""

import json
import os
import signal
import time
from pathlib import Path

from execute.relay.study import Config
from workings.core.errors import Diverged, UserError
from workings.core.files import write_json
from workings.core.runs import Recorder

SIGN = "sign"


def run(config: Config, recorder: Recorder) -> None:
    desk = Path(os.environ["RELAY_DESK"])
    (desk / f"{config.mishap}-{config.seed}-{os.getpid()}").touch()
    if config.mishap == "refuses":
        raise UserError("not in this weather: wait for spring")
    if config.mishap == "diverges":
        raise Diverged("the pace is no longer finite")
    if config.mishap == "stumbles":
        raise ZeroDivisionError("over a root")
    while config.mishap == "waits" and not (desk / SIGN).exists():
        time.sleep(0.05)
    state = recorder.checkpoints / "state.json"
    done = json.loads(state.read_text()) if state.is_file() else 0
    recorder.table("began", done)
    for step in range(done + 1, config.steps + 1):
        recorder.metric("way", step * (config.seed + 1), step)
        recorder.flush()
        write_json(state, step)
        if config.mishap == "falls" and step == 2:
            os.kill(os.getpid(), signal.SIGKILL)
