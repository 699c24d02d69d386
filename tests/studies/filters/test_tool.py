from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workings.core.errors import UserError
from workings.studies.filters import tool


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "stripes.png"
    pixels = np.zeros((9, 12), dtype=np.uint8)
    pixels[:, 6:] = 200
    Image.fromarray(pixels).save(path)
    return path


def test_apply_writes_signed_answers_about_middle_grey(photograph: Path, tmp_path: Path) -> None:
    out = tmp_path / "edges.png"
    done = tool.apply(str(photograph), kernel="sobel-x", output=out)
    assert (done.low, done.high) == (0, 800)
    shown = np.asarray(Image.open(out))
    assert (shown[:, 5:7] == 255).all()
    assert (shown[:, [0, 11]] == 128).all()
    assert "0 as middle grey" in str(done)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".PNG"])
def test_apply_keeps_size_and_colour(tmp_path: Path, suffix: str) -> None:
    tool.apply("chelsea", kernel="box", output=tmp_path / f"soft{suffix}")
    with Image.open(tmp_path / f"soft{suffix}") as image:
        assert (image.size, image.mode) == ((451, 300), "RGB")


@pytest.mark.parametrize("kernel", ["laplacian", "1 2; 3 4", "0", "1 0 -1"])
def test_inspect_draws_any_kernel(photograph: Path, tmp_path: Path, kernel: str) -> None:
    out = tmp_path / "response.svg"
    found = tool.inspect(kernel, output=out, image=str(photograph))
    assert out.stat().st_size > 1000
    assert set(found.properties) == {"sum", "symmetry", "separable", "frequencies", "noise"}
    assert str(found).startswith(str(out))


def test_inspect_draws_a_wide_kernel_in_shades(tmp_path: Path) -> None:
    wide = "; ".join(" ".join(["1/961"] * 31) for _ in range(31))
    assert tool.inspect(wide, output=tmp_path / "wide.png").properties["sum"] == "1: keeps brightness"


@pytest.mark.parametrize("name", ["edges.txt", "edges", "edges.gif"])
def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="name it"):
        tool.apply("camera", output=tmp_path / name)
    with pytest.raises(UserError, match="name it"):
        tool.inspect("box", output=tmp_path / name)


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture")
    with pytest.raises(UserError, match="cannot be read as a picture"):
        tool.apply(str(text), output=tmp_path / "out.png")
    with pytest.raises(UserError, match="cannot write"):
        tool.apply("camera", output=text / "out.png")
    with pytest.raises(UserError, match="cannot write"):
        tool.inspect("box", output=text / "out.png")
    with pytest.raises(UserError, match="no kernel 'blurr'"):
        tool.inspect("blurr", output=tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()
