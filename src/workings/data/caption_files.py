"""Files of captions: which picture has which sentences, in the forms that people have them in.

CSV or TSV with a header, JSON, JSON Lines and Parquet, with a column for the picture's file name and one for a caption
(or a list of them); a JSON object from names to captions; COCO's captions (``images`` and ``annotations``); Flickr8k's
``Flickr8k.token.txt`` (``name.jpg#0``, a tab, a caption). What is wrong with the file as a whole is a `UserError`; what
is wrong with one caption is a fault, named with its place. Text is brought to Unicode's form NFC, runs of white space
to one blank, so that a set is the same whichever form and system it comes from.
"""

import csv
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workings.core.errors import UserError
from workings.data.archives import printable

NAMES = ("image", "image_name", "file", "filename", "file_name", "path")
CAPTIONS = ("caption", "text", "comment", "sentence", "captions", "texts", "comments", "sentences")
"""Columns that are understood, the first of those that are there."""
HOW = "write a captions.csv: a first line `image,caption`, then a line for each caption, as in `dog.jpg,A dog runs .`"
SUFFIXES = (".csv", ".tsv", ".txt", ".token", ".json", ".jsonl", ".ndjson", ".parquet")
SEPARATORS = (",", "\t", ";", "|")
TOKEN = re.compile(r"(?P<name>[^\t]+?)\s*#\d+\t(?P<caption>.*)")
"""A line of ``Flickr8k.token.txt``."""
DRIVE = re.compile(r"[A-Za-z]:/")
LARGEST = 1 << 30
"""Bytes at most: thirty times the captions of COCO."""


class Listing(NamedTuple):
    """What a file of captions says."""

    captions: dict[str, list[str]]
    """Of each picture, in the order in which the file first names them."""
    faults: list[str]
    """Captions that cannot be used, each with its place and the reason."""


class Entry(NamedTuple):
    """A picture's name with a caption or several, as found, and where."""

    place: str
    name: Any
    captions: Any
    fault: str = ""
    """What is wrong with it already."""


def read(path: Path) -> Listing:
    """The captions in a file; `UserError` where it is none that can be understood."""
    suffix = path.suffix.casefold()
    if suffix == ".parquet":
        entries = _parquet(path)
    elif suffix == ".json":
        entries = _json(path, _text(path))
    elif suffix in (".jsonl", ".ndjson"):
        entries = _json_lines(path, _text(path))
    else:
        entries = _table(path, _text(path))
    listing = _collect(entries)
    if not listing.captions and not listing.faults:
        raise UserError(f"{path} holds no captions: {HOW}")
    return listing


def find(folder: Path) -> Path:
    """The file of captions in a folder: the one called captions, else the only one; `UserError` where there is none."""
    found = sorted(p for p in folder.iterdir() if p.is_file() and _may_hold_captions(p))
    if len(named := [p for p in found if p.stem.casefold() == "captions"]) == 1:
        found = named
    if not found:
        raise UserError(f"{folder} holds no captions: {HOW}, or name the file with --captions")
    if len(found) > 1:
        raise UserError(
            f"{folder} holds several files that may be captions ({', '.join(printable(p.name) for p in found[:4])}"
            f"{', …' if len(found) > 4 else ''}): name the one you mean with --captions"
        )
    return found[0]


def _may_hold_captions(path: Path) -> bool:
    name = path.name.casefold()
    if name.startswith(".") or path.suffix.casefold() not in SUFFIXES:
        return False
    return not name.endswith(".txt") or name.startswith("captions") or name.endswith(".token.txt")


