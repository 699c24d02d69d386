import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision import ops

from workings.studies.iou.exact import fractions, kinks, overlap, slopes
from workings.studies.iou.model import COMPARE, best_match, ciou, diou, giou, gradient, iou, loss, pairwise, parts
from workings.studies.iou.rotated import rotated
from workings.studies.iou.study import MEASURES, Measure

ROUNDING = 16 * 2.0**-52
"""A measure takes about a dozen operations in float64."""
NAN, INF = math.nan, math.inf


def boxes(count: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Boxes with sides from 0.1 to 1.1, many of which overlap."""
    draw = torch.Generator().manual_seed(seed)
    corner, side = torch.rand(2, count, 2, generator=draw, dtype=torch.float64)
    return torch.cat([2 * corner, 2 * corner + 0.1 + side], dim=1).to(dtype)


WORKED = [  # a, b, IoU, GIoU, DIoU: by hand
    ([0, 0, 2, 2], [1, 1, 3, 3], 1 / 7, 1 / 7 - 2 / 9, 1 / 7 - 2 / 18),
    ([0, 0, 2, 2], [0, 0, 2, 2], 1, 1, 1),
    ([0, 0, 4, 4], [1, 1, 3, 3], 1 / 4, 1 / 4, 1 / 4),
    ([0, 0, 1, 1], [3, 0, 4, 1], 0, -2 / 4, -9 / 17),
    ([0, 0, 1, 1], [1, 0, 2, 1], 0, 0, -1 / 5),
    ([0, 0, 1, 1], [1, 1, 2, 2], 0, -2 / 4, -2 / 8),
    ([-3, -1, -1, 1], [-2, 0, 1, 1], 1 / 6, 1 / 6 - 2 / 8, 1 / 6 - (2.25 + 0.25) / 20),
]


@pytest.mark.parametrize(("a", "b", "plain", "general", "distance"), WORKED)
def test_pairs_worked_by_hand(a: list[int], b: list[int], plain: float, general: float, distance: float) -> None:
    first, second = torch.tensor(a), torch.tensor(b)  # integers
    for compare, expected in ((iou, plain), (giou, general), (diou, distance)):
        assert float(compare(first, second)) == pytest.approx(expected, abs=ROUNDING)
        assert float(compare(second, first)) == pytest.approx(expected, abs=ROUNDING)
    assert overlap(fractions(a), fractions(b)).iou.value == Fraction(plain).limit_denominator(100)


DEGENERATE = [  # what the definitions leave open: a, b, and IoU, GIoU, DIoU, CIoU
    ("point and itself", [1, 1, 1, 1], [1, 1, 1, 1], (0, 0, 0, 0)),
    ("segment and itself", [0, 1, 2, 1], [0, 1, 2, 1], (0, 0, 0, 0)),
    ("crossing segments", [0, 1, 2, 1], [1, 0, 1, 2], (0, -1, 0, -0.5)),  # slants π/2 and 0: v = 1, α = 1/2
    ("point in a box", [1, 1, 1, 1], [0, 0, 2, 2], (0, 0, 0, None)),
    ("inverted along x", [2, 0, 0, 2], [0, 0, 2, 2], (0, 0, 0, None)),
    ("inverted both ways", [2, 2, 0, 0], [0, 0, 2, 2], (0, 0, 0, None)),
    ("inverted, far away", [5, 0, 4, 2], [0, 0, 2, 2], (0, None, None, None)),
    ("two inverted", [2, 2, 0, 0], [2, 2, 0, 0], (0, 0, 0, 0)),
    ("NaN first", [NAN, 0, 1, 1], [0, 0, 1, 1], (NAN, NAN, NAN, NAN)),
    ("NaN last, apart", [5, 5, 6, NAN], [0, 0, 1, 1], (NAN, NAN, NAN, NAN)),
    ("NaN and no area", [0, 0, 0, NAN], [0, 0, 0, 0], (NAN, NAN, NAN, NAN)),
    ("infinite around", [-INF, -INF, INF, INF], [0, 0, 1, 1], (0, NAN, NAN, NAN)),
    ("half infinite", [0, 0, INF, 1], [0, 0, 1, 1], (0, NAN, NAN, NAN)),
    ("infinite, apart", [5, 0, INF, 1], [0, 0, 1, 1], (0, NAN, NAN, NAN)),
    ("infinite and itself", [0, 0, INF, 1], [0, 0, INF, 1], (NAN, NAN, NAN, NAN)),
    ("infinite, no height", [0, 0, INF, 0], [0, 0, 1, 1], (NAN, NAN, NAN, NAN)),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("a", "b", "expected"), [row[1:] for row in DEGENERATE], ids=[row[0] for row in DEGENERATE])
def test_what_the_definitions_leave_open(
    a: list[float], b: list[float], expected: tuple[float | None, ...], dtype: torch.dtype
) -> None:
    first, second = torch.tensor(a, dtype=dtype), torch.tensor(b, dtype=dtype)
    for compare, value in zip(COMPARE.values(), expected, strict=True):
        for found in (
            compare(first, second),
            compare(second, first),
            pairwise(first[None], second[None], compare)[0, 0],
        ):
            if value is None:
                assert -2 <= float(found) <= 0
            else:
                assert float(found) == pytest.approx(value, abs=1e-6, nan_ok=True)  # float32 holds π/2 to 1e-7


@pytest.mark.parametrize("measure", MEASURES)
def test_gradients_are_finite_for_finite_boxes(measure: Measure) -> None:
    finite = [row for row in DEGENERATE if np.isfinite(row[1] + row[2]).all()]
    a, b = (torch.tensor([row[i] for row in finite], dtype=torch.float64) for i in (1, 2))
    assert gradient(measure, a, b).isfinite().all()


def test_an_inverted_box_is_pulled_back_by_its_hull_alone() -> None:
    a, b = torch.tensor([5.0, 0, 4, 2]), torch.tensor([0.0, 0, 2, 2])
    assert gradient("iou", a, b).abs().max() == 0
    assert gradient("diou", a, b)[0] > 0


@pytest.mark.parametrize(
    ("compare", "theirs"),
    [
        (iou, ops.box_iou),
        (giou, ops.generalized_box_iou),
        (diou, ops.distance_box_iou),
        (ciou, ops.complete_box_iou),
    ],
)
def test_matrices_are_those_of_torchvision(compare: object, theirs: object) -> None:
    a, b = boxes(60), boxes(45, seed=1)
    expected = theirs(a, b)  # type: ignore[operator]
    for block in (1, 50, 1_000, 10**6):
        # torchvision adds 1e-7 to what it divides by in DIoU and CIoU; diagonals here are above 0.1
        torch.testing.assert_close(pairwise(a, b, compare, block), expected, rtol=0, atol=2e-5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("measure", "theirs"),
    [
        ("giou", ops.generalized_box_iou_loss),
        ("diou", ops.distance_box_iou_loss),
        ("ciou", ops.complete_box_iou_loss),
    ],
)
def test_losses_and_gradients_are_those_of_torchvision(measure: Measure, theirs: object) -> None:
    a, b = boxes(500), boxes(500, seed=1)
    at = a.clone().requires_grad_()
    expected = theirs(at, b)  # type: ignore[operator]
    expected.sum().backward()
    torch.testing.assert_close(loss(measure, a, b), expected.detach(), rtol=0, atol=2e-5)
    torch.testing.assert_close(
        gradient(measure, a, b), at.grad, rtol=1e-3, atol=1e-4
    )  # their 1e-7 beside areas of 0.01


@pytest.mark.parametrize("compare", [iou, giou, diou])
def test_gradients_are_those_of_finite_differences(compare: object) -> None:
    a, b = boxes(6).requires_grad_(), boxes(5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda p, q: pairwise(p, q, compare, block=7), (a, b))  # type: ignore[arg-type]


def test_cious_gradient_holds_its_weight_constant() -> None:
    a, b = boxes(200), boxes(200, seed=1)
    at = a.clone().requires_grad_()
    w, h = (at[:, 2] - at[:, 0]), (at[:, 3] - at[:, 1])
    v = 4 / math.pi**2 * (torch.atan(w / h) - torch.atan((b[:, 2] - b[:, 0]) / (b[:, 3] - b[:, 1]))) ** 2
    alpha = v / (1 - iou(at, b) + v)
    (partial,) = torch.autograd.grad((1 - diou(at, b) + alpha.detach() * v).sum(), at, retain_graph=True)
    torch.testing.assert_close(gradient("ciou", a, b), partial)
    (whole,) = torch.autograd.grad((1 - diou(at, b) + alpha * v).sum(), at)
    assert not torch.allclose(partial, whole, atol=1e-3)


def test_integer_boxes_are_counted_as_cells() -> None:
    draw = np.random.default_rng(0)
    a, b = (np.sort(draw.integers(0, 12, (300, 2, 2)), axis=1).reshape(300, 4) for _ in range(2))
    for p, q in zip(a, b, strict=True):
        cells = [np.zeros((12, 12), bool), np.zeros((12, 12), bool)]
        for mask, (x1, y1, x2, y2) in zip(cells, (p, q), strict=True):
            mask[y1:y2, x1:x2] = True
        shared, union = (cells[0] & cells[1]).sum(), (cells[0] | cells[1]).sum()
        found = parts(torch.tensor(p), torch.tensor(q))
        assert (int(found.intersection), int(found.union)) == (shared, union)
        assert float(found.iou) == (shared / union if union else 0)


numbers = st.floats(-(2.0**60), 2.0**60, width=32)  # areas and their sums stay within float32


@settings(max_examples=300, deadline=None)
@given(st.lists(numbers, min_size=8, max_size=8))
def test_it_lies_between_zero_and_one_and_is_symmetric(sides: list[float]) -> None:
    a, b = torch.tensor(sides, dtype=torch.float32).reshape(2, 4)
    a, b = (torch.cat([torch.minimum(c[:2], c[2:]), torch.maximum(c[:2], c[2:])]) for c in (a, b))
    found = float(iou(a, b))
    assert 0 <= found <= 1
    assert found == float(iou(b, a))
    assert -1.001 <= float(giou(a, b)) <= found + 1e-3  # float32: a few units of 1e-7, and areas that underflow
    area = float((a[2] - a[0]) * (a[3] - a[1]))
    assert float(iou(a, a)) == (1 if area > 0 else 0)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-20, 20), min_size=8, max_size=8))
def test_it_is_the_exact_fraction(sides: list[int]) -> None:
    a, b = ([*map(min, s[:2], s[2:]), *map(max, s[:2], s[2:])] for s in (sides[:4], sides[4:]))
    found = float(iou(torch.tensor(a), torch.tensor(b)))
    area = [(s[2] - s[0]) * (s[3] - s[1]) for s in (a, b)]
    if sum(area) == 0:
        assert found == 0
        return
    exact = overlap(fractions(a), fractions(b)).iou.value
    assert 0 <= exact <= 1
    assert found == pytest.approx(float(exact), abs=ROUNDING)


def test_it_does_not_depend_on_place_or_unit() -> None:
    a, b = (boxes(50, seed) for seed in (0, 1))
    a, b = (c.mul(1024).round().div(1024) for c in (a, b))  # so that both changes are exact
    for change in (lambda c: c + 2.0**20, lambda c: c * 2.0**30):
        torch.testing.assert_close(iou(change(a), change(b)), iou(a, b), rtol=0, atol=0)


def test_float32_is_exact_enough_far_from_the_origin() -> None:
    """At ten million float32 knows whole numbers only; differences of these are still exact."""
    a = torch.tensor([10_000_000, 10_000_000, 10_000_300, 10_000_200])
    b = a + torch.tensor([100, 50, 100, 50])
    assert float(iou(a.float(), b.float())) == pytest.approx(200 * 150 / (2 * 60_000 - 30_000), rel=2.0**-22)
    assert iou(a, b).dtype == torch.float64


def test_halves_are_computed_in_float32() -> None:
    a = torch.tensor([[0, 0, 400, 400]], dtype=torch.float16)  # an area that float16 does not hold
    found = pairwise(a, a)
    assert (found.dtype, found.item()) == (torch.float32, 1.0)
    assert pairwise(a, a.double()).dtype == torch.float64


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0), (1, 1)])
def test_few_boxes_or_none(n: int, m: int) -> None:
    a, b = boxes(n), boxes(m)
    assert pairwise(a, b).shape == (n, m)
    assert pairwise(a.requires_grad_(), b).shape == (n, m)
    best = best_match(a.detach(), b)
    assert best.value.shape == best.which.shape == (n,)
    if m == 0:
        assert (best.which == -1).all()
        assert (best.value == -INF).all()


def test_a_wrong_block_is_refused() -> None:
    with pytest.raises(ValueError, match="block is 0"):
        pairwise(boxes(1), boxes(1), block=0)


class Largest(TorchDispatchMode):
    """Notes the most elements that any new tensor has."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else [out]:
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.numel())
        return out


