"""Sums of parabolas: steps by hand, the closed form against the step itself, the noise against long walks."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workings.expressions import ExpressionError
from workings.studies.sgd.model import Loss, Parabola, contains, full_batch, mean_square_noise, raises, walks

SHEET = Loss((Parabola(Fraction(1), Fraction(2)), Parabola(Fraction(1), Fraction(-1))))
numbers = st.fractions(-20, 20, max_denominator=50)
parabolas = st.tuples(st.fractions(Fraction(1, 50), 10, max_denominator=50), numbers, numbers)
several = st.lists(parabolas, min_size=1, max_size=5)


def made(terms: list[tuple[Fraction, Fraction, Fraction]]) -> Loss:
    return Loss(tuple(Parabola(*term) for term in terms))


etas = st.fractions(Fraction(1, 100), 10, max_denominator=100)


def test_the_sheets_numbers_by_hand() -> None:
    assert SHEET.minimiser == Fraction(1, 2)
    assert SHEET(Fraction(1, 2)) == Fraction(9, 4)
    for term in SHEET.terms:
        for eta in (Fraction(1, 10), Fraction(1), Fraction(19, 10)):
            after = term.step(Fraction(1, 2), eta)
            assert SHEET(after) - SHEET(Fraction(1, 2)) == Fraction(9, 4) * eta**2
            assert term(after) < term(Fraction(1, 2))


@pytest.mark.parametrize("eta", [Fraction(1, 10), Fraction(1, 2), Fraction(1), Fraction(3, 2)])
def test_the_sheets_intervals_are_those_of_its_study(eta: Fraction) -> None:
    assert raises(SHEET, SHEET.terms[0], eta) == (((1 - 2 * eta) / (2 - eta), Fraction(2)),)
    assert raises(SHEET, SHEET.terms[1], eta) == ((Fraction(-1), (1 + eta) / (2 - eta)),)


def test_where_a_step_lands_on_the_other_side_the_set_is_unbounded() -> None:
    assert raises(SHEET, SHEET.terms[0], Fraction(2)) == ((None, Fraction(2)),)
    assert raises(SHEET, SHEET.terms[1], Fraction(2)) == ((Fraction(-1), None),)
    assert raises(SHEET, SHEET.terms[0], Fraction(4)) == ((None, Fraction(2)), (Fraction(7, 2), None))


def test_a_single_term_is_raised_only_by_steps_that_overshoot() -> None:
    alone = Loss((Parabola(Fraction(1), Fraction(3)),))
    assert raises(alone, alone.terms[0], Fraction(1)) == ()
    assert raises(alone, alone.terms[0], Fraction(2)) == ()
    assert raises(alone, alone.terms[0], Fraction(3)) == ((None, Fraction(3)), (Fraction(3), None))


@given(several, etas, numbers, st.integers(0, 4))
def test_the_closed_form_is_the_sign_of_the_change(
    terms: list[tuple[Fraction, Fraction, Fraction]], eta: Fraction, w: Fraction, which: int
) -> None:
    loss = made(terms)
    term = loss.terms[which % len(loss.terms)]
    intervals = raises(loss, term, eta)
    ends = [end for interval in intervals for end in interval if end is not None]
    for point in [w, *ends, *(end + Fraction(1, 10**6) for end in ends), *(end - Fraction(1, 10**6) for end in ends)]:
        assert contains(intervals, point) == (loss(term.step(point, eta)) > loss(point))


@given(several)
def test_the_minimiser_is_where_the_sum_is_flat(terms: list[tuple[Fraction, Fraction, Fraction]]) -> None:
    loss = made(terms)
    m = loss.minimiser
    assert loss(m + 1) == loss(m - 1) > loss(m)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0.5*(w - 2)**2", Parabola(Fraction(1), Fraction(2))),
        ("w**2", Parabola(Fraction(2), Fraction(0))),
        ("2*w*w - 4*w + 5", Parabola(Fraction(4), Fraction(1), Fraction(3))),
        ("(w+1)**2/3 + 0.1", Parabola(Fraction(2, 3), Fraction(-1), Fraction(1, 10))),
        ("w**3 - w**3 + w**2", Parabola(Fraction(2), Fraction(0))),
    ],
)
def test_terms_are_read_exactly(text: str, wanted: Parabola) -> None:
    assert Parabola.parse(text) == wanted


@pytest.mark.parametrize(
    "text", ["w", "3", "-w**2", "w**3", "abs(w)", "sin(w)**2", "w**2 + exp(w)", "pi*w**2", "1/w**2"]
)
def test_what_is_no_upward_parabola_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"parabola that opens upwards|no fractions"):
        Parabola.parse(text)


def test_another_variable_is_pointed_at() -> None:
    with pytest.raises(ExpressionError, match="x"):
        Parabola.parse("x**2")


def test_walks_take_the_steps_that_torch_takes() -> None:
    order = np.random.default_rng(0).integers(2, size=(30, 3))
    ours = walks(SHEET, 0.3, 1.7, order)
    for walk in range(3):
        w = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
        descent = torch.optim.SGD([w], lr=0.3)
        for t, which in enumerate(order[:, walk]):
            descent.zero_grad()
            (0.5 * (w - (2.0, -1.0)[which]) ** 2).backward()
            descent.step()
            assert ours[t + 1, walk] == pytest.approx(w.item(), rel=1e-12)
    assert walks(SHEET, 0.3, 1.7, np.zeros((0, 3), int)).tolist() == [[1.7] * 3]


def test_descent_on_the_whole_is_torchs() -> None:
    w = torch.tensor(-4.0, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.SGD([w], lr=0.3)
    for step, ours in enumerate(full_batch(SHEET, 0.3, -4.0, 20)):
        assert ours == pytest.approx(w.item(), rel=1e-9), step
        descent.zero_grad()
        (0.5 * (w - 2) ** 2 + 0.5 * (w + 1) ** 2).backward()
        descent.step()


@pytest.mark.parametrize("eta", [Fraction(1, 20), Fraction(1, 2), Fraction(3, 2)])
def test_the_noise_of_the_sheets_walk_is_as_by_hand(eta: Fraction) -> None:
    assert mean_square_noise(SHEET, eta) == 9 * eta / (4 * (2 - eta))


def test_the_noise_is_that_of_long_walks() -> None:
    loss = Loss(
        (Parabola(Fraction(4), Fraction(1)), Parabola(Fraction(1, 2), Fraction(-3)), Parabola(Fraction(1), Fraction(0)))
    )
    order = np.random.default_rng(1).integers(3, size=(1_000, 2_000))
    away = walks(loss, 0.2, 0.0, order)[500:] - float(loss.minimiser)
    each = np.square(away).mean(axis=0)
    predicted = mean_square_noise(loss, Fraction(1, 5))
    assert predicted is not None
    assert abs(each.mean() - float(predicted)) < 4 * each.std(ddof=1) / np.sqrt(len(each))


def test_a_step_too_long_leaves_no_stationary_walk() -> None:
    assert mean_square_noise(SHEET, Fraction(2)) is None
    assert mean_square_noise(SHEET, Fraction(199, 100)) is not None
