"""Where the nodes of a graph stand: columns by depth, few crossings, short lines (after Sugiyama and others, 1981).

1. A node's column is the length of the longest path to it; a line that skips columns gets a waypoint in each.
2. Within a column the order is that of the neighbours' mean places (barycentres), swept forth and back; the order with
   the fewest crossings is kept.
3. Heights: each node as near to the mean of its neighbours as the order and the boxes of its column allow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

SWEEPS = 24
"""Forth and back; forty nodes settle in fewer than ten."""
UNCROWDED, CROWD = 4, 0.07
"""Lines between two columns that need no more than the gap, and how much wider each further one makes it."""
Edge = tuple[int, int]
"""parent, child."""
Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Centres of the nodes, and which points each line passes from its parent's right side to its child's left."""

    nodes: tuple[Point, ...]
    routes: Mapping[Edge, tuple[Point, ...]]


def layout(sizes: Sequence[tuple[float, float]], edges: Sequence[Edge], gap: tuple[float, float]) -> Layout:
    """Place boxes of (width, height), numbered so that parents come before children, at least `gap` from each other."""
    depth = [0] * len(sizes)
    for parent, child in sorted(edges, key=lambda edge: edge[1]):
        depth[child] = max(depth[child], depth[parent] + 1)
    columns: list[list[int]] = [[] for _ in range(max(depth) + 1)]
    for node, column in enumerate(depth):
        columns[column].append(node)
    links: list[Edge] = []
    chains: dict[Edge, list[int]] = {}
    boxes = list(sizes)
    for parent, child in edges:
        chains[parent, child] = chain = [parent]
        for column in range(depth[parent] + 1, depth[child]):
            columns[column].append(len(boxes))
            chain.append(len(boxes))
            boxes.append((0.0, 0.0))
        chain.append(child)
        links += pairwise(chain)
    neighbours = _neighbours(links, len(boxes))
    columns = _ordered(columns, links, neighbours)
    y = _heights(columns, neighbours, [height for _, height in boxes], gap[1])
    widths = [max(boxes[node][0] for node in column) for column in columns]
    column_of = {node: i for i, column in enumerate(columns) for node in column}
    busy = np.bincount([column_of[a] for a, _ in links], minlength=len(columns))
    room = gap[0] + CROWD * np.clip(busy[:-1] - UNCROWDED, 0, None)
    x = np.cumsum([0.0, *((np.array(widths[1:]) + widths[:-1]) / 2 + room)])
    place = {node: (float(x[i]), float(y[node])) for i, column in enumerate(columns) for node in column}
    routes = {}
    for edge, chain in chains.items():
        (x0, y0), (x1, y1) = place[chain[0]], place[chain[-1]]
        points = [(x0 + boxes[chain[0]][0] / 2, y0)]
        for way in chain[1:-1]:  # level through the width of the column, so as to pass its boxes
            half = widths[column_of[way]] / 2
            points += [(place[way][0] - half, place[way][1]), (place[way][0] + half, place[way][1])]
        routes[edge] = (*points, (x1 - boxes[chain[-1]][0] / 2, y1))
    return Layout(tuple(place[node] for node in range(len(sizes))), routes)


def _neighbours(links: Sequence[Edge], count: int) -> tuple[list[list[int]], list[list[int]]]:
    """Of each node, those one column before it and those one column after it."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in links:
        after[a].append(b)
        before[b].append(a)
    return before, after


def _ordered(
    columns: list[list[int]], links: Sequence[Edge], neighbours: tuple[list[list[int]], list[list[int]]]
) -> list[list[int]]:
    best, fewest = columns, crossings(columns, links)
    for sweep in range(SWEEPS):
        order = range(1, len(columns)) if sweep % 2 == 0 else range(len(columns) - 2, -1, -1)
        near = neighbours[sweep % 2]
        columns = [list(column) for column in columns]
        for i in order:
            place = {node: k for column in columns for k, node in enumerate(column)}
            mean = {n: float(np.mean([place[p] for p in near[n]])) if near[n] else place[n] for n in columns[i]}
            columns[i].sort(key=lambda node, mean=mean: mean[node])  # type: ignore[misc]
        if (found := crossings(columns, links)) < fewest:
            best, fewest = columns, found
    return best


def crossings(columns: Sequence[Sequence[int]], links: Sequence[Edge]) -> int:
    """How many pairs of lines between neighbouring columns cross."""
    place = {node: (i, k) for i, column in enumerate(columns) for k, node in enumerate(column)}
    ends = [(place[a][0], place[a][1], place[b][1]) for a, b in links]
    return sum(i == j and (a - c) * (b - d) < 0 for k, (i, a, b) in enumerate(ends) for j, c, d in ends[k + 1 :])


def _heights(
    columns: Sequence[Sequence[int]],
    neighbours: tuple[list[list[int]], list[list[int]]],
    sizes: Sequence[float],
    gap: float,
) -> np.ndarray:
    before, after = neighbours
    y = np.zeros(len(sizes))
    offsets = []
    for column in columns:
        steps = [(sizes[a] + sizes[b]) / 2 + gap for a, b in pairwise(column)]
        offsets.append(np.cumsum([0.0, *steps]))
        y[list(column)] = offsets[-1] - offsets[-1][-1] / 2
    for sweep in range(SWEEPS):
        both = sweep > SWEEPS // 2  # first let each side pull in turn, then both together
        order = range(len(columns)) if sweep % 2 == 0 else range(len(columns) - 1, -1, -1)
        for i in order:
            column = list(columns[i])
            wanted = []
            for node in column:
                near = before[node] + after[node] if both else (before, after)[sweep % 2][node]
                wanted.append(float(np.mean(y[near])) if near else y[node])
            y[column] = _rising(np.array(wanted) - offsets[i]) + offsets[i]
    first = columns[0]
    return y if y[0] >= y[first].mean() else -y  # the first node stands in the upper half


def _rising(wanted: np.ndarray) -> np.ndarray:
    """The nearest sequence that never falls (least squares, by pooling neighbours that would)."""
    pools: list[tuple[float, int]] = []
    for value in wanted:
        pools.append((float(value), 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, m), (b, n) = pools[-2:]
            pools[-2:] = [((a * m + b * n) / (m + n), m + n)]
    return np.repeat([value for value, _ in pools], [count for _, count in pools])
