"""The audit of a person's own network, and what it says where that cannot be done."""

import json
from pathlib import Path

import pytest

from workings.cli import main
from workings.core.errors import UserError
from workings.studies.circulant.tool import apply, audit, solve

MINE = """
import torch
from torch import nn


class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"), nn.ReLU(), nn.MaxPool2d(2))


class Sized(Net):
    def __init__(self, width, depth):
        super().__init__()


class Broken(Net):
    def __init__(self):
        raise RuntimeError("no weights\\nhere")


def words():
    return "not a network"


def signal():
    return nn.Conv1d(2, 2, 3, padding="same")


def volume():
    return nn.Conv3d(1, 1, 3)


class Box:
    net = Net()


tensor = torch.ones(3)
"""


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with modules of a person's own, one of them broken; each test has modules of its own."""
    import sys

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "mine_to_audit.py").write_text(MINE)
    (tmp_path / "wrong_to_audit.py").write_text("def f(:\n")
    (tmp_path / "lacking_to_audit.py").write_text("import surely_not_installed\n")
    (tmp_path / "leaving_to_audit.py").write_text("raise SystemExit(3)\n")
    for name in ("mine_to_audit", "wrong_to_audit", "lacking_to_audit", "leaving_to_audit"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_network_of_ones_own(tmp_path: Path) -> None:
    found = audit("mine_to_audit:Net", "3,8,8", shifts=200, output=tmp_path / "audit.png")
    assert found.shifts == 63
    assert [(row.kind, row.stride) for row in found.layers] == [
        ("Conv2d", "1"),
        ("ReLU", "1"),
        ("MaxPool2d", "2"),
        ("Net", "2"),
    ]
    assert found.layers[1].worst < 1e-6 < found.layers[2].worst
    assert (tmp_path / "audit.png").read_bytes().startswith(b"\x89PNG")
    text = str(found).splitlines()
    assert text[0] == "mine_to_audit:Net: relative error under 63 circular shifts of 3 × 8 × 8"
    assert text[2].split() == ["layer", "type", "stride", "mean", "worst", "interior"]
    assert text[-1] == str(tmp_path / "audit.png")
    assert audit("mine_to_audit:Box.net", "3,8,8").layers[-1].kind == "Net"


@pytest.mark.parametrize(("target", "input"), [("mine_to_audit:signal", "2,9"), ("mine_to_audit:volume", "1,4,5,6")])
def test_other_numbers_of_axes(target: str, input: str, tmp_path: Path) -> None:
    assert audit(target, input, output=tmp_path / "audit.svg").layers[0].mean > 0
    assert (tmp_path / "audit.svg").exists()


def test_weights_are_drawn_by_the_seed() -> None:
    one, same, other = (audit("mine_to_audit:Net", "3,6,6", seed=seed).layers[-1].mean for seed in (0, 0, 1))
    assert one == same != other


BAD = [
    (("torchvision.models", "3,8,8"), "write MODULE:NAME"),
    (("mine_to_audit:", "3,8,8"), "write MODULE:NAME"),
    ((":Net", "3,8,8"), "write MODULE:NAME"),
    (("nowhere_at_all:Net", "3,8,8"), "there is no module 'nowhere_at_all'"),
    (("torchvision.nowhere:Net", "3,8,8"), "there is no module 'torchvision.nowhere'"),
    (("wrong_to_audit:Net", "3,8,8"), "wrong_to_audit cannot be imported: SyntaxError"),
    (("lacking_to_audit:Net", "3,8,8"), "it needs 'surely_not_installed'"),
    (("leaving_to_audit:Net", "3,8,8"), "cannot be imported: SystemExit: 3"),
    (("mine_to_audit:Nett", "3,8,8"), "there is no 'Nett' there .did you mean 'Net'"),
    (("mine_to_audit:Box.nothing", "3,8,8"), "there is no 'nothing' there"),
    (("mine_to_audit:tensor", "3,8,8"), "is of type Tensor"),
    (("mine_to_audit:words", "3,8,8"), "gives a str"),
    (("mine_to_audit:Sized", "3,8,8"), "needs width, depth"),
    (("mine_to_audit:Broken", "3,8,8"), "fails: RuntimeError: no weights$"),
    (("mine_to_audit:Net", "4,8,8"), r"cannot take an input of shape \[1, 4, 8, 8\]: RuntimeError"),
    (("mine_to_audit:Net", "3,8"), "cannot take an input"),
    (("mine_to_audit:Net", "3,0,8"), "each from 1 on"),
    (("mine_to_audit:Net", "3,-8,8"), "each from 1 on"),
    (("mine_to_audit:Net", "3"), "one to three sizes"),
    (("mine_to_audit:Net", "three,8,8"), "one to three sizes"),
    (("mine_to_audit:Net", "1,2,3,4,5"), "one to three sizes"),
    (("mine_to_audit:Net", "3,1,1"), "cannot be shifted"),
    (("mine_to_audit:Net", "3,100000,100000"), "16,777,216 at most"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_what_cannot_be_audited_is_told_in_one_line(arguments: tuple[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        audit(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"output": Path("audit.txt")}, "no picture file"),
        ({"shifts": 0}, "shifts is 0"),
        ({"shifts": 10**8}, "from 1 to 10,000"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_options(options: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        audit("mine_to_audit:Net", "3,8,8", **options)  # type: ignore[arg-type]


def test_from_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["use", "circulant", "audit", "mine_to_audit:Net", "--input", "3,6,6", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["layers"][-1]["layer"] == "(output)"
    assert main(["use", "circulant", "audit", "mine_to_audit:Nett", "--input", "3,6,6"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_convolving_and_undoing_it() -> None:
    assert apply("1 2 3", "4, 5, 6").numbers == (31, 31, 28)
    assert solve("1 2 3", "31 31 28").numbers == pytest.approx((4, 5, 6))
    assert str(apply("1/2 0", "4 5")) == "2 2.5"
    assert "condition number" in str(solve("2 0", "4 5"))


@pytest.mark.parametrize(
    ("w", "x", "words"),
    [
        ("1 1 1", "1 2 3", "vanishes at k = 1, 2"),
        ("0", "1", "vanishes at k = 0"),
        ("1 2", "1 2 3", "give as many of each"),
        ("1 2", "1 nan", "y holds 'nan'"),
        ("", "1", "w is ''"),
    ],
)
def test_what_cannot_be_undone(w: str, x: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        solve(w, x)
