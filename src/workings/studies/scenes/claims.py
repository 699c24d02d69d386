"""What the sheet, the published answers and we say of the networks.

How comparisons are decided is in `comparisons`. Statements about the course's photographs are decided by runs on them
alone; what the stand-in shows are claims of their own.
"""

import numpy as np

from workings.core.claim import Verdict, claim, refuted, supported
from workings.core.decide import better
from workings.core.evidence import NONE, Evidence
from workings.studies.scenes.comparisons import (
    AGREES_RULE,
    BETTER_RULE,
    POOLED,
    SEEDS_RULE,
    accuracy,
    cheaper,
    contest,
    counted,
    gap,
    held_against,
    idle,
    kernel_rows,
    losses,
    lower,
    mean,
    networks,
    parts_of_difference,
    ruled,
    share_changed,
    sizes,
    variation,
)

COURSE, STAND_IN = "intel", "cifar10-jpeg"


@claim(
    "parameters-plain",
    source="ist-2025-hw2/2.3",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="The first network has as many parameters as the sheet's layers add up to.",
    rule="The count over the built network's tensors must equal the transcribed sum.",
)
def parameters_plain(evidence: Evidence) -> Verdict:
    return counted(evidence, "parameters-plain", normalised=False, pooled=False)


@claim(
    "parameters-pooled",
    source="ist-2025-hw2/2.3",
    about=NONE,
    basis="exhaustive",
    expect="supported",
    statement="The normalised and pooled network has as many parameters as the sheet's layers add up to.",
    rule="The count over the built network's tensors must equal the transcribed sum.",
)
def parameters_pooled(evidence: Evidence) -> Verdict:
    return counted(evidence, "parameters-pooled", **POOLED)


@claim(
    "difference-by-pooling",
    source="ist-2025-hw2/2.3",
    about=NONE,
    basis="exhaustive",
    published=True,
    expect="refuted",
    statement="The published explanation, which names global pooling alone, accounts for the difference of the counts.",
    rule="What is named must make up the whole difference: that of pooling is the count of the first network less that "
    "of the same network pooled, that of normalising the count of its own parameters.",
    repair="Pooling saves more than the difference; batch normalisation adds the rest back, a scale and a shift for "
    "each channel and each normalised unit.",
)
def difference_by_pooling(evidence: Evidence) -> Verdict:
    parts = parts_of_difference(evidence)
    effects = {"pooling": parts["pooling_saves"], "normalisation": -parts["normalisation_adds"]}
    named = evidence.published["difference-by-pooling"]["names"]
    explained = sum(effects[name] for name in named)
    if explained == parts["difference"]:
        return supported(f"What is named makes up all of {parts['difference']:,}.", named=named, **parts)
    told = (
        f"Pooling alone saves {parts['pooling_saves']:,}, the counts differ by {parts['difference']:,}: the "
        f"{parts['normalisation_adds']:,} parameters of batch normalisation are left out."
    )
    return refuted(told, witness={**parts, "explained": explained})


@claim(
    "selected-on-validation",
    source="ist-2025-hw2/2.1",
    about=NONE,
    basis="transcribed",
    published=True,
    expect="refuted",
    statement="The published learning rate was chosen by validation accuracy.",
    rule="The transcribed criterion of choice must be validation accuracy, and the chosen rate the best by it.",
    repair="Choose by validation accuracy, and look at the test accuracy of the chosen network alone.",
)
def selected_on_validation(evidence: Evidence) -> Verdict:
    stated, table = (evidence.published[name] for name in ("selected-on-validation", "published-accuracies"))
    best = table["rates"][int(np.argmax(table["validation"]))]
    witness = {"chosen_by": stated["chosen_by"], **{name: table[name] for name in ("rates", "test", "validation")}}
    if stated["chosen_by"] == "validation accuracy" and stated["chosen"] == best:
        return supported(f"{stated['chosen']:g} was chosen by validation accuracy, and is the best by it.", **witness)
    other = "the same one" if stated["chosen"] == best else f"{best:g}"
    told = f"{stated['chosen']:g} was chosen by {stated['chosen_by']}; validation would have picked {other}."
    return refuted(told, witness=witness)


