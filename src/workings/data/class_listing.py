"""Which files of a folder, or of a zip, belong to which split and class; reads names only.

``train/CLASS/picture`` with ``valid`` and ``test`` beside it (``val``, ``seg_train`` and the like are understood), or
``CLASS/picture``, or pictures alone, which are then one class.
"""

import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from workings.core.errors import UserError
from workings.data.archives import checked_zip, printable, refusals
from workings.data.places import files_below

SPLITS = {
    "train": ("train", "training", "seg_train"),
    "valid": ("valid", "val", "validation", "dev"),
    "test": ("test", "testing", "seg_test"),
}
ALIASES = {alias: split for split, names in SPLITS.items() for alias in names}
JUNK = frozenset({"__macosx", "thumbs.db", "desktop.ini", "seg_pred"})
"""What systems leave behind, and the Intel set's pictures without labels."""
ONE_CLASS = "pictures"


class File(NamedTuple):
    """A file of the set: its path inside, and how to read it."""

    parts: tuple[str, ...]
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """As it can be shown."""
        return printable("/".join(self.parts))


class Placed(NamedTuple):
    """A file that has a class; its bytes decide about the split where its place does not."""

    split: str | None
    label: str
    file: File


def place(path: Path, stack: ExitStack) -> tuple[list[Placed], list[str]]:
    """Every file with its split and class, in the order of their names, and the files that have no place.

    A zip stays open for reading until the stack is left.
    """
    files = _in_zip(path, stack) if path.is_file() else _in_folder(path)
    files = _without_top(sorted(f for f in files if not _is_junk(f.parts)))
    if not files:
        raise UserError(
            f"{path} holds no pictures: a set is train/CLASS/picture and test/CLASS/picture, or CLASS/picture"
        )
    by_split: dict[str | None, list[tuple[File, tuple[str, ...]]]] = {}
    split_named = any(_split(f.parts) for f in files)
    strays = []
    for file in files:
        split = _split(file.parts)
        if split_named and not split:
            strays.append(f"{file.name} lies outside train/, valid/ and test/")
            continue
        inside = file.parts[1:] if split else file.parts
        doubled = split and len(inside) > 2 and inside[0].casefold() == file.parts[0].casefold()  # seg_train/seg_train
        by_split.setdefault(split, []).append((file, inside[1:] if doubled else inside))
    flat = all(len(inside) == 1 for group in by_split.values() for _, inside in group)
    placed = []
    for split, group in by_split.items():
        for file, inside in group:
            if flat or len(inside) > 1:
                placed.append(Placed(split, ONE_CLASS if flat else inside[0], file))
            else:
                strays.append(f"{file.name} lies in no class's folder")
    _check_classes(path, placed)
    return placed, strays


def _split(parts: Sequence[str]) -> str | None:
    return ALIASES.get(parts[0].casefold()) if len(parts) > 1 else None


def _is_junk(parts: Sequence[str]) -> bool:
    return any(part.startswith(".") or part.casefold() in JUNK for part in parts)


def _without_top(files: list[File]) -> list[File]:
    """Leave out a folder that holds all others, as archives often have one."""
    while files and len({f.parts[0] for f in files}) == 1 and all(len(f.parts) > 2 for f in files):
        if _split(files[0].parts):
            break
        files = [File(f.parts[1:], f.read) for f in files]
    return files


def _check_classes(path: Path, placed: Iterable[Placed]) -> None:
    """No two classes that a person could not tell apart, and none that is met in the test alone."""
    spelt: dict[str, str] = {}
    for _, label, _ in placed:
        key = unicodedata.normalize("NFC", label).casefold().strip()
        if spelt.setdefault(key, label) != label:
            raise UserError(f"{path} has two classes of one name, {spelt[key]!r} and {label!r}: merge or rename them")
    trained = {p.label for p in placed if p.split in ("train", None)}
    unknown = sorted({p.label for p in placed} - trained)
    if unknown:
        raise UserError(
            f"{path} has pictures of {printable(unknown[0])!r} for test, and none to train on: add some, or remove it"
        )


def _in_folder(path: Path) -> list[File]:
    files = []
    for folder, names in files_below(path):
        parts = Path(folder).relative_to(path).parts
        files += [File((*parts, name), Path(folder, name).read_bytes) for name in names]
    return files


def _in_zip(path: Path, stack: ExitStack) -> list[File]:
    with refusals(path):
        archive = stack.enter_context(zipfile.ZipFile(path))
        infos = checked_zip(archive, path.stat().st_size)
    return [File(tuple(info.filename.split("/")), partial(archive.read, info)) for info in infos]
