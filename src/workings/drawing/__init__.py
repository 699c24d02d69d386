"""Drawings in the house's one style: the report's figures, and what a person asks a study to draw to a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from workings.core.errors import UserError
from workings.core.files import replace_with, storage

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
STYLES = Path(__file__).parent
KINDS = (".png", ".svg", ".pdf")
DPI = 150
"""Dots an inch of a PNG: sharp on a screen, small enough to send."""


@contextmanager
def in_style(scheme: Scheme = "light") -> Iterator[None]:
    """Draw in the house's style, on light or on dark ground."""
    import matplotlib.style

    with matplotlib.style.context([STYLES / "shared.mplstyle", STYLES / f"{scheme}.mplstyle"]):
        yield


def percents(axis: "Axis", ticks: int = 6) -> None:
    """Label an axis of shares in per cent, at round numbers: a tick at 72.5 % would be read as 73 %."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{round(100 * share, 6):g}%"))


def check_file(path: Path) -> None:
    """`UserError` where a file's name is none that `save` can write."""
    if path.suffix.lower() not in KINDS:
        raise UserError(f"{path} is no picture file: name it {', '.join(KINDS[:-1])} or {KINDS[-1]}")


def save(drawing: "Figure", path: Path) -> None:
    """Write a drawing, on white, as the kind of file that its name says; an earlier one is replaced as a whole."""
    check_file(path)
    kind = path.suffix[1:].lower()
    with storage(path):
        replace_with(
            path.expanduser(),
            lambda p: drawing.savefig(p, format=kind, dpi=DPI, facecolor="white", transparent=False),
        )
