"""Tables and pictures learned by heart."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from workings.core.errors import UserError
from workings.studies.random_labels.tool import memorise


def test_a_table_is_learned_by_heart_and_the_file_says_it(tmp_path: Path) -> None:
    path = tmp_path / "iris.csv"
    path.write_text("width,height,kind\n1.5,2,cat\n3,4,dog\n\n1.5,2,cat\n-1,0.25,cow\n")
    made = memorise(str(path), output=tmp_path / "heart.safetensors")
    assert (made.points, made.dimension, made.size, made.equal, made.wrong) == (3, 2, 8, 1, 0)
    assert made.classes == ("cat", "cow", "dog")
    net = load_file(tmp_path / "heart.safetensors")
    points = np.array([[1.5, 2], [3, 4], [-1, 0.25]])
    said = np.maximum((points @ net["a"])[:, None] - net["b"], 0) @ net["w"]
    np.testing.assert_allclose(said, [0, 2, 1], atol=1e-12)
    assert "8 numbers say the labels of 3 points" in str(made)


def test_labels_that_are_numbers_stay_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("1,2.5\n2,-7e3\n3,0.125\n")
    made = memorise(str(path))
    assert made.classes == ()
    assert made.error < 1e-11


@pytest.mark.parametrize("thresholds", ["previous", "midpoints"])
def test_pictures_are_learned_by_heart_with_random_labels_too(thresholds: Any) -> None:
    made = memorise("digits", labels="random", thresholds=thresholds, seed=3)
    assert made.size == 2 * 1500 + 64
    assert made.wrong == 0


BAD = [
    ("", "holds no table"),
    ("name,label\n", "holds no table"),
    ("1\n2\n", "holds no table"),
    ("1,2,a\n3,b\n", "line 2 has 2 columns, the first has 3"),
    ("1,x,a\n", "line 1 holds 'x'"),
    ("1,2,a\n1,nan,b\n", "line 2 holds 'nan'"),
    ("1,2,a\n1,inf,b\n", "line 2 holds 'inf'"),
    ("1,2,a\n3,4,\n", "line 2 has no label"),
    ("1,2,a\n1,2,b\n", "points 0 and 1 are equal, and have the labels a and b"),
]


@pytest.mark.parametrize(("text", "told"), BAD, ids=str)
def test_a_table_that_cannot_be_read_is_refused_by_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=told) as caught:
        memorise(str(path))
    assert "\n" not in str(caught.value)


def test_what_is_no_text_or_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xff\xfe\x00,1")
    with pytest.raises(UserError, match="cannot be read as comma-separated text"):
        memorise(str(path))
    with pytest.raises(UserError, match="is no file"):
        memorise(str(tmp_path / "none.csv"))
    with pytest.raises(UserError, match="is no file"):
        memorise(str(tmp_path / ".csv"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"output": Path("x.png")}, "name it .safetensors"),
        ({"seed": -1}, "seed is -1"),
        ({"data": "nosuch"}, "neither"),
    ],
)
def test_other_mistakes_are_told_in_one_line(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        memorise(**{"data": "digits", **settings})
