"""Text -> program: what a person typed becomes a list of steps, or an error that names the token and the column.

Three sieves. `scan` goes through the tokens and refuses what Python's grammar would refuse without a helpful word;
`ast` reads the rest; the `Reader` lets a whitelist of tree nodes through, and works out each constant part in
float64, so that 9**9**9, 1/0 and sqrt(-1) are found here. What passes the scan is ASCII: ast's byte offsets count
characters.
"""

import ast
import keyword
import re
from collections.abc import Mapping
from difflib import get_close_matches
from fractions import Fraction
from pkgutil import resolve_name
from typing import NamedTuple, NoReturn

import numpy as np

from workings.expressions.primitives import ALIASES, CONSTANTS, FUNCTIONS, PRIMITIVES

MAX_LENGTH = 2_000
"""Characters: some twenty lines, more than a person types as one formula."""
MAX_DEPTH = 40
"""Levels of nesting: sympy spends up to ten of Python's 1,000 frames on each when it differentiates."""
MAX_NODES = 500
"""Numbers, variables and operations together."""
MAX_EXPONENT = 100
"""The largest constant power: 1000**103 leaves the range of float64."""
MAX_MAGNITUDE = 1e300
"""The largest constant, a little inside the range of float64 (1.8e308)."""


class ExpressionError(ValueError):
    """What is wrong with a formula, in one line, and where: `column` is the 0-based offset into `text`."""

    def __init__(self, problem: str, advice: str, text: str, column: int) -> None:
        super().__init__(problem, advice, text, column)
        self.problem, self.advice, self.text, self.column = problem, advice, text, column

    def __str__(self) -> str:
        return f'{self.problem} at column {self.column + 1} of "{self._excerpt()[0]}": {self.advice}'

    def pointed(self) -> str:
        """The text (its part near the fault, where it is long) and, on a second line, a caret under the fault."""
        excerpt, caret = self._excerpt()
        return f"{excerpt}\n{' ' * caret}^"

    def _excerpt(self, reach: int = 40) -> tuple[str, int]:
        """At most 2·reach characters about the fault, all printable, and the fault's place among them."""
        start = max(0, self.column - reach)
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in self.text[start:][: 2 * reach])
        head = "…" if start else ""
        tail = "…" if start + len(shown) < len(self.text) else ""
        return head + shown + tail, self.column - start + len(head)


class Node(NamedTuple):
    """One step of a program: a number, a constant, a variable, or a primitive of earlier steps' results."""

    operation: str
    """A key of `PRIMITIVES`, or "number", "constant", "variable"."""
    arguments: tuple[int, ...]
    """The steps whose results the primitive takes, in order; empty for the other three."""
    leaf: Fraction | str
    """The number, or the name of the constant or variable; empty for a primitive."""
    column: int
    """Where the step stands in the text, counted from 0."""


_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<operator>\*\*|/(?!/)|[-+*(),])"
)
_SYMBOL_ADVICE = {
    "^": "write ** for powers",
    "/": "write / for a quotient; there is no whole-number division",
    "=": "leave out equations, assignments and named arguments; write one formula",
    "#": "leave the comment out",
    ".": "a formula has no attributes, and a decimal point stands beside a digit",
    **dict.fromkeys("\n\r", "write the formula on one line"),
    **dict.fromkeys("'\"", "a formula has no strings; write names and numbers without quotes"),
    **dict.fromkeys("[]{}", "a formula has no subscripts or lists; use round brackets"),
    **dict.fromkeys("<>!", "a formula has no comparisons; max, min, abs, relu and sign choose between values"),
    **dict.fromkeys("−–", "write - for minus"),
    **dict.fromkeys("×·", "write * for a product"),
    **dict.fromkeys("²³", "write **2 or **3 for powers"),
    "π": "write pi",
}
_ELSE_ADVICE = "use unaccented letters, digits, _ and + - * / ** ( ) ,"


