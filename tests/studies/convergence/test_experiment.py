"""Bad input is explained in one line and leaves nothing behind; good input of one's own is carried out."""

import re
from typing import Any

import pytest

from workings.core.errors import UserError
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.convergence.experiment import validate
from workings.studies.convergence.study import Config
from workings.studies.convergence.tool import bound, lemma, worst_case

STUDY = find("convergence")
NAN, INF = float("nan"), float("inf")

BAD: list[tuple[dict[str, Any], str]] = [
    ({"T": ()}, "T is empty: give numbers of steps"),
    ({"T": (0,)}, "T is 0: give numbers of steps from 1"),
    ({"T": (-4, 16)}, "T is -4, 16"),
    ({"T": (10**9,)}, "from 1 to 100,000"),
    ({"T": tuple(range(1, 1000))}, "steps in all: 100,000 at most"),
    ({"function": "worst", "T": (4000,)}, "path of 16,000,000 numbers"),
    ({"function": "worst", "dimension": 3}, "as many variables as steps: leave --dimension out"),
    ({"dimension": 2}, "absolute is a function of one variable"),
    ({"function": "norm", "dimension": 0}, "dimension is 0"),
    ({"function": "norm", "dimension": 10**6}, "dimension is 1000000"),
    ({"B": 0.0}, "B is 0: give a number from 1e-06"),
    ({"B": -1.0}, "B is -1"),
    ({"B": NAN}, "B is nan"),
    ({"B": INF}, "B is inf"),
    ({"c": 0.0}, "c is 0"),
    ({"c": -2.0}, "c is -2"),
    ({"c": 1e300}, r"c is 1e\+300"),
    ({"rho": 2.0}, "--rho belongs to a function of one's own"),
    ({"seed": -1}, "seed is -1"),
    ({"part": "lemma", "function": "hinge"}, "part lemma does not read function: it takes T, dimension, seed"),
    ({"part": "lemma", "T": (65,)}, "from 1 to 64"),
    ({"part": "prox", "c": 2.0}, "part prox does not read c"),
    ({"part": "worst-case", "B": 2.0}, "part worst-case does not read B"),
    ({"part": "worst-case", "T": (31,)}, "from 1 to 30"),
    ({"f": "abs(w - 3)", "function": "hinge"}, "--function does not go with --f"),
    ({"f": "abs(w - 3)", "ties": "last"}, "--ties does not go with --f"),
    ({"f": "abs(w - 3)", "T": (30_000,)}, "20,000 at most"),
    ({"f": "abs(w - 3)", "rho": NAN}, "rho is nan"),
    ({"f": "abs(w -"}, r"'\(' is never closed at column 4"),
    ({"f": "__import__('os')"}, "unexpected"),
    ({"f": "3"}, "has 0 variables"),
    ({"f": "+".join(f"abs(w{i} - 1)" for i in range(9))}, "has 9 variables: give it between one and 8"),
    ({"f": "log(w)"}, "no value at w = 0, where the method starts"),
    ({"f": "w**2"}, "is least at the start"),
    ({"f": "0*w", "B": 1.0}, "is flat"),
    ({"f": "2*w"}, "keeps falling far from 0 .* give --B"),
    ({"f": "1/(w - 2)"}, "is not convex"),
    ({"f": "-abs(w - 1)"}, "is not convex: at w = .* and w = .* its mean is"),
    ({"f": "w**3", "B": 1.0}, "is not convex"),
    ({"f": "exp(x) - 30*x + 0*y", "B": 30.0}, "is as steep as .* give a smaller --B"),
    ({"f": "-log(1 - w) + 3*abs(w - 0.5)", "B": 1.0}, "has no value at w = .* give a smaller --B"),
]


