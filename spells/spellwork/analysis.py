"""Read a spell against a library: types, ports, wires, order, and all that is wrong.

``validate`` shows the problems; ``compile`` builds steps of the rest. Nothing
of a spell is executed: code is only looked at by the ``resolve`` of its type,
which parses.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import ValidationError

from .bodies import Bodies, Inside, Spells
from .children import Children
from .choosing import choices_of, not_among
from .cycles import find_cycles, order
from .errors import CodeError
from .node_type import NodeType
from .ports import RESERVED_PORTS, Port, Ports, is_reserved
from .problems import Code, Problem
from .regions import Regions
from .schemas import proves
from .spell import Edge, Node, Spell, Transform
from .standing import Standing, needed_outputs, placeholder, standing_of, stands
from .suggestion import fits, wanted_of
from .transform import described, why_invalid
from .transform_schemas import Unfit, reshaped, suggest_transform

if TYPE_CHECKING:
    from .library import Library

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
    transform: tuple[Transform, ...] = ()


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
    inside: Inside | None = None
    """What it runs inside itself."""

    def take(self, ports: Ports) -> None:
        """Take these ports in the place of those it had."""
        self.ports, self.inputs, self.outputs = _tables(ports)


class Analysis:
    """Everything that can be known of a spell before it runs.

    ``spells`` finds the spells that nodes run inside themselves; without it
    there are none. ``root`` is what the spell itself is found by there, if at
    all; ``children`` are those of the spell that this one is a child of.
    """

    def __init__(
        self,
        spell: Spell,
        library: Library,
        spells: Spells | None = None,
        *,
        root: str | None = None,
        children: Children | None = None,
    ) -> None:
        self.spell = spell
        self.library = library
        self.children = children or Children(
            lambda child, known: Analysis(child, library, children=known), spells, root
        )
        self.regions = Regions(spell, {})
        self._opened: set[tuple[str, str]] = set()
        self.subplans: dict[Any, Any] = {}
        """What ``subplans`` made of the bodies in it, so that they are compiled once."""
        self.problems: list[Problem] = []
        self.parts: dict[str, Part] = {}
        self.needs: dict[str, set[str]] = {}
        self.ordered: list[str] = []
        self.standing: dict[str, Standing] = {}
        """What stands for the nodes that are not run: muted, pinned, bypassed."""
        self._static: dict[NodeType, tuple[Ports, dict[str, Port], dict[str, Port]]] = {}
        self._fits: dict[tuple[int, int], tuple[str | None, bool]] = {}
        if self._is_small_enough():
            self._read_nodes()
            self._read_bodies()
            self._read_edges()
            self._read_names()
            self._read_standing()
            self._read_regions()
            self._read_inputs()
            self._order()
            self._soften()

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
            if node.version is not None and declared is not None:
                newest = self.library.newer(node)
                if newest is not None:
                    self._add_old_version(id, node, newest.version)
            if declared is None:
                self._add_unknown_type(id, node)
                if stands(node):
                    unknown = placeholder(node)
                    self.parts[id] = Part(id, node, unknown, *_tables(unknown.ports), loose=True)
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

    def _add_old_version(self, id: str, node: Node, newest: int) -> None:
        self._add(
            "outdated_version",
            f"{_named(id, node)}: {node.type!r} has version {newest} now, and this is version {node.version}",
            node=id,
            severity="warning",
            details={"version": node.version, "newest": newest},
        )

    def _add_unknown_type(self, id: str, node: Node) -> None:
        known = self.library.like(node.type)
        newest = self.library.get(node.type)
        if newest is not None:
            message = f"{_named(id, node)}: {node.type!r} has no version {node.version}"
            if self.library.newer(node):
                message += f"; it can be updated to version {newest.version}"
        else:
            hint = f"; did you mean {known[0]!r}?" if known else ""
            message = f"{_named(id, node)}: there is no node type {node.type!r}{hint}"
        self._add(
            "unknown_node_type",
            message,
            node=id,
            details={"type": node.type, "known": known}
            | ({"newest": newest.version} if newest and self.library.newer(node) else {}),
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

    # Bodies

    def _read_bodies(self) -> None:
        bodies = Bodies(self)
        self.regions = bodies.regions
        bodies.read()
        self._opened = bodies.opened

    @cached_property
    def names(self) -> frozenset[str]:
        """The names and ids of nodes, which code may read."""
        named = (node.name for node in self.spell.nodes.values() if node.name)
        return frozenset((*self.spell.nodes, *named))

    @property
    def height(self) -> int:
        """How deep bodies nest in it."""
        insides = (part.inside for part in self.parts.values())
        return max((inside.height for inside in insides if inside is not None), default=0)

    def _read_regions(self) -> None:
        """Let nothing but its outputs leave a body, and let its owner wait for what it takes from outside."""
        regions = self.regions
        if not regions.of:
            return
        for part in self.parts.values():
            for port, links in part.links.items():
                for link in links:
                    if not regions.sees(part.id, link.source):
                        self._refuse_leaving(part, link)
                part.links[port] = [link for link in links if regions.sees(part.id, link.source)]
            part.links = {port: links for port, links in part.links.items() if links}
        regions.capture(
            (link.source, link.output, part.id)
            for part in self.parts.values()
            for links in part.links.values()
            for link in links
        )
        for region, captured in regions.captures.items():
            for owner in regions.owners[region]:
                if owner in self.standing:  # it is not run
                    continue
                self.needs.setdefault(owner, set()).update(source for source, _ in captured)

    def _refuse_leaving(self, part: Part, link: Link) -> None:
        source = self.spell.nodes[link.source]
        self.needs[part.id].discard(link.source)
        if link.edge is None:
            return
        body = self.regions.of[link.source]
        self._add(
            "wire_leaves_body",
            f"{_named(part.id, part.node)} cannot read {link.output!r} of {_named(link.source, source)}:"
            f" that is run by {', '.join(map(repr, self.regions.owners[body]))}, and only its outputs leave it",
            node=part.id,
            edge=link.edge,
            details={"source": link.source, "owners": self.regions.owners[body]},
        )

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
            if output is None:
                output = _reserved(source, edge.output)
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
        reason, proven = (
            self._fit_reshaped(id, edge, target, output, port)
            if edge.transform
            else self._fit(output, port)
        )
        if reason is None:
            broken = target.fault is not None and target.fault.edge == id
            transform = () if broken else edge.transform
            links.append(Link(edge.source, output.name, id, proven, transform))
            return
        source = _named(edge.source, self.spell.nodes[edge.source])
        better = suggest_transform(output.schema, wanted_of(port), port.name, edge.transform)
        self._add(
            "incompatible_types",
            f"{_named(target.id, target.node)}: the input {port.name!r} cannot take"
            f" the output {output.name!r} of {source}: {reason}",
            node=target.id,
            edge=id,
            port=port.name,
            details={"reason": reason, "source": edge.source, "output": output.name}
            | ({"suggest": described(better)} if better else {}),
        )

    def _fit_reshaped(
        self, id: str, edge: Edge, target: Part, output: Port, port: Port
    ) -> tuple[str | None, bool]:
        """Return what ``_fit`` does, of what the wire's transforms make of the output."""
        for each in edge.transform:
            if fault := why_invalid(each):
                message = f"{_named(target.id, target.node)}: the wire into {port.name!r}: {fault}"
                problem = self._add(
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

    # Nodes that are not run

    def _read_standing(self) -> None:
        needed = needed_outputs(self.spell.edges.values(), self.spell.nodes)
        if not needed:
            return
        links = [
            link for part in self.parts.values() for each in part.links.values() for link in each
        ]
        for link in links:
            if link.source in needed:
                needed[link.source].add(link.output)
                link.proven = False  # what is given by hand may be of any type
        for id, outputs in needed.items():
            part = self.parts.get(id)
            standing = None if part is None else standing_of(part, outputs)
            if part is not None and standing is not None:
                self._stand(part, standing)
            elif part is not None and self.library.get(part.node.type, part.node.version) is None:
                del self.parts[id]

    def _stand(self, part: Part, standing: Standing) -> None:
        """Cut a node off from what it does not need."""
        self.standing[part.id] = standing
        passing = {name for _, name, _ in standing.passes}
        part.links = {name: links for name, links in part.links.items() if name in passing}
        self.needs[part.id] = {link.source for links in part.links.values() for link in links}
        further = part.node.settings.pins.keys() - part.outputs.keys()
        if further or part.loose:
            part.outputs = part.outputs | {name: Port(name) for name in sorted(further)}
            part.ports = Ports(
                part.ports.inputs, tuple(part.outputs.values()), part.ports.extra_inputs
            )

    def _soften(self) -> None:
        """Make a warning of what is wrong with a node that is not run, and with the wires that end there."""
        if self.standing:
            self.problems = [
                msgspec.structs.replace(problem, severity="warning")
                if problem.code != "cycle" and self._is_of_standing(problem)
                else problem
                for problem in self.problems
            ]

    def _is_of_standing(self, problem: Problem) -> bool:
        edge = self.spell.edges.get(problem.edge or "")
        return problem.node in self.standing or (edge is not None and edge.target in self.standing)

    # Values typed in

    def _read_inputs(self) -> None:
        for part in self.parts.values():
            for name, value in part.node.inputs.items():
                if name in part.inputs:
                    reason = None if name in part.links else rejection(part.type, name, value)
                    if reason:
                        self.blame(part, "invalid_input", f"the input {name!r} {reason}", name)
                    elif name not in part.links and part.inputs[name].choices:
                        self._check_choice(part, part.inputs[name], value)
                elif part.ports.extra_inputs or part.loose:
                    part.inputs[name] = Port(name)
                else:
                    self._add_unknown_port(None, part, name, "input", part.inputs)
            for port in part.ports.inputs:
                if (
                    port.required
                    and port.name not in part.links
                    and port.name not in part.node.inputs
                    and (part.id, port.name) not in self._opened
                ):
                    self.blame(
                        part,
                        "missing_input",
                        f"the input {port.name!r} has no wire and no value",
                        port.name,
                    )

    def _check_choice(self, part: Part, port: Port, value: Any) -> None:
        choices = choices_of(part.type, part.node, port)
        wrong = not_among(choices, value)
        if not wrong:
            return
        few = ", ".join(map(repr, choices[:10])) + (" ..." if len(choices) > 10 else "")
        self._add(
            "not_a_choice",
            f"{_named(part.id, part.node)}: the input {port.name!r} cannot be {wrong[0]!r}; there is {few}",
            node=part.id,
            port=port.name,
            severity="warning",
            details={"allowed": choices[:100]},
        )

    def blame(
        self,
        part: Part,
        code: Code,
        message: str,
        port: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Note a problem of one node, which fails with it should it run."""
        problem = self._add(
            code,
            f"{_named(part.id, part.node)}: {message}",
            node=part.id,
            port=port,
            details=details or {},
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
