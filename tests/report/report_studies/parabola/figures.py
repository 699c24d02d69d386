"""One figure that can be drawn, one that lacks its evidence."""

from typing import TYPE_CHECKING

from workings.core.evidence import Evidence
from workings.core.figure import figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure(
    "losses",
    caption="The loss falls by the same factor at each step, faster with momentum.",
    alt='Curves of the loss over steps, on a logarithmic scale; all fall "straight".',
)
def losses(evidence: Evidence) -> "Figure":
    import matplotlib.pyplot as plt

    drawn, axes = plt.subplots()
    for run in evidence:
        if run.config["seed"] == 0:
            steps, values = zip(*run.series("loss"), strict=True)
            (line,) = axes.semilogy(steps, values)
            label = "with momentum" if run.config["momentum"] else "plain"
            axes.annotate(label, (steps[-1], values[-1]), (6, 0), textcoords="offset points", color=line.get_color())
    axes.set(xlabel="step", ylabel="loss $x^2$", title=f"Step size η = {evidence.one().config['eta']}")
    return drawn


@figure("accuracies", caption="Accuracy over the epochs.", alt="A rising curve.")
def accuracies(evidence: Evidence) -> "Figure":
    evidence.metric("validation/accuracy")
    raise AssertionError("there is no such metric")
