"""What names a run, and what does not."""

import dataclasses
import os
import string
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workings.core.config import (
    from_json,
    identity,
    length,
    length_field,
    source,
    source_fields,
    stable_hash,
    to_json,
)
from workings.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Config:
    method: Literal["gda", "extragradient"] = "gda"
    eta: float = 0.1
    clip: float | None = None
    start: tuple[float, ...] = (1.0, 1.0)
    box: tuple[float, ...] | None = None
    shape: tuple[int, ...] = (3, 32)
    names: tuple[str, ...] = ()
    decay: bool = False
    hidden: int = 8
    data: str = source("apples", role="fruit")
    epochs: int = length(2)


finite = st.floats(allow_nan=False, allow_infinity=False)
CONFIGS = st.builds(
    Config,
    method=st.sampled_from(["gda", "extragradient"]),
    eta=finite,
    clip=st.none() | finite,
    start=st.lists(finite, max_size=4).map(tuple),
    box=st.none() | st.lists(finite, max_size=2).map(tuple),
    shape=st.lists(st.integers(), max_size=4).map(tuple),
    names=st.lists(st.text(), max_size=3).map(tuple),
    decay=st.booleans(),
    hidden=st.integers(),
    data=st.text(alphabet=string.printable),
    epochs=st.integers(),
)


@given(CONFIGS)
def test_a_configuration_comes_back_from_json_as_it_was(config: Config) -> None:
    assert from_json(Config, to_json(config)) == config


@given(CONFIGS, st.text(), st.integers())
def test_length_and_source_are_no_part_of_the_identity(config: Config, data: str, epochs: int) -> None:
    assert identity(dataclasses.replace(config, data=data, epochs=epochs)) == identity(config)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "extragradient"},
        {"eta": 0.2},
        {"clip": 1.0},
        {"start": (1.0, 2.0)},
        {"box": ()},
        {"shape": (3,)},
        {"names": ("a",)},
        {"decay": True},
        {"hidden": 9},
    ],
)
def test_every_other_field_is(change: dict[str, Any]) -> None:
    assert stable_hash(identity(Config(**change))) != stable_hash(identity(Config()))


@pytest.mark.parametrize(
    ("whole", "real"),
    [
        ({"eta": 1}, {"eta": 1.0}),
        ({"clip": 2}, {"clip": 2.0}),
        ({"start": (1, 2)}, {"start": (1.0, 2.0)}),
        ({"box": (0, 1)}, {"box": (0.0, 1.0)}),
        ({"eta": -0.0}, {"eta": 0.0}),
    ],
)
def test_equal_values_name_one_run(whole: dict[str, Any], real: dict[str, Any]) -> None:
    assert stable_hash(identity(Config(**whole))) == stable_hash(identity(Config(**real)))


def test_a_hash_once_given_stands() -> None:
    """Written down from sha256sum: were it to change, every run made so far would be orphaned."""
    # printf '{"a":[1.0,"\\u03b7"],"b":null}' | sha256sum
    assert stable_hash({"b": None, "a": [1.0, "η"]}) == "a62c3accd1a6"


def test_the_hash_is_the_same_in_every_process() -> None:
    program = (
        "from toy.study import STUDY, Config\nfrom workings.core.study import Trial\n"
        "print(Trial.of(STUDY, Config(gain=0.1)).id)"
    )
    path = os.pathsep.join(sys.path)
    ids = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(ids) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_the_users_mistake(value: float) -> None:
    with pytest.raises(UserError, match=r"eta is (nan|inf): give a finite number"):
        to_json(Config(eta=value))


def test_what_is_neither_number_string_nor_tuple_is_refused() -> None:
    with pytest.raises(TypeError, match="'eta' holds dict"):
        to_json(Config(eta={}))  # type: ignore[arg-type]


def test_unknown_fields_and_choices_are_refused() -> None:
    with pytest.raises(TypeError):
        from_json(Config, {"etta": 1.0})
    with pytest.raises(TypeError, match="adam"):
        from_json(Config, {"method": "adam"})


def test_fields_say_what_they_are() -> None:
    assert length_field(Config) == "epochs"
    assert source_fields(Config()) == {"data": "fruit"}


def test_a_run_has_one_length() -> None:
    @dataclass(frozen=True)
    class Two:
        epochs: int = length(1)
        steps: int = length(1)

    with pytest.raises(TypeError, match="2 length fields"):
        length_field(Two)
