"""The wires of a spell that can carry values, drawn or named in code; and what is wrong with the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from .ports import RESERVED_PORTS, Port, is_reserved
from .schemas import proves
from .spell import Edge, Node, Transform
from .suggestion import fits, wanted_of
from .transform import described, why_invalid
from .transform_schemas import Unfit, reshaped, suggest_transform

if TYPE_CHECKING:
    from .analysis import Analysis, Part


FEW = 8
"""Wires to one input that are looked through one by one."""


class Link(msgspec.Struct, gc=False):
    """A wire that can carry values. ``edge`` is None when code names the source and nothing is drawn."""

    source: str
    output: str
    edge: str | None
    proven: bool
    transform: tuple[Transform, ...] = ()


class Links:
    """Reads the wires of a spell, once the ports of all its nodes are known."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._fits: dict[tuple[int, int], tuple[str | None, bool]] = {}
        self._crowds: dict[int, dict[tuple[str, str], Link]] = {}
        """By list of more than a FEW wires, these by what they bring."""

    def read(self) -> None:
        """Give every node the wires that end there, or say what is wrong with them."""
        spell, parts, needs = self._analysis.spell, self._analysis.parts, self._analysis.needs
        edges = spell.edges
        last_output: Port | None = None  # wires of one kind follow each other
        last_port: Port | None = None
        reason, proven = None, False
        for id in sorted(edges):
            edge = edges[id]
            source, target = parts.get(edge.source), parts.get(edge.target)
            if source is None or target is None:
                self._read_loose_end(id, edge)
                continue
            begin, end = source.id, target.id  # as equal texts, but found again without comparing
            needed = needs.get(end)
            if needed is None:
                needs[end] = [begin]
                first = True
            else:  # the first wire from there? Of many wires others know
                first = len(needed) < FEW and begin not in needed
                needed.append(begin)
            output, port = source.outputs.get(edge.output), target.inputs.get(edge.input)
            if output is None or port is None:
                self._link_further(id, edge, source, target)
                continue
            name = port.name
            links = target.links.get(name)
            if edge.transform or (
                links and not (first and port.many) and self._in_the_way(links, edge, port)
            ):
                self._link(id, edge, target, output, port)
                continue
            if last_output is not output or last_port is not port:
                last_output, last_port = output, port
                reason, proven = self.fit(output, port)
            if reason is not None:
                self._link(id, edge, target, output, port)
            elif links is None:
                target.links[name] = [Link(begin, output.name, id, proven)]
            else:
                links.append(Link(begin, output.name, id, proven))

    def _read_loose_end(self, id: str, edge: Edge) -> None:
        """Read a wire of which an end is of no known type, or missing."""
        nodes = self._analysis.spell.nodes
        if edge.source not in nodes or edge.target not in nodes:
            self._add_dangling(id, edge)
        else:
            self._analysis.needs.setdefault(edge.target, []).append(edge.source)

    def _link_further(self, id: str, edge: Edge, source: Part, target: Part) -> None:
        """Link what ends at ports that nodes have where they are wired, or refuse it."""
        output, port = source.outputs.get(edge.output), target.inputs.get(edge.input)
        if port is None and (target.loose or target.ports.extra_inputs):
            port = target.inputs[edge.input] = Port(edge.input)
        if output is None:
            output = _reserved(source, edge.output)
        if output is None and source.loose:
            output = source.outputs[edge.output] = Port(edge.output)
        if output is None:
            self._analysis.add_unknown_port(id, source, edge.output, "output", source.outputs)
        elif port is None:
            self._analysis.add_unknown_port(id, target, edge.input, "input", target.inputs)
        else:
            self._link(id, edge, target, output, port)

    def _link(self, id: str, edge: Edge, target: Part, output: Port, port: Port) -> None:
        """Link a wire with whatever it has, or say why not."""
        links = target.links.setdefault(port.name, [])
        other = self._in_the_way(links, edge, port)
        if other is not None:
            self._analysis.add(
                "duplicate_wire",
                f"{named(target.id, target.node)}: the input {port.name!r} has a wire already ({other.edge})",
                node=target.id,
                edge=id,
                port=port.name,
                details={"first": other.edge},
            )
            return
        reason, proven = (
            self._fit_reshaped(id, edge, target, output, port)
            if edge.transform
            else self.fit(output, port)
        )
        if reason is None:
            broken = target.fault is not None and target.fault.edge == id
            transform = () if broken else edge.transform
            links.append(Link(edge.source, output.name, id, proven, transform))
            return
        source = named(edge.source, self._analysis.spell.nodes[edge.source])
        better = suggest_transform(output.schema, wanted_of(port), port.name, edge.transform)
        self._analysis.add(
            "incompatible_types",
            f"{named(target.id, target.node)}: the input {port.name!r} cannot take"
            f" the output {output.name!r} of {source}: {reason}",
            node=target.id,
            edge=id,
            port=port.name,
            details={"reason": reason, "source": edge.source, "output": output.name}
            | ({"suggest": described(better)} if better else {}),
        )

    def _in_the_way(self, links: list[Link], edge: Edge, port: Port) -> Link | None:
        """Return the wire that keeps another from the same input: any, or where many may end, one of the same output."""
        if not port.many:
            return links[0] if links else None
        source, output = edge.source, edge.output
        if len(links) <= FEW:
            for link in links:
                if link.source == source and link.output == output:
                    return link
            return None
        crowd = self._crowds.setdefault(id(links), {})
        for link in links[len(crowd) :]:
            crowd[link.source, link.output] = link
        return crowd.get((source, output))

    def _fit_reshaped(
        self, id: str, edge: Edge, target: Part, output: Port, port: Port
    ) -> tuple[str | None, bool]:
        """Return what ``_fit`` does, of what the wire's transforms make of the output."""
        for each in edge.transform:
            if fault := why_invalid(each):
                message = f"{named(target.id, target.node)}: the wire into {port.name!r}: {fault}"
                problem = self._analysis.add(
                    "invalid_transform", message, node=target.id, edge=id, port=port.name
                )
                target.fault = target.fault or problem
                return None, False
        try:
            shaped = Port(output.name, reshaped(output.schema, edge.transform))
        except Unfit as error:
            return str(error), False
        reason = fits(shaped, port)
        return reason, reason is None and proves(shaped.schema, wanted_of(port))

    def fit(self, output: Port, port: Port) -> tuple[str | None, bool]:
        """Return why an output does not fit an input, or None, and whether it surely does."""
        key = (id(output), id(port))
        known = self._fits.get(key)
        if known is None:
            reason = fits(output, port)
            known = self._fits[key] = (
                reason,
                reason is None and proves(output.schema, wanted_of(port)),
            )
        return known

    def _add_dangling(self, id: str, edge: Edge) -> None:
        missing = edge.source if edge.source not in self._analysis.spell.nodes else edge.target
        present = next(
            (node for node in (edge.target, edge.source) if node in self._analysis.spell.nodes),
            None,
        )
        self._analysis.add(
            "dangling_edge",
            f"the edge {id!r} leads {'from' if missing == edge.source else 'to'} the node {missing!r},"
            " which does not exist",
            node=present,
            edge=id,
            details={"missing": missing},
        )


def main_output(outputs: dict[str, Port]) -> Port | None:
    """Return the output meant when only a node is named: its only one, else ``value`` or ``result``."""
    own = [port for port in outputs.values() if not is_reserved(port)]
    if len(own) == 1:
        return own[0]
    return outputs.get("value") or outputs.get("result")


def _reserved(part: Part, name: str) -> Port | None:
    """Give a node one of the outputs that every node has once it is wired; None where there is none of that name."""
    port = RESERVED_PORTS.get(name)
    if port is not None:
        part.outputs = part.outputs | {name: port}
        part.ports = replace(part.ports, outputs=(*part.ports.outputs, port))
    return port


def named(id: str, node: Node) -> str:
    """Return a node as messages name it."""
    return f"node {node.name!r} ({id})" if node.name else f"node {id!r}"
