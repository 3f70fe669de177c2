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


def layered() -> Graph:
    """20 layers of 50; each node reads 3 of the layer before it."""
    pick = random.Random(20)
    return [
        sorted(pick.sample(range((index // 50 - 1) * 50, index // 50 * 50), 3))
        if index >= 50
        else []
        for index in range(SIZE)
    ]


def ragged() -> Graph:
    """Each node reads 2 of the 200 before it, so paths are of unequal length."""
    pick = random.Random(200)
    return [
        sorted(pick.sample(range(max(0, index - 200), index), 2)) if index >= 2 else []
        for index in range(SIZE)
    ]


GRAPHS = {"chain": chain, "wide": wide, "layered": layered, "ragged": ragged}


def expected(graph: Graph) -> list[int]:
    """Return what each node must give, by a plain loop."""
    values: list[int] = []
    for sources in graph:
        values.append(sum(values[source] for source in sources) + 1)
    return values


def name(index: int) -> str:
    """Return the id of a node; ids sort as their numbers do."""
    return f"n{index:04}"


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
