"""The course's phoneme-to-grapheme data (ist-2025-hw2, question 3): English words from WikiPron, 10,000/1,000/1,000.

Source: the homework's own files ``train.tsv``, ``valid.tsv``, ``test.tsv``, handed out with the sheet. There is no
public address that can be relied on, so `data get` says where to put them.
"""

from pathlib import Path

from workings.core.errors import UserError
from workings.core.study import Dataset
from workings.data.lexicon import Lexicon, read
from workings.data.places import folders, locate

ID = "ist-p2g"
FOLDER = "ist_p2g"
KNOWN = Dataset(ID, "English phonemes to spelling, from the course (WikiPron)", "7a746d6a9798e24c")


def where() -> Path | None:
    """The folder with the three files; None where it is not at hand."""
    return locate(FOLDER)


def load() -> Lexicon:
    """The course's split; `UserError` where the files are missing or are not the course's."""
    folder = where()
    if folder is None:
        raise UserError(
            "the course's lexicon is not at hand: put its train.tsv, valid.tsv and test.tsv into "
            f"{folders()[0] / FOLDER}, or run with --data cmudict"
        )
    lexicon = read(folder, (KNOWN,))
    if lexicon.dataset != KNOWN:
        raise UserError(
            f"the files in {folder} are not the course's (content {lexicon.dataset.content}, "
            f"expected {KNOWN.content}): fetch them again, or use them as your own with --data {folder}"
        )
    return lexicon
