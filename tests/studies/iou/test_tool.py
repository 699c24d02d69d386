"""Matching files of one's own, and drawing the fields."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from workings.core.errors import UserError
from workings.studies.iou.boxes import Format, read
from workings.studies.iou.matching import greedy
from workings.studies.iou.model import pairwise
from workings.studies.iou.tool import fields, match

TRUTH = "x1,y1,x2,y2,label\n0,0,2,2,cat\n10,10,12,12,cat\n0,0,2,2,dog\n"
FOUND = """x1,y1,x2,y2,score,label
1,0,3,2,0.9,cat

0,0,2,2,0.8,cat
10,10,12,13,0.5,cat
0,0,2,2,0.4,bird
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_worked_by_hand(tmp_path: Path) -> None:
    """At 1/3 the surer cat takes the box that the second fits exactly; at 1/2 it does not."""
    truth, found = write(tmp_path, "truth.csv", TRUTH), write(tmp_path, "found.csv", FOUND)
    low, high = match(found, truth, 0.3), match(found, truth, 0.5, output=tmp_path / "pairs.csv")
    assert [(p.prediction, p.truth, round(p.iou, 4)) for p in low.pairs] == [(2, 2, 0.3333), (5, 3, 0.6667)]
    assert [(p.prediction, p.truth, round(p.iou, 4)) for p in high.pairs] == [(4, 2, 1.0), (5, 3, 0.6667)]
    assert (high.precision, high.recall) == (2 / 4, 2 / 3)
    assert "2 matched, 2 predictions too many, 1 missed" in str(high)
    lines = (tmp_path / "pairs.csv").read_text().splitlines()
    assert lines[0] == "prediction_line,truth_line,iou,label,image"
    assert lines[1] == "4,2,1.0,cat,"


def test_other_ways_to_write_the_same(tmp_path: Path) -> None:
    plain = read(write(tmp_path, "a.csv", "0, 0, 2, 2, 0.5, cat, p.jpg\n"), "xyxy")
    rows = read(write(tmp_path, "b.json", '[[0, 0, 2, 2, 0.5, "cat", "p.jpg"]]'), "xyxy")
    named = {"image": "p.jpg", "w": 2, "h": 2, "x": 0, "y": 0, "label": "cat", "score": 0.5}
    objects = read(write(tmp_path, "c.json", json.dumps([named])), "xywh")
    assert plain == rows == objects
    (turned,) = read(write(tmp_path, "d.csv", "\ufeffCX,CY,W,H,Angle\n1,1,2,2,90\n"), "rotated")
    assert turned.box == pytest.approx((1, 1, 2, 2, math.pi / 2))
    (zero,) = read(write(tmp_path, "e.json", '[{"x1": 0, "y1": 0, "x2": 1, "y2": 1, "label": 0}]'), "xyxy")
    assert (zero.label, zero.score) == ("0", None)


def test_rotated_boxes_match(tmp_path: Path) -> None:
    a = write(tmp_path, "a.csv", "5,5,4,1,90\n")
    b = write(tmp_path, "b.csv", "cx,cy,w,h,angle\n5,5,1,4,0\n")
    assert match(a, b, 0.99, boxes="rotated").recall == 1


def test_images_are_kept_apart(tmp_path: Path) -> None:
    a = write(tmp_path, "a.csv", "x1,y1,x2,y2,image\n0,0,1,1,p\n0,0,1,1,q\n")
    b = write(tmp_path, "b.csv", "x1,y1,x2,y2,image\n0,0,1,1,q\n")
    assert [(p.prediction, p.image) for p in match(a, b).pairs] == [(3, "q")]


@pytest.mark.parametrize(
    ("found", "truth", "precision", "recall", "told"),
    [("", "", None, None, "no predictions"), ("", "0,0,1,1", None, 0, "recall 0"), ("0,0,1,1", "", 0, None, "no true")],
)
def test_empty_files_have_no_rate(
    tmp_path: Path, found: str, truth: str, precision: float | None, recall: float | None, told: str
) -> None:
    result = match(write(tmp_path, "a.csv", found), write(tmp_path, "b.csv", truth))
    assert (result.precision, result.recall) == (precision, recall)
    assert told in str(result)


def test_greedy_matching_is_that_of_the_plain_loop() -> None:
    draw = torch.Generator().manual_seed(0)
    corner, side = torch.rand(2, 150, 2, generator=draw, dtype=torch.float64)
    a = torch.cat([corner, corner + side], dim=1)
    predictions, truth = a[:90], a[60:]
    matrix, taken, expected = pairwise(predictions, truth), set(), []
    for row in matrix.tolist():
        free = [(value, -j) for j, value in enumerate(row) if j not in taken and value >= 0.4]
        best = -max(free)[1] if free else -1
        taken.add(best)
        taken.discard(-1)
        expected.append(best)
    for block in (1, 500, 10**6):
        index, value = greedy(predictions, truth, 0.4, block=block)
        assert index.tolist() == expected
        assert [round(v, 9) for v in value.tolist()] == [
            round(float(matrix[i, j]), 9) if j >= 0 else 0 for i, j in enumerate(expected)
        ]


