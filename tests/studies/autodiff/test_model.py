"""The engine against torch, sympy's algebra by way of the claims, tables worked by hand, and random programs."""

import gc
import textwrap
import weakref
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workings.expressions import PRIMITIVES, parse
from workings.studies.autodiff import model
from workings.studies.autodiff import primitives as ad
from workings.studies.autodiff.formulas import Formulas
from workings.studies.autodiff.learning import cross_entropy, logits, start
from workings.studies.autodiff.model import MODES, grad, hessian, jacobian, jvp, value_and_grad, vjp
from workings.studies.autodiff.numerical import difference_jacobian
from workings.studies.autodiff.study import SHEET_FUNCTIONS
from workings.studies.autodiff.tracing import TABLE, elementwise

SHEET, AT = Formulas.parse(SHEET_FUNCTIONS), np.array([1.0, 2.0])
RTOL = 1e-9
"""Two engines differ by rounding, which a formula of twenty steps may magnify a thousandfold: 1e-13, with room."""
DOMAINS = {"log": (0.3, 2), "sqrt": (0.3, 2), "asin": (-0.8, 0.8), "acos": (-0.8, 0.8)}


def test_the_sheets_functions_by_hand() -> None:
    """cos 1 = 0.540302, cos 2 = −0.416147, σ(2) = 0.880797; ln 3 + 2 = 3.098612; lower row of J: 1/3 + 4, 1/3 + 1."""
    np.testing.assert_allclose(SHEET(AT), [0.655952, 3.098612], atol=5e-7)
    for mode in MODES:
        J = jacobian(SHEET, mode)(AT)
        np.testing.assert_allclose(J, [[0.350175, -0.386302], [4.333333, 1.333333]], atol=5e-7)


def test_numerical_differentiation_by_hand() -> None:
    forward, central = (difference_jacobian(SHEET, AT, 0.01, scheme) for scheme in ("forward", "central"))
    np.testing.assert_allclose(forward, [[0.351294, -0.385569], [4.352779, 1.332779]], atol=5e-7)
    np.testing.assert_allclose(central, [[0.350170, -0.386293], [4.333335, 1.333335]], atol=5e-7)


def test_every_primitive_of_formulas_is_in_the_table() -> None:
    assert set(PRIMITIVES) <= set(TABLE)
    for name, primitive in PRIMITIVES.items():
        assert len(TABLE[name].rules) == primitive.arity


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_primitive_agrees_with_torch_to_second_order(name: str) -> None:
    low, high = DOMAINS.get(name, (-1.5, 1.5))
    arity = PRIMITIVES[name].arity
    symbol = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}.get(name)
    text = {"neg": "-x"}.get(name, f"x {symbol} y" if symbol else f"{name}({', '.join('xy'[:arity])})")
    f = parse(text)
    rng = np.random.default_rng(7)
    for _ in range(5):
        w = rng.uniform(low, high, arity)
        w[:1] = np.abs(w[:1]) if name == "pow" else w[:1]
        ours = Formulas((f,), f.variables).first
        theirs: Callable[..., Any] = lambda *xs, f=f: f.torch()(*xs)  # noqa: E731
        tensors = tuple(torch.tensor(x, dtype=torch.float64) for x in w)
        first = torch.stack(torch.autograd.functional.jacobian(theirs, tensors))
        second = torch.tensor(torch.autograd.functional.hessian(theirs, tensors))
        np.testing.assert_allclose(ours(w), theirs(*tensors), rtol=RTOL)
        np.testing.assert_allclose(grad(ours)(w), first, rtol=RTOL, atol=1e-12)
        for mode in MODES:
            np.testing.assert_allclose(hessian(ours, mode)(w), second, rtol=RTOL, atol=1e-11)


@pytest.mark.parametrize(
    ("text", "at", "slope"),
    [("abs(x)", 0, 0), ("relu(x)", 0, 0), ("sign(x)", 0, 0), ("max(x, 0)", 0, 0.5), ("min(x, x)", 3, 1)],
)
def test_kinks_follow_torchs_convention(text: str, at: float, slope: float) -> None:
    f = parse(text)
    x = torch.tensor(float(at), dtype=torch.float64, requires_grad=True)
    f.torch()(x).backward()
    assert x.grad is not None
    assert x.grad.item() == slope == grad(Formulas((f,), f.variables).first)(np.array([at]))[0]


shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)


@st.composite
def broadcastable(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes that broadcast, of which either may be longer, or have ones where the other has not."""
    whole = draw(shapes)
    cut = [tuple(n if draw(st.booleans()) else 1 for n in whole)[draw(st.integers(0, len(whole))) :] for _ in range(2)]
    return cut[0], cut[1]


@settings(deadline=None, max_examples=30)
@given(broadcastable(), st.sampled_from(["add", "sub", "mul", "div", "pow", "max", "min"]), st.integers(0, 99))
def test_broadcasting_agrees_with_torch(pair: tuple[tuple[int, ...], tuple[int, ...]], name: str, seed: int) -> None:
    torches = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow}
    check_against_torch(TABLE[name], torches.get(name, getattr(torch, f"{name}imum", None)), pair, seed)


PRODUCTS = [((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4))]


@pytest.mark.parametrize("pair", [*PRODUCTS, ((3,), (5, 3, 4)), ((5, 2, 3), (3,)), ((5, 1, 2, 3), (4, 3, 1))])
def test_matrix_products_agree_with_torch(pair: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    check_against_torch(ad.matmul, torch.matmul, pair, 0)


@pytest.mark.parametrize(
    ("ours", "theirs", "shape"),
    [
        (lambda x: ad.sum(x), torch.sum, (2, 3)),
        (lambda x: ad.sum(x, -1), lambda x: x.sum(-1), (2, 3)),
        (lambda x: ad.mean(x, (0, 2)), lambda x: x.mean((0, 2)), (2, 3, 4)),
        (lambda x: ad.reshape(x, (3, -1)), lambda x: x.reshape(3, -1), (2, 3)),
        (lambda x: x.T, lambda x: x.permute(2, 1, 0), (2, 3, 4)),
        (lambda x: ad.transpose(x, (1, 2, 0)), lambda x: x.permute(1, 2, 0), (2, 3, 4)),
        (lambda x: ad.broadcast_to(x, (4, 2, 3)), lambda x: x.expand(4, 2, 3), (2, 1)),
        (lambda x: x[1:, ::2], lambda x: x[1:, ::2], (3, 4)),
        (lambda x: x[np.array([0, 0, 2])], lambda x: x[[0, 0, 2]], (3, 4)),
        (lambda x: x[..., None] * x, lambda x: x[..., None] * x, (3,)),
        (lambda x: ad.stack([x, x * x]), lambda x: torch.stack([x, x * x]), (3,)),
    ],
)
def test_linear_maps_agree_with_torch(ours: Callable[..., Any], theirs: Callable[..., Any], shape: Any) -> None:
    check_against_torch(ours, theirs, (shape,), 1)


def check_against_torch(ours: Any, theirs: Any, shapes: tuple[tuple[int, ...], ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    xs, tangents = ([rng.uniform(0.5, 2, shape) for shape in shapes] for _ in range(2))
    tensors, directions = (tuple(map(torch.tensor, arrays)) for arrays in (xs, tangents))
    z, pushed = jvp(ours, xs, tangents)
    value, pushed_by_torch = torch.autograd.functional.jvp(theirs, tensors, directions)
    np.testing.assert_allclose(z, value, rtol=RTOL)
    np.testing.assert_allclose(pushed, pushed_by_torch, rtol=RTOL, atol=1e-12)
    cotangent = rng.normal(size=z.shape)
    pulled = vjp(ours, *xs)[1](cotangent)
    for mine, other in zip(pulled, torch.func.vjp(theirs, *tensors)[1](torch.tensor(cotangent)), strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=RTOL, atol=1e-12)


formulas = st.recursive(
    st.sampled_from(["w1", "w2", "w3", "0.7", "2"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["sin", "cos", "tanh", "sigmoid", "softplus", "erf", "atan", "-"]), inner).map(
            lambda t: f"{t[0]}({t[1]})"
        ),
        inner.map(lambda t: f"exp(-({t})**2)"),
        inner.map(lambda t: f"log(1 + ({t})**2)"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]})/(2 + sin({t[1]}))"),
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=20)
@given(formulas, st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3))
def test_random_formulas_agree_with_torch_to_second_order(text: str, at: list[float]) -> None:
    f, w = Formulas.parse([f"0*(w1 + w2 + w3) + {text}"]), np.array(at)
    run = f.expressions[0].torch()
    tensor = torch.tensor(w)
    by_torch = torch.func.jacrev(lambda w: run(*w))(tensor).numpy()
    for mode in MODES:
        np.testing.assert_allclose(jacobian(f, mode)(w)[0], by_torch, rtol=1e-8, atol=1e-9)
    if np.abs(by_torch).max() < 1e3:
        second = torch.autograd.functional.hessian(lambda w: run(*w), tensor).numpy()
        for mode in MODES:
            np.testing.assert_allclose(hessian(f.first, mode)(w), second, rtol=1e-7, atol=1e-7)


def test_modes_nest_in_every_order() -> None:
    """f = x³y²: ∂x∂x∂y f = 12xy, whichever way each derivative is taken."""
    derivatives: list[Callable[[Any], Any]] = [
        lambda f: grad(f),
        lambda f: lambda x: jvp(f, [x], [1.0])[1],
        lambda f: jacobian(f, "forward"),
        lambda f: jacobian(f, "reverse"),
    ]
    for first, second, third in product(derivatives, repeat=3):

        def by_x_twice(y: Any, first: Any = first, second: Any = second) -> Any:
            return first(second(lambda x: x**3 * y**2))(2.0)

        assert third(by_x_twice)(5.0) == pytest.approx(12 * 2 * 5)


def test_two_derivatives_in_flight_are_not_confused() -> None:
    """d/dx x·(d/dy (x + y)) is 1: an inner derivative must not see the outer perturbation as its own."""
    assert grad(lambda x: x * grad(lambda y: x + y)(2.0))(1.0) == 1.0
    assert jvp(lambda x: x * jvp(lambda y: x + y, [2.0], [1.0])[1], [1.0], [1.0])[1] == 1.0


@pytest.mark.parametrize(("power", "expected"), [(0, [0, 0, 0]), (1, [1, 0, 0]), (2, [0, 2, 0]), (3, [0, 0, 6])])
@pytest.mark.parametrize("exponent", [int, float, np.float64, np.asarray], ids=lambda kind: kind.__name__)
def test_powers_have_derivatives_at_zero(power: int, expected: list[float], exponent: Any) -> None:
    f: Any = lambda x: x ** exponent(power)  # noqa: E731
    for order in range(3):
        f = grad(f)
        assert f(0.0) == expected[order]


def test_far_out_nothing_overflows() -> None:
    x = np.array([-1e3, -40.0, 0.0, 40.0, 1e3])
    for f in (ad.sigmoid, ad.softplus, ad.tanh, ad.erf):
        for order in range(2):
            found = grad(lambda x, f=f: ad.sum(f(x)))(x) if order == 0 else hessian(lambda x, f=f: ad.sum(f(x)))(x)
            assert np.isfinite(found).all()
    np.testing.assert_allclose(grad(lambda x: ad.sum(ad.softplus(x)))(x), [0, 4.248354e-18, 0.5, 1, 1], rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0)])
def test_small_and_empty_arrays(shape: tuple[int, ...]) -> None:
    x = np.full(shape, 3.0)
    for mode in MODES:
        assert jacobian(lambda x: x * x, mode)(x).shape == shape + shape
    np.testing.assert_array_equal(grad(lambda x: ad.sum(x * x))(x), 2 * x)


def test_nan_and_infinity_pass_through() -> None:
    with np.errstate(all="ignore"):
        assert np.isnan(grad(lambda x: x * x)(np.nan))
        assert np.isposinf(grad(ad.sqrt)(0.0))
        assert np.isneginf(ad.log(np.zeros(())))


def test_functions_that_ignore_an_argument_or_return_it() -> None:
    assert value_and_grad(lambda x, y: x * 2)(1.0, 5.0) == (2.0, (2.0, 0.0))
    assert grad(lambda x: 7.0)(1.0) == 0.0
    assert grad(lambda x: x)(1.0) == 1.0
    assert jvp(lambda x: np.ones(2), [1.0], [1.0])[1].tolist() == [0.0, 0.0]
    assert jacobian(lambda x: np.ones(2), "forward")(np.zeros(3)).tolist() == [[0.0] * 3] * 2
    assert grad(lambda x, n: x**n)(3.0, 2) == 6.0


def test_arrays_on_either_side_of_an_operator() -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    x = np.array([1.0, 1.0])
    np.testing.assert_array_equal(jacobian(lambda x: a @ x)(x), a)
    np.testing.assert_array_equal(jacobian(lambda x: x @ a)(x), a.T)
    np.testing.assert_allclose(grad(lambda x: ad.sum(a * x - x / 2 + 1 / x - 2**x))(x), grad_by_hand(a, x))


def grad_by_hand(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Of Σ_ij a_ij x_j − x_j/2 + 1/x_j − 2^x_j, two rows."""
    by_hand: np.ndarray = a.sum(axis=0) + 2 * (-0.5 - 1 / x**2 - np.log(2) * 2**x)
    return by_hand


def test_programs_may_loop_and_branch() -> None:
    """x doubled until it exceeds 10: from 3 twice, so 4x; the branch then squares: 16x², with slope 32x = 96."""

    def program(x: Any) -> Any:
        while x <= 10:
            x = x * 2
        return x * x if x > 0 and x != 11 else x

    assert value_and_grad(program)(3.0) == (144.0, (96.0,))
    assert hessian(program)(3.0) == 32.0


def test_a_row_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    cube = elementwise("cube", lambda x: x**3, lambda z, x: 3 * x * x)
    monkeypatch.delitem(TABLE, "cube")
    assert [grad(cube)(2.0), hessian(cube)(2.0), jvp(cube, [2.0], [1.0])[1]] == [12.0, 12.0, 12.0]
    with pytest.raises(ValueError, match="has a row 'sin' already"):
        elementwise("sin", np.sin, 0.0)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"returned shape \(2,\): take its jacobian"):
        grad(lambda x: x)(np.ones(2))
    with pytest.raises(ValueError, match=r"shape of its value, \(2,\); this one has \(3,\)"):
        jvp(lambda x: x, [np.ones(2)], [np.ones(3)])
    with pytest.raises(ValueError, match=r"this one has \(\)"):
        vjp(lambda x: x, np.ones(2))[1](1.0)
    with pytest.raises(TypeError, match="Traced"):
        grad(lambda x: np.sin(x))(1.0)