def test_the_best_match_needs_no_matrix() -> None:
    a, b = boxes(3_000, dtype=torch.float32), boxes(2_000, seed=1, dtype=torch.float32)
    with Largest() as largest:
        best = best_match(a, b, block=2**15)
    assert largest.elements <= 2**15
    value, which = ops.box_iou(a, b).max(dim=1)
    torch.testing.assert_close(best.value, value)
    assert (best.which == which).all()


def test_slopes_are_those_of_finite_differences_and_kinks_are_where_edges_meet() -> None:
    b = fractions([0, 0, 2, 2])
    h = Fraction(1, 10**8)
    for corners, bent in (
        ([1, 1, 3, 3], ""),
        ([0, 1, 3, 3], "x1"),
        ([-1, 0, 2, 3], "y1 x2"),
        ([2, 0, 3, 3], "x1"),  # touching; the lower edges are in line too, without an overlap to change
        ([2, 2, 3, 3], ""),  # touching in a corner
        ([5, 0, 6, 2], ""),
        ([0, 0, 2, 2], "x1 y1 x2 y2"),
    ):
        a = fractions(corners)
        assert list(kinks(a, b)) == bent.split()
        for i in range(4):
            e = [int(i == j) for j in range(4)]
            ahead, behind = (tuple(s + sign * h * d for s, d in zip(a, e, strict=True)) for sign in (1, -1))
            here = overlap(a, b).iou.value
            before, after = slopes(a, b, e)
            assert abs((overlap(ahead, b).iou.value - here) / h - after) < Fraction(1, 10**6)  # type: ignore[arg-type]
            assert abs((here - overlap(behind, b).iou.value) / h - before) < Fraction(1, 10**6)  # type: ignore[arg-type]
            if not bent:
                slope = gradient("iou", *(torch.tensor([float(s) for s in box], dtype=torch.float64) for box in (a, b)))
                assert float(before) == pytest.approx(-float(slope[i]), abs=ROUNDING)


