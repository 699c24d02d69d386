"""What a generator is asked after an epoch: pictures of the same noise, and how good, varied and new its pictures are.

At epochs 1 to 10 and each fifth after: a sheet of pictures, always of the same noise. At epochs 1, 2, 5 and each tenth:

    frechet, precision, recall    against held-out pictures, in the judge's features (`measures`)
    share/EPOCH (an array)        share of drawn pictures that the judge takes for each class
    near                          share nearer to a training picture, by pixels, than all but `RARE` of held-out ones

Once: the same of real pictures, as ``real/…`` and ``share/real``. One half of the held-out pictures is the reference,
the other half gives the floor; the judge has been trained on neither. Which epochs are measured does not depend
on where a training ends, so a lengthened training has measured what one of that length would have.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from workings.core.runs import Recorder
from workings.studies.dcgan.judge import Classifier, judged
from workings.studies.dcgan.latent import noise, round_trip
from workings.studies.dcgan.measures import frechet, nearest, precision_recall
from workings.studies.dcgan.model import Generator
from workings.studies.dcgan.pictures import Prepared, sheet, to_bytes, to_unit

SHEET, SHEET_COLUMNS = 40, 10
"""Pictures on a sheet: few enough for the sheets of three trainings to be shipped."""
LARGEST = 5_000
"""Drawn pictures measured at most: half of FashionMNIST's held-out ones."""
COMPARED = 2_000
"""Pictures whose nearest training picture is looked for, at most."""
RARE = 0.05
"""Of held-out pictures so many count as near to a training picture: what is near is told by them."""
SHOWN = 12
"""Drawn pictures kept beside their neighbours."""
STOPS, STEPS = 3, 12
"""The kept walk: stops, and pictures from each to the next."""
BATCH = 250
"""Pictures drawn together; more takes memory, not time."""


def is_kept(epoch: int) -> bool:
    """Whether a sheet of pictures is kept after this epoch."""
    return epoch <= 10 or epoch % 5 == 0


def is_measured(epoch: int) -> bool:
    """Whether pictures are measured after this epoch."""
    return epoch in (1, 2, 5) or epoch % 10 == 0


def draw(generator: Generator, codes: Float[Tensor, "count noise"]) -> Float[Tensor, "count 1 size size"]:
    """Pictures of these codes, on the CPU, with the generator as it stands for use: running means normalise."""
    device = generator.dense.weight.device
    was = generator.training
    generator.eval()
    with torch.no_grad():
        pictures = torch.cat([generator(block.to(device)).cpu() for block in codes.split(BATCH)])
    generator.train(was)
    return pictures


@dataclass
class Examiner:
    """Keeps and measures; `look` is what the learner calls."""

    recorder: Recorder
    seed: int
    codes: int
    """Numbers of noise a picture."""
    data: Prepared
    judge: Classifier | None
    _real: dict[str, Tensor] = field(default_factory=dict)

    def look(self, generator: Generator, epoch: int) -> Mapping[str, float]:
        """Keep the pictures of this epoch, measure them if it is one that is measured."""
        if is_kept(epoch):
            self._keep(f"epochs/{epoch:03d}", draw(generator, self._noise(SHEET, "sheet")), SHEET_COLUMNS)
        if not is_measured(epoch):
            return {}
        walk = round_trip(self._noise(STOPS, "walk"), STEPS)
        self._keep("walk", draw(generator, walk), STEPS)
        return self._measure(draw(generator, self._noise(self._count, "measured")), epoch)

    @property
    def _count(self) -> int:
        return min(len(self.data.test) // 2, LARGEST)

    def _measure(self, drawn: Tensor, epoch: int) -> Mapping[str, float]:
        found = self._near(drawn, epoch)
        if self.judge is None:
            return found
        reference = self._reference(self.judge)
        features, classes = judged(self.judge, drawn)
        self.recorder.array(f"share/{epoch:03d}", self._shares(classes))
        return {**found, **_compare(reference, features)}

    def _reference(self, judge: Classifier) -> Tensor:
        """Features of one half of the held-out pictures; what the other half scores is recorded once."""
        if "reference" not in self._real:
            test = to_unit(self.data.test[: 2 * self._count])
            features, classes = judged(judge, test)
            # Every other picture: the halves hold like pictures even where a set is in order.
            self._real["reference"] = features[0::2]
            for name, value in _compare(features[0::2], features[1::2]).items():
                self.recorder.metric(f"real/{name}", value)
            self.recorder.array("share/real", self._shares(classes))
            self.recorder.metric("measured/pictures", self._count)
        return self._real["reference"]

    def _near(self, drawn: Tensor, epoch: int) -> Mapping[str, float]:
        """How near drawn pictures are to training ones, held against held-out pictures."""
        train = to_unit(self.data.train).flatten(1)
        if "near" not in self._real:
            test = to_unit(self.data.test[:COMPARED]).flatten(1)
            self._real["near"] = nearest(test, train)[0]
            self.recorder.array("near/real", self._real["near"].numpy())
            self.recorder.metric("real/near", self._nearer(self._real["near"]))
        asked = drawn[:COMPARED]
        distances, index = nearest(asked.flatten(1), train)
        self.recorder.array("near/drawn", distances.numpy())
        self.recorder.metric("compared/pictures", len(asked))
        shown = torch.cat([asked[:SHOWN], to_unit(self.data.train[index[:SHOWN]])])
        self._keep("neighbours", shown, min(SHOWN, len(asked)))
        return {"near": self._nearer(distances)}

    def _nearer(self, distances: Float[Tensor, " count"]) -> float:
        """Share of distances below that which `RARE` of held-out pictures fall short of."""
        return float((distances < torch.quantile(self._real["near"], RARE)).double().mean())

    def _shares(self, classes: Int[Tensor, " count"]) -> Float[np.ndarray, " classes"]:
        return np.asarray(torch.bincount(classes, minlength=len(self.data.classes)).numpy() / len(classes))

    def _noise(self, count: int, purpose: str) -> Tensor:
        return noise(count, self.codes, self.seed, purpose)

    def _keep(self, name: str, pictures: Tensor, columns: int) -> None:
        pixels: UInt8[np.ndarray, "count size size"] = to_bytes(pictures)
        self.recorder.picture(name, sheet(pixels, columns))


def _compare(reference: Tensor, features: Tensor) -> dict[str, float]:
    precision, recall = precision_recall(reference, features)
    return {"frechet": frechet(reference.numpy(), features.numpy()), "precision": precision, "recall": recall}
