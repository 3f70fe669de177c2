"""Read a spell against a library: types, ports, wires, order, and all that is wrong.

``validate`` shows the problems; ``compile`` builds steps of the rest. Nothing
of a spell is executed: code is only looked at by the ``resolve`` of its type,
which parses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from pydantic import ValidationError

from .cycles import find_cycles, order
from .errors import CodeError
from .library import Library
from .node_type import NodeType
from .ports import Port, Ports
from .problems import Code, Problem
from .schemas import proves
from .spell import Edge, Node, Spell
from .suggestion import fits, wanted_of

MAX_NODES = 10_000
MAX_EDGES = 50_000
MAX_CODE = 500_000
"""Characters of code in all nodes together: it is read wherever the spell is."""


class Link(msgspec.Struct, gc=False):
    """A wire that can carry values. ``edge`` is None when code names the source and nothing is drawn."""

    source: str
    output: str
    edge: str | None
    proven: bool


@dataclass(slots=True)
class Part:
    """A node of known type, with its own ports.

    ``loose``: its code does not parse, so its ports cannot be known and wires
    to any name are let be.
    """

    id: str
    node: Node
    type: NodeType
    ports: Ports
    inputs: dict[str, Port]
    outputs: dict[str, Port]
    loose: bool = False
    links: dict[str, list[Link]] = field(default_factory=dict)
    fault: Problem | None = None


class Analysis:
    """Everything that can be known of a spell before it runs."""

    def __init__(self, spell: Spell, library: Library) -> None:
        self.spell = spell
        self.library = library
        self.problems: list[Problem] = []
        self.parts: dict[str, Part] = {}
        self.needs: dict[str, set[str]] = {}
        self.ordered: list[str] = []
        self._static: dict[NodeType, tuple[Ports, dict[str, Port], dict[str, Port]]] = {}
        self._fits: dict[tuple[int, int], tuple[str | None, bool]] = {}
        if self._is_small_enough():
            self._read_nodes()
            self._read_edges()
            self._read_names()
            self._read_inputs()
            self._order()

    def _add(self, code: Code, message: str, **where: Any) -> Problem:
        problem = Problem(code, message, **where)
        self.problems.append(problem)
        return problem

    def _is_small_enough(self) -> bool:
        code = sum(len(node.code) for node in self.spell.nodes.values() if node.code)
        for what, count, limit in (
            ("nodes", len(self.spell.nodes), MAX_NODES),
            ("edges", len(self.spell.edges), MAX_EDGES),
            ("characters of code", code, MAX_CODE),
        ):
            if count > limit:
                self._add(
                    "too_large",
                    f"the spell has {count:,} {what}; at most {limit:,} are allowed",
                    details={"size": count, "limit": limit},
                )
        return not self.problems

    # Nodes and their ports

    def _read_nodes(self) -> None:
        for id in sorted(self.spell.nodes):
            node = self.spell.nodes[id]
            declared = self.library.get(node.type, node.version)
            if declared is None:
                self._add_unknown_type(id, node)
            elif declared.resolve is None:
                self.parts[id] = Part(id, node, declared, *self._tables_of(declared))
            else:
                self.parts[id] = self._resolved(id, node, declared)

    def _tables_of(self, declared: NodeType) -> tuple[Ports, dict[str, Port], dict[str, Port]]:
        """Return a type's ports, shared by all its nodes but where nodes take further inputs."""
        if declared.extra_inputs:
            return _tables(declared.ports)
        if declared not in self._static:
            self._static[declared] = _tables(declared.ports)
        return self._static[declared]

    def _add_unknown_type(self, id: str, node: Node) -> None:
        known = self.library.like(node.type)
        if self.library.get(node.type) is not None:
            message = f"{_named(id, node)}: {node.type!r} has no version {node.version}"
        else:
            hint = f"; did you mean {known[0]!r}?" if known else ""
            message = f"{_named(id, node)}: there is no node type {node.type!r}{hint}"
        self._add(
            "unknown_node_type", message, node=id, details={"type": node.type, "known": known}
        )

    def _resolved(self, id: str, node: Node, declared: NodeType) -> Part:
        assert declared.resolve is not None
        try:
            return Part(id, node, declared, *_tables(declared.resolve(node)))
        except CodeError as error:
            message, details = f"{_named(id, node)}: {error.message}", error.details
        except Exception as error:  # noqa: BLE001 - an edge: a pack's own function
            message, details = (
                f"{_named(id, node)}: its ports cannot be found: {type(error).__name__}: {error}",
                {},
            )
        fault = self._add("code_error", message, node=id, details=details)
        return Part(id, node, declared, *_tables(declared.ports), loose=True, fault=fault)

    # Wires

    def _read_edges(self) -> None:
        nodes, parts, edges = self.spell.nodes, self.parts, self.spell.edges
        for id in sorted(edges):
            edge = edges[id]
            if edge.source not in nodes or edge.target not in nodes:
                self._add_dangling(id, edge)
                continue
            self.needs.setdefault(edge.target, set()).add(edge.source)
            source, target = parts.get(edge.source), parts.get(edge.target)
            if source is None or target is None:
                continue
            output, port = source.outputs.get(edge.output), target.inputs.get(edge.input)
            if port is None and (target.loose or target.ports.extra_inputs):
                port = target.inputs[edge.input] = Port(edge.input)
            if output is None and source.loose:
                output = source.outputs[edge.output] = Port(edge.output)
            if output is None:
                self._add_unknown_port(id, source, edge.output, "output", source.outputs)
            elif port is None:
                self._add_unknown_port(id, target, edge.input, "input", target.inputs)
            else:
                self._link(id, edge, target, output, port)

    def _link(self, id: str, edge: Edge, target: Part, output: Port, port: Port) -> None:
        links = target.links.setdefault(port.name, [])
        for other in links:
            if not port.many or (other.source, other.output) == (edge.source, edge.output):
                self._add(
                    "duplicate_wire",
                    f"{_named(target.id, target.node)}: the input {port.name!r} has a wire already ({other.edge})",
                    node=target.id,
                    edge=id,
                    port=port.name,
                    details={"first": other.edge},
                )
                return
        reason, proven = self._fit(output, port)
        if reason is None:
            links.append(Link(edge.source, output.name, id, proven))
            return
        source = _named(edge.source, self.spell.nodes[edge.source])
        self._add(
            "incompatible_types",
            f"{_named(target.id, target.node)}: the input {port.name!r} cannot take"
            f" the output {output.name!r} of {source}: {reason}",
            node=target.id,
            edge=id,
            port=port.name,
            details={"reason": reason, "source": edge.source, "output": output.name},
        )

    def _fit(self, output: Port, port: Port) -> tuple[str | None, bool]:
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
        missing = edge.source if edge.source not in self.spell.nodes else edge.target
        present = next(
            (node for node in (edge.target, edge.source) if node in self.spell.nodes), None
        )
        self._add(
            "dangling_edge",
            f"the edge {id!r} leads {'from' if missing == edge.source else 'to'} the node {missing!r},"
            " which does not exist",
            node=present,
            edge=id,
            details={"missing": missing},
        )

    def _add_unknown_port(
        self, edge: str | None, part: Part, name: str, side: str, ports: dict[str, Port]
    ) -> None:
        allowed = sorted(ports)
        have = f"it has {', '.join(map(repr, allowed))}" if allowed else "it has none"
        self._add(
            "unknown_port",
            f"{_named(part.id, part.node)}: there is no {side} {name!r}; {have}",
            node=part.id,
            edge=edge,
            port=name,
            severity="warning" if edge is None and part.type.language else "error",
            details={"side": side, "allowed": allowed},
        )

    # Names that code refers to

    def _read_names(self) -> None:
        readers = [part for part in self.parts.values() if part.type.language and not part.loose]
        if not readers:
            return
        named: dict[str, list[str]] = {}
        for id, node in self.spell.nodes.items():
            if node.name:
                named.setdefault(node.name, []).append(id)
        for part in readers:
            for name in part.inputs:
                if name in part.links or name in part.node.inputs:
                    continue
                sources = named.get(name) or ([name] if name in self.parts else [])
                if len(sources) == 1 and sources[0] != part.id:
                    self._link_by_name(part, name, self.parts.get(sources[0]))

    def _link_by_name(self, part: Part, name: str, source: Part | None) -> None:
        output = None if source is None else main_output(source.outputs)
        if source is None or output is None or fits(output, part.inputs[name]) is not None:
            return
        part.links[name] = [
            Link(source.id, output.name, None, proven=self._fit(output, part.inputs[name])[1])
        ]
        self.needs.setdefault(part.id, set()).add(source.id)

    # Values typed in

    def _read_inputs(self) -> None:
        for part in self.parts.values():
            for name, value in part.node.inputs.items():
                if name in part.inputs:
                    reason = None if name in part.links else rejection(part.type, name, value)
                    if reason:
                        self._blame(part, "invalid_input", f"the input {name!r} {reason}", name)
                elif part.ports.extra_inputs or part.loose:
                    part.inputs[name] = Port(name)
                else:
                    self._add_unknown_port(None, part, name, "input", part.inputs)
            for port in part.ports.inputs:
                if (
                    port.required
                    and port.name not in part.links
                    and port.name not in part.node.inputs
                ):
                    self._blame(
                        part,
                        "missing_input",
                        f"the input {port.name!r} has no wire and no value",
                        port.name,
                    )

    def _blame(self, part: Part, code: Code, message: str, port: str) -> None:
        problem = self._add(
            code, f"{_named(part.id, part.node)}: {message}", node=part.id, port=port
        )
        part.fault = part.fault or problem

    # Order

    def _order(self) -> None:
        self.ordered, left = order(self.spell.nodes, self.needs)
        if not left:
            return
        for path in find_cycles(left, self.needs):
            self._add(
                "cycle",
                f"the nodes depend on themselves: {' -> '.join(path)}",
                node=path[0],
                details={"path": path},
            )


def main_output(outputs: dict[str, Port]) -> Port | None:
    """Return the output meant when only a node is named: its only one, else ``value`` or ``result``."""
    if len(outputs) == 1:
        return next(iter(outputs.values()))
    return outputs.get("value") or outputs.get("result")


def rejection(declared: NodeType, port: str, value: Any) -> str | None:
    """Return why a value does not fit an input of a type, or None when it does."""
    adapter = declared.adapters.get(port)
    if adapter is None:
        return None
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        return why_rejected(error, value)
    return None


def why_rejected(error: ValidationError, value: Any) -> str:
    """Return pydantic's first finding as the end of a sentence about a value."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = "".join(f"[{part!r}]" for part in first["loc"])
    shown = repr(value)
    return f"cannot be {shown if len(shown) <= 80 else shown[:77] + '...'}{' at ' + place if place else ''}: {first['msg']}"


def _tables(ports: Ports) -> tuple[Ports, dict[str, Port], dict[str, Port]]:
    return (
        ports,
        {port.name: port for port in ports.inputs},
        {port.name: port for port in ports.outputs},
    )


def _named(id: str, node: Node) -> str:
    return f"node {node.name!r} ({id})" if node.name else f"node {id!r}"
