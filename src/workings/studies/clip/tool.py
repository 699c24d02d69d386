"""A trained model at work on a person's photographs: an index of a folder, searched with words or with a picture.

The model is a run of this study, a model directory, or a published CLIP in a folder of transformers; see `embedder`. An
index is made by one model and answers to no other. It lies in the run store's folder, never among the photographs
unless `--into` says so.
"""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import tyro

from workings.core.errors import UserError
from workings.core.files import write_json
from workings.data.decoding import Pixels, resized
from workings.data.photographs import BUILT_IN, load_photograph
from workings.studies.clip.prompts import LABELS
from workings.studies.clip.search import finding, sheet
from workings.studies.clip.search.folder import digest_of, in_colour, read_picture
from workings.studies.clip.search.index import INDEX_FILE, Index, check_model
from workings.studies.clip.search.results import AllClassified, Classified, Exported, Found, Guess
from workings.studies.clip.search.update import Indexed, update
from workings.studies.clip.search.vectors import Vectors

if TYPE_CHECKING:
    from workings.studies.clip.embedder import Embedder

Output = Annotated[Path | None, tyro.conf.arg(aliases=["-o", "--to"])]
Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff]


def index(
    photos: Annotated[Path, tyro.conf.Positional],
    /,
    model: str | None = None,
    into: Path | None = None,
    again: Switch = False,
) -> Indexed:
    """Index a folder of photographs for searching, or bring its index up to date; safe to interrupt.

    Example: workings use clip index PHOTOS

    Args:
        photos: The folder, with all below it.
        model: A run's id or folder, or a folder with a model; by default that of the index, else the best run here.
        into: Where the index lies, instead of the run store's folder.
        again: Forget what was indexed, and begin anew (with another model, say).
    """
    folder = photos.expanduser().resolve()
    if not folder.is_dir():
        raise UserError(f"{photos} is {'no folder' if folder.exists() else 'not there'}: name a folder of photographs")
    place = into.expanduser().absolute() if into else finding.place_of(folder)
    known = Index(place).about.given if (place / INDEX_FILE).is_file() and not again else None
    loaded = _load(model or known)
    return update(folder, place, loaded, _given(model, loaded), again=again)


def search(
    words: Annotated[tuple[str, ...], tyro.conf.Positional] = (),
    /,
    top: int = 12,
    index: Path | None = None,
    photos: Path | None = None,
    model: str | None = None,
    output: Output = None,
) -> Found:
    """Find the photographs that a sentence describes.

    Example: workings use clip search "two dogs in the snow" --top 12 -o sheet.html

    Args:
        words: What is to be seen.
        top: Pictures at most.
        index: The index's place.
        photos: The folder of which the index is; neither is needed where there is one index.
        model: The model that made the index, where it is no longer where it was.
        output: A contact sheet .png, a page .html, or the results as .json.
    """
    query = " ".join(" ".join(words).split())
    if not query:
        raise UserError('the query is empty: say what is to be seen, as in `workings use clip search "a dog"`')
    _check_top(top, output)
    there = finding.choose(index, photos)
    loaded = _model_of(there, model)
    return _answer(there, query, loaded.texts([query])[0], top, (), "sentences", output)


def like(
    image: Annotated[Path, tyro.conf.Positional],
    /,
    top: int = 12,
    index: Path | None = None,
    photos: Path | None = None,
    model: str | None = None,
    output: Output = None,
) -> Found:
    """Find the photographs most like one, which is itself left out.

    Example: workings use clip like holiday.jpg --top 12 -o sheet.png

    Args:
        image: A picture of the index (by its name there), or any other file.
        top: Pictures at most.
        index: The index's place.
        photos: The folder of which the index is; neither is needed where there is one index.
        model: The model that made the index, where it is no longer where it was.
        output: A contact sheet .png, a page .html, or the results as .json.
    """
    _check_top(top, output)
    there = finding.choose(index, photos)
    path = next((p for p in (image.expanduser(), Path(there.about.folder) / image) if p.is_file()), None)
    if path is None:
        raise UserError(f"{image} is not there, nor in {there.about.folder}: name a picture")
    row = there.row_of(digest_of(path))
    if row is not None and model is None:
        vector = np.array(there.vectors[row])
    else:
        loaded = _model_of(there, model)
        vector = loaded.pictures(_pixels(str(path), loaded.size)[None])[0]
    return _answer(there, path.name, vector, top, () if row is None else (row,), "pictures", output, path)


