"""The mathematics of activations against other routes: closed forms, Monte Carlo, Stein's lemma, finite differences."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.modules import activation as torch_activations

from workings.core.errors import UserError
from workings.expressions import parse
from workings.studies.activations.catalogue import FORMULAS, LEFT_OUT, formula, module
from workings.studies.activations.centring import EVERY, build, train
from workings.studies.activations.depth import gradients, predicted
from workings.studies.activations.examination import examine, table
from workings.studies.activations.model import Activation, derivatives, elementwise, moments, read
from workings.studies.activations.study import SIGMOID, TWIN
from workings.studies.activations.symmetry import kinks, pieces, sides, symmetry
from workings.train.runtime import generator

ODD, EVEN = -1, 1
Z = np.random.default_rng(0).standard_normal(400_000)
MONTE_CARLO = 5 / math.sqrt(len(Z))
"""Five standard errors of a mean whose terms have variance 1."""


def f(text: str):  # type: ignore[no-untyped-def]
    return parse(text, ["x"])


def test_torch_has_no_activation_that_is_neither_in_nor_left_out() -> None:
    assert set(torch_activations.__all__) == FORMULAS.keys() | LEFT_OUT.keys()
    assert not FORMULAS.keys() & LEFT_OUT.keys()


@pytest.mark.parametrize("name", FORMULAS)
def test_each_formula_is_its_module(name: str) -> None:
    x = torch.linspace(-30, 30, 6001, dtype=torch.float64)
    softplus = 3e-9 if name == "Softplus" else 0.0  # linear beyond 20 in torch: log(1 + e^-20) = 2.06e-9
    torch.testing.assert_close(module(name)(x), f(FORMULAS[name]).torch()(x), rtol=1e-12, atol=1e-13 + softplus)


@pytest.mark.parametrize("name", FORMULAS)
def test_symmetry_agrees_with_torch_on_a_grid(name: str) -> None:
    x = torch.linspace(0, 8, 801, dtype=torch.float64)
    g, mirrored = module(name)(x), module(name)(-x)
    assert symmetry(f(FORMULAS[name]), ODD).holds is bool((g + mirrored).abs().max() < 1e-14)
    assert symmetry(f(FORMULAS[name]), EVEN).holds is bool((g - mirrored).abs().max() < 1e-14)


@pytest.mark.parametrize("name", FORMULAS)
def test_one_sided_derivatives_agree_with_differences_of_the_module(name: str) -> None:
    g, h = module(name), 1e-4
    for side, sign in zip(sides(f(FORMULAS[name])), (-1, 1), strict=True):
        near = g(sign * torch.tensor([0.0, h, 2 * h, 3 * h], dtype=torch.float64)).tolist()
        slope = sign * (-3 * near[0] + 4 * near[1] - near[2]) / (2 * h)  # errs by h²·g‴/3
        curvature = (2 * near[0] - 5 * near[1] + 4 * near[2] - near[3]) / h**2  # errs by h²·g⁗
        assert side.value == pytest.approx(near[0], abs=1e-14)
        assert side.slope == pytest.approx(slope, abs=1e-7)
        assert side.curvature == pytest.approx(curvature, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "odd", "even"),
    [
        ("x", True, False),
        ("-1", False, True),
        ("0*x", True, True),
        ("1/x", True, False),
        ("sign(x)", True, False),
        ("sign(x)*max(0, sign(abs(x) - 1))", True, False),
        ("sqrt(abs(x))", False, True),
        ("log(x + sqrt(x**2 + 1))", True, False),
        ("sigmoid(x) - 1/2 - tanh(x/2)/2", True, True),
        ("sigmoid(x)*sigmoid(-x)", False, True),
        ("log(x)", False, False),
        ("max(x, min(0, x) + 2)", False, False),
        ("x + 1e-12*x**2", False, False),
        ("max(0, sign(x - 2)) - 1/2", False, False),
    ],
)
def test_symmetry_of_formulas_worked_by_hand(text: str, odd: bool, even: bool) -> None:
    assert (symmetry(f(text), ODD).holds, symmetry(f(text), EVEN).holds) == (odd, even)


def test_a_jump_at_the_cut_itself_is_not_overlooked() -> None:
    # x for |x| ≠ 1/7, and 0 or 1 there: 1/7 is no candidate for a witness, and the pieces on both sides are odd.
    lopsided = "x*sign(abs(x - 1/7))"
    assert symmetry(f(lopsided), ODD).holds is not True
    assert symmetry(f("x*sign(abs(abs(x) - 1/7))"), ODD).holds is True


@pytest.mark.parametrize("text", ["exp(exp(exp(exp(exp(x)))))", "max(tanh(x), x/2) + min(tanh(x), x/2)"])
def test_what_cannot_be_decided_is_said_to_be_so(text: str) -> None:
    assert symmetry(f(text), ODD).holds is None


@given(st.floats(-3, 3), st.floats(-3, 3), st.sampled_from(["tanh(x)", "x**3", "sin(x)", "x*abs(x)", "erf(x)"]))
@settings(max_examples=25, deadline=None)
def test_odd_functions_stay_odd_under_scaling_and_turn_when_shifted(a: float, b: float, text: str) -> None:
    a, b = round(a, 3), round(b, 3)
    scaled = f(f"({a!r})*({text})") if "e" not in repr(a) else f(text)
    assert symmetry(scaled, ODD).holds is True
    shifted = f(f"({text}) + ({b!r})") if "e" not in repr(b) else f(text)
    assert symmetry(shifted, ODD).holds is (b == 0 or "e" in repr(b))


def test_pieces_are_cut_where_a_clamp_switches() -> None:
    assert kinks(f("min(max(x, -1), 1)")) == [-1.0, 0.0, 1.0]
    assert kinks(f("max(exp(x) - 2, 0)")) == pytest.approx([0.0, math.log(2)])
    assert kinks(f("x*abs(sin(x))")) is None  # infinitely many
    assert len(pieces(f("2*x").sympy())) == 1


@pytest.mark.parametrize("name", FORMULAS)
def test_moments_agree_with_monte_carlo(name: str) -> None:
    x = torch.from_numpy(Z)
    g, slope = derivatives(module(name), x, 1).numpy()
    found = moments(module(name), kinks(f(FORMULAS[name])))
    for seen, draws in (
        (found.mean, g),
        (found.mean_square, g**2),
        (found.mean_slope, slope),
        (found.mean_square_slope, slope**2),
    ):
        assert seen == pytest.approx(draws.mean(), abs=MONTE_CARLO * draws.std() + 1e-12)


@pytest.mark.parametrize("name", sorted(FORMULAS.keys() - {"Hardshrink"}))
def test_steins_lemma_holds(name: str) -> None:
    """E g′(Z) = E Z g(Z) for every continuous g: integration by parts. Hardshrink jumps."""
    where = kinks(f(FORMULAS[name]))
    weighed = moments(lambda x: x * module(name)(x), where)
    found = moments(module(name), where)
    # The slope of torch's Hardsigmoid is the float32 number next to 1/6, in float64 too.
    assert found.mean_slope == pytest.approx(weighed.mean, abs=1e-8 if name == "Hardsigmoid" else 1e-12)


def test_moments_known_in_closed_form() -> None:
    relu = moments(module("ReLU"), [0.0])
    assert relu.mean == pytest.approx(1 / math.sqrt(2 * math.pi), rel=1e-14)
    assert relu.mean_square == pytest.approx(0.5, rel=1e-14)
    assert relu.mean_square_slope == pytest.approx(0.5, rel=1e-14)
    assert moments(module("Sigmoid")).mean == pytest.approx(0.5, rel=1e-14)
    selu = moments(module("SELU"), [0.0])  # made to have mean 0 and variance 1 (Klambauer et al. 2017)
    assert selu.mean == pytest.approx(0, abs=1e-9)
    assert selu.mean_square == pytest.approx(1, rel=1e-9)
    cube = moments(lambda x: x**3, scale=2.0)
    assert cube.mean_square == pytest.approx(15 * 2.0**6, rel=1e-12)
    hardtanh = moments(module("Hardtanh"), [-1.0, 1.0])
    assert hardtanh.mean_slope == pytest.approx(math.erf(1 / math.sqrt(2)), rel=1e-13)


@pytest.mark.parametrize("text", ["1/x", "exp(x**2)", "log(x)", "exp(exp(x))", "1/abs(x)"])
def test_a_mean_that_does_not_exist_is_none(text: str) -> None:
    assert moments(f(text).torch(), [0.0]).mean is None


@pytest.mark.parametrize("name", ["Tanh", "SiLU", "Mish", "Softplus", "LogSigmoid"])
def test_autograd_agrees_with_central_differences(name: str) -> None:
    x, h = torch.linspace(-4, 4, 41, dtype=torch.float64), 1e-4
    g = module(name)
    value, slope, curvature = derivatives(g, x)
    torch.testing.assert_close(value, g(x))
    torch.testing.assert_close(slope, (g(x + h) - g(x - h)) / (2 * h), rtol=0, atol=1e-7)
    torch.testing.assert_close(curvature, (g(x + h) - 2 * g(x) + g(x - h)) / h**2, rtol=0, atol=1e-6)


def test_derivatives_of_no_points_a_constant_and_what_torch_cannot() -> None:
    assert derivatives(module("Tanh"), torch.zeros(0, dtype=torch.float64)).shape == (3, 0)
    assert derivatives(f("-1").torch(), torch.zeros(2, dtype=torch.float64)).tolist() == [[-1, -1], [0, 0], [0, 0]]
    assert derivatives(module("Hardsigmoid"), torch.zeros(1, dtype=torch.float64))[2].isnan().all()
    huge = torch.tensor([1e300, -1e300, math.inf, math.nan], dtype=torch.float64)
    assert derivatives(module("Tanh"), huge, 1)[0].tolist()[:3] == [1, -1, 1]


def test_what_autograd_says_at_a_kink_stands_beside_both_sides() -> None:
    relu = examine(read("ReLU"))
    assert (relu.slope, relu.left.slope, relu.right.slope, relu.differentiable) == (0.0, 0.0, 1.0, False)
    sign = examine(read("sign(x)"))
    assert (sign.left.value, sign.right.value, sign.differentiable, sign.left.slope) == (-1.0, 1.0, False, None)
    assert "0 | 1" in table([relu])


def test_a_callable_is_never_proven_odd() -> None:
    seen = examine(Activation("mine", torch.tanh, None))
    assert (seen.odd.holds, seen.even.holds, seen.symmetry) == (None, False, "undecided")
    other = examine(Activation("mine", lambda x: x**2 + x, None))
    assert (other.odd.holds, other.odd.witness and other.odd.witness.x) == (False, 1.0)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: x.sum(), "a float for each"),
        (lambda x: x > 0, "a float for each"),
        (lambda x: 3.0, "a float for each"),
        (nn.Dropout(0.5), "without chance"),
        (lambda x: x.softmax(0), "not elementwise"),
    ],
)
def test_what_is_no_activation_is_refused(function, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=said):
        elementwise(function, "mine")


def test_names_of_torch_and_formulas_are_told_apart() -> None:
    assert formula("torch.nn.ReLU") == formula(" ReLU ") == "max(x, 0)"
    assert formula("x*2") == "x*2"
    for text, said in (("Softmax", "normalises"), ("Relu", "did you mean"), ("Threshold", "defaults")):
        with pytest.raises(UserError, match=said):
            formula(text)


def backward_by_hand(g: nn.Module, width: int, layers: int, seed: int) -> np.ndarray:
    """δˡ = g′(zˡ) ⊙ Wˡ⁺¹ δˡ⁺¹ written out, with g′ by central differences."""
    rng = generator(seed, "depth")
    draw = lambda rows: torch.randn(rows, width, generator=rng, dtype=torch.float64)  # noqa: E731
    h, v = draw(32), draw(32)
    weights = [draw(width) * (2 / width) ** 0.5 for _ in range(layers)]
    z = []
    for w in weights:
        z.append(h @ w)
        h = g(z[-1])
    deltas = [v]
    for at, w in zip(z[-2::-1], weights[:0:-1], strict=True):
        slope = (g(at + 1e-6) - g(at - 1e-6)) / 2e-6
        deltas.append(slope * (deltas[-1] @ w.T))
    return np.array([delta.square().mean().sqrt() for delta in deltas[::-1]])


def test_gradients_through_depth_agree_with_the_recursion_written_out() -> None:
    found = gradients(module("Tanh"), "he", 5, 7, generator(3, "depth")).numpy()
    np.testing.assert_allclose(found, backward_by_hand(module("Tanh"), 7, 5, 3), rtol=1e-7)


def test_wide_limits_known_in_closed_form() -> None:
    np.testing.assert_allclose(predicted(module("ReLU"), "he", 9, [0.0]), 1.0, rtol=1e-12)
    np.testing.assert_allclose(predicted(module("ReLU"), "xavier", 3, [0.0]), [0.5, 0.5**0.5, 1], rtol=1e-12)
    np.testing.assert_allclose(predicted(f("x/2").torch(), "lecun", 4, None), [1 / 8, 1 / 4, 1 / 2, 1], rtol=1e-12)
    assert np.isnan(predicted(f("exp(x**2)").torch(), "he", 3, None)[0])


def test_the_twins_differ_by_a_half_and_in_no_derivative() -> None:
    x = torch.linspace(-20, 20, 401, dtype=torch.float64)
    one, other = (derivatives(f(text).torch(), x) for text in (SIGMOID, TWIN))
    torch.testing.assert_close(one[0] - 0.5, other[0], rtol=0, atol=1e-15)
    torch.testing.assert_close(one[1:], other[1:], rtol=1e-7, atol=1e-12)


def test_a_shifted_start_is_the_twins_function_and_seeds_begin_alike_at_every_rate() -> None:
    x = torch.randn(1, 11, 6, generator=generator(0, "x"))
    centred = build(f(TWIN).torch(), [6, 5, 4, 3], "xavier", "weights", 2, 3)
    shifted = build(f(SIGMOID).torch(), [6, 5, 4, 3], "xavier", "function", 2, 3)
    plain = build(f(SIGMOID).torch(), [6, 5, 4, 3], "xavier", "weights", 2, 3)
    logits = [networks.layers(x.expand(6, -1, -1))[-1] for networks in (centred, shifted, plain)]
    torch.testing.assert_close(logits[0], logits[1], rtol=1e-4, atol=1e-6)
    assert (logits[0] - logits[2]).abs().max() > 0.05
    assert torch.equal(logits[0][0], logits[0][2])
    assert not torch.equal(logits[0][0], logits[0][3])


def test_batched_training_is_the_training_of_each_network_alone() -> None:
    """Against torch's own modules and optimiser, one network at a time."""
    x, y = torch.randn(60, 6, generator=generator(0, "x")), torch.arange(60) % 3
    rates, steps = (0.1, 0.5), EVERY
    networks = build(f(TWIN).torch(), [6, 5, 3], "xavier", "weights", 2, 2)
    begun = [p.detach().clone() for p in networks.parameters]
    course = train(networks, x, y, (x, y), rates=rates, seeds=2, batch=7, steps=steps)
    for seed in range(2):
        for i, rate in enumerate(rates):
            k = 2 * seed + i
            alone = nn.Sequential(nn.Linear(6, 5), _Half(), nn.Linear(5, 3))
            with torch.no_grad():
                for layer, at in ((alone[0], 0), (alone[2], 1)):
                    layer.weight.copy_(begun[at][k].T)
                    layer.bias.copy_(begun[2 + at][k, 0])
            optimiser = torch.optim.SGD(alone.parameters(), lr=rate)
            order = generator(seed, "batches")
            for _ in range(steps):
                index = torch.randint(60, (7,), generator=order)
                optimiser.zero_grad()
                nn.functional.cross_entropy(alone(x[index]), y[index]).backward()
                optimiser.step()
            loss = nn.functional.cross_entropy(alone(x), y)
            assert float(course.loss[-1, seed, i]) == pytest.approx(loss.item(), rel=1e-4)
    assert course.loss.shape == course.ratio.shape == (2, 2, 2)


class _Half(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sigmoid() - 0.5
