"""The evidence as claims and figures read it: tables by name, and each layer's errors under every shift."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.studies.circulant.study import EVERY_N

if TYPE_CHECKING:
    from workings.nn.equivariance import Audit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """One layer under every shift of its run."""

    name: str
    kind: str
    stride: tuple[float, ...] | None
    """Pixels per position; None where the layer was measured for invariance."""
    shifts: NDArray[np.int64]
    """Pixels down and to the right, a row a shift."""
    errors: Floats
    interior: Floats
    """NaN where there is none."""

    @property
    def mean(self) -> float:
        """Of the errors."""
        return float(self.errors.mean())

    @property
    def on_grid(self) -> NDArray[np.bool_]:
        """Which shifts the stride divides along both axes."""
        whole: NDArray[np.bool_] = (self.shifts % np.array(self.stride or (1, 1)) == 0).all(-1)
        return whole

    @property
    def off_grid_mean(self) -> float:
        """The mean error of the other shifts."""
        return float(self.errors[~self.on_grid].mean())

    @property
    def has_interior(self) -> NDArray[np.bool_]:
        """Which shifts leave an interior."""
        return ~np.isnan(self.interior)

    def at(self, which: NDArray[np.bool_]) -> dict[str, Any]:
        """The first of these shifts, for a witness."""
        i = int(np.flatnonzero(which)[0])
        told = {"shift": self.shifts[i].tolist(), "stride": self.stride, "error": float(self.errors[i])}
        return told | ({"interior_error": float(self.interior[i])} if self.has_interior[i] else {})

    def worst(self, *, interior: bool = False) -> dict[str, Any]:
        """The shift of the largest error, for a witness."""
        errors = np.nan_to_num(self.interior) if interior else self.errors
        return self.at(np.arange(len(errors)) == errors.argmax())


def layers_of(run: Run) -> list[Reading]:
    """Every layer of a run, in order of their calls, the whole network last."""
    shifts, errors, interior = (run.array(name) for name in ("shifts", "errors", "interior"))
    return [
        Reading(row["name"], row["kind"], row["stride"] and tuple(row["stride"]), shifts, *pair)
        for row, *pair in zip(run.table("layers"), errors, interior, strict=True)
    ]


def tables(evidence: Evidence, name: str) -> list[dict[str, Any]]:
    """This table of every run that has one."""
    found = [run.table(name) for run in evidence if name in run.names("tables")]
    if not found:
        raise MissingEvidence(f"no {name} was measured")
    return found


def commutants(evidence: Evidence) -> list[dict[str, Any]]:
    """What commutes with the shift, a row for every n."""
    rows: list[dict[str, Any]] = evidence.where(every_n=EVERY_N).one().table("commutants")
    return rows


def layer(evidence: Evidence, name: str, seed: int = 0) -> Reading:
    """The whole of a small network of the gallery."""
    return layers_of(evidence.where(layer=name, seed=seed).one())[-1]


def of(audit: "Audit") -> list[Reading]:
    """The layers of an audit just made."""
    return [
        Reading(
            layer.name,
            layer.kind,
            None if layer.stride is None else tuple(map(float, layer.stride)),
            np.array(audit.shifts),
            np.array(layer.errors),
            np.array(layer.interior),
        )
        for layer in audit.layers
    ]
