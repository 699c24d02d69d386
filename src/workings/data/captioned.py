"""Pictures with captions, and captions alone: what a set of them is, and how a folder of one's own is read.

By its id a set is loaded in `catalogue`. A folder of one's own holds pictures (in sub-folders too) and a file of
captions, in one of the forms that `caption_files` reads. Every picture is decoded once, cropped about its centre to a
square, and kept in the `cache`; from then on the pixels are mapped from there and no picture is opened. A set is known
by its names, the bytes of its files, its captions and its splits: not by the place it lies in, nor by who decodes it.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import UserError
from workings.core.study import Dataset
from workings.data import cache, caption_files
from workings.data.archives import printable
from workings.data.class_folders import Broken
from workings.data.class_listing import JUNK
from workings.data.decoding import check_room, decode_all
from workings.data.pictures import listed
from workings.data.places import files_below

PICTURES = frozenset([".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"])
"""Files that have to have captions, by their ending."""


@dataclass(frozen=True)
class Captions:
    """Words without pictures."""

    dataset: Dataset
    names: tuple[str, ...]
    """Of the pictures, as the file first names them."""
    captions: tuple[tuple[str, ...], ...]
    """Of each picture, at least one."""


@dataclass(frozen=True)
class Captioned:
    """Pictures with captions."""

    dataset: Dataset
    names: tuple[str, ...]
    """Of the pictures, sorted."""
    captions: tuple[tuple[str, ...], ...]
    """Of each picture, at least one."""
    pictures: NDArray[np.uint8]
    """(N, size, size, 3): cropped about the centre, scaled."""
    splits: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    """The set's own ``train``, ``valid`` and ``test``, as indices; empty where it has none."""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of drawn scenes: what is true of each picture; empty for photographs."""
    skipped: tuple[str, ...] = ()
    """What was left out, each with the reason."""


def read_own(folder: Path, size: int, captions: str = "", broken: Broken = "refuse") -> Captioned:
    """A folder of one's own; `captions` names its file of captions, where that is not clear."""
    file = _captions_file(folder, captions)
    own = Dataset(
        f"own:{folder.absolute().name}", f"{printable(folder.absolute().name)} (captioned pictures of one's own)", ""
    )
    return read(folder, size, caption_files.read(file), own, broken)


def read_captions(path: Path) -> Captions:
    """The captions of a file, or of a folder with one, without the pictures; `UserError` where some are no use."""
    path = caption_files.find(path) if path.is_dir() else path
    found = caption_files.read(path)
    if found.faults:
        count = f"{len(found.faults):,} caption{'s' * (len(found.faults) > 1)}"
        raise UserError(f"{path}: {count} cannot be used: {listed(found.faults)}; repair them")
    own = Dataset(
        f"own:{path.stem}",
        f"{printable(path.name)} (captions of one's own)",
        caption_files.content_hash(found.captions),
    )
    return Captions(own, tuple(found.captions), tuple(map(tuple, found.captions.values())))


def _captions_file(folder: Path, captions: str) -> Path:
    if not captions:
        return caption_files.find(folder)
    given = Path(captions).expanduser()
    found = next((path for path in (given, folder / given) if path.is_file()), None)
    if found is None:
        raise UserError(f"there is no file of captions {captions!r}, neither here nor in {folder}: {caption_files.HOW}")
    return found


def read(
    folder: Path,
    size: int,
    listing: caption_files.Listing,
    dataset: Dataset,
    broken: Broken = "refuse",
    splits: Mapping[str, Sequence[str]] | None = None,
) -> Captioned:
    """The pictures below a folder that the listing names, from the cache where they are known there.

    Its content becomes that of the `dataset`. `splits` are names; those that are not among the pictures are left out.
    """
    said = hashlib.sha256(json.dumps([listing, splits]).encode("utf-8")).hexdigest()
    key = cache.stamp(folder, "captioned", said, size, broken, _decoder())
    facts = cache.note(key)
    pixels = (cache.arrays(str(facts["arrays"])) or {}).get("pictures") if facts else None
    if facts is None or pixels is None or len(pixels) != len(facts["names"]):
        facts, pixels = _read(folder, size, listing, broken, splits or {})
        cache.keep_arrays(facts["arrays"], {"pictures": pixels})
        cache.keep_note(key, facts)
        pixels = (cache.arrays(facts["arrays"]) or {}).get("pictures", pixels)  # mapped, so that memory is free again
    if facts["skipped"]:
        print(f"{folder}: {len(facts['skipped']):,} left out: {listed(facts['skipped'])}", file=sys.stderr)
    at = {name: index for index, name in enumerate(facts["names"])}
    return Captioned(
        replace(dataset, content=facts["content"]),
        names=tuple(at),
        captions=tuple(tuple(listing.captions[name]) for name in at),
        pictures=pixels,
        splits={split: _indices(names, at) for split, names in (splits or {}).items()},
        skipped=tuple(facts["skipped"]),
    )


