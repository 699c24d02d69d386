"""Fetching a published file: resumed, verified, and under its own name only when it is whole.

What has arrived lies in ``.NAME.part`` beside the target, so that a broken download goes on where it stopped, by HTTP's
``Range``; a server that ignores the range sends the whole again. The file is then compared with its published size and
checksum, and renamed. Failures that pass (time-outs, 5xx, a cut connection) are tried again after a growing pause; the
others (404, wrong bytes) go on to the next mirror. A second process that wants the same file waits for the first.
"""

import hashlib
import http.client
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from workings.core.errors import UserError
from workings.core.files import storage
from workings.core.progress import meter

CHUNK = 1 << 16
"""Bytes read at a time: large enough for any line, small enough for a lively bar."""
TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as dead."""
SLOWEST = 512.0
"""Bytes a second, over `TIMEOUT` seconds, under which a connection counts as stalled."""
TRIES = 4
"""Attempts at one mirror, in a row, that bring nothing new; then the next is asked."""
PAUSE = 1.0
"""Seconds before the second attempt; doubled for each further one."""
LONGEST_PAUSE = 60.0
"""Seconds at most, also where a server asks for more (``Retry-After``)."""
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP's statuses that may be gone at the next attempt."""
SPARE = 1 << 24
"""Bytes that a disk should have left over: a full disk breaks more than a download."""


@dataclass(frozen=True)
class Source:
    """A published file: its name, where it is, and how to tell that it is whole."""

    name: str
    urls: tuple[str, ...]
    """The official address first, then the mirrors."""
    size: int
    """Bytes."""
    sha256: str = ""
    md5: str = ""
    """As published; the stronger one is compared where both are known."""

    def moved(self, base: str) -> "Source":
        """The same file at another place: the address of a folder."""
        return Source(self.name, (f"{base.rstrip('/')}/{self.name}",), self.size, self.sha256, self.md5)


class _Answer(Protocol):
    status: int
    headers: Any

    def read1(self, amount: int) -> bytes: ...


