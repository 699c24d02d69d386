"""The verbs: a formula, a callable of torch's or one's own, the table; and what is refused."""

from pathlib import Path

import pytest

from workings.core.errors import UserError
from workings.studies.activations.catalogue import FORMULAS, LEFT_OUT
from workings.studies.activations.tool import examine, table

MINE = """
import torch

class Bump(torch.nn.Module):
    def forward(self, x):
        return x * torch.exp(-x**2)

class Needy:
    def __init__(self, size):
        self.size = size

def swish(x):
    return x * torch.sigmoid(x)

def loud(x):
    raise RuntimeError("no\\nmore")

def detached(x):
    return x.detach() ** 2

NUMBER = 3
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with modules of a person's own, as the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_activations.py").write_text(MINE)
    (tmp_path / "broken_activations.py").write_text("1 / 0")
    (tmp_path / "leaving_activations.py").write_text("raise SystemExit(3)")


def test_a_formula_and_torchs_own_are_decided_exactly() -> None:
    silu = examine("torch.nn:SiLU")
    assert silu.formula == FORMULAS["SiLU"]
    assert examine(f=("x*sigmoid(x)",)).odd == silu.odd
    assert "odd" in str(examine("torch.nn:Tanh"))


@pytest.mark.usefixtures("here")
def test_callables_of_ones_own_are_imported_from_this_folder() -> None:
    bump = examine("my_activations:Bump")
    assert (bump.odd.holds, bump.even.holds) == (None, False)
    assert bump.slope == pytest.approx(1)
    assert "whether odd: no counter-example was found, and no proof" in str(bump)
    swish = examine("my_activations:swish")
    assert swish.odd.witness is not None
    assert swish.odd.witness.x == 1.0


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("", "name one activation"),
        ("tanh", "MODULE:NAME"),
        (":tanh", "MODULE:NAME"),
        ("no_such_module_here:f", "cannot be imported"),
        ("..:f", "cannot be imported"),
        ("broken_activations:f", "division by zero"),
        ("leaving_activations:f", "cannot be imported"),
        ("my_activations:missing", "has no 'missing'"),
        ("my_activations:NUMBER", "not callable"),
        ("my_activations:Needy", "without arguments"),
        ("my_activations:loud", "no"),
        ("my_activations:detached", "hides from autograd"),
        ("torch.nn:Linear", "without arguments"),
        ("torch.nn:Softmax2d", "cannot be called"),
        ("torch:sum", "a float for each"),
        ("torch:rand_like", "without chance"),
        ("math:tanh", "cannot be called"),
    ],
)
def test_what_is_no_activation_is_refused_in_one_line(target: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refusal:
        examine(target)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("f", [("x", "x**2"), ("x +",), ("Softmax",)])
def test_a_formula_that_is_none_is_refused(f: tuple[str, ...]) -> None:
    with pytest.raises(UserError):
        examine(f=f)
    with pytest.raises(UserError, match="name one"):
        examine("torch:tanh", f)


def test_the_table_names_every_activation_and_what_is_left_out() -> None:
    text = str(table())
    assert all(name in text for name in (*FORMULAS, *LEFT_OUT))
    assert "0.25 | 1" in text
