"""Trials of one's own, what is refused before anything is written, and the small networks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from workings.core.errors import UserError
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.circulant.experiment import LONGEST, cycle_lengths, validate
from workings.studies.circulant.layers import GALLERY, GRID, blur_pool, build, grid_shifts, photograph_like, picture
from workings.studies.circulant.study import LAYERS, NETWORKS, Config

BAD: list[tuple[dict[str, Any], str]] = [
    ({"w": ""}, "w is ''"),
    ({"w": "1 two"}, "w holds 'two'"),
    ({"w": "1 nan"}, "w holds 'nan'"),
    ({"w": "1 inf"}, "w holds 'inf'"),
    ({"w": "1 2; 3 4"}, "write one row"),
    ({"w": "1 " * (LONGEST + 1)}, "1,001 numbers"),
    ({"permutation": "1 1 0"}, "each of 0 … 2 once"),
    ({"permutation": "1 2 3"}, "each of 0 … 2 once"),
    ({"permutation": "0.5 0"}, "each of 0 … 1 once"),
    ({"permutation": "a b"}, "permutation holds 'a'"),
    ({"permutation": " ".join(map(str, range(LONGEST + 1)))}, "1,001 numbers"),
    ({"every_n": 65}, "from 1 to 64"),
    ({"every_n": -1}, "from 1 to 64"),
    ({"layer": "zero", "size": 3}, "4 to 256 pixels"),
    ({"layer": "zero", "size": 10**6}, "4 to 256 pixels"),
    ({"layer": "zero", "shifts": 0}, "shifts is 0"),
    ({"layer": "zero", "shifts": 10**9}, "from 1 to 10,000"),
    ({"layer": "zero", "seed": -1}, "seed is -1"),
    ({"network": "resnet18", "size": 32}, "64 to 512 pixels"),
    ({"network": "resnet18", "layer": "zero"}, "layer and network are both given"),
    ({"permutation": "1 0", "timing": True}, "permutation and timing are both given"),
    ({"permutation": "1 0", "w": "1 2 3"}, "w and permutation are both given"),
]


@pytest.mark.parametrize(("fields", "words"), BAD)
def test_nonsense_is_refused_in_one_line(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        validate(Config(**fields))
    assert "\n" not in str(caught.value)


def test_and_leaves_no_trace(store: RunStore, home: Path) -> None:
    with pytest.raises(UserError):
        carry_out(find("circulant"), [Config(permutation="0 0")], store)
    assert not home.exists()


def result(store: RunStore, **fields: Any) -> dict[str, str]:
    (outcome,) = carry_out(find("circulant"), [Config(**fields)], store)
    found: dict[str, str] = outcome.run.table("result")
    return found


def test_a_filter_of_ones_own(store: RunStore) -> None:
    found = result(store, w="1, 1/2, 0")
    assert found["row 0"] == "1 0 0.5"
    assert found["invertible"].startswith("yes, condition number 1.7")  # 3/2 over |1 + e^{2πi/3}/2| = √3/2
    assert result(store, w="1 1 1 1")["invertible"] == "no: the DFT vanishes at k = 1, 2, 3"
    assert "row 0" not in result(store, w=" ".join(["1"] * 9))
    assert result(store, w="0")["eigenvalues"] == "0"


def test_a_permutation_of_ones_own(store: RunStore) -> None:
    found = result(store, permutation="1 0 2")
    assert found["cycles"] == "of lengths 2, 1"
    assert found["commuting with P"] == "a space of dimension 5 among the 9 of all matrices"
    assert [found[f"row {i}"] for i in range(3)] == ["a b c", "b a c", "d d e"]
    assert cycle_lengths([2, 1, 4, 3, 0]) == [3, 1, 1]


def test_a_layer_of_ones_own(store: RunStore) -> None:
    (outcome,) = carry_out(find("circulant"), [Config(layer="max-pool", size=9, shifts=7, seed=5)], store)
    assert outcome.run.array("shifts").shape == (7, 2)
    assert outcome.run.array("errors").shape == (1, 7)
    assert outcome.run.table("layers")[0]["stride"] == [2.0, 2.0]


@pytest.mark.parametrize("layer", LAYERS)
def test_the_networks_round_nothing(layer: Any) -> None:
    """In float32 and in float64 the answers are the same, and chance is left alone."""
    before = torch.get_rng_state()
    network, x = build(layer, 8, 3).eval(), picture(8, 3)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.no_grad():
        exact = network(x)
        assert torch.equal(exact.float(), network.float()(x.float()))
    assert tuple(GALLERY) == LAYERS
    assert exact.any()


def test_the_blur_keeps_the_mean_and_halves_the_sides() -> None:
    x = torch.randint(-8, 9, (1, 3, 6, 6), generator=torch.Generator().manual_seed(0)).float()
    y = blur_pool(3)(x)
    assert y.shape == (1, 3, 3, 3)
    centre = (x[0, 1, 1:4, 1:4] * torch.tensor([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16).sum()
    assert y[0, 1, 1, 1] == centre


def test_noise_has_the_spectrum_of_photographs() -> None:
    x = photograph_like((2, 64, 64), 0)
    assert x.shape == (1, 2, 64, 64)
    torch.testing.assert_close(x.mean((2, 3)), torch.zeros(1, 2), atol=1e-6, rtol=0)
    torch.testing.assert_close(x.std((2, 3), correction=0), torch.ones(1, 2))
    power = torch.fft.fft2(x).abs().square().mean((0, 1))
    low, high = (power[k, :].mean() + power[:, k].mean() for k in (2, 16))
    assert 10 < low / high < 200
    assert photograph_like((1, 1, 5), 0).isfinite().all()
    assert photograph_like((3, 7), 0).shape == (1, 3, 7)


def test_half_of_a_networks_shifts_suit_its_strides() -> None:
    found = np.array(grid_shifts(224, 64, 0))
    suits = (found % GRID == 0).all(-1)
    assert (len(found), suits.sum(), len({tuple(shift) for shift in found.tolist()})) == (64, 32, 64)
    assert np.abs(found).max() <= 112
    assert not (found == 0).all(-1).any()


@pytest.mark.parametrize("network", NETWORKS)
def test_a_networks_audit_runs(store: RunStore, network: Any) -> None:
    (outcome,) = carry_out(find("circulant"), [Config(network=network, size=64, shifts=2)], store)
    assert outcome.run.table("layers")[-1]["shape"] == [1, 1000]
    assert np.isfinite(outcome.run.array("errors")).all()