def test_a_network_trains_as_in_torch() -> None:
    """The same hundred steps of gradient descent end in the same weights."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 64)), rng.integers(10, size=40)
    weights, tensors = start(1), [torch.tensor(w, requires_grad=True) for w in start(1)]
    for _ in range(100):
        value, gradients = value_and_grad(lambda *w: cross_entropy(logits(x, *w), y))(*weights)
        weights = [w - 0.1 * g for w, g in zip(weights, gradients, strict=True)]
        W1, b1, W2, b2 = tensors
        loss = torch.nn.functional.cross_entropy(torch.relu(torch.tensor(x) @ W1 + b1) @ W2 + b2, torch.tensor(y))
        steps = torch.autograd.grad(loss, tensors)
        tensors = [(w - 0.1 * g).detach().requires_grad_() for w, g in zip(tensors, steps, strict=True)]
        assert value == pytest.approx(loss.item(), rel=1e-9)
    for mine, other in zip(weights, tensors, strict=True):
        np.testing.assert_allclose(mine, other.detach(), rtol=1e-8, atol=1e-10)


def test_the_example_of_the_first_screen_learns() -> None:
    code = (model.__doc__ or "").split("A network in ten lines:\n")[1].split("\nSource:")[0]
    names: dict[str, Any] = {}
    exec(textwrap.dedent(code), names)
    assert names["value"] < 0.1 * np.mean(names["y"] ** 2)


def test_a_tape_is_freed_when_its_function_returns() -> None:
    """No cycle holds it: training does not wait for the collector to give arrays back."""
    seen: list[weakref.ref[Any]] = []

    def f(x: Any) -> Any:
        seen.append(weakref.ref(x.value))
        return ad.sum(x * x)

    gc.disable()
    try:
        value_and_grad(f)([1.0, 2.0])
        assert seen[0]() is None
    finally:
        gc.enable()
