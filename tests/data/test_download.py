"""Downloads over a bad network, played by a server in a thread: what arrives is whole and verified, or not there."""

import gzip
import hashlib
import shutil
import struct
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workings.core.errors import UserError
from workings.data import catalogue, download, fashion_mnist
from workings.data.download import Source, fetch

CONTENT = np.random.default_rng(0).bytes(300_000)
HALF = len(CONTENT) // 2
Manner = Callable[["Bad", int, bytes], None]


class Bad(BaseHTTPRequestHandler):
    """Answers each request of the test's list in its manner; the last manner goes on."""

    def do_GET(self) -> None:
        server: Any = self.server
        server.seen.append(self.headers.get("Range"))
        manner = server.manners.pop(0) if len(server.manners) > 1 else server.manners[0]
        asked = self.headers.get("Range")
        content = server.files.get(self.path.rpartition("/")[2], CONTENT)
        manner(self, int(asked[6:-1]) if asked else 0, content)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def head(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


def well(answer: Bad, at: int, content: bytes) -> None:
    if at:
        answer.head(206, len(content) - at, Content_Range=f"bytes {at}-{len(content) - 1}/{len(content)}")
    else:
        answer.head(200, len(content))
    answer.wfile.write(content[at:])


def cut_off(answer: Bad, at: int, content: bytes) -> None:
    answer.head(206 if at else 200, len(content) - at, Content_Range=f"bytes {at}-{len(content) - 1}/{len(content)}")
    answer.wfile.write(content[at : at + HALF])


def whole(answer: Bad, at: int, content: bytes) -> None:
    """Ignores the range."""
    well(answer, 0, content)


def wrong(answer: Bad, at: int, content: bytes) -> None:
    well(answer, at, bytes(len(content)))


def too_long(answer: Bad, at: int, content: bytes) -> None:
    well(answer, 0, content + b"more")


def stalls(answer: Bad, at: int, content: bytes) -> None:
    answer.head(200, len(content))
    answer.wfile.write(content[:10])
    answer.wfile.flush()
    time.sleep(1.0)


def trickles(answer: Bad, at: int, content: bytes) -> None:
    answer.head(200, len(content))
    try:
        for byte in content[:30]:
            answer.wfile.write(bytes([byte]))
            answer.wfile.flush()
            time.sleep(0.05)
    except ConnectionError:
        pass


def other_range(answer: Bad, at: int, content: bytes) -> None:
    answer.head(206, len(content), Content_Range=f"bytes 0-{len(content) - 1}/{len(content)}")
    answer.wfile.write(content)


def status(code: int, **headers: str) -> Manner:
    return lambda answer, at, content: answer.head(code, 0, **headers)


class Network:
    """A server on this machine, and what it was asked."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.base = f"http://127.0.0.1:{server.server_address[1]}"

    def source(self, *manners: Manner, **facts: Any) -> Source:
        self.server.manners[:] = manners
        digest = hashlib.sha256(CONTENT).hexdigest()
        return Source("set.bin", (f"{self.base}/set.bin",), **{"size": len(CONTENT), "sha256": digest, **facts})


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    monkeypatch.setattr(download, "PAUSE", 0.0)
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Bad)
    server.manners, server.seen, server.files, server.daemon_threads = [well], [], {}, True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Network(server)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("manners", "ranges"),
    [
        ([well], [None]),
        ([cut_off, well], [None, f"bytes={HALF}-"]),
        ([cut_off, whole], [None, f"bytes={HALF}-"]),
        ([status(500), status(503), well], [None, None, None]),
        ([status(429, Retry_After="0"), well], [None, None]),
        ([stalls, well], [None, "bytes=10-"]),
        ([cut_off, status(416), well], [None, f"bytes={HALF}-", None]),
        ([cut_off, other_range, well], [None, f"bytes={HALF}-", None]),
        ([cut_off, wrong, well], [None, f"bytes={HALF}-", None]),
        ([status(302, Location="/other/set.bin"), well], [None, None]),
    ],
    ids=[
        "at once", "cut off", "ignores the range", "busy", "asks for patience", "stalls", "no such range",
        "another range", "a rest of another file", "moved",
    ],
)  # fmt: skip
def test_it_arrives_whole_in_the_end(
    network: Network, manners: list[Manner], ranges: list[str | None], tmp_path: Path
) -> None:
    path = fetch(network.source(*manners), tmp_path / "new" / "folder")
    assert path.read_bytes() == CONTENT
    assert network.server.seen == ranges
    assert not [p for p in path.parent.iterdir() if p.name.endswith(".part")]


@pytest.mark.parametrize(
    ("manner", "told"),
    [
        (status(404), "HTTP 404"),
        (status(403), "HTTP 403"),
        (status(500), "HTTP 500 .* after 4 attempts"),
        (wrong, "has checksum [0-9a-f]{64}, published is"),
        (too_long, "sends more than the published 300,000 bytes"),
        (lambda answer, at, content: well(answer, 0, b""), "cut off after 0 of 300,000 bytes, after 4"),
        (lambda answer, at, content: answer.close_connection, "the connection broke|cut off|closed|reset"),
        (trickles, "nothing came for 0.3 s|cut off"),
        (status(302, Location="file:///etc/passwd"), "HTTP 302 .*not allowed"),
        (status(302, Location="ftp://example.org/set.bin"), "redirects to ftp"),
        (status(302, Location="/set.bin"), "HTTP 302"),
    ],
)
def test_what_does_not_arrive_is_told_in_one_line(
    network: Network, manner: Manner, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "SLOWEST", 1e5)
    with pytest.raises(UserError, match=told) as error:
        fetch(network.source(manner), tmp_path)
    assert "\n" not in str(error.value)
    assert "fetch it by hand from" in str(error.value)
    assert not (tmp_path / "set.bin").exists()


def test_a_mirror_takes_over_with_what_the_first_has_sent(network: Network, tmp_path: Path) -> None:
    source = network.source(cut_off, status(404), well)
    path = fetch(Source("set.bin", source.urls * 2, source.size, source.sha256), tmp_path)
    assert path.read_bytes() == CONTENT
    assert network.server.seen[-1] == f"bytes={HALF}-"


def test_an_interrupted_download_goes_on_in_the_next_process(network: Network, tmp_path: Path) -> None:
    (tmp_path / ".set.bin.part").write_bytes(CONTENT[:1000])
    assert fetch(network.source(well), tmp_path).read_bytes() == CONTENT
    assert network.server.seen == ["bytes=1000-"]


def test_a_file_that_is_there_is_verified_and_not_fetched(network: Network, tmp_path: Path) -> None:
    (tmp_path / "set.bin").write_bytes(CONTENT)
    fetch(network.source(well), tmp_path)
    assert network.server.seen == []
    (tmp_path / "set.bin").write_bytes(CONTENT[:-1] + b"?")
    assert fetch(network.source(well), tmp_path).read_bytes() == CONTENT


def test_md5_is_compared_where_nothing_better_is_published(network: Network, tmp_path: Path) -> None:
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    assert fetch(network.source(well, sha256="", md5=md5), tmp_path).is_file()
    with pytest.raises(UserError, match="has checksum"):
        fetch(network.source(well, sha256="", md5="0" * 32), tmp_path / "other")


def test_two_at_once_fetch_it_once(network: Network, tmp_path: Path) -> None:
    source = network.source(well)
    threads = [threading.Thread(target=fetch, args=(source, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert network.server.seen == [None]


def test_a_disk_too_small_is_told_before_it_is_full(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))  # type: ignore[attr-defined]
    with pytest.raises(UserError, match=r"needs 0\.3 MB more and .* has 0\.0 MB left: make room"):
        fetch(network.source(well), tmp_path)


@pytest.mark.parametrize("url", ["ftp://x/set.bin", "file:///etc/passwd", "set.bin", "https://"])
def test_an_address_that_is_none_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no address to download from"):
        fetch(Source("set.bin", (url,), 1), tmp_path)


def test_https_is_never_left_for_http() -> None:
    import urllib.request

    request = urllib.request.Request("https://example.org/a")
    with pytest.raises(download._Final, match="redirects to http://"):
        download._Careful().redirect_request(request, None, 302, "", {}, "http://example.org/a")


def test_a_set_is_fetched_into_the_run_store_and_known_by_its_content(
    network: Network, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKINGS_DATA", raising=False)
    monkeypatch.setattr(fashion_mnist, "DEBIAN", Path("/no/such/folder"))
    sources, arrays = [], []
    for name, shape in zip(fashion_mnist.FILES, [(6, 3, 4), (6,), (2, 3, 4), (2,)], strict=True):
        values = np.random.default_rng(1).integers(0, 3, shape, dtype=np.uint8)
        packed = gzip.compress(struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + values.tobytes())
        network.server.files[f"{name}.gz"] = packed
        sources.append(
            Source(f"{name}.gz", ("https://127.0.0.1:1/x",), len(packed), hashlib.sha256(packed).hexdigest())
        )
        arrays.append(values)
    known = fashion_mnist.Dataset("fashion-mnist", "FashionMNIST", fashion_mnist.content_hash(*arrays))
    monkeypatch.setattr(fashion_mnist, "KNOWN", known)
    monkeypatch.setattr(fashion_mnist, "SOURCES", tuple(sources))
    assert "is downloaded" in catalogue.get("fashion-mnist", network.base)
    assert (home / "data" / "fashion_mnist" / "t10k-labels-idx1-ubyte.gz").is_file()
    assert "is at hand" in catalogue.get("fashion-mnist")
    (home / "data" / "fashion_mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"spoilt")
    assert "is downloaded" in catalogue.get("fashion-mnist", network.base)
    assert len(network.server.seen) == 5


def test_the_published_files_are_those_that_lie_here_but_for_the_name_in_their_headers() -> None:
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "fashion_mnist"
    if not folder.is_dir():
        pytest.skip(f"FashionMNIST is not at hand ({folder})")
    for source in fashion_mnist.SOURCES:
        assert source.size == (folder / source.name).stat().st_size + len(source.name.removesuffix(".gz")) + 1