def test_the_jump_at_a_kink_is_the_one_derived_in_the_notes() -> None:
    a, b = fractions([0, 1, 3, 5]), fractions([0, 0, 2, 4])
    (before, after), found = slopes(a, b, [1, 0, 0, 0]), overlap(a, b)
    shared, union, height = found.intersection.value, found.union.value, 3
    assert before - after == (union + shared) * height / union**2


def test_rotated_boxes_beside_masks_and_upright_ones() -> None:
    draw = torch.Generator().manual_seed(0)
    parts_of = torch.rand(2, 24, 5, generator=draw, dtype=torch.float64)
    a, b = parts_of * torch.tensor([2.0, 2, 3, 3, 7]) + torch.tensor([0, 0, 0.2, 0.2, -3])
    found = rotated(a, b)
    axis = np.linspace(-3, 5, 800)
    x, y = np.meshgrid(axis, axis)
    for p, q, value in zip(a.numpy(), b.numpy(), found.tolist(), strict=True):
        first, second = covered(p, x, y), covered(q, x, y)
        # cells along the borders: about 4·3/0.01 of some 1e4 … 1e5, half of them wrong by chance
        assert value == pytest.approx((first & second).sum() / (first | second).sum(), abs=0.01)
    torch.testing.assert_close(found, rotated(b, a))
    a[:, 4] = b[:, 4] = 0
    upright = (torch.cat([c[:, :2] - c[:, 2:4] / 2, c[:, :2] + c[:, 2:4] / 2], dim=1) for c in (a, b))
    torch.testing.assert_close(rotated(a, b), iou(*upright))


