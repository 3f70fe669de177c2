"""The graphs: for each node, the nodes it reads. Each node is "the sum of its inputs + 1"."""

from __future__ import annotations

import json
import random
from typing import Any

Graph = list[list[int]]
SIZE = 1_000


def chain() -> Graph:
    """Each node reads the one before it."""
    return [[index - 1] if index else [] for index in range(SIZE)]


def wide() -> Graph:
    """All nodes read the first."""
    return [[0] if index else [] for index in range(SIZE)]


def layered(size: int = SIZE) -> Graph:
    """20 layers (of 50 where there are 1,000 nodes); each node reads 3 of the layer before it."""
    pick = random.Random(20)
    layer = size // 20
    return [
        sorted(pick.sample(range((index // layer - 1) * layer, index // layer * layer), 3))
        if index >= layer
        else []
        for index in range(size)
    ]


def lanes() -> Graph:
    """Chains of 11 beside each other: a change reaches 11 nodes."""
    return [[index - 1] if index % 11 else [] for index in range(SIZE)]


def ragged() -> Graph:
    """Each node reads 2 of the 200 before it, so paths are of unequal length."""
    pick = random.Random(200)
    return [
        sorted(pick.sample(range(max(0, index - 200), index), 2)) if index >= 2 else []
        for index in range(SIZE)
    ]


GRAPHS = {"chain": chain, "wide": wide, "layered": layered, "ragged": ragged}

CHANGES = {"incr-layered": layered, "incr-lanes": lanes}
"""Graphs of which one source changes."""


def root_of(graph: Graph) -> int:
    """Return the source to change: of the layered graph one that a bit over half of it depends on."""
    sources = [index for index, row in enumerate(graph) if not row]
    return min(sources, key=lambda source: abs(len(reached(graph, source)) - 584))


def reached(graph: Graph, root: int) -> set[int]:
    """Return the nodes that depend on ``root``, and itself."""
    found = {root}
    for index, sources in enumerate(graph):
        if not found.isdisjoint(sources):
            found.add(index)
    return found


def expected(graph: Graph, given: dict[int, int] | None = None) -> list[int]:
    """Return what each node must give, by a plain loop; ``given`` are the values of changed sources."""
    values: list[int] = []
    for index, sources in enumerate(graph):
        own = (given or {}).get(index, 0)
        values.append(sum(values[source] for source in sources) + own + 1)
    return values


def name(index: int) -> str:
    """Return the id of a node; ids sort as their numbers do."""
    return f"n{index:05}"


def as_spell(graph: Graph) -> str:
    """Return the graph as a spell, in JSON."""
    nodes: dict[str, Any] = {}
    edges: dict[str, Any] = {}
    for index, sources in enumerate(graph):
        nodes[name(index)] = {"type": "bench.add"} | ({} if sources else {"inputs": {"values": []}})
        for source in sources:
            edges[f"e{len(edges):05}"] = {
                "source": name(source),
                "output": "value",
                "target": name(index),
                "input": "values",
            }
    return json.dumps({"schema": 1, "name": "bench", "nodes": nodes, "edges": edges})
