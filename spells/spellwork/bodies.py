"""What the nodes of a spell run inside themselves, and the ports that follow from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .children import MAX_NESTED, ONLY, Fault, Spells
from .cycles import find_cycles, order
from .errors import CodeError
from .interface import Interface, interface_of, interface_of_type
from .ports import Port, Ports
from .regions import Regions
from .requirements import lacking
from .schemas import forms_of, mismatch
from .spell import Edge
from .transform_schemas import Unfit, reshaped
from .values import json_bytes

if TYPE_CHECKING:
    from .analysis import Analysis, Part

__all__ = ["Bodies", "Inside", "Spells"]

MAX_SCHEMA = 10_000
"""Bytes of the schema of a port that follows from a body; of a longer one only the type is said."""


@dataclass(frozen=True, slots=True)
class Inside:
    """The body of one node.

    ``analysis`` is where its nodes are: the spell itself with ``region`` a
    group of it, else a child. ``fanned``: inputs of the body that get the items
    of a list one by one. ``height``: how deep bodies nest below, at least 1.
    """

    analysis: Analysis
    interface: Interface
    region: str | None = None
    fanned: frozenset[str] = frozenset()
    height: int = 1


class Bodies:
    """Finds the bodies of a spell and gives their owners the ports that follow, before any wire is looked at."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._owners = {
            part.id: part
            for part in analysis.parts.values()
            if part.type.body_ports is not None and part.node.settings.body is not None
        }
        groups = {
            id: part.node.settings.body.group
            for id, part in self._owners.items()
            if part.node.settings.body is not None and part.node.settings.body.group is not None
        }
        self.regions = Regions(analysis.spell, groups)
        self._groups = groups
        self.opened: set[tuple[str, str]] = set()
        """The inputs (node, port) that are inputs of the body they are in."""
        self._members = self.regions.members()
        self._edges = self._edges_by_region() if groups else {}

    def read(self) -> None:
        """Give every owner its body and its ports, inner ones first."""
        for part in self._analysis.parts.values():
            if part.type.body_ports is not None and part.node.settings.body is None:
                self._derive(part, None)
        if not self._owners:
            return
        wires = self._wires()
        inner = {id: self._owners_within(id) for id in self._owners}
        ordered, left = order(
            self._owners,
            {
                id: inner[id]
                | {edge.source for edge in wires.get(id, ()) if edge.source in self._owners}
                for id in self._owners
            },
        )
        tangled = self._refuse_recursion(inner)
        for id in (*ordered, *left):
            if id not in tangled:
                self._read_one(self._owners[id], wires.get(id, ()))

    def _wires(self) -> dict[str, list[Edge]]:
        found: dict[str, list[Edge]] = {}
        for _, edge in sorted(self._analysis.spell.edges.items()):
            if edge.target in self._owners and edge.source in self._analysis.parts:
                found.setdefault(edge.target, []).append(edge)
        return found

    def _owners_within(self, id: str) -> set[str]:
        return {
            member
            for member in self._members.get(self._groups.get(id, ""), ())
            if member in self._owners
        }

    def _refuse_recursion(self, inner: dict[str, set[str]]) -> set[str]:
        """Blame the nodes that lie in their own body, at whatever depth."""
        _, left = order(inner, inner)
        if not left:
            return set()
        for path in find_cycles(left, inner):
            way = " -> ".join(reversed(path))
            self._blame(
                self._owners[path[0]],
                Fault("recursive_spell", f"it lies in its own body: {way}", {"path": path[::-1]}),
            )
        for id in left:
            self._owners[id].loose = True
        return set(left)

    # One body

    def _read_one(self, part: Part, wires: Iterable[Edge]) -> None:
        try:
            found = self._find(part)
        except CodeError as error:
            found = Fault("invalid_body", error.message)
        if isinstance(found, Fault):
            part.loose = True
            self._blame(part, found)
            return
        if part.type.fans_out:
            found = replace(found, fanned=self._fanned(found.interface, wires))
        part.inside = found
        self._derive(part, found)

    def _find(self, part: Part) -> Inside | Fault:
        body, children = part.node.settings.body, self._analysis.children
        assert body is not None
        if body.group is not None:
            return self._group(body.group)
        child = (
            children.type(body.type) if body.type is not None else children.spell(body.spell or "")
        )
        if isinstance(child, Fault):
            return child
        if body.type is not None:
            return Inside(child, interface_of_type(child.parts[ONLY]))
        missing = lacking(child.spell.requirements, self._analysis.spell.requirements)
        if missing:
            return _missing_packages(child, missing)
        interface = _interface(child, None, child.spell.edges.values())
        return _low_enough(Inside(child, interface, height=1 + child.height))

    def _group(self, group: str) -> Inside | Fault:
        found = self._group_found(group)
        if isinstance(found, Inside):
            self.opened.update(
                (entry.node, entry.input)
                for entry in found.interface.entries
                if entry.input is not None
            )
        return found

    def _group_found(self, group: str) -> Inside | Fault:
        analysis = self._analysis
        if group not in analysis.spell.groups:
            return Fault("invalid_body", f"there is no group {group!r}", {"group": group})
        members = self._members[group]
        if not members:
            return Fault("invalid_body", f"the group {group!r} has no nodes", {"group": group})
        heights = [
            inside.height
            for id in members
            if id in analysis.parts and (inside := analysis.parts[id].inside) is not None
        ]
        interface = _interface(analysis, members, self._edges.get(group, ()))
        return _low_enough(Inside(analysis, interface, group, height=1 + max(heights, default=0)))

    def _edges_by_region(self) -> dict[str, list[Edge]]:
        found: dict[str, list[Edge]] = {}
        of = self.regions.of
        for _, edge in sorted(self._analysis.spell.edges.items()):
            for region in {of.get(edge.source), of.get(edge.target)}:
                if region is not None:
                    found.setdefault(region, []).append(edge)
        return found

    def _fanned(self, interface: Interface, wires: Iterable[Edge]) -> frozenset[str]:
        """Return the inputs that take no list, and get one by their wire."""
        ports = {entry.port.name: entry.port for entry in interface.entries}
        found = set()
        for edge in wires:
            port = ports.get(edge.input)
            output = self._analysis.parts[edge.source].outputs.get(edge.output)
            if port is not None and output is not None and _fans(output, port, edge):
                found.add(edge.input)
        return frozenset(found)

    def _derive(self, part: Part, inside: Inside | None) -> None:
        assert part.type.body_ports is not None
        ports = None if inside is None else inside.interface.ports
        fanned = frozenset() if inside is None else inside.fanned
        try:
            part.take(_bounded(part.type.body_ports(part.node, ports, fanned)))
        except CodeError as error:
            part.loose = True
            part.inside = None
            self._blame(part, Fault("invalid_body", error.message, error.details))

    def _blame(self, part: Part, fault: Fault) -> None:
        self._analysis.blame(part, fault.code, fault.message, details=fault.details)


