from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workings.core.errors import UserError
from workings.studies.hopfield.tool import recall, restore


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Four noisy pictures of different sizes and modes, and something that is none."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "album"
    folder.mkdir()
    for number, (height, width) in enumerate([(20, 30), (40, 60), (22, 30), (20, 31)]):
        coarse = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((width, height)).save(folder / f"{number}.png")
    (folder / "readme.txt").write_text("not a picture")
    return folder


def half_black(source: Path, target: Path) -> Path:
    image = Image.open(source).convert("RGB")
    image.paste((0, 0, 0), (0, 0, image.width // 2, image.height))
    image.save(target)
    return target


def test_a_damaged_picture_finds_its_original(album: Path, tmp_path: Path) -> None:
    damaged = [half_black(album / f"{n}.png", tmp_path / f"damaged{n}.png") for n in (1, 3)]
    found = restore(tuple(damaged), album, tmp_path / "sheet.png", mask="left", size=24)
    assert [answer.recalled for answer in found.answers] == ["1.png", "3.png"]
    assert all(answer.say > 0.99 and answer.energy[1] < answer.energy[0] for answer in found.answers)
    assert found.stored == 4
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 100
    assert "damaged1.png: 1.png with 100% of the say" in str(found)


def test_a_small_beta_blends_all(album: Path, tmp_path: Path) -> None:
    found = restore((album / "0.png",), album, tmp_path / "sheet.svg", beta=1e-6)
    assert found.answers[0].voices == pytest.approx(4, rel=1e-3)


def test_digits_come_back(tmp_path: Path) -> None:
    found = recall(output=tmp_path / "recall.pdf", patterns=30, queries=4)
    assert [answer.recalled for answer in found.answers] == [answer.asked for answer in found.answers]
    assert (tmp_path / "recall.pdf").is_file()


def test_bad_input_is_explained(album: Path, tmp_path: Path) -> None:
    empty, broken, flat = (tmp_path / name for name in ("empty", "broken", "flat"))
    for folder in (empty, broken, flat):
        folder.mkdir()
    (broken / "a.png").write_text("no picture")
    Image.new("L", (9, 9), 7).save(flat / "grey.png")
    good, sheet = album / "0.png", tmp_path / "sheet.png"
    cases: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("is no folder", ((good,), tmp_path / "nowhere", sheet), {}),
        ("is no folder", ((good,), good, sheet), {}),
        ("holds no pictures", ((good,), empty, sheet), {}),
        ("cannot be read as a picture", ((good,), broken, sheet), {}),
        ("grey.png: the whole picture is of a single grey", ((good,), flat, sheet), {}),
        ("grey.png: the part that can be seen", ((flat / "grey.png",), album, sheet), {}),
        ("neither a picture file", ((tmp_path / "none.png",), album, sheet), {}),
        ("0 pictures to restore", ((), album, sheet), {}),
        ("25 pictures to restore", ((good,) * 25, album, sheet), {}),
        ("is no picture file: name it", ((good,), album, tmp_path / "sheet.gif"), {}),
        ("size is 4", ((good,), album, sheet), {"size": 4}),
        ("beta is 0", ((good,), album, sheet), {"beta": 0.0}),
        ("beta is nan", ((good,), album, sheet), {"beta": float("nan")}),
        ("steps is 0", ((good,), album, sheet), {"steps": 0}),
    ]
    for words, arguments, options in cases:
        with pytest.raises(UserError, match=words):
            restore(*arguments, **options)
    for words, options in (("queries is 99", {"queries": 99}), ("patterns is 0", {"patterns": 0})):
        with pytest.raises(UserError, match=words):
            recall(output=sheet, **options)
    assert not sheet.exists()
