"""Flags as people write them."""

import sys
from dataclasses import dataclass
from typing import Annotated

import pytest
import tyro

from workings.arguments import parse
from workings.core.errors import UserError


@dataclass(frozen=True)
class Shape:
    """Some of every kind."""

    f: tuple[str, ...] = ("x",)
    """Formulas."""
    at: tuple[float, ...] = (0.0,)
    """A point."""
    pair: tuple[int, int] = (0, 0)
    """Two numbers."""
    text: str = ""
    """A text."""
    eta: float = 0.1
    """A number."""
    deep: bool = False
    """A switch."""


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], Shape()),
        (["--f", "a, b", "--f", "c"], Shape(f=("a, b", "c"))),
        (["--f", "a", "c", "--deep", "--f=d"], Shape(f=("a", "c", "d"), deep=True)),
        (["--f", "-x", "--f", "-x + y"], Shape(f=(" -x", " -x + y"))),
        (["--at", "1,2"], Shape(at=(1.0, 2.0))),
        (["--at", "-1,2e-3", "--eta", "-1"], Shape(at=(-1.0, 0.002), eta=-1.0)),
        (["--at=1,", "2"], Shape(at=(1.0, 2.0))),
        (["--pair", "3,4", "--eta=2"], Shape(pair=(3, 4), eta=2.0)),
        (["--text", "-x**2", "--deep"], Shape(text="-x**2", deep=True)),
        (["--text=-x**2=y"], Shape(text="-x**2=y")),
        (["--text", "-1 0; 0 1"], Shape(text="-1 0; 0 1")),
    ],
)
def test_what_a_person_means_is_read(words: list[str], wanted: Shape) -> None:
    assert parse(Shape, words, prog="shape") == wanted


@pytest.mark.parametrize(
    "words",
    [
        ["--text"],
        ["--text", "--deep"],
        ["--at"],
        ["--at", "1,two"],
        ["--pair", "1,2,3"],
        ["--pair", "1"],
        ["--etta", "1"],
        ["--eta", "1", "2"],
        ["-x"],
    ],
)
def test_what_makes_no_sense_is_one_line(words: list[str]) -> None:
    with pytest.raises(UserError, match=r"see shape --help|give one or more") as error:
        parse(Shape, words, prog="shape")
    assert "\n" not in str(error.value)


def test_verbs_are_read_alike() -> None:
    def audit(
        name: Annotated[str, tyro.conf.Positional],
        input: tuple[int, ...],
        output: Annotated[str, tyro.conf.arg(aliases=["-o"])] = "",
    ) -> tuple[str, tuple[int, ...], str]:
        return name, input, output

    assert parse(audit, ["m:Net", "--input", "3,32,32", "-o", "-x.png"], prog="audit") == (
        "m:Net",
        (3, 32, 32),
        "-x.png",
    )
    assert parse(audit, ["--input", "3", "32", "-o", "a", "m:Net"], prog="audit") == ("m:Net", (3, 32), "a")


def test_a_verb_speaks_for_itself(capsys: pytest.CaptureFixture[str]) -> None:
    def verb(count: int = 1) -> int:
        """Count.

        Args:
            count: How far.
        """
        print(f"{count} on the way", file=sys.stderr)
        return count

    assert parse(verb, ["--count", "3"], prog="verb") == 3
    assert capsys.readouterr().err == "3 on the way\n"
    with pytest.raises(SystemExit):
        parse(verb, ["--help"], prog="verb")
    assert "How far" in capsys.readouterr().out