def classify(
    images: Annotated[tuple[str, ...], tyro.conf.Positional] = (),
    /,
    labels: tuple[str, ...] = (),
    template: tuple[str, ...] = LABELS,
    model: str | None = None,
) -> AllClassified:
    """Say which of a few labels fits each photograph best; needs no index.

    Example: workings use clip classify photo.jpg --labels dog,cat --template "a photo of a {}"

    Args:
        images: Picture files, or the names of built-in photographs (chelsea is a cat).
        labels: Two or more, parted by commas.
        template: A sentence with {} for the label; may be repeated, their vectors are averaged.
        model: A run's id or folder, or a folder with a model; by default the best run here.
    """
    if not images:
        raise UserError("give the photographs to look at: `workings use clip classify photo.jpg --labels dog,cat`")
    names = _labels(labels)
    for one in template:
        if "{}" not in one:
            raise UserError(f"the template {one!r} has no {{}}, which stands for the label: 'a photo of a {{}}', say")
    loaded = _load(model)
    pixels = np.stack([_pixels(name, loaded.size) for name in images])
    sentences = loaded.texts([one.replace("{}", name) for name in names for one in template])
    means = sentences.reshape(len(names), len(template), -1).mean(1)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    scores = loaded.scale * (loaded.pictures(pixels) @ means.T).astype(np.float64)
    shares = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    rows = [tuple(Guess(names[i], round(float(row[i]), 6)) for i in np.argsort(-row, kind="stable")) for row in shares]
    return AllClassified(loaded.name, tuple(template), tuple(map(Classified, images, rows)))


def export(output: Annotated[Path, tyro.conf.arg(aliases=["-o"])], run: str | None = None) -> Exported:
    """Write a model directory, for `--model` on this machine or another.

    Example: workings use clip export -o my_clip

    Args:
        output: The folder to write.
        run: A run's id or folder; by default the best run here.
    """
    from workings.studies.clip.embedder import export as write

    made = write(run, output)
    files = tuple(sorted(path.name for path in output.expanduser().iterdir()))
    return Exported(str(output), made.name, made.fingerprint, made.dimensions, made.size, files)


VERBS = (index, search, like, classify, export)


def _load(model: str | None) -> "Embedder":
    from workings.studies.clip.embedder import load

    return load(model)


def _given(model: str | None, loaded: "Embedder") -> str | None:
    """What finds this model again, from any folder, also when a better one has been trained."""
    if model is None:
        run = getattr(loaded, "origin", {}).get("run")
        return str(run) if run else None
    folder = Path(model).expanduser()
    return str(folder.absolute()) if folder.is_dir() else model


def _model_of(there: Index, model: str | None) -> "Embedder":
    """The model that made an index."""
    loaded = _load(model or there.about.given)
    check_model(there, loaded.name, loaded.fingerprint)
    return loaded


def _answer(
    there: Index,
    query: str,
    vector: Vectors,
    top: int,
    without: tuple[int, ...],
    kind: str,
    output: Path | None,
    asked: Path | None = None,
) -> Found:
    """The nearest pictures to a vector, written where that is wanted."""
    began = time.perf_counter()
    hits, gone = finding.find(there, vector, top, without)
    about, inverted = there.about, there.inverted(top)
    found = Found(
        *(query, str(there.place), about.folder, about.model, there.pictures, tuple(hits), tuple(gone)),
        recall=inverted.recall.get(kind) if inverted else None,
        seconds=round(time.perf_counter() - began, 4),
        output=str(output) if output else None,
    )
    if output and output.suffix.lower() == ".json":
        write_json(output.expanduser(), asdict(found))
    elif output:
        title = f"Pictures like {query}" if asked else query
        sheet.write(output, sheet.Sheet(title, found.told, hits, Path(about.folder), asked))
    return found


def _check_top(top: int, output: Path | None) -> None:
    if top < 1:
        raise UserError(f"top is {top}: ask for 1 picture at least")
    if output:
        sheet.check_output(output, top)


def _labels(labels: tuple[str, ...]) -> list[str]:
    """Each label once, none of them empty, two at least."""
    names = [" ".join(name.split()) for part in labels for name in part.split(",")]
    if len(names) < 2:
        raise UserError(f"{len(names)} label{'s' * (len(names) != 1)}: give two at least, as in --labels dog,cat")
    if "" in names:
        raise UserError(f"a label in {','.join(labels)!r} is empty: part them by single commas")
    if twice := next((name for i, name in enumerate(names) if name in names[:i]), None):
        raise UserError(f"the label {twice!r} is given twice: give each once")
    return names


def _pixels(name: str, side: int) -> Pixels:
    """A picture file, or a built-in photograph, as a model reads it."""
    if name in BUILT_IN and not Path(name).exists():
        return in_colour(resized(load_photograph(name).pixels, (side, side)))
    path = Path(name).expanduser()
    if not path.is_file():
        return in_colour(load_photograph(name).pixels)  # which says what it may be
    read = read_picture(path, (), side)
    if read.pixels is None:
        raise UserError(f"{path} {read.fault}: name a picture")
    return read.pixels
