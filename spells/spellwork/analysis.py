"""Read a spell against a library: types, ports, wires, order, and all that is wrong.

``validate`` shows the problems; ``compile`` builds steps of the rest. Nothing
of a spell is executed: code is only looked at by the ``resolve`` of its type,
which parses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from .bodies import Bodies, Inside, Spells
from .children import Children
from .choosing import choices_of, not_among
from .cycles import find_cycles, order
from .errors import CodeError
from .interface import marker_name
from .links import Link, Links, named
from .naming import NamesInCode
from .node_type import NodeType
from .ports import Port, Ports
from .problems import Code, Problem
from .regions import Regions
from .rejection import rejection
from .requirements import wrong_requirements
from .spell import Node, Spell
from .standing import Standing, needed_outputs, placeholder, standing_of, stands
from .transform import has_default

if TYPE_CHECKING:
    from .library import Library
    from .plan import Plan

MAX_NODES = 10_000
MAX_EDGES = 50_000
MAX_CODE = 500_000
"""Characters of code in all nodes together: it is read wherever the spell is."""

_NOTHING: Mapping[str, Problem | None] = MappingProxyType({})


class Part(msgspec.Struct):
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
    links: dict[str, list[Link]] = msgspec.field(default_factory=dict)
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
    ``recording`` names nodes that are not called, for a test has recorded what
    comes of them: their pins (None), or a failure.
    """

    def __init__(
        self,
        spell: Spell,
        library: Library,
        spells: Spells | None = None,
        *,
        root: str | None = None,
        children: Children | None = None,
        recording: Mapping[str, Problem | None] = _NOTHING,
    ) -> None:
        self.spell = spell
        self.library = library
        self._recording = recording
        self.children = children or Children(
            lambda child, known: Analysis(child, library, children=known), spells, root
        )
        self.regions = Regions(spell, {})
        self._opened: set[tuple[str, str]] = set()
        self.subplans: dict[Any, Any] = {}
        """What ``subplans`` made of the bodies in it, so that they are compiled once."""
        self.plans: dict[str, Plan] = {}
        """What the spell compiles to without inputs, by environment, where the caller keeps the analysis."""
        self.problems: list[Problem] = []
        self.told: set[tuple[str, str]] = set()
        """Inputs (node, port) of which it is told already why nothing comes."""
        self.parts: dict[str, Part] = {}
        self.needs: dict[str, list[str]] = {}
        """By node, the source of each wire that ends there; one that wires come from repeatedly, repeatedly."""
        self.ordered: list[str] = []
        self.standing: dict[str, Standing] = {}
        """What stands for the nodes that are not run: muted, pinned, bypassed."""
        self._static: dict[NodeType, tuple[Ports, dict[str, Port], dict[str, Port]]] = {}
        if self._is_small_enough():
            self._read_nodes()
            self._read_bodies()
            links = Links(self)
            links.read()
            names = NamesInCode(self, links.fit)  # not kept: it would keep all this as a circle
            names.read()
            self._read_standing()
            self._read_regions()
            self._read_inputs(names)
            self._read_failures()
            self._order()
            self._soften()
            self._read_requirements()

    @cached_property
    def named(self) -> Mapping[str, Sequence[Part]]:
        """The nodes by their names, and for what no node is called the input markers by theirs."""
        found: dict[str, list[Part]] = {}
        marked: dict[str, list[Part]] = {}
        for part in self.parts.values():
            if part.node.name is not None:
                found.setdefault(part.node.name, []).append(part)
            if part.type.marks == "input":
                marked.setdefault(marker_name(part), []).append(part)
        return marked | found

    def add(self, code: Code, message: str, **where: Any) -> Problem:
        """Note a problem."""
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
                self.add(
                    "too_large",
                    f"the spell has {count:,} {what}; at most {limit:,} are allowed",
                    details={"size": count, "limit": limit},
                )
        return not self.problems

    def _read_requirements(self) -> None:
        if not self.spell.requirements:
            return
        for name, reason in wrong_requirements(self.spell.requirements).items():
            self.add(
                "invalid_requirement",
                f"the requirement {name!r} is wrong: {reason}",
                details={"requirement": name},
            )

    # Nodes and their ports

    def _read_nodes(self) -> None:
        nodes, parts = self.spell.nodes, self.parts
        static: dict[str, tuple[NodeType, Ports, dict[str, Port], dict[str, Port]]] = {}
        for id in sorted(nodes):
            node = nodes[id]
            shared = static.get(node.type)
            if shared is not None and node.version is None:
                parts[id] = Part(id, node, *shared)
                continue
            declared = self.library.get(node.type, node.version)
            if node.version is not None and declared is not None:
                newest = self.library.newer(node)
                if newest is not None:
                    self._add_old_version(id, node, newest.version)
            if declared is None:
                self._add_unknown_type(id, node)
                if stands(node) or id in self._recording:
                    unknown = placeholder(node, self._wired_of(id) if id in self._recording else ())
                    parts[id] = Part(id, node, unknown, *_tables(unknown.ports), loose=True)
            elif declared.resolve is None:
                tables = self._tables_of(declared)
                parts[id] = Part(id, node, declared, *tables)
                if node.version is None and not declared.extra_inputs:
                    static[node.type] = (declared, *tables)
            else:
                parts[id] = self._resolved(id, node, declared)

    def _wired_of(self, id: str) -> set[str]:
        return {edge.output for edge in self.spell.edges.values() if edge.source == id}

    def _tables_of(self, declared: NodeType) -> tuple[Ports, dict[str, Port], dict[str, Port]]:
        """Return a type's ports, shared by all its nodes but where nodes take further inputs."""
        if declared.extra_inputs:
            return _tables(declared.ports)
        if declared not in self._static:
            self._static[declared] = _tables(declared.ports)
        return self._static[declared]

    def _add_old_version(self, id: str, node: Node, newest: int) -> None:
        self.add(
            "outdated_version",
            f"{named(id, node)}: {node.type!r} has version {newest} now, and this is version {node.version}",
            node=id,
            severity="warning",
            details={"version": node.version, "newest": newest},
        )

    def _add_unknown_type(self, id: str, node: Node) -> None:
        known = self.library.like(node.type)
        newest = self.library.get(node.type)
        if newest is not None:
            message = f"{named(id, node)}: {node.type!r} has no version {node.version}"
            if self.library.newer(node):
                message += f"; it can be updated to version {newest.version}"
        else:
            hint = f"; did you mean {known[0]!r}?" if known else ""
            message = f"{named(id, node)}: there is no node type {node.type!r}{hint}"
        self.add(
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
            message, details = f"{named(id, node)}: {error.message}", error.details
        except Exception as error:  # noqa: BLE001 - an edge: a pack's own function
            message, details = (
                f"{named(id, node)}: its ports cannot be found: {type(error).__name__}: {error}",
                {},
            )
        fault = self.add("code_error", message, node=id, details=details)
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
            (link.source, link.output, part.id, _is_spared(part, link))
            for part in self.parts.values()
            for links in part.links.values()
            for link in links
        )
        for region, captured in regions.captures.items():
            for owner in regions.owners[region]:
                if owner in self.standing or owner in self._recording:  # it is not run
                    continue
                self.needs.setdefault(owner, []).extend(source for source, _ in captured)

    def _refuse_leaving(self, part: Part, link: Link) -> None:
        source = self.spell.nodes[link.source]
        self.needs[part.id] = [need for need in self.needs[part.id] if need != link.source]
        if link.edge is None:
            return
        body = self.regions.of[link.source]
        self.add(
            "wire_leaves_body",
            f"{named(part.id, part.node)} cannot read {link.output!r} of {named(link.source, source)}:"
            f" that is run by {', '.join(map(repr, self.regions.owners[body]))}, and only its outputs leave it",
            node=part.id,
            edge=link.edge,
            details={"source": link.source, "owners": self.regions.owners[body]},
        )

    def add_unknown_port(
        self, edge: str | None, part: Part, name: str, side: str, ports: dict[str, Port]
    ) -> None:
        """Note that a node has no port of that name; without ``edge`` a value is typed in there."""
        allowed = sorted(ports)
        have = f"it has {', '.join(map(repr, allowed))}" if allowed else "it has none"
        self.add(
            "unknown_port",
            f"{named(part.id, part.node)}: there is no {side} {name!r}; {have}",
            node=part.id,
            edge=edge,
            port=name,
            severity="warning" if edge is None and part.type.language else "error",
            details={"side": side, "allowed": allowed},
        )

    # Nodes that are not run

    def _read_standing(self) -> None:
        needed = needed_outputs(self.spell.edges.values(), self.spell.nodes)
        if needed:
            self._read_set_aside(needed)
        for id, failure in self._recording.items():
            part = self.parts.get(id)
            if part is None:
                continue
            part.inside = None
            if failure is None:
                self._stand(part, Standing("pinned"))
            else:
                part.links, self.needs[id] = {}, []

    def _read_set_aside(self, needed: dict[str, set[str]]) -> None:
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
            elif (
                part is not None
                and id not in self._recording
                and self.library.get(part.node.type, part.node.version) is None
            ):
                del self.parts[id]

    def _read_failures(self) -> None:
        for id, failure in self._recording.items():
            if failure is not None and id in self.parts:
                self.parts[id].fault = failure

    def _stand(self, part: Part, standing: Standing) -> None:
        """Cut a node off from what it does not need."""
        self.standing[part.id] = standing
        passing = {name for _, name, _ in standing.passes}
        part.links = {name: links for name, links in part.links.items() if name in passing}
        self.needs[part.id] = [link.source for links in part.links.values() for link in links]
        further = part.node.settings.pins.keys() - part.outputs.keys()
        if further or part.loose:
            part.outputs = part.outputs | {name: Port(name) for name in sorted(further)}
            part.ports = Ports(
                part.ports.inputs, tuple(part.outputs.values()), part.ports.extra_inputs
            )

    def _soften(self) -> None:
        """Make a warning of what is wrong with a node that is not run, and with the wires that end there."""
        if self.standing or self._recording:
            self.problems = [
                msgspec.structs.replace(problem, severity="warning")
                if problem.code != "cycle" and self._is_of_standing(problem)
                else problem
                for problem in self.problems
            ]

    def _is_of_standing(self, problem: Problem) -> bool:
        edge = self.spell.edges.get(problem.edge or "")
        return any(
            node in self.standing or node in self._recording
            for node in (problem.node, None if edge is None else edge.target)
        )

    # Values typed in

    def _read_inputs(self, names: NamesInCode) -> None:
        required: dict[int, list[str]] = {}
        for part in self.parts.values():
            ports, links, typed = part.ports, part.links, part.node.inputs
            for name, value in typed.items():
                if name in part.inputs:
                    reason = None if name in part.links else rejection(part.type, name, value)
                    if reason:
                        self.blame(part, "invalid_input", f"the input {name!r} {reason}", name)
                    elif name not in part.links and part.inputs[name].choices:
                        self._check_choice(part, part.inputs[name], value)
                elif part.ports.extra_inputs or part.loose:
                    part.inputs[name] = Port(name)
                else:
                    self.add_unknown_port(None, part, name, "input", part.inputs)
            wanted = required.get(id(ports))
            if wanted is None:
                wanted = [port.name for port in ports.inputs if port.required]
                required[id(ports)] = wanted
            for name in wanted:
                if name in links or name in typed or (part.id, name) in self._opened:
                    continue
                if (part.id, name) not in self.told:
                    hint, details = names.missing(part, name)
                    message = f"the input {name!r} has no wire and no value{hint}"
                    self.blame(part, "missing_input", message, name, details)

    def _check_choice(self, part: Part, port: Port, value: Any) -> None:
        choices = choices_of(part.type, part.node, port)
        wrong = not_among(choices, value)
        if not wrong:
            return
        few = ", ".join(map(repr, choices[:10])) + (" ..." if len(choices) > 10 else "")
        self.add(
            "not_a_choice",
            f"{named(part.id, part.node)}: the input {port.name!r} cannot be {wrong[0]!r}; there is {few}",
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
        problem = self.add(
            code,
            f"{named(part.id, part.node)}: {message}",
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
            names = self._named_along(path)
            names.sort(key=lambda name: name["node"] != path[0])
            first = names[0] if names else {}
            at = {key: first[key] for key in ("line", "column", "end_column") if key in first}
            self.add(
                "cycle",
                f"the nodes depend on themselves: {' -> '.join(map(self._label, path))}"
                + (f"; {first['name']!r} is read by name" if first else ""),
                node=first.get("node", path[0]),
                details={"path": path} | ({"names": names} if names else {}) | at,
            )

    def _label(self, node: str) -> str:
        return self.spell.nodes[node].name or node

    def _named_along(self, path: list[str]) -> list[dict[str, Any]]:
        """Return the names in code that close a circle, each with its node and place."""
        found: list[dict[str, Any]] = []
        for source, target in pairwise(path):
            part = self.parts.get(target)
            if part is None:
                continue
            for port, links in part.links.items():
                if any(link.source == source and link.edge is None for link in links):
                    place = part.inputs[port].place
                    at = {} if place is None else place.to_json()
                    found.append({"node": target, "name": port, "source": source} | at)
        return found


def _is_spared(part: Part, link: Link) -> bool:
    """Say whether a node may run where nothing comes by a wire: a default stands in, or other wires do."""
    return has_default(link.transform) or part.type.waits == "any"


def _tables(ports: Ports) -> tuple[Ports, dict[str, Port], dict[str, Port]]:
    return (
        ports,
        {port.name: port for port in ports.inputs},
        {port.name: port for port in ports.outputs},
    )