def content_hash(captions: Mapping[str, Sequence[str]]) -> str:
    """Hash of names and captions: independent of their order, and of the form of the file that holds them."""
    digest = hashlib.sha256()
    for name in sorted(captions):
        digest.update(json.dumps([name, *sorted(captions[name])], ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def clean(text: str) -> str:
    """Unicode's form NFC, runs of white space as one blank; half a character (a lone surrogate) becomes ``?``."""
    return " ".join(_normal(text).split())


def clean_name(name: str) -> str:
    """A picture's name with `/` between folders, without what says nothing (``./``)."""
    parts = _normal(name).strip().replace("\\", "/").split("/")
    return "/".join(part for at, part in enumerate(parts) if part not in (".", "") or (at == 0 and not part))


def _normal(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())


def _collect(entries: Iterable[Entry]) -> Listing:
    captions: dict[str, list[str]] = {}
    faults: list[str] = []
    for place, found, said, wrong in entries:
        name = clean_name(found) if isinstance(found, str) else ""
        sentences = said if isinstance(said, list) else [said]
        if fault := wrong or _fault(name):
            faults.append(f"{place} {fault}")
        elif not sentences or not all(isinstance(sentence, str) and clean(sentence) for sentence in sentences):
            faults.append(f"{place} has {'an empty' if sentences else 'no'} caption for {printable(name)!r}")
        else:
            captions.setdefault(name, []).extend(map(clean, sentences))
    return Listing(captions, faults)


def _fault(name: str) -> str:
    """What is wrong with a picture's name; empty where nothing is."""
    if not name:
        return "names no picture"
    if ".." in name.split("/") or name.startswith("/") or DRIVE.match(name):
        return f"names {printable(name)!r}, which lies outside the folder"
    return ""


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise UserError(f"{path} is no file of captions: {HOW}")
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} is larger than {LARGEST / 1e9:.1f} GB: give a part of it")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text (byte {error.start:,}): save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    if not text.strip():
        raise UserError(f"{path} is empty: {HOW}")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _column(found: Iterable[str], wanted: Sequence[str]) -> str | None:
    """The column that is meant, as it is spelt there."""
    spelt = {str(name).strip().casefold(): name for name in found}
    return next((spelt[name] for name in wanted if name in spelt), None)


def _columns(path: Path, found: Sequence[str]) -> tuple[str, str]:
    """The columns of names and captions; a `UserError` says which were found."""
    name, caption = _column(found, NAMES), _column(found, CAPTIONS)
    if name is None or caption is None:
        shown = ", ".join(repr(printable(str(c)[:40])) for c in found[:6]) or "none"
        raise UserError(
            f"{path} has the columns {shown}; expected one of {', '.join(NAMES)} for the picture, and one of "
            f"{', '.join(CAPTIONS[:4])}: rename them, or {HOW}"
        )
    return name, caption


def _table(path: Path, text: str) -> Iterator[Entry]:
    lines = text.split("\n")
    at = next(number for number, line in enumerate(lines) if line.strip())
    if TOKEN.fullmatch(lines[at]):
        yield from _tokens(lines)
        return
    headers = {separator: [_unquoted(cell) for cell in lines[at].split(separator)] for separator in SEPARATORS}
    understood = [s for s, header in headers.items() if _column(header, NAMES) and _column(header, CAPTIONS)]
    separator = understood[0] if understood else max(SEPARATORS, key=lambda s: len(headers[s]))
    header = headers[separator]
    name, caption = (header.index(column) for column in _columns(path, header))
    for number, cells in _rows(path, lines[at + 1 :], separator, at + 2):
        if len(cells) == len(header):
            yield Entry(f"line {number:,}", cells[name], cells[caption])
        else:
            quotes = " (a caption that holds the separator is put in quotes)" if len(cells) > len(header) else ""
            fault = f"has {len(cells)} cells, the header {len(header)}{quotes}"
            yield Entry(f"line {number:,}", None, None, fault)


def _tokens(lines: Iterable[str]) -> Iterator[Entry]:
    for number, line in enumerate(lines, start=1):
        if match := TOKEN.fullmatch(line):
            yield Entry(f"line {number:,}", match["name"], match["caption"])
        elif line.strip():
            yield Entry(f"line {number:,}", None, None, f"is no name#0, tab and caption: {printable(line)[:40]!r}")


def _rows(path: Path, lines: Iterable[str], separator: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each row that is not empty. Quotes may span lines in CSV; elsewhere they hold one cell."""
    if separator in ("\t", "|"):
        for number, line in enumerate(lines, start=first):
            if line.strip():
                yield number, [_unquoted(cell) for cell in line.split(separator)]
        return
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=separator, strict=True, skipinitialspace=True)
    done = 0
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield first + done, cells
            done = rows.line_num
    except csv.Error as error:
        raise UserError(
            f"{path}, line {first + done:,}: {error}; double quotes inside quotes, and close them"
        ) from None


def _unquoted(cell: str) -> str:
    cell = cell.strip()
    inner = cell[1:-1]
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if quoted else cell


def _parsed(path: Path, text: str, place: str = "") -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise UserError(f"{path}{place} names {printable(twice)!r} twice: give its captions as one list")
        return made

    try:
        return json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}{place} is no JSON ({str(error)[:80]}): repair it, or {HOW}") from None


def _json_lines(path: Path, text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _object(path, f"line {number:,}", _parsed(path, line, f", line {number:,},"))


def _json(path: Path, text: str) -> Iterator[Entry]:
    data = _parsed(path, text)
    if isinstance(data, list):
        yield from (_object(path, f"entry {at:,}", found) for at, found in enumerate(data, start=1))
    elif isinstance(data, dict) and isinstance(data.get("images"), list) and isinstance(data.get("annotations"), list):
        yield from _coco(path, data["images"], data["annotations"])
    elif isinstance(data, dict) and all(isinstance(said, str | list) for said in data.values()):
        yield from (Entry(f"entry {at:,}", *said) for at, said in enumerate(data.items(), start=1))
    else:
        raise UserError(
            f'{path} is JSON of another form: expected a list of {{"image": …, "caption": …}}, an object of names with '
            "lists of captions, or COCO's images and annotations"
        )


def _object(path: Path, place: str, found: Any) -> Entry:
    if not isinstance(found, dict):
        raise UserError(f'{path}, {place}: expected {{"image": …, "caption": …}}, found {str(found)[:60]!r}')
    name, caption = _columns(path, list(found))
    return Entry(place, found[name], found[caption])


def _coco(path: Path, images: list[Any], annotations: list[Any]) -> Iterator[Entry]:
    by_id: dict[str, str] = {}
    met: set[str] = set()
    for image in images:
        if not isinstance(image, dict) or "id" not in image or not isinstance(image.get("file_name"), str):
            raise UserError(f"{path}: each of COCO's images has an id and a file_name, found {str(image)[:60]!r}")
        if str(image["id"]) in by_id or image["file_name"] in met:
            raise UserError(f"{path} has the image {printable(image['file_name'])!r} (id {image['id']}) twice")
        by_id[str(image["id"])] = image["file_name"]
        met.add(image["file_name"])
    lacking = dict.fromkeys(by_id)
    for at, found in enumerate(annotations, start=1):
        known = by_id.get(str(found.get("image_id"))) if isinstance(found, dict) else None
        if known is None:
            raise UserError(f"{path}: annotation {at:,} belongs to none of its images: {str(found)[:60]!r}")
        lacking.pop(str(found["image_id"]), None)
        yield Entry(f"annotation {at:,}", known, found.get("caption"))
    yield from (Entry(f"image {name}", by_id[name], []) for name in lacking)


def _parquet(path: Path) -> Iterator[Entry]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            chosen = _columns(path, file.schema_arrow.names)
            kinds = [file.schema_arrow.field(name).type for name in chosen]
            if any(str(getattr(kind, "value_type", kind)) not in ("string", "large_string") for kind in kinds):
                raise UserError(f"{path}: the columns {', '.join(chosen)} hold {', '.join(map(str, kinds))}, not text")
            table = file.read(columns=list(chosen))
            columns = [table[name].to_pylist() for name in chosen]
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as Parquet ({str(error).partition(chr(10))[0][:80]})") from None
    for at, (name, said) in enumerate(zip(*columns, strict=True), start=1):
        yield Entry(f"row {at:,}", name, said)
