"""Measure, count or compare; resumes from the epoch noted in its checkpoint."""

import json
from pathlib import Path

import numpy as np

from toy.study import Config
from workings.core.errors import UserError
from workings.core.files import write_json
from workings.core.runs import Recorder

FRUIT = {"apples": [4, 8], "pears": [16, 32]}
PIPS = 10


def fruit(data: str) -> list[int]:
    if data in FRUIT:
        return FRUIT[data]
    if not Path(data).is_file():
        raise UserError(f"there is no fruit {data!r}: name apples, pears or a file")
    return list(json.loads(Path(data).read_text()))


def run(config: Config, recorder: Recorder) -> None:
    if config.task == "count":
        recorder.metric("pips", PIPS)
        return
    if config.task == "compare":
        recorder.metric("difference", config.gain - recorder.inputs["baseline"].metric("error"))
        return
    state = recorder.checkpoints / "state.json"
    done = json.loads(state.read_text()) if state.is_file() else 0
    recorder.rewind(done)
    for epoch in range(done + 1, config.epochs + 1):
        recorder.metric("error", config.gain * sum(fruit(config.data)) / epoch + config.seed / 1000, epoch)
        recorder.flush()
        write_json(state, epoch)
        after(epoch)
    recorder.array("grid", np.eye(2) * config.epochs)


def after(epoch: int) -> None:
    """Nothing; tests put an accident here."""
