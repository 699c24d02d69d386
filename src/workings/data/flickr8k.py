"""Flickr8k: 8,091 photographs from Flickr with five captions each (Hodosh, Young, Hockenmaier 2013).

Source: the University of Illinois gave out ``Flickr8k_Dataset.zip`` and ``Flickr8k_text.zip`` to those who filled in a
form; the form is gone, and its two files are a release of https://github.com/jbrownlee/Datasets. The sizes are as that
server says, the MD5 as two independent libraries pin them. ``Flickr8k.token.txt`` names one photograph more than there
are (``….jpg.1``). As Kaggle has it, the set is ``Images/`` and ``captions.txt``, with the same captions. The whole is
known by these and by every photograph being there; what there is of it otherwise is a set of its own, `flickr8k-part`.
"""

import os
import re
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path

from workings.core.errors import UserError
from workings.core.files import storage
from workings.core.study import Dataset
from workings.data import caption_files
from workings.data.archives import Limits, unpack
from workings.data.caption_files import Listing
from workings.data.captioned import Captioned, Captions, read
from workings.data.class_folders import Broken
from workings.data.download import Source, alone, fetch
from workings.data.places import folders, place

ID, PART_ID, CAPTIONS_ID = "flickr8k", "flickr8k-part", "flickr8k-captions"
TITLE = "Flickr8k"
PHOTOGRAPHS, SENTENCES = 8_091, 40_455
CAPTIONS = Dataset(CAPTIONS_ID, f"{TITLE} ({SENTENCES:,} captions)", "1d0a972d6279e19d")
FOLDER, TEXT = "flickr8k", "Flickr8k_text"
UNPACKED = "Flicker8k_Dataset"
"""The official spelling."""
PICTURES = (UNPACKED, "Images", "Flickr8k_Dataset")
TOKENS = "Flickr8k.token.txt"
CAPTION_FILES = ("captions-all.txt", "captions.txt", TOKENS, f"{TEXT}/{TOKENS}")
LISTS = {
    "train": "Flickr_8k.trainImages.txt",
    "valid": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}
ABSENT = "2258277193_586949ec62.jpg.1"
"""In the official captions, and in no release of the photographs."""
NAME = re.compile(r"\d+_[0-9a-f]{10}\.jpg")
RELEASE = "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k"
PHOTOGRAPHS_ZIP = Source(
    "Flickr8k_Dataset.zip",
    (f"{RELEASE}/Flickr8k_Dataset.zip",),
    size=1_115_419_746,
    md5="f18a1e2920de5bd84dae7cf08ec78978",
)
TEXT_ZIP = Source(
    "Flickr8k_text.zip", (f"{RELEASE}/Flickr8k_text.zip",), size=2_340_801, md5="bf6c1abcb8e4a833b7f922104de18627"
)
LIMITS = Limits(members=20_000, total=4 << 30)
"""The photographs come with as many files that a Mac has left behind."""


def where() -> Path | None:
    """The folder with all photographs; None where they are not at hand."""
    pictures, names = _photographs()
    return pictures if len(names) >= PHOTOGRAPHS else None


def where_part() -> Path | None:
    """The folder with some photographs, all of them perhaps; None where there are none."""
    return _photographs()[0]


def where_captions() -> Path | None:
    """The file with all captions; None where it is not at hand."""
    return next(iter(_complete()), None)


def _complete() -> list[Path]:
    """Files that are long enough to hold all captions."""
    return [path for path in _caption_files() if path.read_bytes().count(b"\n") >= SENTENCES - 1]


def get(base: str | None = None) -> Path:
    """Download photographs, captions and split lists, or the same from another address; the folder of photographs."""
    get_captions(base)
    target = place() / FOLDER / UNPACKED
    with storage(target), alone(target):
        names = _names(target) if target.is_dir() else set()
        if not {*_listing().captions} <= names:
            _unpacked(PHOTOGRAPHS_ZIP, target, UNPACKED, base)
    return target