def covered(box: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points of a picture lie in a rotated box."""
    cx, cy, w, h, angle = box
    along = (x - cx) * math.cos(angle) + (y - cy) * math.sin(angle)
    across = (y - cy) * math.cos(angle) - (x - cx) * math.sin(angle)
    return np.asarray((np.abs(along) <= w / 2) & (np.abs(across) <= h / 2))


def test_rotated_boxes_worked_by_hand() -> None:
    """A unit square and itself turned by 45°: an octagon of area 2(√2 − 1)."""
    octagon = 2 * (math.sqrt(2) - 1)
    a = torch.tensor([0, 0, 1, 1, 0.0], dtype=torch.float64)
    for turned, expected in (
        ([0, 0, 1, 1, math.pi / 4], octagon / (2 - octagon)),
        ([0, 0, 1, 1, math.pi / 2], 1),
        ([0, 0, 1, 1, 20 * math.pi], 1),
        ([0, 0, 2, 0.5, math.pi / 2], 0.5 / 1.5),
        ([9, 0, 1, 1, 1], 0),
        ([0, 0, 0, 1, 1], 0),
        ([0, 0, -1, 1, 1], 0),
        ([0, 0, 1, 1, NAN], NAN),
    ):
        b = torch.tensor(turned, dtype=torch.float64)
        assert float(rotated(a, b)) == pytest.approx(expected, abs=ROUNDING, nan_ok=True)
    assert pairwise(a[None], a[None].repeat(3, 1), rotated).tolist() == [[1, 1, 1]]