BAD: Sequence[tuple[str, str, Format, str]] = [
    ("a.csv", "0,0,1,1\n0,0,1\n", "xyxy", "a.csv, line 2 has no y2"),
    ("a.csv", "0,0,1,1\n0,0,nan,1\n", "xyxy", "line 2: x2 is 'nan'"),
    ("a.csv", "0,0,inf,1\n", "xyxy", "line 1: x2 is 'inf'"),
    ("a.csv", "0,0,1e200,1\n", "xyxy", "line 1: x2 is '1e200'"),
    ("a.csv", "x1,y1,x2,y2\n\n5,5,2,2\n", "xyxy", "line 3: x2 = 2 is below x1 = 5.*--boxes xywh"),
    ("a.csv", "5,5,-2,2\n", "xywh", "line 1: a side is -2"),
    ("a.csv", "5,5,2,2\n", "rotated", "line 1 has no angle"),
    ("a.csv", "x,y,w,h\n0,0,1,1\n", "xyxy", "line 1 lacks x1"),
    ("a.csv", "x1,y1,x2,y2,colour\n0,0,1,1,red\n", "xyxy", "line 1 names 'colour'"),
    ("a.csv", "x1,y1,x2,y2,x1\n0,0,1,1,2\n", "xyxy", "names a column twice"),
    ("a.csv", "0,0,1,1,sure\n", "xyxy", "line 1: score is 'sure'"),
    ("a.csv", "0,0,1,1,1,a,b,c\n", "xyxy", "line 1 has 8 columns"),
    ("a.csv", "0,0,1,1,1\n0,0,1,1\n", "xyxy", "scores 1 of 2 boxes"),
    ("a.txt", "0,0,1,1\n", "xyxy", "neither .csv nor .json"),
    ("a.json", "{}", "xyxy", "holds no list"),
    ("a.json", "[1", "xyxy", "is no JSON"),
    ("a.json", "[[0, 0, 1, 1], 7]", "xyxy", "entry 2 is '7'"),
    ("a.json", '[{"x1": 0, "y1": 0, "x2": 1, "yy2": 1}]', "xyxy", "entry 1 has a field 'yy2' .did you mean 'y2'"),
    ("a.json", "[[0, 0, true, 1]]", "xyxy", "entry 1: x2 is 'True'"),
    ("a.json", "[[0, 0, 1, null]]", "xyxy", "entry 1 has no y2"),
]


@pytest.mark.parametrize(("name", "text", "format", "words"), BAD)
def test_bad_files_are_named_with_their_line(tmp_path: Path, name: str, text: str, format: Format, words: str) -> None:
    truth = {"xyxy": "0,0,1,1", "xywh": "0,0,1,1", "rotated": "0,0,1,1,0"}[format]
    with pytest.raises(UserError, match=words):
        match(write(tmp_path, name, text), write(tmp_path, "truth.csv", truth), boxes=format, output=tmp_path / "o.csv")
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.5, math.nan, math.inf])
def test_a_threshold_is_an_iou(tmp_path: Path, threshold: float) -> None:
    with pytest.raises(UserError, match="threshold is"):
        match(tmp_path / "a.csv", tmp_path / "b.csv", threshold)


def test_other_bad_requests(tmp_path: Path) -> None:
    here = write(tmp_path, "a.csv", "0,0,1,1\n")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UserError, match=r"cannot read .*missing\.csv"):
        match(tmp_path / "missing.csv", here)
    with pytest.raises(UserError, match="cannot read"):
        match(tmp_path, here)
    with pytest.raises(UserError, match="no UTF-8 text"):
        match(tmp_path / "binary.csv", here)
    with pytest.raises(UserError, match="is read as input"):
        match(here, here, output=here)
    with pytest.raises(UserError, match="is no table"):
        match(here, here, output=tmp_path / "pairs.txt")


def test_too_many_pairs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workings.studies.iou.tool.MOST_PAIRS", 3)
    here = write(tmp_path, "a.csv", "0,0,1,1\n0,0,1,1\n")
    with pytest.raises(UserError, match="4 pairs to compare, 3 at most"):
        match(here, here)


def test_the_fields_are_drawn(tmp_path: Path) -> None:
    drawing = fields(tmp_path / "field.png")
    assert (tmp_path / "field.png").read_bytes().startswith(b"\x89PNG")
    assert drawing.flat["iou"] > 0.5 > 0.01 > max(drawing.flat[name] for name in ("giou", "diou", "ciou"))
    assert "IoU: no gradient at" in str(drawing)


def test_fields_that_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no picture file"):
        fields(tmp_path / "field.doc")
    with pytest.raises(UserError, match="side of 0"):
        fields(tmp_path / "field.png", target="0 0 0 1")
    assert not list(tmp_path.iterdir())
