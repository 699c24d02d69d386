"""What a page's prose may hold: no figure but those that its problem gives, and no more words than the sheet allows.

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
FIGURE = re.compile(r"(?<![\w^])(?<![A-Za-z]-)\d(?:[\d.,]*\d)?(?:\s?%)?")
"""A figure in prose: 50, 0.205, 1,404, 76 %; not the 4 of conv4, nor the 18 of ResNet-18."""
HEADING = re.compile(r"^(#{2,6}) .*\{#([\w.-]+)[^}\n]*\}[ \t]*$", re.MULTILINE)


def check_length(page: ProblemSet, markdown: str) -> None:
    """`UserError` where a section of the composed page is longer than the front matter allows; write-ups count too."""
    headings = [(found.end(), found.start(), len(found[1]), found[2]) for found in HEADING.finditer(markdown)]
    for index, (begin, _, level, anchor) in enumerate(headings):
        most = page.words.get(anchor)
        if most is None:
            continue
        end = next((start for _, start, other, _ in headings[index + 1 :] if other <= level), len(markdown))
        text = re.sub(r"^> .*$|^#.*$|WORKINGSBLOCK\d+END", "", markdown[begin:end], flags=re.MULTILINE)
        count = sum(any(letter.isalnum() for letter in word) for word in text.split())
        if count > most:
            raise UserError(f"{page.id}: section {anchor} holds {count} words, {most} are allowed: shorten it")


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
