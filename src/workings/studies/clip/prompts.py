"""What models are asked for: the published answer's five prompts, and what makes a picture fit one.

A picture fits where one of its captions has, for each of the prompt's key words, that word or one that means as much.
The key words are ours: the published answer judges by eye.
"""

import re
from collections.abc import Mapping, Sequence

HUMAN = r"man|men|woman|women|person|people|boys?|girls?|child|children|kids?|lady|guy|human"
PHOTOGRAPHS: Mapping[str, Sequence[str]] = {
    "a cat sitting with a human": (r"cats?|kittens?", HUMAN),
    "a crowd gathered in a park": (r"crowds?|crowded|people|group", r"parks?"),
    "a dog sitting alone in a park": (r"dogs?|pupp(?:y|ies)", r"parks?|grass|field|lawn|yard"),
    "a man skateboarding in the city": (
        r"man|men|boys?|guy|person|skater|skateboarder",
        r"skateboards?|skateboarding|skateboarder|skater|skating",
    ),
    "all kinds of food on a table": (r"food|meal|dinner|lunch|breakfast|dish(?:es)?|cake|pizza", r"tables?"),
}
"""Prompt, and a pattern for each of its key words."""
LABELS = ("a photo of a {}", "a picture of a {}", "there is a {}")
"""Sentences by which pictures are classified, averaged (Radford et al. 2021, section 3.1.4)."""


def fits(captions: Sequence[str], patterns: Sequence[str]) -> bool:
    """Whether one of a picture's captions has every key word."""
    return any(all(re.search(rf"\b(?:{p})\b", caption, re.IGNORECASE) for p in patterns) for caption in captions)
