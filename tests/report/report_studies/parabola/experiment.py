"""Descend, and keep what happened."""

import numpy as np

from report_studies.parabola.study import Config
from workings.core.runs import Recorder


def run(config: Config, recorder: Recorder) -> None:
    noise = np.random.default_rng(config.seed)
    x, velocity, path = 1.0, 0.0, []
    for step in range(1, config.epochs + 1):
        velocity = (0.5 * velocity if config.momentum else 0.0) - config.eta * 2 * x
        x += velocity
        path.append(x)
        recorder.metric("loss", x * x + 1e-3 * float(noise.random()), step)
        recorder.metric("contraction", 1 - 2 * config.eta, step)
    recorder.metric("parameters", 257117)
    recorder.array("path", np.array(path))
    recorder.table("steps", [{"step": n, "x": x} for n, x in enumerate(path, start=1)])
    recorder.picture("valley", (np.outer(np.linspace(0, 1, 48), np.ones(96)) * 255).astype(np.uint8))
