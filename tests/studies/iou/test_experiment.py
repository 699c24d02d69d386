"""Bad input is refused before anything is written; a run of one's own tells what it found."""

from pathlib import Path

import pytest
import torch

from workings.core.errors import UserError
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.iou.descent import descend, framed, grid, overlapping, target
from workings.studies.iou.experiment import validate
from workings.studies.iou.model import iou
from workings.studies.iou.study import STUDY, Config


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"a": ""}, "a is ''"),
        ({"a": "0 0 2"}, "a holds 3 numbers"),
        ({"b": "0 0 2 2 2"}, "b holds 5 numbers"),
        ({"a": "0 0 2 two"}, "a holds 'two'"),
        ({"a": "0 0 nan 2"}, "a holds 'nan'"),
        ({"b": "0 0 inf 2"}, "b holds 'inf'"),
        ({"a": "0 0 2 2; 1 1 3 3"}, "one row"),
        ({"a": "2 0 0 2"}, "x2 = 0 below x1 = 2"),
        ({"b": "0 2 2 0"}, "y2 = 0 below y1 = 2"),
        ({"b": "1 1 1 3"}, "b has a side of 0"),
        ({"a": "0 0 1e-10 1"}, "a has a side of 1e-10"),
        ({"a": "1e9 1e9 1000000000.5 1000000003"}, "a has a side of 0.5: give 0, or 1 and more"),
        ({"a": "0 0 1e101 1"}, "reaches 1e[+]101"),
        ({"a": "0 0 1 1", "b": "100000 0 100001 1"}, "reach over 1e[+]05 times the side of b"),
        ({"eta": 0.0}, "eta is 0.0"),
        ({"eta": -1.0}, "eta is -1.0"),
        ({"eta": float("nan")}, "eta is nan"),
        ({"eta": float("inf")}, "eta is inf"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 10**9}, "steps is 1000000000"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_input_is_refused_and_leaves_no_trace(fields: dict[str, object], words: str, home: Path) -> None:
    with pytest.raises(UserError, match=words):
        validate(Config(**fields))  # type: ignore[arg-type]
    with pytest.raises(UserError, match=words):
        carry_out(STUDY, [Config(**fields)], RunStore(home))  # type: ignore[arg-type]
    assert not list(home.rglob("run.json"))


def test_a_run_tells_a_person_what_it_found(store: RunStore) -> None:
    (outcome,) = carry_out(STUDY, [Config(a="0 1 3 3", b="0 0 2 2", loss="giou", steps=30)], store)
    result = outcome.run.table("result")
    assert result["IoU"] == "1/4 = 0.25"
    assert result["union"] == "8"
    assert result["kink of IoU here"].startswith("along x1 its slope is ")
    assert result["GIoU"] == f"{1 / 4 - 1 / 9:.6g}"
    assert "gradient of 1 − GIoU in a" in result
    assert set(outcome.run.table("pair")["kinks"]) == {"x1"}


def test_a_box_without_area_may_start(store: RunStore) -> None:
    (outcome,) = carry_out(STUDY, [Config(a="1 1 1 2", steps=5)], store)
    assert outcome.run.table("result")["IoU"] == "0"


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_units_do_not_matter(store: RunStore, unit: float) -> None:
    config = Config(a=f"0 0 {2 * unit} {2 * unit}", b=f"{unit} {unit} {3 * unit} {3 * unit}", loss="ciou", steps=50)
    (outcome,) = carry_out(STUDY, [config], store)
    (plain,) = carry_out(STUDY, [Config(loss="ciou", steps=50)], store)
    assert outcome.run.table("path")["final"] == pytest.approx(plain.run.table("path")["final"], abs=0.1)
    assert outcome.run.table("result")["IoU"].endswith("0.142857")


def test_one_step_of_descent_worked_by_hand() -> None:
    """From (0, 0, 2, 2) to (1, 1, 3, 3): I = 1, U = 7; −∂IoU = (−2, −2, −6, −6)/49, a direction of length √80."""
    a, b = torch.tensor([[0.0, 0, 2, 2], [1, 1, 3, 3]], dtype=torch.float64)
    found = descend("iou", a[None], b, "diminishing", 0.5, 1)
    assert (found.path[1] - a).tolist() == pytest.approx([0.5 * part / 80**0.5 for part in (2, 2, 6, 6)])
    assert found.path[0].tolist() == a.tolist()
    assert found.moved.all()
    assert found.reached.tolist() == [-1]


def test_starts_lie_around_the_target_wherever_it_is() -> None:
    b = torch.tensor([100.0, -50, 104, -48], dtype=torch.float64)
    at = target(b)
    assert at.tolist() == pytest.approx([-(2**-0.5), -(2**-1.5), 2**-0.5, 2**-1.5])
    around = framed(grid(b), b)
    assert around.mean(dim=(0, 1, 2)).view(2, 2).sum(0).abs().max() < 1e-12
    assert (iou(framed(overlapping(b, 300, 0), b), at) > 0).all()
    for edge in (0, 2):  # no start shares an edge with the target or touches it: no tie to begin with
        for other in (0, 2):
            assert (around[..., edge : edge + 2] - at[other : other + 2]).abs().min() > 1e-3