class _Passing(Exception):
    """A failure that another attempt may not meet."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


class _Final(Exception):
    """A failure for which this mirror need not be asked again."""


def fetch(source: Source, folder: Path) -> Path:
    """The file in that folder, downloaded where it is not there yet; `UserError` where no mirror has it whole."""
    for url in source.urls:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise UserError(f"{url!r} is no address to download from: it begins with https:// or http://")
    target = folder / source.name
    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with alone(target):
            if not (target.is_file() and _matches(target, source)):
                _download(source, target)
    return target


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Hold the file's lock; say so where another process has it."""
    from filelock import FileLock, Timeout

    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        print(f"another process is downloading {target.name}: waiting for it", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _download(source: Source, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    reasons = []
    for url in source.urls:
        try:
            _from_mirror(source, url, part)
        except _Final as failure:
            reasons.append(f"{urlsplit(url).hostname}: {failure}")
            continue
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
        return
    raise UserError(
        f"{source.name} could not be downloaded ({'; '.join(reasons)}): try again later, or fetch it by hand from "
        f"{source.urls[0]} into {target.parent}"
    )


def _from_mirror(source: Source, url: str, part: Path) -> None:
    """Bring the part to its full size and check it; `_Final` where this mirror does not serve."""
    failed = 0
    while True:
        held = part.stat().st_size if part.exists() else 0
        try:
            if held < source.size:
                _transfer(source, url, part, held)
            if _matches(part, source):
                return
            found = _digest(part, source)
            part.unlink()
            if not held:  # the whole came in one piece from here, so a part from elsewhere is not to blame
                raise _Final(f"the file has checksum {found}, published is {source.sha256 or source.md5}")
        except _Passing as failure:
            gained = (part.stat().st_size if part.exists() else 0) > held
            failed = 1 if gained else failed + 1
            if failed >= TRIES:
                raise _Final(f"{failure}, after {TRIES} attempts") from None
            time.sleep(min(max(failure.pause, PAUSE * 2 ** (failed - 1)), LONGEST_PAUSE))


def _transfer(source: Source, url: str, part: Path, held: int) -> None:
    """One attempt to append what is missing."""
    _check_room(source, part, source.size - held)
    headers = {"User-Agent": f"workings/{version('workings')}", "Accept-Encoding": "identity"}
    if held:
        headers["Range"] = f"bytes={held}-"
    with _answer(urllib.request.Request(url, headers=headers), part) as answer:
        goes_on = answer.status == 206 and str(answer.headers.get("Content-Range", "")).startswith(f"bytes {held}-")
        if answer.status == 206 and not goes_on:
            part.unlink(missing_ok=True)
            raise _Passing("the server sent another range than was asked for")
        at = held if goes_on else 0
        with part.open("ab" if goes_on else "wb") as file, meter(source.name, source.size, at, size=True) as progress:
            for chunk in _chunks(answer):
                at += len(chunk)
                if at > source.size:
                    file.truncate(0)
                    raise _Final(f"the server sends more than the published {source.size:,} bytes")
                file.write(chunk)
                progress.advance(len(chunk))
        if at < source.size:
            raise _Passing(f"the connection was cut off after {at:,} of {source.size:,} bytes")


@contextmanager
def _answer(request: urllib.request.Request, part: Path) -> Iterator[_Answer]:
    """The open answer to a request; what goes wrong, here or while it is read, becomes one of our two failures."""
    opener = urllib.request.build_opener(_Careful)
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # what is held does not fit the server's file
            part.unlink(missing_ok=True)
            raise _Passing("the server has no such range") from None
        reason = f"HTTP {error.code} {str(error.reason).partition(chr(10))[0]}".strip()
        if error.code in PASSING:
            asked = str(error.headers.get("Retry-After") or "")
            raise _Passing(reason, float(asked) if asked.isdecimal() else 0.0) from None
        raise _Final(reason) from None
    except TimeoutError:
        raise _Passing(f"nothing came for {TIMEOUT:g} s") from None
    except urllib.error.URLError as error:
        raise _Passing(str(getattr(error.reason, "strerror", None) or error.reason)) from None
    except (http.client.HTTPException, ConnectionError) as error:
        raise _Passing(f"the connection broke ({type(error).__name__})") from None


def _chunks(answer: _Answer) -> Iterator[bytes]:
    """What arrives, as it arrives; a trickle is a `TimeoutError`."""
    began, came = time.monotonic(), 0
    while chunk := _read(answer):
        yield chunk
        came += len(chunk)
        waited = time.monotonic() - began
        if waited > TIMEOUT:
            if came < SLOWEST * waited:
                raise TimeoutError
            began, came = time.monotonic(), 0


def _read(answer: _Answer) -> bytes:
    try:
        return answer.read1(CHUNK)
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException) as error:
        raise _Passing(f"the connection broke ({type(error).__name__})") from None


class _Careful(urllib.request.HTTPRedirectHandler):
    """Follows redirections to the web only, and never from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        schemes = ("https",) if urlsplit(req.full_url).scheme == "https" else ("http", "https")
        if urlsplit(newurl).scheme not in schemes:
            raise _Final(f"it redirects to {newurl[:80]}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_room(source: Source, part: Path, missing: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < missing + SPARE:
        raise UserError(
            f"{source.name} needs {missing / 1e6:,.1f} MB more and {part.parent} has {free / 1e6:,.1f} MB left: "
            "make room there, or name another place with WORKINGS_DATA"
        )


def _matches(path: Path, source: Source) -> bool:
    return path.stat().st_size == source.size and _digest(path, source) == (source.sha256 or source.md5).lower()


def _digest(path: Path, source: Source) -> str:
    with path.open("rb") as file:
        if source.sha256:
            return hashlib.file_digest(file, "sha256").hexdigest()
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
