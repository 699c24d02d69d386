"""Rows and matrices as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from workings.core.errors import UserError
from workings.core.typed import matrix, row


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1", ((1.0,),)),
        ("1 2;3 4", ((1.0, 2.0), (3.0, 4.0))),
        ("1,2; 3,4", ((1.0, 2.0), (3.0, 4.0))),
        ("0 0 0; -1 3 -1; 0 0 0", ((0.0, 0.0, 0.0), (-1.0, 3.0, -1.0), (0.0, 0.0, 0.0))),
        ("1/4 -1/8", ((0.25, -0.125),)),
        ("1e-3 .5", ((0.001, 0.5),)),
    ],
)
def test_a_matrix_is_read(text: str, wanted: tuple[tuple[float, ...], ...]) -> None:
    assert matrix(text, "K") == wanted


@given(arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.floats(-1e300, 1e300)))
def test_what_is_written_out_is_read_back(entries: object) -> None:
    rows = entries.tolist()  # type: ignore[attr-defined]
    assert matrix("; ".join(" ".join(map(repr, line)) for line in rows), "K") == tuple(map(tuple, rows))


@pytest.mark.parametrize(
    "text", ["", ";", "1 2; 3", "1 2;", "a b", "nan", "inf 1", "1/0", "1//2", "1e999", "10" * 400 + "/1", "0 " * 10_001]
)
def test_nonsense_is_one_line_that_names_it(text: str) -> None:
    with pytest.raises(UserError, match=r"^K ") as error:
        matrix(text, "K")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


def test_a_row_is_one_row() -> None:
    assert row("1, 2", "at") == (1.0, 2.0)
    with pytest.raises(UserError, match="one row"):
        row("1; 2", "at")
