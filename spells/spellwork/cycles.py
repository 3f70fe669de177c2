"""Put nodes in order, and explain the cycles of those that have none."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx


def order(ids: Iterable[str], needs: Mapping[str, Collection[str]]) -> tuple[list[str], list[str]]:
    """Return (ordered, left): ids after all they need, else by id; ``left`` are on or behind a cycle.

    An id may be needed repeatedly.
    """
    named = sorted(ids)
    waits = [0] * len(named)
    feeds: dict[str, list[int]] = {}
    ready: list[int] = []  # in order, as a heap may be
    for place, id in enumerate(named):
        sources = needs.get(id)
        if not sources:
            ready.append(place)
            continue
        waits[place] = len(sources)
        for source in sources:
            row = feeds.get(source)
            if row is None:
                feeds[source] = [place]
            else:
                row.append(place)
    ordered = []
    while ready:
        id = named[heapq.heappop(ready)]
        ordered.append(id)
        for target in feeds.get(id, ()):
            left = waits[target] = waits[target] - 1
            if not left:
                heapq.heappush(ready, target)
    return ordered, [id for id, left in zip(named, waits, strict=True) if left]


EFFORT = 100_000
"""Wires looked at in search of the shortest cycle of a tangle: somebody's tangle must not hold up a server."""


def find_cycles(ids: Iterable[str], needs: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Return one shortest cycle for each tangle of nodes, as a path along the wires, its first node repeated.

    The order is stable: each path starts at the smallest id of its tangle that
    is on the shortest cycle, and paths come by that id. Of a tangle too large to
    search through (EFFORT), it is the shortest cycle that was found.
    """
    import networkx as nx  # noqa: PLC0415 - a tenth of every start; few spells have a cycle to explain

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted(ids))
    graph.add_edges_from(
        sorted((source, target) for target in graph for source in needs.get(target, ()))
    )
    tangles = (graph.subgraph(part) for part in nx.strongly_connected_components(graph))
    feeds = ({id: sorted(tangle[id]) for id in sorted(tangle)} for tangle in tangles)
    return sorted(_shortest(each) for each in feeds if any(each.values()))


def _shortest(feeds: Mapping[str, list[str]]) -> list[str]:
    """Return the shortest cycle through any of these nodes, all of which are on cycles; ``feeds`` is in order."""
    best: list[str] = []
    effort = EFFORT
    for start in feeds:
        found, looked_at = _back_to(start, feeds, len(best))
        best = found or best
        effort -= looked_at
        if len(best) == 2 or effort < 0:
            break
    return best


def _back_to(start: str, feeds: Mapping[str, list[str]], best: int) -> tuple[list[str], int]:
    """Return the shortest way from a node back to it, [] when it is no shorter than ``best``; and the wires looked at."""
    came_from: dict[str, str] = {}
    reached = [start]
    looked_at = 0
    length = 1
    while reached and (not best or length + 1 < best):
        length += 1
        following = []
        for id in reached:
            for target in feeds[id]:
                looked_at += 1
                if target == start:
                    return _path(start, id, came_from), looked_at
                if target not in came_from:
                    came_from[target] = id
                    following.append(target)
        reached = following
    return [], looked_at


def _path(start: str, last: str, came_from: Mapping[str, str]) -> list[str]:
    """Return the way from ``start`` to ``last``, and back to ``start`` over their wire."""
    path = [start]
    while last != start:
        path.append(last)
        last = came_from[last]
    path.append(start)
    return path[::-1]