def get_captions(base: str | None = None) -> Path:
    """Download captions and split lists, or the same from another address; the folder they are in."""
    target = place() / FOLDER / TEXT
    with storage(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with alone(target):
            if not all((target / name).is_file() for name in (TOKENS, *LISTS.values())) or _altered(target / TOKENS):
                _unpacked(TEXT_ZIP, target, "", base)
    return target


def _altered(path: Path) -> bool:
    return caption_files.content_hash(_read(path).captions) != CAPTIONS.content


def _unpacked(source: Source, target: Path, inside: str, base: str | None) -> None:
    """The archive, or a folder inside, as `target`; what is damaged there is replaced."""
    archive = fetch(source.moved(base) if base else source, target.parent)
    temporary = target.with_name(f".{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        unpack(archive, temporary, LIMITS)
        if not (temporary / inside).is_dir():
            raise UserError(f"{archive} holds no folder {inside}: it is not the official archive")
        shutil.rmtree(target, ignore_errors=True)
        (temporary / inside).replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    archive.unlink()


def load_captions() -> Captions:
    """All captions, without the photographs; `UserError` where they are missing or are others."""
    contents = {}
    for path in _complete():
        captions = _read(path).captions
        contents[path] = caption_files.content_hash(captions)
        if contents[path] == CAPTIONS.content:
            return Captions(CAPTIONS, tuple(captions), tuple(map(tuple, captions.values())))
    get = f"run `workings data get {CAPTIONS_ID}` (2 MB)"
    for path, content in contents.items():
        raise UserError(
            f"the captions in {path} are not Flickr8k's (content {content}, expected {CAPTIONS.content}): {get}, or "
            f"use them as your own with --data {path}"
        )
    raise UserError(
        f"Flickr8k's captions are not at hand: {get}, or put captions.txt or {TOKENS} into {folders()[0] / FOLDER}"
    )


def load(size: int) -> Captioned:
    """All photographs with their captions; `UserError` where there are fewer."""
    pictures, names = _photographs()
    listing = _listing()
    there = len(names & {*listing.captions})
    if there < PHOTOGRAPHS or pictures is None:
        raise UserError(
            f"Flickr8k is not whole here ({there:,} of {PHOTOGRAPHS:,} photographs): run `workings data get {ID}` "
            f"(1.1 GB)" + (f", or take what there is with --data {PART_ID}" if there else "")
        )
    return recognised(read(pictures, size, listing, Dataset(ID, TITLE, ""), splits=_splits({*listing.captions})))


def load_part(size: int, broken: Broken = "refuse") -> Captioned:
    """The photographs that are there, with their captions; the whole, where all are there."""
    pictures, names = _photographs()
    listing = _listing()
    there = {name: said for name, said in listing.captions.items() if name in names}
    if pictures is None or not there:
        raise UserError(
            f"no photograph of Flickr8k is at hand: run `workings data get {ID}` (1.1 GB), or put some into "
            f"{folders()[0] / FOLDER / 'Images'}, and captions.txt beside it"
        )
    other = next((name for name in there if not NAME.fullmatch(name)), None)
    if other:
        raise UserError(
            f"{other} in {pictures} is no photograph of Flickr8k: use the folder as your own with "
            f"--data {pictures.parent}"
        )
    found = read(pictures, size, Listing(there, listing.faults), Dataset(PART_ID, "", ""), broken, _splits({*there}))
    title = f"{TITLE} ({len(found.names):,} of {PHOTOGRAPHS:,} photographs)"
    return recognised(replace(found, dataset=replace(found.dataset, title=title)))


def recognised(found: Captioned) -> Captioned:
    """The same pictures; where they are all of Flickr8k, under its name."""
    captions = dict(zip(found.names, found.captions, strict=True))
    if len(captions) != PHOTOGRAPHS or caption_files.content_hash(captions) != CAPTIONS.content:
        return found
    return replace(found, dataset=Dataset(ID, TITLE, found.dataset.content))


def _photographs() -> tuple[Path | None, set[str]]:
    """The folder that holds most photographs, and the names of its files."""
    places = [folder / FOLDER / name for folder, name in product(folders(), PICTURES)]
    found = [(path, _names(path)) for path in places if path.is_dir()]
    return max(found, key=lambda pair: len(pair[1]), default=(None, set()))


def _names(folder: Path) -> set[str]:
    return {*os.listdir(folder)}  # noqa: PTH208 (8,000 Paths take long)


def _caption_files() -> list[Path]:
    paths = (folder / FOLDER / name for folder, name in product(folders(), CAPTION_FILES))
    return [path for path in paths if path.is_file()]


def _listing() -> Listing:
    """All captions, or those that are there."""
    if where_captions():
        captions = load_captions()
        return Listing({n: [*c] for n, c in zip(captions.names, captions.captions, strict=True)}, [])
    return _read(files[0]) if (files := _caption_files()) else Listing({}, [])


def _read(path: Path) -> Listing:
    listing = caption_files.read(path)
    listing.captions.pop(ABSENT, None)
    return listing


def _splits(names: set[str]) -> dict[str, list[str]]:
    """The official split, of the photographs that are there; none where the lists are not, or a part of it is empty."""
    for folder, inside in product(folders(), ("", TEXT)):
        paths = {split: folder / FOLDER / inside / name for split, name in LISTS.items()}
        if all(path.is_file() for path in paths.values()):
            break
    else:
        return {}
    splits = {split: [*dict.fromkeys(path.read_text(encoding="utf-8").split())] for split, path in paths.items()}
    listed = [name for split in splits.values() for name in split]
    if len({*listed}) < len(listed):
        twice = next(name for name in listed if listed.count(name) > 1)
        raise UserError(f"{twice} is in two of Flickr8k's split lists beside {paths['train']}: fetch them again")
    kept = {split: [name for name in chosen if name in names] for split, chosen in splits.items()}
    return kept if all(kept.values()) else {}
