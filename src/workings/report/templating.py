"""The templates of pages and documents, and the filters by which they show values."""

from base64 import b64encode
from importlib.metadata import version
from itertools import cycle

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from workings.report import chapters, formatting


def templates() -> Environment:
    """A new environment: its text is escaped, and a name that nobody gave is an error."""
    environment = Environment(
        loader=PackageLoader("workings.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "value": formatting.value,
        "exact": formatting.exact,
        "flat": formatting.flat,
        "nested": formatting.nested,
        "words": formatting.name,
        "said": said,
        "source": formatting.source,
        "slug": formatting.slug,
        "duration": formatting.duration,
        "moment": formatting.moment,
        "spelt": formatting.spelt,
        "size": formatting.size,
        "origin": chapters.origin,
        "sheet": chapters.sheet,
        "base64": lambda content: b64encode(content).decode(),
    }
    environment.globals |= {
        "release": version("workings"),
        "newest": "",
        "errata": None,
        "documents": {},
        "answered": (),
    }
    return environment


def said(text: str) -> Markup:
    """A sentence, what stands between backticks set as code."""
    kinds = cycle((Markup("{}"), Markup("<code>{}</code>")))
    return Markup("").join(kind.format(part) for kind, part in zip(kinds, text.split("`"), strict=False))
