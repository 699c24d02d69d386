"""Photographs: those that come with the libraries, and files sound and broken."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workings.core.errors import UserError
from workings.data import photographs
from workings.data.photographs import BUILT_IN, load_photograph


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_ones_are_there(name: str) -> None:
    photograph = load_photograph(name)
    assert photograph.dataset.id == name
    assert min(photograph.pixels.shape[:2]) >= 300
    grey = photograph.grey()
    assert grey.shape == photograph.pixels.shape[:2]
    assert 0 <= grey.min() < 0.2 < 0.7 < grey.max() <= 1


@pytest.mark.parametrize(
    ("mode", "value", "wanted"),
    [
        ("L", 7, 7),
        ("1", 1, 255),
        ("LA", (7, 0), 7),
        ("RGB", (1, 2, 3), (1, 2, 3)),
        ("RGBA", (1, 2, 3, 0), (1, 2, 3)),
        ("I;16", 256 * 9, 9),
    ],
)
def test_every_kind_of_pixel_is_read(tmp_path: Path, mode: str, value: object, wanted: object) -> None:
    Image.new(mode, (4, 3), value).save(tmp_path / "p.png")  # type: ignore[arg-type]
    pixels = load_photograph(str(tmp_path / "p.png")).pixels
    assert pixels.shape[:2] == (3, 4)
    np.testing.assert_array_equal(pixels[0, 0], wanted)


def test_a_palette_becomes_colour(tmp_path: Path) -> None:
    Image.new("RGB", (4, 3), (200, 0, 0)).convert("P").save(tmp_path / "p.gif")
    assert load_photograph(str(tmp_path / "p.gif")).pixels.shape == (3, 4, 3)


def test_the_camera_says_which_way_is_up(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (40, 20)).save(tmp_path / "p.jpg", exif=exif)
    assert load_photograph(str(tmp_path / "p.jpg")).pixels.shape == (40, 20, 3)


def test_the_bytes_name_the_picture_not_its_path(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.new("L", (4, 3), 7).save(tmp_path / name)
    a, b = (load_photograph(str(tmp_path / name)).dataset for name in ("a.png", "b.png"))
    assert (a.content, a.id, b.id) == (b.content, "own:a", "own:b")


def test_what_is_no_picture_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (40, 30)).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    for name, content in (("text.png", b"no picture"), ("empty.jpg", b""), ("cut.png", whole[:50])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match="cannot be read as a picture") as error:
            load_photograph(str(tmp_path / name))
        assert name in str(error.value)
        assert "\n" not in str(error.value)
    monkeypatch.setattr(photographs, "LARGEST", 1_000)
    with pytest.raises(UserError, match="scale it down"):
        load_photograph(str(tmp_path / "whole.png"))
    with pytest.raises(UserError, match="did you mean 'camera'"):
        load_photograph("camra")
    with pytest.raises(UserError, match="neither a picture file"):
        load_photograph(str(tmp_path))