def scan(text: str) -> None:
    """Refuse, with its place and a remedy, the first token that no formula has there."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"{len(text):,} characters", f"shorten it to {MAX_LENGTH:,}", text, MAX_LENGTH)
    brackets: list[tuple[int, bool]] = []  # where each open one stands, and whether it opens a function's arguments
    before: str | None = None  # the kind of the token before this one, where a value could end with it
    column = len(text) - len(text.lstrip(" \t"))
    while column < len(text):
        match = _TOKEN.match(text, column)
        if match is None:
            symbol = text[column]
            raise ExpressionError(f"unexpected {symbol!r}", _SYMBOL_ADVICE.get(symbol, _ELSE_ADVICE), text, column)
        token, kind = match[0], match.lastgroup
        if fault := _misplaced(token, kind, before, brackets):
            raise ExpressionError(*fault, text, column)
        if token == "(":
            brackets.append((column, before == "name"))
        elif token == ")":
            brackets.pop()
        before = None if kind == "operator" and token != ")" else kind
        column = match.end() + len(text[match.end() :]) - len(text[match.end() :].lstrip(" \t"))
    if brackets:
        raise ExpressionError("'(' is never closed", "close it with ')'", text, brackets[-1][0])


def _misplaced(
    token: str, kind: str | None, before: str | None, brackets: list[tuple[int, bool]]
) -> tuple[str, str] | None:
    """The problem with a token after `before` inside `brackets`, and a remedy; None where it may stand."""
    if keyword.iskeyword(token):
        return f"{token!r} is a word of Python's", "a formula has no conditions, logic or truth values"
    if before == "number" and token in ("j", "J"):
        return "complex number", "write a formula of real numbers"
    if before and (kind != "operator" or (token == "(" and before != "name")):
        return f"no operator before {token!r}", "write * for a product"
    if token == "(" and len(brackets) == MAX_DEPTH:
        return f"more than {MAX_DEPTH} brackets inside each other", "split the formula up"
    if token == ")" and not brackets:
        return "unmatched ')'", "open it with '(' or leave it out"
    if token == "," and not (brackets and brackets[-1][1]):
        return "unexpected ','", "write one formula, and decimals with a point"
    return None


class Reader:
    """Walks the syntax tree and appends to `nodes`, arguments first; `constants` holds each constant step's value."""

    _BINARY: Mapping[type[ast.operator], str] = {
        ast.Add: "add",
        ast.Sub: "sub",
        ast.Mult: "mul",
        ast.Div: "div",
        ast.Pow: "pow",
    }

    def __init__(self, text: str, variables: tuple[str, ...] | None, owner: str) -> None:
        self.text, self.variables, self.owner = text, variables, owner
        self.nodes: list[Node] = []
        self.constants: list[np.float64 | None] = []

    def read(self) -> None:
        """Read the whole text."""
        scan(self.text)
        if not self.text.strip():
            self._refuse("nothing to read", "write a formula", 0)
        try:
            tree = ast.parse(f"({self.text})", mode="eval")  # in brackets, so that leading spaces do not indent
        except SyntaxError as error:
            column = min(max((error.offset or 0) - 2, 0), len(self.text))  # 1-based, and one bracket further
            advice = "a number, a name or a bracket is missing" if error.msg == "invalid syntax" else error.msg
            self._refuse("the formula breaks off" if column == len(self.text) else "unreadable", advice, column)
        except (RecursionError, MemoryError):
            self._refuse("too deeply nested", "split the formula up", 0)
        if sum(isinstance(node, ast.expr) for node in ast.walk(tree)) > MAX_NODES:
            self._refuse(f"more than {MAX_NODES} numbers, names and operators", "split the formula up", 0)
        self._visit(tree.body, 0)

    def _refuse(self, problem: str, advice: str, column: int) -> NoReturn:
        raise ExpressionError(problem, advice, self.text, column) from None

    def _visit(self, node: ast.expr, depth: int) -> int:
        """Append the steps of one subtree; return the index of the last, which holds its value."""
        column = node.col_offset - 1
        if depth > MAX_DEPTH:
            self._refuse(f"more than {MAX_DEPTH} levels of nesting", "split the formula up", column)
        match node:
            case ast.Constant(value=int() | float()):
                return self._number(self.text[column : (node.end_col_offset or 0) - 1], column)
            case ast.Name(id=name):
                return self._name(name, column)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._visit(operand, depth + 1)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._apply("neg", (self._visit(operand, depth + 1),), column)
            case ast.BinOp(op=ast.Pow()):
                arguments = self._visit(node.left, depth + 1), self._visit(node.right, depth + 1)
                return self._apply("pow", arguments, column)
            case ast.BinOp():
                return self._chain(node, depth, column)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node, depth, column)
            case _:
                advice = "use numbers, names, brackets, functions and + - * / **"
                raise ExpressionError("unreadable", advice, self.text, column)

    def _chain(self, node: ast.BinOp, depth: int, column: int) -> int:
        """a + b − c·d, read along the left spine: a long sum is not deep."""
        spine: list[ast.BinOp] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp) and not isinstance(first.op, ast.Pow):
            spine.append(first)
            first = first.left
        index = self._visit(first, depth + 1)
        for link in reversed(spine):
            index = self._apply(self._BINARY[type(link.op)], (index, self._visit(link.right, depth + 1)), column)
        return index

    def _call(self, name: str, node: ast.Call, depth: int, column: int) -> int:
        function = ALIASES.get(name, name)
        if function not in FUNCTIONS:
            if name in CONSTANTS or name in (self.variables or ()):
                self._refuse(f"{name!r} is no function", "write * for a product", column)
            known = [*FUNCTIONS, *ALIASES]
            advice = self._nearest(name, known) or f"the functions are {', '.join(known)}"
            self._refuse(f"unknown function {name!r}", advice, column)
        for argument in (*node.args, *node.keywords):
            if isinstance(argument, ast.Starred | ast.keyword):
                self._refuse("unreadable", "leave out the stars before an argument", argument.col_offset - 1)
        arity = FUNCTIONS[function].arity
        if len(node.args) != arity:
            values = "1 value" if arity == 1 else f"{arity} values"
            self._refuse(f"{len(node.args)} values for {name!r}", f"{name} takes {values}", column)
        return self._apply(function, tuple(self._visit(argument, depth + 1) for argument in node.args), column)

    def _number(self, token: str, column: int) -> int:
        value = np.float64(token)
        exponent = int(token.lower().partition("e")[2] or 0)  # Fraction would write out every digit of 1e-999999999
        if value > MAX_MAGNITUDE or abs(exponent) > 300:
            self._refuse(f"{token[:20]!r} is out of range", f"numbers go up to {MAX_MAGNITUDE:g}", column)
        return self._append(Node("number", (), Fraction(token), column), value)

    def _name(self, name: str, column: int) -> int:
        if name in CONSTANTS:
            return self._append(Node("constant", (), name, column), np.float64(CONSTANTS[name]))
        if name in FUNCTIONS or name in ALIASES:
            self._refuse(f"{name!r} without its argument", f"write {name}(...)", column)
        if self.variables is not None and name not in self.variables:
            advice = self._nearest(name, [*self.variables, *CONSTANTS])
            self._refuse(f"unknown name {name!r}", f"{self._known_variables()}{advice and '; '}{advice}", column)
        return self._append(Node("variable", (), name, column), None)

    def _known_variables(self) -> str:
        *most, last = self.variables or ("",)
        names = f"{', '.join(most)} and {last}" if most else last
        return (
            f"this {self.owner} has the variable{'s' if most else ''} {names}"
            if last
            else f"this {self.owner} has none"
        )

    @staticmethod
    def _nearest(name: str, known: list[str]) -> str:
        close = get_close_matches(name, known, n=1)
        return f"did you mean {close[0]!r}?" if close else ""

    def _apply(self, operation: str, arguments: tuple[int, ...], column: int) -> int:
        """Append a primitive; where its value is constant, work it out and see that it is a real number in range."""
        values = [self.constants[i] for i in arguments]
        if operation == "pow" and values[1] is not None and abs(values[1]) > MAX_EXPONENT:
            self._refuse("the power is too high", f"powers go up to {MAX_EXPONENT}", self.nodes[arguments[1]].column)
        value: np.float64 | None = None
        if None not in values:
            with np.errstate(all="ignore"):
                value = resolve_name(PRIMITIVES[operation].numpy)(*values)
            if not abs(value) <= MAX_MAGNITUDE:
                problem = f"{operation} gives {value:g} here"
                self._refuse(problem, f"keep each constant part a real number below {MAX_MAGNITUDE:g}", column)
        return self._append(Node(operation, arguments, "", column), value)

    def _append(self, node: Node, value: np.float64 | None) -> int:
        self.nodes.append(node)
        self.constants.append(value)
        return len(self.nodes) - 1
