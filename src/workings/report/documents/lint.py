"""No figure is typed into prose: a page's words may hold the figures that its problem gives, and no others.

Outside the rule are mathematics, code, references, links and anchors. What the problem gives is declared in the front
matter (``given``), so that a reader of the page sees at once what was typed by hand.
"""

import re

from workings.core.errors import UserError
from workings.core.problem_set import ProblemSet

OUTSIDE = re.compile(
    r"```.*?^```|\$\$.*?\$\$|\$[^$\n]+(?:\n[^$\n]+)*\$|`[^`]*`|\{\{.*?\}\}|\{[#.][^}]*\}|\]\([^)]*\)|<https?://[^>]*>",
    re.DOTALL | re.MULTILINE,
)
FIGURE = re.compile(r"(?<![\w^])\d(?:[\d.,]*\d)?(?:\s?%)?")
"""A figure in prose: 50, 0.205, 1,404, 76 %; not the 4 of conv4."""


def check(page: ProblemSet) -> None:
    """`UserError` where prose holds a figure that the problem does not give; it names the line."""
    prose = OUTSIDE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), page.text)
    for found in FIGURE.finditer(prose):
        if found[0] not in page.given:
            line = page.first_line + page.text.count("\n", 0, found.start())
            raise UserError(
                f"{page.id}, line {line}: {found[0]} is typed into prose; refer to the evidence "
                "({{ metric(…) }}, {{ published(…) }}), or declare it under given if the problem gives it"
            )