@claim(
    "middle-rate-best",
    source="ist-2025-hw2/2.1",
    about=COURSE,
    basis="measured",
    published=True,
    statement="Of the sheet's three learning rates the middle one gives the most accurate network.",
    rule=BETTER_RULE,
)
def middle_rate_best(evidence: Evidence) -> Verdict:
    rates = evidence.published["published-accuracies"]["rates"]
    best = evidence.published["middle-rate-best"]["best"]
    runs = {rate: networks(evidence, learning_rate=rate) for rate in rates}
    contests = {f"{rate:g}": contest(runs[best], runs[rate]) for rate in rates if rate != best}
    told = ", ".join(f"{accuracy(there):.3f} at {rate:g}" for rate, there in runs.items())
    validated = {f"{rate:g}": there.metric("validation/accuracy") for rate, there in runs.items()}
    return ruled(contests, f"Test accuracy {told}", validation=validated)


@claim(
    "middle-rate-best-on-cifar",
    source="own",
    about=STAND_IN,
    basis="measured",
    statement="After ten epochs on six classes of CIFAR-10 too, the middle rate is the best of the three.",
    rule=BETTER_RULE,
)
def middle_rate_best_on_cifar(evidence: Evidence) -> Verdict:
    return middle_rate_best.check(evidence)


@claim(
    "pooled-better",
    source="ist-2025-hw2/2.2",
    about=COURSE,
    basis="measured",
    published=True,
    statement="The normalised and pooled network is more accurate, with a fraction of the parameters.",
    rule=BETTER_RULE,
)
def pooled_better(evidence: Evidence) -> Verdict:
    plain, pooled = networks(evidence), networks(evidence, **POOLED)
    fewer = plain.one().metric("parameters") / pooled.one().metric("parameters")
    told = (
        f"Test accuracy {accuracy(pooled):.3f} normalised and pooled, {accuracy(plain):.3f} without, which has "
        f"{fewer:.1f} times as many parameters"
    )
    return ruled({"plain": contest(pooled, plain)}, told, times_as_many_parameters=fewer)


@claim(
    "pooled-better-on-cifar",
    source="own",
    about=STAND_IN,
    basis="measured",
    statement="After ten epochs on six classes of CIFAR-10 too, the normalised and pooled network is more accurate.",
    rule=BETTER_RULE,
)
def pooled_better_on_cifar(evidence: Evidence) -> Verdict:
    return pooled_better.check(evidence)


@claim(
    "published-accuracies",
    source="ist-2025-hw2/2",
    about=COURSE,
    basis="measured",
    published=True,
    statement="The published test accuracies are what the sheet's recipe gives.",
    rule=AGREES_RULE,
)
def published_accuracies(evidence: Evidence) -> Verdict:
    stated, pooled = (evidence.published[name] for name in ("published-accuracies", "published-accuracy-pooled"))
    figures = {
        f"{rate:g}": (figure, networks(evidence, learning_rate=rate).metric("test/accuracy"))
        for rate, figure in zip(stated["rates"], stated["test"], strict=True)
    }
    figures["pooled"] = (pooled["test"], networks(evidence, **POOLED).metric("test/accuracy"))
    return held_against(figures)


@claim(
    "scrambling-explains-published",
    source="own",
    about=COURSE,
    basis="measured",
    statement="Published accuracies are those of scrambled pictures, as the course's skeleton makes them.",
    rule=AGREES_RULE + " Here the runs are those on scrambled pictures, at the middle rate.",
)
def scrambling_explains_published(evidence: Evidence) -> Verdict:
    stated, scrambled = evidence.published["published-accuracies"], networks(evidence, pixel_order="scrambled")
    middle = scrambled.one().config["learning_rate"]
    figure = stated["test"][stated["rates"].index(middle)]
    return held_against({f"{middle:g}, scrambled": (figure, scrambled.metric("test/accuracy"))})


@claim(
    "scrambling-costs-accuracy-on-cifar",
    source="own",
    about=STAND_IN,
    basis="measured",
    statement="Pictures that are reshaped where they should be transposed are told apart less well.",
    rule=BETTER_RULE,
)
def scrambling_costs_accuracy_on_cifar(evidence: Evidence) -> Verdict:
    right, scrambled = networks(evidence), networks(evidence, pixel_order="scrambled")
    told = f"Test accuracy {accuracy(right):.3f} with pixels in order, {accuracy(scrambled):.3f} scrambled"
    return ruled({"scrambled": contest(right, scrambled)}, told)


