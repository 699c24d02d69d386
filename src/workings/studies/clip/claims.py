"""What the published answer says of its three models, and how it is decided: on all of Flickr8k, from weights alone.

How comparisons are decided is in `comparisons`. What can be counted has its claims in `exact_claims`; what drawn scenes
and the part of the photographs at hand show are claims of our own, in `own_claims`.
"""

from itertools import pairwise

from workings.core.claim import Verdict, claim
from workings.core.evidence import Evidence
from workings.studies.clip.comparisons import (
    BETTER_RULE,
    FAR,
    GRID_RULE,
    PROMPT_RULE,
    above,
    answers,
    balanced,
    below,
    contest,
    demanded,
    larger,
    mean,
    pair,
    published_grid,
    ruled,
)
from workings.studies.clip.exact_claims import (
    a_is_balanced,
    cats_are_rare,
    config_is_one_of_the_three,
    one_class_loads_all,
    resnet_32_is_standard,
)
from workings.studies.clip.own_claims import (
    balanced_scaling_on_drawn,
    generalises_to_held_out_pairs,
    larger_image_encoder_on_drawn,
    larger_text_encoder_on_drawn,
    losses_differ,
    photographs_above_chance,
    unseen_pairs_among_all,
    zero_shot_on_drawn,
)

__all__ = [
    "a_is_balanced",
    "balanced_scaling_on_drawn",
    "cats_are_rare",
    "config_is_one_of_the_three",
    "generalises_to_held_out_pairs",
    "larger_image_encoder_on_drawn",
    "larger_text_encoder_on_drawn",
    "losses_differ",
    "one_class_loads_all",
    "photographs_above_chance",
    "resnet_32_is_standard",
    "unseen_pairs_among_all",
    "zero_shot_on_drawn",
]

FLICKR = "flickr8k"


@claim(
    "cat-fails",
    source="nyu-2025-hw3/2b",
    about=FLICKR,
    basis="measured",
    published=True,
    statement="Asked for a cat sitting with a human, all three models fail.",
    rule=PROMPT_RULE,
)
def cat_fails(evidence: Evidence) -> Verdict:
    prompt, mark = _prompt(evidence, "cat-fails")
    found = answers(evidence)
    return demanded([below(name, shares, mark) for name, shares in found.shares(prompt).items()], found.told(prompt))


@claim(
    "crowd-succeeds-in-part",
    source="nyu-2025-hw3/2b",
    about=FLICKR,
    basis="measured",
    published=True,
    statement="Asked for a crowd gathered in a park, all three models succeed in part.",
    rule=PROMPT_RULE + " In part: more than a model that fails brings up, and not all.",
)
def crowd_succeeds_in_part(evidence: Evidence) -> Verdict:
    prompt, mark = _prompt(evidence, "crowd-succeeds-in-part")
    found = answers(evidence)
    shares = found.shares(prompt).items()
    demands = [above(*of, mark) for of in shares] + [below(*of, 1.0) for of in shares]
    return demanded(demands, found.told(prompt))


@claim(
    "dog-in-a-park-better",
    source="nyu-2025-hw3/2b",
    about=FLICKR,
    basis="measured",
    published=True,
    statement="Asked for a dog sitting alone in a park, all three models do better than at the prompts before it.",
    rule=PROMPT_RULE + " Each model's share must lie above its own at the cat and at the crowd.",
)
def dog_in_a_park_better(evidence: Evidence) -> Verdict:
    stated, found = evidence.published["dog-in-a-park-better"], answers(evidence)
    here = found.shares(stated["prompt"])
    demands = [
        (f"{name} better than at “{before}”", here[name], shares)
        for before in stated["before"]
        for name, shares in found.shares(before).items()
    ]
    return demanded(demands, "; ".join(found.told(prompt) for prompt in (stated["prompt"], *stated["before"])))


@claim(
    "skateboarding-only-a",
    source="nyu-2025-hw3/2b",
    about=FLICKR,
    basis="measured",
    published=True,
    statement="Asked for a man skateboarding in the city, only model A succeeds.",
    rule=PROMPT_RULE,
)
def skateboarding_only_a(evidence: Evidence) -> Verdict:
    prompt, mark = _prompt(evidence, "skateboarding-only-a")
    finds, found = evidence.published["skateboarding-only-a"]["finds"], answers(evidence)
    shares = found.shares(prompt).items()
    demands = [above(*of, mark) if of[0] == finds else below(*of, mark) for of in shares]
    return demanded(demands, found.told(prompt))


@claim(
    "food-a-best-b-fails",
    source="nyu-2025-hw3/2b",
    about=FLICKR,
    basis="measured",
    published=True,
    statement="Asked for all kinds of food on a table, model A does best and model B fails.",
    rule=PROMPT_RULE + " A's share must lie above those of the others.",
)
def food_a_best_b_fails(evidence: Evidence) -> Verdict:
    stated, found = evidence.published["food-a-best-b-fails"], answers(evidence)
    prompt, mark = _prompt(evidence, "food-a-best-b-fails")
    best, shares = stated["best"], found.shares(prompt)
    demands = [(f"{best} above {name}", shares[best], shares[name]) for name in shares if name != best]
    return demanded([*demands, below(stated["fails"], shares[stated["fails"]], mark)], found.told(prompt))


@claim(
    "a-beats-c-beats-b",
    source="nyu-2025-hw3/2c",
    about=FLICKR,
    basis="measured",
    published=True,
    statement="Of the three models A retrieves best, then C, then B.",
    rule=BETTER_RULE + " A caption misses where its picture is not among the first ten. A against C, C against B.",
)
def a_beats_c_beats_b(evidence: Evidence) -> Verdict:
    order = evidence.published["a-beats-c-beats-b"]["order"]
    runs = {name: pair(evidence, name) for name in order}
    steps = {f"{one} beside {other}": contest(runs[one], runs[other], FAR) for one, other in pairwise(order)}
    told = ", ".join(f"{name} {mean(runs[name].metric(f'text-to-image/r{FAR}')):.1%}" for name in order)
    return ruled(steps, f"R@{FAR}, text to image: {told}")


@claim(
    "larger-image-encoder-better",
    source="nyu-2025-hw3/2c",
    about=FLICKR,
    basis="measured",
    published=True,
    statement="A larger image encoder retrieves better.",
    rule=BETTER_RULE + " A caption misses where its picture is not among the first ten. Each image encoder against the "
    "next smaller one." + GRID_RULE,
)
def larger_image_encoder_better(evidence: Evidence) -> Verdict:
    return larger(published_grid(evidence), FAR, axis=0)


@claim(
    "balanced-scaling-best",
    source="nyu-2025-hw3/2c",
    about=FLICKR,
    basis="measured",
    published=True,
    statement="Encoders of balanced size retrieve best.",
    rule=BETTER_RULE
    + " A caption misses where its picture is not among the first ten. The three pairs of equal rank by "
    "size against the six others." + GRID_RULE,
)
def balanced_scaling_best(evidence: Evidence) -> Verdict:
    return balanced(published_grid(evidence), FAR)


def _prompt(evidence: Evidence, name: str) -> tuple[str, float]:
    """The prompt of a statement, and the share from which a model does not fail."""
    return evidence.published[name]["prompt"], evidence.published["prompt-share"]["least"]
