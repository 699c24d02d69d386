import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workings.expressions import FUNCTIONS, ExpressionError, parse
from workings.studies.minimax.derivatives import gradient, hessian
from workings.studies.minimax.model import ExpressionGame, Game, QuadraticGame, State, simulate, step
from workings.studies.minimax.stationary import classify, stationary_points
from workings.studies.minimax.study import METHODS, Method

SHEET = ExpressionGame.parse("4*x**2 - 4*y**2")
BILINEAR = ExpressionGame.parse("x*y")


def central_differences(f: object, z: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """The derivative of f along each coordinate, on a new last axis."""
    return np.stack([(f(z + h * e) - f(z - h * e)) / (2 * h) for e in np.eye(len(z))], axis=-1)  # type: ignore[operator]


def random_quadratic(seed: int, n: int, m: int) -> QuadraticGame:
    rng = np.random.default_rng(seed)
    A, C = rng.normal(size=(n, n)), rng.normal(size=(m, m))
    return QuadraticGame(A + A.T, rng.normal(size=(n, m)), C + C.T, rng.normal(size=n), rng.normal(size=m))


@pytest.mark.parametrize(
    "game",
    [SHEET, BILINEAR, ExpressionGame.parse("x**3*y - exp(x*y)/2 + sin(y) + max(x, y)"), random_quadratic(0, 3, 2)],
    ids=["sheet", "bilinear", "smooth", "quadratic"],
)
def test_field_and_jacobian_agree_with_finite_differences(game: Game) -> None:
    z = np.array([0.3, -0.7, 1.1, 0.2, -0.4])[: game.n + game.m]
    signs = np.array([1] * game.n + [-1] * game.m)
    # central differences: h² · f‴ = 1e-10, rounding 1e-16/h = 1e-11
    np.testing.assert_allclose(game.field(z), signs * central_differences(game.value, z), atol=1e-8)
    np.testing.assert_allclose(game.jacobian(z), central_differences(game.field, z), atol=1e-8)


@pytest.mark.parametrize("name", [*sorted(FUNCTIONS), "pow", "div"])
def test_every_derivative_agrees_with_torch(name: str) -> None:
    arguments = ", ".join(["x*y + 0.2", "x - y**2"][: FUNCTIONS[name].arity]) if name in FUNCTIONS else ""
    text = {"pow": "(2 + x)**(x*y) + y**3", "div": "x/(y - x**2)"}.get(name, f"{name}({arguments})*y")
    f = parse(text, ["x", "y"])
    for point in ([0.4, 0.7], [0.9, 0.3]):
        tensors = tuple(torch.tensor(c, dtype=torch.float64) for c in point)
        first = torch.stack(torch.autograd.functional.jacobian(f.torch(), tensors))
        second = torch.tensor(torch.autograd.functional.hessian(f.torch(), tensors))
        np.testing.assert_allclose(gradient(f, np.array(point)), first, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(hessian(f, np.array(point)), second, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "second"), [("x**1", 0), ("x**2", 2), ("x**3", 0), ("x**0", 0), ("(x**2)**2", 0), ("x*x", 2)]
)
def test_powers_have_derivatives_at_zero(text: str, second: float) -> None:
    assert hessian(parse(text, ["x"]), np.zeros(1)).tolist() == [[second]]


def test_the_sheets_game_worked_by_hand() -> None:
    """At (1, 1) with η = 1/10: ∂f/∂x = 8, ∂f/∂y = −8."""
    start = State(np.array([1.0, 1.0]), np.array([1.0, 1.0]))
    expected: dict[Method, list[float]] = {
        "gda": [0.2, 0.2],
        "alternating": [0.2, 0.2],
        "descent": [0.2, 1.8],
        "extragradient": [0.84, 0.84],  # ahead 0.2; 1 − 0.8 · 0.2
        "optimistic": [0.2, 0.2],  # its past is the start
    }
    for method, point in expected.items():
        np.testing.assert_allclose(step(SHEET, method, 0.1, start).z, point, rtol=1e-14)
    # the second optimistic step: 0.2 − 2·0.8·0.2 + 0.8·1 = 0.68
    np.testing.assert_allclose(simulate(SHEET, "optimistic", 0.1, np.array([1.0, 1.0]), 2)[2], [0.68, 0.68], rtol=1e-14)


def test_alternating_sees_the_new_x() -> None:
    """On xy from (1, 1), η = ½: x = 1 − ½, then y = 1 + ½ · ½; simultaneously, y = 1 + ½."""
    start = State(np.ones(2), np.ones(2))
    assert step(BILINEAR, "alternating", 0.5, start).z.tolist() == [0.5, 1.25]
    assert step(BILINEAR, "gda", 0.5, start).z.tolist() == [0.5, 1.5]


@pytest.mark.parametrize("method", ["gda", "alternating"])
def test_an_eighth_reaches_the_saddle_in_one_step(method: Method) -> None:
    assert simulate(SHEET, method, 1 / 8, np.array([3.0, -5.0]), 1)[1].tolist() == [0, 0]


@pytest.mark.parametrize("method", METHODS)
def test_expression_and_matrices_are_the_same_game(method: Method) -> None:
    formula = ExpressionGame.parse("x**2 + 3*x*y - 2.5*y**2 + 0.5*x - y")
    matrices = QuadraticGame([[2]], [[3]], [[5]], [0.5], [-1])
    start = np.array([[1.0, 2.0], [-0.5, 0.25]])
    one, two = (simulate(game, method, 0.05, start, 20) for game in (formula, matrices))
    assert one.shape == (21, 2, 2)
    np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(simulate(formula, method, 0.05, start[0], 20), one[:, 0], rtol=1e-12)


def test_divergence_is_kept_and_then_marked() -> None:
    path = simulate(ExpressionGame.parse("x**4 - y**2"), "gda", 1.0, np.array([10.0, 1.0]), 30)
    last = int(np.argmin(np.isfinite(path).all(1)))
    assert np.isfinite(path[:last]).all()
    assert np.isinf(path[last, 0]) or np.isnan(path[last, 0])
    assert np.isnan(path[last + 1 :]).all()


@pytest.mark.parametrize(
    ("matrices", "words"),
    [
        (([[1, 2], [3, 4]], [[0], [0]], [[1]]), r"A is not symmetric: entry \(0, 1\) is 2 and \(1, 0\) is 3"),
        (([[1, 2]], [[0]], [[1]]), "A must be square"),
        (([[1]], [[0, 0]], [[1]]), "B must be 1×1"),
        (([[1]], [[0]], [[float("nan")]]), "C must be finite"),
        (([1], [[0]], [[1]]), "A must be a matrix"),
        (([[1]], [[0]], [[1]], [1, 2]), "a must be a list of 1 numbers"),
    ],
)
def test_bad_matrices_are_explained(matrices: tuple[object, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        QuadraticGame(*matrices)  # type: ignore[arg-type]


def test_a_third_variable_is_refused_by_name() -> None:
    with pytest.raises(ExpressionError, match="this game has the variables x and y"):
        ExpressionGame.parse("x*y + z")


POINTS = [
    ("4*x**2 - 4*y**2", [((0, 0), "strict Nash saddle")]),
    ("x*y", [((0, 0), "degenerate Nash candidate")]),
    ("(x - 1)**2 + x*y - y**2/2 + 0.5*y", [((0.5, 1), "strict Nash saddle")]),
    ("x**3 - 3*x - y**2", [((-1, 0), "local maximum"), ((1, 0), "strict Nash saddle")]),
    ("x**2 + y**2", [((0, 0), "local minimum")]),
    ("y**2 - x**2", [((0, 0), "reversed saddle")]),
    ("-x**2 - y**2/2 + 10*x*y", [((0, 0), "strict minimax, not Nash")]),
    ("x**2 + y**2 + 3*x*y", [((0, 0), "other saddle")]),
    ("x**2 + y**3", [((0, 0), "degenerate Nash candidate")]),
    ("x**2 + 2*x*y + y**2 + y**4", [((0, 0), "degenerate")]),
    ("(x**2 + y**2)**2", [((0, 0), "degenerate Nash candidate")]),
    ("x**3 - 6*x - y**2", [((-(2**0.5), 0), "local maximum"), ((2**0.5, 0), "strict Nash saddle")]),
]


@pytest.mark.parametrize(("text", "expected"), POINTS, ids=[text for text, _ in POINTS])
def test_polynomial_games_are_solved_exactly(text: str, expected: list[tuple[tuple[float, float], str]]) -> None:
    found = stationary_points(ExpressionGame.parse(text))
    assert found.complete
    assert not found.curves
    assert [point.kind for point in found.points] == [kind for _, kind in expected]
    for point, (where, _) in zip(found.points, expected, strict=True):
        np.testing.assert_allclose(point.point, where, atol=1e-15)
        assert point.exact is not None
        game = ExpressionGame.parse(text)
        np.testing.assert_allclose(
            np.array(point.jacobian, dtype=float), game.jacobian(np.array(where, dtype=float)), atol=1e-12
        )


def test_lines_of_stationary_points_and_none_at_all() -> None:
    line = stationary_points(ExpressionGame.parse("x**2"))
    assert (line.points, line.curves[0][0], line.complete) == ((), "x = 0", True)
    assert "every point with x = 0" in line.note
    circle = stationary_points(ExpressionGame.parse("x**2 + y**2 - (x**2 + y**2)**2/2"))
    assert [equation for equation, _ in circle.curves] == ["x**2 + y**2 - 1 = 0"]
    assert [point.point for point in circle.points] == [(0, 0)]
    assert stationary_points(ExpressionGame.parse("x**3 - y")).note == "No stationary point."
    assert stationary_points(ExpressionGame.parse("3")).curves[0][0] == "any x, any y"


def test_other_games_are_searched_and_the_answer_says_so() -> None:
    found = stationary_points(ExpressionGame.parse("cosh(x - 1) - y**2"))
    assert not found.complete
    assert "there may be others" in found.note
    (point,) = found.points
    assert point.kind == "strict Nash saddle"
    np.testing.assert_allclose(point.point, [1, 0], atol=1e-9)
    assert not stationary_points(ExpressionGame.parse("log(x)*y + exp(y)*0 + y")).complete


def test_quadratic_games() -> None:
    (point,) = stationary_points(QuadraticGame([[8]], [[0]], [[8]], [1], [2])).points
    assert (point.point, point.kind) == ((-0.125, 0.25), "strict Nash saddle")
    flat = QuadraticGame([[8]], [[0]], [[0]])
    assert "dimension 1" in stationary_points(flat).note
    assert stationary_points(QuadraticGame([[8]], [[0]], [[0]], b=[1])).points == ()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3))
def test_kinds_agree_with_nearby_values(seed: int, n: int, m: int) -> None:
    """Where the kind says that a player cannot gain by a small move alone, no move of a sample gains."""
    game = random_quadratic(seed, n, m)
    (point,) = stationary_points(game).points
    z, rng = np.array(point.point), np.random.default_rng(seed)
    moves = rng.normal(size=(200, n + m))
    gains = (
        game.value(z + moves * ([1] * n + [0] * m)) - point.value,
        game.value(z + moves * ([0] * n + [1] * m)) - point.value,
    )
    nash = bool((gains[0] > 0).all() and (gains[1] < 0).all())
    if point.kind == "strict Nash saddle":
        assert nash
    if point.kind == "local minimum":
        assert (game.value(z + moves) > point.value).all()
    if n == m == 1 and point.kind != "strict Nash saddle":
        assert not nash
    assert classify(point.hessian, n) == point.kind


def test_loads_no_torch() -> None:
    code = "import sys, workings.studies.minimax.spectrum; print('torch' in sys.modules, 'sympy' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False False"
