"""Numbers and names as people read them. What is shown is rounded; what is decided never is."""

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

MEASURED = 4
"""Significant digits of a measured number: beyond them seeds and machines differ."""
EXACT = 10
"""Significant digits of a witness: what a pocket calculator shows."""
PLAIN = range(-4, 7)
"""Powers of ten that are written out; others are written as a × 10ⁿ."""
SEPARATED_FROM = 10_000
"""From here on thousands are separated, so that a step or a year is not."""

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def value(item: Any, digits: int = MEASURED) -> str:
    """Any JSON value (or numpy's equal) as one line: intervals as ``[a, b]``, ``—`` for nothing."""
    if hasattr(item, "tolist"):
        item = item.tolist()
    match item:
        case None | "":
            return "—"
        case str():
            return item
        case bool():
            return "yes" if item else "no"
        case Integral():
            return _integer(int(item))
        case Real():
            return _real(float(item), digits)
        case complex():
            return f"{_real(item.real, digits)} {'−' if item.imag < 0 else '+'} {_real(abs(item.imag), digits)}i"
        case Mapping():
            return ", ".join(f"{name(str(key))} = {value(entry, digits)}" for key, entry in item.items())
        case Sequence():
            return f"[{', '.join(value(entry, digits) for entry in item)}]"
    return str(item)


def flat(items: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that are single values or lists."""
    return {key: item for key, item in items.items() if not isinstance(item, Mapping)}


def nested(items: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, tuple[Any, ...]]]:
    """The entries that hold entries of their own, as a table: the keys of its columns, and its rows by name."""
    columns = {key: item for key, item in items.items() if isinstance(item, Mapping)}
    rows = dict.fromkeys(key for item in columns.values() for key in item)
    return tuple(columns), {row: tuple(item.get(row) for item in columns.values()) for row in rows}


def exact(item: Any) -> str:
    """A value to be put into a calculator."""
    return value(item, EXACT)


def name(key: str) -> str:
    """A key of numbers, witness or table, as words."""
    return key.replace("_", " ").strip()


def source(text: str) -> str:
    """``nyu-2025-hw3/1b`` as ``nyu-2025-hw3, question 1b``; ``own`` as what it means."""
    sheet, _, question = text.partition("/")
    if sheet == "own":
        return "our own"
    return f"{sheet}, question {question}" if question else sheet


def duration(seconds: float) -> str:
    """Wall time, in the unit that suits it."""
    if seconds < 60:
        return f"{_real(seconds, 3)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(count: int) -> str:
    """A number of bytes, for one who is about to take them."""
    return f"{_real(count / 1e6, 2)} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"


def spelt(count: int) -> str:
    """A small number as a word, as it stands in a sentence."""
    return WORDS[count] if 0 <= count < len(WORDS) else value(count)


def moment(iso: str) -> str:
    """``2025-11-21T10:13:00+00:00`` as ``2025-11-21 10:13``, in the time zone it was written in (UTC)."""
    return iso[:16].replace("T", " ")


def slug(text: str) -> str:
    """A name that is safe as a file's and in a link, whatever a run's files say."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in text)
    return kept.lstrip(".") or "-"


def _integer(number: int) -> str:
    text = f"{number:,}" if abs(number) >= SEPARATED_FROM else str(number)
    return text.replace("-", "−")


def _real(number: float, digits: int) -> str:
    if not math.isfinite(number):
        return "not a number" if math.isnan(number) else ("∞" if number > 0 else "−∞")
    if number == 0:
        return "0"
    mantissa, _, power = f"{number:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if exponent not in PLAIN:
        return f"{_trim(mantissa)} × 10{str(exponent).translate(_SUPERSCRIPTS)}".replace("-", "−")
    separator = "," if abs(number) >= SEPARATED_FROM else ""
    return _trim(f"{number:{separator}.{max(0, digits - 1 - exponent)}f}").replace("-", "−")


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
