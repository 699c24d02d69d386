"""What a derivative costs: the work of all its primitives, counted by a trace that watches from outside.

As rules are written in primitives, a counter beneath a tape sees the sweeps too, and needs nothing of them.
"""

from collections import Counter

import numpy as np

from workings.studies.autodiff.model import MODES, array, jacobian
from workings.studies.autodiff.primitives import tanh
from workings.studies.autodiff.tracing import Primitive, Traced, Value, plain

HIDDEN = 32
"""Width of the layer between the inputs and the outputs."""


class Count:
    """Counts primitives and scalar multiplications (quotients and powers too) of whatever it watches."""

    level = -1  # beneath every tape and every dual number

    def __init__(self) -> None:
        self.primitives: Counter[str] = Counter()
        self.multiplications = 0

    def watch(self, x: Value) -> Traced:
        """Count what is computed from a value."""
        return Traced(array(x), self, None)

    def apply(self, primitive: Primitive, args: tuple[Value, ...]) -> Traced:
        """The value of a primitive, counted."""
        values = [plain(arg) for arg in args]
        z = primitive(*values)
        self.primitives[primitive.name] += 1
        if primitive.name in ("mul", "div", "pow"):
            self.multiplications += z.size
        elif primitive.name == "matmul":  # each entry of z is a sum of as many products
            self.multiplications += z.size * values[0].shape[-1]
        return Traced(z, self, None)


def jacobian_cost(n: int, m: int) -> dict[str, dict[str, int]]:
    """What the full Jacobian of A·tanh(B·x) from ℝⁿ to ℝᵐ costs in each mode."""
    cost: dict[str, dict[str, int]] = {}
    for mode in MODES:
        counter = Count()
        # Units keep all numbers tame; only how many there are matters. The weights are watched too, or products of a
        # weight and a unit vector would go unseen.
        A, B, x = (counter.watch(np.full(shape, 1e-3)) for shape in ((m, HIDDEN), (HIDDEN, n), (n,)))
        jacobian(lambda x, A=A, B=B: A @ tanh(B @ x), mode)(x)
        cost[mode] = {"multiplications": counter.multiplications, "primitives": counter.primitives.total()}
    return cost
