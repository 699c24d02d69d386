"""Pictures sorted into folders by class, or a zip of such folders: a person's own set, or CIFAR-10 as JPEG.

How the folders may lie is said in `class_listing`. Where a set comes without a test split, a sixth is set aside by a
hash of each file. Every file that is no sound picture, lies outside its place, or occurs under two labels is named, and
the set refused or the file left out, as `Broken` says. The set is known by the bytes of its files, in the order of
their names; once decoded it is kept in the `cache`.
"""

import hashlib
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from workings.core.errors import UserError
from workings.core.study import Dataset
from workings.data import cache
from workings.data.archives import printable
from workings.data.class_listing import SPLITS, Placed, place
from workings.data.decoding import Decoded, Size, check_room, checked_size, decode_all
from workings.data.pictures import Pictures, Pixels, at_size, listed

Broken = Literal["refuse", "skip"]
"""What is done about a file that is no sound picture of its class."""
HELD_OUT = 6
"""One picture in six is for test, where a set comes without."""


class Sound(NamedTuple):
    """A picture that can be used."""

    split: str
    label: str
    digest: str
    pixels: Pixels
    name: str


def read(
    path: Path, size: int | Size | None = None, broken: Broken = "refuse", known: tuple[Dataset, ...] = ()
) -> Pictures:
    """The set in a folder or a zip, at the size asked for; one of the `known` is recognised by its content."""
    if broken not in ("refuse", "skip"):
        raise UserError(
            f"broken={broken!r} is not understood: broken pictures are refused ('refuse') or left out ('skip')"
        )
    wanted = checked_size(size)
    key = cache.stamp(path, wanted, broken, _decoder())
    facts = cache.note(key)
    arrays = cache.arrays(str(facts["arrays"])) if facts else None
    if facts is None or arrays is None or set(arrays) != set(facts["names"]):
        facts, arrays = _read(path, wanted, broken)
        cache.keep_arrays(str(facts["arrays"]), arrays)
        cache.keep_note(key, facts)
    if facts["skipped"]:
        print(f"{path}: {len(facts['skipped']):,} files left out: {listed(facts['skipped'])}", file=sys.stderr)
    own = Dataset(f"own:{path.stem}", f"{printable(path.name)} (pictures of one's own)", facts["content"])
    dataset = next((d for d in known if d.content == own.content), own)
    return Pictures(
        at_size(dataset, wanted) if wanted and facts["resized"] else dataset,
        classes=tuple(facts["classes"]),
        skipped=tuple(facts["skipped"]),
        **{name: array for name, array in arrays.items() if len(array)},
    )


def _read(path: Path, size: Size | None, broken: Broken) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is to be known of the set, and its arrays by their names in `Pictures`."""
    with ExitStack() as stack:
        placed, faults = place(path, stack)
        files = len(placed) + len(faults)
        if size:
            check_room(len(placed), size, str(path))
        decoded = decode_all([p.file.read for p in placed], size, f"reading {path.name}")
        sound = _sound(placed, decoded, faults)
    if faults and broken == "refuse":
        raise UserError(
            f"{path}: {len(faults):,} of {files:,} files cannot be used: {listed(faults)}; "
            "repair or remove them, or leave them out with broken=skip"
        )
    classes = sorted({s.label for s in sound})
    lost = sorted({p.label for p in placed} - set(classes))
    if not sound or lost:
        raise UserError(
            f"{path} has no sound picture of {printable(lost[0]) if lost else 'anything'}: {listed(faults)}"
        )
    _check_sizes(path, sound)
    grey = all(s.pixels.ndim == 2 for s in sound)
    arrays: dict[str, Any] = {}
    for split in SPLITS:
        chosen = [s for s in sound if s.split == split]
        if not chosen and split != "valid":
            raise UserError(
                f"{path} leaves no pictures for {split}: give a folder {split}/, or some dozens of pictures"
            )
        shape = (len(chosen), *sound[0].pixels.shape[:2], *(() if grey else (3,)))
        images = np.empty(shape, dtype=np.uint8)
        for at, picture in enumerate(chosen):
            images[at] = picture.pixels if grey or picture.pixels.ndim == 3 else picture.pixels[:, :, None]
        arrays[f"{split}_images"] = images
        arrays[f"{split}_labels"] = np.array([classes.index(s.label) for s in chosen], dtype=np.int64)
    content = _content(sound)
    where = f"{content}-{'x'.join(map(str, sound[0].pixels.shape[:2]))}-{_decoder()}"
    facts = {
        "content": content,
        "classes": classes,
        "skipped": faults,
        "resized": size is not None,
        "arrays": where,
        "names": [*arrays],
    }
    return facts, arrays


def _sound(placed: Sequence[Placed], decoded: Iterable[Decoded], faults: list[str]) -> list[Sound]:
    """The pictures that can be used, in the order of split, class and name; what is wrong with others is added."""
    met: dict[str, str] = {}
    twice: dict[str, set[str]] = {}
    found: list[Sound] = []
    for (split, label, file), (digest, pixels, fault) in zip(placed, decoded, strict=True):
        if pixels is None:
            faults.append(f"{file.name} {fault}")
            continue
        if met.setdefault(digest, label) != label:
            twice.setdefault(digest, {met[digest]}).add(label)
        if not found:
            check_room(len(placed), (pixels.shape[0], pixels.shape[1]), file.name)
        found.append(Sound(split or _by_hash(digest), label, digest, pixels, file.name))
    for picture in found:
        if picture.digest in twice:
            labels = " and ".join(sorted(map(printable, twice[picture.digest])))
            faults.append(f"{picture.name} is there as {labels}")
    order = {split: at for at, split in enumerate(SPLITS)}
    return sorted((s for s in found if s.digest not in twice), key=lambda s: (order[s.split], s.label, s.name))


def _by_hash(digest: str) -> str:
    return "test" if int(digest[:16], 16) % HELD_OUT == 0 else "train"


def _check_sizes(path: Path, sound: Sequence[Sound]) -> None:
    first = sound[0]
    other = next((s for s in sound if s.pixels.shape[:2] != first.pixels.shape[:2]), None)
    if other:
        sizes = [f"{s.name} has {s.pixels.shape[0]} × {s.pixels.shape[1]}" for s in (first, other)]
        raise UserError(f"the pictures in {path} differ in size ({', '.join(sizes)}): say to which size to bring them")


def _content(sound: Sequence[Sound]) -> str:
    """Hash of split, class and bytes of every picture, in order."""
    digest = hashlib.sha256()
    for picture in sound:
        digest.update(f"{picture.split}/{picture.label}\t{picture.digest}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _decoder() -> str:
    """Pictures decoded by another Pillow may differ in the last bit."""
    import PIL

    return f"pillow-{PIL.__version__.replace('.', '-')}"