@pytest.mark.parametrize(("fields", "words"), BAD, ids=[words[:40] for _, words in BAD])
def test_bad_input_is_explained(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        validate(Config(**fields))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (Config(f="2*abs(w - 3)", rho=1.0), "the slope of f is 2, steeper than rho = 1"),
        # At w = 1 autograd adds the slopes 0 and 0 of two kinks that cancel: −2, where f falls by 1.
        (Config(f="relu(w-1) - relu(1-w) + 2*abs(w-4)", T=(16,)), "no subgradient by autograd at w = 1"),
    ],
)
def test_what_only_the_path_shows_is_refused_and_leaves_nothing(config: Config, words: str, store: RunStore) -> None:
    validate(config)
    with pytest.raises(UserError, match=words):
        carry_out(STUDY, [config], store)
    assert store.runs("convergence") == ()


def test_the_witness_against_convexity_is_one() -> None:
    with pytest.raises(UserError) as error:
        validate(Config(f="w**3 - w"))
    a, b, mean, middle = (float(x) for x in re.findall(r"(?:w = |is )(-?[\d.]+)", str(error.value)))
    assert (a**3 - a + b**3 - b) / 2 == pytest.approx(mean, rel=1e-4)
    between = (a + b) / 2
    assert between**3 - between == pytest.approx(middle, rel=1e-4)
    assert middle > mean


@pytest.mark.parametrize(
    ("f", "B"),
    [
        ("abs(w - 3)", None),
        ("sqrt((x - 3)**2 + (y - 4)**2)", None),
        ("sqrt(x**2 + y**2) + 3*abs(x - 1)", None),
        ("log(1 + exp(-x)) + 0.1*x", None),
        ("exp(-w)", 2.0),
        ("max(abs(x - 1), abs(y - 1))", None),
    ],
)
def test_a_function_of_ones_own_keeps_to_the_bound(f: str, B: float | None, store: RunStore) -> None:
    (outcome,) = carry_out(STUDY, [Config(f=f, B=B, T=(9, 25))], store)
    for row in outcome.run.table("horizons"):
        assert row["gap"] <= row["mean_gap"] + 1e-12 <= row["linear"] + 2e-12 <= row["bound"] + 3e-12
    assert outcome.run.metric("slack") >= -1e-9


def test_the_tools_worked_by_hand() -> None:
    assert (plan := bound(2.0, 0.1, 5.0)).steps == 10_000
    assert plan.eta == pytest.approx(0.025)
    assert "10,000 steps of size η = 0.025" in str(plan)
    sides = lemma("1 0; 0 2; -1 1", "3 1", 0.5)
    assert (sides.left, sides.right, sides.remainder) == ("-7/2", "47/4", "61/4")
    assert "-7/2" in str(sides)


def test_the_worst_case_tool_scales() -> None:
    pytest.importorskip("PEPit")
    found = worst_case(4, B=1e-3, rho=1e4)
    assert found.worst == pytest.approx(5.0, rel=1e-3)
    assert found.bound == pytest.approx(5.0)
    assert "PEPit" in str(found)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bound(0.0, 0.1), "rho is 0"),
        (lambda: bound(1.0, NAN), "accuracy is nan"),
        (lambda: bound(1.0, 0.1, INF), "B is inf"),
        (lambda: worst_case(0), "T is 0"),
        (lambda: worst_case(1000), "T is 1000: give a number of steps from 1 to 30"),
        (lambda: worst_case(4, c=-1.0), "c is -1"),
        (lambda: lemma("1 0; 2", "1 1", 0.5), "rows of numbers of equal length"),
        (lambda: lemma("1 0; 0 1", "1 1 1", 0.5), "w-star has 3 numbers and each v_t 2"),
        (lambda: lemma("1 nan", "1 1", 0.5), "v holds 'nan'"),
        (lambda: lemma("1 0", "1 1", 0.0), "eta is 0"),
        (lambda: lemma(";".join(["1"] * 65), "1", 0.5), "64 at most"),
    ],
)
def test_the_tools_explain_bad_input(call: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        call()
