"""Unpacking: what is harmless comes out as it went in; what is not is refused, and nothing is left behind."""

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from workings.core.errors import UserError
from workings.data.archives import Limits, unpack

FILES = {"set/a.txt": b"alpha", "set/deep/b.bin": bytes(range(256)) * 50, "ü.txt": b""}


def zipped(path: Path, files: dict[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    return path


def tarred(path: Path, files: dict[str, bytes], kind: bytes = tarfile.REGTYPE, link: str = "") -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as file:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(content) if kind == tarfile.REGTYPE else 0, kind, link
            file.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize(("pack", "name"), [(zipped, "a.zip"), (tarred, "a.tar"), (tarred, "a.tar.gz")])
def test_what_was_packed_comes_out(tmp_path: Path, pack: object, name: str) -> None:
    folder = unpack(pack(tmp_path / name, FILES), tmp_path / "out")  # type: ignore[operator]
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == FILES


def test_a_tar_of_a_folder_begins_with_the_folder_itself(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x").write_text("x")
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        file.add(tmp_path / "in", arcname=".")
    assert (unpack(tmp_path / "a.tar", tmp_path / "out") / "x").read_text() == "x"


NAMES = {
    "../evil": "climbs out",
    "a/../../evil": "climbs out",
    "/etc/evil": "inside the folder",
    "C:evil": "inside the folder",
    "a\\..\\evil": "inside the folder",
    "a\nb": "odd characters",
    "a\x1b[2Jb": "odd characters",
    "\u202egpj.exe": "odd characters",
    "x" * 300: "too long",
    "a/" * 600 + "b": "too long",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["a.zip", "a.tar.gz"])
def test_a_name_that_is_not_harmless_refuses_the_whole(tmp_path: Path, name: str, form: str) -> None:
    pack = zipped if form == "a.zip" else tarred
    refused(pack(tmp_path / form, {"good": b"x", name: b"x"}), NAMES[name])


@pytest.mark.parametrize("other", ["A", "a", "a/b"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_refuse_the_whole(tmp_path: Path, other: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("a", "1")
        file.writestr(other, "2")
    refused(tmp_path / "a.zip", "there twice")


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    refused(tarred(tmp_path / "a.tar.gz", {"x": b""}, kind, "/etc/passwd"), "link, a device or a sparse|damaged")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    refused(zipped(tmp_path / "a.zip", {"x": b"/etc/passwd"}, stat.S_IFLNK | 0o777), "is a link")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "a.zip", {"x": b"secret"}).read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", "is encrypted")


@pytest.mark.parametrize("form", ["a.zip", "a.tar.gz"])
def test_a_bomb_is_refused_while_it_unpacks(tmp_path: Path, form: str) -> None:
    pack = zipped if form == "a.zip" else tarred
    refused(pack(tmp_path / form, {"zeros": bytes(40 << 20)}), "unpack to more than 100 times")


def test_sizes_and_counts_are_bounded(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", FILES)
    refused(path, "more than 2 members", Limits(members=2))
    refused(path, "unpacks to more than", Limits(total=2000))


def test_a_header_that_lies_about_its_size_is_not_believed(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "a.zip", {"x": bytes(10_000)}).read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", "damaged")


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("form", ["a.tar", "a.tar.gz", "a.zip"])
def test_what_is_cut_off_is_refused(tmp_path: Path, form: str, keep: float) -> None:
    import os

    pack = zipped if form == "a.zip" else tarred
    path = pack(tmp_path / form, {f"{n}": os.urandom(5000) for n in range(9)})
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))].rstrip(b"\0"))
    refused(path, "cut off or damaged")


def test_a_spoilt_byte_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    data = bytearray(gzip.compress(tarred(tmp_path / "a.tar", FILES).read_bytes(), 0))
    data[700] ^= 1
    path.write_bytes(data)
    refused(path, "cut off or damaged")


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8bno gzip either", b"PK\x03\x04" + bytes(50)])
def test_what_is_no_archive_is_told_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    refused(tmp_path / "a.zip", "cut off or damaged")


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", FILES)
    unpack(path, tmp_path / "out")
    with pytest.raises(UserError, match="is there already"):
        unpack(path, tmp_path / "out")


def refused(path: Path, told: str, limits: Limits | None = None) -> None:
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(UserError, match=told) as error:
        unpack(path, path.parent / "out", limits or Limits())
    assert "\n" not in str(error.value)
    assert path.name in str(error.value)
    assert sorted(path.parent.rglob("*")) == before
