import math
import pickle
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workings.expressions import CONSTANTS, FUNCTIONS, Backend, ExpressionError, parse

HAND_WORKED = [
    ("4*x**2 - 4*y**2", -12.0),
    ("-x**2", -1.0),
    ("2**-y", 0.25),
    ("2**3**2/512", 1.0),
    ("x - y - 3", -4.0),
    ("x / y / 2 * 4", 1.0),
    ("+x + -y", -1.0),
    (" (x) ", 1.0),
    (".5e1 + 1.", 6.0),
    ("ln(e**y) + cos(pi)", 1.0),
    ("max(x, y) - min(x, y) + abs(-3)", 4.0),
    ("sqrt(y*8) + sign(-y) + relu(-y)", 3.0),
    ("sigmoid(0) + erf(0) + softplus(0)", 0.5 + math.log(2)),
    ("asin(x) + acos(x) + atan(x)", 0.75 * math.pi),
    ("sinh(0) + cosh(0) + tanh(0) + tan(0) + sin(0)", 1.0),
]


@pytest.mark.parametrize(("text", "value"), HAND_WORKED)
def test_values_worked_by_hand(text: str, value: float) -> None:
    read = parse(text, ["x", "y"])
    assert read.numpy()(1, 2) == pytest.approx(value, abs=1e-15)
    assert float(read.torch()(torch.tensor(1.0).double(), torch.tensor(2.0).double())) == pytest.approx(
        value, abs=1e-15
    )
    assert float(
        read.sympy().subs({sympy.Symbol("x", real=True): 1, sympy.Symbol("y", real=True): 2})
    ) == pytest.approx(value, abs=1e-15)


def test_sympy_keeps_numbers_exact() -> None:
    assert parse("0.1 + 2/3").sympy() == sympy.Rational(23, 30)
    assert parse("pi*e").sympy() == sympy.pi * sympy.E
    assert parse("x").sympy().is_real


def test_variables_come_in_natural_order_or_as_given() -> None:
    assert parse("w10 + w2*a + sin(pi)").variables == ("a", "w2", "w10")
    assert parse("y", ["x", "y", "z"]).variables == ("x", "y", "z")
    for taken in ("e", "sin", "lambda", "x y", "η", ""):
        with pytest.raises(ValueError, match="cannot name a variable"):
            parse("1", [taken])


def test_everything_broadcasts() -> None:
    x, y = np.arange(3.0)[:, None], np.arange(4.0)
    assert parse("x*y").numpy()(x, y).shape == (3, 4)
    assert parse("2", ["x", "y"]).numpy()(x, y).tolist() == np.full((3, 4), 2.0).tolist()
    assert parse("2 + pi*0", ["x"]).torch()(torch.zeros(5, dtype=torch.float64)).shape == (5,)
    assert parse("x/3").torch()(torch.ones(2, dtype=torch.float16)).dtype == torch.float16
    assert parse("x/3").torch()(torch.ones(2, dtype=torch.float64)).dtype == torch.float64
    assert parse("3").numpy()().shape == ()


def test_numpy_gives_inf_or_nan_outside_the_domain_without_a_warning() -> None:
    assert parse("1/x").numpy()(0) == np.inf
    assert np.isnan(parse("log(x)").numpy()(-1))
    assert parse("softplus(x) + sigmoid(x)").numpy()(1e4) == pytest.approx(10_001)


def test_torch_differentiates_twice_at_zero() -> None:
    f = parse("x**2 + x**1 + 3*x**3 + softplus(x)").torch()
    second = torch.autograd.functional.hessian(f, torch.tensor(0.0, dtype=torch.float64))
    assert float(second) == pytest.approx(2.25)


def test_a_third_party_brings_its_own_primitives() -> None:
    words = Backend(
        {
            "add": lambda a, b: f"({a} plus {b})",
            "pow": lambda a, b: f"{a} to the {b}",
            "neg": lambda a: f"minus {a}",
        },
        lambda value: "pie" if value == math.pi else str(value),
    )
    assert parse("-x**2 + 0.5 + pi").evaluate(words, "x") == "((minus x to the 2 plus 1/2) plus pie)"
    exact = Backend({"add": lambda a, b: a + b}, lambda value: value, {"pi": Fraction(22, 7)})
    assert parse("pi + 1").evaluate(exact) == Fraction(29, 7)


