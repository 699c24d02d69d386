"""Seeds, orders, devices and threads."""

import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workings.core.errors import UserError
from workings.train.runtime import derive, generator, prepare, processors, reseed, shuffled_batches

PLACES = st.lists(st.integers(0, 100) | st.sampled_from(["weights", "order", "step"]), max_size=3).map(tuple)


def test_seeds_are_the_same_on_every_machine_and_in_every_version() -> None:
    """Pinned: another value here means that every recorded run would come out differently."""
    assert derive(0) == 5254295370254170289
    assert derive(0, "order", 3) == 8483304753239185838
    assert torch.cat(shuffled_batches(8, 3, seed=1, epoch=2)).tolist() == [5, 2, 4, 1, 3, 6, 0, 7]


@given(seed=st.integers(-5, 2**40), place=PLACES)
def test_a_seed_fits_every_generator(seed: int, place: tuple[str | int, ...]) -> None:
    assert 0 <= derive(seed, *place) < 2**63
    assert generator(seed, *place).initial_seed() == derive(seed, *place)


@given(a=st.tuples(st.integers(0, 9), PLACES), b=st.tuples(st.integers(0, 9), PLACES))
def test_equal_places_alone_have_equal_seeds(
    a: tuple[int, tuple[str | int, ...]], b: tuple[int, tuple[str | int, ...]]
) -> None:
    assert (derive(a[0], *a[1]) == derive(b[0], *b[1])) == (a == b)


def test_the_number_1_and_the_text_1_are_different_places() -> None:
    assert derive(0, 1) != derive(0, "1")


@given(count=st.integers(1, 60), size=st.integers(1, 20), seed=st.integers(0, 99), epoch=st.integers(0, 99))
def test_batches_hold_every_index_once_and_are_full_but_the_last(count: int, size: int, seed: int, epoch: int) -> None:
    batches = shuffled_batches(count, size, seed, epoch)
    assert sorted(torch.cat(batches).tolist()) == list(range(count))
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert len(batches) == -(-count // size)


def order(seed: int, epoch: int) -> list[int]:
    return torch.cat(shuffled_batches(100, 7, seed, epoch)).tolist()


def test_an_epoch_s_order_does_not_depend_on_what_was_drawn_before() -> None:
    forwards = [order(0, epoch) for epoch in range(4)]
    torch.rand(10)
    backwards = [order(0, epoch) for epoch in reversed(range(4))]
    assert forwards == backwards[::-1]


def test_other_epochs_and_other_seeds_have_other_orders() -> None:
    orders = [order(seed, epoch) for seed in range(3) for epoch in range(3)]
    assert len({tuple(o) for o in orders}) == 9


def test_the_global_generator_is_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(())
    torch.manual_seed(5)
    order(0, 0)
    generator(0, "nucleus").manual_seed(1)
    assert torch.rand(()) == expected


def test_reseeding_the_cpu_draws_what_torch_s_own_seeding_draws() -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    reseed(11, torch.device("cpu"))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("device", ["banana", "cuda:99", "cpu:x"])
def test_a_device_that_is_not_there_is_named_with_a_remedy(device: str) -> None:
    with pytest.raises(UserError, match=f"device '{device}' cannot be used here.*--device cpu or auto") as caught:
        prepare({"device": device})
    assert "\n" not in str(caught.value)


@pytest.fixture
def threads() -> None:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("settings", "expected"), [({"threads": 1}, 1), ({"threads": 3}, 3), ({}, processors())])
def test_threads_are_those_asked_for_or_one_a_processor(settings: dict[str, int], expected: int) -> None:
    assert prepare({"device": "cpu", **settings}) == torch.device("cpu")
    assert torch.get_num_threads() == expected


@pytest.mark.parametrize(("own", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_importing_the_package_settles_how_threads_wait_before_torch_loads(own: str | None, expected: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    environment |= {} if own is None else {"OMP_WAIT_POLICY": own}
    script = "import os, sys, workings; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [expected, "False"]
