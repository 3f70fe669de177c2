"""Put nodes in order, and explain the cycles of those that have none."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx


def order(ids: Iterable[str], needs: Mapping[str, set[str]]) -> tuple[list[str], list[str]]:
    """Return (ordered, left): ids after all they need, else by id; ``left`` are on or behind a cycle."""
    waits: dict[str, int] = {}
    feeds: dict[str, list[str]] = {}
    ready: list[str] = []
    for id in ids:
        sources = needs.get(id)
        if not sources:
            ready.append(id)
            continue
        waits[id] = len(sources)
        for source in sources:
            feeds.setdefault(source, []).append(id)
    heapq.heapify(ready)
    ordered = []
    while ready:
        id = heapq.heappop(ready)
        ordered.append(id)
        for target in feeds.get(id, ()):
            waits[target] -= 1
            if not waits[target]:
                del waits[target]
                heapq.heappush(ready, target)
    return ordered, sorted(waits)


def find_cycles(ids: Iterable[str], needs: Mapping[str, set[str]]) -> list[list[str]]:
    """Return one shortest cycle for each tangle of nodes, as a path along the wires, its first node repeated.

    The order is stable: each path starts at the smallest id of its tangle that
    is on the shortest cycle, and paths come by that id.
    """
    import networkx as nx  # noqa: PLC0415 - a tenth of every start; few spells have a cycle to explain

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted(ids))
    graph.add_edges_from(
        sorted((source, target) for target in graph for source in needs.get(target, ()))
    )
    tangles = (graph.subgraph(part) for part in nx.strongly_connected_components(graph))
    cycles = [_shortest(tangle) for tangle in tangles if tangle.number_of_edges()]
    return sorted(cycles)


def _shortest(tangle: nx.DiGraph[str]) -> list[str]:
    import networkx as nx  # noqa: PLC0415 - as above

    paths = []
    for start in sorted(tangle):
        if tangle.has_edge(start, start):
            return [start, start]
        for second in sorted(tangle.successors(start)):
            paths.append([start, *nx.shortest_path(tangle, second, start)])  # noqa: PERF401 - nested, and returns early
    return min(paths, key=lambda path: (len(path), path))