FAULTS = [
    ("x*y+z", 4, "unknown name 'z' at column 5 of \"x*y+z\": this game has the variables x and y"),
    ("x + yy", 4, "did you mean 'y'?"),
    ("x*sni(y)", 2, "did you mean 'sin'?"),
    ("foo(x)", 0, "the functions are"),
    ("x^2", 1, "write ** for powers"),
    ("2x", 1, "write * for a product"),
    ("x y", 2, "write * for a product"),
    ("(x)(y)", 3, "write * for a product"),
    ("x(2)", 0, "write * for a product"),
    ("x//2", 1, "whole-number"),
    ("", 0, "write a formula"),
    (" \t", 0, "write a formula"),
    ("x+", 2, "breaks off"),
    ("x+*y", 2, "missing"),
    ("x +\ny", 3, "on one line"),
    ("x # c", 2, "comment"),
    ("x\0", 1, "unexpected"),
    ("η*x", 0, "unaccented"),
    ("x − y", 2, "write - for minus"),
    ("3·x", 1, "write * for a product"),
    ("x²", 1, "**2"),
    ("(x:=1)", 2, "unexpected ':'"),
    ("lambda: x", 0, "word of Python's"),
    ("True", 0, "truth values"),
    ("x if y else 1", 2, "conditions"),
    ("x.real", 1, "attributes"),
    ("x[0]", 1, "subscripts"),
    ("x < 1", 2, "comparisons"),
    ("x == 1", 2, "equations"),
    ("'x'", 0, "strings"),
    ("__import__('os')", 11, "strings"),
    ("__import__(x)", 0, "unknown function"),
    ("max(x, y=1)", 8, "named arguments"),
    ("max(x)", 0, "max takes 2 values"),
    ("sin(x, y)", 0, "sin takes 1 value"),
    ("max(*x)", 4, "stars"),
    ("sin", 0, "sin(...)"),
    ("1j", 1, "complex"),
    ("x, y", 1, "one formula"),
    ("()", 0, "unreadable"),
    ("x)", 1, "unmatched"),
    ("sin(x", 3, "never closed"),
    ("1/0", 0, "div gives inf"),
    ("x + sqrt(-1)", 4, "sqrt gives nan"),
    ("(-8)**(1/3)", 0, "real number"),
    ("9**9**9", 3, "powers go up to 100"),
    ("x**100000", 3, "powers go up to 100"),
    ("2**2**2**2**2**2", 6, "powers go up to 100"),
    ("1e999", 0, "out of range"),
    ("0e99999999999", 0, "out of range"),
    ("1e-999999999", 0, "out of range"),
    ("1" * 400, 0, "out of range"),
    ("(" * 5000, 2000, "characters"),
    ("(" * 1500, 40, "brackets inside each other"),
    ("-" * 1900 + "x", 0, "split the formula"),
    ("-" * 60 + "x", 41, "levels of nesting"),
    ("+".join("x" * 600), 0, "more than 500"),
]


@pytest.mark.parametrize(("text", "column", "words"), FAULTS, ids=[repr(text[:16]) for text, *_ in FAULTS])
def test_each_fault_is_named_in_one_line_and_pointed_at(text: str, column: int, words: str) -> None:
    started = time.perf_counter()
    with pytest.raises(ExpressionError) as caught:
        parse(text, ["x", "y"], owner="game")
    error = caught.value
    assert words in str(error)
    assert str(error).isprintable()
    assert (error.text, error.column) == (text, column)
    assert time.perf_counter() - started < 0.5
    shown, caret = error.pointed().split("\n")
    assert caret.endswith("^")
    if len(text) < 40:
        assert len(caret) == column + 1
        assert len(shown) == len(text)


def test_pointed_shows_the_part_of_a_long_text_that_holds_the_fault() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("x+" * 100 + "?" + "+x" * 100)
    shown, caret = caught.value.pointed().split("\n")
    assert shown[len(caret) - 1] == "?"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("text", ["9**(9**(9 + 0*x))", "((((1/3)**100)**100)**100)**100"])
def test_a_power_that_only_sympy_sees_to_be_huge_is_an_error_not_a_hang(text: str) -> None:
    with pytest.raises(ExpressionError, match="too large to write out"):
        parse(text, ["x"]).sympy()


def test_a_long_sum_is_not_deep() -> None:
    assert parse("+".join(["x"] * 200)).numpy()(1) == 200


def test_the_deepest_formula_can_be_differentiated() -> None:
    text = "x"
    for _ in range(20):
        text = f"1/(1+{text})"
    x = sympy.Symbol("x", real=True)
    assert parse(text).sympy().diff(x).subs(x, 0).is_Rational


def test_loads_neither_torch_nor_sympy() -> None:
    code = (
        "import sys, workings.expressions as e; e.parse('x+1').numpy()(1); print({'torch', 'sympy'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


def formulas() -> st.SearchStrategy[str]:
    """Random formulas that are smooth, real and of moderate size on [-1, 1]²."""
    leaves = st.sampled_from(["x", "y", "0.1", "2", "1.5e-1", "pi", "e"])
    safe = sorted(
        FUNCTIONS.keys() - {"tan", "asin", "acos", "exp", "log", "sqrt", "sinh", "cosh", "sign", "max", "min"}
    )

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]}){t[1]}({t[2]})"),
            st.tuples(inner, inner).map(lambda t: f"({t[0]})/(1 + ({t[1]})**2)"),
            st.tuples(st.sampled_from(safe), inner).map(lambda t: f"{t[0]}({t[1]})"),
            st.tuples(st.sampled_from(["max", "min"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
            inner.map(lambda t: f"exp(sin({t})) + log(1 + sqrt(abs({t})))"),
            inner.map(lambda t: f"-({t})**3"),
        )

    return st.recursive(leaves, grow, max_leaves=5)


@settings(max_examples=60, deadline=None)
@given(formulas(), st.floats(-1, 1), st.floats(-1, 1))
def test_three_backends_agree(text: str, x: float, y: float) -> None:
    read = parse(text, ["x", "y"])
    by_numpy = float(read.numpy()(x, y))
    by_torch = float(read.torch()(torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)))
    at = {sympy.Symbol("x", real=True): sympy.Float(x, 30), sympy.Symbol("y", real=True): sympy.Float(y, 30)}
    by_sympy = float(sympy.N(read.sympy().subs(at), 25))
    # cancellation inside loses a few digits of float64's sixteen
    assert by_torch == pytest.approx(by_numpy, rel=1e-9, abs=1e-9)
    assert by_sympy == pytest.approx(by_numpy, rel=1e-7, abs=1e-7)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=30), st.text(alphabet="xye019.+-*/(), sincoj_^=", max_size=30)))
def test_any_text_is_read_or_refused(text: str) -> None:
    fault = None
    try:
        assert parse(text, ["x", "y"]).numpy()(0.5, 0.25).shape == ()
    except ExpressionError as error:
        fault = error
    assert fault is None or (0 <= fault.column <= len(text) and "\n" not in str(fault))


def test_constants_are_pythons() -> None:
    assert dict(CONSTANTS) == {"pi": math.pi, "e": math.e}