@claim(
    "kernels-cheaper",
    source="ist-2025-hw2/2.4",
    about=NONE,
    basis="exhaustive",
    published=True,
    expect="supported",
    statement="Three 3×3 convolutions see as far as one 7×7, with fewer weights: so many C² as published.",
    rule="For each number of channels C, weights and pixels seen are counted on built convolutions.",
)
def kernels_cheaper(evidence: Evidence) -> Verdict:
    return cheaper(kernel_rows(evidence), evidence.published["kernels-cheaper"])


@claim(
    "kernels-add-non-linearity",
    source="ist-2025-hw2/2.4",
    about=NONE,
    basis="exhaustive",
    published=True,
    expect="supported",
    statement="Small kernels have more non-linearities than a large one that sees as far.",
    rule="The ReLUs of both are counted.",
)
def kernels_add_non_linearity(evidence: Evidence) -> Verdict:
    counts = {row["stack"]: row["activations"] for row in kernel_rows(evidence)}
    told = f"{counts['small']} ReLUs against {counts['large']}."
    return supported(told, **counts) if counts["small"] > counts["large"] else refuted(told, witness=counts)


@claim(
    "kernels-ease-optimisation",
    source="ist-2025-hw2/2.4",
    basis="measured",
    published=True,
    statement="Three 3×3 convolutions a block are easier to optimise than one 7×7: trained as the sheet trains its "
    "first network, they end with the lower training loss.",
    rule=SEEDS_RULE + " Training loss: mean over the last epoch, with dropout, at the same rate, as many maps.",
)
def kernels_ease_optimisation(evidence: Evidence) -> Verdict:
    return losses(evidence, normalised=False)


@claim(
    "kernels-ease-optimisation-normalised",
    source="own",
    basis="measured",
    statement="With batch normalisation too, three 3×3 convolutions a block reach a lower training loss than one 7×7.",
    rule=SEEDS_RULE + " Training loss: mean over the last epoch, with dropout, at the same rate, as many maps.",
)
def kernels_ease_optimisation_normalised(evidence: Evidence) -> Verdict:
    return losses(evidence, normalised=True)


@claim(
    "kernels-overfit-less",
    source="ist-2025-hw2/2.4",
    basis="measured",
    published=True,
    statement="Three 3×3 convolutions a block overfit less than one 7×7.",
    rule=SEEDS_RULE
    + " Overfitting: accuracy on the training pictures less that on test pictures, after the last epoch. "
    "Both networks are normalised, so that both learn: a network that learns nothing overfits nothing.",
)
def kernels_overfit_less(evidence: Evidence) -> Verdict:
    small, large = sizes(evidence, normalised=True)
    told = [
        f"{name} {accuracy(runs):.3f} on test pictures, {mean(map(gap, runs)):.3f} more on training pictures"
        for name, runs in (("Three 3×3", small), ("one 7×7", large))
    ]
    accuracies = {"test": [small.metric("test/accuracy"), large.metric("test/accuracy")]}
    return idle(small, large) or lower([*map(gap, small)], [*map(gap, large)], "; ".join(told), **accuracies)


@claim(
    "pooling-steadies",
    source="ist-2025-hw2/2.4",
    basis="measured",
    published=True,
    statement="With max pooling a network's answer is less sensitive to shifts than with strides in its place.",
    rule=BETTER_RULE
    + " An error is here a move of the picture, by 1 to 4 pixels up, down, left or right, that changes "
    "its class. Both networks must have learned something: one that always gives one answer is steady, too.",
)
def pooling_steadies(evidence: Evidence) -> Verdict:
    pooling, strides = networks(evidence).beside(networks(evidence, downsample="stride"))
    first, second = (np.stack([share_changed(run) for run in runs]) for runs in (pooling, strides))
    told = (
        f"Of small moves {first.mean():.1%} change the class with pooling (test accuracy {accuracy(pooling):.3f}), "
        f"{second.mean():.1%} with strides ({accuracy(strides):.3f})"
    )
    numbers = {state: [variation(runs, state) for runs in (pooling, strides)] for state in ("untrained", "trained")}
    return idle(pooling, strides) or ruled({"strides": better(first, second)}, told, total_variation=numbers)
