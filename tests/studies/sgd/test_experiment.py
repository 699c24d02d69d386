"""A person's own terms: what is told, and what is refused."""

import math
from pathlib import Path

import pytest

from workings.core.errors import UserError
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.sgd.experiment import validate
from workings.studies.sgd.study import Config
from workings.studies.sgd.tool import rises


def test_own_terms_are_told_in_words(store: RunStore) -> None:
    config = Config(f=("2*w**2", "(w-3)**2"), eta=0.1, walks=4, steps=50)
    (outcome,) = carry_out(find("sgd"), [config], store)
    result = outcome.run.table("result")
    assert result["minimiser"] == "w = 1, where f = 6"
    assert result["a step on 2*w**2"] == "raises f for 0 < w < 5/4"
    assert result["a step on (w-3)**2"] == "raises f for 7/9 < w < 3"


def test_a_walk_that_runs_away_is_told_and_kept(store: RunStore) -> None:
    (outcome,) = carry_out(find("sgd"), [Config(eta=50.0, walks=4, steps=500)], store)
    assert outcome.run.table("result")["noise"] == "the walk does not settle at this step size"
    assert "noise/measured" not in outcome.run.metrics


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (Config(f=()), "0 terms given"),
        (Config(f=("w**2",) * 101), "101 terms given"),
        (Config(f=("w**2", "w")), "term 2: 'w' is no parabola"),
        (Config(f=("-w**2",)), "opens upwards"),
        (Config(f=("x**2",)), "term 1: .*x"),
        (Config(f=("w**2 +",)), "term 1: "),
        (Config(f=("9**9**9*w**2",)), "term 1: "),
        (Config(f=("__import__('os')",)), "term 1: "),
        (Config(f=("pi*w**2",)), "no fractions"),
        (Config(f=("",)), "term 1: "),
        (Config(eta=0.0), "eta is 0.0"),
        (Config(eta=-0.1), "eta is -0.1"),
        (Config(eta=math.nan), "eta is nan"),
        (Config(eta=math.inf), "eta is inf"),
        (Config(start=math.inf), "start is inf"),
        (Config(start=math.nan), "start is nan"),
        (Config(steps=1), "steps is 1"),
        (Config(steps=10**9), "steps is 1000000000"),
        (Config(walks=1), "walks is 1"),
        (Config(steps=100_000, walks=4_096), "too many"),
    ],
)
def test_bad_input_is_one_line(config: Config, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        validate(config)
    assert "\n" not in str(error.value)


def test_the_tool_says_where_and_draws(tmp_path: Path) -> None:
    found = rises(eta=0.5, output=tmp_path / "rises.png")
    assert found.rises == {"0.5*(w - 2)**2": "0 < w < 2", "0.5*(w + 1)**2": "-1 < w < 1"}
    assert found.noise == "3/4 = 0.75"
    assert (tmp_path / "rises.png").read_bytes().startswith(b"\x89PNG")
    assert "minimiser: w = 1/2" in str(found)


def test_the_tool_refuses(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no picture file"):
        rises(output=tmp_path / "rises.txt")
    with pytest.raises(UserError, match="term 1"):
        rises(f=("w",))
