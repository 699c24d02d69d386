from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workings.core.errors import UserError
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.filters import experiment
from workings.studies.filters.experiment import validate
from workings.studies.filters.study import Config

STUDY = find("filters")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kernel": ""}, "kernel is empty"),
        ({"kernel": "1 2; 3"}, "equal length"),
        ({"kernel": "sobel_x"}, "did you mean 'sobel-x'"),
        ({"kernel": "1 nan 1"}, "finite"),
        ({"soften": "blurx"}, "no soften 'blurx'"),
        ({"image": "no-such.png"}, "neither a picture file nor a built-in"),
        ({"image": "camra"}, "did you mean 'camera'"),
        ({"image": ""}, "neither a picture file"),
        ({"noise": -1.0}, "noise is -1"),
        ({"noise": float("nan")}, "noise is nan"),
        ({"noise": float("inf")}, "noise is inf"),
        ({"noise": 1e6}, "from 0 to 255"),
        ({"seed": -1}, "seed is -1"),
        ({"corner": (1,)}, "give a row and a column"),
        ({"corner": (1, 2, 3)}, "give a row and a column"),
        ({"corner": (-1, 0)}, "outside camera, which is 512×512"),
        ({"corner": (0, 512)}, "outside camera"),
        ({"task": "inspect", "noise": 3.0}, "noise has no part in the task 'inspect'"),
        ({"task": "noise", "kernel": "box"}, "kernel has no part in the task 'noise'"),
        ({"task": "noise", "corner": (1, 1)}, "corner has no part"),
    ],
)
def test_bad_input_is_explained_and_leaves_nothing(
    store: RunStore, home: Path, fields: dict[str, object], words: str
) -> None:
    config = Config(**fields)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=words):
        validate(config)
    with pytest.raises(UserError):
        carry_out(STUDY, [config], store)
    assert not list(home.rglob("run.json"))


def test_pictures_that_are_too_small_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    Image.fromarray(np.zeros((2, 6), dtype=np.uint8)).save(path)
    with pytest.raises(UserError, match="2×6 pixels: smaller than the kernel's 3×3"):
        validate(Config(image=str(path)))
    with pytest.raises(UserError, match="it takes 7×7 pixels"):
        validate(Config(image=str(path), task="noise"))
    with pytest.raises(UserError, match="it takes 7×7 pixels"):
        validate(Config(image=str(path), kernel="1", noise=3.0))
    validate(Config(image=str(path), kernel="1"))


def test_the_widest_kernel_is_inspected_in_seconds(store: RunStore) -> None:
    wide = "; ".join([" ".join(["1/961"] * 31)] * 31)
    (outcome,) = carry_out(STUDY, [Config(task="inspect", kernel=wide)], store)
    assert outcome.run.metric("variance/low") <= 1 / 961 <= outcome.run.metric("variance/high")


def test_what_would_take_for_ever_or_all_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "WORK", 512 * 512 * 9 - 1)
    with pytest.raises(UserError, match="thousand million products"):
        validate(Config(kernel="box"))
    validate(Config(kernel="sharpen-x"))  # three weights that are not 0
    monkeypatch.setattr(experiment, "MOST", 512 * 512 - 1)
    with pytest.raises(UserError, match="camera is 512×512 pixels: scale it down"):
        validate(Config(task="noise"))


@pytest.mark.parametrize("task", ["apply", "noise"])
def test_a_photograph_of_ones_own(store: RunStore, tmp_path: Path, task: str) -> None:
    path = tmp_path / "mine.png"
    pixels = np.random.default_rng(0).integers(0, 256, (24, 31, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    (outcome,) = carry_out(STUDY, [Config(task=task, image=str(path))], store)  # type: ignore[arg-type]
    run = outcome.run
    assert run.datasets["picture"]["id"] == "own:mine"
    assert run.table("result")
    if task == "apply":
        assert np.array_equal(np.asarray(Image.open(run.picture("before"))), pixels)
        after = 3.0 * pixels[:, 1:-1] - pixels[:, :-2].astype(float) - pixels[:, 2:]
        assert np.array_equal(np.asarray(Image.open(run.picture("after")))[:, 1:-1], np.clip(after, 0, 255))


def test_a_constant_photograph_needs_no_special_case(store: RunStore, tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    Image.fromarray(np.full((20, 20), 128, dtype=np.uint8)).save(path)
    outcomes = carry_out(
        STUDY,
        [Config(image=str(path), kernel="laplacian"), Config(image=str(path), task="noise"), Config(image=str(path))],
        store,
    )
    assert (np.asarray(Image.open(outcomes[0].run.picture("after"))) == 128).all()
    assert outcomes[1].run.table("crossings")["box"]["predicted"] == pytest.approx(0, abs=1e-9)


def test_an_unaltered_picture_is_infinitely_near(store: RunStore) -> None:
    (outcome,) = carry_out(STUDY, [Config(kernel="1", soften="1")], store)
    assert outcome.run.metric("psnr/after") == np.inf
    assert outcome.run.metric("ssim/after") == pytest.approx(1)
