"""Unpacking what somebody else packed: zip and tar(.gz), refused as a whole where one member is not harmless.

Python's own filters stop some of it, and differ between versions; these checks are ours. A member is a plain file or a
folder, with a relative name of ordinary characters that stays inside, and no two members have one name. Links, devices,
sparse and encrypted members are refused. The number of members, their total size and the ratio to what was packed are
bounded, and the bytes are counted as they come: what a header says of its size is not believed.
"""

import gzip
import os
import shutil
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from workings.core.errors import UserError
from workings.core.files import storage

CHUNK = 1 << 20
LONGEST_PART, LONGEST_NAME = 255, 1024
"""Bytes: what common file systems take."""
INNOCENT = 1 << 24
"""Bytes up to which any ratio is harmless."""
BLOCK = 512
"""A tar's unit; a whole one ends with blocks of zeros."""
DAMAGE = (EOFError, tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, NotImplementedError)
"""What the libraries raise for a file that is spoilt; the last one `zipfile`, for methods it does not know."""


@dataclass(frozen=True)
class Limits:
    """What an archive may hold."""

    members: int = 1_000_000
    total: int = 32 << 30
    """Bytes, unpacked."""
    ratio: int = 100
    """Unpacked to packed: pictures hardly shrink; text of one letter makes 1,000."""


class _Refused(Exception):
    """Why an archive is not unpacked."""


def unpack(archive: Path, target: Path, limits: Limits = Limits()) -> Path:
    """Unpack into `target`, a new folder; a `UserError` that names the member leaves nothing behind."""
    if target.exists():
        raise UserError(f"{target} is there already: remove it, or unpack elsewhere")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.unpacking")
    with storage(target), refusals(archive):
        try:
            temporary.mkdir(parents=True)
            for name, content in _members(archive, limits):
                place = temporary / name
                (place if content is None else place.parent).mkdir(parents=True, exist_ok=True)
                if content is not None:
                    with place.open("xb") as file:
                        shutil.copyfileobj(content, file, CHUNK)
            temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


@contextmanager
def refusals(archive: Path) -> Iterator[None]:
    """Turn what is wrong with an archive into one line."""
    try:
        yield
    except _Refused as reason:
        raise UserError(f"{archive} is not unpacked: {reason}; get it from its official source") from None
    except DAMAGE as error:
        raise UserError(f"{archive} is cut off or damaged ({error}): fetch it again") from None


def checked_zip(file: zipfile.ZipFile, packed: int, limits: Limits = Limits()) -> list[zipfile.ZipInfo]:
    """The plain files of a zip whose every member is harmless; to be called within `refusals`.

    Their sizes are what the zip's directory says; `zipfile` reads no more than that of a member, and checks its CRC.
    """
    infos = file.infolist()
    names = _Names(limits)
    for info in infos:
        names.add(info.filename, folder=info.is_dir())
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _Refused(f"{printable(info.filename)!r} is a link or a device")
        if info.flag_bits & 1:
            raise _Refused(f"{printable(info.filename)!r} is encrypted")
    _bound(sum(info.file_size for info in infos), packed, limits)
    return [info for info in infos if not info.is_dir()]


def printable(name: str) -> str:
    """A name as it can be shown: odd characters replaced, cut to a line."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)[:120]


def _members(archive: Path, limits: Limits) -> Iterator[tuple[PurePosixPath, IO[bytes] | None]]:
    """Name and content of each member, None for a folder."""
    packed = archive.stat().st_size
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            for info in checked_zip(file, packed, limits):
                with file.open(info) as content:
                    yield PurePosixPath(info.filename), content
        return
    with archive.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
    with gzip.open(archive, "rb") if compressed else archive.open("rb") as stream:
        counted = _Counted(cast(IO[bytes], stream), packed, limits)
        yield from _tar_members(counted, limits)


def _tar_members(counted: "_Counted", limits: Limits) -> Iterator[tuple[PurePosixPath, IO[bytes] | None]]:
    names = _Names(limits)
    with tarfile.open(fileobj=counted, mode="r|", errorlevel=2) as tar:  # type: ignore[call-overload]
        for member in tar:
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) or member.issparse():
                raise _Refused(f"{printable(member.name)!r} is a link, a device or a sparse file")
            name = names.add(member.name, folder=member.isdir())
            yield name, None if member.isdir() else tar.extractfile(member)
    while counted.read(CHUNK):  # to the end, where gzip keeps its checksum
        pass
    if counted.last.strip(b"\0") or len(counted.last) < BLOCK:
        raise EOFError("the end of the archive is missing")


class _Counted:
    """A stream that stops a bomb while it unpacks."""

    def __init__(self, stream: IO[bytes], packed: int, limits: Limits) -> None:
        self.stream, self.packed, self.limits = stream, packed, limits
        self.came, self.last = 0, b""

    def read(self, amount: int) -> bytes:
        data = self.stream.read(amount)
        self.came += len(data)
        self.last = (self.last + data)[-BLOCK:]
        _bound(self.came, self.packed, self.limits)
        return data


def _bound(unpacked: int, packed: int, limits: Limits) -> None:
    if unpacked > limits.total:
        raise _Refused(f"it unpacks to more than {limits.total / 1e9:,.1f} GB")
    if unpacked > INNOCENT and unpacked > limits.ratio * packed:
        raise _Refused(f"its {packed:,} bytes unpack to more than {limits.ratio} times as many")


class _Names:
    """The names met so far: each is harmless and none is there twice, on any file system."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.kinds: dict[str, bool] = {}
        """Whether it is a folder, by name."""

    def add(self, name: str, *, folder: bool) -> PurePosixPath:
        fault = _fault(name)
        if fault:
            raise _Refused(f"the name {printable(name)!r} {fault}")
        path = PurePosixPath(name)
        if not path.parts:  # ``./``, with which many a tar begins
            return path
        key = unicodedata.normalize("NFC", str(path)).casefold()
        if (key in self.kinds and not (folder and self.kinds[key])) or not self._make_parents(key):
            raise _Refused(f"{printable(name)!r} is there twice")
        self.kinds[key] = folder
        if len(self.kinds) > self.limits.members:
            raise _Refused(f"it holds more than {self.limits.members:,} members")
        return path

    def _make_parents(self, key: str) -> bool:
        """Note the folders that a member lies in; False where one of them is a file."""
        parent = key.rpartition("/")[0]
        if not parent or parent in self.kinds:
            return not parent or self.kinds[parent]
        self.kinds[parent] = True
        return self._make_parents(parent)


def _fault(name: str) -> str:
    """What is wrong with a member's name; empty where nothing is."""
    if not name or name.startswith("/") or "\\" in name or ":" in name:
        return "does not lie inside the folder"
    if not name.isprintable():
        return "has odd characters"
    parts = name.split("/")
    if ".." in parts:
        return "climbs out of the folder"
    if len(name.encode()) > LONGEST_NAME or any(len(part.encode()) > LONGEST_PART for part in parts):
        return "is too long"
    return ""
