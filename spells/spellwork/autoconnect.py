"""Which wires a node of a spell lacks: from one other node, or from the nodes before it."""

from __future__ import annotations

from collections.abc import Callable
from math import hypot

from .ports import Ports
from .spell import Edge, Node, Spell
from .suggestion import suggest_back, suggest_wires

MOST = 200
"""Nodes that are looked back over."""

PortsOf = Callable[[str], Ports | None]
"""The ports of a node by its id; None where they are not known."""


def suggest_edges(
    spell: Spell, ports_of: PortsOf, target: str, source: str | None = None
) -> list[Edge]:
    """Return the wires worth drawing into ``target``: from ``source``, else looking back.

    An input that has a wire is left alone (but where it takes many), and so is
    one that has a value when looking back. Nodes that need the target are no
    sources. Looking back, those that feed the target already come first, by
    how many wires lie between, then the others by their distance on the canvas.
    """
    ports = ports_of(target)
    node = spell.nodes.get(target)
    if ports is None or node is None:
        return []
    taken = {edge.input for edge in spell.edges.values() if edge.target == target}
    after = _following(spell, target)
    if source is not None:
        given = ports_of(source)
        if given is None or source in after:
            return []
        wires = suggest_wires(given, ports, taken)
        found = [(source, output, port) for output, port in wires]
    else:
        before = [id for id in _nearest(spell, target, node) if id not in after][:MOST]
        known = ((id, ports_of(id)) for id in before)
        earlier = [(id, each) for id, each in known if each is not None]
        many = {port.name for port in ports.inputs if port.many}
        fed = taken | node.inputs.keys()
        found = [wire for wire in suggest_back(earlier, ports, fed) if wire[2] not in many & fed]
    drawn = {(e.source, e.output, e.target, e.input) for e in spell.edges.values()}
    return [
        Edge(source=id, output=output, target=target, input=port)
        for id, output, port in found
        if (id, output, target, port) not in drawn
    ]


def _following(spell: Spell, start: str) -> set[str]:
    """Return a node and all that depend on it."""
    readers: dict[str, list[str]] = {}
    for edge in spell.edges.values():
        readers.setdefault(edge.source, []).append(edge.target)
    return set(_walk(readers, start))


def _nearest(spell: Spell, start: str, node: Node) -> list[str]:
    feeders: dict[str, list[str]] = {}
    for edge in spell.edges.values():
        feeders.setdefault(edge.target, []).append(edge.source)
    steps = _walk(feeders, start)

    def rank(id: str) -> tuple[float, float, str]:
        other = spell.nodes[id].position
        apart = hypot(other[0] - node.position[0], other[1] - node.position[1])
        return steps.get(id, float("inf")), apart, id

    return sorted(spell.nodes, key=rank)


def _walk(neighbours: dict[str, list[str]], start: str) -> dict[str, int]:
    """Return how many wires lie between ``start`` and each node that can be reached from it."""
    steps = {start: 0}
    queue = [start]
    for id in queue:  # grows as it goes
        for other in neighbours.get(id, ()):
            if other not in steps:
                steps[other] = steps[id] + 1
                queue.append(other)
    return steps
