"""What a trained network does with pictures that it has never seen, and what its first layer looks for.

test/accuracy, test/loss    over all test pictures
wrong                       for each test picture, in order, whether the network was wrong (uint8)
confusion                   pictures of class i that were taken for class j: int32 [i, j]
mistakes (a table and a picture)   those of which it was surest, and the pictures themselves side by side
filters                     the weights of the first convolution: float32 [filter, channel, 3, 3]
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workings.core.runs import Recorder
from workings.data.augment import Album
from workings.data.pictures import Pixels
from workings.studies.alexnet.learner import AlexNetLearner, classify

SHOWN = 12
"""Mistakes that are kept."""


def examine(learner: AlexNetLearner, recorder: Recorder) -> None:
    """Record all of it, at the epoch that was reached; the weights are those that the learner's network has now."""
    data, epochs = learner.data, learner.config.epochs
    album = Album(data.test, mean=data.mean, std=data.std, device=learner.device)
    logits = classify(learner.network.eval(), album).cpu()
    labels = torch.from_numpy(data.test_labels)
    answers = logits.argmax(1)
    accuracy = float((answers == labels).double().mean())
    recorder.metric("test/accuracy", accuracy, epochs)
    recorder.metric("test/loss", float(nn.functional.cross_entropy(logits, labels)), epochs)
    recorder.metric("test/pictures", len(labels), epochs)
    recorder.array("wrong", (answers != labels).numpy().astype(np.uint8))
    recorder.array("confusion", confusion(labels, answers, len(data.classes)))
    recorder.array("filters", learner.network.weighted[0].weight.detach().cpu().numpy())
    surest = surest_mistakes(logits, labels)
    probabilities = logits.softmax(1)
    rows = [
        {
            "picture": at,
            "is": data.classes[int(labels[at])],
            "taken_for": data.classes[int(answers[at])],
            "probability": round(float(probabilities[at].max()), 4),
        }
        for at in surest
    ]
    recorder.table("mistakes", rows)
    if surest:
        recorder.picture("mistakes", side_by_side(data.test[surest]))
    told = {"test accuracy": f"{accuracy:.2%}", "test pictures": len(labels)}
    recorder.table("result", told)


def confusion(
    labels: Int[Tensor, " count"], answers: Int[Tensor, " count"], classes: int
) -> Int[np.ndarray, "classes classes"]:
    """How many pictures of class i were taken for class j."""
    counts = torch.bincount(labels * classes + answers, minlength=classes * classes)
    return np.asarray(counts.view(classes, classes).numpy().astype(np.int32))


def surest_mistakes(logits: Float[Tensor, "count classes"], labels: Int[Tensor, " count"]) -> list[int]:
    """Pictures with a wrong answer, that of the highest probability first."""
    sure, answers = logits.double().softmax(1).max(1)
    order = torch.where(answers == labels, -1.0, sure).argsort(descending=True, stable=True)
    wrong = int((answers != labels).sum())
    return [int(at) for at in order[: min(SHOWN, wrong)]]


def side_by_side(pictures: Pixels) -> Pixels:
    """Pictures (count, height, width) or (count, height, width, 3) in one row."""
    return np.concatenate(list(pictures), axis=1)
