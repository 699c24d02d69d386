"""Checkpoints hold any nested state, survive damage, and execute nothing."""

import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from workings.core.errors import UserError
from workings.train.checkpoint import (
    Position,
    first_bad_parameter,
    load_state,
    load_weights,
    parameters,
    save_state,
    save_weights,
)

DTYPES = (torch.float32, torch.float64, torch.int64, torch.bool, torch.bfloat16)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    values = torch.randn(shape, generator=torch.Generator().manual_seed(draw(st.integers(0, 99))))
    tensor = (values * 3).to(draw(st.sampled_from(DTYPES)))
    return tensor.T if tensor.dim() == 2 and draw(st.booleans()) else tensor


KEYS = st.integers(-2, 20) | st.text("ab/0", max_size=3)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4)
STATES = st.recursive(
    PLAIN | tensors(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=12,
)


def same(a: Any, b: Any) -> bool:
    """Equal in type, structure and bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        bits = [t.contiguous().flatten().view(torch.uint8).tolist() for t in (a, b)]
        return a.dtype == b.dtype and a.shape == b.shape and bits[0] == bits[1]
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


@given(
    state=st.dictionaries(KEYS, STATES, max_size=4), epoch=st.integers(0, 10**6 - 1), batch=st.integers(0, 10**8 - 1)
)
def test_any_nested_state_comes_back_bit_by_bit(
    state: dict[Any, Any], epoch: int, batch: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("state")
    save_state(folder, Position(epoch, batch), state)
    found = load_state(folder)
    assert found is not None
    assert found[0] == Position(epoch, batch)
    assert same(found[1], state)


def test_tensors_that_share_memory_are_kept_apart(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    save_state(tmp_path, Position(), {"whole": whole, "part": whole[2:4]})
    found = load_state(tmp_path)
    assert found is not None
    assert found[1]["part"].tolist() == [2.0, 3.0]


def test_what_a_checkpoint_cannot_hold_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"cannot hold ndarray \(at /a/1\)"):
        save_state(tmp_path, Position(), {"a": [1, np.zeros(2)]})


def test_an_empty_folder_has_no_checkpoint(tmp_path: Path) -> None:
    assert load_state(tmp_path / "nothing") is None


def test_the_newest_two_are_kept_and_the_newest_is_read(tmp_path: Path) -> None:
    for epoch in range(5):
        save_state(tmp_path, Position(epoch), {"n": epoch})
    assert len(list(tmp_path.iterdir())) == 2
    assert load_state(tmp_path) == (Position(4), {"n": 4})


def test_positions_are_ordered_as_numbers_not_as_text(tmp_path: Path) -> None:
    for batch in (9, 10, 100):
        save_state(tmp_path, Position(0, batch), {"n": batch})
    assert load_state(tmp_path) == (Position(0, 100), {"n": 100})


def truncate(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip_last_bit(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def flip_in_header(content: bytes) -> bytes:
    return content[:20] + bytes([content[20] ^ 4]) + content[21:]


def claim_a_huge_header(content: bytes) -> bytes:
    return struct.pack("<Q", 2**40) + content[8:]


DAMAGES = [truncate, flip_last_bit, flip_in_header, claim_a_huge_header, lambda content: b"", lambda c: c + b"\0"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_gives_way_to_the_one_before_with_a_warning(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    for epoch in (1, 2):
        save_state(tmp_path, Position(epoch), {"w": torch.full((3,), float(epoch))})
    newest = max(tmp_path.iterdir())
    newest.write_bytes(damage(newest.read_bytes()))
    with pytest.warns(UserWarning, match=f"{newest.name} is damaged"):
        found = load_state(tmp_path)
    assert found is not None
    assert found[0] == Position(1)
    assert found[1]["w"].tolist() == [1.0, 1.0, 1.0]


@pytest.fixture
def ruined(tmp_path: Path) -> Path:
    """Two damaged checkpoints of late epochs."""
    for epoch in (8, 9):
        save_state(tmp_path, Position(epoch), {"n": epoch})
    for path in tmp_path.iterdir():
        path.write_bytes(b"torn")
    return tmp_path


@pytest.mark.filterwarnings("ignore:state-")
def test_where_all_are_damaged_the_start_is_fresh(ruined: Path) -> None:
    assert load_state(ruined) is None


@pytest.mark.filterwarnings("ignore:state-")
def test_after_a_fresh_start_early_checkpoints_outlive_the_damaged_late_ones(ruined: Path) -> None:
    save_state(ruined, Position(0, 5), {"n": 0})
    assert load_state(ruined) == (Position(0, 5), {"n": 0})


def test_a_half_written_temporary_file_is_ignored(tmp_path: Path) -> None:
    save_state(tmp_path, Position(1), {"n": 1})
    (tmp_path / ".state-000002-00000000-0000000000000000.safetensors.77.tmp").write_bytes(b"half")
    assert load_state(tmp_path) == (Position(1), {"n": 1})


class Trap:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_in_disguise_is_refused_and_not_executed(tmp_path: Path) -> None:
    disguised, sprung = tmp_path / "best.safetensors", tmp_path / "sprung"
    disguised.write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(UserError, match=r"best\.safetensors holds no weights that can be read"):
        load_weights(disguised, {"a": nn.Linear(1, 1)})
    assert not sprung.exists()
    pickle.loads(disguised.read_bytes())
    assert sprung.exists(), "the trap works where a pickle is loaded"


def refusal(path: Path, module: nn.Module) -> str:
    with pytest.raises(UserError) as caught:
        load_weights(path, {"net": module})
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_weights_come_back(tmp_path: Path) -> None:
    one, other = nn.Linear(2, 3), nn.Linear(2, 3)
    save_weights(tmp_path, "best", {"net": one})
    load_weights(tmp_path / "best.safetensors", {"net": other})
    assert torch.equal(one.weight, other.weight)
    assert torch.equal(one.bias, other.bias)


def test_weights_of_another_shape_are_refused_in_one_line(tmp_path: Path) -> None:
    save_weights(tmp_path, "best", {"net": nn.Linear(2, 3)})
    assert "size mismatch for weight" in refusal(tmp_path / "best.safetensors", nn.Linear(2, 4))


def test_a_missing_tensor_is_refused_by_name(tmp_path: Path) -> None:
    save_weights(tmp_path, "best", {"net": nn.Linear(2, 3, bias=False)})
    assert "bias" in refusal(tmp_path / "best.safetensors", nn.Linear(2, 3))


def test_an_unknown_tensor_is_refused_by_name(tmp_path: Path) -> None:
    save_file({"net.weight": torch.zeros(3, 2), "net.extra": torch.zeros(1)}, tmp_path / "best.safetensors")
    assert "extra" in refusal(tmp_path / "best.safetensors", nn.Linear(2, 3, bias=False))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    refusal(tmp_path / "none.safetensors", nn.Linear(1, 1))


def test_tied_parameters_count_once_and_frozen_ones_not_at_all() -> None:
    tied = nn.ModuleList([nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False), nn.Linear(3, 5, bias=False)])
    tied[1].weight = tied[0].weight
    tied[2].weight.requires_grad_(False)
    assert parameters(tied) == 9


def test_the_first_parameter_with_a_bad_value_or_gradient_is_named() -> None:
    net = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    assert first_bad_parameter({"net": net}) is None
    net[1].bias.grad = torch.tensor([torch.inf])
    assert first_bad_parameter({"net": net}) == "net.1.bias"
    net[0].weight.data.fill_(torch.nan)
    assert first_bad_parameter({"net": net}) == "net.0.weight"
