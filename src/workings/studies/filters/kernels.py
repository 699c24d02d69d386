"""The kernels of nyu-2023-hw, question 2, with exact rational entries, and kernels that a person types.

A kernel is a matrix of weights, its rows from the top of the window to the bottom, its columns from left to right; x
runs to the right, y downwards. Needs no numpy, so that `study.py` can list the names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from workings.core.errors import UserError, suggestion
from workings.core.typed import matrix

Rows = tuple[tuple[Fraction, ...], ...]

WIDEST = 31
"""Rows and columns at most: a wider blur is better made by several small ones."""
LARGEST = 10**6
"""Weights lie between ± this, so that no answer, and no sum of squares, leaves the range of float64."""


@dataclass(frozen=True)
class Kernel:
    """Weights w[j, i], exact; `name` is that of the table, or what was typed."""

    name: str
    rows: Rows
    purpose: str = "typed"

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return len(self.rows), len(self.rows[0])

    def __str__(self) -> str:
        return "; ".join(" ".join(map(str, row)) for row in self.rows)


def separable(scale: Fraction | int, column: tuple[int, ...], row: tuple[int, ...]) -> Rows:
    """scale · column · rowᵀ: the kernel that runs `row` along x and `column` along y."""
    return tuple(tuple(Fraction(scale) * down * along for along in row) for down in column)


def _whole(*rows: tuple[int, ...]) -> Rows:
    return tuple(tuple(map(Fraction, row)) for row in rows)


KERNELS: Mapping[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        Kernel("laplacian", _whole((0, 1, 0), (1, -4, 1), (0, 1, 0)), "edges"),
        Kernel("laplacian-8", _whole((1, 1, 1), (1, -8, 1), (1, 1, 1)), "edges"),
        Kernel("sobel-x", separable(1, (1, 2, 1), (-1, 0, 1)), "edges"),
        Kernel("sobel-y", separable(1, (-1, 0, 1), (1, 2, 1)), "edges"),
        Kernel("box", separable(Fraction(1, 9), (1, 1, 1), (1, 1, 1)), "blur"),
        Kernel("binomial", separable(Fraction(1, 16), (1, 2, 1), (1, 2, 1)), "blur"),
        Kernel("binomial-5", separable(Fraction(1, 256), (1, 4, 6, 4, 1), (1, 4, 6, 4, 1)), "blur"),
        Kernel("blur-x", separable(Fraction(1, 4), (1,), (1, 2, 1)), "blur along x"),
        Kernel("sharpen-x", _whole((0, 0, 0), (-1, 3, -1), (0, 0, 0)), "sharpening along x"),
    )
}
"""By name. Of the blurs, box and binomial serve against noise too (question 2d)."""


def read_kernel(text: str, name: str = "kernel") -> Kernel:
    """A kernel from the table, or one typed row by row; `UserError` where it is neither.

    Decimals mean what they say (0.1 is 1/10) and 1/9 is a ninth: whatever is told of the kernel is exact.
    """
    known = text.strip()
    if known in KERNELS:
        return KERNELS[known]
    if not known:
        raise UserError(
            f'{name} is empty: name one of {", ".join(KERNELS)}, or type rows, as in "0 1 0; 1 -4 1; 0 1 0"'
        )
    if known[0].isalpha() and ";" not in known and " " not in known and known.lower() not in ("nan", "inf", "infinity"):
        raise UserError(
            f"there is no {name} {known[:40]!r}{suggestion(known, KERNELS)}: name one of {', '.join(KERNELS)}, "
            'or type rows, as in "0 1 0; 1 -4 1; 0 1 0"'
        )
    typed = matrix(text, name)  # refuses what is no rectangle of finite numbers
    if max(len(typed), len(typed[0])) > WIDEST:
        raise UserError(f"{name} has {len(typed)}×{len(typed[0])} weights: {WIDEST}×{WIDEST} at most")
    cells = (line.replace(",", " ").split() for line in text.split(";"))
    rows = tuple(
        tuple(
            Fraction(cell) if "/" in cell else Fraction(repr(value)) for cell, value in zip(line, numbers, strict=True)
        )
        for line, numbers in zip(cells, typed, strict=True)
    )
    largest = max((entry for row in rows for entry in row), key=abs)
    if abs(largest) > LARGEST:
        raise UserError(f"{name} holds {float(largest):g}: weights lie between −{LARGEST:,} and {LARGEST:,}")
    return Kernel(" ".join(text.split()), rows)