def _indices(names: Sequence[str], at: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array(sorted(at[name] for name in names if name in at), dtype=np.int64)


def _read(
    folder: Path, size: int, listing: caption_files.Listing, broken: Broken, splits: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """What is to be known of the set, and its pixels."""
    files, faults = match(folder, listing)
    _refuse(folder, faults, broken)  # before thousands are decoded
    names = sorted(files)
    check_room(len(names), (size, size), str(folder))
    pixels = np.empty((len(names), size, size, 3), dtype=np.uint8)
    digests: dict[str, str] = {}
    reads = [partial(_bytes, files[name]) for name in names]
    decoded = decode_all(reads, (size, size), f"reading {printable(folder.name)}")
    for name, (digest, picture, fault) in zip(names, decoded, strict=True):
        if picture is None:
            faults.append(f"{printable(name)} {fault}")
        else:
            pixels[len(digests)] = picture if picture.ndim == 3 else picture[:, :, None]
            digests[name] = digest
    _refuse(folder, faults, broken)
    if not digests:
        raise UserError(f"{folder} holds no picture that has a caption: {listed(faults) or caption_files.HOW}")
    content = hashlib.sha256()
    for name, digest in digests.items():
        content.update(json.dumps([name, digest, *listing.captions[name]]).encode())
    for split, chosen in sorted(splits.items()):
        content.update(json.dumps([split, *sorted({*chosen} & {*digests})]).encode())
    known = content.hexdigest()[:16]
    where = f"captioned-{known}-{size}x{size}-{_decoder()}"
    return {"content": known, "names": [*digests], "skipped": faults, "arrays": where}, pixels[: len(digests)]


def _refuse(folder: Path, faults: list[str], broken: Broken) -> None:
    if faults and broken == "refuse":
        count = f"{len(faults):,} fault{'s' * (len(faults) > 1)}"
        raise UserError(
            f"{folder}: {count}: {listed(faults)}; repair them, or leave out what is at fault with broken=skip"
        )


def match(folder: Path, listing: caption_files.Listing) -> tuple[dict[str, Path], list[str]]:
    """The file of each picture that the listing names, and all faults of names, files and captions.

    A name is the path below the folder, or its end: ``dog.jpg`` may lie in ``Images/``.
    """
    places = _files(folder)
    ends: dict[str, list[str]] = {}
    for place in places:
        parts = place.split("/")
        for at in range(len(parts)):
            ends.setdefault("/".join(parts[at:]), []).append(place)
    files: dict[str, Path] = {}
    owners: dict[str, str] = {}
    faults = list(listing.faults)
    for name in listing.captions:
        found = [name] if name in places else ends.get(name, [])
        paths = [path for place in found for path in places[place]]
        if len(paths) != 1:
            reason = (
                f"is there {len(paths)} times: {', '.join(map(printable, found[:2]))}"
                if paths
                else "has captions, and is not there"
            )
            faults.append(f"{printable(name)} {reason}")
        elif found[0] in owners:
            faults.append(f"{printable(name)} is the same picture as {printable(owners[found[0]])}")
        else:
            files[name] = paths[0]
        owners.update((place, name) for place in found)
    faults += [f"{printable(place)} has no caption" for place in sorted({*places} - {*owners}) if _is_picture(place)]
    return files, faults


def _files(folder: Path) -> dict[str, list[Path]]:
    """Every file below the folder, by its path in Unicode's form NFC: two, where a folder has both forms of a name."""
    found: dict[str, list[Path]] = {}
    for inside, names in files_below(folder):
        parts = Path(inside).relative_to(folder).parts
        if any(part.startswith(".") or part.casefold() in JUNK for part in parts):
            continue
        for name in names:
            if not name.startswith(".") and name.casefold() not in JUNK:
                place = caption_files.clean_name("/".join((*parts, name)))
                found.setdefault(place, []).append(Path(inside, name))
    return found


def _is_picture(place: str) -> bool:
    return os.path.splitext(place)[1].casefold() in PICTURES  # noqa: PTH122 (8,000 Paths take long)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise OSError("it is no file")
    return path.read_bytes()


def _decoder() -> str:
    """Pictures decoded by another Pillow may differ in the last bit."""
    import PIL

    return f"pillow-{PIL.__version__.replace('.', '-')}"
