"""Sheets of what was found: nothing is loaded from elsewhere, names are text, rows fill the width."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from studies.clip.colours import shoot
from workings.core.errors import UserError
from workings.studies.clip.search import sheet
from workings.studies.clip.search.finding import Hit


@pytest.fixture
def found(tmp_path: Path) -> sheet.Sheet:
    names = ("wide.png", "tall.png", "été <b>夏</b>.png", "panorama.png")
    sizes = ((300, 200), (100, 180), (64, 64), (900, 60))
    for name, size in zip(names, sizes, strict=True):
        shoot(tmp_path / "photos" / name, "green", size=size)
    hits = tuple(Hit(i + 1, 0.9 - i / 10, name) for i, name in enumerate(names))
    return sheet.Sheet("<script>alert(1)</script> & dogs", "4 of 9", hits, tmp_path / "photos")


def test_a_page_carries_everything_and_runs_nothing(found: sheet.Sheet, tmp_path: Path) -> None:
    sheet.write(tmp_path / "sheet.html", found)
    text = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<b>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; dogs" in text
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"(src|url)\W{1,3}(https?:|//)", text)
    sources = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)"', text)
    sizes = [Image.open(io.BytesIO(base64.b64decode(source))).size for source in sources]
    assert sizes == [(540, 360), (200, 360), (360, 360), (936, 360)]
    assert text.count('class="similar"') == 4
    assert all(f"{hit.similarity:.3f}" in text for hit in found.hits)


def test_the_picture_asked_with_stands_in_the_head(found: sheet.Sheet, tmp_path: Path) -> None:
    asked = sheet.Sheet("like", "told", found.hits[:2], found.folder, shoot(tmp_path / "asked.png", "red"))
    sheet.write(tmp_path / "sheet.html", asked)
    header, _, rest = (tmp_path / "sheet.html").read_text(encoding="utf-8").partition("</header>")
    assert "the picture asked with" in header
    assert rest.count("<img") == 2
    sheet.write(tmp_path / "sheet.png", asked)
    pixels = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert pixels.shape[1] == sheet.WIDTH
    head = pixels[: sheet.HEAD].reshape(-1, 3).astype(int)
    assert ((head[:, 0] > 150) & (head[:, 1] < 90)).any()


def test_a_picture_that_can_no_longer_be_read_leaves_a_grey_place(found: sheet.Sheet, tmp_path: Path) -> None:
    (found.folder / "tall.png").write_text("no picture any more")
    for name in ("s.html", "s.PNG"):
        sheet.write(tmp_path / name, found)
        assert (tmp_path / name).stat().st_size > 1000


def test_without_pictures_a_sheet_is_its_head(found: sheet.Sheet, tmp_path: Path) -> None:
    empty = sheet.Sheet("nothing", "0 of 0", (), found.folder)
    for name in ("s.html", "s.png"):
        sheet.write(tmp_path / name, empty)
    assert "<li" not in (tmp_path / "s.html").read_text()


@given(st.lists(st.floats(sheet.NARROW, sheet.WIDE), max_size=30))
def test_rows_hold_every_picture_once_and_fill_the_width(aspects: list[float]) -> None:
    rows = sheet._rows(aspects)
    assert [i for _, members in rows for i in members] == list(range(len(aspects)))
    for high, members in rows[:-1]:
        wide = high * sum(aspects[i] for i in members) + sheet.GAP * (len(members) - 1)
        assert wide == pytest.approx(sheet.WIDTH - 2 * sheet.MARGIN)
        assert high <= sheet.ROW
    for high, members in rows:
        assert high * sum(aspects[i] for i in members) <= sheet.WIDTH - 2 * sheet.MARGIN


@pytest.mark.parametrize(
    ("name", "top", "told"),
    [
        ("sheet.pdf", 12, "name it .html, .png or .json"),
        ("sheet", 12, "name it"),
        ("folder.png", 12, "is a folder"),
        ("sheet.html", 401, "top is 401: a sheet holds 400 pictures at most"),
    ],
)
def test_what_cannot_be_a_sheet_is_refused(name: str, top: int, told: str, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UserError, match=told):
        sheet.check_output(tmp_path / name, top)
    sheet.check_output(tmp_path / "results.json", 10_000)


def test_a_name_longer_than_its_place_is_cut() -> None:
    font = sheet._font("DejaVuSans", 19)
    assert sheet._cut("short", font, 200) == "short"
    cut = sheet._cut("a very long name of a file.jpg", font, 100)
    assert cut.endswith("…")
    assert font.getlength(cut) <= 100
    assert sheet._cut("anything", font, 0) == "…"
