"""Pictures found, on a sheet to look at: a PNG, or a page that opens anywhere and carries its thumbnails inside.

Rows are justified: within a row all pictures have one height, and fill it. Nothing of a page is loaded from elsewhere,
and nothing in it runs.
"""

import base64
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workings.core.errors import UserError
from workings.core.files import replace_with, storage, write_atomic
from workings.data.archives import printable
from workings.data.decoding import Pixels, decode
from workings.studies.clip.search.finding import Hit
from workings.studies.clip.search.folder import in_colour

if TYPE_CHECKING:
    from PIL import Image, ImageFont

SUFFIXES = (".html", ".png", ".json")
MOST = 400
"""Pictures on a sheet at most: more are too many to look at, and too much for one file."""
TALL = 360
"""Height of thumbnails in pixels: a row's, on a screen with fine pixels."""
NARROW, WIDE = 0.5, 2.6
"""Width over height between which pictures are shown as they are; those beyond are cropped about their centre."""
WIDTH, MARGIN, GAP, LINE, HEAD = 1600, 56, 20, 44, 150
"""Of the PNG, in pixels; `LINE` is the room below a row, `HEAD` that above the first."""
ROW = 300
PAPER, INK, QUIET, EMPTY = "#fbfaf6", "#1c1b19", "#5b5850", "#dfdacd"
"""The report's colours."""


@dataclass(frozen=True)
class Sheet:
    """What stands on a sheet."""

    title: str
    """What was asked."""
    told: str
    """Of what, by whom."""
    hits: Sequence[Hit]
    folder: Path
    asked: Path | None = None
    """The picture that was asked with."""


def check_output(path: Path, top: int) -> None:
    """`UserError` where no sheet can be written there, before anything is computed."""
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"{path} is no file that can be written here: name it {', '.join(SUFFIXES[:-1])} or .json")
    if path.expanduser().is_dir():
        raise UserError(f"{path} is a folder: name a file")
    if path.suffix.lower() != ".json" and top > MOST:
        raise UserError(f"top is {top:,}: a sheet holds {MOST} pictures at most, a .json any number")


def write(path: Path, sheet: Sheet) -> None:
    """Write the sheet as the file's suffix says."""
    target = path.expanduser()
    files = [*([sheet.asked] if sheet.asked else []), *(sheet.folder / hit.file for hit in sheet.hits)]
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(thumbnail, files))
    if path.suffix.lower() == ".html":
        write_atomic(target, page(sheet, files, pictures).encode())
    else:
        image = picture(sheet, pictures)
        with storage(target):
            replace_with(target, lambda place: image.save(place, format="PNG"))


def thumbnail(path: Path) -> Pixels:
    """A picture, `TALL` pixels high and in colour; a grey plane where it can no longer be read."""
    from PIL import Image, ImageOps

    pixels = decode(path.read_bytes).pixels
    if pixels is None:
        return np.full((TALL, TALL * 3 // 2, 3), 200, dtype=np.uint8)
    image = Image.fromarray(in_colour(pixels))
    aspect = min(max(image.width / image.height, NARROW), WIDE)
    return np.asarray(ImageOps.fit(image, (round(TALL * aspect), TALL), Image.Resampling.LANCZOS))


def page(sheet: Sheet, files: Sequence[Path], pictures: Sequence[Pixels]) -> str:
    """One self-contained HTML page, for light and dark, wide and narrow."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(Path(__file__).with_name("sheet.html").read_text(encoding="utf-8"))
    hits: Sequence[Hit | None] = [*([None] if sheet.asked else []), *sheet.hits]
    shown = [
        {
            "hit": hit,
            "name": printable(file.name),
            "place": printable(hit.file if hit else str(file)),
            "link": file.absolute().as_uri(),
            "data": f"data:image/jpeg;base64,{_jpeg(pixels)}",
            "aspect": round(pixels.shape[1] / pixels.shape[0], 4),
        }
        for hit, file, pixels in zip(hits, files, pictures, strict=True)
    ]
    asked = shown.pop(0) if sheet.asked else None
    return template.render(title=printable(sheet.title), told=printable(sheet.told), shown=shown, asked=asked)


def _jpeg(pixels: Pixels) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG", quality=82)
    return base64.b64encode(file.getvalue()).decode()


def picture(sheet: Sheet, pictures: Sequence[Pixels]) -> "Image.Image":
    """The sheet as one picture; the picture that was asked with stands in the head."""
    from PIL import Image, ImageDraw

    shown = list(pictures[1:] if sheet.asked else pictures)
    rows = _rows([p.shape[1] / p.shape[0] for p in shown])
    height = HEAD + sum(round(high) + LINE + GAP for high, _ in rows) + MARGIN - GAP
    image = Image.new("RGB", (WIDTH, height), PAPER)
    draw, title, small = ImageDraw.Draw(image), _font("DejaVuSerif", 38), _font("DejaVuSans", 19)
    left = MARGIN
    if sheet.asked:
        asked = _scaled(pictures[0], round(84 * pictures[0].shape[1] / pictures[0].shape[0]), 84)
        image.paste(asked, (MARGIN, MARGIN - 16))
        left += asked.width + GAP
    draw.text((left, MARGIN - 16), _cut(printable(sheet.title), title, WIDTH - MARGIN - left), INK, title)
    draw.text((left, MARGIN + 40), _cut(printable(sheet.told), small, WIDTH - MARGIN - left), QUIET, small)
    top = HEAD
    for high, members in rows:
        x = float(MARGIN)
        for i in members:
            wide = high * shown[i].shape[1] / shown[i].shape[0]
            image.paste(_scaled(shown[i], round(x + wide) - round(x), round(high)), (round(x), top))
            number = f"{sheet.hits[i].similarity:.3f}"
            room = wide - small.getlength(number) - GAP / 2
            below = top + round(high) + 8
            draw.text((x, below), _cut(printable(Path(sheet.hits[i].file).name), small, room), INK, small)
            draw.text((x + wide, below), number, QUIET, small, anchor="ra")
            x += wide + GAP
        top += round(high) + LINE + GAP
    return image


def _rows(aspects: Sequence[float]) -> list[tuple[float, list[int]]]:
    """Rows that fill the width, each with its height and its pictures; a last one that does not is as high as usual."""
    rows: list[tuple[float, list[int]]] = []
    row: list[int] = []
    for i in range(len(aspects)):
        row.append(i)
        high = (WIDTH - 2 * MARGIN - GAP * (len(row) - 1)) / sum(aspects[j] for j in row)
        if high <= ROW:
            rows.append((high, row))
            row = []
    usual = sum(high for high, _ in rows) / len(rows) if rows else float(ROW)
    return [*rows, *([(usual, row)] if row else [])]


def _scaled(pixels: Pixels, width: int, height: int) -> "Image.Image":
    from PIL import Image

    return Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)


def _font(name: str, size: int) -> "ImageFont.FreeTypeFont":
    """One of the fonts that come with matplotlib, so that every machine has it."""
    from PIL import ImageFont

    found: Any = find_spec("matplotlib")
    return ImageFont.truetype(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf", size)


def _cut(text: str, font: "ImageFont.FreeTypeFont", room: float) -> str:
    """The text, or as much of its beginning as there is room for."""
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}…") > room:
        text = text[:-1]
    return f"{text}…"