def _bounded(ports: Ports) -> Ports:
    """Return ports whose schemas are of a size that can be shown: bodies in bodies would multiply them."""
    return replace(
        ports,
        inputs=tuple(map(_bounded_port, ports.inputs)),
        outputs=tuple(map(_bounded_port, ports.outputs)),
    )


def _bounded_port(port: Port) -> Port:
    if len(json_bytes(port.schema)) <= MAX_SCHEMA:
        return port
    kind = port.schema.get("type")
    return replace(port, schema={} if kind is None else {"type": kind})


def _interface(
    analysis: Analysis, members: Iterable[str] | None, edges: Iterable[Edge]
) -> Interface:
    """Return the interface of nodes of a spell; of all that it runs itself where ``members`` is None."""
    of = analysis.regions.of
    ids = (id for id in analysis.parts if id not in of) if members is None else members
    parts = [analysis.parts[id] for id in ids if id in analysis.parts]
    return interface_of(parts, list(edges), analysis.names)


def _missing_packages(child: Analysis, missing: dict[str, str]) -> Fault:
    """Return why a spell cannot run where this one does: what runs inside it has its packages, and no others."""
    names = ", ".join(f"{name}{specifier}" for name, specifier in missing.items())
    return Fault(
        "missing_packages",
        f"the spell {child.spell.name!r} requires {names}, and this one, in whose worker it runs, does not:"
        " require it here, too",
        {"packages": missing},
    )


def _low_enough(inside: Inside) -> Inside | Fault:
    if inside.height > MAX_NESTED:
        return Fault("invalid_body", f"bodies nest more than {MAX_NESTED} deep")
    return inside


def _fans(output: Port, port: Port, edge: Edge) -> bool:
    try:
        schema: dict[str, Any] = reshaped(output.schema, edge.transform)
    except Unfit:
        return False
    forms = forms_of(schema)
    return (
        bool(forms)
        and all(form.get("type") == "array" for form in forms)
        and mismatch({"type": "array"}, port.schema) is not None
    )
